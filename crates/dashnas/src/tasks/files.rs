//! Finding and reading a task's files.

use super::TaskError;
use crate::data::Array;
use crate::data::npy::{Header, NpyError};
use crate::pickle::{Item, Pickle};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The first of some relative paths that is there.
pub(super) fn find(task: &'static str, folder: &Path, candidates: &[&str]) -> Result<PathBuf, TaskError> {
    let found = candidates.iter().map(|file| folder.join(file)).find(|path| path.exists());
    found.ok_or_else(|| TaskError::NoFile { task, file: candidates.join(" or "), path: folder.into() })
}

/// A file that is not as published.
pub(super) fn unexpected(path: &Path, reason: impl Into<String>) -> TaskError {
    TaskError::Unexpected { path: path.into(), reason: reason.into() }
}

/// A `.npy` file of numbers.
pub(super) fn npy(path: &Path) -> Result<Array, TaskError> {
    let bad = |e: NpyError| match e {
        NpyError::Bad(reason) => unexpected(path, format!("it is not a NumPy array: {reason}")),
        NpyError::Dtype(dtype) => unexpected(path, format!("its dtype is {dtype}, where numbers were expected")),
    };
    let file = File::open(path).map_err(|e| unexpected(path, e.to_string()))?;
    let size = file.metadata().map_or(0, |m| m.len());
    let mut reader = BufReader::new(file);
    let header = Header::read(&mut reader).map_err(bad)?;
    let needed = header.count().map(|n| header.len as u128 + n as u128 * header.elem.size() as u128);
    if needed != Some(u128::from(size)) {
        return Err(unexpected(path, format!("its header calls for {needed:?} bytes, but it has {size}")));
    }
    let data = header.read_f32(&mut reader).map_err(bad)?;
    Ok(Array::new(header.shape, data))
}

/// Class numbers from an array of numbers, the smallest of which is `first`.
pub(super) fn labels(path: &Path, values: &Array, first: u32) -> Result<Vec<u32>, TaskError> {
    let label = |(row, &value): (usize, &f32)| {
        let fits = value.fract() == 0.0 && (f64::from(first)..1e6).contains(&f64::from(value));
        let reason = || format!("label {row} is {value}, not a whole number from {first}");
        if fits { Ok(value as u32 - first) } else { Err(unexpected(path, reason())) }
    };
    values.data.iter().enumerate().map(label).collect()
}

/// Inputs of a shape that begins with the sample and whose other axes are given.
pub(super) fn shaped(path: &Path, name: &str, array: Array, rest: &[usize]) -> Result<Array, TaskError> {
    if array.shape.get(1..) != Some(rest) {
        let axes: String = rest.iter().map(|n| format!("×{n}")).collect();
        return Err(unexpected(path, format!("`{name}` has shape {:?}, not N{axes}", array.shape)));
    }
    Ok(array)
}

/// The same numbers under other axes after the sample.
pub(super) fn reshaped(array: Array, rest: &[usize]) -> Array {
    let shape = [&array.shape[..1], rest].concat();
    Array::new(shape, array.data)
}

/// `[N, a, b]` to `[N, b, a]`.
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

/// An entry of a pickled dictionary as numbers.
pub(super) fn numbers(item: Item<'_>, key: &str) -> Result<Array, TaskError> {
    Ok(item.get(key)?.array()?)
}

/// Inputs and labels from a pickled dictionary.
pub(super) fn labelled(
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

/// A pickle, from a `.npy` file of objects or any other.
pub(super) fn pickle(path: &Path) -> Result<Pickle, TaskError> {
    let npy = path.extension().is_some_and(|e| e == "npy");
    Ok(if npy { Pickle::read_npy(path)? } else { Pickle::read(path)? })
}
