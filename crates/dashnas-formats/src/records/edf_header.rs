//! The header of EDF, EDF+, BDF and BDF+ files: fields of text.

use crate::error::{DataError, Location};
use chrono::{NaiveDate, NaiveDateTime};
use std::ops::Range;
use std::path::Path;

/// Bytes of the header, and of the description of each signal.
pub(super) const HEAD: usize = 256;
/// Most bytes of a header, whose number of signals has four digits.
pub(super) const LONGEST: u64 = 10_000 * HEAD as u64;

/// A signal as the header describes it.
pub(super) struct Signal {
    pub name: String,
    /// The physical unit.
    pub unit: String,
    /// Samples in a record.
    pub samples: usize,
    /// The physical value of the digital value 0, and of a step.
    pub offset: f64,
    pub step: f64,
    /// Where its samples begin in a record, counted in samples.
    pub start: usize,
}

/// What the header says.
pub(super) struct Header {
    /// Bytes of a sample.
    pub width: usize,
    /// Whether there are gaps between records.
    pub gaps: bool,
    /// When the first record begins, in whole seconds.
    pub begins: Option<NaiveDateTime>,
    /// Number of records; negative if it was not filled in.
    pub records: f64,
    /// Duration of a record.
    pub seconds: f64,
    /// The signals that are no annotations.
    pub signals: Vec<Signal>,
    /// Where texts are in a record, counted in samples.
    pub annotations: Vec<Range<usize>>,
    /// Samples of a record, with the annotations.
    pub size: usize,
    /// Bytes of the header.
    pub bytes: usize,
}

impl Header {
    /// Reads a header from the first bytes of a file.
    ///
    /// # Errors
    /// [`DataError`] with the field that is not possible.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DataError> {
        let bad = |reason: String| DataError::file(path, format!("it is not an EDF file: {reason}"));
        let width = match bytes.first_chunk() {
            Some(b"\xffBIOSEMI") => 3,
            Some(b"0       ") => 2,
            _ => return Err(bad("it does not begin like one".into())),
        };
        let number = |at: usize, length: usize, what: &str| {
            let text = field(bytes, at, length);
            let value: Option<f64> = text.parse().ok().filter(|v: &f64| v.is_finite());
            value.ok_or_else(|| bad(format!("its {what} is `{}`", text.escape_debug())))
        };
        let (records, seconds) = (number(236, 8, "number of records")?, number(244, 8, "duration of a record")?);
        let count = number(252, 4, "number of signals")?;
        let described = (count as usize).min(bytes.len() / HEAD);
        if count < 1.0 || count.fract() != 0.0 || described as f64 != count || bytes.len() < HEAD * (described + 1) {
            return Err(bad(format!("its header of {count} signals is cut short")));
        }
        let mut header = Self {
            width,
            gaps: field(bytes, 192, 44).ends_with("+D"),
            begins: begins(&field(bytes, 168, 8), &field(bytes, 176, 8)),
            records,
            seconds,
            signals: Vec::with_capacity(described),
            annotations: Vec::new(),
            size: 0,
            bytes: HEAD * (described + 1),
        };
        for i in 0..described {
            let at = |before: usize, length: usize| HEAD + before * described + length * i;
            let place = |reason: String| DataError::at(path, Location::Entry(format!("signal {}", i + 1)), reason);
            let samples = number(at(216, 8), 8, "number of samples in a record")?;
            if samples < 0.0 || samples.fract() != 0.0 || samples > 1e8 {
                return Err(place(format!("{samples} samples in a record are not possible")));
            }
            let (samples, start) = (samples as usize, header.size);
            header.size += samples;
            let (name, unit) = (field(bytes, at(0, 16), 16), field(bytes, at(96, 8), 8));
            if name == "EDF Annotations" || name == "BDF Annotations" {
                header.annotations.push(start..start + samples);
                continue;
            }
            if name.ends_with("Annotations") || name == "Status" {
                continue;
            }
            let [low, high] =
                [(104, "least value"), (112, "largest value")].map(|(before, what)| number(at(before, 8), 8, what));
            let [first, last] = [(120, "least digital value"), (128, "largest digital value")]
                .map(|(before, what)| number(at(before, 8), 8, what));
            let (low, high, first, last) = (low?, high?, first?, last?);
            if first == last || low == high {
                return Err(place(format!("`{name}` has a range of values from {low} to {high}, which is empty")));
            }
            let step = (high - low) / (last - first);
            header.signals.push(Signal { name, unit, samples, offset: low - first * step, step, start });
        }
        Ok(header)
    }

    /// The number of records, and whether fewer are there than the header says; `bytes` is what follows the header.
    pub fn records_in(&self, bytes: u64) -> (usize, bool) {
        let held = bytes.checked_div(self.size as u64 * self.width as u64).unwrap_or(0);
        let held = usize::try_from(held).unwrap_or(usize::MAX);
        // −1 is a number that was not filled in.
        let declared = if self.records < 0.0 { held } else { self.records as usize };
        (declared.min(held), declared > held)
    }

    /// Samples in a record of the signals at the highest rate.
    pub fn most(&self) -> usize {
        self.signals.iter().map(|s| s.samples).max().unwrap_or(0)
    }
}

/// A field of text.
fn field(bytes: &[u8], at: usize, length: usize) -> String {
    let field = bytes.get(at..at + length).unwrap_or_default();
    String::from_utf8_lossy(field).trim_matches([' ', '\0']).to_owned()
}

/// A date `31.01.99` and a time `23.59.59`; years from 85 on are those of the last century.
fn begins(date: &str, time: &str) -> Option<NaiveDateTime> {
    let parts = |text: &str| {
        let parts: Option<Vec<u32>> = text.split('.').map(|part| part.trim().parse().ok()).collect();
        <[u32; 3]>::try_from(parts?).ok()
    };
    let ([day, month, year], [hour, minute, second]) = (parts(date)?, parts(time)?);
    let year = i32::try_from(year).ok().filter(|year| *year < 100)?;
    NaiveDate::from_ymd_opt(year + if year < 85 { 2000 } else { 1900 }, month, day)?.and_hms_opt(hour, minute, second)
}
