//! The checks that every data set passes before it can be trained on.

use crate::split::Split;
use crate::targets::Targets;
use dashnas_core::task::TaskKind;
use dashnas_formats::array::Array;
use dashnas_formats::ends;
use dashnas_formats::error::DataError;
use rayon::prelude::*;

/// Elements that one thread checks at a time.
const PART: usize = 1 << 16;
/// Elements that are looked at together.
const BLOCK: usize = 1 << 10;

/// Deviations from a plain data set that are allowed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tolerance {
    /// Targets may be NaN where they are unknown, as long as some are known.
    pub unknown: bool,
    /// Validation and test inputs of dense tasks may have other spatial sizes than the training inputs.
    pub sizes: bool,
    /// Inputs may be NaN after their [ends](dashnas_formats::ends).
    pub ends: bool,
    /// The values of the inputs have been checked before the samples were divided.
    pub checked: bool,
}

impl Tolerance {
    /// For dense data some of which is unknown.
    pub const UNKNOWN: Self = Self { unknown: true, sizes: true, ends: false, checked: false };
}

/// Checks the splits of a data set, the training split first; `origin` is named in the errors.
pub(crate) fn splits(
    origin: &str,
    task: TaskKind,
    splits: &[(&str, &Split)],
    tolerance: Tolerance,
) -> Result<(), DataError> {
    let train_x = &splits[0].1.x;
    for &(part, split) in splits {
        shapes(origin, part, split, train_x, task, tolerance.sizes && task.is_dense())?;
    }
    for &(part, split) in splits {
        if !tolerance.checked {
            input_values(origin, &format!("x_{part}"), &split.x, tolerance.ends)?;
        }
        targets(origin, &format!("y_{part}"), &split.y, task, tolerance.unknown)?;
    }
    Ok(())
}

/// Checks that not all training targets are unknown; `origin` is named in the errors.
pub(crate) fn some_known(origin: &str, y: &Targets) -> Result<(), DataError> {
    y.values().map_or(Ok(()), |values| known(origin, "y_train", values, true))
}

/// Checks the shapes of a split against the training inputs and the task.
fn shapes(
    origin: &str,
    part: &str,
    split: &Split,
    train_x: &Array,
    task: TaskKind,
    sizes: bool,
) -> Result<(), DataError> {
    let (x_name, y_name) = (format!("x_{part}"), format!("y_{part}"));
    inputs(origin, &x_name, &split.x)?;
    let same = if sizes {
        split.x.shape[1..2] == train_x.shape[1..2] && split.x.shape.len() == train_x.shape.len()
    } else {
        split.x.shape[1..] == train_x.shape[1..]
    };
    if !same {
        return Err(DataError::Shape {
            origin: origin.into(),
            array: x_name,
            shape: split.x.shape.clone(),
            expected: format!("[N, …] with the same sizes as x_train, {:?}", &train_x.shape[1..]),
        });
    }
    if split.y.rows() != split.x.rows() {
        let (x_len, y_len) = (split.x.rows(), split.y.rows());
        return Err(DataError::Lengths { origin: origin.into(), x: x_name, x_len, y: y_name, y_len });
    }
    let expected = match (task, &split.y) {
        (TaskKind::Classification { .. }, Targets::Classes(_)) => return Ok(()),
        (TaskKind::Classification { .. }, Targets::Values(_)) | (_, Targets::Classes(_)) => None,
        (TaskKind::MultiLabel { labels: n } | TaskKind::Regression { outputs: n }, _) => Some(vec![split.x.rows(), n]),
        (TaskKind::DenseRegression { channels } | TaskKind::DenseBinary { channels }, _) => {
            let mut shape = split.x.shape.clone();
            shape[1] = channels;
            Some(shape)
        }
    };
    if expected.as_ref() == Some(&split.y.shape()) {
        return Ok(());
    }
    Err(DataError::KindMismatch {
        origin: origin.into(),
        array: y_name,
        shape: split.y.shape(),
        x: split.x.shape.clone(),
        kind: task.name(),
    })
}

/// Checks that inputs are N×C×L or N×C×H×W with no axis of size 0.
pub(crate) fn inputs(origin: &str, name: &str, x: &Array) -> Result<(), DataError> {
    let wrong = |expected: &str| DataError::Shape {
        origin: origin.into(),
        array: name.into(),
        shape: x.shape.clone(),
        expected: expected.into(),
    };
    if x.shape.len() == 5 {
        return Err(wrong("N×C×L or N×C×H×W, because volumes with three spatial axes are not supported"));
    }
    if !(3..=4).contains(&x.shape.len()) {
        return Err(wrong("N×C×L or N×C×H×W"));
    }
    if x.shape[1..].contains(&0) {
        return Err(wrong("no channel or spatial axis of size 0"));
    }
    if x.shape[0] == 0 {
        return Err(DataError::EmptySplit { origin: origin.into(), array: name.into() });
    }
    Ok(())
}

/// Checks that every element of inputs is finite, or with `ends`, that those before the end of each sample are.
pub(crate) fn input_values(origin: &str, name: &str, x: &Array, ends: bool) -> Result<(), DataError> {
    if !ends {
        return values(origin, name, x, Values { unknown: false, target: false });
    }
    let width = x.shape.last().copied().unwrap_or(1);
    for i in 0..x.rows() {
        let row = x.fetch(i)?;
        if let Some(at) = ends::first_bad(&row, width) {
            if row.iter().all(|v| v.is_nan()) {
                let reason = format!("{name}[{i}] has no values");
                return Err(DataError::file(origin.as_ref(), reason).with_hint("remove samples without values"));
            }
            let index = x.unravel(i * x.row_len() + at);
            let (origin, array, value) = (origin.into(), name.into(), row[at]);
            return Err(DataError::NonFinite { origin, array, index, value, target: false });
        }
    }
    Ok(())
}

/// Checks that every target is finite.
pub(crate) fn finite(origin: &str, name: &str, array: &Array) -> Result<(), DataError> {
    known(origin, name, array, false)
}

/// Checks that every target is finite or, if `unknown` allows it, NaN, but not all of them NaN.
pub(crate) fn known(origin: &str, name: &str, array: &Array, unknown: bool) -> Result<(), DataError> {
    values(origin, name, array, Values { unknown, target: true })
}

/// What values are checked.
#[derive(Debug, Clone, Copy)]
struct Values {
    /// Whether some of them may be NaN.
    unknown: bool,
    /// Whether they are targets.
    target: bool,
}

/// Checks that every value is finite or, if that is allowed, NaN, but not all of them NaN.
fn values(origin: &str, name: &str, array: &Array, Values { unknown, target }: Values) -> Result<(), DataError> {
    if array.is_file_backed() {
        for i in 0..array.rows() {
            if let Some((j, &value)) = array.fetch(i)?.iter().enumerate().find(|(_, v)| !v.is_finite()) {
                let index = array.unravel(i * array.row_len() + j);
                let (origin, array) = (origin.into(), name.into());
                return Err(DataError::NonFinite { origin, array, index, value, target });
            }
        }
        return Ok(());
    }
    if unknown && array.data.iter().all(|v| v.is_nan()) {
        return Err(DataError::NonFinite {
            origin: origin.into(),
            array: name.into(),
            index: array.unravel(0),
            value: f32::NAN,
            target,
        });
    }
    let is_bad = |v: &f32| !(v.is_finite() || unknown && v.is_nan());
    // Looking at all values of a block needs no branches and is faster than stopping at the first bad one.
    let any_bad = |block: &[f32]| block.iter().fold(false, |any, v| any | is_bad(v));
    let first_bad = |part: &[f32]| {
        let block = part.chunks(BLOCK).position(any_bad)?;
        Some(block * BLOCK + part[block * BLOCK..].iter().position(is_bad)?)
    };
    let parts = array.data.par_chunks(PART).enumerate();
    match parts.find_map_first(|(i, part)| Some(i * PART + first_bad(part)?)) {
        None => Ok(()),
        Some(flat) => Err(DataError::NonFinite {
            origin: origin.into(),
            array: name.into(),
            index: array.unravel(flat),
            value: array.data[flat],
            target,
        }),
    }
}

/// Checks that every element is 0 or 1.
fn binary(origin: &str, name: &str, array: &Array, kind: &'static str) -> Result<(), DataError> {
    // `known` has refused NaN where it is not allowed.
    match array.data.iter().position(|&v| v != 0.0 && v != 1.0 && !v.is_nan()) {
        None => Ok(()),
        Some(flat) => Err(DataError::NotBinary {
            origin: origin.into(),
            array: name.into(),
            index: array.unravel(flat),
            value: array.data[flat],
            kind,
        }),
    }
}

/// Checks the values of targets.
fn targets(origin: &str, name: &str, y: &Targets, task: TaskKind, unknown: bool) -> Result<(), DataError> {
    match (task, y) {
        (TaskKind::Classification { classes }, Targets::Classes(labels)) => {
            if name == "y_train" {
                training_labels(origin, name, labels, classes)
            } else {
                known_labels(origin, name, labels, classes)
            }
        }
        (TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. }, Targets::Values(values)) => {
            known(origin, name, values, unknown)?;
            binary(origin, name, values, task.name())
        }
        (_, Targets::Values(values)) => known(origin, name, values, unknown),
        // `shapes` has refused classes for every other task.
        (_, Targets::Classes(_)) => Ok(()),
    }
}

/// Checks that there are at least two classes, and that each occurs.
fn training_labels(origin: &str, name: &str, labels: &[u32], classes: usize) -> Result<(), DataError> {
    known_labels(origin, name, labels, classes)?;
    let largest = labels.iter().max().copied().unwrap_or(0);
    if labels.iter().all(|&l| l == labels[0]) {
        return Err(DataError::SingleClass { origin: origin.into(), array: name.into(), label: largest.into() });
    }
    // With more classes than samples some are missing. A label of four thousand million must not allocate as much.
    let span = classes.min(labels.len() + 1);
    let mut seen = vec![false; span];
    for &label in labels {
        if let Some(slot) = seen.get_mut(label as usize) {
            *slot = true;
        }
    }
    let missing: Vec<u64> = seen.iter().enumerate().filter(|&(_, &s)| !s).map(|(i, _)| i as u64).take(5).collect();
    if missing.is_empty() && span == classes {
        return Ok(());
    }
    Err(DataError::LabelGap { origin: origin.into(), array: name.into(), largest: (classes - 1) as u128, missing })
}

/// Checks that every label is one of the classes.
fn known_labels(origin: &str, name: &str, labels: &[u32], classes: usize) -> Result<(), DataError> {
    match labels.iter().position(|&l| l as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(DataError::UnseenClass {
            origin: origin.into(),
            array: name.into(),
            row,
            label: labels[row].into(),
            largest: (classes.max(1) - 1) as u64,
        }),
    }
}
