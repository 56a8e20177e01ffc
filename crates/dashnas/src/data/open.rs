//! From a path to a data set: what is there, and who reads it.

use super::assemble::{self, Inputs};
use super::raw::Raw;
use super::readers::{
    csv, delimited, extension, fasta, folder, hdf5, idx, mat, name_of, npy_files, pairs, parquet, refused, table, text,
};
use super::{DataError, Dataset, ReadOptions, arrays, npz};
use std::io::Read;
use std::path::Path;

/// Reads the data set at a path, a file or a folder of any format that is known, and checks it.
///
/// Files of one data set are found by their names: `X_TRAIN.ts` brings in `X_TEST.ts`, and `X` both.
/// Without a test split one is drawn by [`ReadOptions::seed`], stratified by class and in whole
/// groups. What was decided on the way is in [`Dataset::origin`].
///
/// # Errors
/// A [`DataError`] with the file, the place in it and, through its hint, what to do.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Dataset, DataError> {
    let raw = read(path, options, true)?;
    assemble::dataset(&path.display().to_string(), &name_of(path), raw)
}

/// Reads samples without need of labels, for prediction: those of the test split where there is one,
/// all of them otherwise. A file is read by itself, whatever is beside it. `options` are best those of the
/// model, [`ModelCard::reading`](crate::model::ModelCard::reading), so that lengths, sizes, columns and alphabets
/// are the same.
///
/// # Errors
/// As [`open`].
pub fn open_inputs(path: &Path, options: &ReadOptions) -> Result<Inputs, DataError> {
    // What is predicted from is in memory.
    let options = &ReadOptions { in_memory: Some(u64::MAX), ..options.clone() };
    let raw = read(path, options, false)?;
    assemble::inputs(&path.display().to_string(), &name_of(path), raw)
}

fn read(path: &Path, options: &ReadOptions, labelled: bool) -> Result<Raw, DataError> {
    if path.is_dir() {
        return folder::read(path, options, labelled, |file| single(file, options, labelled));
    }
    if !path.exists()
        && let Some(file) = pairs::by_prefix(path)
    {
        // The training file stands for all; the test file comes last of them.
        let test = pairs::partners(&file, false)?.pop().filter(|_| !labelled);
        return single(&test.map_or(file, |(_, path)| path), options, labelled);
    }
    single(path, options, labelled)
}

/// Reads a file and those that belong to it.
fn single(path: &Path, options: &ReadOptions, labelled: bool) -> Result<Raw, DataError> {
    let start = start(path)?;
    if start.is_empty() {
        return Err(
            DataError::file(path, "it is empty (0 bytes)").with_hint("the copy or download failed: get it again")
        );
    }
    let kind = extension(path);
    if let Some(error) = refused::refuse(path, &kind) {
        return Err(error);
    }
    if idx::is_idx(path) {
        if !labelled {
            return idx::read(path, &[path.into()], options, labelled);
        }
        return idx_with_partner(path, options, labelled);
    }
    // Binary formats are known by their first bytes, whatever the name.
    let magic = refused::sniff(&start);
    let tables = |format: &str| {
        table::read(path, format, options, labelled, |file| {
            csv::table(file, &text(file, options.max_bytes)?, options.header)
        })
    };
    let expect = |wanted: &str, name: &str| match magic {
        Some(kind) if kind != wanted => Err(refused::mislabelled(path, name, kind)),
        _ => Ok(()),
    };
    match kind.as_str() {
        "npz" => {
            expect("a zip archive", "a NumPy archive")?;
            let mut archive = npz::Archive::open(npz::open(path)?, path, options)?;
            npz::read(&mut archive, options, labelled)
        }
        "npy" => {
            expect("a NumPy array", "a NumPy array")?;
            match labelled {
                true => arrays::read(&mut npy_files::NpyFiles::open(path, options)?, options, labelled),
                false => arrays::only(&mut npy_files::NpyFiles::lone(path, options)?, options),
            }
        }
        "mat" if start.starts_with(b"MATLAB 7.3") || start.starts_with(b"\x89HDF") => {
            arrays::read(&mut hdf5::Hdf5::open(path, options)?, options, labelled)
        }
        "mat" => {
            expect("a MATLAB file", "a MATLAB file")?;
            arrays::read(&mut mat::Mat::open(path, options)?, options, labelled)
        }
        "h5" | "hdf5" | "he5" | "hdf" => arrays::read(&mut hdf5::Hdf5::open(path, options)?, options, labelled),
        "ts" | "arff" => delimited::read(path, options, !labelled),
        "tsv" | "txt" if !has_header(path, options)? => delimited::read(path, options, !labelled),
        "csv" | "tsv" | "txt" => tables("table of comma-separated values, one sample a row"),
        "parquet" | "pq" => {
            expect("a Parquet file", "a Parquet file")?;
            table::read(path, "Parquet table, one sample a row", options, labelled, |file| parquet::open(file, options))
        }
        "fa" | "fasta" | "fna" | "faa" => fasta::read(path, &[path.into()], options, labelled),
        "wav" | "png" | "jpg" | "jpeg" => {
            let (wanted, name) = if kind == "wav" { ("WAV", "a WAV file") } else { ("image", "an image") };
            if let Some(found) = magic.filter(|found| !found.contains(wanted)) {
                return Err(refused::mislabelled(path, name, found));
            }
            let reason = "it is one sample, not a data set";
            Err(DataError::file(path, reason).with_hint("give the folder that holds all of them"))
        }
        other => {
            let reason = match magic {
                Some(kind) => format!("it is {kind}, but its name does not say so"),
                None => format!("files of the kind `.{other}` are not read"),
            };
            Err(DataError::file(path, reason).with_hint(refused::READ))
        }
    }
}

fn start(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| DataError::io(path, e))?;
    file.take(16).read_to_end(&mut start).map_err(|e| DataError::io(path, e))?;
    Ok(start)
}

/// Whether the first line of a text file is no line of numbers.
fn has_header(path: &Path, options: &ReadOptions) -> Result<bool, DataError> {
    if let Some(header) = options.header {
        return Ok(header);
    }
    let text = text(path, options.max_bytes)?;
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    let fields: Vec<&str> = first.split(['\t', ',', ' ']).filter(|f| !f.is_empty()).collect();
    // A label may be a word; values may not.
    Ok(fields.iter().skip(1).any(|f| super::readers::series::number(f).is_none()))
}

/// An IDX file with those of its name beside it.
fn idx_with_partner(path: &Path, options: &ReadOptions, labelled: bool) -> Result<Raw, DataError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).map_err(|e| DataError::io(folder, e))?;
    let mut files: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| idx::is_idx(p)).collect();
    files.sort();
    idx::read(path, &files, options, labelled)
}
