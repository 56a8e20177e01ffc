//! What the files say of each sample besides its inputs and its label.

use std::path::Path;

/// Facts about the samples of a split, one entry for each sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleFacts {
    /// The weights, if there are any: finite and not negative.
    pub weights: Option<Vec<f32>>,
    /// The times, in any unit, if the samples are to be divided by time.
    pub times: Option<Vec<f64>>,
    /// Where the samples are in the files; `None` if the reader does not know it.
    pub places: Option<Places>,
}

impl SampleFacts {
    /// Facts about `n` samples of which nothing is known but that they are the rows of a file, in order.
    pub fn rows(file: impl Into<String>, n: usize) -> Self {
        let source = Source { file: file.into(), array: None, targets: None };
        Self { places: Some(Places::numbered(source, Counting::Rows, n)), ..Self::default() }
    }

    /// The facts about the samples at these indices.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            weights: self.weights.as_ref().map(|w| rows.iter().map(|&i| w[i]).collect()),
            times: self.times.as_ref().map(|t| rows.iter().map(|&i| t[i]).collect()),
            places: self.places.as_ref().map(|p| p.select(rows)),
        }
    }
}

/// A file, or an array in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path of the file.
    pub file: String,
    /// The name of the array, if the file holds arrays.
    pub array: Option<String>,
    /// The name of the array of the targets of the same samples, if there is one.
    pub targets: Option<String>,
}

/// How samples are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// Rows or lines of samples from 1. A header, comments and blank lines do not count.
    Rows,
    /// Indices along the first axis of an array, from 0.
    Indices,
}

/// Where samples are in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Places {
    /// Each sample has a name: its file, or the header of its sequence.
    Names(Vec<String>),
    /// Each sample has a number in one of the sources.
    Numbers {
        /// The files or arrays.
        sources: Vec<Source>,
        /// How samples are counted.
        counting: Counting,
        /// The position of the source of each sample, and the number of the sample there.
        at: Vec<(u32, u64)>,
    },
}

impl Places {
    /// The places of `n` samples that are all there is in a source.
    pub fn numbered(source: Source, counting: Counting, n: usize) -> Self {
        let first = u64::from(counting == Counting::Rows);
        Places::Numbers { sources: vec![source], counting, at: (0..n as u64).map(|i| (0, first + i)).collect() }
    }

    /// The places of the rows of several files, one after another; `rows` are the numbers of their rows.
    pub fn of_files(files: Vec<String>, rows: &[usize]) -> Self {
        let at = rows.iter().enumerate().flat_map(|(file, &n)| (1..=n as u64).map(move |row| (file as u32, row)));
        Places::Numbers {
            at: at.collect(),
            sources: files.into_iter().map(|file| Source { file, array: None, targets: None }).collect(),
            counting: Counting::Rows,
        }
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Places::Names(names) => names.len(),
            Places::Numbers { at, .. } => at.len(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where one sample is, for people: `cats/7.png`, or `data.csv, row 7` without the folder of the file.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn name(&self, i: usize) -> String {
        let (sources, counting, (source, number)) = match self {
            Places::Names(names) => return names[i].clone(),
            Places::Numbers { sources, counting, at } => (sources, counting, at[i]),
        };
        let counted = match counting {
            Counting::Rows => format!("row {number}"),
            Counting::Indices => format!("index {number}"),
        };
        let Some(Source { file, array, .. }) = sources.get(source as usize) else { return counted };
        let file = Path::new(file).file_name().map_or_else(|| file.clone(), |name| name.to_string_lossy().into_owned());
        match array {
            Some(array) => format!("{file}, {array}, {counted}"),
            None => format!("{file}, {counted}"),
        }
    }

    /// The places of the samples at these indices.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Places::Names(names) => Places::Names(rows.iter().map(|&i| names[i].clone()).collect()),
            Places::Numbers { sources, counting, at } => Places::Numbers {
                sources: sources.clone(),
                counting: *counting,
                at: rows.iter().map(|&i| at[i]).collect(),
            },
        }
    }
}
