//! Labels that are whole numbers too large for `f32`.

use crate::error::DataError;
use crate::found::{Labels, NumericTargets, UnassembledData};
use crate::options::ReadOptions;
use dashnas_core::names::TaskName;
use std::collections::BTreeSet;
use std::path::Path;

/// The whole numbers up to which `f32` holds every one.
const EXACT: f32 = 16_777_216.0;
/// Most classes that large numbers are taken for.
const MAX_LARGE_CLASSES: usize = 1000;
/// Most numbers that never occur and are named.
const NAMED: usize = 5;

/// The targets of all splits that are numbers.
fn numbers(raw: &UnassembledData) -> impl Iterator<Item = &NumericTargets> {
    raw.parts.iter().filter_map(|p| match &p.y {
        Some(Labels::Numbers(y)) => Some(y),
        _ => None,
    })
}

/// Returns whether the targets are one number for each sample, and `f32` may have rounded some.
pub(crate) fn may_be_rounded(raw: &UnassembledData) -> bool {
    let single = |y: &NumericTargets| y.array.row_len() == 1 && y.array.shape.len() <= 2;
    let large = |y: &NumericTargets| y.array.data.iter().any(|v| v.abs() >= EXACT);
    numbers(raw).all(single) && numbers(raw).any(large)
}

/// Makes texts of labels that are whole numbers too large for `f32`, so that different ones stay different. `exact` are those
/// of each split as they are in the file, with the name of the array; with `numbered` they are to be the numbers of the
/// classes.
///
/// # Errors
/// [`DataError::LabelGap`] with the exact number if a large one is among the small numbers of classes.
pub(crate) fn keep_apart(
    path: &Path,
    exact: Vec<(String, Vec<i128>)>,
    numbered: bool,
    options: &ReadOptions,
    raw: &mut UnassembledData,
) -> Result<(), DataError> {
    let classes = |y: &NumericTargets| match options.task {
        None => y.integral,
        Some(task) => task == TaskName::Classification,
    };
    let named = numbers(raw).all(classes);
    let kept = numbers(raw).flat_map(|y| &y.array.data).map(|v| v.to_bits()).collect::<BTreeSet<u32>>().len();
    // More would not be classes: the check of labels says so.
    let distinct: BTreeSet<i128> = exact.iter().flat_map(|(_, whole)| whole).copied().collect();
    let few = distinct.len() <= MAX_LARGE_CLASSES;
    // A large number among small ones is a mistake where labels are numbered.
    let mixed = numbered && distinct.iter().any(|v| v.unsigned_abs() < EXACT as u128);
    if named && mixed && few && !options.scored && distinct.first().is_some_and(|least| *least >= 0) {
        let largest = |whole: &[i128]| whole.iter().max().copied();
        if let Some((array, whole)) = exact.iter().max_by_key(|(_, whole)| largest(whole)) {
            return Err(DataError::LabelGap {
                origin: path.display().to_string(),
                array: array.clone(),
                largest: largest(whole).map_or(0, i128::unsigned_abs),
                missing: (0u64..).filter(|&label| !distinct.contains(&label.into())).take(NAMED).collect(),
            });
        }
    }
    if !few || !named || mixed {
        if distinct.len() > kept && !named {
            raw.warn(format!(
                "the targets are {} different numbers that float32 rounds to {kept}: subtract an offset, or set `task.kind` \
                 to classification if they are classes",
                distinct.len(),
            ));
        }
        return Ok(());
    }
    for (part, (_, whole)) in raw.parts.iter_mut().zip(exact) {
        part.y = Some(Labels::Names(whole.iter().map(i128::to_string).collect()));
    }
    Ok(())
}
