//! Parquet tables with flat columns of numbers and texts: plain, dictionary, run-length, delta and byte-stream-split
//! values; no compression, Snappy, gzip, Zstandard or LZ4; pages of both versions. Decimals become numbers, dates and
//! times become days since 1970, and times of day become seconds.

mod delta;
mod thrift;
mod types;
mod values;

use crate::error::{DataError, Location};
use crate::limits::{check_memory, stays_in_file};
use crate::options::ReadOptions;
use crate::parquet::thrift::{ThriftReader, ThriftValue};
use crate::parquet::types::{Logical, Physical, plain};
use crate::parquet::values::PageValues;
use crate::tables::table::{Digest, StoredColumns, Table, Values};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A file whose footer has been read.
#[derive(Debug)]
struct Parquet {
    path: PathBuf,
    source: ParquetBytes,
    columns: Vec<Column>,
    groups: Vec<Group>,
    rows: usize,
    /// Most bytes that may be in memory.
    limit: u64,
}

/// The bytes of a file.
#[derive(Debug)]
enum ParquetBytes {
    Memory(Vec<u8>),
    File(Mutex<File>),
}

impl ParquetBytes {
    fn read(&self, start: u64, len: u64) -> io::Result<Vec<u8>> {
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        match self {
            ParquetBytes::Memory(bytes) => {
                let end = start.checked_add(len).and_then(|end| usize::try_from(end).ok()).ok_or_else(cut)?;
                Ok(bytes.get(start as usize..end).ok_or_else(cut)?.to_vec())
            }
            ParquetBytes::File(file) => {
                // A poisoned lock is harmless, because every reader seeks first.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))?;
                let mut bytes = Vec::new();
                file.by_ref().take(len).read_to_end(&mut bytes)?;
                if bytes.len() as u64 == len { Ok(bytes) } else { Err(cut()) }
            }
        }
    }
}

/// A row group: its rows, and a chunk for each column.
#[derive(Debug)]
struct Group {
    rows: usize,
    chunks: Vec<Chunk>,
}

/// The pages of a column in a row group.
#[derive(Debug)]
struct Chunk {
    bytes: Range<u64>,
    codec: i64,
}

/// A leaf of the schema.
#[derive(Debug)]
struct Column {
    name: String,
    physical: Physical,
    logical: Logical,
    optional: bool,
    flat: bool,
}

/// Bytes that a text takes besides its characters.
const STRING: u64 = size_of::<String>() as u64;

/// Bytes of memory that may still be used.
struct Allowance {
    /// For all texts.
    texts: u64,
    /// For one page.
    page: usize,
}

impl Allowance {
    fn new(limit: u64) -> Self {
        Self { texts: limit, page: limit.min(1 << 30) as usize }
    }

    /// Counts texts of these lengths.
    fn take(&mut self, texts: impl Iterator<Item = usize>) -> Result<(), String> {
        let bytes = texts.map(|n| n as u64 + STRING).sum();
        self.texts = self.texts.checked_sub(bytes).ok_or("its texts are larger than the memory limit")?;
        Ok(())
    }
}

/// Reads the table in a file. If it is larger than the options allow in memory, columns of numbers are only examined
/// and stay in the file.
///
/// # Errors
/// [`DataError`] with the file and the column.
pub(crate) fn open(path: &Path, options: &ReadOptions) -> Result<Table, DataError> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
        return table(path, &crate::bytes::bytes(path, options.max_bytes)?, options);
    }
    let file = File::open(path).map_err(|e| DataError::io(path, e))?;
    let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
    Parquet::new(path, ParquetBytes::File(Mutex::new(file)), size, options.max_bytes)?.table(options)
}

/// Reads the table in the bytes of a file; `path` names it in errors.
///
/// # Errors
/// [`DataError`] with the file and the column.
pub fn table(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Table, DataError> {
    Parquet::new(path, ParquetBytes::Memory(bytes.to_vec()), bytes.len() as u64, options.max_bytes)?.table(options)
}

impl Parquet {
    /// Reads the footer.
    fn new(path: &Path, source: ParquetBytes, n: u64, limit: u64) -> Result<Self, DataError> {
        let bad = |reason: &str| {
            DataError::file(path, format!("it cannot be read as Parquet: {reason}"))
                .with_hint("it may be cut short: get it again")
        };
        let read = |start, len| source.read(start, len).map_err(|e| DataError::io(path, e));
        if n < 12 || read(n - 4, 4)? != b"PAR1" || read(0, 4)? != b"PAR1" {
            return Err(bad("it does not begin and end with PAR1"));
        }
        let size = read(n - 8, 4)?.first_chunk::<4>().map_or(0, |&b| u64::from(u32::from_le_bytes(b)));
        let start = (n - 8).checked_sub(size).filter(|&s| s >= 4).ok_or_else(|| bad("its footer is cut short"))?;
        let footer = read(start, size)?;
        let meta = ThriftReader { rest: &footer }.read().ok_or_else(|| bad("its footer is damaged"))?;
        let rows = meta.int(3).and_then(|v| usize::try_from(v).ok()).ok_or_else(|| bad("it has no number of rows"))?;
        let columns = schema(&meta).ok_or_else(|| bad("its schema is damaged"))?;
        if let Some(column) = columns.iter().find(|c| !c.flat) {
            return Err(DataError::at(
                path,
                Location::Entry(column.name.clone()),
                "nested columns and lists are not supported",
            )
            .with_hint("write one column for each value"));
        }
        // Run-length encoding can claim any number of rows in a few bytes; no real table is compressed that much.
        if rows as u128 > u128::from(n) * 4096 {
            return Err(bad(&format!("{n} bytes do not hold {rows} rows")));
        }
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        if let Some((_, j)) = crate::text::first_duplicate(&names) {
            return Err(DataError::file(path, format!("two columns are named `{}`", names[j])));
        }
        if rows == 0 || columns.is_empty() {
            return Err(DataError::file(path, "it holds no rows"));
        }
        let mut groups = Vec::new();
        for group in meta.list(4) {
            let rows = group.int(3).and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= rows).unwrap_or(0);
            let chunk = |c: usize| {
                let chunk = group.list(1).get(c).and_then(|c| c.field(3)).ok_or_else(|| bad("a column is missing"))?;
                let cut = || DataError::at(path, Location::Entry(names[c].clone()), "it is cut short");
                let offset = |id| chunk.int(id).and_then(|v| u64::try_from(v).ok()).filter(|&v| v > 0);
                let data = offset(9).ok_or_else(cut)?;
                let at = offset(11).map_or(data, |d| d.min(data));
                // Without a size, the chunk may extend to the footer.
                let end = offset(7).map_or(start, |size| at.saturating_add(size).min(start));
                let bytes = if at < end { at..end } else { return Err(cut()) };
                Ok(Chunk { bytes, codec: chunk.int(4).unwrap_or(0) })
            };
            groups.push(Group { rows, chunks: (0..columns.len()).map(chunk).collect::<Result<_, _>>()? });
        }
        Ok(Self { path: path.into(), source, columns, groups, rows, limit })
    }

    /// Reads a column in some row groups within an allowance.
    fn column_within(&self, c: usize, groups: Range<usize>, allowance: &mut Allowance) -> Result<Values, DataError> {
        let column = &self.columns[c];
        let mut values = if column.is_text() { Values::Text(Vec::new()) } else { Values::Numbers(Vec::new()) };
        for group in &self.groups[groups] {
            let Chunk { bytes, codec } = &group.chunks[c];
            let bytes =
                self.source.read(bytes.start, bytes.end - bytes.start).map_err(|e| DataError::io(&self.path, e))?;
            read_chunk(&bytes, *codec, column, group.rows, allowance, &mut values)
                .map_err(|reason| DataError::at(&self.path, Location::Entry(column.name.clone()), reason))?;
        }
        Ok(values)
    }

    /// Reads the columns.
    fn table(self, options: &ReadOptions) -> Result<Table, DataError> {
        let elements = self.rows as u128 * self.columns.len() as u128;
        let stored = stays_in_file(elements, options.in_memory);
        // With columns left in the file, one column is in memory at a time.
        check_memory(&self.path, "table", if stored { self.rows as u128 } else { elements }, options)?;
        let mut allowance = Allowance::new(self.limit);
        let mut found = Vec::new();
        for (c, column) in self.columns.iter().enumerate() {
            let values = self.column_within(c, 0..self.groups.len(), &mut allowance)?;
            if values.len() != self.rows {
                let reason = format!("it has {} values for {} rows", values.len(), self.rows);
                return Err(DataError::at(&self.path, Location::Entry(column.name.clone()), reason));
            }
            let values = match values {
                Values::Numbers(v) if stored => Values::Stored(Digest::of(&v)),
                values => values,
            };
            found.push((column.name.clone(), values));
        }
        let path = self.path.clone();
        let stored = stored.then(|| Arc::new(self) as Arc<dyn StoredColumns>);
        Ok(Table { path, columns: found, named: true, lines: Vec::new(), stored })
    }
}

impl StoredColumns for Parquet {
    fn groups(&self) -> usize {
        self.groups.len()
    }

    fn column(&self, c: usize, groups: Range<usize>) -> Result<Values, DataError> {
        self.column_within(c, groups, &mut Allowance::new(self.limit))
    }
}

impl Column {
    fn is_text(&self) -> bool {
        self.logical == Logical::Text
    }
}

/// Reads the columns of the schema.
fn schema(meta: &ThriftValue<'_>) -> Option<Vec<Column>> {
    let elements = meta.list(2);
    let mut columns = Vec::new();
    // Columns directly below the root are flat; groups are skipped over, leaf by leaf.
    let mut nested = 0i64;
    for element in elements.iter().skip(1) {
        let children = element.int(5).unwrap_or(0);
        let inside = nested > 0;
        if inside {
            nested -= 1;
        }
        if children > 0 {
            nested = nested.checked_add(children)?;
            continue;
        }
        let name = element.field(4)?.text()?.to_owned();
        let repetition = element.int(3).unwrap_or(0);
        let physical = Physical::of(element)?;
        let (optional, flat) = (repetition == 1, !inside && repetition < 2);
        columns.push(Column { name, physical, logical: Logical::of(element, physical), optional, flat });
    }
    Some(columns)
}

/// Reads pages from `bytes` until there are `rows` values.
fn read_chunk(
    bytes: &[u8],
    codec: i64,
    column: &Column,
    rows: usize,
    allowance: &mut Allowance,
    out: &mut Values,
) -> Result<(), String> {
    let cut = || "it is cut short".to_owned();
    let mut at = 0;
    let mut dictionary: Option<PageValues> = None;
    let mut left = rows;
    while left > 0 {
        let mut reader = ThriftReader { rest: bytes.get(at..).ok_or_else(cut)? };
        let header = reader.read().ok_or("a page header is damaged")?;
        let packed = header.int(3).and_then(|v| usize::try_from(v).ok()).ok_or_else(cut)?;
        let unpacked = header.int(2).and_then(|v| usize::try_from(v).ok()).ok_or_else(cut)?;
        let body = reader.rest.get(..packed).ok_or_else(cut)?;
        at = bytes.len() - reader.rest.len() + packed;
        match header.int(1) {
            Some(2) => {
                let info = header.field(7).ok_or("a dictionary page has no header")?;
                let n = info.int(1).and_then(|v| usize::try_from(v).ok()).ok_or_else(cut)?;
                let page = unpack(codec, body, unpacked, allowance.page)?;
                dictionary = Some(plain(column.physical, column.logical, &page, n)?);
            }
            Some(0) => {
                let info = header.field(5).ok_or("a data page has no header")?;
                let n = info.int(1).and_then(|v| usize::try_from(v).ok()).filter(|&n| n <= left).ok_or_else(cut)?;
                let page = unpack(codec, body, unpacked, allowance.page)?;
                let mut rest = &page[..];
                let mut present = vec![true; n];
                if column.optional {
                    let size = rest.first_chunk::<4>().map(|&b| u32::from_le_bytes(b) as usize).ok_or_else(cut)?;
                    let levels = rest.get(4..size.checked_add(4).ok_or_else(cut)?).ok_or_else(cut)?;
                    present = hybrid(levels, 1, n)?.iter().map(|&l| l == 1).collect();
                    rest = &rest[4 + size..];
                }
                let encoding = info.int(2).unwrap_or(0);
                page_values(column, encoding, rest, &present, dictionary.as_ref(), allowance, out)?;
                left -= n;
            }
            Some(3) => {
                let info = header.field(8).ok_or("a data page has no header")?;
                let n = info.int(1).and_then(|v| usize::try_from(v).ok()).filter(|&n| n <= left).ok_or_else(cut)?;
                let size = |id| info.int(id).and_then(|v| usize::try_from(v).ok()).unwrap_or(0);
                let (definition, repetition) = (size(5), size(6));
                let levels_end = definition.checked_add(repetition).ok_or_else(cut)?;
                let levels = body.get(repetition..levels_end).ok_or_else(cut)?;
                let present: Vec<bool> = match column.optional {
                    true => hybrid(levels, 1, n)?.iter().map(|&l| l == 1).collect(),
                    false => vec![true; n],
                };
                let compressed = !matches!(info.field(7), Some(ThriftValue::Bool(false)));
                let rest = &body[levels_end..];
                let unpacked = unpacked.checked_sub(levels_end).ok_or_else(cut)?;
                let page = unpack(if compressed { codec } else { 0 }, rest, unpacked, allowance.page)?;
                let encoding = info.int(4).unwrap_or(0);
                page_values(column, encoding, &page, &present, dictionary.as_ref(), allowance, out)?;
                left -= n;
            }
            // Index pages are not needed.
            _ => {}
        }
        if packed == 0 && unpacked == 0 && left > 0 && at >= bytes.len() {
            return Err(cut());
        }
    }
    Ok(())
}

/// Decompresses a page to `size` bytes, of which there may be at most `most`.
fn unpack(codec: i64, body: &[u8], size: usize, most: usize) -> Result<Vec<u8>, String> {
    if size > most {
        return Err(format!("a page of {size} bytes is larger than the memory limit"));
    }
    // No codec expands a byte to more than some thousands.
    if size as u128 > body.len() as u128 * 32_768 + 1024 {
        return Err(format!("{} compressed bytes cannot hold the {size} that they claim", body.len()));
    }
    let bad = |e: String| format!("a page cannot be decompressed: {e}");
    let mut out = Vec::new();
    let mut take = |reader: &mut dyn Read| {
        reader.take(size as u64 + 1).read_to_end(&mut out).map_err(|e| bad(e.to_string())).map(|_| ())
    };
    match codec {
        0 => return Ok(body.to_vec()),
        1 => {
            let claimed = snap::raw::decompress_len(body).map_err(|e| bad(e.to_string()))?;
            if claimed != size {
                return Err(bad("its size is not what its header says".into()));
            }
            return snap::raw::Decoder::new().decompress_vec(body).map_err(|e| bad(e.to_string()));
        }
        2 => take(&mut flate2::read::MultiGzDecoder::new(body))?,
        6 => {
            let mut reader = ruzstd::decoding::StreamingDecoder::new(body).map_err(|e| bad(e.to_string()))?;
            take(&mut reader)?;
        }
        7 => return lz4_flex::block::decompress(body, size).map_err(|e| bad(e.to_string())),
        other => {
            let name = ["none", "Snappy", "gzip", "LZO", "Brotli", "framed LZ4"].get(other as usize);
            return Err(format!(
                "compression by {} is not supported (use Snappy, gzip, Zstandard or none)",
                name.unwrap_or(&"this codec")
            ));
        }
    }
    if out.len() == size { Ok(out) } else { Err(bad("its size is not what its header says".into())) }
}

/// Decodes the values of a page.
fn page_values(
    column: &Column,
    encoding: i64,
    bytes: &[u8],
    present: &[bool],
    dictionary: Option<&PageValues>,
    allowance: &mut Allowance,
    out: &mut Values,
) -> Result<(), String> {
    let (physical, logical) = (column.physical, column.logical);
    let n = present.iter().filter(|&&p| p).count();
    let raw = match encoding {
        0 => plain(physical, logical, bytes, n)?,
        3 if physical == Physical::Bool => {
            let body = bytes.get(4..).ok_or("it is cut short")?;
            PageValues::Numbers(hybrid(body, 1, n)?.iter().map(|&b| b as f32).collect())
        }
        2 | 8 => {
            let dictionary = dictionary.ok_or("it has no dictionary")?;
            let (&width, body) = match bytes.split_first() {
                Some(split) => split,
                None if n == 0 => (&0, bytes),
                None => return Err("it is cut short".into()),
            };
            let indices = hybrid(body, width, n)?;
            if indices.iter().any(|&i| i as usize >= dictionary.len()) {
                return Err("a value is not in its dictionary".into());
            }
            match dictionary {
                PageValues::Numbers(v) => PageValues::Numbers(indices.iter().map(|&i| v[i as usize]).collect()),
                PageValues::Text(v) => {
                    // A few bytes could stand for any number of copies of a long text.
                    allowance.take(indices.iter().map(|&i| v[i as usize].len()))?;
                    PageValues::Text(indices.iter().map(|&i| v[i as usize].clone()).collect())
                }
            }
        }
        5 if matches!(physical, Physical::Int32 | Physical::Int64) => {
            let values = delta::integers(&mut ThriftReader { rest: bytes }, n)?;
            PageValues::Numbers(values.iter().map(|&v| logical.whole(v)).collect())
        }
        6 | 7 if physical == Physical::Bytes || matches!(physical, Physical::Fixed(_)) => {
            let texts = delta::texts(bytes, n, encoding == 7, &mut allowance.texts)?;
            logical.values(texts.iter().map(Vec::as_slice))
        }
        9 => {
            let size = physical.size().ok_or("byte-stream-split values of this type are not supported")?;
            let bytes = bytes.get(..n * size).ok_or("it is cut short")?;
            let joined: Vec<u8> = (0..n).flat_map(|i| (0..size).map(move |b| bytes[b * n + i])).collect();
            plain(physical, logical, &joined, n)?
        }
        _ => return Err(format!("values in encoding {encoding} are not supported (write plain or dictionary)")),
    };
    if let (PageValues::Text(values), 0) = (&raw, encoding) {
        allowance.take(values.iter().map(String::len))?;
    }
    match (raw, out) {
        (PageValues::Numbers(values), Values::Numbers(out)) => {
            let mut values = values.into_iter();
            out.extend(present.iter().map(|&p| if p { values.next().unwrap_or(f32::NAN) } else { f32::NAN }));
        }
        (PageValues::Text(values), Values::Text(out)) => {
            let mut values = values.into_iter();
            out.extend(present.iter().map(|&p| if p { values.next().unwrap_or_default() } else { String::new() }));
        }
        _ => return Err("its values are not of its type".into()),
    }
    Ok(())
}

/// Decodes `n` numbers of `width` bits in runs and bit-packed groups of eight.
fn hybrid(bytes: &[u8], width: u8, n: usize) -> Result<Vec<u32>, String> {
    let cut = || "it is cut short".to_owned();
    if width > 32 {
        return Err("its dictionary is too large".into());
    }
    let size = usize::from(width).div_ceil(8);
    let mut reader = ThriftReader { rest: bytes };
    let mut out = Vec::with_capacity(n);
    while out.len() < n {
        let head = reader.varint().ok_or_else(cut)?;
        let left = n - out.len();
        if head & 1 == 0 {
            let value = reader.rest.get(..size).ok_or_else(cut)?;
            let value = value.iter().rev().fold(0u32, |v, &b| v << 8 | u32::from(b));
            let run = usize::try_from(head >> 1).unwrap_or(usize::MAX).min(left);
            if run == 0 {
                return Err("a run has no length".into());
            }
            out.extend(std::iter::repeat_n(value, run));
            reader.rest = &reader.rest[size..];
        } else {
            let groups = usize::try_from(head >> 1).map_err(|_| cut())?;
            let bytes = groups.checked_mul(usize::from(width)).ok_or_else(cut)?.min(reader.rest.len());
            let packed = &reader.rest[..bytes];
            let count = left.min(groups.saturating_mul(8));
            if count == 0 || (count * usize::from(width)).div_ceil(8) > packed.len() {
                return Err(cut());
            }
            let bit = |i: usize| u32::from(packed[i / 8] >> (i % 8) & 1);
            let number = |i: usize| (0..usize::from(width)).fold(0, |v, b| v | bit(i * usize::from(width) + b) << b);
            out.extend((0..count).map(number));
            reader.rest = &reader.rest[bytes..];
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
