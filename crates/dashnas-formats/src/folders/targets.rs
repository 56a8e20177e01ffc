//! The labels of samples as targets.

use crate::array::Array;
use crate::found::{Labels, NumericTargets};
use crate::options::ReadOptions;
use crate::series::values;
use dashnas_core::names::TaskName;
use std::collections::BTreeSet;

/// What divides the labels of one sample.
const SEPARATORS: [char; 3] = [',', ';', '|'];

/// The labels of one sample in a text.
pub(super) fn split_labels(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATORS).map(str::trim).filter(|label| !label.is_empty())
}

/// The labels of samples, and their names if a sample may have several.
pub(super) fn of_texts(texts: Vec<String>, several: bool, options: &ReadOptions) -> (Labels, Option<Vec<String>>) {
    if !several {
        return (as_labels(texts, options), None);
    }
    let names = label_names(texts.iter().map(String::as_str));
    (multi_hot(&texts, &names), Some(names))
}

/// Returns labels as names of classes, or as numbers where the task is regression or they are not whole.
fn as_labels(texts: Vec<String>, options: &ReadOptions) -> Labels {
    let point = |t: &String| if options.decimal.as_deref() == Some(",") { t.replace(',', ".") } else { t.clone() };
    let numbers: Option<Vec<f32>> = texts.iter().map(|t| values::number(&point(t)).filter(|v| !v.is_nan())).collect();
    let center = options.centers.of_target(0);
    let relative = || texts.iter().map(|t| values::relative(&point(t), center).unwrap_or(f32::NAN)).collect();
    match (numbers, options.task) {
        (Some(_), Some(TaskName::Regression)) => {
            let data: Vec<f32> = relative();
            let array = Array::new(vec![data.len()], data);
            Labels::Numbers(NumericTargets { name: "labels".into(), array, integral: false })
        }
        (Some(data), None) if data.iter().any(|v| v.fract() != 0.0) => {
            let array = Array::new(vec![data.len()], data);
            Labels::Numbers(NumericTargets { name: "labels".into(), array, integral: false })
        }
        _ => Labels::Names(texts),
    }
}

/// Returns whether some samples have several labels.
pub(super) fn is_multi_label<'a>(labels: impl IntoIterator<Item = &'a str>) -> bool {
    labels.into_iter().any(|label| split_labels(label).count() > 1)
}

/// Collects the names of all labels, sorted.
pub(super) fn label_names<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    labels.into_iter().flat_map(split_labels).map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Encodes the labels of each sample as zeros and ones, `[N, labels]`.
pub(super) fn multi_hot(texts: &[String], names: &[String]) -> Labels {
    let mut data = vec![0.0; texts.len() * names.len()];
    for (text, row) in texts.iter().zip(data.chunks_mut(names.len().max(1))) {
        for label in split_labels(text) {
            // The names are sorted, and were collected from these texts.
            if let Ok(i) = names.binary_search_by(|n| n.as_str().cmp(label)) {
                row[i] = 1.0;
            }
        }
    }
    let array = Array::new(vec![texts.len(), names.len()], data);
    Labels::Numbers(NumericTargets { name: "labels".into(), array, integral: true })
}
