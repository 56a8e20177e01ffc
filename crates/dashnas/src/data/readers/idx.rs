//! IDX files, the format of MNIST: images and labels in two files, gzipped or not.

use crate::data::infer::RawTargets;
use crate::data::raw::{Labels, Part, Raw, Role, afford};
use crate::data::{Array, DataError, Layout, ReadOptions};
use std::path::{Path, PathBuf};

/// Reads the array in the bytes of a file; and whether its type is integer.
pub(crate) fn parse(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<(Array, bool), DataError> {
    let bad = |reason: String| DataError::file(path, reason).with_hint("it may be cut short: get it again");
    let &[0, 0, kind, axes, ..] = bytes else {
        return Err(bad("it does not begin as an IDX file".into()));
    };
    let size = match kind {
        8 | 9 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => return Err(bad(format!("its type {kind:#04x} is none of IDX"))),
    };
    let start = 4 + 4 * axes as usize;
    let head = bytes.get(4..start).ok_or_else(|| bad("it ends in its header".into()))?;
    let shape: Vec<usize> = head.as_chunks::<4>().0.iter().map(|&b| u32::from_be_bytes(b) as usize).collect();
    let count = shape.iter().try_fold(1u128, |n, &d| n.checked_mul(d as u128)).unwrap_or(u128::MAX / 16);
    let body = &bytes[start..];
    if axes == 0 || count * size != body.len() as u128 {
        return Err(bad(format!("its header calls for {shape:?} values, but {} bytes follow", body.len())));
    }
    afford(path, "array", count, options)?;
    let data = match kind {
        8 => body.iter().map(|&b| f32::from(b)).collect(),
        9 => body.iter().map(|&b| f32::from(b as i8)).collect(),
        0x0b => body.as_chunks::<2>().0.iter().map(|&b| f32::from(i16::from_be_bytes(b))).collect(),
        0x0c => body.as_chunks::<4>().0.iter().map(|&b| i32::from_be_bytes(b) as f32).collect(),
        0x0d => body.as_chunks::<4>().0.iter().map(|&b| f32::from_be_bytes(b)).collect(),
        _ => body.as_chunks::<8>().0.iter().map(|&b| f64::from_be_bytes(b) as f32).collect(),
    };
    Ok((Array::new(shape, data), kind < 0x0d))
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
        let x = parse(images, &super::bytes(images, options.max_bytes)?, options)?.0;
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
                let (array, integral) = parse(labels, &super::bytes(labels, options.max_bytes)?, options)?;
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
