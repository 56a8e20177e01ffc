//! Variables of level 5: a sequence of elements, each a type, a length and that many bytes, padded to 8; a matrix is an
//! element that holds elements. Nothing is read beyond the end of the file.

use crate::mat::variable::{Value, Variable, numbers, whole};
use crate::text::rows_of_text;
use flate2::read::ZlibDecoder;
use std::io::Read;

/// Deepest structure in structures that is read.
const MAX_DEPTH: usize = 4;

/// The types of elements that hold others.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Reads the variables of a file that begins with a header of 128 bytes, of at most `left` elements together.
/// With `digits`, numbers that have more digits than `f32` are kept as they are as well.
pub(super) fn read(bytes: &[u8], left: u64, digits: bool) -> Result<Vec<Variable>, String> {
    let big = bytes.get(126..128) == Some(b"MI");
    let mut reader = ElementReader { big, left, digits, variables: Vec::new() };
    let mut rest = bytes.get(128..).unwrap_or(&[]);
    while rest.len() >= 8 {
        let (kind, body, tail) = reader.element(rest)?;
        rest = tail;
        let mut unpacked = Vec::new();
        let body = match kind {
            MATRIX => body,
            COMPRESSED => {
                // Eight bytes a value at the most, and names beside them.
                let limit = reader.left.saturating_mul(8).saturating_add(1 << 20);
                ZlibDecoder::new(body)
                    .take(limit)
                    .read_to_end(&mut unpacked)
                    .map_err(|e| format!("a compressed variable cannot be unpacked: {e}"))?;
                match reader.element(&unpacked)? {
                    (MATRIX, body, _) => body,
                    _ => continue,
                }
            }
            _ => continue,
        };
        if let Some(header) = reader.header(body)?
            // The contents of objects are kept in a matrix without a name.
            && !header.name.is_empty()
        {
            reader.variable(header, 0)?;
        }
    }
    Ok(reader.variables)
}

/// The beginning of a matrix, and the elements after it.
struct Header<'a> {
    class: u32,
    complex: bool,
    logical: bool,
    shape: Vec<usize>,
    /// Number of elements.
    count: u64,
    name: String,
    rest: &'a [u8],
}

/// Reads elements.
struct ElementReader {
    /// Whether the file is big-endian.
    big: bool,
    /// Elements that may still be read.
    left: u64,
    /// Whether numbers of more digits than `f32` are kept as they are as well.
    digits: bool,
    /// The variables that were read.
    variables: Vec<Variable>,
}

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
        let next = if tag == COMPRESSED { end } else { end.next_multiple_of(8) };
        Ok((tag, body, bytes.get(next..).unwrap_or(&[])))
    }

    /// Reads the beginning of a matrix; `None` if the matrix is empty.
    fn header<'a>(&mut self, body: &'a [u8]) -> Result<Option<Header<'a>>, String> {
        if body.is_empty() {
            return Ok(None);
        }
        let (_, flags, rest) = self.element(body)?;
        let flags = self.u32(flags).ok_or("a variable has no flags")?;
        let (class, complex, logical) = (flags & 0xff, flags & 0x800 != 0, flags & 0x200 != 0);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
        if class == 17 {
            // An object has no shape: its name, the system of types, and its class come next.
            let (_, name, rest) = self.element(rest)?;
            let shape = Vec::new();
            return Ok(Some(Header { class, complex, logical, shape, count: 0, name: text(name), rest }));
        }
        let (_, dims, rest) = self.element(rest)?;
        let shape: Vec<usize> = dims.chunks_exact(4).filter_map(|d| self.u32(d)).map(|d| d as usize).collect();
        let (_, name, rest) = self.element(rest)?;
        let count = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
        let count = count.filter(|_| (2..=16).contains(&shape.len())).ok_or("a variable has an impossible shape")?;
        Ok(Some(Header { class, complex, logical, shape, count, name: text(name), rest }))
    }

    /// Reads a variable into the list, and the fields of a structure each as a variable of its own.
    fn variable(&mut self, header: Header<'_>, depth: usize) -> Result<(), String> {
        let name = header.name.clone();
        let refused = |what: &str, hint: String| Variable::refused(name.clone(), what, hint);
        let variable = match header.class {
            1 => self.cells(header)?,
            2 if header.count == 1 && depth < MAX_DEPTH => return self.fields(header, depth),
            2 => {
                let what = format!("a struct array of {}", sizes(&header.shape));
                refused(&what, "save its fields as arrays: X = cat(1, s.X); y = [s.y]'".into())
            }
            5 => self.sparse(header)?,
            4 | 6..=15 if header.complex => {
                refused("complex", format!("save its parts as channels: cat(2, real({name}), imag({name}))"))
            }
            4 | 6..=15 => self.matrix(header)?,
            16 => refused("a function handle", "save arrays".into()),
            3 | 17 => self.object(&header)?,
            _ => refused("a variable of an unknown class", "save arrays of numbers or text".into()),
        };
        self.variables.push(variable);
        Ok(())
    }

    /// Names the class of an object, which cannot be read.
    fn object(&self, header: &Header<'_>) -> Result<Variable, String> {
        let name = &header.name;
        let (_, first, rest) = self.element(header.rest)?;
        let class = if header.class == 17 { self.element(rest)?.1 } else { first };
        let class = String::from_utf8_lossy(class).trim_end_matches('\0').to_owned();
        let hint = match class.as_str() {
            "string" | "categorical" => format!("save text as a cell array: {name} = cellstr({name})"),
            "table" => format!("save its columns: X = table2array({name}(:, 1:end-1)); y = {name}{{:, end}}"),
            "datetime" | "duration" => format!("save numbers: {name} = datenum({name})"),
            _ => "save arrays of numbers or text".into(),
        };
        Ok(Variable::refused(name.clone(), &format!("a MATLAB object of the class {class}"), hint))
    }

    /// Reads a matrix of numbers or text.
    fn matrix(&mut self, header: Header<'_>) -> Result<Variable, String> {
        let Header { class, logical, shape, count, name, rest, .. } = header;
        let (kind, body, _) = self.element(rest)?;
        self.left = self.left.checked_sub(count).ok_or("its variables are larger than the memory limit")?;
        if class == 4 && kind == 16 && shape.first() == Some(&1) {
            // One row of UTF-8, in which a character may take several bytes.
            let text = String::from_utf8_lossy(body).trim_end_matches(['\0', ' ']).to_owned();
            return Ok(Variable::text(name, vec![text]));
        }
        let data = numbers(kind, body, self.big).ok_or("a variable has values of an unknown type")?;
        if data.len() as u64 != count {
            return Err(format!("`{name}` of shape {shape:?} has {} values", data.len()));
        }
        if class == 4 {
            return Ok(Variable::text(name, rows_of_text(&shape, &data)));
        }
        // Numbers are doubles in MATLAB unless they are converted.
        let integral = logical || class >= 8 || data.iter().all(|v| v.fract() == 0.0);
        let whole = if integral { whole(kind, body, self.big, &shape, &data) } else { None };
        Ok(Variable::numbers(name, shape, data, integral, whole).with_digits(kind, body, self.big, self.digits))
    }

    /// Reads a sparse matrix: the rows of its values, where each column begins, and the values.
    fn sparse(&mut self, header: Header<'_>) -> Result<Variable, String> {
        let Header { complex, shape, count, name, rest, .. } = header;
        if complex {
            return Ok(Variable::refused(name.clone(), "sparse and complex", format!("save abs(full({name}))")));
        }
        let damaged = || format!("the sparse variable `{name}` is damaged");
        let (_, rows, rest) = self.element(rest)?;
        let (_, starts, rest) = self.element(rest)?;
        let (kind, values, _) = self.element(rest)?;
        let index = |bytes: &[u8]| -> Vec<usize> {
            bytes.chunks_exact(4).filter_map(|b| self.u32(b)).map(|v| v as usize).collect()
        };
        let (rows, starts) = (index(rows), index(starts));
        let values = numbers(kind, values, self.big).ok_or_else(damaged)?;
        let &[height, width] = &shape[..] else { return Err(damaged()) };
        if starts.len() != width.saturating_add(1) {
            return Err(damaged());
        }
        self.left = self.left.checked_sub(count).ok_or("its variables are larger than the memory limit")?;
        let mut data = vec![0f32; count as usize];
        for (column, bounds) in starts.windows(2).enumerate() {
            let range = bounds[0]..bounds[1];
            let entries = rows.get(range.clone()).zip(values.get(range)).ok_or_else(damaged)?;
            for (&row, &value) in entries.0.iter().zip(entries.1) {
                *data.get_mut(column * height + row).filter(|_| row < height).ok_or_else(damaged)? = value;
            }
        }
        let integral = data.iter().all(|v| v.fract() == 0.0);
        Ok(Variable::numbers(name, shape, data, integral, None))
    }

    /// Reads a cell array of texts, or of single numbers.
    fn cells(&mut self, header: Header<'_>) -> Result<Variable, String> {
        let Header { count, name, mut rest, shape, .. } = header;
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        let mut other = false;
        while rest.len() >= 8 && !other {
            let (kind, body, tail) = self.element(rest)?;
            rest = tail;
            let inner = if kind == MATRIX { self.header(body)? } else { None };
            let value = match inner {
                Some(inner) if matches!(inner.class, 4 | 6..=15) && !inner.complex => self.matrix(inner)?.value,
                _ => Value::Nothing,
            };
            match value {
                Value::Text(mut rows) if rows.len() == 1 => texts.append(&mut rows),
                Value::Numbers { data, .. } if data.len() == 1 => numbers.extend(data),
                _ => other = true,
            }
        }
        if !other && texts.len() as u64 == count {
            return Ok(Variable::text(name, texts));
        }
        if !other && numbers.len() as u64 == count {
            let integral = numbers.iter().all(|v: &f32| v.fract() == 0.0);
            return Ok(Variable::numbers(name, shape, numbers, integral, None));
        }
        let what = format!("a cell array of {} arrays", sizes(&shape));
        let hint = format!("save one array: {name} = cat(1, {name}{{:}}), or series of unequal length as a .ts file");
        Ok(Variable::refused(name, &what, hint))
    }

    /// Reads the fields of a structure.
    fn fields(&mut self, header: Header<'_>, depth: usize) -> Result<(), String> {
        let (_, width, rest) = self.element(header.rest)?;
        let width = self.u32(width).ok_or("a structure has no fields")? as usize;
        let (_, names, mut rest) = self.element(rest)?;
        for name in names.chunks_exact(width.max(1)) {
            if rest.len() < 8 {
                return Err(format!("the structure `{}` ends before its fields", header.name));
            }
            let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
            let name = format!("{}.{}", header.name, String::from_utf8_lossy(&name[..end]));
            let (kind, body, tail) = self.element(rest)?;
            rest = tail;
            if let Some(field) = self.header(body)?.filter(|_| kind == MATRIX) {
                self.variable(Header { name, ..field }, depth + 1)?;
            }
        }
        Ok(())
    }
}

fn sizes(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}
