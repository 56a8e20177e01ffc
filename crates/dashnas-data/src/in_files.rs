//! The samples of splits by their places in the files, for messages: a split that was drawn counts its samples otherwise.

use crate::dataset::SplitFacts;
use crate::weights;
use dashnas_formats::error::DataError;
use dashnas_formats::sample_facts::{Counting, Places, SampleFacts};

/// What an array of a split holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The inputs.
    Inputs,
    /// The targets.
    Targets,
}

/// An entry of a sample: `labels[17]` for the samples of an array, otherwise in words. `array` is the name where the places
/// are not known.
pub(crate) fn entry(facts: &SampleFacts, holds: Holds, array: &str, row: usize) -> String {
    match (&facts.places, in_array(facts, holds, row)) {
        (_, Some((name, index))) => format!("{name}[{index}]"),
        (Some(_), None) => {
            let what = if holds == Holds::Inputs { "an input" } else { "the label" };
            format!("{what} of {}", weights::place(facts, row))
        }
        (None, None) => format!("{array}[{row}]"),
    }
}

/// The array that holds the inputs or the targets of a sample, and the index of the sample there.
fn in_array(facts: &SampleFacts, holds: Holds, row: usize) -> Option<(String, usize)> {
    let Some(Places::Numbers { sources, counting: Counting::Indices, at }) = &facts.places else { return None };
    let &(source, index) = at.get(row)?;
    let source = sources.get(source as usize)?;
    let name = if holds == Holds::Inputs { &source.array } else { &source.targets };
    Some((name.clone()?, usize::try_from(index).ok()?))
}

/// The same error about the arrays of the files, where it is about an array of a split: `labels[17]` instead of
/// `y_train[3]`. A bad label of samples that are in no array is said to be that of a file or of a row.
pub(crate) fn located(mut error: DataError, facts: &SplitFacts) -> DataError {
    let text = error.to_string();
    let hint = error.hint();
    let (origin, array, row) = match &mut error {
        DataError::BadLabel { origin, array, row, .. } | DataError::UnseenClass { origin, array, row, .. } => {
            (origin, array, Some(row))
        }
        DataError::NonFinite { origin, array, index, .. } | DataError::NotBinary { origin, array, index, .. } => {
            (origin, array, index.first_mut())
        }
        DataError::LabelGap { origin, array, .. }
        | DataError::SingleClass { origin, array, .. }
        | DataError::KindMismatch { origin, array, .. } => (origin, array, None),
        _ => return error,
    };
    let (holds, facts) = match array.as_str() {
        "x_train" => (Holds::Inputs, &facts.train),
        "x_val" => (Holds::Inputs, &facts.val),
        "x_test" => (Holds::Inputs, &facts.test),
        "y_train" => (Holds::Targets, &facts.train),
        "y_val" => (Holds::Targets, &facts.val),
        "y_test" => (Holds::Targets, &facts.test),
        _ => return error,
    };
    let Some(row) = row else {
        if let Some((name, _)) = in_array(facts, holds, 0) {
            *array = name;
        }
        return error;
    };
    if let Some((name, index)) = in_array(facts, holds, *row) {
        (*array, *row) = (name, index);
        return error;
    }
    // The message says the value behind the index.
    let rest = text.strip_prefix(&format!("{origin}: {array}[")).and_then(|rest| rest.split_once("] "));
    let Some((_, rest)) = rest.filter(|_| facts.places.is_some() && holds == Holds::Targets) else { return error };
    let said = DataError::file(origin.as_ref(), format!("{} {rest}", entry(facts, holds, array, *row)));
    match hint {
        Some(hint) => said.with_hint(hint),
        None => said,
    }
}
