//! The signals of EDF, EDF+ and BDF files: records of samples of 16 or 24 bits.

use crate::error::DataError;
use crate::limits::check_memory;
use crate::options::ReadOptions;
use crate::records::edf_header::{Header, Signal};
use crate::records::recording::{CUT_SHORT, Recording, with_rest};
use crate::series::values::Series;
use std::path::Path;

/// Reads a recording.
pub(super) fn read(path: &Path, options: &ReadOptions) -> Result<Recording, DataError> {
    let bytes = crate::bytes::bytes(path, options.max_bytes)?;
    let header = Header::parse(path, &bytes)?;
    let (most, start, width, seconds) = (header.most(), header.size, header.width, header.seconds);
    let mut facts = Vec::new();
    if header.gaps {
        facts.push("with gaps in time, which are left out");
    }
    if header.signals.iter().any(|s| s.samples < most) {
        facts.push("with channels at lower rates, which are left out");
    }
    let body = bytes.get(header.bytes..).unwrap_or_default();
    let (records, cut_short) = header.records_in(body.len() as u64);
    let times = header.annotations.into_iter().next();
    let mut signals = header.signals;
    signals.retain(|s| s.samples == most);
    if most == 0 || signals.is_empty() {
        return Err(DataError::file(path, "it holds no signals"));
    }
    if cut_short {
        facts.push(CUT_SHORT);
    }
    if records == 0 {
        return Err(DataError::file(path, "it holds no samples"));
    }
    check_memory(path, "recording", signals.len() as u128 * (records * most) as u128, options)?;
    let channel = |signal: &Signal| {
        let places = (0..records).flat_map(|r| (0..most).map(move |i| r * start + signal.start + i));
        let keep = !options.centers.inputs.is_empty();
        with_rest(places.map(|at| f64::from(sample(body, at, width)) * signal.step + signal.offset), keep)
    };
    let (channels, rests): (_, Vec<Vec<f32>>) = signals.iter().map(channel).unzip();
    let rests = (!options.centers.inputs.is_empty()).then_some(rests);
    let series = Series { channels, path: path.into(), line: 0, first_column: 1 };
    let (names, units) = signals.into_iter().map(|s| (s.name, s.unit)).unzip();
    let rate = if seconds > 0.0 { most as f64 / seconds } else { most as f64 };
    let gaps = match header.gaps {
        true => gaps(&starts(body, &times, start * width, width, records), seconds, most),
        false => Vec::new(),
    };
    Ok(Recording { series, rests, names, units, rate, gaps, facts })
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
