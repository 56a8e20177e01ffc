//! EDF, EDF+ and BDF files: a header of text, and records of samples of 16 or 24 bits.

use crate::error::{DataError, Location};
use crate::limits::check_memory;
use crate::options::ReadOptions;
use crate::records::recording::{CUT_SHORT, Recording};
use crate::series::values::Series;
use std::path::Path;

/// Bytes of the header, and of the description of each signal.
const HEAD: usize = 256;

/// A signal as the header describes it.
struct Signal {
    name: String,
    /// The physical unit.
    unit: String,
    /// Samples in a record.
    samples: usize,
    /// The physical value of the digital value 0, and of a step.
    offset: f64,
    step: f64,
    /// Where its samples begin in a record, counted in samples.
    start: usize,
}

/// A field of text.
fn field(bytes: &[u8], at: usize, length: usize) -> String {
    let field = bytes.get(at..at + length).unwrap_or_default();
    String::from_utf8_lossy(field).trim_matches([' ', '\0']).to_owned()
}

/// Reads a recording.
pub(super) fn read(path: &Path, options: &ReadOptions) -> Result<Recording, DataError> {
    let bytes = crate::bytes::bytes(path, options.max_bytes)?;
    let bad = |reason: String| DataError::file(path, format!("it is not an EDF file: {reason}"));
    let width = match bytes.first_chunk() {
        Some(b"\xffBIOSEMI") => 3,
        Some(b"0       ") => 2,
        _ => return Err(bad("it does not begin like one".into())),
    };
    let number = |at: usize, length: usize, what: &str| {
        let text = field(&bytes, at, length);
        let value: Option<f64> = text.parse().ok().filter(|v: &f64| v.is_finite());
        value.ok_or_else(|| bad(format!("its {what} is `{}`", text.escape_debug())))
    };
    let kind = field(&bytes, 192, 44);
    let (records, seconds) = (number(236, 8, "number of records")?, number(244, 8, "duration of a record")?);
    let count = number(252, 4, "number of signals")?;
    let described = (count as usize).min(bytes.len() / HEAD);
    if count < 1.0 || count.fract() != 0.0 || described as f64 != count || bytes.len() < HEAD * (described + 1) {
        return Err(bad(format!("its header of {count} signals is cut short")));
    }
    let (mut signals, mut start) = (Vec::with_capacity(described), 0);
    // Where the annotations are in a record.
    let mut times: Option<std::ops::Range<usize>> = None;
    for i in 0..described {
        let at = |before: usize, length: usize| HEAD + before * described + length * i;
        let place = |reason: String| DataError::at(path, Location::Entry(format!("signal {}", i + 1)), reason);
        let samples = number(at(216, 8), 8, "number of samples in a record")?;
        if samples < 0.0 || samples.fract() != 0.0 || samples > 1e8 {
            return Err(place(format!("{samples} samples in a record are not possible")));
        }
        let (name, unit) = (field(&bytes, at(0, 16), 16), field(&bytes, at(96, 8), 8));
        let [low, high] =
            [(104, "least value"), (112, "largest value")].map(|(before, what)| number(at(before, 8), 8, what));
        let [first, last] = [(120, "least digital value"), (128, "largest digital value")]
            .map(|(before, what)| number(at(before, 8), 8, what));
        let annotations = name.ends_with("Annotations") || name == "Status";
        if annotations && name.starts_with("EDF") && times.is_none() {
            times = Some(start..start + samples as usize);
        }
        if !annotations {
            let (low, high, first, last) = (low?, high?, first?, last?);
            if first == last || low == high {
                return Err(place(format!("`{name}` has a range of values from {low} to {high}, which is empty")));
            }
            let step = (high - low) / (last - first);
            signals.push(Signal { name, unit, samples: samples as usize, offset: low - first * step, step, start });
        }
        start += samples as usize;
    }
    let mut facts = Vec::new();
    if kind.ends_with("+D") {
        facts.push("with gaps in time, which are left out");
    }
    let most = signals.iter().map(|s| s.samples).max().unwrap_or(0);
    if signals.iter().any(|s| s.samples < most) {
        facts.push("with channels at lower rates, which are left out");
    }
    signals.retain(|s| s.samples == most);
    if most == 0 || signals.is_empty() {
        return Err(DataError::file(path, "it holds no signals"));
    }
    let body = &bytes[HEAD * (described + 1)..];
    let held = body.len() / (start * width);
    // −1 is a number that was not filled in.
    let declared = if records < 0.0 { held } else { records as usize };
    let records = declared.min(held);
    if declared > held {
        facts.push(CUT_SHORT);
    }
    if records == 0 {
        return Err(DataError::file(path, "it holds no samples"));
    }
    check_memory(path, "recording", signals.len() as u128 * (records * most) as u128, options)?;
    let channel = |signal: &Signal| {
        let places = (0..records).flat_map(|r| (0..most).map(move |i| r * start + signal.start + i));
        places.map(|at| (f64::from(sample(body, at, width)) * signal.step + signal.offset) as f32).collect()
    };
    let series =
        Series { channels: signals.iter().map(channel).collect(), path: path.into(), line: 0, first_column: 1 };
    let (names, units) = signals.into_iter().map(|s| (s.name, s.unit)).unzip();
    let rate = if seconds > 0.0 { most as f64 / seconds } else { most as f64 };
    let gaps = match kind.ends_with("+D") {
        true => gaps(&starts(body, &times, start * width, width, records), seconds, most),
        false => Vec::new(),
    };
    Ok(Recording { series, names, units, rate, gaps, facts })
}

/// The times of records, as the first annotation in each of them says: `+12.5` and the byte 0x14. `times` is where the
/// annotations are in a record, in samples.
fn starts(body: &[u8], times: &Option<std::ops::Range<usize>>, size: usize, width: usize, records: usize) -> Vec<f64> {
    let Some(times) = times else { return Vec::new() };
    let start = |record: usize| {
        let bytes = body.get(record * size + times.start * width..record * size + times.end * width)?;
        let text = bytes.split(|&b| b == 0x14).next()?;
        std::str::from_utf8(text).ok()?.split('\x15').next()?.parse::<f64>().ok()
    };
    (0..records).map_while(start).collect()
}

/// The steps before which there is a gap: a record of `seconds` and `most` steps does not follow the one before.
fn gaps(starts: &[f64], seconds: f64, most: usize) -> Vec<usize> {
    let apart = |pair: &[f64]| (pair[1] - pair[0] - seconds).abs() > 0.01 * seconds.abs();
    starts.windows(2).enumerate().filter(|(_, pair)| apart(pair)).map(|(i, _)| (i + 1) * most).collect()
}

/// A little-endian sample of two or three bytes.
fn sample(bytes: &[u8], at: usize, width: usize) -> i32 {
    let bytes = bytes.get(at * width..(at + 1) * width).unwrap_or_default();
    let value = bytes.iter().rev().fold(0, |value, &byte| value << 8 | i32::from(byte));
    let unused = 32 - 8 * width as u32;
    value << unused >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_do_not_follow_one_another_are_gaps() {
        // A record of two samples of a signal and four of annotations, of two bytes each.
        let record = |time: &str| [&b"abcd"[..], format!("{time}\x14\x14\0\0\0\0\0").as_bytes()[..8].as_ref()].concat();
        let body = [record("+0"), record("+1"), record("+5.5"), record("+6.5")].concat();
        let starts = starts(&body, &Some(2..6), 12, 2, 4);
        assert_eq!(starts, [0.0, 1.0, 5.5, 6.5]);
        assert_eq!(gaps(&starts, 1.0, 2), [4]);
    }
}
