//! From what a reader found to a data set: layout, class names, kind of task, splits.

use super::infer::{self, RawTargets};
use super::raw::{Labels, Part, Raw, Role};
use super::split::{groups_of, split_by};
use super::{Array, DataError, Dataset, Drawn, Layout, Origin, Split, check, fill, spill};
use crate::config::TaskName;
use std::collections::{BTreeMap, HashMap};

/// Samples without need of labels, as prediction wants them.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The name of the file or folder.
    pub name: String,
    /// Inputs, N×C×L or N×C×H×W.
    pub x: Array,
    /// The labels as the files have them, one a sample, if they have any.
    pub labels: Option<Vec<String>>,
    /// What the samples are called, if the reader knows: the files of a folder, the headers of sequences.
    pub ids: Option<Vec<String>>,
    /// Where they came from.
    pub origin: Origin,
}

/// Makes a checked data set named `name`; errors name `origin`.
pub(crate) fn dataset(origin: &str, name: &str, mut raw: Raw) -> Result<Dataset, DataError> {
    layout(origin, &mut raw)?;
    for part in &raw.parts {
        check::inputs(origin, &format!("x_{}", part.role.name()), &part.x)?;
        lengths(origin, part)?;
    }
    filled(origin, &mut raw)?;
    outside(&mut raw);
    let drawn = divide(origin, &mut raw)?;
    let classes = match raw.classes.take() {
        Some(given) => {
            name_by(origin, &mut raw, &given)?;
            Some(given)
        }
        None => name_classes(origin, &mut raw)?,
    };

    let mut inputs = Vec::new();
    let mut targets = Vec::new();
    let groups = raw.parts.first().and_then(|p| p.groups.as_deref()).map(groups_of);
    let with_val = raw.parts.iter().any(|p| p.role == Role::Val);
    for part in raw.parts.drain(..) {
        inputs.push(part.x);
        match part.y {
            Some(Labels::Numbers(y)) => targets.push(y),
            // `divide` refuses parts without targets, and names have become numbers.
            _ => unreachable!("targets are numbers by now"),
        }
    }
    let (task, targets) = infer::targets(origin, &inputs[0].shape.clone(), targets, raw.reading.task)?;
    let mut splits: Vec<Split> = inputs.into_iter().zip(targets).map(|(x, y)| Split { x, y }).collect();
    // `divide` leaves training, perhaps validation, and test, in this order.
    let test = splits.pop().unwrap_or_else(|| unreachable!("there is a test split"));
    let val = with_val.then(|| splits.remove(1));
    let train = splits.remove(0);
    let mut set = Dataset::with_origin(origin, name.into(), task, train, val, test)?;
    if let Some(names) = classes.filter(|names| names.len() == task.outputs()) {
        set = set.with_classes(names)?;
    }
    set.groups = groups;
    set.origin = Origin { format: raw.format, files: raw.files, notes: raw.notes, drawn };
    set.reading = raw.reading;
    Ok(set)
}

/// Joins all samples of what was found, for prediction.
pub(crate) fn inputs(origin: &str, name: &str, mut raw: Raw) -> Result<Inputs, DataError> {
    layout(origin, &mut raw)?;
    filled(origin, &mut raw)?;
    if raw.parts.len() > 1 && raw.parts.iter().any(|p| p.role == Role::Test) {
        raw.parts.retain(|p| p.role == Role::Test);
        raw.note("predicting for the test split");
    }
    let mut parts = raw.parts.into_iter();
    // Readers that find no sample fail.
    let first = parts.next().unwrap_or_else(|| unreachable!("a reader finds at least one part"));
    let (mut x, mut labels, mut ids) = (first.x, first.y.map(|y| texts(&y)), first.ids);
    for part in parts {
        if part.x.shape[1..] != x.shape[1..] {
            return Err(shape_error(origin, part.role, &part.x, &x));
        }
        x.data.extend_from_slice(&part.x.data);
        x.shape[0] += part.x.shape[0];
        labels = labels.zip(part.y).map(|(mut all, y)| {
            all.extend(texts(&y));
            all
        });
        ids = ids.zip(part.ids).map(|(all, more)| [all, more].concat());
    }
    check::inputs(origin, "x", &x)?;
    check::finite(origin, "x", &x)?;
    let origin = Origin { format: raw.format, files: raw.files, notes: raw.notes, drawn: None };
    Ok(Inputs { name: name.into(), x, labels, ids, origin })
}

fn texts(y: &Labels) -> Vec<String> {
    match y {
        Labels::Names(names) => names.clone(),
        Labels::Numbers(raw) => (0..raw.array.rows())
            .map(|i| raw.array.row(i).iter().map(f32::to_string).collect::<Vec<_>>().join(" "))
            .collect(),
    }
}

fn shape_error(origin: &str, role: Role, x: &Array, first: &Array) -> DataError {
    DataError::Shape {
        origin: origin.into(),
        array: format!("x_{}", role.name()),
        shape: x.shape.clone(),
        expected: format!("the same sizes in every split, {:?}", &first.shape[1..]),
    }
}

fn lengths(origin: &str, part: &Part) -> Result<(), DataError> {
    let name = part.role.name();
    let n = part.x.rows();
    let y_len = part.y.as_ref().map_or(n, Labels::rows);
    let groups = part.groups.as_ref().map_or(n, Vec::len);
    let (y, y_len) = if y_len != n { (format!("y_{name}"), y_len) } else { (format!("group_{name}"), groups) };
    if y_len == n {
        return Ok(());
    }
    Err(DataError::Lengths { origin: origin.into(), x: format!("x_{name}"), x_len: n, y, y_len })
}

/// Fills missing values, where that is asked for.
fn filled(origin: &str, raw: &mut Raw) -> Result<(), DataError> {
    let Some(how) = raw.reading.fill_missing else { return Ok(()) };
    let (mut missing, mut unread) = (0, false);
    for part in &mut raw.parts {
        let x = &mut part.x;
        let here = x.data.iter().filter(|v| v.is_nan()).count();
        if x.is_outside() || here > 0 {
            fill::suits(origin, &x.shape, how)?;
            fill::fill(x, how);
        }
        missing += here;
        unread |= x.is_outside();
    }
    if missing > 0 {
        raw.note(format!("{missing} missing value(s) are filled ({})", how.name()));
    }
    if unread {
        raw.note(format!("missing values are filled as they are read ({})", how.name()));
    }
    Ok(())
}

/// Says which inputs are not in memory.
fn outside(raw: &mut Raw) {
    let parts = || raw.parts.iter().map(|part| &part.x);
    let stay = parts().any(|x| x.is_outside() && !x.is_spilled());
    let spilled: u64 = parts().filter(|x| x.is_spilled()).map(|x| 4 * (x.rows() * x.row_len()) as u64).sum();
    if stay {
        raw.note("inputs are larger than memory should hold: they stay in their file and are read in batches");
    }
    if spilled > 0 {
        raw.note(format!(
            "inputs are larger than memory should hold: they are decoded into a temporary file of {} MiB in {} and \
             read in batches",
            spilled.div_ceil(1 << 20),
            spill::folder().display()
        ));
    }
}

/// Brings inputs (and dense targets) to N×C×L or N×C×H×W.
fn layout(origin: &str, raw: &mut Raw) -> Result<(), DataError> {
    let Some(first) = raw.parts.first() else { return Ok(()) };
    let shape = first.x.shape.clone();
    let dense = match &first.y {
        Some(Labels::Numbers(y)) => y.array.shape == shape,
        _ => false,
    };
    let guess = match shape[..] {
        [_, h, w] if h >= 8 && (dense || h == w) => Layout::NoChannels,
        [_, c, _, last] if matches!(last, 1 | 3 | 4) && !matches!(c, 1 | 3 | 4) => Layout::ChannelsLast,
        [_, _] => Layout::NoChannels,
        _ => Layout::ChannelsFirst,
    };
    let fixed = raw.channels_first && shape.len() >= 3;
    let layout = raw.reading.layout.unwrap_or(if fixed { Layout::ChannelsFirst } else { guess });
    if fixed && raw.reading.layout.is_none() && guess != Layout::ChannelsFirst {
        let size = shape[2..].iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        raw.note(format!(
            "an archive with x_train has its channels first: {} channels of {size}; --layout {} reads it otherwise",
            shape[1],
            guess.name()
        ));
    }
    raw.reading.layout = Some(layout);
    let channels = raw.reading.channels;
    for part in &mut raw.parts {
        let x = &mut part.x;
        // Rows of numbers have no axis of channels, whatever arrays of more axes have.
        if x.shape.len() == 2 {
            let (n, l) = (x.shape[0], x.shape[1]);
            let c = channels.unwrap_or(1);
            if l % c != 0 {
                let reason = format!("rows of {l} values cannot be divided into {c} channels");
                return Err(DataError::file(origin.as_ref(), reason).with_hint("check data.channels"));
            }
            x.shape = vec![n, c, l / c];
        } else if layout == Layout::NoChannels && x.shape.len() == 3 {
            x.shape.insert(1, 1);
        } else if layout == Layout::ChannelsLast && x.shape.len() >= 3 {
            channels_first(x);
            if let Some(Labels::Numbers(y)) = &mut part.y
                && y.array.shape.len() == x.shape.len()
                && y.array.shape[1..y.array.shape.len() - 1] == x.shape[2..]
            {
                channels_first(&mut y.array);
            }
        }
    }
    if layout == Layout::ChannelsLast {
        raw.note("channels are the last axis");
    } else if layout == Layout::NoChannels && shape.len() == 3 {
        raw.note(format!("arrays of {}×{} are read as images of one channel", shape[1], shape[2]));
    }
    Ok(())
}

/// Moves the last axis to the second place.
fn channels_first(array: &mut Array) {
    if array.channels_first_outside() {
        return;
    }
    let (n, c) = (array.rows(), array.shape.last().copied().unwrap_or(1));
    let mut data = Vec::with_capacity(array.data.len());
    for i in 0..n {
        data.extend(plane_by_plane(array.row(i), c));
    }
    array.data = data;
    array.shape.pop();
    array.shape.insert(1, c);
}

/// A row whose last axis is `c` channels, one channel after another.
pub(super) fn plane_by_plane(row: &[f32], c: usize) -> Vec<f32> {
    let plane = row.len() / c.max(1);
    (0..c).flat_map(|channel| (0..plane).map(move |p| row[p * c + channel])).collect()
}

/// Sees to it that there is a training and a test split, in order; says how the latter was drawn, if it was.
fn divide(origin: &str, raw: &mut Raw) -> Result<Option<Drawn>, DataError> {
    raw.parts.sort_by_key(|p| p.role);
    if let Some(part) = raw.parts.iter().find(|p| p.y.is_none()) {
        let reason = format!("the {} samples have no labels or targets", part.role.name());
        let hint = "a data set needs them; `dashnas predict` takes samples without";
        return Err(DataError::file(origin.as_ref(), reason).with_hint(hint));
    }
    let test = raw.parts.iter().any(|p| p.role == Role::Test);
    let source = raw.parts.iter().position(|p| p.role == Role::Train || (p.role == Role::All && !test));
    let Some(source) = source else {
        let reason = "there are no samples to train on, only test samples";
        return Err(DataError::file(origin.as_ref(), reason).with_hint("the training file is missing"));
    };
    if test {
        return Ok(None);
    }
    let part = raw.parts.remove(source);
    let strata: Option<Vec<u32>> = part.y.as_ref().and_then(|y| strata(y, raw.reading.task));
    let groups = part.groups.as_deref().map(groups_of);
    let fraction = raw.reading.test_fraction;
    let n = part.x.rows();
    let (train, test) = split_by(n, strata.as_deref(), groups.as_deref(), fraction, raw.reading.seed);
    if test.is_empty() || train.is_empty() {
        let reason = format!("{n} sample(s) cannot be divided into training and test data");
        return Err(DataError::file(origin.as_ref(), reason).with_hint("give more samples, or a test split"));
    }
    let drawn = Drawn {
        of: n,
        samples: test.len(),
        stratified: strata.is_some(),
        grouped: groups.is_some(),
        seed: raw.reading.seed,
    };
    raw.note(format!(
        "no test split is given: {} of {n} samples ({:.0} %) are set aside for it",
        drawn.samples,
        100.0 * drawn.samples as f64 / n as f64,
    ));
    let take = |rows: &[usize], role| Part {
        role,
        x: part.x.select(rows),
        y: part.y.as_ref().map(|y| y.select(rows)),
        groups: part.groups.as_ref().map(|g| rows.iter().map(|&i| g[i].clone()).collect()),
        // A data set does not say what its samples are called.
        ids: None,
    };
    let (train, test) = (take(&train, Role::Train), take(&test, Role::Test));
    raw.parts.extend([train, test]);
    raw.parts.sort_by_key(|p| p.role);
    Ok(Some(drawn))
}

/// Classes to stratify by, numbered as they come.
fn strata(y: &Labels, task: Option<TaskName>) -> Option<Vec<u32>> {
    match y {
        Labels::Names(names) => Some(groups_of(names)),
        Labels::Numbers(raw) => {
            let single = raw.array.row_len() == 1 && raw.array.shape.len() <= 2;
            let wanted = task.map_or(raw.integral, |t| t == TaskName::Classification);
            (single && wanted).then(|| groups_of(&raw.array.data.iter().map(f32::to_string).collect::<Vec<_>>()))
        }
    }
}

/// Turns names, and whole numbers that are not 0..K−1, into numbers 0..K−1; gives the classes.
fn name_classes(origin: &str, raw: &mut Raw) -> Result<Option<Vec<String>>, DataError> {
    let numbers = raw.parts.iter().all(|p| matches!(p.y, Some(Labels::Numbers(_))));
    if numbers {
        if !raw.renumber || raw.reading.task.is_some_and(|t| t != TaskName::Classification) || !whole_labels(raw) {
            return Ok(None);
        }
        for part in &mut raw.parts {
            if let Some(y) = &mut part.y {
                *y = Labels::Names(texts(y));
            }
        }
    }
    if raw.reading.task.is_some_and(|t| t != TaskName::Classification) {
        numbers_of_names(origin, raw)?;
        return Ok(None);
    }
    let mut known = BTreeMap::new();
    for part in raw.parts.iter().filter(|p| p.role != Role::Test) {
        if let Some(Labels::Names(names)) = &part.y {
            known.extend(names.iter().map(|name| (key(name), name.clone())));
        }
    }
    let names: Vec<String> = known.into_values().collect();
    name_by(origin, raw, &names)?;
    Ok(Some(names))
}

/// Whether all parts hold whole numbers, one a sample, that are not just 0..K−1.
fn whole_labels(raw: &Raw) -> bool {
    let mut distinct = std::collections::BTreeSet::new();
    for part in &raw.parts {
        let Some(Labels::Numbers(y)) = &part.y else { return false };
        let single = y.array.shape.len() <= 2 && y.array.row_len() == 1;
        if !y.integral || !single || y.array.data.iter().any(|v| v.fract() != 0.0) {
            return false;
        }
        distinct.extend(y.array.data.iter().map(|&v| v as i64));
    }
    let plain = distinct.iter().enumerate().all(|(i, &v)| v == i as i64);
    !plain && distinct.len() <= 1000
}

/// Sorts numbers by value, before words.
fn key(name: &str) -> (bool, i64, String) {
    match name.parse::<f64>() {
        // Millionths tell labels such as 0.5 and 1 apart; more is not a class.
        Ok(v) => (false, (v * 1e6) as i64, String::new()),
        Err(_) => (true, 0, name.to_owned()),
    }
}

/// Numbers names by their place in `classes`.
fn name_by(origin: &str, raw: &mut Raw, classes: &[String]) -> Result<(), DataError> {
    let number: HashMap<_, _> = classes.iter().enumerate().map(|(i, name)| (key(name), i)).collect();
    for part in &mut raw.parts {
        let Some(Labels::Names(names)) = &part.y else { continue };
        let mut data = Vec::with_capacity(names.len());
        for (row, name) in names.iter().enumerate() {
            let Some(&i) = number.get(&key(name)) else {
                let reason =
                    format!("y_{}[{row}] is `{name}`, a class that the training samples lack", part.role.name());
                let hint = "move some samples of that class into training, or drop them from the other split";
                return Err(DataError::file(origin.as_ref(), reason).with_hint(hint));
            };
            data.push(i as f32);
        }
        let array = Array::new(vec![data.len()], data);
        part.y = Some(Labels::Numbers(RawTargets { name: format!("y_{}", part.role.name()), array, integral: true }));
    }
    Ok(())
}

/// Reads names as numbers, for regression asked for by name.
fn numbers_of_names(origin: &str, raw: &mut Raw) -> Result<(), DataError> {
    for part in &mut raw.parts {
        let Some(Labels::Names(names)) = &part.y else { continue };
        let mut data = Vec::with_capacity(names.len());
        for (row, name) in names.iter().enumerate() {
            let Ok(value) = name.trim().parse() else {
                let reason = format!("y_{}[{row}] is `{name}`, not a number", part.role.name());
                return Err(DataError::file(origin.as_ref(), reason).with_hint("ask for a classification task"));
            };
            data.push(value);
        }
        let array = Array::new(vec![data.len()], data);
        part.y = Some(Labels::Numbers(RawTargets { name: format!("y_{}", part.role.name()), array, integral: false }));
    }
    Ok(())
}
