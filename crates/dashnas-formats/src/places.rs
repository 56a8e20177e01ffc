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

/// The name of a window of a recording, which no other has: `walk[0:128]`.
pub fn name_of_window(recording: &str, place: &Place) -> String {
    format!("{recording}[{}:{}]", place.start, place.end)
}

/// The recording of a window with a name from [`name_of_window`]; `None` for another name.
pub fn recording_of_window(name: &str) -> Option<&str> {
    let (recording, steps) = name.strip_suffix(']')?.rsplit_once('[')?;
    let (start, end) = steps.split_once(':')?;
    [start, end].iter().all(|step| step.parse::<usize>().is_ok()).then_some(recording)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_window_has_that_of_its_recording() {
        let place = Place { recording: 0, start: 5, end: 12 };
        for recording in ["walk", "a[0:3]", "x[1", ""] {
            assert_eq!(recording_of_window(&name_of_window(recording, &place)), Some(recording));
        }
        for name in ["walk", "walk[a:3]", "walk[0:3] ", "walk[3]", "[]"] {
            assert_eq!(recording_of_window(name), None, "{name}");
        }
    }
}
