//! What is probably a mistake in a data set as a whole.

use crate::dataset::Dataset;
use dashnas_core::task::TaskKind;
use dashnas_core::text::plural;
use dashnas_formats::array::Array;
use std::collections::HashSet;

/// Most classes that a message names.
const LISTED: usize = 5;

/// Warns of classes with one sample in all.
pub(crate) fn classes(set: &Dataset) -> Option<String> {
    let TaskKind::Classification { classes } = set.task else { return None };
    let mut counts = vec![0usize; classes];
    for (_, split) in set.splits() {
        for &label in split.y.classes().into_iter().flatten() {
            counts[label as usize] += 1;
        }
    }
    let name = |i: usize| set.classes.as_ref().map_or_else(|| i.to_string(), |names| names[i].clone());
    let single: Vec<String> = (0..classes).filter(|&i| counts[i] == 1).map(|i| format!("`{}`", name(i))).collect();
    let more = if single.len() > LISTED { format!(" and {} more", single.len() - LISTED) } else { String::new() };
    let (have, it) = if single.len() == 1 { ("class with", "it stays") } else { ("classes with", "they stay") };
    (!single.is_empty()).then(|| {
        format!(
            "{have} one sample: {}{more}; {it} in the training data and cannot be tested: give more samples, or leave the \
             class out",
            single[..single.len().min(LISTED)].join(", ")
        )
    })
}

/// Warns of samples that are in the training data and in another split.
pub(crate) fn duplicates(set: &Dataset) -> Option<String> {
    let inputs = |split: &crate::split::Split| (!split.x.is_file_backed()).then(|| digests(&split.x));
    let known: HashSet<u64> = inputs(&set.train)?.into_iter().collect();
    let test = inputs(&set.test)?;
    let twice = test.iter().filter(|digest| known.contains(digest)).count();
    // A few equal rows of few small whole numbers say nothing.
    let distinct = known.len() as f64 / set.train.len().max(1) as f64;
    (twice > 0 && distinct > 0.5).then(|| {
        format!(
            "{} of {} also {} in the training data: duplicated rows are on both sides of the split and make the test too \
             easy; remove duplicates, or keep them together with `data.group`",
            twice,
            plural(test.len(), "test sample"),
            if twice == 1 { "is" } else { "are" }
        )
    })
}

/// A number for each row that equal rows share.
fn digests(x: &Array) -> Vec<u64> {
    let mix = |hash: u64, v: &f32| {
        let v = if *v == 0.0 { 0.0f32 } else { *v };
        (hash.rotate_left(5) ^ u64::from(v.to_bits())).wrapping_mul(0x517c_c1b7_2722_0a95)
    };
    (0..x.rows()).map(|i| x.row(i).iter().fold(0, mix)).collect()
}
