//! IDX files, the format of MNIST: images and labels in two files, gzipped or not.

use crate::array::Array;
use crate::error::DataError;
use crate::file_rows;
use crate::found::{Labels, NumericTargets, UnassembledData, UnassembledSplit};
use crate::limits::check_memory;
use crate::limits::stays_in_file;
use crate::naming::is_gzipped;
use crate::npy::{Elem, NpyHeader, decode_row};
use crate::options::{Layout, ReadOptions};
use crate::role::Role;
use crate::sample_facts::{Counting, Places, SampleFacts, Source};
use crate::spill::Rows;
use flate2::read::MultiGzDecoder;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// The error for a file that is not as its header says.
fn bad(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::file(path, reason.into()).with_hint("it may be cut short: get it again")
}

/// Reads the header of a file.
fn header(path: &Path, reader: &mut impl Read) -> Result<NpyHeader, DataError> {
    let mut start = [0; 4];
    let read = reader.read_exact(&mut start);
    let (elem, axes) = match (read, start) {
        (Ok(()), [0, 0, kind, axes]) => match kind {
            8 => (Elem::U8, axes),
            9 => (Elem::I8, axes),
            0x0b => (Elem::I16, axes),
            0x0c => (Elem::I32, axes),
            0x0d => (Elem::F32, axes),
            0x0e => (Elem::F64, axes),
            _ => return Err(bad(path, format!("its type {kind:#04x} is not one of the format"))),
        },
        _ => return Err(bad(path, "it does not begin like an IDX file")),
    };
    let mut sizes = vec![0; 4 * axes as usize];
    reader.read_exact(&mut sizes).map_err(|_| bad(path, "it ends in its header"))?;
    let shape = sizes.as_chunks::<4>().0.iter().map(|&b| u32::from_be_bytes(b) as usize).collect();
    Ok(NpyHeader { elem, big_endian: true, fortran: false, shape, len: 4 + sizes.len() })
}

/// Returns the number of elements in a header, however large.
fn count(header: &NpyHeader) -> u128 {
    header.shape.iter().try_fold(1u128, |n, &d| n.checked_mul(d as u128)).unwrap_or(u128::MAX / 16)
}

/// Refuses a file with another number of bytes after its header than the header gives.
fn check_length(path: &Path, header: &NpyHeader, found: u64) -> Result<(), DataError> {
    if header.shape.is_empty() || count(header) * header.elem.size() as u128 != u128::from(found) {
        return Err(bad(path, format!("its header calls for {:?} values, but {found} bytes follow", header.shape)));
    }
    Ok(())
}

/// Reads the array of a file into memory, and whether its type is an integer.
fn parse(path: &Path, options: &ReadOptions) -> Result<(Array, bool), DataError> {
    let mut bytes = crate::bytes::bytes(path, options.whole_file())?;
    let header = header(path, &mut &bytes[..])?;
    let body = &mut bytes[header.len..];
    check_length(path, &header, body.len() as u64)?;
    check_memory(path, "array", count(&header), options)?;
    let data = decode_row(&header, body, None);
    Ok((Array::new(header.shape, data), header.elem.is_integral()))
}

/// Reads the images of a file into memory or, if they are larger than the options allow in memory, opens them in their
/// file or decompressed into a temporary one.
fn images(path: &Path, options: &ReadOptions) -> Result<Array, DataError> {
    let open = || File::open(path).map_err(|e| DataError::io(path, e));
    let larger_than_memory =
        |header: &NpyHeader| header.shape.len() > 1 && stays_in_file(count(header), options.in_memory);
    if !is_gzipped(path) {
        let file = open()?;
        let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
        if let Ok(header) = header(path, &mut BufReader::new(file))
            && larger_than_memory(&header)
        {
            let start = header.len as u64;
            check_length(path, &header, size.saturating_sub(start))?;
            if let Some(array) = file_rows::open(path, start, header, None)? {
                return Ok(array);
            }
        }
    } else {
        let mut reader = BufReader::new(MultiGzDecoder::new(open()?));
        if let Ok(header) = header(path, &mut reader)
            && larger_than_memory(&header)
        {
            return decompress(path, &header, reader, options);
        }
    }
    // This reports whatever is wrong with the header.
    Ok(parse(path, options)?.0)
}

/// Decompresses images one after another.
fn decompress(
    path: &Path,
    header: &NpyHeader,
    mut reader: impl Read,
    options: &ReadOptions,
) -> Result<Array, DataError> {
    let width = header.shape[1..].iter().try_fold(header.elem.size(), |n, &d| n.checked_mul(d));
    let Some(width) = width.filter(|&bytes| bytes as u64 <= options.max_bytes) else {
        return Err(bad(path, format!("its header calls for {:?} values", header.shape)));
    };
    let mut rows = Rows::new(path, "images", header.shape.clone(), options)?;
    let mut bytes = vec![0; width];
    for row in 0..header.shape[0] {
        reader.read_exact(&mut bytes).map_err(|e| bad(path, format!("image {row} cannot be decompressed: {e}")))?;
        rows.push(&decode_row(header, &mut bytes, None))?;
    }
    match reader.read(&mut [0]) {
        Ok(0) => rows.array(),
        Ok(_) => Err(bad(path, format!("more bytes follow the {:?} values that its header calls for", header.shape))),
        Err(e) => Err(bad(path, format!("it cannot be decompressed: {e}"))),
    }
}

/// Returns whether a file is named as IDX files are.
pub(crate) fn is_idx(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_ascii_lowercase();
    name.contains("-idx") || name.contains(".idx") || name.contains("-ubyte")
}

/// A file by itself; of images that are scored, with the file of their labels if it is there.
pub(crate) fn alone(path: &Path, options: &ReadOptions) -> Vec<PathBuf> {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let labels = path.with_file_name(name.replacen("images", "labels", 1).replacen("idx3", "idx1", 1));
    let found = options.scored && labels != path && labels.is_file();
    [path.to_owned()].into_iter().chain(found.then_some(labels)).collect()
}

/// Reads a file with the other IDX files beside it.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_with_partners(
    path: &Path,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).map_err(|e| DataError::io(folder, e))?;
    let mut files: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| is_idx(p)).collect();
    files.sort();
    read(path, &files, options, labeled)
}

/// Reads the image and label files among `files`; `path` is the file or the folder.
///
/// # Errors
/// [`DataError`] with the file that cannot be read, or that is missing.
pub(crate) fn read(
    path: &Path,
    files: &[PathBuf],
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let mut raw = UnassembledData::new("IDX files (MNIST)", options);
    let name = |p: &Path| p.file_name().and_then(|n| n.to_str()).unwrap_or("").to_ascii_lowercase();
    let role = |p: &Path| if name(p).contains("train") { Role::Train } else { Role::Test };
    let split = files.iter().any(|p| role(p) == Role::Train) && files.iter().any(|p| role(p) == Role::Test);
    for wanted in [Role::Train, Role::Test] {
        let of = |word: &str| files.iter().find(|p| role(p) == wanted && name(p).contains(word));
        let (images, labels) = (of("images"), of("labels"));
        let Some(images) = images else {
            if let (Some(labels), true) = (labels, labeled) {
                return Err(DataError::file(labels, "there is no file of images for these labels beside it"));
            }
            continue;
        };
        raw.file(images);
        let x = self::images(images, options)?;
        if x.shape.len() == 3 {
            // These are images and not channels of series, even if they are small.
            raw.reading.layout.get_or_insert(Layout::NoChannels);
        }
        let y = match labels {
            None if labeled => {
                let shape = x.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
                let contents = vec![format!("images {shape}")];
                let missing = "the file of labels of the same name beside it".into();
                return Err(DataError::Incomplete { path: path.into(), format: raw.format, contents, missing });
            }
            None => None,
            Some(labels) => {
                raw.file(labels);
                let (array, integral) = parse(labels, options)?;
                Some(Labels::Numbers(NumericTargets { name: format!("y_{}", wanted.name()), array, integral }))
            }
        };
        let source = Source { file: images.display().to_string(), array: None, targets: None };
        let places = Some(Places::numbered(source, Counting::Indices, x.rows()));
        let facts = SampleFacts { places, ..SampleFacts::default() };
        raw.parts.push(UnassembledSplit {
            role: if split { wanted } else { Role::All },
            x,
            y,
            groups: None,
            ids: None,
            facts,
        });
    }
    if raw.parts.is_empty() {
        return Err(DataError::file(path, "there is no file of images (NAME-images-idx3-ubyte)"));
    }
    Ok(raw)
}
