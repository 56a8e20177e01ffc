//! Folders of recordings that are cut into windows.

use crate::error::DataError;
use crate::found::UnassembledData;
use crate::places::{Recording, Times};
use crate::role::Role;
use crate::windows::cut::{Cut, Read, cut};
use crate::windows::labels::StepLabels;
use crate::windows::outline::{Outline, Stretch};
use crate::windows::spans;
use std::path::{Path, PathBuf};

/// A recording in a file of its own.
pub(crate) struct OwnFile {
    /// The file.
    pub path: PathBuf,
    /// Its name in the folder.
    pub name: String,
    /// The split.
    pub role: Role,
    /// What no split divides.
    pub group: Option<String>,
    /// Number of time steps.
    pub steps: usize,
    /// Steps in a second, if they are known.
    pub rate: Option<f64>,
    /// The steps before which there is a gap.
    pub gaps: Vec<usize>,
}

/// Cuts the recordings of a folder into windows.
///
/// # Errors
/// [`DataError`] with the recording whose rate differs, and those of cutting.
pub(crate) fn add(
    path: &Path,
    files: Vec<OwnFile>,
    labels: Option<StepLabels>,
    channels: usize,
    labeled: bool,
    read: Read<'_>,
    raw: &mut UnassembledData,
) -> Result<(), DataError> {
    let mut sizes = None;
    for file in &files {
        sizes = Some(spans::sizes(&file.path, file.rate, &mut raw.reading)?);
    }
    let Some(sizes) = sizes else { return Err(DataError::file(path, "the folder holds no recording")) };
    let validated = files.iter().any(|file| file.role == Role::Val);
    let outline = |file: OwnFile| {
        let times = file.rate.map(Times::Rate);
        let recording = Recording { name: file.name, steps: file.steps, times, rows: None };
        let mut outline = Outline::whole(recording, file.role, file.group);
        let ends = file.gaps.iter().copied().chain([file.steps]);
        let mut from = 0;
        outline.stretches.clear();
        for to in ends.filter(|&to| to <= file.steps) {
            if from < to {
                outline.stretches.push(Stretch { from, to, role: file.role, block: None });
                from = to;
            }
        }
        outline
    };
    let outlines = files.into_iter().map(outline).collect();
    cut(Cut { path, outlines, labels, sizes, channels, labeled, validated }, read, raw)
}
