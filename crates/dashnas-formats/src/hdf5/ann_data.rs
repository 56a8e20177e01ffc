//! The conventions of AnnData (`.h5ad`): a matrix `X` of cells by genes, dense or sparse, and columns that describe the
//! cells in the group `obs`.

use crate::error::DataError;
use crate::hdf5::list::{Entry, Storage};
use crate::hdf5::source::{Attributes, Kind, Source};
use crate::info::{ArrayInfo, Refusal};
use hdf5_pure::AttrValue;
use std::path::Path;

/// Returns whether a file is one of AnnData, by its name or by what it says of itself.
pub(super) fn is_ann_data(path: &Path, file: &dyn Source) -> bool {
    let says = |attrs: Attributes| attrs.get("encoding-type").and_then(AttrValue::as_str) == Some("anndata");
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("h5ad")) || file.attrs("").is_ok_and(says)
}

/// Returns the matrix and the columns of the cells, each under its own name, out of all arrays of the file. Everything
/// else describes genes, or was computed from the matrix.
///
/// # Errors
/// [`DataError::File`] if there is no matrix.
pub(super) fn entries(path: &Path, file: &dyn Source, all: Vec<Entry>) -> Result<Vec<Entry>, DataError> {
    let mut found = Vec::new();
    match all.iter().find(|entry| entry.path == "X") {
        Some(entry) => found.push(entry.clone()),
        None => found.push(sparse(file).ok_or_else(|| {
            DataError::file(path, "it is an AnnData file (.h5ad) without a matrix X").with_hint(
                "save arrays in Python: numpy.savez(file, x=a.obsm['X_pca'], y=a.obs['cell_type'].to_numpy(str))",
            )
        })?),
    }
    for entry in &all {
        let Some(name) = entry.path.strip_prefix("obs/").filter(|name| !name.starts_with('_')) else { continue };
        match name.split_once('/') {
            None => {
                // Columns of these names are coordinates of the cells.
                let axis = ["x", "y"].contains(&name.to_lowercase().as_str());
                let info = ArrayInfo { name: name.into(), axis, ..entry.info.clone() };
                found.push(Entry { info, ..entry.clone() });
            }
            // A column of classes is the number of each, and the names of all.
            Some((name, "codes")) => found.push(Entry {
                info: ArrayInfo { name: name.into(), dtype: "text".into(), text: true, ..entry.info.clone() },
                path: format!("obs/{name}"),
                storage: Storage::Categories,
                packing: None,
                ..entry.clone()
            }),
            Some(_) => {}
        }
    }
    // The only column of classes is the label, whatever its name is.
    let mut classes = found.iter_mut().filter(|entry| entry.storage == Storage::Categories);
    if let (Some(only), None) = (classes.next(), classes.next()) {
        only.info.only_classes = true;
    }
    Ok(found)
}

/// The entry of a sparse matrix `X`.
fn sparse(file: &dyn Source) -> Option<Entry> {
    let attrs = file.attrs("X").ok()?;
    let kind = attrs.get("encoding-type").or_else(|| attrs.get("h5sparse_format")).and_then(AttrValue::as_str)?;
    let shape = attrs.get("shape").or_else(|| attrs.get("h5sparse_shape")).and_then(AttrValue::to_u64s)?;
    let shape: Vec<usize> = shape.into_iter().filter_map(|n| usize::try_from(n).ok()).collect();
    let by_rows = kind.starts_with("csr");
    if shape.len() != 2 || !(by_rows || kind.starts_with("csc")) {
        let refusal =
            Refusal { reason: format!("it is {kind}, which is not supported"), hint: "save a.X.toarray()".into() };
        return Some(Entry::refused("X", kind, refusal));
    }
    let info = ArrayInfo { name: "X".into(), shape, dtype: "sparse numbers".into(), ..ArrayInfo::default() };
    Some(Entry::new(info, "X", Storage::Sparse { by_rows }))
}

/// Reads the names of a column of classes, of at most so many bytes together.
///
/// # Errors
/// The cause, if the column is damaged or some samples have no class.
pub(super) fn categories(file: &dyn Source, path: &str, most: usize) -> Result<Vec<String>, String> {
    let names = file.data(&format!("{path}/categories"))?;
    let names = match names.kind()?.0 {
        Kind::Text => names.texts(most)?,
        Kind::Float { .. } => names.f64s()?.iter().map(f64::to_string).collect(),
        _ => names.i64s()?.iter().map(i64::to_string).collect(),
    };
    let codes = file.data(&format!("{path}/codes"))?.i64s()?;
    let name = |(row, code): (usize, &i64)| {
        let name = usize::try_from(*code).ok().and_then(|code| names.get(code));
        name.cloned().ok_or_else(|| format!("the label of sample {row} (from 0) is missing"))
    };
    codes.iter().enumerate().map(name).collect()
}

/// Reads a sparse matrix of this shape, of at most `most` values, as a full one in row-major order.
///
/// # Errors
/// The cause, if it is damaged.
pub(super) fn full(file: &dyn Source, shape: &[usize], by_rows: bool, most: u64) -> Result<Vec<f32>, String> {
    let damaged = || "the sparse matrix is damaged".to_owned();
    let &[rows, columns] = shape else { return Err(damaged()) };
    let part = |name: &str| {
        let data = file.data(&format!("X/{name}"))?;
        let count = data.shape()?.iter().try_fold(1u64, |n, &d| n.checked_mul(d));
        count.filter(|&n| n <= most).ok_or("it is larger than the memory limit").map_err(str::to_owned)?;
        Ok::<_, String>(data)
    };
    let (indices, starts, values) = (part("indices")?, part("indptr")?, part("data")?);
    let (indices, starts) = (indices.u64s()?, starts.u64s()?);
    let values = values.numbers(&values.kind()?.0, 0..u64::MAX)?;
    let lines = if by_rows { rows } else { columns };
    if starts.len() != lines.saturating_add(1) || indices.len() != values.len() {
        return Err(damaged());
    }
    let mut data = vec![0f32; rows.checked_mul(columns).ok_or_else(damaged)?];
    for (line, bounds) in starts.windows(2).enumerate() {
        let bound = |b: u64| usize::try_from(b).map_err(|_| damaged());
        let range = bound(bounds[0])?..bound(bounds[1])?;
        let entries = indices.get(range.clone()).zip(values.get(range)).ok_or_else(damaged)?;
        for (&index, &value) in entries.0.iter().zip(entries.1) {
            let index = bound(index)?;
            let (row, column) = if by_rows { (line, index) } else { (index, line) };
            if row >= rows || column >= columns {
                return Err(damaged());
            }
            data[row * columns + column] = value;
        }
    }
    Ok(data)
}
