//! The NumPy array format, versions 1 to 3, for numbers and short strings.
//!
//! Headers are not trusted: a header has at most 64 KiB, its parser does not recurse, and its sizes are checked before
//! memory is allocated.

use crate::centers::{Shift, less, whole_less};
use crate::info::ArrayInfo;
use crate::layout::row_major;
use std::io::{self, Read, Write};

/// Element types that are supported, in either byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elem {
    /// A byte that is 0 or 1.
    Bool,
    /// An unsigned integer of 8 bits.
    U8,
    /// A signed integer of 8 bits.
    I8,
    /// An unsigned integer of 16 bits.
    U16,
    /// A signed integer of 16 bits.
    I16,
    /// An unsigned integer of 32 bits.
    U32,
    /// A signed integer of 32 bits.
    I32,
    /// An unsigned integer of 64 bits.
    U64,
    /// A signed integer of 64 bits.
    I64,
    /// A floating-point number of 16 bits.
    F16,
    /// A floating-point number of 32 bits.
    F32,
    /// A floating-point number of 64 bits.
    F64,
    /// UTF-32 text of this many characters.
    Text(usize),
    /// Text of this many bytes, in UTF-8.
    Bytes(usize),
}

impl Elem {
    /// Size in bytes.
    pub fn size(self) -> usize {
        match self {
            Elem::Bool | Elem::U8 | Elem::I8 => 1,
            Elem::U16 | Elem::I16 | Elem::F16 => 2,
            Elem::U32 | Elem::I32 | Elem::F32 => 4,
            Elem::U64 | Elem::I64 | Elem::F64 => 8,
            Elem::Text(chars) => chars * 4,
            Elem::Bytes(n) => n,
        }
    }

    /// Returns whether the type is bool or an integer.
    pub fn is_integral(self) -> bool {
        !matches!(self, Elem::F16 | Elem::F32 | Elem::F64) && !self.is_text()
    }

    /// Returns whether the numbers may have more digits than `f32`.
    pub fn is_wide(self) -> bool {
        matches!(self, Elem::U32 | Elem::I32 | Elem::U64 | Elem::I64 | Elem::F64)
    }

    /// Returns whether the elements are texts.
    pub fn is_text(self) -> bool {
        matches!(self, Elem::Text(_) | Elem::Bytes(_))
    }
}

/// The error of reading an array.
#[derive(Debug)]
pub enum NpyError {
    /// The bytes are not a valid array.
    Bad(String),
    /// The dtype, given here, is not one of [`Elem`].
    Dtype(String),
    /// The array is valid, but has another shape than the one needed.
    Shape(String),
}

impl From<io::Error> for NpyError {
    fn from(e: io::Error) -> Self {
        NpyError::Bad(match e.kind() {
            io::ErrorKind::UnexpectedEof => "it ends too early".into(),
            _ => e.to_string(),
        })
    }
}

fn bad(text: impl Into<String>) -> NpyError {
    NpyError::Bad(text.into())
}

/// The header of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpyHeader {
    /// The element type.
    pub elem: Elem,
    /// Whether the elements are big-endian.
    pub big_endian: bool,
    /// Whether the elements are in column-major order.
    pub fortran: bool,
    /// The size of each axis.
    pub shape: Vec<usize>,
    /// The size of the header in bytes.
    pub len: usize,
}

/// Elements that are decoded at once.
pub(crate) const BLOCK: usize = 8192;

const MAX_HEADER: usize = 1 << 16;
const MAX_AXES: usize = 32;

impl NpyHeader {
    /// Reads a header.
    ///
    /// # Errors
    /// [`NpyError`] if it is not valid or its dtype is not supported.
    pub fn read(reader: &mut impl Read) -> Result<Self, NpyError> {
        let mut start = [0; 8];
        reader.read_exact(&mut start)?;
        if &start[..6] != b"\x93NUMPY" {
            return Err(bad("it does not begin as a NumPy array"));
        }
        let (size, before) = match start[6] {
            1 => {
                let mut n = [0; 2];
                reader.read_exact(&mut n)?;
                (u16::from_le_bytes(n) as usize, 10)
            }
            2 | 3 => {
                let mut n = [0; 4];
                reader.read_exact(&mut n)?;
                (u32::from_le_bytes(n) as usize, 12)
            }
            v => return Err(bad(format!("format version {v} is unknown"))),
        };
        if size > MAX_HEADER {
            return Err(bad(format!("its header of {size} bytes is too long")));
        }
        let mut text = vec![0; size];
        reader.read_exact(&mut text)?;
        let text = std::str::from_utf8(&text).map_err(|_| bad("its header is not text"))?;
        let mut header = parse(text)?;
        header.len = before + size;
        Ok(header)
    }

    /// Summarizes the array under a name.
    pub(crate) fn info(&self, name: &str) -> ArrayInfo {
        let text = self.elem.is_text();
        let dtype = if text { "text".into() } else { format!("{:?}", self.elem).to_lowercase() };
        let (shape, wide) = (self.shape.clone(), self.elem.is_wide());
        ArrayInfo { name: name.into(), shape, dtype, text, wide, ..ArrayInfo::default() }
    }

    /// Returns whether these are numbers in row-major order.
    pub fn is_row_major(&self) -> bool {
        !self.fortran && !self.elem.is_text()
    }

    /// Returns the number of elements, or `None` if no memory could hold them.
    pub fn count(&self) -> Option<usize> {
        // A zero anywhere makes the array empty, whatever the other axes say.
        if self.shape.contains(&0) {
            return Some(0);
        }
        self.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= isize::MAX as usize / 8)
    }

    /// Reads the elements as `f32` in row-major order from a reader at the end of the header. 64-bit numbers are rounded
    /// to the nearest `f32`. The caller has checked that [`NpyHeader::count`] elements fit into memory.
    ///
    /// # Errors
    /// [`NpyError`] if the elements are text or end too early.
    pub fn read_f32(&self, reader: &mut impl Read) -> Result<Vec<f32>, NpyError> {
        self.read_less(reader, None)
    }

    /// Does the same as [`NpyHeader::read_f32`] after a subtraction, if one is given.
    ///
    /// # Errors
    /// [`NpyError`] if the elements are text or end too early.
    pub(crate) fn read_less(&self, reader: &mut impl Read, shift: Option<&Shift>) -> Result<Vec<f32>, NpyError> {
        let count = self.count().ok_or_else(|| bad("its shape overflows"))?;
        if self.elem.is_text() {
            return Err(NpyError::Dtype("text".into()));
        }
        let mut out = Vec::new();
        out.try_reserve_exact(count).map_err(|_| bad("there is not enough memory"))?;
        let mut bytes = Vec::new();
        while out.len() < count {
            let (first, block) = (out.len(), (count - out.len()).min(BLOCK));
            self.read_block(reader, block, &mut bytes, &mut out, shift.map(|shift| (shift, first)))?;
        }
        Ok(if self.fortran { row_major(&self.shape, &out) } else { out })
    }

    /// Appends the next `n` elements in the order of the file, after a subtraction if one is given, with the position of the
    /// first of them; `bytes` is a buffer.
    ///
    /// # Errors
    /// [`NpyError`] if the elements end too early.
    pub(crate) fn read_block(
        &self,
        reader: &mut impl Read,
        n: usize,
        bytes: &mut Vec<u8>,
        out: &mut Vec<f32>,
        shift: Option<(&Shift, usize)>,
    ) -> Result<(), NpyError> {
        let size = self.elem.size();
        bytes.resize(n * size, 0);
        reader.read_exact(bytes)?;
        if self.big_endian {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        match shift {
            Some((shift, first)) => decode_shifted(self.elem, bytes, shift, first, out),
            None => decode(self.elem, bytes, out),
        }
        Ok(())
    }

    /// Reads the elements of a one-dimensional array of texts, or of one with a single column or row.
    ///
    /// # Errors
    /// [`NpyError`] if it is not such an array or ends too early.
    pub fn read_text(&self, reader: &mut impl Read) -> Result<Vec<String>, NpyError> {
        if !self.elem.is_text() {
            return Err(NpyError::Dtype(format!("{:?}", self.elem)));
        }
        if self.shape.is_empty() || self.shape.iter().filter(|&&n| n != 1).count() > 1 {
            let reason =
                format!("it holds text in the shape {:?}, where one text for each sample is needed", self.shape);
            return Err(NpyError::Shape(reason));
        }
        let (count, size) = (self.count().ok_or_else(|| bad("its shape overflows"))?, self.elem.size());
        let mut names = Vec::new();
        let mut bytes = vec![0; size];
        for _ in 0..count {
            reader.read_exact(&mut bytes)?;
            names.push(self.decode_text(&bytes));
        }
        Ok(names)
    }

    /// Decodes one text, which zeros fill up.
    fn decode_text(&self, bytes: &[u8]) -> String {
        if let Elem::Bytes(_) = self.elem {
            let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
            return String::from_utf8_lossy(&bytes[..end]).into_owned();
        }
        let code = |&c: &[u8; 4]| if self.big_endian { u32::from_be_bytes(c) } else { u32::from_le_bytes(c) };
        let codes = bytes.as_chunks::<4>().0.iter().map(code).take_while(|&c| c != 0);
        codes.map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }

    /// Returns how many `f32` take the memory that the texts take.
    pub(crate) fn text_memory(&self) -> usize {
        self.count().unwrap_or(usize::MAX).saturating_mul(self.elem.size().saturating_add(size_of::<String>() + 16)) / 4
    }

    /// Reads whole numbers exactly, in the order of the file; returns `None` if they are not whole. `f32` merges those
    /// above 2²⁴.
    ///
    /// # Errors
    /// As [`NpyHeader::read_f32`].
    pub fn read_whole(&self, reader: &mut impl Read) -> Result<Option<Vec<i128>>, NpyError> {
        let count = self.count().ok_or_else(|| bad("its shape overflows"))?;
        let size = self.elem.size();
        let mut bytes = vec![0; size];
        let mut whole = Vec::new();
        for _ in 0..count {
            reader.read_exact(&mut bytes)?;
            if self.big_endian {
                bytes.reverse();
            }
            match whole_number(self.elem, &bytes) {
                Some(v) => whole.push(v),
                None => return Ok(None),
            }
        }
        Ok(Some(whole))
    }
}

/// Decodes a whole number from its little-endian bytes; `None` if it is not one.
fn whole_number(elem: Elem, bytes: &[u8]) -> Option<i128> {
    macro_rules! number {
        ($t:ty) => {
            <$t>::from_le_bytes(bytes.try_into().ok()?)
        };
    }
    let of_float = |v: f64| (v.fract() == 0.0 && v.abs() < 2f64.powi(100)).then_some(v as i128);
    match elem {
        Elem::Bool => Some((*bytes.first()? != 0).into()),
        Elem::U8 => Some(number!(u8).into()),
        Elem::I8 => Some(number!(i8).into()),
        Elem::U16 => Some(number!(u16).into()),
        Elem::I16 => Some(number!(i16).into()),
        Elem::U32 => Some(number!(u32).into()),
        Elem::I32 => Some(number!(i32).into()),
        Elem::U64 => Some(number!(u64).into()),
        Elem::I64 => Some(number!(i64).into()),
        Elem::F16 => of_float(half_to_f32(number!(u16)).into()),
        Elem::F32 => of_float(number!(f32).into()),
        Elem::F64 => of_float(number!(f64)),
        Elem::Text(_) | Elem::Bytes(_) => None,
    }
}

/// Decodes the numbers of one row, after a subtraction if one is given, with the position of the first of them.
pub(crate) fn decode_row(header: &NpyHeader, bytes: &mut [u8], shift: Option<(&Shift, usize)>) -> Vec<f32> {
    let size = header.elem.size();
    if header.big_endian {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    let mut out = Vec::with_capacity(bytes.len() / size);
    match shift {
        Some((shift, first)) => decode_shifted(header.elem, bytes, shift, first, &mut out),
        None => decode(header.elem, bytes, &mut out),
    }
    out
}

/// Appends numbers from their little-endian bytes.
fn decode(elem: Elem, bytes: &[u8], out: &mut Vec<f32>) {
    macro_rules! numbers {
        ($t:ty) => {
            out.extend(bytes.as_chunks::<{ size_of::<$t>() }>().0.iter().map(|&b| <$t>::from_le_bytes(b) as f32))
        };
    }
    match elem {
        Elem::Bool => out.extend(bytes.iter().map(|&b| f32::from(b != 0))),
        Elem::U8 => numbers!(u8),
        Elem::I8 => numbers!(i8),
        Elem::U16 => numbers!(u16),
        Elem::I16 => numbers!(i16),
        Elem::U32 => numbers!(u32),
        Elem::I32 => numbers!(i32),
        Elem::U64 => numbers!(u64),
        Elem::I64 => numbers!(i64),
        Elem::F16 => out.extend(bytes.as_chunks::<2>().0.iter().map(|&b| half_to_f32(u16::from_le_bytes(b)))),
        Elem::F32 => numbers!(f32),
        Elem::F64 => numbers!(f64),
        Elem::Text(_) | Elem::Bytes(_) => {}
    }
}

/// Appends numbers from their little-endian bytes, less what belongs to their positions from `first` on.
fn decode_shifted(elem: Elem, bytes: &[u8], shift: &Shift, first: usize, out: &mut Vec<f32>) {
    macro_rules! numbers {
        ($t:ty, $wide:ty, $less:ident) => {{
            let values = bytes.as_chunks::<{ size_of::<$t>() }>().0.iter().map(|&b| <$t>::from_le_bytes(b));
            out.extend(values.zip(first..).map(|(v, at)| $less(<$wide>::from(v), shift.at(at))))
        }};
    }
    match elem {
        Elem::U32 => numbers!(u32, f64, less),
        Elem::I32 => numbers!(i32, f64, less),
        Elem::U64 => numbers!(u64, i128, whole_less),
        Elem::I64 => numbers!(i64, i128, whole_less),
        Elem::F64 => numbers!(f64, f64, less),
        _ => {
            let start = out.len();
            decode(elem, bytes, out);
            shift.apply(&mut out[start..], first);
        }
    }
}

/// Converts an IEEE 754 binary16 number to binary32, exactly.
pub(crate) fn half_to_f32(h: u16) -> f32 {
    let sign = if h >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(h >> 10 & 31), f32::from(h & 1023));
    let magnitude = match exponent {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1024.0 + mantissa) * 2f32.powi(e - 25),
    };
    sign * magnitude
}

/// Parses a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(text: &str) -> Result<NpyHeader, NpyError> {
    let invalid = || bad("its header is not the dictionary that NumPy writes");
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    let mut rest = text.trim().strip_prefix('{').ok_or_else(invalid)?;
    loop {
        rest = rest.trim_start();
        if let Some(tail) = rest.strip_prefix('}') {
            if !tail.trim().is_empty() {
                return Err(invalid());
            }
            break;
        }
        let (key, tail) = quoted(rest).ok_or_else(invalid)?;
        rest = tail.trim_start().strip_prefix(':').ok_or_else(invalid)?.trim_start();
        match key {
            "descr" => {
                let Some((value, tail)) = quoted(rest) else {
                    // A list describes a record; anything else is not a dtype.
                    return Err(if rest.starts_with('[') { NpyError::Dtype("record".into()) } else { invalid() });
                };
                (descr, rest) = (Some(value), tail);
            }
            "fortran_order" => {
                (fortran, rest) = match (rest.strip_prefix("True"), rest.strip_prefix("False")) {
                    (Some(tail), _) => (Some(true), tail),
                    (_, Some(tail)) => (Some(false), tail),
                    _ => return Err(invalid()),
                };
            }
            "shape" => {
                let (inside, tail) = rest.strip_prefix('(').and_then(|r| r.split_once(')')).ok_or_else(invalid)?;
                (shape, rest) = (Some(sizes(inside)?), tail);
            }
            _ => return Err(invalid()),
        }
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(tail) => rest = tail,
            None if rest.starts_with('}') => {}
            None => return Err(invalid()),
        }
    }
    let (descr, fortran, shape) = descr.zip(fortran).zip(shape).map(|((d, f), s)| (d, f, s)).ok_or_else(invalid)?;
    let (elem, big_endian) = element(descr)?;
    Ok(NpyHeader { elem, big_endian, fortran, shape, len: 0 })
}

/// Splits off a quoted text.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// Parses the sizes of a shape.
fn sizes(text: &str) -> Result<Vec<usize>, NpyError> {
    let parts: Vec<_> = text.split(',').map(str::trim).collect();
    let (last, front) = parts.split_last().unwrap_or((&"", &[]));
    // The last part of `(3,)` and `()` is empty.
    let parts = if last.is_empty() { front } else { &parts[..] };
    if parts.len() > MAX_AXES {
        return Err(bad("its shape has too many axes"));
    }
    // Python 2 wrote long integers as `3L`.
    let size = |p: &&str| p.trim_end_matches('L').parse().map_err(|_| bad(format!("its shape ({text}) is invalid")));
    parts.iter().map(size).collect()
}

/// Parses a dtype; returns the type and whether it is big-endian.
///
/// # Errors
/// [`NpyError::Dtype`] if it is not supported.
pub(crate) fn element(descr: &str) -> Result<(Elem, bool), NpyError> {
    let unsupported = || NpyError::Dtype(descr.into());
    let (order, code) = match descr.chars().next() {
        Some(c @ ('<' | '>' | '|' | '=')) => (c, &descr[1..]),
        _ => ('|', descr),
    };
    let elem = match code {
        "b1" | "?" => Elem::Bool,
        "u1" | "B" => Elem::U8,
        "i1" | "b" => Elem::I8,
        "u2" => Elem::U16,
        "i2" => Elem::I16,
        "u4" => Elem::U32,
        "i4" => Elem::I32,
        "u8" => Elem::U64,
        "i8" => Elem::I64,
        "f2" => Elem::F16,
        "f4" => Elem::F32,
        "f8" => Elem::F64,
        _ => {
            let (kind, size) = code.split_at_checked(1).ok_or_else(unsupported)?;
            let size = size.parse::<usize>().ok().filter(|n| (1..=16_384).contains(n)).ok_or_else(unsupported)?;
            match kind {
                "U" => Elem::Text(size),
                "S" | "a" => Elem::Bytes(size),
                _ => return Err(unsupported()),
            }
        }
    };
    Ok((elem, order == '>'))
}

/// Writes an array in version 1.0: `descr` is the dtype, `bytes` are the elements in row-major order, little-endian.
///
/// # Errors
/// Those of the writer, and an error if there are too many axes.
pub fn write(writer: &mut impl Write, descr: &str, shape: &[usize], bytes: &[u8]) -> io::Result<()> {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", sizes.trim_end());
    // The elements begin at a multiple of 64 bytes; the header ends in a newline.
    let total = (10 + header.len() + 1).next_multiple_of(64);
    header.extend(std::iter::repeat_n(' ', total - 10 - header.len() - 1));
    header.push('\n');
    let size = u16::try_from(header.len()).map_err(|_| io::Error::other("too many axes"))?;
    writer.write_all(b"\x93NUMPY\x01\x00")?;
    writer.write_all(&size.to_le_bytes())?;
    writer.write_all(header.as_bytes())?;
    writer.write_all(bytes)
}

/// Returns the little-endian bytes of numbers.
pub fn le_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}
