//! The places of windows in their recordings.

/// The times of the steps of a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// The number of the step by the rate, in seconds.
    Rate(f64),
    /// Numbers, as in the file.
    Numbers(Vec<f64>),
    /// Dates, as in the file.
    Texts(Vec<String>),
}

/// A recording that windows were cut from.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The name: of the file, or of the group.
    pub name: String,
    /// Number of time steps.
    pub steps: usize,
    /// The times of the steps, if they are known.
    pub times: Option<Times>,
    /// The row of the table that each step is, from 0, if the recording is in a table.
    pub rows: Option<Vec<usize>>,
}

/// A window of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The recording, by its number.
    pub recording: usize,
    /// The first step, from 0.
    pub start: usize,
    /// The step after the last one.
    pub end: usize,
}

/// Recordings and their windows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Windows {
    /// The recordings.
    pub recordings: Vec<Recording>,
    /// The windows of the samples of each split, in the order of the splits and of their samples.
    pub splits: Vec<Vec<Place>>,
    /// Whether the last part of the only recording is the test split.
    pub by_time: bool,
    /// Whether the groups, which no split divides, are those of `data.group`; otherwise they are the recordings.
    pub by_group: bool,
    /// The number of blocks of time that the only training recording is divided into; 0 if it is not divided.
    pub blocks: usize,
}
