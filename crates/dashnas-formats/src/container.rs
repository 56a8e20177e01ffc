//! Data sets in containers of named arrays: archives, folders of arrays, HDF5 and MATLAB files. The words of its name
//! tell the use of an array.

use crate::array::Array;
use crate::error::DataError;
use crate::found::{Labels, NumericTargets, UnassembledData, UnassembledSplit};
use crate::info::ArrayInfo;
use crate::naming::words_of;
use crate::options::ReadOptions;
use crate::role::Role;
use std::path::Path;

/// A file or folder of named arrays.
pub trait Container {
    /// The path of the file or folder, for messages.
    fn path(&self) -> &Path;
    /// The name of the format, for people.
    fn format(&self) -> &str;
    /// The arrays in the container.
    fn list(&self) -> &[ArrayInfo];
    /// Reads the numbers of an array, and whether their type is bool or integer.
    ///
    /// # Errors
    /// [`DataError`] with the file and the array.
    fn numbers(&mut self, name: &str) -> Result<(Array, bool), DataError>;
    /// Opens an array whose rows are read on demand, if it is larger than the options allow in memory: in its file, or
    /// decoded into a temporary one. Returns `None` if the array is to be read into memory.
    ///
    /// # Errors
    /// As [`Container::numbers`].
    fn file_backed(&mut self, _name: &str) -> Result<Option<Array>, DataError> {
        Ok(None)
    }
    /// Reads the texts of an array.
    ///
    /// # Errors
    /// As [`Container::numbers`].
    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError>;
}

/// The use of an array in a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArrayUse {
    Inputs,
    Targets,
    Groups,
    Classes,
}

/// Words in the names of inputs.
const INPUTS: [&str; 14] = [
    "x", "data", "input", "inputs", "image", "images", "img", "feature", "features", "signal", "signals", "series",
    "coeff", "val",
];
/// Words in the names of targets.
const TARGETS: [&str; 13] =
    ["y", "label", "labels", "target", "targets", "class", "mask", "masks", "output", "outputs", "sol", "t", "truth"];

/// Returns the use and the split of an array by the words of its name.
fn use_of(name: &str, options: &ReadOptions) -> Option<(ArrayUse, Role)> {
    let words = words_of(name);
    let role = words.iter().find_map(|w| Role::of_word(w)).unwrap_or(Role::All);
    let named = |wanted: &Option<String>| {
        wanted.as_ref().is_some_and(|wanted| {
            let bare: Vec<_> = words.iter().filter(|w| Role::of_word(w).is_none()).cloned().collect();
            name == wanted || bare == words_of(wanted)
        })
    };
    let any = |known: &[&str]| words.iter().any(|w| known.contains(&w.as_str()));
    let kind = if named(&options.group) {
        ArrayUse::Groups
    } else if named(&options.inputs) {
        ArrayUse::Inputs
    } else if named(&options.targets) {
        ArrayUse::Targets
    } else if any(&["classes"]) || (any(&["names"]) && any(&["class", "label"])) {
        ArrayUse::Classes
    } else if any(&["group", "groups", "subject", "subjects"]) {
        ArrayUse::Groups
    } else if options.targets.is_none() && any(&TARGETS) {
        ArrayUse::Targets
    } else if options.inputs.is_none() && any(&INPUTS) && words != ["val"].map(str::to_owned) {
        ArrayUse::Inputs
    } else {
        return None;
    };
    Some((kind, role))
}

/// Finds the only array of a use for a split.
///
/// # Errors
/// [`DataError::Incomplete`] if several arrays could be it.
fn find<'a>(
    container: &'a dyn Container,
    options: &ReadOptions,
    kind: ArrayUse,
    role: Role,
) -> Result<Option<&'a ArrayInfo>, DataError> {
    let fits = |info: &&ArrayInfo| use_of(&info.name, options) == Some((kind, role));
    let mut found: Vec<&ArrayInfo> = container.list().iter().filter(fits).collect();
    // Names without further words go before longer ones: `x_train` before `x_train_raw`, `y` before `mask`.
    let plain = |info: &&ArrayInfo| {
        let bare = words_of(&info.name).into_iter().filter(|w| Role::of_word(w).is_none()).collect::<Vec<_>>();
        bare == ["x"] || bare == ["y"]
    };
    if found.iter().any(plain) {
        found.retain(plain);
    }
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => {
            let names: Vec<_> = found.iter().map(|i| i.name.as_str()).collect();
            let which = if kind == ArrayUse::Inputs { "inputs" } else { "targets" };
            Err(incomplete(container, format!("one array of {which} ({} could be it)", names.join(", "))))
        }
    }
}

/// The error for a container that lacks something a data set needs.
pub(crate) fn incomplete(container: &dyn Container, missing: String) -> DataError {
    let contents = container.list().iter().map(ArrayInfo::describe).collect();
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
    let name = info.name.clone();
    let mut raw = UnassembledData::new(container.format(), options);
    raw.file(container.path());
    let x = container.numbers(&name)?.0;
    raw.parts.push(UnassembledSplit { role: Role::All, x, y: None, groups: None, ids: None });
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
    let split = find(container, options, ArrayUse::Inputs, Role::Train)?.is_some()
        || find(container, options, ArrayUse::Inputs, Role::Test)?.is_some();
    let roles = if split { &[Role::Train, Role::Val, Role::Test][..] } else { &[Role::All] };
    let mut found: Vec<SplitArrays> = Vec::new();
    for &role in roles {
        let x = find(container, options, ArrayUse::Inputs, role)?.map(|i| i.name.clone());
        let y = find(container, options, ArrayUse::Targets, role)?.cloned();
        let groups = find(container, options, ArrayUse::Groups, role)?.cloned();
        let needed = role == Role::Train || (labeled && role == Role::All);
        match (x, y) {
            (None, None) if !needed || !labeled => {}
            (None, _) => return Err(incomplete(container, missing("x", "inputs", role))),
            (Some(_), None) if labeled => return Err(incomplete(container, missing("y", "targets", role))),
            (Some(x), y) => found.push(SplitArrays { role, x, y, groups }),
        }
    }
    if labeled && split && !found.iter().any(|arrays| arrays.role == Role::Test) && names_a_test_split(container) {
        return Err(incomplete(container, missing("x", "inputs", Role::Test)));
    }
    if found.is_empty() && !labeled {
        // A single array needs no name.
        let numeric: Vec<_> = container.list().iter().filter(|i| !i.text && i.shape.len() >= 2).collect();
        match numeric[..] {
            [one] => found.push(SplitArrays { role: Role::All, x: one.name.clone(), y: None, groups: None }),
            _ => return Err(incomplete(container, "an array of inputs".into())),
        }
    }
    for SplitArrays { role, x, y, groups } in found {
        let x = match container.file_backed(&x)? {
            Some(array) => array,
            None => container.numbers(&x)?.0,
        };
        let y = y.map(|info| targets(container, &info, role, x.rows())).transpose()?;
        let groups = groups.map(|info| names(container, &info)).transpose()?;
        raw.parts.push(UnassembledSplit { role, x, y, groups, ids: None });
    }
    let classes = container
        .list()
        .iter()
        .find(|i| use_of(&i.name, options).is_some_and(|(kind, _)| kind == ArrayUse::Classes) && i.text);
    if let Some(info) = classes.cloned() {
        raw.classes = Some(container.text(&info.name)?);
    }
    Ok(raw)
}

/// The arrays of one split.
struct SplitArrays {
    role: Role,
    /// The name of the inputs.
    x: String,
    /// The targets, if there are any.
    y: Option<ArrayInfo>,
    /// The groups, if there are any.
    groups: Option<ArrayInfo>,
}

/// Returns whether the name of any array contains a word for a test split.
fn names_a_test_split(container: &dyn Container) -> bool {
    container.list().iter().any(|i| words_of(&i.name).iter().any(|w| Role::of_word(w) == Some(Role::Test)))
}

/// Describes missing inputs or targets.
fn missing(letter: &str, what: &str, role: Role) -> String {
    match role {
        Role::All => format!("{what} (an array named {letter}_train, or {letter})"),
        _ => format!("{what} (an array named {letter}_{})", role.name()),
    }
}

/// Reads the targets of a split with this many samples.
fn targets(container: &mut dyn Container, info: &ArrayInfo, role: Role, samples: usize) -> Result<Labels, DataError> {
    if info.text {
        return Ok(Labels::Names(container.text(&info.name)?));
    }
    let (mut array, integral) = container.numbers(&info.name)?;
    // MATLAB has no vectors, only rows and columns.
    if array.shape == [1, samples] && samples > 1 {
        array.shape = vec![samples];
    }
    let name = if role == Role::All { info.name.clone() } else { format!("y_{}", role.name()) };
    Ok(Labels::Numbers(NumericTargets { name, array, integral }))
}

/// Reads an array of names, or of numbers as names.
fn names(container: &mut dyn Container, info: &ArrayInfo) -> Result<Vec<String>, DataError> {
    if info.text {
        return container.text(&info.name);
    }
    Ok(container.numbers(&info.name)?.0.data.iter().map(f32::to_string).collect())
}
