//! What a reader cannot know from the files alone.

use crate::config::{TaskName, auto};
use serde::{Deserialize, Serialize};

/// How to read a data set. The defaults let the files speak for themselves; the section `[data]` of
/// the configuration sets them. After reading, [`super::Dataset::reading`] holds the options that
/// read the same kind of files the same way again: lengths, sizes and alphabets are filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReadOptions {
    /// Name of the array of inputs in a file that holds several.
    #[serde(with = "auto")]
    pub inputs: Option<String>,
    /// Name of the array of targets; in tables the label column by name, or by position from 0 (−1: the last).
    #[serde(with = "auto")]
    pub targets: Option<String>,
    /// Column or array of groups that no split may divide.
    #[serde(with = "auto")]
    pub group: Option<String>,
    /// Whether the first row of a table is a header.
    #[serde(with = "auto")]
    pub header: Option<bool>,
    /// Where the channels are.
    #[serde(with = "auto")]
    pub layout: Option<Layout>,
    /// Channels of images (1, 3 or 4), or channels that the columns of a table are divided into.
    #[serde(with = "auto")]
    pub channels: Option<usize>,
    /// `[height, width]` that images are resized to.
    #[serde(with = "auto")]
    pub resize: Option<[usize; 2]>,
    /// How missing values are filled; refused if `None`.
    #[serde(with = "auto")]
    pub fill_missing: Option<Fill>,
    /// What is done with series of unequal lengths.
    pub lengths: Lengths,
    /// Length that series are brought to.
    #[serde(with = "auto")]
    pub length: Option<usize>,
    /// The columns of the table that was read; never set in a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// Letters of one-hot sequences, in the order of their channels.
    #[serde(with = "auto")]
    pub alphabet: Option<String>,
    /// Sampling rate that sound is brought to, in hertz.
    pub audio_rate: u32,
    /// Bands of the log-mel spectrogram.
    pub mel_bands: usize,
    /// Its window in milliseconds.
    pub mel_window_ms: f64,
    /// Milliseconds between its frames.
    pub mel_hop_ms: f64,
    /// Points of its transform.
    #[serde(with = "auto")]
    pub mel_fft: Option<usize>,
    /// Share of the samples set aside where there is no test split.
    pub test_fraction: f64,
    /// The kind of task, if not what the data suggests. In a configuration this is `task.kind`.
    #[serde(skip)]
    pub task: Option<TaskName>,
    /// Decides the split where none is given. In a configuration this is `seed`.
    #[serde(skip)]
    pub seed: u64,
    /// Most bytes that arrays may take in memory (as float32): half of the machine's, unless told otherwise.
    #[serde(skip, default = "max_bytes")]
    pub max_bytes: u64,
    /// Inputs of more bytes than this (as float32) stay in their file, if it lets them be read row by row, or are
    /// decoded into one that does, and are read in batches. A quarter of the memory that is free, unless told
    /// otherwise.
    #[serde(skip)]
    pub in_memory: Option<u64>,
}

fn max_bytes() -> u64 {
    super::memory::total().map_or(16 << 30, |bytes| bytes / 2)
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            inputs: None,
            targets: None,
            group: None,
            header: None,
            layout: None,
            channels: None,
            resize: None,
            fill_missing: None,
            lengths: Lengths::Pad,
            length: None,
            columns: None,
            alphabet: None,
            audio_rate: 22_050,
            mel_bands: 96,
            mel_window_ms: 30.0,
            mel_hop_ms: 10.0,
            mel_fft: None,
            test_fraction: 0.2,
            task: None,
            seed: 0,
            max_bytes: max_bytes(),
            in_memory: None,
        }
    }
}

impl ReadOptions {
    /// What a model of samples of this shape, `[channels, L]` or `[channels, H, W]`, remembers, so that whatever it
    /// predicts from is read as its own data was.
    pub(crate) fn of_model(&self, shape: &[usize]) -> Self {
        let own = Self::default();
        // What the labels were like matters to nobody who predicts.
        let (max_bytes, in_memory) = (own.max_bytes, own.in_memory);
        let mut options = Self { task: own.task, seed: own.seed, max_bytes, in_memory, ..self.clone() };
        if let &[channels, length] = shape {
            options.channels.get_or_insert(channels);
            options.length.get_or_insert(length);
        }
        options
    }
}

/// The columns of a table of one sample a row, and what they were read as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// The names of all, in order; their numbers from 1 where there was no header.
    pub names: Vec<String>,
    /// Whether there was a header.
    pub named: bool,
    /// Those that are inputs, by their place from 0.
    pub inputs: Vec<usize>,
    /// The one that is the label.
    pub label: Option<usize>,
    /// Whether the inputs are letters of sequences.
    pub sequences: bool,
}

/// Where the channels of an array are.
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

/// What a missing value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// Interpolated between its neighbours in the series; the nearest one at the ends.
    Linear,
    /// Zero.
    Zero,
    /// The mean of the values that are there, in the same channel of the same sample.
    Mean,
}

/// What is done with series of unequal lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lengths {
    /// Zeros are put after the shorter ones; the longest training series decides.
    #[default]
    Pad,
    /// The ends of the longer ones are cut off; the shortest training series decides.
    Truncate,
    /// All are stretched by linear interpolation to the longest training series.
    Resample,
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
names!(Layout: ChannelsFirst = "channels-first", ChannelsLast = "channels-last", NoChannels = "no-channels");
names!(Fill: Linear = "linear", Zero = "zero", Mean = "mean");
names!(Lengths: Pad = "pad", Truncate = "truncate", Resample = "resample");
