//! Infers the kind of task from the arrays of inputs and targets.
//!
//! | targets | read as |
//! |---|---|
//! | `[N]` or `[N, 1]`, integer or bool | classification, labels 0..K−1 |
//! | `[N]` or `[N, 1]`, float | regression of one number |
//! | `[N, K≥2]` of 0/1, exactly one 1 in every row of every split | classification (one-hot) |
//! | `[N, K≥2]` integer or bool, 0/1 otherwise | multi-label |
//! | `[N, K≥2]` anything else | regression of K numbers |
//! | `[N, C, …]` over the inputs' grid (`[N, H, W]` too), integer or bool, 0/1 | dense binary |
//! | `[N, C, …]` over the inputs' grid, anything else | dense regression |
//!
//! One-hot rows are read as classification whatever their type (networks' libraries make them of floats), since a multi-label set in which each sample has exactly one label is a
//! classification problem. A [`TaskName`] overrides the table.

use dashnas_formats::found::NumericTargets;

use crate::check;
use crate::targets::Targets;
use dashnas_core::names::TaskName;
use dashnas_core::task::TaskKind;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;

/// The kind of task and the targets of each split. `splits[0]` are those of the training split, `x` is the shape of its
/// inputs, `wanted` overrides the inference, and with `unknown` some targets of fields are NaN.
pub(crate) fn targets(
    origin: &str,
    x: &[usize],
    splits: Vec<NumericTargets>,
    wanted: Option<TaskName>,
    unknown: bool,
) -> Result<(TaskKind, Vec<Targets>), DataError> {
    for raw in &splits {
        // Before any conversion, so that the index in the message is that in the file.
        check::known(origin, &raw.name, &raw.array, unknown)?;
    }
    let kind = match wanted {
        Some(kind) => kind,
        None => infer(x, &splits).ok_or_else(|| mismatch(origin, x, &splits[0], "known"))?,
    };
    let mut converted = Vec::with_capacity(splits.len());
    for raw in splits {
        converted.push(convert(origin, x, raw, kind)?);
    }
    Ok((sized(kind, &converted[0]), converted))
}

fn infer(x: &[usize], splits: &[NumericTargets]) -> Option<TaskName> {
    let train = &splits[0];
    let integral = splits.iter().all(|s| s.integral);
    let binary = || integral && splits.iter().all(NumericTargets::is_binary);
    let kind = match train.array.shape[..] {
        [_] | [_, 1] if integral => TaskName::Classification,
        [_] | [_, 1] => TaskName::Regression,
        [_, k] if k > 1 && splits.iter().all(NumericTargets::is_one_hot) => TaskName::Classification,
        [_, _] if binary() => TaskName::MultiLabel,
        [_, _] => TaskName::Regression,
        ref shape if dense_shape(x, shape).is_none() => return None,
        _ if binary() => TaskName::DenseBinary,
        _ => TaskName::DenseRegression,
    };
    Some(kind)
}

/// The shape `[N, C, …spatial]` if `y` is a field over the grid of `x`, with or without an axis of channels.
fn dense_shape(x: &[usize], y: &[usize]) -> Option<Vec<usize>> {
    let spatial = x.get(2..)?;
    if y.len() == x.len() && y[2..] == *spatial && y[1] > 0 {
        return Some(y.to_vec());
    }
    let (&n, rest) = y.split_first()?;
    (rest == spatial).then(|| [&[n, 1], spatial].concat())
}

fn mismatch(origin: &str, x: &[usize], y: &NumericTargets, kind: &'static str) -> DataError {
    DataError::KindMismatch {
        origin: origin.into(),
        array: y.name.clone(),
        shape: y.array.shape.clone(),
        x: x.to_vec(),
        kind,
    }
}

/// The targets of a split as the kind of task needs them.
pub(crate) fn convert(origin: &str, x: &[usize], raw: NumericTargets, kind: TaskName) -> Result<Targets, DataError> {
    let columns = match raw.array.shape[..] {
        [_] => Some(1),
        [_, k] if k > 0 => Some(k),
        _ => None,
    };
    let shape = match (kind, columns) {
        (TaskName::Classification, Some(1)) => return Ok(Targets::Classes(labels(origin, &raw)?)),
        (TaskName::Classification, Some(_)) if raw.is_one_hot() => {
            let hot = |i| raw.array.row(i).iter().position(|&v| v == 1.0).map_or(0, |p| p as u32);
            return Ok(Targets::Classes((0..raw.array.rows()).map(hot).collect()));
        }
        (TaskName::MultiLabel | TaskName::Regression, Some(k)) => Some(vec![raw.array.rows(), k]),
        (TaskName::DenseRegression | TaskName::DenseBinary, _) => dense_shape(x, &raw.array.shape),
        _ => None,
    };
    match shape {
        Some(shape) => Ok(Targets::Values(Array::new(shape, raw.array.data))),
        None => Err(mismatch(origin, x, &raw, kind.name())),
    }
}

/// Targets as class labels.
fn labels(origin: &str, raw: &NumericTargets) -> Result<Vec<u32>, DataError> {
    let label = |(row, &value): (usize, &f32)| {
        if value >= 0.0 && value.fract() == 0.0 {
            // Saturates beyond u32; such a label leaves gaps between the classes, which `check` refuses.
            Ok(value as u32)
        } else {
            Err(DataError::BadLabel { origin: origin.into(), array: raw.name.clone(), row, value })
        }
    };
    raw.array.data.iter().enumerate().map(label).collect()
}

/// The kind of task with its number of classes, labels, outputs or channels.
fn sized(kind: TaskName, train: &Targets) -> TaskKind {
    let columns = train.shape().get(1).copied().unwrap_or(1);
    let classes = train.classes().and_then(|l| l.iter().max().copied());
    kind.with_outputs(classes.map_or(columns, |largest| largest as usize + 1))
}
