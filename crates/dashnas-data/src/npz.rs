//! Data sets as NumPy archives (`.npz`).

use crate::assemble;
use crate::dataset::Dataset;
use crate::targets::Targets;
use dashnas_formats::error::DataError;
use dashnas_formats::naming::data_set_name;
use dashnas_formats::npy;
use dashnas_formats::npy::le_bytes;
use dashnas_formats::npz::{Archive, open, read};
use dashnas_formats::options::ReadOptions;
use std::fs::File;
use std::io;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Reads and checks the data set in the archive at `path`, and names it by the file without its extension.
///
/// # Errors
/// A [`DataError`] that names the file, the array and the wrong value.
pub fn load(path: &Path, options: &ReadOptions) -> Result<Dataset, DataError> {
    load_from(open(path)?, path, options)
}

/// Does the same as [`load`] for any seekable bytes; `path` names them in errors and gives the set its name.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_from(reader: impl Read + Seek, path: &Path, options: &ReadOptions) -> Result<Dataset, DataError> {
    let mut archive = Archive::open(reader, path, options)?;
    let raw = read(&mut archive, options, true)?;
    assemble::dataset(&path.display().to_string(), &data_set_name(path), raw)
}

/// Writes a data set as an archive from which [`load`] reads the same data set: classes as int32, masks and
/// multi-labels as uint8, everything else as float32.
///
/// The file is not written atomically; a caller who needs that writes to another name and renames.
///
/// # Errors
/// [`DataError::Io`].
pub fn save(set: &Dataset, path: &Path) -> Result<(), DataError> {
    let write = || -> io::Result<()> {
        let file = File::create(path)?;
        let mut zip = ZipWriter::new(io::BufWriter::new(file));
        let mut splits = vec![("train", &set.train), ("test", &set.test)];
        splits.extend(set.val.as_ref().map(|v| ("val", v)));
        for (part, split) in splits {
            let mut x = split.x.clone();
            x.load().map_err(io::Error::other)?;
            put(&mut zip, &format!("x_{part}"), "<f4", &x.shape, &le_bytes(&x.data))?;
            let name = format!("y_{part}");
            match &split.y {
                Targets::Classes(labels) => {
                    let bytes: Vec<u8> = labels.iter().flat_map(|&l| (l as i32).to_le_bytes()).collect();
                    put(&mut zip, &name, "<i4", &[labels.len()], &bytes)?;
                }
                Targets::Values(v) if mask(set) => {
                    let bytes: Vec<u8> = v.data.iter().map(|&b| b as u8).collect();
                    put(&mut zip, &name, "|u1", &v.shape, &bytes)?;
                }
                Targets::Values(v) => put(&mut zip, &name, "<f4", &v.shape, &le_bytes(&v.data))?,
            }
        }
        if let Some(names) = &set.classes {
            let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0).max(1);
            let mut bytes = Vec::new();
            for name in names {
                let padded = name.chars().map(|c| c as u32).chain(std::iter::repeat(0)).take(width);
                bytes.extend(padded.flat_map(u32::to_le_bytes));
            }
            put(&mut zip, "classes", &format!("<U{width}"), &[names.len()], &bytes)?;
        }
        zip.finish()?.into_inner().map_err(|e| e.into_error())?.sync_all()
    };
    write().map_err(|source| DataError::Io { path: PathBuf::from(path), source })
}

fn mask(set: &Dataset) -> bool {
    use dashnas_core::task::TaskKind;
    matches!(set.task, TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. })
}

/// Adds an array to an archive; `descr` is its element type as NumPy writes it, such as `<f4`.
///
/// # Errors
/// The errors of writing.
pub fn put<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    name: &str,
    descr: &str,
    shape: &[usize],
    bytes: &[u8],
) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(bytes.len() as u64 >= u64::from(u32::MAX) / 2);
    zip.start_file(format!("{name}.npy"), options)?;
    npy::write(zip, descr, shape, bytes)
}
