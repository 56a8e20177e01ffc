//! The samples with the largest errors, reduced to a size that is small enough to keep and to draw.

use dashnas_core::task::TaskKind;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::sample_facts::Places;
use serde::{Deserialize, Deserializer, Serialize};

/// The number of worst samples that are kept.
const WORST: usize = 6;
/// The number of worst samples that are kept if each has whole fields.
const WORST_FIELDS: usize = 3;
/// The largest number of channels of a picture.
const CHANNELS: usize = 3;
/// The largest number of points of a series.
const POINTS: usize = 256;
/// The largest number of rows and of columns of a field or image.
const PIXELS: usize = 64;

/// A test sample with its target and its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Its position among all samples, ordered by error.
    #[serde(rename = "place")]
    pub rank: ErrorRank,
    /// Its row in the test split, from 0.
    pub row: usize,
    /// Where it is in the files: the name of its file, or `data.csv, row 7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The error of the prediction: `−ln p` of the true class; the mean binary cross entropy of labels and masks; the
    /// mean absolute error of numbers; `‖ŷ − y‖₂ / ‖y‖₂` of fields. Unknown targets are left out.
    pub error: f64,
    /// The input, in the units of the data.
    pub input: Picture,
    /// The target.
    pub truth: Answer,
    /// The prediction.
    pub predicted: Answer,
}

/// The position of a sample among all samples, ordered by error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorRank {
    /// One of the largest errors.
    Worst,
    /// The median error.
    Median,
    /// The smallest error.
    Best,
}

/// A target or a prediction of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Answer {
    /// A class with its predicted probability.
    Class {
        /// The class.
        class: usize,
        /// Its probability.
        probability: f64,
    },
    /// The true labels, or the labels whose predicted probability is at least one half; unknown labels are left out.
    Labels {
        /// `(label, probability)`.
        labels: Vec<(usize, f64)>,
    },
    /// The first 12 numbers.
    Values {
        /// The numbers. An unknown one is NaN, which files store as null.
        #[serde(deserialize_with = "null_as_nan")]
        values: Vec<f32>,
    },
    /// A field, or a mask of probabilities.
    Field {
        /// The field.
        picture: Picture,
    },
}

/// A series or an image, reduced to at most 256 points or 64×64 by averaging the known values, and to 3 channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// `[channels, height, width]` of the data; the height is 1 for series.
    pub original: [usize; 3],
    /// `[channels, height, width]` of `values`.
    pub shape: [usize; 3],
    /// The numbers, row-major. A point without known values is NaN, which files store as null.
    #[serde(deserialize_with = "null_as_nan")]
    pub values: Vec<f32>,
}

/// Reads null as NaN, for which JSON has no other form.
fn null_as_nan<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
    let values = Vec::<Option<f32>>::deserialize(from)?;
    Ok(values.into_iter().map(|v| v.unwrap_or(f32::NAN)).collect())
}

impl Picture {
    /// Reduces `values` of shape `[channels, height, width]`.
    pub fn new(original: [usize; 3], values: &[f32]) -> Self {
        let [channels, h, w] = original;
        let series = h == 1;
        let shape = [channels.min(CHANNELS), h.min(PIXELS), w.min(if series { POINTS } else { PIXELS })];
        let mut reduced = Vec::with_capacity(shape.iter().product());
        for c in 0..shape[0] {
            for i in 0..shape[1] {
                for j in 0..shape[2] {
                    let (rows, columns) = (span(i, shape[1], h), span(j, shape[2], w));
                    let (total, count) = rows
                        .flat_map(|y| columns.clone().map(move |x| (c * h + y) * w + x))
                        .map(|at| f64::from(values[at]))
                        .filter(|v| !v.is_nan())
                        .fold((0.0, 0.0), |(total, count), v| (total + v, count + 1.0));
                    // 0 / 0 is NaN, for a point without known values.
                    reduced.push(rounded(total / count));
                }
            }
        }
        Self { original, shape, values: reduced }
    }

    /// Whether it is a series rather than an image or field.
    pub fn is_series(&self) -> bool {
        self.original[1] == 1
    }

    /// The numbers of one channel.
    pub fn channel(&self, channel: usize) -> &[f32] {
        let n = self.shape[1] * self.shape[2];
        self.values.get(channel * n..(channel + 1) * n).unwrap_or_default()
    }
}

/// The points of an axis of length `from` that bin `i` of `to` bins covers: at least one, since `to ≤ from`.
fn span(i: usize, to: usize, from: usize) -> std::ops::Range<usize> {
    i * from / to..(i + 1) * from / to
}

/// Rounds to four significant digits, which are enough for a picture and halve the size of the file.
fn rounded(v: f64) -> f32 {
    if v == 0.0 || !v.is_finite() {
        return v as f32;
    }
    let scale = 10f64.powi(3 - v.abs().log10().floor() as i32);
    if scale.is_finite() && scale > 0.0 { ((v * scale).round() / scale) as f32 } else { v as f32 }
}

/// `[C, H, W]` of one row of `[N, C, L]`, `[N, C, H, W]` or `[N, outputs]`.
fn row_shape(shape: &[usize]) -> [usize; 3] {
    match *shape {
        [_, c, l] => [c, 1, l],
        [_, c, h, w] => [c, h, w],
        _ => [1, 1, shape.iter().skip(1).product()],
    }
}

/// Chooses the samples to show from those with a known target.
pub(super) fn choose(
    task: TaskKind,
    test: &Split,
    predictions: &Array,
    places: Option<&Places>,
) -> Result<Vec<Example>, DataError> {
    let error = |row| Some((row, error(task, &test.y, row, predictions.row(row))?));
    let mut order: Vec<(usize, f64)> = (0..predictions.rows()).filter_map(error).collect();
    // The row decides between equal errors, so that the choice is reproducible.
    order.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
    let worst = if task.is_dense() { WORST_FIELDS } else { WORST };
    let mut chosen: Vec<(ErrorRank, (usize, f64))> =
        order.iter().take(worst).map(|&one| (ErrorRank::Worst, one)).collect();
    if task.is_dense() && order.len() >= worst + 2 {
        chosen.push((ErrorRank::Median, order[order.len() / 2]));
        chosen.push((ErrorRank::Best, order[order.len() - 1]));
    }
    chosen
        .into_iter()
        .map(|(rank, (row, error))| {
            let (truth, predicted) = answers(task, &test.y, row, predictions.row(row));
            let input = Picture::new(row_shape(&test.x.shape), &test.x.fetch(row)?);
            let name = places.filter(|places| places.len() == test.len()).map(|places| places.name(row));
            Ok(Example { rank, row, name, error, input, truth, predicted })
        })
        .collect()
}

/// The error of a prediction, see [`Example::error`]; `None` if no target of the sample is known.
fn error(task: TaskKind, truth: &Targets, row: usize, predicted: &[f32]) -> Option<f64> {
    Some(match truth {
        Targets::Classes(labels) => -probabilities(predicted)[labels[row] as usize].max(f64::MIN_POSITIVE).ln(),
        Targets::Values(values) => {
            let pairs = || {
                let all = predicted.iter().zip(values.row(row)).map(|(&p, &t)| (f64::from(p), f64::from(t)));
                all.filter(|(_, t)| !t.is_nan())
            };
            let n = match pairs().count() {
                0 => return None,
                n => n as f64,
            };
            match task {
                // ln(1 + e^z) − t·z, without overflow.
                TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => {
                    pairs().map(|(z, t)| z.max(0.0) - t * z + (-z.abs()).exp().ln_1p()).sum::<f64>() / n
                }
                TaskKind::DenseRegression { .. } => {
                    let length = pairs().map(|(_, t)| t * t).sum::<f64>().sqrt();
                    let distance = pairs().map(|(p, t)| (p - t).powi(2)).sum::<f64>().sqrt();
                    if length > 0.0 { distance / length } else { distance }
                }
                _ => pairs().map(|(p, t)| (p - t).abs()).sum::<f64>() / n,
            }
        }
    })
}

fn answers(task: TaskKind, truth: &Targets, row: usize, predicted: &[f32]) -> (Answer, Answer) {
    match truth {
        Targets::Classes(labels) => {
            let p = probabilities(predicted);
            let class = |class: usize| Answer::Class { class, probability: p[class] };
            (class(labels[row] as usize), class(dashnas_core::math::argmax(predicted)))
        }
        Targets::Values(values) => {
            let truth = values.row(row);
            let sigmoid = |z: f32| 1.0 / (1.0 + (-f64::from(z)).exp());
            match task {
                TaskKind::MultiLabel { .. } => {
                    let labels = |keep: &dyn Fn(usize) -> bool| Answer::Labels {
                        labels: (0..truth.len()).filter(|&i| keep(i)).map(|i| (i, sigmoid(predicted[i]))).collect(),
                    };
                    (labels(&|i| truth[i] > 0.5), labels(&|i| !truth[i].is_nan() && predicted[i] >= 0.0))
                }
                TaskKind::DenseRegression { .. } | TaskKind::DenseBinary { .. } => {
                    let shape = row_shape(&values.shape);
                    let field = |v: &[f32]| Answer::Field { picture: Picture::new(shape, v) };
                    if matches!(task, TaskKind::DenseBinary { .. }) {
                        let p: Vec<f32> = predicted.iter().map(|&z| sigmoid(z) as f32).collect();
                        (field(truth), field(&p))
                    } else {
                        (field(truth), field(predicted))
                    }
                }
                _ => {
                    let first = |v: &[f32]| Answer::Values { values: v.iter().take(12).copied().collect() };
                    (first(truth), first(predicted))
                }
            }
        }
    }
}

/// Softmax of logits, in `f64`.
pub(super) fn probabilities(logits: &[f32]) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let e: Vec<f64> = logits.iter().map(|&z| f64::from(z - highest).exp()).collect();
    let total: f64 = e.iter().sum();
    e.into_iter().map(|v| v / total).collect()
}
