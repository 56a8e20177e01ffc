//! Which kind of task a pair of input and target arrays poses.
//!
//! | targets | read as |
//! |---|---|
//! | `[N]` or `[N, 1]`, integer or bool | classification, labels 0..K−1 |
//! | `[N]` or `[N, 1]`, float | regression of one number |
//! | `[N, K≥2]` integer or bool, 0/1, exactly one 1 in every row of every split | classification (one-hot) |
//! | `[N, K≥2]` integer or bool, 0/1 otherwise | multi-label |
//! | `[N, K≥2]` anything else | regression of K numbers |
//! | `[N, C, …]` over the inputs' grid (`[N, H, W]` too), integer or bool, 0/1 | dense binary |
//! | `[N, C, …]` over the inputs' grid, anything else | dense regression |
//!
//! One-hot rows are read as classification because that is what they mean nearly always: a
//! multi-label set in which each sample has exactly one label is a classification problem. Where
//! the table guesses wrong, a [`TaskOverride`] says what to do.

use super::{Array, DataError, Targets, check};
use crate::task::TaskKind;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The kind of task to read the targets as, in place of the one inferred. Sizes (classes, outputs)
/// still come from the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskOverride {
    /// `[N]` whole numbers from 0 (of any dtype), or one-hot rows.
    Classification,
    /// `[N, labels]` of 0/1.
    MultiLabel,
    /// `[N]` or `[N, outputs]`.
    Regression,
    /// `[N, C, …]`, or `[N, …]` for one channel, over the inputs' grid.
    DenseRegression,
    /// As dense regression, of 0/1.
    DenseBinary,
}

impl TaskOverride {
    /// Every kind, in the order of [`TaskKind`].
    pub const ALL: [Self; 5] =
        [Self::Classification, Self::MultiLabel, Self::Regression, Self::DenseRegression, Self::DenseBinary];

    /// The name used on the command line and in files; the same as [`TaskKind::name`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::MultiLabel => "multi-label",
            Self::Regression => "regression",
            Self::DenseRegression => "dense-regression",
            Self::DenseBinary => "dense-binary",
        }
    }
}

impl fmt::Display for TaskOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TaskOverride {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.name() == s).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|k| k.name()).collect();
            format!("`{s}` is no kind of task (one of {})", names.join(", "))
        })
    }
}

/// Targets as they stand in a file.
#[derive(Debug, Clone)]
pub(crate) struct RawTargets {
    /// Name of the array, for messages.
    pub name: String,
    /// The values.
    pub array: Array,
    /// Whether the dtype was bool or an integer.
    pub integral: bool,
}

impl RawTargets {
    fn is_binary(&self) -> bool {
        self.array.data.iter().all(|&v| v == 0.0 || v == 1.0)
    }

    /// Exactly one 1 in every row, all else 0.
    fn is_one_hot(&self) -> bool {
        let positives = |row: &[f32]| row.iter().filter(|&&v| v == 1.0).count();
        self.is_binary() && (0..self.array.rows()).all(|i| positives(self.array.row(i)) == 1)
    }
}

/// The kind of task and the targets of each split, `splits[0]` being those of training.
pub(crate) fn targets(
    origin: &str,
    x: &[usize],
    splits: Vec<RawTargets>,
    wanted: Option<TaskOverride>,
) -> Result<(TaskKind, Vec<Targets>), DataError> {
    for raw in &splits {
        // As they stand in the file, so that the index in the message does too.
        check::finite(origin, &raw.name, &raw.array)?;
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

fn infer(x: &[usize], splits: &[RawTargets]) -> Option<TaskOverride> {
    let train = &splits[0];
    let integral = splits.iter().all(|s| s.integral);
    let binary = || integral && splits.iter().all(RawTargets::is_binary);
    let kind = match train.array.shape[..] {
        [_] | [_, 1] if integral => TaskOverride::Classification,
        [_] | [_, 1] => TaskOverride::Regression,
        [_, _] if binary() && splits.iter().all(RawTargets::is_one_hot) => TaskOverride::Classification,
        [_, _] if binary() => TaskOverride::MultiLabel,
        [_, _] => TaskOverride::Regression,
        ref shape if dense_shape(x, shape).is_none() => return None,
        _ if binary() => TaskOverride::DenseBinary,
        _ => TaskOverride::DenseRegression,
    };
    Some(kind)
}

/// `[N, C, …spatial]` if `y` is a field over the grid of `x`, with or without a channel axis.
fn dense_shape(x: &[usize], y: &[usize]) -> Option<Vec<usize>> {
    let spatial = x.get(2..)?;
    if y.len() == x.len() && y[2..] == *spatial && y[1] > 0 {
        return Some(y.to_vec());
    }
    let (&n, rest) = y.split_first()?;
    (rest == spatial).then(|| [&[n, 1], spatial].concat())
}

fn mismatch(origin: &str, x: &[usize], y: &RawTargets, kind: &'static str) -> DataError {
    DataError::KindMismatch {
        origin: origin.into(),
        array: y.name.clone(),
        shape: y.array.shape.clone(),
        x: x.to_vec(),
        kind,
    }
}

fn convert(origin: &str, x: &[usize], raw: RawTargets, kind: TaskOverride) -> Result<Targets, DataError> {
    let columns = match raw.array.shape[..] {
        [_] => Some(1),
        [_, k] if k > 0 => Some(k),
        _ => None,
    };
    let shape = match (kind, columns) {
        (TaskOverride::Classification, Some(1)) => return Ok(Targets::Classes(labels(origin, &raw)?)),
        (TaskOverride::Classification, Some(_)) if raw.is_one_hot() => {
            let hot = |i| raw.array.row(i).iter().position(|&v| v == 1.0).map_or(0, |p| p as u32);
            return Ok(Targets::Classes((0..raw.array.rows()).map(hot).collect()));
        }
        (TaskOverride::MultiLabel | TaskOverride::Regression, Some(k)) => Some(vec![raw.array.rows(), k]),
        (TaskOverride::DenseRegression | TaskOverride::DenseBinary, _) => dense_shape(x, &raw.array.shape),
        _ => None,
    };
    match shape {
        Some(shape) => Ok(Targets::Values(Array::new(shape, raw.array.data))),
        None => Err(mismatch(origin, x, &raw, kind.name())),
    }
}

fn labels(origin: &str, raw: &RawTargets) -> Result<Vec<u32>, DataError> {
    let label = |(row, &value): (usize, &f32)| {
        if value >= 0.0 && value.fract() == 0.0 {
            // Saturates beyond u32; such a label leaves gaps and is refused for that.
            Ok(value as u32)
        } else {
            Err(DataError::BadLabel { origin: origin.into(), array: raw.name.clone(), row, value })
        }
    };
    raw.array.data.iter().enumerate().map(label).collect()
}

fn sized(kind: TaskOverride, train: &Targets) -> TaskKind {
    let columns = train.shape().get(1).copied().unwrap_or(1);
    match kind {
        TaskOverride::Classification => {
            let largest = train.classes().and_then(|l| l.iter().max().copied()).unwrap_or(0);
            TaskKind::Classification { classes: largest as usize + 1 }
        }
        TaskOverride::MultiLabel => TaskKind::MultiLabel { labels: columns },
        TaskOverride::Regression => TaskKind::Regression { outputs: columns },
        TaskOverride::DenseRegression => TaskKind::DenseRegression { channels: columns },
        TaskOverride::DenseBinary => TaskKind::DenseBinary { channels: columns },
    }
}
