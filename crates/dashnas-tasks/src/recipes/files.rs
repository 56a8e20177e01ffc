//! Functions that find and read the files of a task.

use crate::recipes::error::TaskError;
use dashnas_formats::array::Array;
use dashnas_formats::npy::{NpyError, NpyHeader};
use dashnas_formats::pickle::{Item, Pickle};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The first of some relative paths that exists.
pub(super) fn find(task: &'static str, folder: &Path, candidates: &[&str]) -> Result<PathBuf, TaskError> {
    let found = candidates.iter().map(|file| folder.join(file)).find(|path| path.exists());
    found.ok_or_else(|| TaskError::NoFile { task, file: candidates.join(" or "), path: folder.into() })
}

/// The error of a file that differs from the published one.
pub(super) fn unexpected(path: &Path, reason: impl Into<String>) -> TaskError {
    TaskError::Unexpected { path: path.into(), reason: reason.into() }
}

/// Reads a `.npy` file of numbers.
pub(super) fn npy(path: &Path) -> Result<Array, TaskError> {
    let bad = |e: NpyError| match e {
        NpyError::Bad(reason) | NpyError::Shape(reason) => {
            unexpected(path, format!("it is not a NumPy array: {reason}"))
        }
        NpyError::Dtype(dtype) => unexpected(path, format!("its dtype is {dtype}, but it should hold numbers")),
    };
    let file = File::open(path).map_err(|e| unexpected(path, e.to_string()))?;
    let size = file.metadata().map_or(0, |m| m.len());
    let mut reader = BufReader::new(file);
    let header = NpyHeader::read(&mut reader).map_err(bad)?;
    let needed = header.count().map(|n| header.len as u128 + n as u128 * header.elem.size() as u128);
    if needed != Some(u128::from(size)) {
        return Err(unexpected(path, format!("it has {size} bytes, but its header announces {needed:?}")));
    }
    let data = header.read_f32(&mut reader).map_err(bad)?;
    Ok(Array::new(header.shape, data))
}

/// Class labels from 0, of an array of whole numbers from `first`.
pub(super) fn labels(path: &Path, values: &Array, first: u32) -> Result<Vec<u32>, TaskError> {
    let label = |(row, &value): (usize, &f32)| {
        let fits = value.fract() == 0.0 && (f64::from(first)..1e6).contains(&f64::from(value));
        let reason = || format!("label {row} is {value}, not a whole number from {first}");
        if fits { Ok(value as u32 - first) } else { Err(unexpected(path, reason())) }
    };
    values.data.iter().enumerate().map(label).collect()
}

/// Checks that the axes of an array after that of the samples are `rest`.
pub(super) fn shaped(path: &Path, name: &str, array: Array, rest: &[usize]) -> Result<Array, TaskError> {
    if array.shape.get(1..) != Some(rest) {
        let axes: String = rest.iter().map(|n| format!("×{n}")).collect();
        return Err(unexpected(path, format!("`{name}` has shape {:?}, not N{axes}", array.shape)));
    }
    Ok(array)
}

/// The same numbers with other axes after that of the samples.
pub(super) fn reshaped(array: Array, rest: &[usize]) -> Array {
    let shape = [&array.shape[..1], rest].concat();
    Array::new(shape, array.data)
}

/// Transposes `[N, a, b]` to `[N, b, a]`.
pub(super) fn transposed(array: Array) -> Array {
    let [n, a, b] = array.shape[..] else { unreachable!("callers have checked three axes") };
    let mut data = vec![0.0; array.data.len()];
    for (from, to) in array.data.chunks_exact((a * b).max(1)).zip(data.chunks_exact_mut((a * b).max(1))) {
        for i in 0..a {
            for j in 0..b {
                to[j * a + i] = from[i * b + j];
            }
        }
    }
    Array::new(vec![n, b, a], data)
}

/// An entry of a pickled dictionary as an array of numbers.
pub(super) fn numbers(item: Item<'_>, key: &str) -> Result<Array, TaskError> {
    Ok(item.get(key)?.array()?)
}

/// Inputs and labels from a pickled dictionary.
pub(super) fn labeled(
    pickle: Item<'_>,
    path: &Path,
    [data, label]: [&str; 2],
    first: u32,
) -> Result<(Array, Vec<u32>), TaskError> {
    let (x, y) = (numbers(pickle, data)?, numbers(pickle, label)?);
    let y = labels(path, &y, first)?;
    if x.rows() != y.len() {
        return Err(unexpected(path, format!("`{data}` has {} rows, but `{label}` has {}", x.rows(), y.len())));
    }
    Ok((x, y))
}

/// Reads a pickle, in a `.npy` file of objects or in any other file.
pub(super) fn pickle(path: &Path) -> Result<Pickle, TaskError> {
    let npy = path.extension().is_some_and(|e| e == "npy");
    Ok(if npy { Pickle::read_npy(path)? } else { Pickle::read(path)? })
}
