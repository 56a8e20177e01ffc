//! Which settings have an effect on which kind of data. Others are refused, since whoever gives one expects something of it.
//!
//! Names of columns and arrays are checked by what a reader finds; settings of splits concern all data.

use crate::error::DataError;
use crate::options::{Lengths, ReadOptions};
use std::path::Path;

/// Settings of images.
const IMAGES: &[&str] = &["channels", "resize"];
/// Settings of images or records whose labels may be in a file of labels.
const LABEL_FILE: &[&str] = &["header", "decimal"];
/// Settings of series and recordings, which may be of unequal lengths.
const SERIES: &[&str] = &["lengths", "length"];
/// Settings of spectrograms.
const SPECTRA: &[&str] = &["mel-bands", "mel-window-ms", "mel-hop-ms", "mel-fft"];
/// Settings of arrays; `mask` is the only way in which their lengths are treated.
const ARRAYS: &[&str] = &["layout", "channels", "mask", "length"];
/// Settings of arrays that may hold series of unequal lengths.
const RAGGED: &[&str] = &["lengths"];
/// Settings of tables, whatever their columns hold.
const TABLES: &[&str] = &["decimal", "layout", "channels", "lengths", "length", "alphabet"];
/// Settings of sequences.
const SEQUENCES: &[&str] = &["alphabet", "lengths", "length"];

/// The settings that have an effect, by the name of the reader. Readers that are not listed refuse what they recognize, or
/// leave it to another one.
const EFFECTS: [(&str, &[&[&str]]); 22] = [
    ("folder of images with masks", &[IMAGES]),
    ("folder of images", &[IMAGES, LABEL_FILE]),
    ("folder of sound", &[&["audio-rate"], SPECTRA, SERIES, LABEL_FILE]),
    ("folder of recordings", &[SERIES, LABEL_FILE]),
    ("folder of records (WFDB, EDF, BDF)", &[SERIES, LABEL_FILE]),
    ("folder of FASTA or FASTQ files", &[SEQUENCES]),
    ("folder of IDX files", &[ARRAYS]),
    ("folder of NumPy arrays", &[ARRAYS, RAGGED]),
    ("folder of the parts of a table", &[TABLES, &["header"]]),
    ("IDX file (MNIST)", &[ARRAYS]),
    ("NumPy archive (.npz)", &[ARRAYS, RAGGED]),
    ("NumPy array (.npy)", &[ARRAYS, RAGGED]),
    ("MATLAB file, level 7.3", &[ARRAYS]),
    ("MATLAB file, level 4 or 5", &[ARRAYS]),
    ("HDF5 file", &[ARRAYS]),
    ("series (.ts, .arff)", &[SERIES]),
    ("series without a header", &[SERIES, &["header"]]),
    ("table of comma-separated values", &[TABLES, &["header"]]),
    ("JSON lines", &[TABLES]),
    ("Arrow table", &[TABLES]),
    ("Parquet table", &[TABLES]),
    ("FASTA or FASTQ file", &[SEQUENCES]),
];

/// The settings with an effect on tables whose columns of inputs hold numbers, lists or sequences.
const NUMBERS: &[&str] = &["decimal", "header", "channels", "mask", "length"];
const LISTS: &[&str] = &["decimal", "header", "layout", "lengths", "length"];
const LETTERS: &[&str] = &["decimal", "header", "alphabet", "lengths", "length"];

/// The settings that are checked, and what they are for.
const SETTINGS: [(&str, &str); 13] = [
    ("header", "it is for tables of text"),
    ("decimal", "it is for tables of text"),
    ("layout", "it is for arrays, and for tables of lists"),
    ("channels", "it is for images, arrays and columns of numbers"),
    ("resize", "it is for images"),
    (
        "lengths",
        "it is for series, sequences, lists and recordings of unequal lengths; arrays and rows of numbers may be masked",
    ),
    ("length", "it is for series, sequences, lists and recordings"),
    ("alphabet", "it is for sequences of letters"),
    ("audio-rate", "it is for sound"),
    ("mel-bands", "it is for spectrograms of sound"),
    ("mel-window-ms", "it is for spectrograms of sound"),
    ("mel-hop-ms", "it is for spectrograms of sound"),
    ("mel-fft", "it is for spectrograms of sound"),
];

/// What the columns of inputs of a table hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    Numbers,
    Lists,
    Letters,
}

/// Refuses settings without an effect on what a reader reads. Of new data, only those that are given for it count.
///
/// # Errors
/// [`DataError::File`] with the first such setting.
pub(crate) fn check(path: &Path, reader: &str, options: &ReadOptions, labeled: bool) -> Result<(), DataError> {
    let Some((_, used)) = EFFECTS.iter().find(|(name, _)| *name == reader) else { return Ok(()) };
    check_all(path, reader, &used.concat(), options, labeled)
}

/// Refuses settings without an effect on arrays of samples of one shape.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_arrays(path: &Path, format: &str, options: &ReadOptions, labeled: bool) -> Result<(), DataError> {
    check_all(path, format, ARRAYS, options, labeled)
}

/// Refuses settings without an effect on the columns of a table.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_columns(
    path: &Path,
    columns: Columns,
    options: &ReadOptions,
    labeled: bool,
) -> Result<(), DataError> {
    let (called, used) = match columns {
        Columns::Numbers => ("columns of numbers", NUMBERS),
        Columns::Lists => ("columns of lists", LISTS),
        Columns::Letters => ("sequences in a table", LETTERS),
    };
    check_all(path, called, used, options, labeled)
}

fn check_all(path: &Path, what: &str, used: &[&str], options: &ReadOptions, labeled: bool) -> Result<(), DataError> {
    let masked = used.contains(&"mask") && options.lengths == Lengths::Mask;
    let used = |key: &str| used.contains(&key) || (key == "lengths" && masked);
    let whole = |key: &str| options.window.is_some() && (key == "lengths" || SPECTRA.contains(&key));
    let counts = |key: &str| if labeled { is_set(options, key) } else { options.gives(key) };
    let without = |(key, _): &&(&str, &str)| (!used(key) || whole(key)) && counts(key);
    let Some((key, purpose)) = SETTINGS.iter().find(without) else { return Ok(()) };
    let reason = match used(key) {
        true => format!("`data.{key}` has no effect together with `data.window`"),
        false => format!("`data.{key}` has no effect on this data ({what}): {purpose}"),
    };
    Err(DataError::file(path, reason).with_hint(format!("leave out `data.{key}`")))
}

/// Returns whether a setting has another value than the default.
fn is_set(options: &ReadOptions, key: &str) -> bool {
    let usual = ReadOptions::default();
    match key {
        "header" => options.header.is_some(),
        "decimal" => options.decimal.is_some(),
        "layout" => options.layout.is_some(),
        "channels" => options.channels.is_some(),
        "resize" => options.resize.is_some(),
        "lengths" => options.lengths != usual.lengths,
        "length" => options.length.is_some(),
        "alphabet" => options.alphabet.is_some(),
        "audio-rate" => options.audio_rate != usual.audio_rate,
        "mel-bands" => options.mel_bands != usual.mel_bands,
        "mel-window-ms" => options.mel_window_ms != usual.mel_window_ms,
        "mel-hop-ms" => options.mel_hop_ms != usual.mel_hop_ms,
        "mel-fft" => options.mel_fft.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Layout, Span};
    use crate::readers::READERS;

    #[test]
    fn every_reader_and_setting_is_known() {
        for (name, used) in EFFECTS {
            assert!(READERS.iter().any(|reader| reader.name == name), "{name}");
            let known = |key: &str| key == "mask" || SETTINGS.iter().any(|(setting, _)| *setting == key);
            assert!(used.concat().into_iter().all(known), "{name}");
        }
        let reads = |name: &str| EFFECTS.iter().any(|(reader, _)| *reader == name);
        let others: Vec<&str> = READERS.iter().map(|reader| reader.name).filter(|name| !reads(name)).collect();
        let refusing = ["one data set", "other", "unsupported", "unknown", "one recording", "one sample"];
        assert!(others.iter().all(|name| refusing.iter().any(|word| name.contains(word))), "{others:?}");
    }

    #[test]
    fn settings_without_effect_are_refused() {
        let base = ReadOptions::default;
        let resized = ReadOptions { resize: Some([8, 8]), ..base() };
        let masked = ReadOptions { lengths: Lengths::Mask, ..base() };
        let cut = ReadOptions { lengths: Lengths::Truncate, ..base() };
        let rate = ReadOptions { audio_rate: 8000, ..base() };
        let last = ReadOptions { layout: Some(Layout::ChannelsLast), ..base() };
        let cases = [
            ("folder of images", &resized, None),
            ("table of comma-separated values", &resized, Some("resize")),
            ("NumPy archive (.npz)", &masked, None),
            ("NumPy archive (.npz)", &cut, None),
            ("HDF5 file", &cut, Some("lengths")),
            ("series (.ts, .arff)", &cut, None),
            ("folder of sound", &rate, None),
            ("folder of records (WFDB, EDF, BDF)", &rate, Some("audio-rate")),
            ("folder of images", &last, Some("layout")),
            ("unknown format", &resized, None),
        ];
        for (reader, options, expected) in cases {
            let said = check(Path::new("x"), reader, options, true).err().map(|error| error.to_string());
            let key = expected.map(|key| format!("`data.{key}` has no effect on this data ({reader})"));
            assert_eq!(
                said.as_ref().map(|said| said.contains(key.as_deref().unwrap_or("none"))),
                key.as_ref().map(|_| true),
                "{said:?}"
            );
            // What the training data needed need not be of use for new data.
            assert!(check(Path::new("x"), reader, options, false).is_ok());
        }
        let windows = ReadOptions { window: Some(Span::Steps(8)), mel_bands: 8, ..base() };
        let error = check(Path::new("x"), "folder of sound", &windows, true).unwrap_err().to_string();
        assert!(error.contains("`data.mel-bands` has no effect together with `data.window`"), "{error}");
        let given = ReadOptions { given: vec!["resize".into()], ..resized };
        assert!(check(Path::new("x"), "JSON lines", &given, false).is_err());
        assert!(check_arrays(Path::new("x"), "NumPy archive (.npz)", &cut, true).is_err());
        for (columns, options, good) in [
            (Columns::Numbers, &masked, true),
            (Columns::Numbers, &cut, false),
            (Columns::Lists, &cut, true),
            (Columns::Lists, &last, true),
            (Columns::Letters, &last, false),
        ] {
            assert_eq!(check_columns(Path::new("x"), columns, options, true).is_ok(), good, "{columns:?}");
        }
    }
}
