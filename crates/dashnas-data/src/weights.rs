//! The weights of samples: checked, and samples of no weight left out.

use dashnas_core::text::plural;
use dashnas_formats::error::DataError;
use dashnas_formats::found::{Labels, UnassembledData, UnassembledSplit};
use dashnas_formats::role::Role;
use dashnas_formats::sample_facts::{Places, SampleFacts};

/// Checks the weights of all samples and leaves out training data of weight 0, as if it had not been given.
///
/// # Errors
/// [`DataError::File`] with the place of a weight that is not finite or negative, if all weights of a split are 0, or if
/// the options name weights of time steps.
pub(crate) fn check(origin: &str, raw: &mut UnassembledData) -> Result<(), DataError> {
    let refuse = |reason: String, hint: &str| DataError::file(origin.as_ref(), reason).with_hint(hint);
    if !raw.parts.iter().any(|part| part.facts.weights.is_some()) {
        let Some(wanted) = &raw.reading.weight else { return Ok(()) };
        if raw.reading.scored {
            raw.warn(format!("there are no weights called `{wanted}`: each sample counts as weight 1"));
            return Ok(());
        }
        // A reader of other data refuses the name of weights that are not there.
        if raw.windows.is_some() {
            return Err(DataError::file(
                origin.as_ref(),
                "weights of time steps are not used for windows of recordings",
            )
            .with_hint("leave out `data.weight`: every window counts equally"));
        }
        return Ok(());
    }
    let (mut left_out, mut unweighted, mut range) = (0, Vec::new(), (f32::INFINITY, 0f32));
    for part in &mut raw.parts {
        let Some(weights) = &part.facts.weights else {
            unweighted.push(part.role);
            continue;
        };
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            let reason = format!("the weight of {} is {}", place(&part.facts, row), weights[row]);
            return Err(refuse(reason, "weights are finite numbers from 0 on; a sample of weight 0 does not count"));
        }
        let kept: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] > 0.0).collect();
        if kept.is_empty() {
            let samples = match part.role {
                Role::All => "samples".to_owned(),
                role => format!("{} samples", role.name()),
            };
            return Err(refuse(format!("the weights of all {samples} are 0"), "give some samples a weight"));
        }
        range = weights.iter().filter(|w| **w > 0.0).fold(range, |(low, high), &w| (low.min(w), high.max(w)));
        // Samples to predict from stay: there a weight of 0 leaves them out of the score only.
        if kept.len() < weights.len() && !raw.reading.scored {
            left_out += weights.len() - kept.len();
            *part = select(part, &kept);
        }
    }
    raw.note(format!(
        "the samples have weights from {} to {}, which count in the loss and in the metric",
        range.0, range.1
    ));
    if left_out > 0 {
        raw.note(format!("left out: {} of weight 0", plural(left_out, "sample")));
    }
    for role in unweighted {
        raw.warn(format!("the {} samples have no weights: each of them counts as weight 1", role.name()));
    }
    Ok(())
}

/// The samples of a split at these indices.
fn select(part: &UnassembledSplit, rows: &[usize]) -> UnassembledSplit {
    let names = |names: &Vec<String>| rows.iter().map(|&i| names[i].clone()).collect();
    UnassembledSplit {
        role: part.role,
        x: part.x.select(rows),
        y: part.y.as_ref().map(|y: &Labels| y.select(rows)),
        groups: part.groups.as_ref().map(names),
        ids: part.ids.as_ref().map(names),
        facts: part.facts.select(rows),
    }
}

/// A sample in words.
pub(crate) fn place(facts: &SampleFacts, row: usize) -> String {
    match &facts.places {
        Some(Places::Names(names)) => names[row].clone(),
        Some(Places::Numbers { at, .. }) => format!("sample {} in the file", at[row].1),
        None => format!("sample {row} (from 0)"),
    }
}
