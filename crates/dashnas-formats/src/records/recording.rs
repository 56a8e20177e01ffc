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
    /// The physical units of the channels.
    pub units: Vec<String>,
    /// Values per second.
    pub rate: f64,
    /// The steps before which there is a gap.
    pub gaps: Vec<usize>,
    /// Facts about the file that a person should know, each the end of a sentence about some recordings.
    pub facts: Vec<&'static str>,
}

/// It ends before its header says.
pub(super) const CUT_SHORT: &str = "cut short and read as far as they go";

/// Volts in a unit; `None` if it is no voltage.
fn volts(unit: &str) -> Option<f64> {
    Some(match unit.trim().to_lowercase().as_str() {
        "v" | "volt" | "volts" => 1.0,
        "mv" => 1e-3,
        // The sign is the micro sign or the Greek letter.
        "uv" | "µv" | "μv" => 1e-6,
        "nv" => 1e-9,
        _ => return None,
    })
}

/// What values in a unit are multiplied by to be in another one; `None` if they cannot be converted.
pub(super) fn factor(own: &str, wanted: &str) -> Option<f64> {
    if own.trim().eq_ignore_ascii_case(wanted.trim()) {
        return Some(1.0);
    }
    Some(volts(own)? / volts(wanted)?)
}

/// Converts the channels of a recording to the units of the first; returns whether that changed something, and the first
/// channel that it cannot convert.
fn convert(channels: &mut [Vec<f32>], own: &[String], wanted: &[String]) -> (bool, Option<usize>) {
    let (mut changed, mut other) = (false, None);
    for (i, (channel, (own, wanted))) in channels.iter_mut().zip(own.iter().zip(wanted)).enumerate() {
        match factor(own, wanted) {
            Some(factor) if factor != 1.0 => {
                channel.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
                changed = true;
            }
            Some(_) => {}
            None => other = other.or(Some(i)),
        }
    }
    (changed, other)
}

/// Recordings with channels in one order and in the same units.
pub(crate) struct Aligned {
    /// The series.
    pub series: Vec<Series>,
    /// The decisions that were made, for people.
    pub notes: Vec<String>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

/// Brings the channels of recordings into one order and into the same units.
///
/// # Errors
/// [`DataError::File`] with the first recording that has another number of channels than the first.
pub(crate) fn align(recordings: Vec<Recording>) -> Result<Aligned, DataError> {
    let (mut notes, mut warnings) = (facts(&recordings), Vec::new());
    let Some(first) = recordings.first() else { return Ok(Aligned { series: Vec::new(), notes, warnings }) };
    let (names, units, origin) = (first.names.clone(), first.units.clone(), first.series.path.clone());
    let rates = || recordings.iter().map(|r| r.rate);
    let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    if low < high {
        notes.push(format!("recordings are at {low} to {high} Hz, and are not brought to one rate"));
    }
    let differ = units.windows(2).any(|pair| pair[0] != pair[1]);
    let with_unit = |(name, unit): (&String, &String)| if differ { format!("{name} [{unit}]") } else { name.clone() };
    notes.push(format!("channels: {}", names.iter().zip(&units).map(with_unit).collect::<Vec<_>>().join(", ")));
    let (mut series, mut others) = (Vec::with_capacity(recordings.len()), Vec::new());
    let (mut converted, mut unlike) = (Vec::new(), Vec::new());
    for recording in recordings {
        let Recording { series: mut one, names: own, units: mut own_units, .. } = recording;
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
                    own_units = places.iter().map(|&i| own_units.get(i).cloned().unwrap_or_default()).collect();
                    one.channels = places.into_iter().map(|i| std::mem::take(&mut one.channels[i])).collect();
                }
                None => others.push(one.path.clone()),
            }
        }
        let (changed, other) = convert(&mut one.channels, &own_units, &units);
        converted.extend(changed.then(|| one.path.clone()));
        unlike.extend(other.map(|i| (one.path.clone(), i, own_units[i].clone())));
        series.push(one);
    }
    if let Some(path) = converted.first() {
        let (count, more) = (plural(converted.len(), "recording"), and_more(converted.len()));
        notes.push(format!("{count} in other units, converted to those of the first: {}{more}", path.display()));
    }
    if let Some((path, i, unit)) = unlike.first() {
        warnings.push(format!(
            "{}: channel {} is in `{unit}`, but in {} it is in `{}`{}: the values are not converted",
            path.display(),
            names[*i],
            origin.display(),
            units[*i],
            and_more(unlike.len())
        ));
    }
    if let Some(path) = others.first() {
        let (count, more) = (plural(others.len(), "recording"), and_more(others.len()));
        notes.push(format!("{count} with channels of other names, taken in their order: {}{more}", path.display()));
    }
    Ok(Aligned { series, notes, warnings })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voltages_are_converted() {
        let cases = [
            ("mV", "mV", Some(1.0)),
            ("uV", "mV", Some(1e-3)),
            ("µV", "uV", Some(1.0)),
            ("V", "mV", Some(1e3)),
            ("mmHg", "mV", None),
            ("mmHg", "mmhg", Some(1.0)),
            ("", "mV", None),
        ];
        for (own, wanted, expected) in cases {
            let found = factor(own, wanted);
            let close = match (found, expected) {
                (Some(a), Some(b)) => (a / b - 1.0f64).abs() < 1e-12,
                (a, b) => a == b,
            };
            assert!(close, "{own} {wanted}: {found:?}");
        }
    }
}
