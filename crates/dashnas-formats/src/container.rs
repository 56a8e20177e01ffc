//! Data sets in containers of named arrays: archives, folders of arrays, HDF5 and MATLAB files. The words of its name
//! tell the use of an array.

use crate::array::Array;
use crate::array_use::{ArrayKind, named_by, use_of};
use crate::effects;
use crate::error::{DataError, Location};
use crate::found::{Digits, Labels, NumericTargets, UnassembledData, UnassembledSplit};
use crate::groups;
use crate::info::ArrayInfo;
use crate::large_labels;
use crate::naming::words_of;
use crate::options::ReadOptions;
use crate::ragged;
use crate::ragged::{Loaded, Ragged};
use crate::role::Role;
use crate::sample_facts::{Counting, Places, SampleFacts, Source};
use crate::samples_last::{columns_to_rows, samples_are_last, samples_first};
use crate::split_arrays::{
    SplitArrays, account, by_group, check_axes, lacking_groups, missing, names_a_test_split, names_of_groups,
    unused_splits,
};
use crate::subtract::Subtract;
use std::path::Path;

/// A file or folder of named arrays.
pub trait Container {
    /// The path of the file or folder, for messages.
    fn path(&self) -> &Path;
    /// The name of the format, for people.
    fn format(&self) -> &str;
    /// The arrays in the container.
    fn list(&self) -> &[ArrayInfo];
    /// Reads the numbers of an array, and whether their type is bool or integer. What is to be subtracted, if anything, is
    /// subtracted before they become `f32`.
    ///
    /// # Errors
    /// [`DataError`] with the file and the array.
    fn numbers(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<(Array, bool), DataError>;
    /// The series of unequal lengths that an array holds, if it holds some.
    fn ragged(&self, _name: &str) -> Option<Ragged> {
        None
    }

    /// Returns whether an array was saved as Python objects.
    fn holds_objects(&self, _name: &str) -> bool {
        false
    }

    /// Opens an array whose rows are read on demand, if it is larger than the options allow in memory: in its file, or
    /// decoded into a temporary one. Returns `None` if the array is to be read into memory.
    ///
    /// # Errors
    /// As [`Container::numbers`].
    fn file_backed(&mut self, _name: &str, _subtract: Option<&Subtract>) -> Result<Option<Array>, DataError> {
        Ok(None)
    }
    /// Reads the whole numbers of an array exactly, for labels, which `f32` would merge above 2²⁴. Returns `None` if
    /// they are not whole or not kept exactly.
    ///
    /// # Errors
    /// As [`Container::numbers`].
    fn whole(&mut self, _name: &str) -> Result<Option<Vec<i128>>, DataError> {
        Ok(None)
    }
    /// Returns whether people keep samples in the last axis in this format, so that it is the sample where its size says
    /// so.
    fn samples_may_be_last(&self) -> bool {
        false
    }
    /// Returns whether the channels come first by the format.
    fn channels_first(&self) -> bool {
        false
    }
    /// Returns whether labels that are whole numbers must be 0 to K − 1.
    fn numbered_labels(&self) -> bool {
        false
    }
    /// Returns what is to be said of how the arrays were read.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
    /// Reads the texts of an array.
    ///
    /// # Errors
    /// As [`Container::numbers`].
    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError>;
}

/// Finds the only array of a use for a split.
///
/// # Errors
/// [`DataError::Incomplete`] if several arrays could be it.
fn find<'a>(
    container: &'a dyn Container,
    options: &ReadOptions,
    kind: ArrayKind,
    role: Role,
) -> Result<Option<&'a ArrayInfo>, DataError> {
    // Where a setting names the groups, no other array is one.
    let group = |reason: &str| options.group.is_none() || reason == named_by("data.group");
    let fits = |info: &&ArrayInfo| {
        use_of(info, options)
            .is_some_and(|u| u.kind == kind && u.role == role && (kind != ArrayKind::Groups || group(&u.reason)))
    };
    let mut found: Vec<&ArrayInfo> = container.list().iter().filter(fits).collect();
    if kind == ArrayKind::Targets
        && let Some(missing) = check_axes(container.path(), container.list(), options, &found)?
    {
        return Err(incomplete(container, missing));
    }
    // Names without further words go before longer ones: `x_train` before `x_train_raw`, `y` before `mask`; and arrays
    // that can be read before others.
    let plain = |info: &&ArrayInfo| {
        let bare = words_of(&info.name).into_iter().filter(|w| Role::of_word(w).is_none()).collect::<Vec<_>>();
        bare == ["x"] || bare == ["y"]
    };
    // In groups and structures, the last name counts: `data/x` before `data/foo`.
    let plain_in_group = |info: &&ArrayInfo| {
        let last = info.name.rsplit(['/', '.']).next().unwrap_or(&info.name);
        ["x", "y"].contains(&last.to_lowercase().as_str())
    };
    let readable = |info: &&ArrayInfo| info.refused.is_none();
    for better in [plain, plain_in_group, readable] {
        if found.iter().any(better) {
            found.retain(better);
        }
    }
    // An array and a link to it are one array.
    let names: Vec<&str> = found.iter().map(|info| info.name.as_str()).collect();
    found.retain(|info| info.link.as_ref().is_none_or(|target| !names.contains(&target.as_str())));
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => {
            let names: Vec<_> = found.iter().map(|i| i.name.as_str()).collect();
            let which = match kind {
                ArrayKind::Inputs => "inputs",
                ArrayKind::Weights => "weights",
                ArrayKind::Times => "times",
                ArrayKind::Groups => "groups",
                _ => "targets",
            };
            let says = if kind == ArrayKind::Groups { "; `data.group` says which" } else { "" };
            Err(incomplete(container, format!("one array of {which} ({} could be it{says})", names.join(", "))))
        }
    }
}

/// The error for a container that lacks something a data set needs.
pub(crate) fn incomplete(container: &dyn Container, missing: String) -> DataError {
    let contents = container.list().iter().map(ArrayInfo::describe_with_hint).collect();
    DataError::Incomplete { path: container.path().into(), format: container.format().into(), contents, missing }
}

/// Reads the only array of a container as inputs.
///
/// # Errors
/// [`DataError::Incomplete`] if there are several arrays.
pub(crate) fn read_single_array(
    container: &mut dyn Container,
    options: &ReadOptions,
) -> Result<UnassembledData, DataError> {
    let [info] = container.list() else { return Err(incomplete(container, "one array of inputs".into())) };
    let info = info.clone();
    let name = info.name.clone();
    let mut raw = UnassembledData::new(container.format(), options);
    raw.file(container.path());
    let shape = info.shape.clone();
    let subtract = Subtract::inputs(&shape, options.samples_last, raw.channels_first, options)
        .filter(|_| container.ragged(&name).is_none());
    raw.digits.inputs_centered = subtract.is_some();
    let found = vec![(Role::All, name, subtract)];
    let mut x = inputs(container, found, options, false, &mut raw)?.pop().unwrap_or(Array::new(vec![0], Vec::new()));
    if options.samples_last && !x.is_file_backed() {
        samples_first(&mut x);
    }
    container.notes().into_iter().for_each(|note| raw.note(note));
    raw.parts.push(UnassembledSplit {
        role: Role::All,
        x,
        y: None,
        groups: None,
        ids: None,
        facts: SampleFacts::default(),
    });
    Ok(raw)
}

/// Reads the data set in a container. Without `labeled`, targets may be missing.
///
/// # Errors
/// [`DataError::Incomplete`] with the arrays that are there and those that are missing.
pub(crate) fn read(
    container: &mut dyn Container,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let mut raw = UnassembledData::new(container.format(), options);
    raw.file(container.path());
    let found = arrays_of_splits(container, options, labeled)?;
    raw.arrays = true;
    raw.named_by = &["inputs", "targets", "group", "weight", "time"];
    check_named(container, options, labeled)?;
    raw.renumber = !container.numbered_labels();
    raw.columns = account(container.list(), options, &found);
    raw.warnings.extend(unused_splits(container.list(), &found));
    raw.warnings.extend(lacking_groups(&found, options).filter(|_| !labeled && options.scored));
    raw.digits = digits(container, options, &found);
    let (all, labels) = inputs_and_targets(container, &found, options, labeled, &mut raw)?;
    for ((SplitArrays { role, x, y, groups, weights, times }, mut array), mut labels) in
        found.into_iter().zip(all).zip(labels)
    {
        let source = Source {
            file: container.path().display().to_string(),
            array: Some(x.name.clone()),
            targets: y.as_ref().map(|y| y.name.clone()),
        };
        if is_last(container, options, &array.shape, labels.as_ref()) && !array.is_file_backed() {
            samples_first(&mut array);
            raw.note("the samples are the last axis of the inputs");
            raw.reading.samples_last = true;
        }
        if let Some(Labels::Numbers(raw)) = &mut labels {
            columns_to_rows(&mut raw.array, array.rows());
        }
        let groups = groups_of(container, &groups, options, labeled, &mut raw)?;
        let facts = SampleFacts {
            weights: weights.map(|info| vector(container, &info)).transpose()?,
            times: times
                .map(|info| vector(container, &info))
                .transpose()?
                .map(|t| t.into_iter().map(f64::from).collect()),
            places: Some(Places::numbered(source, Counting::Indices, array.rows())),
        };
        raw.parts.push(UnassembledSplit { role, x: array, y: labels, groups, ids: None, facts });
    }
    exact_labels(container, options, &mut raw)?;
    let classes =
        container.list().iter().find(|i| i.text && use_of(i, options).is_some_and(|u| u.kind == ArrayKind::Classes));
    let unread = container.list().iter().find(|i| {
        let classes = use_of(i, options).is_some_and(|u| u.kind == ArrayKind::Classes);
        classes && !i.text && i.dtype.starts_with("of dtype")
    });
    match (classes.cloned(), unread) {
        (Some(info), _) => raw.classes = Some(container.text(&info.name)?),
        (None, Some(info)) => raw.warn(format!(
            "the array `{}` may hold the names of the classes, but it is {}: save it with array.astype(str)",
            info.name, info.dtype
        )),
        (None, None) => {}
    }
    container.notes().into_iter().for_each(|note| raw.note(note));
    Ok(raw)
}

/// Whether the samples are the last axis of inputs of this shape.
fn is_last(container: &dyn Container, options: &ReadOptions, shape: &[usize], y: Option<&Labels>) -> bool {
    y.map_or(options.samples_last, |y| container.samples_may_be_last() && samples_are_last(shape, y))
}

/// Reads the inputs and the targets of all splits.
fn inputs_and_targets(
    container: &mut dyn Container,
    found: &[SplitArrays],
    options: &ReadOptions,
    labeled: bool,
    raw: &mut UnassembledData,
) -> Result<(Vec<Array>, Vec<Option<Labels>>), DataError> {
    let (targets_centered, inputs_centered) = (raw.digits.targets_centered, raw.digits.inputs_centered);
    let read_targets = |container: &mut dyn Container| -> Result<Vec<Option<Labels>>, DataError> {
        let of = |arrays: &SplitArrays| {
            arrays.y.as_ref().map(|info| targets(container, info, options, targets_centered)).transpose()
        };
        found.iter().map(of).collect()
    };
    for arrays in found {
        arrays.x.readable(container.path())?;
    }
    // The number of the targets tells where the channels are, and so what is subtracted from which value.
    let before = if inputs_centered { Some(read_targets(container)?) } else { None };
    let mut wanted = Vec::with_capacity(found.len());
    for (i, SplitArrays { role, x, .. }) in found.iter().enumerate() {
        let subtract = |before: &Vec<Option<Labels>>| {
            let last = is_last(container, options, &x.shape, before[i].as_ref());
            let subtract = Subtract::inputs(&x.shape, last, container.channels_first(), options);
            subtract.ok_or_else(|| other_channels(container, x))
        };
        wanted.push((*role, x.name.clone(), before.as_ref().map(subtract).transpose()?));
    }
    let inputs = inputs(container, wanted, options, labeled, raw)?;
    let targets = before.map_or_else(|| read_targets(container), Ok)?;
    Ok((inputs, targets))
}

/// Reads the inputs of all splits, after what is to be subtracted from them; series of unequal lengths are brought to one.
fn inputs(
    container: &mut dyn Container,
    wanted: Vec<(Role, String, Option<Subtract>)>,
    options: &ReadOptions,
    labeled: bool,
    raw: &mut UnassembledData,
) -> Result<Vec<Array>, DataError> {
    let mut found = Vec::with_capacity(wanted.len());
    let mut any = false;
    for (role, name, subtract) in wanted {
        let loaded = match container.ragged(&name) {
            Some(ragged) => {
                any = true;
                Loaded::Ragged(ragged)
            }
            None => Loaded::Dense(match container.file_backed(&name, subtract.as_ref())? {
                Some(array) => array,
                None => container.numbers(&name, subtract.as_ref())?.0,
            }),
        };
        found.push((role, name, loaded));
    }
    if !any && options.length.is_some() {
        any = ragged::take_equal(&mut found, |name| container.holds_objects(name), options.layout);
    }
    if !any {
        effects::check_arrays(container.path(), container.format(), options, labeled)?;
    }
    ragged::arrays(container.path(), found, labeled, raw)
}

/// Refuses a setting that names no array; for new data one that is given for it.
fn check_named(container: &dyn Container, options: &ReadOptions, labeled: bool) -> Result<(), DataError> {
    let settings = [
        (&options.group, ArrayKind::Groups, "group", "groups"),
        (&options.weight, ArrayKind::Weights, "weight", "weights"),
        (&options.time, ArrayKind::Times, "time", "times"),
        (&options.targets, ArrayKind::Targets, "targets", "targets"),
        (&options.inputs, ArrayKind::Inputs, "inputs", "inputs"),
    ];
    for (wanted, kind, key, what) in settings {
        // Inputs and targets of training data are searched for in every split.
        let asked = if labeled { !matches!(key, "inputs" | "targets") } else { options.gives(key) };
        let Some(wanted) = wanted.as_ref().filter(|_| asked) else { continue };
        let several =
            if kind == ArrayKind::Groups { names_of_groups(container.list(), wanted) } else { vec![wanted.as_str()] };
        for wanted in several {
            let options = if kind == ArrayKind::Groups { &by_group(options, wanted) } else { options };
            let mut found = container.list().iter().filter_map(|info| use_of(info, options));
            if !found.any(|found| found.kind == kind && found.reason == named_by(&format!("data.{key}"))) {
                return Err(incomplete(container, format!("{what} (an array named {wanted}, as `data.{key}` says)")));
            }
        }
    }
    Ok(())
}

/// Finds the arrays of groups for a split: all those that the options name, or none of them; of new data that need not have
/// them those that are there.
fn find_groups(
    container: &dyn Container,
    options: &ReadOptions,
    role: Role,
    labeled: bool,
) -> Result<Vec<ArrayInfo>, DataError> {
    let Some(wanted) = &options.group else {
        return Ok(find(container, options, ArrayKind::Groups, role)?.into_iter().cloned().collect());
    };
    let mut found = Vec::new();
    let mut lacking = None;
    for name in names_of_groups(container.list(), wanted) {
        match find(container, &by_group(options, name), ArrayKind::Groups, role)? {
            Some(info) => found.push(info.clone()),
            None => lacking = Some(name.to_owned()),
        }
    }
    match lacking {
        Some(name) if !found.is_empty() && (labeled || options.gives("group")) => {
            let split = if role == Role::All { String::new() } else { format!(" for the split `{}`", role.name()) };
            Err(incomplete(container, format!("groups (an array named {name}{split}, as `data.group` says)")))
        }
        _ => Ok(found),
    }
}

/// Finds the arrays of every split.
fn arrays_of_splits(
    container: &dyn Container,
    options: &ReadOptions,
    labeled: bool,
) -> Result<Vec<SplitArrays>, DataError> {
    let split = find(container, options, ArrayKind::Inputs, Role::Train)?.is_some()
        || find(container, options, ArrayKind::Inputs, Role::Test)?.is_some();
    let roles = if split { &[Role::Train, Role::Val, Role::Test][..] } else { &[Role::All] };
    let mut found: Vec<SplitArrays> = Vec::new();
    for &role in roles {
        let x = find(container, options, ArrayKind::Inputs, role)?.cloned();
        let y = find(container, options, ArrayKind::Targets, role)?.cloned();
        // A prediction needs neither groups, which may not be told apart, nor weights.
        let used = labeled || options.scored;
        let groups = if used { find_groups(container, options, role, labeled)? } else { Vec::new() };
        let of_samples = |kind| find(container, options, kind, role).map(|found| found.filter(|_| used).cloned());
        let (weights, times) = (of_samples(ArrayKind::Weights)?, of_samples(ArrayKind::Times)?);
        let needed = role == Role::Train || (labeled && role == Role::All);
        match (x, y) {
            (None, None) if !needed || !labeled => {}
            (None, _) => return Err(incomplete(container, missing("x", "inputs", role, &options.inputs))),
            (Some(_), None) if labeled => {
                return Err(incomplete(container, missing("y", "targets", role, &options.targets)));
            }
            (Some(x), y) => found.push(SplitArrays { role, x, y, groups, weights, times }),
        }
    }
    if labeled && split && !found.iter().any(|arrays| arrays.role == Role::Test) && names_a_test_split(container.list())
    {
        return Err(incomplete(container, missing("x", "inputs", Role::Test, &options.inputs)));
    }
    if found.is_empty() && !labeled {
        // A single array needs no name.
        let numeric = |i: &&ArrayInfo| !i.text && !i.axis && i.refused.is_none() && i.shape.len() >= 2;
        let numeric: Vec<_> = container.list().iter().filter(numeric).collect();
        match numeric[..] {
            [one] => {
                let x = one.clone();
                found.push(SplitArrays { role: Role::All, x, y: None, groups: Vec::new(), weights: None, times: None });
            }
            _ => return Err(incomplete(container, "an array of inputs".into())),
        }
    }
    Ok(found)
}

/// The error for inputs whose channels are elsewhere than those of the training data.
fn other_channels(container: &dyn Container, x: &ArrayInfo) -> DataError {
    let reason = "its channels are not where those of the training data are, from which numbers are subtracted";
    DataError::at(container.path(), Location::Entry(x.name.clone()), reason)
        .with_hint("save the samples in the layout of the training data")
}

/// Which arrays have more digits than `f32`, and from which the centers of the options are subtracted: from those of every
/// split or of none.
fn digits(container: &dyn Container, options: &ReadOptions, found: &[SplitArrays]) -> Digits {
    let numbers = |info: &&ArrayInfo| !info.text;
    let targets = || found.iter().filter_map(|arrays| arrays.y.as_ref()).filter(numbers);
    // Whether the samples are the last axis makes no difference to what can be subtracted, as long as it is known.
    let inputs = |info: &ArrayInfo| {
        [false, true]
            .iter()
            .any(|&last| Subtract::inputs(&info.shape, last, container.channels_first(), options).is_some())
    };
    let of_targets = |info: &ArrayInfo| Subtract::targets(&info.shape, options).is_some();
    let ragged = found.iter().any(|arrays| container.ragged(&arrays.x.name).is_some());
    Digits {
        inputs: found.iter().any(|arrays| arrays.x.wide),
        targets: targets().any(|info| info.wide),
        inputs_centered: !ragged && found.iter().all(|arrays| inputs(&arrays.x)),
        targets_centered: targets().next().is_some() && targets().all(of_targets),
    }
}

/// Reads the targets of a split; the centers of the options are subtracted if they are to be `centered`.
fn targets(
    container: &mut dyn Container,
    info: &ArrayInfo,
    options: &ReadOptions,
    centered: bool,
) -> Result<Labels, DataError> {
    info.readable(container.path())?;
    if info.text {
        let names = container.text(&info.name)?;
        if let Some(row) = names.iter().position(|name| name.trim().is_empty()) {
            let reason = format!("the label of sample {row} (from 0) is empty");
            return Err(DataError::at(container.path(), Location::Entry(info.name.clone()), reason)
                .with_hint("write the label, or remove the sample"));
        }
        return Ok(Labels::Names(names));
    }
    let subtract = Subtract::targets(&info.shape, options).filter(|_| centered);
    let (array, integral) = container.numbers(&info.name, subtract.as_ref())?;
    Ok(Labels::Numbers(NumericTargets { name: info.name.clone(), array, integral }))
}

/// Looks at labels that are whole numbers too large for `f32` as they are in the file.
fn exact_labels(
    container: &mut dyn Container,
    options: &ReadOptions,
    raw: &mut UnassembledData,
) -> Result<(), DataError> {
    if !large_labels::may_be_rounded(raw) {
        return Ok(());
    }
    let mut exact = Vec::new();
    for part in &raw.parts {
        let info = find(container, options, ArrayKind::Targets, part.role)?.cloned();
        let Some(info) = info.filter(|i| !i.text) else { return Ok(()) };
        match container.whole(&info.name)? {
            Some(whole) => exact.push((info.name, whole)),
            None => return Ok(()),
        }
    }
    large_labels::keep_apart(container.path(), exact, container.numbered_labels(), options, raw)
}

/// Reads the arrays of groups, and refuses a group without a value.
fn groups_of(
    container: &mut dyn Container,
    arrays: &[ArrayInfo],
    options: &ReadOptions,
    labeled: bool,
    raw: &mut UnassembledData,
) -> Result<Option<Vec<String>>, DataError> {
    let mut all: Vec<Vec<String>> = Vec::with_capacity(arrays.len());
    for info in arrays {
        let groups = names(container, info)?;
        if let Some(row) = groups.iter().position(|group| group.trim().is_empty() || group.eq_ignore_ascii_case("nan"))
        {
            let reason = format!("the group of sample {row} (from 0) is missing");
            return Err(DataError::at(container.path(), Location::Entry(info.name.clone()), reason).with_hint(
                "write the group, or remove the sample: samples without a group could be on either side of the split",
            ));
        }
        if let Some(first) = all.first().filter(|first| first.len() != groups.len()) {
            let (x, y) = (arrays[0].name.clone(), info.name.clone());
            let origin = container.path().display().to_string();
            return Err(DataError::Lengths { origin, x, x_len: first.len(), y, y_len: groups.len() });
        }
        all.push(groups);
    }
    let called: Vec<String> = arrays.iter().map(|info| format!("`{}`", info.name)).collect();
    let groups = groups::joined(all);
    if let (Some(groups), None, true) = (&groups, &options.group, labeled)
        && groups::are_few(groups)
    {
        raw.warn(groups::warning_of_few("array", &called.join(", "), groups));
    }
    if let Some(note) = groups::note_of_several("samples", &called, false).filter(|_| labeled) {
        raw.note(note);
    }
    Ok(groups)
}

/// Reads an array of one number a sample.
fn vector(container: &mut dyn Container, info: &ArrayInfo) -> Result<Vec<f32>, DataError> {
    info.readable(container.path())?;
    let refuse = |reason: String| DataError::at(container.path(), Location::Entry(info.name.clone()), reason);
    if info.text {
        return Err(refuse("it holds texts, but weights and times are numbers".into()));
    }
    if info.shape.iter().filter(|&&n| n != 1).count() > 1 {
        let shape = info.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        return Err(refuse(format!("weights and times are one number for each sample, but its shape is {shape}")));
    }
    Ok(container.numbers(&info.name, None)?.0.data)
}

/// Reads an array of names, or of numbers as names.
fn names(container: &mut dyn Container, info: &ArrayInfo) -> Result<Vec<String>, DataError> {
    info.readable(container.path())?;
    if info.text {
        return container.text(&info.name);
    }
    if let Some(whole) = container.whole(&info.name)? {
        return Ok(whole.iter().map(i128::to_string).collect());
    }
    Ok(container.numbers(&info.name, None)?.0.data.iter().map(f32::to_string).collect())
}
