//! One recording, and what recordings of one data set must have in common.

use crate::error::DataError;
use crate::series::values::Series;
use crate::text::and_more;
use dashnas_core::text::plural;

/// A recording with what its file says about it.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// The channels, in physical units; a missing value is NaN.
    pub series: Series,
    /// The names of the channels.
    pub names: Vec<String>,
    /// Values per second.
    pub rate: f64,
    /// Facts about the file that a person should know, each the end of a sentence about some recordings.
    pub facts: Vec<&'static str>,
}

/// It ends before its header says.
pub(super) const CUT_SHORT: &str = "cut short and read as far as they go";

/// Brings the channels of recordings into one order, and returns the series and notes about them.
///
/// # Errors
/// [`DataError::File`] with the first recording that has another number of channels than the first.
pub(crate) fn align(recordings: Vec<Recording>) -> Result<(Vec<Series>, Vec<String>), DataError> {
    let mut notes = facts(&recordings);
    let Some(first) = recordings.first() else { return Ok((Vec::new(), notes)) };
    let (names, origin) = (first.names.clone(), first.series.path.clone());
    let rates = || recordings.iter().map(|r| r.rate);
    let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    if low < high {
        notes.push(format!("recordings are at {low} to {high} Hz, and are not brought to one rate"));
    }
    notes.push(format!("channels: {}", names.join(", ")));
    let (mut series, mut others) = (Vec::with_capacity(recordings.len()), Vec::new());
    for recording in recordings {
        let Recording { series: mut one, names: own, .. } = recording;
        if own.len() != names.len() {
            let (own, wanted) = (plural(own.len(), "channel"), names.len());
            let reason = format!("it has {own}, but {} has {wanted} ({})", origin.display(), names.join(", "));
            return Err(DataError::file(&one.path, reason).with_hint("give recordings of the same channels"));
        }
        if own != names {
            // The same channels in another order, each once.
            let places: Option<Vec<usize>> = names.iter().map(|name| own.iter().position(|n| n == name)).collect();
            let distinct = |places: &[usize]| places.iter().collect::<std::collections::HashSet<_>>().len();
            match places.filter(|places| distinct(places) == names.len()) {
                Some(places) => {
                    one.channels = places.into_iter().map(|i| std::mem::take(&mut one.channels[i])).collect();
                }
                None => others.push(one.path.clone()),
            }
        }
        series.push(one);
    }
    if let Some(path) = others.first() {
        let (count, more) = (plural(others.len(), "recording"), and_more(others.len()));
        notes.push(format!("{count} with channels of other names, taken in their order: {}{more}", path.display()));
    }
    Ok((series, notes))
}

/// The facts about some recordings, each with their number and the first.
fn facts(recordings: &[Recording]) -> Vec<String> {
    let mut facts: Vec<&str> = recordings.iter().flat_map(|r| r.facts.iter().copied()).collect();
    facts.sort_unstable();
    facts.dedup();
    let of = |fact: &str| {
        let with: Vec<&Recording> = recordings.iter().filter(|r| r.facts.contains(&fact)).collect();
        let first = with.first().map(|r| r.series.path.display().to_string()).unwrap_or_default();
        format!("{} {fact}: {first}{}", plural(with.len(), "recording"), and_more(with.len()))
    };
    facts.into_iter().map(of).collect()
}
