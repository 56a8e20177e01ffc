//! MATLAB files of level 4 and level 5 (also compressed). Level 7.3 is HDF5, see [`crate::hdf5`].
//!
//! Level 5 is a sequence of elements, each a type, a length and that many bytes, padded to 8; a matrix is an element
//! that holds elements. Nothing is read beyond the end of the file.

use crate::array::Array;
use crate::container::Container;
use crate::error::{DataError, Location};
use crate::info::ArrayInfo;
use crate::layout::row_major;
use crate::limits::check_memory;
use crate::options::ReadOptions;
use flate2::read::ZlibDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The value of a variable.
#[derive(Debug, Clone, PartialEq)]
enum VariableValue {
    Numbers { data: Vec<f32>, integral: bool },
    Text(Vec<String>),
}

/// The variables of a MATLAB file.
#[derive(Debug)]
pub struct Mat {
    path: PathBuf,
    format: &'static str,
    list: Vec<ArrayInfo>,
    values: Vec<VariableValue>,
}

impl Mat {
    /// Opens a file and reads its variables.
    ///
    /// # Errors
    /// [`DataError`] if it is not a MATLAB file of these levels.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        Self::parse(path, &crate::bytes::bytes(path, options.max_bytes)?, options)
    }

    /// Reads the variables from the bytes of a file.
    fn parse(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Self, DataError> {
        let mut mat = Self { path: path.into(), format: "MATLAB file, level 5", list: Vec::new(), values: Vec::new() };
        let bad = |reason: String| {
            DataError::file(path, reason)
                .with_hint("it may be cut short or not be a MATLAB file: save it again with -v7")
        };
        let level5 = bytes.len() >= 128 && matches!(&bytes[126..128], b"IM" | b"MI");
        if level5 {
            let mut reader = ElementReader { big: &bytes[126..128] == b"MI", left: options.max_bytes / 4 };
            let mut rest = &bytes[128..];
            while rest.len() >= 8 {
                let (kind, body, tail) = reader.element(rest).map_err(bad)?;
                rest = tail;
                let mut unpacked = Vec::new();
                let body = match kind {
                    14 => body,
                    15 => {
                        // Eight bytes a value at the most, and names beside them.
                        let limit = reader.left.saturating_mul(8).saturating_add(1 << 20);
                        ZlibDecoder::new(body)
                            .take(limit)
                            .read_to_end(&mut unpacked)
                            .map_err(|e| bad(format!("a compressed variable cannot be unpacked: {e}")))?;
                        match reader.element(&unpacked).map_err(bad)? {
                            (14, body, _) => body,
                            _ => continue,
                        }
                    }
                    _ => continue,
                };
                if let Some((name, shape, value)) = reader.matrix(body, 0).map_err(bad)? {
                    mat.push(name, shape, value);
                }
            }
        } else {
            mat.format = "MATLAB file, level 4";
            level4(bytes, &mut mat, options).map_err(bad)?;
        }
        if mat.list.is_empty() {
            return Err(DataError::file(path, "it holds no variable of numbers or text"));
        }
        let elements = mat.list.iter().map(|i| i.shape.iter().map(|&n| n as u128).product::<u128>()).sum();
        check_memory(path, "variables", elements, options)?;
        Ok(mat)
    }

    fn push(&mut self, name: String, shape: Vec<usize>, value: VariableValue) {
        let (text, dtype) = match &value {
            VariableValue::Text(_) => (true, "text"),
            VariableValue::Numbers { integral: true, .. } => (false, "whole numbers"),
            VariableValue::Numbers { .. } => (false, "real numbers"),
        };
        self.list.push(ArrayInfo { name, shape, dtype: dtype.into(), text });
        self.values.push(value);
    }

    /// Returns the variable of a name.
    fn variable(&self, name: &str) -> Result<(&ArrayInfo, &VariableValue), DataError> {
        let found = self.list.iter().zip(&self.values).find(|(info, _)| info.name == name);
        found.ok_or_else(|| DataError::at(&self.path, Location::Entry(name.into()), "there is no such variable"))
    }
}

impl Container for Mat {
    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> &str {
        self.format
    }

    fn list(&self) -> &[ArrayInfo] {
        &self.list
    }

    fn numbers(&mut self, name: &str) -> Result<(Array, bool), DataError> {
        match self.variable(name)? {
            (info, VariableValue::Numbers { data, integral }) => {
                Ok((Array::new(info.shape.clone(), row_major(&info.shape, data)), *integral))
            }
            _ => Err(DataError::at(&self.path, Location::Entry(name.into()), "the variable holds text, not numbers")),
        }
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        match self.variable(name)? {
            (_, VariableValue::Text(text)) => Ok(text.clone()),
            _ => Err(DataError::at(&self.path, Location::Entry(name.into()), "the variable holds numbers, not text")),
        }
    }
}

/// Reads the variables of level 4: for each, five numbers, its name and its values.
fn level4(bytes: &[u8], mat: &mut Mat, options: &ReadOptions) -> Result<(), String> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let word = |i: usize| rest.get(i * 4..i * 4 + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
        let head: Vec<u32> = (0..5).map_while(word).collect();
        let &[kind, rows, columns, imaginary, name_len] = &head[..] else {
            return Err("it ends in the middle of a variable".into());
        };
        // M = 0 little-endian, O = 0, P the type of the values, T the type of the matrix.
        let (order, p, t) = (kind / 1000, kind / 10 % 10, kind % 10);
        if kind > 4999 || order > 1 || kind / 100 % 10 != 0 || p > 5 || t > 2 || imaginary > 1 {
            return Err("it does not begin as a MATLAB file".into());
        }
        if order == 1 || imaginary == 1 || t == 2 {
            return Err("it holds big-endian, complex or sparse variables, which are not supported".into());
        }
        let size = [8, 4, 4, 2, 2, 1][p as usize];
        let count = rows as u64 * u64::from(columns);
        let (from, name_len) = (20u64, u64::from(name_len));
        let end = count.checked_mul(size).and_then(|n| n.checked_add(from + name_len));
        let Some(end) = end.filter(|&end| end <= rest.len() as u64 && (1..256).contains(&name_len)) else {
            return Err(format!("a variable of {rows}×{columns} does not fit into its {} bytes", rest.len()));
        };
        if count > options.max_bytes / 4 {
            return Err("its variables are larger than the memory limit".into());
        }
        let name = &rest[20..20 + name_len as usize];
        let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
        let body = &rest[20 + name_len as usize..end as usize];
        let kind = [9, 7, 5, 3, 4, 2][p as usize];
        let data = numbers(kind, body, false).ok_or("it holds values of an unknown type")?;
        let shape = vec![rows as usize, columns as usize];
        if t == 1 {
            let rows = rows_of_text(&shape, &data);
            mat.push(name, vec![rows.len()], VariableValue::Text(rows));
        } else {
            let integral = p >= 2 || data.iter().all(|v| v.fract() == 0.0);
            mat.push(name, shape, VariableValue::Numbers { data, integral });
        }
        rest = &rest[end as usize..];
    }
    Ok(())
}

/// Reads the elements of level 5.
struct ElementReader {
    /// Whether the file is big-endian.
    big: bool,
    /// Elements that may still be read.
    left: u64,
}

/// A variable: its name, shape and value.
type Variable = (String, Vec<usize>, VariableValue);

impl ElementReader {
    fn u32(&self, bytes: &[u8]) -> Option<u32> {
        let b: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
        Some(if self.big { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) })
    }

    /// Splits off an element: its type, its body, and the bytes after it.
    fn element<'a>(&self, bytes: &'a [u8]) -> Result<(u32, &'a [u8], &'a [u8]), String> {
        let cut = || "it ends in the middle of a variable".to_owned();
        let tag = self.u32(bytes).ok_or_else(cut)?;
        if tag >> 16 != 0 {
            // Small elements have their length in the tag's upper half and their bytes after it.
            let len = (tag >> 16) as usize;
            let body = bytes.get(4..4 + len).filter(|_| len <= 4).ok_or_else(cut)?;
            return Ok((tag & 0xffff, body, bytes.get(8..).unwrap_or(&[])));
        }
        let len = self.u32(bytes.get(4..).ok_or_else(cut)?).ok_or_else(cut)? as usize;
        let end = 8usize.checked_add(len).ok_or_else(cut)?;
        let body = bytes.get(8..end).ok_or_else(cut)?;
        // Compressed elements are not padded.
        let next = if tag == 15 { end } else { end.next_multiple_of(8) };
        Ok((tag, body, bytes.get(next..).unwrap_or(&[])))
    }

    /// Reads a matrix of numbers or text; returns `None` for structures and the like.
    fn matrix(&mut self, body: &[u8], depth: usize) -> Result<Option<Variable>, String> {
        if body.is_empty() {
            return Ok(None);
        }
        let (_, flags, rest) = self.element(body)?;
        let flags = self.u32(flags).ok_or("a variable has no flags")?;
        let (class, complex, logical) = (flags & 0xff, flags & 0x800 != 0, flags & 0x200 != 0);
        let (_, dims, rest) = self.element(rest)?;
        let shape: Vec<usize> = dims.chunks_exact(4).filter_map(|d| self.u32(d)).map(|d| d as usize).collect();
        let (_, name, rest) = self.element(rest)?;
        let name = String::from_utf8_lossy(name).into_owned();
        let count = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
        let count = count.filter(|_| (2..=16).contains(&shape.len())).ok_or("a variable has an impossible shape")?;
        match class {
            1 if depth == 0 => self.cells(name, count, rest),
            4 | 6..=15 => {
                let (kind, body, _) = self.element(rest)?;
                self.left = self.left.checked_sub(count).ok_or("its variables are larger than the memory limit")?;
                let data = numbers(kind, body, self.big).ok_or("a variable has values of an unknown type")?;
                if data.len() as u64 != count {
                    return Err(format!("`{name}` of shape {shape:?} has {} values", data.len()));
                }
                if class == 4 {
                    let rows = rows_of_text(&shape, &data);
                    return Ok(Some((name, vec![rows.len()], VariableValue::Text(rows))));
                }
                if complex {
                    return Ok(None);
                }
                // Numbers are doubles in MATLAB unless they are converted.
                let integral = logical || class >= 8 || data.iter().all(|v| v.fract() == 0.0);
                Ok(Some((name, shape, VariableValue::Numbers { data, integral })))
            }
            _ => Ok(None),
        }
    }

    /// Reads a cell array of texts; returns `None` if it holds anything else.
    fn cells(&mut self, name: String, count: u64, mut rest: &[u8]) -> Result<Option<Variable>, String> {
        let mut texts = Vec::new();
        while rest.len() >= 8 {
            let (kind, body, tail) = self.element(rest)?;
            rest = tail;
            match (kind, self.matrix(body, 1)?) {
                (14, Some((_, _, VariableValue::Text(mut rows)))) if rows.len() == 1 => texts.append(&mut rows),
                _ => return Ok(None),
            }
        }
        Ok((texts.len() as u64 == count).then(|| (name, vec![texts.len()], VariableValue::Text(texts))))
    }
}

/// Decodes values of a numeric type of the format.
fn numbers(kind: u32, bytes: &[u8], big: bool) -> Option<Vec<f32>> {
    macro_rules! read {
        ($t:ty) => {{
            let (values, rest) = bytes.as_chunks::<{ size_of::<$t>() }>();
            let number =
                |&b: &[u8; size_of::<$t>()]| (if big { <$t>::from_be_bytes(b) } else { <$t>::from_le_bytes(b) }) as f32;
            rest.is_empty().then(|| values.iter().map(number).collect())
        }};
    }
    match kind {
        1 => read!(i8),
        2 | 16 => read!(u8),
        3 => read!(i16),
        4 | 17 => read!(u16),
        5 => read!(i32),
        6 | 18 => read!(u32),
        7 => read!(f32),
        9 => read!(f64),
        12 => read!(i64),
        13 => read!(u64),
        _ => None,
    }
}

/// Decodes the rows of a character matrix, which is stored column by column. Without characters there is at most one
/// empty row, whatever the shape says, because the file has no bytes for more.
fn rows_of_text(shape: &[usize], data: &[f32]) -> Vec<String> {
    let rows = if data.is_empty() { shape[0].min(1) } else { shape[0] };
    let row = |r: usize| -> String {
        let codes = data.iter().skip(r).step_by(rows.max(1)).map(|&v| v as u32);
        codes.map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    (0..rows).map(|r| row(r).trim_end_matches(['\0', ' ']).to_owned()).collect()
}
