//! From the labels of time steps to those of windows.

use crate::array::Array;
use crate::found::{Labels, NumericTargets};
use crate::options::WindowLabel;
use crate::places::Place;

/// The code of a step without a label.
pub(crate) const UNLABELED: u32 = u32::MAX;

/// The labels of recordings, or of their time steps.
#[derive(Debug, Clone)]
pub(crate) enum StepLabels {
    /// One label for each recording.
    Recordings(Labels),
    /// A class for each time step of each recording, [`UNLABELED`] where it is not known.
    Classes {
        /// The names of the classes.
        names: Vec<String>,
        /// The class of each step of each recording.
        codes: Vec<Vec<u32>>,
    },
    /// Numbers for each time step of each recording, NaN where they are not known.
    Numbers {
        /// The names of the columns.
        name: String,
        /// Numbers of a step.
        width: usize,
        /// Whether they are 0 and 1 throughout.
        binary: bool,
        /// The numbers of each step of each recording.
        values: Vec<Vec<f32>>,
    },
}

impl StepLabels {
    /// Returns whether a window has a label.
    pub fn known(&self, place: &Place, rule: WindowLabel) -> bool {
        match self {
            StepLabels::Recordings(_) => true,
            StepLabels::Classes { codes, .. } => class(&codes[place.recording][place.start..place.end], rule).is_some(),
            StepLabels::Numbers { width, values, binary, .. } => {
                numbers(steps(values, place, *width), *width, *binary, rule).is_some()
            }
        }
    }

    /// Number of time steps without a label; of recordings with one label each, none is without.
    pub fn unlabeled_steps(&self) -> usize {
        match self {
            StepLabels::Recordings(_) => 0,
            StepLabels::Classes { codes, .. } => codes.iter().flatten().filter(|code| **code == UNLABELED).count(),
            StepLabels::Numbers { width, values, .. } => {
                let unknown = |step: &&[f32]| step.iter().any(|v| v.is_nan());
                values.iter().flat_map(|values| values.chunks_exact((*width).max(1))).filter(unknown).count()
            }
        }
    }

    /// The labels of windows that have some.
    pub fn of(&self, places: &[Place], rule: WindowLabel) -> Labels {
        match self {
            StepLabels::Recordings(labels) => {
                labels.select(&places.iter().map(|place| place.recording).collect::<Vec<_>>())
            }
            StepLabels::Classes { names, codes } => {
                let name = |place: &Place| {
                    let class = class(&codes[place.recording][place.start..place.end], rule);
                    class.and_then(|c| names.get(c as usize)).cloned().unwrap_or_default()
                };
                Labels::Names(places.iter().map(name).collect())
            }
            StepLabels::Numbers { name, width, values, binary } => {
                let of = |place| numbers(steps(values, place, *width), *width, *binary, rule);
                let data: Vec<f32> =
                    places.iter().flat_map(|p| of(p).unwrap_or_else(|| vec![f32::NAN; *width])).collect();
                let shape = if *width == 1 { vec![places.len()] } else { vec![places.len(), *width] };
                Labels::Numbers(NumericTargets {
                    name: name.clone(),
                    array: Array::new(shape, data),
                    integral: *binary,
                })
            }
        }
    }
}

/// The numbers of the steps of a window.
fn steps<'a>(values: &'a [Vec<f32>], place: &Place, width: usize) -> &'a [f32] {
    &values[place.recording][place.start * width..place.end * width]
}

/// The class of a window: the most frequent one, of several the one that occurs first. A window most of whose steps have
/// no label has none.
fn class(codes: &[u32], rule: WindowLabel) -> Option<u32> {
    let known = |code: &u32| (*code != UNLABELED).then_some(*code);
    if rule == WindowLabel::End {
        return codes.last().and_then(known);
    }
    // Windows hold few classes.
    let mut counts: Vec<(u32, usize)> = Vec::new();
    for &code in codes {
        match counts.iter_mut().find(|(other, _)| *other == code) {
            Some((_, n)) => *n += 1,
            None => counts.push((code, 1)),
        }
    }
    let most = counts.iter().map(|(_, n)| *n).max()?;
    // Of a class and no label that are equally frequent, the class counts.
    counts.iter().filter(|(_, n)| *n == most).find_map(|(code, _)| known(code))
}

/// The numbers of a window: the mean of those that are known, or, of 0 and 1, the more frequent one, 0 if they are
/// equally frequent. A window most of whose steps have no numbers has none.
fn numbers(values: &[f32], width: usize, binary: bool, rule: WindowLabel) -> Option<Vec<f32>> {
    let rows = values.chunks_exact(width.max(1));
    if rule == WindowLabel::End {
        return rows.last().filter(|row| row.iter().all(|v| !v.is_nan())).map(<[f32]>::to_vec);
    }
    let mut sums = vec![0.0f64; width];
    let (mut known, mut all) = (0usize, 0usize);
    for row in rows {
        all += 1;
        if row.iter().any(|v| v.is_nan()) {
            continue;
        }
        known += 1;
        sums.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v));
    }
    if known == 0 || known * 2 < all {
        return None;
    }
    let mean = |sum: f64| sum / known as f64;
    Some(sums.into_iter().map(|sum| if binary { f32::from(mean(sum) > 0.5) } else { mean(sum) as f32 }).collect())
}
