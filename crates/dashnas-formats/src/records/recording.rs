//! One recording, and what recordings of one data set must have in common.

use crate::centers::less;
use crate::error::DataError;
use crate::options::{ReadOptions, Signal};
use crate::series::values::Series;
use crate::text::and_more;
use dashnas_core::text::plural;
use std::path::Path;

/// A recording with what its file says about it.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// The channels, in physical units; a missing value is NaN.
    pub series: Series,
    /// What the values of each channel are more than `f32` holds, if something is to be subtracted from them.
    pub rests: Option<Vec<Vec<f32>>>,
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

/// Values as `f32`, and what they are more than that if it is to be kept.
pub(super) fn with_rest(values: impl Iterator<Item = f64>, keep: bool) -> (Vec<f32>, Vec<f32>) {
    let mut found = (Vec::new(), Vec::new());
    for value in values {
        let single = value as f32;
        found.0.push(single);
        if keep {
            found.1.push((value - f64::from(single)) as f32);
        }
    }
    found
}

/// Subtracts the centers of the channels.
fn subtract(recording: &mut Recording, centers: &[f64]) {
    let Some(rests) = recording.rests.take() else { return };
    for ((channel, rest), &center) in recording.series.channels.iter_mut().zip(rests).zip(centers) {
        let values = channel.iter_mut().zip(rest);
        values.for_each(|(v, rest)| *v = less(f64::from(*v) + f64::from(rest), center));
    }
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

/// Recordings with channels in one order and in the same units.
pub(crate) struct Aligned {
    /// The series.
    pub series: Vec<Series>,
    /// The channels.
    pub signals: Vec<Signal>,
    /// The decisions that were made, for people.
    pub notes: Vec<String>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

/// Brings the channels of recordings into one order and into the same units: those of the recordings that were read
/// before, if the options know them, otherwise those of the first recording. Where `data.inputs` names channels, the others
/// are left out.
///
/// # Errors
/// [`DataError::File`] with the first recording that lacks a channel or has one more, or has it in a unit that cannot be
/// converted although it was another one before.
pub(crate) fn align(mut recordings: Vec<Recording>, options: &ReadOptions) -> Result<Aligned, DataError> {
    let mut aligned =
        Aligned { series: Vec::new(), signals: Vec::new(), notes: facts(&recordings), warnings: Vec::new() };
    if let Some(wanted) = &options.inputs {
        recordings.iter_mut().try_for_each(|recording| choose(recording, wanted))?;
    }
    let Some(first) = recordings.first() else { return Ok(aligned) };
    let (names, units, origin) = (first.names.clone(), first.units.clone(), first.series.path.clone());
    let rates = || recordings.iter().map(|r| r.rate);
    let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    if low < high {
        aligned.notes.push(format!("recordings are at {low} to {high} Hz, and are not brought to one rate"));
    }
    let differ = units.windows(2).any(|pair| pair[0] != pair[1]);
    let with_unit = |(name, unit): (&String, &String)| if differ { format!("{name} [{unit}]") } else { name.clone() };
    let channels = names.iter().zip(&units).map(with_unit).collect::<Vec<_>>().join(", ");
    aligned.notes.push(format!("channels: {channels}"));
    let signal = |(name, unit): (&String, &String)| Signal { names: vec![name.clone()], units: vec![unit.clone()] };
    let own = || names.iter().zip(&units).map(signal).collect();
    aligned.signals = options.signals.clone().unwrap_or_else(own);
    let known = options.signals.is_some();
    // What is named for new records stands for the channels of the model, in the order in which it is named.
    let in_order = known && options.gives("inputs");
    if in_order {
        stand_for(&names, &mut aligned, &origin)?;
    }
    let (mut others, mut converted, mut unlike) = (Vec::new(), Vec::new(), Vec::new());
    for mut recording in recordings {
        let path = recording.series.path.clone();
        let origin = if known { None } else { Some(&*origin) };
        // Channels that are named by hand stand for those of the model in their order.
        let renamed = !in_order && order(&mut recording, &mut aligned.signals, origin, options.inputs.is_some())?;
        others.extend(renamed.then(|| path.clone()));
        let (changed, other) = convert(&mut recording, &aligned.signals);
        converted.extend(changed.then(|| path.clone()));
        if let Some(i) = other {
            let (signal, unit) = (&mut aligned.signals[i], &recording.units[i]);
            if known {
                let reason = format!(
                    "channel {} is in {}, but the model was trained on it in {}",
                    listed(signal.names.iter().take(1)),
                    unit_called(unit),
                    unit_called(signal.units.first().map_or("", String::as_str))
                );
                return Err(
                    DataError::file(&path, reason).with_hint("convert the values, or correct the unit in the header")
                );
            }
            unlike.push((path, i, unit.clone()));
            signal.units.push(unit.clone());
        }
        subtract(&mut recording, &options.centers.inputs);
        aligned.series.push(recording.series);
    }
    if let Some(path) = converted.first() {
        let (count, more) = (plural(converted.len(), "recording"), and_more(converted.len()));
        let of = if known { "the training data" } else { "the first" };
        aligned.notes.push(format!("{count} in other units, converted to those of {of}: {}{more}", path.display()));
    }
    if let Some((path, i, unit)) = unlike.first() {
        aligned.warnings.push(format!(
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
        aligned
            .notes
            .push(format!("{count} with channels of other names, taken in their order: {}{more}", path.display()));
    }
    Ok(aligned)
}

/// A unit in a message.
fn unit_called(unit: &str) -> String {
    if unit.is_empty() { "an unknown unit".to_owned() } else { format!("`{unit}`") }
}

/// Names in a message.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let listed = names.map(|name| if name.is_empty() { "one without a name".to_owned() } else { format!("`{name}`") });
    listed.collect::<Vec<_>>().join(", ")
}

/// Keeps the channels that `data.inputs` names, in its order: names or positions from 0, separated by commas.
fn choose(recording: &mut Recording, wanted: &str) -> Result<(), DataError> {
    let names = &recording.names;
    let position = |name: &str| {
        let by_position = || name.parse::<usize>().ok().filter(|&i| i < names.len());
        names.iter().position(|own| own == name).or_else(by_position)
    };
    let mut places = Vec::new();
    // A name may hold a comma.
    let parts: Vec<&str> = if position(wanted).is_some() { vec![wanted] } else { wanted.split(',').collect() };
    for name in parts.into_iter().map(str::trim) {
        match position(name).filter(|i| !places.contains(i)) {
            Some(i) => places.push(i),
            None => {
                let reason = format!("it has no channel `{name}`; it has {}", listed(names.iter()));
                return Err(DataError::file(&recording.series.path, reason)
                    .with_hint("name channels that every recording has in `data.inputs`, each once"));
            }
        }
    }
    arrange(recording, &places);
    Ok(())
}

/// Says which channels stand for others of the model, because they are named in the place of those.
///
/// # Errors
/// [`DataError::File`] if more or fewer channels are named than the model has.
fn stand_for(names: &[String], aligned: &mut Aligned, path: &Path) -> Result<(), DataError> {
    let signals = &aligned.signals;
    if names.len() != signals.len() {
        let reason = format!(
            "`data.inputs` names {}, but the model was trained on {} ({})",
            plural(names.len(), "channel"),
            signals.len(),
            listed(signals.iter().filter_map(|signal| signal.names.first()))
        );
        return Err(DataError::file(path, reason).with_hint("name as many, in the order of the model"));
    }
    let like = |name: &String, signal: &Signal| {
        signal.names.iter().any(|own| own.trim().eq_ignore_ascii_case(name.trim()) || own.is_empty())
    };
    let others: Vec<(&String, &Signal)> =
        names.iter().zip(signals).filter(|(name, signal)| !like(name, signal)).collect();
    if others.is_empty() {
        return Ok(());
    }
    let pairs = others.iter().map(|(name, signal)| {
        format!("{} for {}", listed(std::iter::once(*name)), listed(signal.names.iter().take(1)))
    });
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    let said = format!("channels stand for those of the model in the order of `data.inputs`: {pairs}");
    // One that has the name of another channel is probably in the wrong place.
    let swapped = others.iter().any(|(name, _)| signals.iter().any(|signal| like(name, signal)));
    if swapped {
        aligned.warnings.push(said)
    } else {
        aligned.notes.push(said)
    }
    Ok(())
}

/// Keeps these channels, in this order.
fn arrange(recording: &mut Recording, places: &[usize]) {
    let at = |texts: &[String]| places.iter().map(|&i| texts.get(i).cloned().unwrap_or_default()).collect();
    (recording.names, recording.units) = (at(&recording.names), at(&recording.units));
    for channels in std::iter::once(&mut recording.series.channels).chain(&mut recording.rests) {
        *channels = places.iter().map(|&i| channels.get_mut(i).map(std::mem::take).unwrap_or_default()).collect();
    }
}

/// Brings the channels of a recording into the order of the signals; returns whether some of its names are new. Channels
/// are found by the first name of a signal, those that are left stand for the signals that are left, in order. `origin`
/// is the first recording; without it the signals are those of the training data, and no name may be new, unless the
/// channels are `chosen`.
fn order(
    recording: &mut Recording,
    signals: &mut [Signal],
    origin: Option<&Path>,
    chosen: bool,
) -> Result<bool, DataError> {
    let names = &recording.names;
    let path = &recording.series.path;
    let firsts = |signals: &[Signal]| listed(signals.iter().filter_map(|signal| signal.names.first()));
    if let (Some(origin), true) = (origin, names.len() != signals.len()) {
        let own = plural(names.len(), "channel");
        let reason = format!("it has {own}, but {} has {} ({})", origin.display(), signals.len(), firsts(signals));
        return Err(DataError::file(path, reason)
            .with_hint("give recordings of the same channels, or name those that all of them have in `data.inputs`"));
    }
    let mut free: Vec<Option<usize>> = (0..names.len()).map(Some).collect();
    let mut take = |wanted: &dyn Fn(&str) -> bool| {
        free.iter_mut().find(|i| i.is_some_and(|i| wanted(&names[i]))).and_then(Option::take)
    };
    let first = |signal: &Signal| signal.names.first().cloned().unwrap_or_default();
    let mut places: Vec<Option<usize>> = signals.iter().map(|signal| take(&|name| name == first(signal))).collect();
    for (signal, place) in signals.iter().zip(&mut places).filter(|(_, place)| place.is_none()) {
        let name = first(signal).trim().to_lowercase();
        *place = take(&|own| !name.is_empty() && own.trim().to_lowercase() == name);
    }
    let mut renamed = false;
    for (signal, place) in signals.iter_mut().zip(&mut places).filter(|(_, place)| place.is_none()) {
        let Some(own) = take(&|_| true) else { continue };
        let name = &names[own];
        let unnamed = signal.names.first().is_none_or(String::is_empty);
        if !signal.names.contains(name) && !unnamed {
            renamed = true;
            if origin.is_some() {
                signal.names.push(name.clone());
            } else if !chosen {
                continue;
            }
        }
        *place = Some(own);
    }
    let lacking = signals.iter().zip(&places).filter(|(_, place)| place.is_none()).filter_map(|(s, _)| s.names.first());
    let lacking = listed(lacking);
    let extra = listed(free.iter().flatten().map(|&i| &names[i]));
    let hint = "name the channels that stand for those of the model in `data.inputs`, in the order of the model";
    if !lacking.is_empty() {
        let reason =
            format!("it lacks channel {lacking}, which the model was trained on; it has {}", listed(names.iter()));
        return Err(DataError::file(path, reason).with_hint(hint));
    }
    if !extra.is_empty() {
        let reason =
            format!("channel {extra} is none of those that the model was trained on, which are {}", firsts(signals));
        return Err(DataError::file(path, reason).with_hint(hint));
    }
    let places: Vec<usize> = places.into_iter().flatten().collect();
    if places.iter().enumerate().any(|(i, &place)| i != place) {
        arrange(recording, &places);
    }
    Ok(renamed)
}

/// Converts the channels of a recording to the units of the signals; returns whether that changed something, and the first
/// channel that it cannot convert.
fn convert(recording: &mut Recording, signals: &[Signal]) -> (bool, Option<usize>) {
    let (mut changed, mut other) = (false, None);
    let own = recording.series.channels.iter_mut().zip(&recording.units);
    for (i, ((channel, unit), signal)) in own.zip(signals).enumerate() {
        match signal.units.first().map_or(Some(1.0), |wanted| factor(unit, wanted)) {
            Some(factor) if factor != 1.0 => {
                if let Some(rest) = recording.rests.as_mut().and_then(|rests| rests.get_mut(i)) {
                    let exact = channel.iter().zip(&*rest).map(|(&v, &rest)| f64::from(v) + f64::from(rest));
                    (*channel, *rest) = with_rest(exact.map(|v| v * factor), true);
                } else {
                    channel.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
                }
                changed = true;
            }
            None if !signal.units.contains(unit) => other = other.or(Some(i)),
            _ => {}
        }
    }
    (changed, other)
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
