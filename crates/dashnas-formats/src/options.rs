//! The settings of reading: facts that the files alone do not tell.

use crate::centers::Centers;
use dashnas_core::auto;
use dashnas_core::names::TaskName;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The settings of reading a data set. By default everything follows from the files; the section `[data]` of the
/// configuration overrides it. A reader returns the options with lengths, sizes and alphabets filled in, so that files
/// of the same kind are read in the same way again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReadOptions {
    /// The name of the array of inputs in a file that holds several; in tables the columns of inputs, as for `targets`.
    #[serde(with = "auto")]
    pub inputs: Option<String>,
    /// The name of the array of targets; in tables the columns of labels by names, by patterns such as `x_*`, or by
    /// positions from 0 (−1: the last), separated by commas.
    #[serde(with = "auto")]
    pub targets: Option<String>,
    /// The column or array of groups, which no split divides; of several, separated by commas, a group has equal values in
    /// all of them.
    #[serde(with = "auto")]
    pub group: Option<String>,
    /// The column of a table, or several of them, that tells recordings of one group apart, where windows are cut.
    #[serde(with = "auto")]
    pub recording: Option<String>,
    /// The column of a table that divides its rows into splits: train, val and test.
    #[serde(with = "auto")]
    pub split: Option<String>,
    /// The column of a table with the weights of the samples.
    #[serde(with = "auto")]
    pub weight: Option<String>,
    /// The column of a table with the times of the samples.
    #[serde(with = "auto")]
    pub time: Option<String>,
    /// The columns of a table that are left out, as for `targets`.
    #[serde(with = "auto")]
    pub ignore: Option<String>,
    /// The decimal sign of the numbers in a text table, `.` or `,`.
    #[serde(with = "auto")]
    pub decimal: Option<String>,
    /// Whether the first row of a table is a header.
    #[serde(with = "auto")]
    pub header: Option<bool>,
    /// The axis of the channels.
    #[serde(with = "auto")]
    pub layout: Option<Layout>,
    /// The number of channels of images (1, 3 or 4), or that the columns of a table are divided into.
    #[serde(with = "auto")]
    pub channels: Option<usize>,
    /// The size that images are resized to, `[height, width]`.
    #[serde(with = "auto")]
    pub resize: Option<[usize; 2]>,
    /// The way in which missing values are filled; with `None` they are refused.
    #[serde(with = "auto")]
    pub fill_missing: Option<Fill>,
    /// The treatment of series of unequal lengths.
    pub lengths: Lengths,
    /// The length that series are brought to.
    #[serde(with = "auto")]
    pub length: Option<usize>,
    /// The columns of the table that was read; never set in a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// Whether the samples are the last axis of the inputs, as MATLAB users keep them; never set in a configuration.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub samples_last: bool,
    /// The length of the windows that recordings are cut into; with `None` a sample is what the format says.
    #[serde(with = "auto")]
    pub window: Option<Span>,
    /// The distance from the beginning of one window to that of the next; with `None` the length of a window.
    #[serde(with = "auto")]
    pub stride: Option<Span>,
    /// How the label of a window follows from those of its time steps.
    pub window_label: WindowLabel,
    /// The time steps in a second of the recordings that were read; never set in a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// The channels of the recordings that were read; never set in a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signals: Option<Vec<Signal>>,
    /// What is subtracted from inputs and targets before they become `f32`; never set in a configuration.
    #[serde(skip_serializing_if = "Centers::is_empty")]
    pub centers: Centers,
    /// The letters of one-hot sequences, in the order of their channels.
    #[serde(with = "auto")]
    pub alphabet: Option<String>,
    /// The sampling rate that sound is resampled to, in hertz.
    pub audio_rate: u32,
    /// The number of bands of the log-mel spectrogram.
    pub mel_bands: usize,
    /// The length of its window in milliseconds.
    pub mel_window_ms: f64,
    /// The time between its frames in milliseconds.
    pub mel_hop_ms: f64,
    /// The number of points of its Fourier transform.
    #[serde(with = "auto")]
    pub mel_fft: Option<usize>,
    /// The share of the samples that becomes the test split if there is none.
    pub test_fraction: f64,
    /// The seed of the random test split; with `None` it is `seed`. With its own seed the test split stays the same when
    /// `seed` changes.
    #[serde(with = "auto")]
    pub split_seed: Option<u32>,
    /// Which samples become the test split if there is none.
    pub split_by: SplitBy,
    /// The number of folds of a cross-validation: the test split is one of them.
    #[serde(with = "auto")]
    pub folds: Option<u32>,
    /// The fold that is the test split, from 1.
    #[serde(with = "auto")]
    pub fold: Option<u32>,
    /// The kind of task; with `None` it follows from the data. In a configuration this is `task.kind`.
    #[serde(skip)]
    pub task: Option<TaskName>,
    /// The value of targets of fields that are not known. In a configuration this is `task.unknown`.
    #[serde(skip)]
    pub unknown: Option<f64>,
    /// The seed of the random split if none is given. In a configuration this is `seed`.
    #[serde(skip)]
    pub seed: u64,
    /// Most bytes that arrays may take in memory (as float32); by default half of the machine's memory.
    #[serde(skip, default = "max_bytes")]
    pub max_bytes: u64,
    /// Inputs of more bytes than this (as float32) stay in a file and are read in batches: in their own if its rows can
    /// be read one by one, otherwise in a temporary one that they are decoded into. By default a quarter of the memory
    /// that is available.
    #[serde(skip)]
    pub in_memory: Option<u64>,
    /// Most bytes of a text, or of a compressed file after decompression, which are read into memory as a whole; by default
    /// as many as [`ReadOptions::max_bytes`].
    #[serde(skip)]
    pub max_text: Option<u64>,
    /// Whether samples to predict from are also scored: then their labels are read as strictly as those of training data,
    /// and so are their weights, if there are any.
    #[serde(skip)]
    pub scored: bool,
    /// Whether the labels of the time steps of recordings are kept beside those of their windows, for a score of time steps.
    #[serde(skip)]
    pub step_labels: bool,
    /// What a first reading of the same files found, if this is the second one.
    #[serde(skip)]
    pub first_reading: FirstReading,
    /// The keys of the settings that are given for new data, such as `targets`; the others are those of the training. A name
    /// that is given must be there, while new data may lack a column that the training data had.
    #[serde(skip)]
    pub given: Vec<String>,
}

/// Half of the machine's memory.
fn max_bytes() -> u64 {
    dashnas_core::memory::total().map_or(16 << 30, |bytes| bytes / 2)
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            inputs: None,
            targets: None,
            group: None,
            recording: None,
            split: None,
            weight: None,
            time: None,
            ignore: None,
            decimal: None,
            header: None,
            layout: None,
            channels: None,
            resize: None,
            fill_missing: None,
            lengths: Lengths::Pad,
            length: None,
            columns: None,
            samples_last: false,
            window: None,
            stride: None,
            window_label: WindowLabel::Majority,
            rate: None,
            signals: None,
            centers: Centers::default(),
            alphabet: None,
            audio_rate: 22_050,
            mel_bands: 96,
            mel_window_ms: 30.0,
            mel_hop_ms: 10.0,
            mel_fft: None,
            test_fraction: 0.2,
            split_seed: None,
            split_by: SplitBy::Random,
            folds: None,
            fold: None,
            task: None,
            unknown: None,
            seed: 0,
            max_bytes: max_bytes(),
            in_memory: None,
            max_text: None,
            scored: false,
            step_labels: false,
            first_reading: FirstReading::default(),
            given: Vec::new(),
        }
    }
}

/// What the first reading of files decided, so that the second one, which subtracts numbers, decides the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirstReading {
    /// The axis of the channels.
    pub layout: Option<Layout>,
    /// The kind of task.
    pub task: Option<TaskName>,
}

impl ReadOptions {
    /// Returns whether a setting is given for new data, and not that of the training.
    pub(crate) fn gives(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }

    /// Most bytes of a text, or of a compressed file after decompression.
    pub(crate) fn whole_file(&self) -> u64 {
        self.max_text.map_or(self.max_bytes, |bytes| bytes.min(self.max_bytes))
    }

    /// Finds the first setting that is given for new data and contradicts the training of a model, whose options these are:
    /// its key, its value and that of the training. Settings that say how a file is written, such as its header, may differ,
    /// and what was not needed in training may be needed for new data, such as filling missing values.
    pub fn contradiction(&self, given: &Self) -> Option<(&'static str, String, String)> {
        let size = |[height, width]: [usize; 2]| format!("{height}x{width}");
        // Samples that keep their lengths may have any.
        let fixed = self.lengths != Lengths::Mask || self.window.is_some();
        macro_rules! values {
            ($($key:literal $name:ident $text:expr),+ $(,)?) => {
                [$(($key, Some(given.$name).map($text), Some(self.$name).map($text))),+]
            };
        }
        macro_rules! options {
            ($($key:literal $name:ident $text:expr),+ $(,)?) => {
                [$(($key, given.$name.clone().map($text), self.$name.clone().map($text))),+]
            };
        }
        let always = values![
            "lengths" lengths |v| v.name().to_owned(),
            "window-label" window_label |v| v.name().to_owned(),
            "audio-rate" audio_rate |v| v.to_string(),
            "mel-bands" mel_bands |v| v.to_string(),
            "mel-window-ms" mel_window_ms |v| v.to_string(),
            "mel-hop-ms" mel_hop_ms |v| v.to_string(),
        ];
        let known = options![
            "alphabet" alphabet |v: String| v,
            "channels" channels |v| v.to_string(),
            "resize" resize size,
            "fill-missing" fill_missing |v| v.name().to_owned(),
            "length" length |v| v.to_string(),
            "mel-fft" mel_fft |v| v.to_string(),
        ];
        let differ =
            always.into_iter().chain(known).filter(|(key, ..)| given.gives(key) && (fixed || *key != "length"));
        differ.filter_map(|(key, given, own)| Some((key, given?, own?))).find(|(_, given, own)| given != own)
    }

    /// Returns the options that a model of samples of this shape, `[channels, L]` or `[channels, H, W]`, stores, so that
    /// the data to predict from is read in the same way as its training data.
    pub fn of_model(&self, shape: &[usize]) -> Self {
        let own = Self::default();
        // The kind of task and the seeds do not matter for prediction.
        let (max_bytes, in_memory, max_text) = (own.max_bytes, own.in_memory, own.max_text);
        let mut options = Self {
            task: own.task,
            unknown: None,
            seed: own.seed,
            split_seed: None,
            split_by: own.split_by,
            folds: None,
            fold: None,
            max_bytes,
            in_memory,
            max_text,
            scored: false,
            step_labels: false,
            first_reading: FirstReading::default(),
            given: Vec::new(),
            ..self.clone()
        };
        if let &[channels, length] = shape {
            options.channels.get_or_insert(channels);
            options.length.get_or_insert(length);
        }
        options
    }
}

/// The columns of a table of one sample a row, and their roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// The names of all columns, in order; their numbers from 1 if there was no header.
    pub names: Vec<String>,
    /// Whether the table had a header.
    pub named: bool,
    /// The columns of inputs, by position from 0.
    pub inputs: Vec<usize>,
    /// The columns of labels, by position from 0.
    #[serde(default)]
    pub labels: Vec<usize>,
    /// Whether the inputs are letters of sequences.
    pub sequences: bool,
    /// Whether the inputs are lists of numbers.
    #[serde(default)]
    pub lists: bool,
}

/// A channel of recordings, whose files name it and its physical unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The name in the first recording, and the other names that were taken for the same channel.
    pub names: Vec<String>,
    /// The unit in the first recording, and other units whose values were read as they are.
    pub units: Vec<String>,
}

/// The length of a part of a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// A number of time steps.
    Steps(usize),
    /// A duration in seconds, which the rate of the recording turns into time steps.
    Seconds(f64),
}

impl FromStr for Span {
    type Err = String;

    /// Reads `128`, `2.5s` or `500ms`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let seconds = |number: &str, unit: f64| {
            let value = number.trim_end().parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0);
            value.map(|v| Span::Seconds(v * unit))
        };
        let span = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(number), _) => seconds(number, 1e-3),
            (None, Some(number)) => seconds(number, 1.0),
            (None, None) => text.parse().ok().map(Span::Steps),
        };
        span.ok_or_else(|| "expected a number of time steps, such as 128, or a duration, such as 2.5s or 500ms".into())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Span::Steps(n) => write!(f, "{n}"),
            Span::Seconds(s) => write!(f, "{s}s"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Span::Steps(n) => serializer.serialize_u64(*n as u64),
            Span::Seconds(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of time steps, or a duration such as \"2.5s\"")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Span, E> {
        usize::try_from(value).map(Span::Steps).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Span, E> {
        usize::try_from(value).map(Span::Steps).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Span, E> {
        value.parse().map_err(E::custom)
    }
}

/// How the label of a window follows from those of its time steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowLabel {
    /// The most frequent label, of several the one that occurs first; of numbers the mean.
    #[default]
    Majority,
    /// The label of the last time step.
    End,
}

/// Which samples become the test split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitBy {
    /// Random ones, stratified by class.
    #[default]
    Random,
    /// The last ones in time.
    Time,
}

/// The axis of the channels in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// N×C×L or N×C×H×W.
    ChannelsFirst,
    /// N×L×C or N×H×W×C.
    ChannelsLast,
    /// N×L or N×H×W.
    NoChannels,
}

/// The way in which a missing value is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// By interpolation between its neighbors in the series; at the ends, by the nearest one.
    Linear,
    /// With zero.
    Zero,
    /// With the mean of the other values in the same channel of the same sample.
    Mean,
}

/// The treatment of series of unequal lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lengths {
    /// Shorter series are padded with zeros at the end, to the length of the longest training series.
    #[default]
    Pad,
    /// Longer series are cut off at the end, to the length of the shortest training series.
    Truncate,
    /// All series are stretched by linear interpolation to the length of the longest training series.
    Resample,
    /// Series keep their lengths: the network leaves out what follows the end of a series. See [`ends`](crate::ends).
    Mask,
}

macro_rules! names {
    ($type:ty: $($variant:ident = $name:literal),+) => {
        impl $type {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used on the command line and in files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}
names!(SplitBy: Random = "random", Time = "time");
names!(Layout: ChannelsFirst = "channels-first", ChannelsLast = "channels-last", NoChannels = "no-channels");
names!(Fill: Linear = "linear", Zero = "zero", Mean = "mean");
names!(WindowLabel: Majority = "majority", End = "end");
names!(Lengths: Pad = "pad", Truncate = "truncate", Resample = "resample", Mask = "mask");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_new_data_that_contradict_the_training_are_found() {
        let trained = ReadOptions {
            alphabet: Some("ACGT".into()),
            length: Some(60),
            fill_missing: Some(Fill::Zero),
            channels: Some(4),
            ..ReadOptions::default()
        };
        // The key, what sets it, and the values that contradict each other.
        type Case = (&'static str, fn(&mut ReadOptions), Option<(&'static str, &'static str)>);
        let cases: [Case; 10] = [
            ("alphabet", |o| o.alphabet = Some("ACGT".into()), None),
            ("alphabet", |o| o.alphabet = Some("ACGU".into()), Some(("ACGU", "ACGT"))),
            ("length", |o| o.length = Some(70), Some(("70", "60"))),
            ("lengths", |o| o.lengths = Lengths::Pad, None),
            ("lengths", |o| o.lengths = Lengths::Resample, Some(("resample", "pad"))),
            ("fill-missing", |o| o.fill_missing = Some(Fill::Mean), Some(("mean", "zero"))),
            ("mel-hop-ms", |o| o.mel_hop_ms = 12.5, Some(("12.5", "10"))),
            // It was not needed in training.
            ("resize", |o| o.resize = Some([8, 8]), None),
            // It says how the file is written.
            ("header", |o| o.header = Some(false), None),
            ("stride", |o| o.stride = Some(Span::Steps(3)), None),
        ];
        for (key, change, expected) in cases {
            let mut given = trained.clone();
            change(&mut given);
            // A value that is not given is that of the training.
            assert_eq!(trained.contradiction(&given), None, "{key}");
            given.given.push(key.to_owned());
            let expected = expected.map(|(given, own)| (key, given.to_owned(), own.to_owned()));
            assert_eq!(trained.contradiction(&given), expected, "{key}");
        }
        let keeping = ReadOptions { lengths: Lengths::Mask, ..trained };
        let given = ReadOptions { length: Some(70), given: vec!["length".into()], ..keeping.clone() };
        assert_eq!(keeping.contradiction(&given), None);
    }
}
