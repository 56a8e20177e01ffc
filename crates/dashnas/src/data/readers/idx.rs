//! IDX files, the format of MNIST: images and labels in two files, gzipped or not.

use crate::data::infer::RawTargets;
use crate::data::npy::{Elem, Header, decode_row};
use crate::data::outside::{Outside, larger};
use crate::data::raw::{Labels, Part, Raw, Role, afford};
use crate::data::spill::Rows;
use crate::data::{Array, DataError, Layout, ReadOptions};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

fn bad(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::file(path, reason.into()).with_hint("it may be cut short: get it again")
}

/// What the beginning of a file says of the array in it.
fn head(path: &Path, reader: &mut impl Read) -> Result<Header, DataError> {
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
            _ => return Err(bad(path, format!("its type {kind:#04x} is none of IDX"))),
        },
        _ => return Err(bad(path, "it does not begin as an IDX file")),
    };
    let mut sizes = vec![0; 4 * axes as usize];
    reader.read_exact(&mut sizes).map_err(|_| bad(path, "it ends in its header"))?;
    let shape = sizes.as_chunks::<4>().0.iter().map(|&b| u32::from_be_bytes(b) as usize).collect();
    Ok(Header { elem, big_endian: true, fortran: false, shape, len: 4 + sizes.len() })
}

/// Elements, however many a header calls for.
fn count(header: &Header) -> u128 {
    header.shape.iter().try_fold(1u128, |n, &d| n.checked_mul(d as u128)).unwrap_or(u128::MAX / 16)
}

/// The file is as long as its header says, `found` bytes after it.
fn whole(path: &Path, header: &Header, found: u64) -> Result<(), DataError> {
    if header.shape.is_empty() || count(header) * header.elem.size() as u128 != u128::from(found) {
        return Err(bad(path, format!("its header calls for {:?} values, but {found} bytes follow", header.shape)));
    }
    Ok(())
}

/// Reads the array of a file into memory; and whether its type is integer.
fn parse(path: &Path, options: &ReadOptions) -> Result<(Array, bool), DataError> {
    let mut bytes = super::bytes(path, options.max_bytes)?;
    let header = head(path, &mut &bytes[..])?;
    let body = &mut bytes[header.len..];
    whole(path, &header, body.len() as u64)?;
    afford(path, "array", count(&header), options)?;
    let data = decode_row(&header, body);
    Ok((Array::new(header.shape, data), header.elem.is_integral()))
}

/// The images of a file: in memory, or, where they are larger than memory should hold, where they are or unpacked
/// into a file of their own.
fn images(path: &Path, options: &ReadOptions) -> Result<Array, DataError> {
    let open = || File::open(path).map_err(|e| DataError::io(path, e));
    let apart = |header: &Header| header.shape.len() > 1 && larger(count(header), options.in_memory);
    if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
        let file = open()?;
        let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
        if let Ok(header) = head(path, &mut BufReader::new(file))
            && apart(&header)
        {
            let start = header.len as u64;
            whole(path, &header, size.saturating_sub(start))?;
            if let Some(array) = Outside::open(path, start, header)? {
                return Ok(array);
            }
        }
    } else {
        let mut reader = BufReader::new(MultiGzDecoder::new(open()?));
        if let Ok(header) = head(path, &mut reader)
            && apart(&header)
        {
            return unpacked(path, &header, reader, options);
        }
    }
    // Whatever is wrong with its header is said by this.
    Ok(parse(path, options)?.0)
}

/// Rows that are unpacked one after another.
fn unpacked(path: &Path, header: &Header, mut reader: impl Read, options: &ReadOptions) -> Result<Array, DataError> {
    let width = header.shape[1..].iter().try_fold(header.elem.size(), |n, &d| n.checked_mul(d));
    let Some(width) = width.filter(|&bytes| bytes as u64 <= options.max_bytes) else {
        return Err(bad(path, format!("its header calls for {:?} values", header.shape)));
    };
    let mut rows = Rows::new(path, "images", header.shape.clone(), options)?;
    let mut bytes = vec![0; width];
    for row in 0..header.shape[0] {
        reader.read_exact(&mut bytes).map_err(|e| bad(path, format!("image {row} cannot be unpacked: {e}")))?;
        rows.push(&decode_row(header, &mut bytes))?;
    }
    match reader.read(&mut [0]) {
        Ok(0) => rows.array(),
        Ok(_) => Err(bad(path, format!("it goes on after the {:?} values that its header calls for", header.shape))),
        Err(e) => Err(bad(path, format!("it cannot be unpacked: {e}"))),
    }
}

/// Whether a file is named as IDX files are.
pub(crate) fn is_idx(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_ascii_lowercase();
    name.contains("-idx") || name.contains(".idx") || name.contains("-ubyte")
}

/// Reads the image and label files in `files`.
pub(crate) fn read(path: &Path, files: &[PathBuf], options: &ReadOptions, labelled: bool) -> Result<Raw, DataError> {
    let mut raw = Raw::new("IDX files (MNIST)", options);
    let name = |p: &Path| p.file_name().and_then(|n| n.to_str()).unwrap_or("").to_ascii_lowercase();
    let role = |p: &Path| if name(p).contains("train") { Role::Train } else { Role::Test };
    let split = files.iter().any(|p| role(p) == Role::Train) && files.iter().any(|p| role(p) == Role::Test);
    for wanted in [Role::Train, Role::Test] {
        let of = |word: &str| files.iter().find(|p| role(p) == wanted && name(p).contains(word));
        let (images, labels) = (of("images"), of("labels"));
        let Some(images) = images else {
            if let (Some(labels), true) = (labels, labelled) {
                return Err(DataError::file(labels, "there is no file of images to these labels beside it"));
            }
            continue;
        };
        raw.file(images);
        let x = self::images(images, options)?;
        if x.shape.len() == 3 {
            // However small they are, these are images and not channels of series.
            raw.reading.layout.get_or_insert(Layout::NoChannels);
        }
        let y = match labels {
            None if labelled => {
                let shape = x.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
                let contents = vec![format!("images {shape}")];
                let missing = "the file of labels of the same name beside it".into();
                return Err(DataError::Incomplete { path: path.into(), format: raw.format, contents, missing });
            }
            None => None,
            Some(labels) => {
                raw.file(labels);
                let (array, integral) = parse(labels, options)?;
                Some(Labels::Numbers(RawTargets { name: format!("y_{}", wanted.name()), array, integral }))
            }
        };
        raw.parts.push(Part { role: if split { wanted } else { Role::All }, x, y, groups: None, ids: None });
    }
    if raw.parts.is_empty() {
        return Err(DataError::file(path, "there is no file of images (NAME-images-idx3-ubyte)"));
    }
    Ok(raw)
}
