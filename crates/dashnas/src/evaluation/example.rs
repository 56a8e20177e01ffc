//! The samples that a network gets most wrong, small enough to keep and to draw.

use crate::data::{Array, DataError, Split, Targets};
use crate::task::TaskKind;
use serde::{Deserialize, Deserializer, Serialize};

/// Samples kept of the worst.
const WORST: usize = 6;
/// Samples kept of the worst where each has whole fields.
const WORST_FIELDS: usize = 3;
/// Channels kept of a picture.
const CHANNELS: usize = 3;
/// Points kept of a series.
const POINTS: usize = 256;
/// Rows and columns kept of a field or image.
const PIXELS: usize = 64;

/// A test sample with what it is and what was predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Why it was chosen.
    pub place: Place,
    /// Its row in the test split.
    pub row: usize,
    /// How wrong the prediction is: `−ln p` of the true class; mean binary cross entropy of labels and masks; mean
    /// absolute error of numbers; `‖ŷ − y‖₂ / ‖y‖₂` of fields. All of it over what is known.
    pub error: f64,
    /// The input, in the data's own units.
    pub input: Picture,
    /// What is true.
    pub truth: Answer,
    /// What was predicted.
    pub predicted: Answer,
}

/// Where a sample stands among all, ordered by error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Among the last.
    Worst,
    /// In the middle.
    Median,
    /// First.
    Best,
}

/// A target or a prediction of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Answer {
    /// A class with the probability it was given.
    Class {
        /// The class.
        class: usize,
        /// Its probability.
        probability: f64,
    },
    /// The labels that are true, or the probability of each that is at least one half; without those that are not
    /// known.
    Labels {
        /// `(label, probability)`.
        labels: Vec<(usize, f64)>,
    },
    /// Numbers; the first 12.
    Values {
        /// The numbers; NaN, which files have as null, where one is not known.
        #[serde(deserialize_with = "null_as_nan")]
        values: Vec<f32>,
    },
    /// A field, or a mask of probabilities.
    Field {
        /// The field.
        picture: Picture,
    },
}

/// A series or an image, reduced by averaging what is known to at most 256 points or 64×64, 3 channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// `[channels, height, width]` as the data has it; height 1 for series.
    pub original: [usize; 3],
    /// `[channels, height, width]` of `values`.
    pub shape: [usize; 3],
    /// The numbers, row-major; NaN, which files have as null, where nothing is known.
    #[serde(deserialize_with = "null_as_nan")]
    pub values: Vec<f32>,
}

/// JSON has no NaN: it is written as null.
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
                    // 0 / 0, where none is known, is NaN.
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

/// The points of an axis of `from` that bin `i` of `to` stands for; never none, as `to ≤ from`.
fn span(i: usize, to: usize, from: usize) -> std::ops::Range<usize> {
    i * from / to..(i + 1) * from / to
}

/// Four significant digits: a picture needs no more, and the file is half as large.
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

/// The samples worth showing, of those with a target that is known.
pub(super) fn choose(task: TaskKind, test: &Split, predictions: &Array) -> Result<Vec<Example>, DataError> {
    let error = |row| Some((row, error(task, &test.y, row, predictions.row(row))?));
    let mut order: Vec<(usize, f64)> = (0..predictions.rows()).filter_map(error).collect();
    // The row decides between equals, so that the same run chooses the same.
    order.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
    let worst = if task.is_dense() { WORST_FIELDS } else { WORST };
    let mut chosen: Vec<(Place, (usize, f64))> = order.iter().take(worst).map(|&one| (Place::Worst, one)).collect();
    if task.is_dense() && order.len() >= worst + 2 {
        chosen.push((Place::Median, order[order.len() / 2]));
        chosen.push((Place::Best, order[order.len() - 1]));
    }
    chosen
        .into_iter()
        .map(|(place, (row, error))| {
            let (truth, predicted) = answers(task, &test.y, row, predictions.row(row));
            let input = Picture::new(row_shape(&test.x.shape), &test.x.fetch(row)?);
            Ok(Example { place, row, error, input, truth, predicted })
        })
        .collect()
}

/// How wrong a sample's prediction is, see [`Example::error`]; none if no target of it is known.
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
            (class(labels[row] as usize), class(crate::predict::largest(predicted)))
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
fn probabilities(logits: &[f32]) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let e: Vec<f64> = logits.iter().map(|&z| f64::from(z - highest).exp()).collect();
    let total: f64 = e.iter().sum();
    e.into_iter().map(|v| v / total).collect()
}
