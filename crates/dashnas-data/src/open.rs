//! Opens a data set by its path: reads it with the table of readers, and assembles it.

use crate::assemble;
use crate::assemble::Inputs;
use crate::centering;
use crate::dataset::Dataset;
use dashnas_core::names::TaskName;
use dashnas_formats::error::DataError;
use dashnas_formats::found::UnassembledData;
use dashnas_formats::naming::data_set_name;
use dashnas_formats::options::{FirstReading, ReadOptions};
use dashnas_formats::readers;
use std::path::Path;

/// Most readings of the same files.
const READINGS: usize = 3;

/// Reads the data set in a file or folder of any supported format, and checks it.
///
/// Files of one data set are found by their names: `X_TRAIN.ts` is read with `X_TEST.ts`, and `X` stands for both. If
/// there is no test split, one is drawn with [`ReadOptions::seed`], stratified by class and in whole groups. The
/// decisions that were made are in [`Dataset::origin`]. Numbers for which `f32` has too few digits are read relative to
/// others, which are in [`Dataset::reading`].
///
/// # Errors
/// A [`DataError`] with the file, the location in it and a hint.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Dataset, DataError> {
    let (origin, name) = (path.display().to_string(), data_set_name(path));
    let (mut options, given) = (options.clone(), options.centers.clone());
    let mut reading = 1;
    loop {
        let data = readers::read(path, &options, true)?;
        let digits = data.digits;
        let mut set = assemble::dataset(&origin, &name, data)?;
        // A second reading subtracts what the first one found, and a third one what only the digits of the second show.
        let wanted = match reading < READINGS {
            true => centering::improved(&set, digits, &given, reading == 1)?,
            false => set.reading.centers.clone(),
        };
        if wanted == set.reading.centers || (reading > 1 && centering::restore(&mut set, &wanted)) {
            set.reading.first_reading = FirstReading::default();
            set.origin.notes.extend(centering::notes(&set.reading));
            return Ok(set);
        }
        let task = TaskName::ALL.into_iter().find(|name| name.name() == set.task.name());
        options.first_reading = FirstReading { layout: set.reading.layout, task };
        options.centers = wanted;
        reading += 1;
    }
}

/// Assembles and checks a data set called `name` from arrays in memory, as [`open`] does with those that it reads.
///
/// # Errors
/// A [`DataError`] that names `name` and the array.
pub fn assemble(name: &str, data: UnassembledData) -> Result<Dataset, DataError> {
    assemble::dataset(name, name, data)
}

/// Reads samples to predict from, which need no labels: those of the test split if there is one, otherwise all. A file
/// is read by itself, without others that belong to its data set. The `options` should be those of the model, so that
/// lengths, sizes, columns and alphabets are the same.
///
/// # Errors
/// As [`open`].
pub fn open_inputs(path: &Path, options: &ReadOptions) -> Result<Inputs, DataError> {
    // Samples to predict from are read into memory.
    let options = &ReadOptions { in_memory: Some(u64::MAX), ..options.clone() };
    let data = readers::read(path, options, false)?;
    assemble::inputs(&path.display().to_string(), &data_set_name(path), data)
}
