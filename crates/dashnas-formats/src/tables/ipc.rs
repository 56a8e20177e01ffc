//! Arrow files and streams (Feather version 2), by the crate `arrow-ipc`. A file is read as the stream that it contains:
//! its messages are found one after another, and their sizes are checked before they are decoded.

use crate::error::{DataError, Location};
use crate::options::ReadOptions;
use crate::tables::arrow::tensor_shape;
use crate::tables::batches::{Batches, Segment, Take};
use crate::tables::guard::guard;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, CompressionType, MessageHeader, RecordBatch as BatchHeader, root_as_message};
use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What begins a file; a stream begins with its first message.
const MAGIC: &[u8] = b"ARROW1\0\0";

/// The largest alignment of messages.
const ALIGNMENT: u64 = 64;

/// A message in the file: its place, the size of its description with the prefix, and that of its body.
#[derive(Debug, Clone, Copy)]
struct Message {
    at: u64,
    head: u64,
    body: u64,
    rows: usize,
}

/// An Arrow file or stream whose messages have been found.
pub(crate) struct IpcFile {
    path: PathBuf,
    bytes: Bytes,
    decoder: FileDecoder,
    batches: Vec<Message>,
    names: Vec<String>,
    /// The shapes of the columns that are tensors.
    tensors: Vec<Option<Vec<usize>>>,
}

/// The bytes of a file.
enum Bytes {
    Memory(Vec<u8>),
    File(Mutex<File>, u64),
}

impl Bytes {
    fn len(&self) -> u64 {
        match self {
            Bytes::Memory(bytes) => bytes.len() as u64,
            Bytes::File(_, size) => *size,
        }
    }

    /// Reads bytes that were checked to be there.
    fn read(&self, at: u64, len: u64) -> Result<Vec<u8>, String> {
        let cut = || "it is cut short".to_owned();
        let end = at.checked_add(len).filter(|&end| end <= self.len()).ok_or_else(cut)?;
        match self {
            Bytes::Memory(bytes) => bytes.get(at as usize..end as usize).map(<[u8]>::to_vec).ok_or_else(cut),
            Bytes::File(file, _) => {
                // A poisoned lock is harmless, because every reader seeks first.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut out = vec![0; len as usize];
                file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut out)).map_err(|e| e.to_string())?;
                Ok(out)
            }
        }
    }
}

impl fmt::Debug for IpcFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpcFile").field("path", &self.path).field("names", &self.names).finish_non_exhaustive()
    }
}

impl IpcFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`DataError`] if it is not an Arrow file or stream.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let bytes = if crate::naming::is_gzipped(path) {
            Bytes::Memory(crate::bytes::bytes(path, options.whole_file())?)
        } else {
            let file = File::open(path).map_err(|e| DataError::io(path, e))?;
            let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
            Bytes::File(Mutex::new(file), size)
        };
        Self::new(path, bytes, options.max_bytes).map_err(|reason| {
            let hint = match reason.contains("Zstandard") || reason.contains("version 1") {
                true => "write it without compression, with LZ4, or as Parquet",
                false => "it may be cut short: get it again",
            };
            DataError::file(path, format!("it cannot be read as an Arrow file: {reason}")).with_hint(hint)
        })
    }

    /// Finds the messages.
    fn new(path: &Path, bytes: Bytes, limit: u64) -> Result<Self, String> {
        let first = bytes.read(0, 8).map_err(|_| "it is cut short")?;
        if first.starts_with(b"FEA1") {
            return Err("it is a Feather file of version 1, which is not supported".into());
        }
        let mut at = 0;
        if first == MAGIC {
            // The first message is aligned, to 8 bytes or to 64.
            at = 8;
            while at < ALIGNMENT && bytes.read(at, 8).is_ok_and(|word| word == [0; 8]) {
                at += 8;
            }
        }
        let (mut decoder, mut names, mut tensors, mut batches) = (None, Vec::new(), Vec::new(), Vec::new());
        let mut dictionaries = HashSet::new();
        while let Some((head, start)) = message_head(&bytes, at)? {
            let text = bytes.read(at, head)?;
            let message = root_as_message(&text[start..]).map_err(|e| format!("a message is damaged: {e}"))?;
            let body = u64::try_from(message.bodyLength()).map_err(|_| "a message is damaged")?;
            let end = at.checked_add(head).and_then(|end| end.checked_add(body)).filter(|&end| end <= bytes.len());
            let end = end.ok_or("it is cut short")?;
            let mut found = Message { at, head, body, rows: 0 };
            let kind = message.header_type();
            match (kind, &mut decoder) {
                (MessageHeader::Schema, None) => {
                    let schema = message.header_as_schema().ok_or("its schema is damaged")?;
                    let schema = guard(|| try_fb_to_schema(schema))?;
                    names = schema.fields().iter().map(|field| field.name().clone()).collect();
                    tensors = schema.fields().iter().map(|field| tensor_shape(field)).collect();
                    decoder = Some(FileDecoder::new(Arc::new(schema), message.version()));
                }
                (MessageHeader::DictionaryBatch, Some(decoder)) => {
                    let header = message.header_as_dictionary_batch().ok_or("a dictionary is damaged")?;
                    if !dictionaries.insert(header.id()) || header.isDelta() {
                        return Err("its dictionaries change, which is not supported".into());
                    }
                    found.rows = check(header.data().ok_or("a dictionary is damaged")?, &bytes, &found, limit)?;
                    let (block, data) = found.read(&bytes)?;
                    guard(|| decoder.read_dictionary(&block, &data))?;
                }
                (MessageHeader::RecordBatch, Some(_)) => {
                    let header = message.header_as_record_batch().ok_or("a batch is damaged")?;
                    found.rows = check(header, &bytes, &found, limit)?;
                    batches.push(found);
                }
                (MessageHeader::Schema, Some(_))
                | (MessageHeader::DictionaryBatch | MessageHeader::RecordBatch, None) => {
                    return Err("its messages are out of order".into());
                }
                _ => return Err("it holds something else than a table".into()),
            }
            at = end;
        }
        let decoder = decoder.ok_or("it has no schema")?;
        Ok(Self { path: path.into(), bytes, decoder, batches, names, tensors })
    }
}

/// Returns the size of the description of the message at a position with its prefix, and the size of the prefix;
/// `None` at the end.
fn message_head(bytes: &Bytes, at: u64) -> Result<Option<(u64, usize)>, String> {
    if at == bytes.len() {
        return Ok(None);
    }
    let word = |at: u64| {
        let word = bytes.read(at, 4)?;
        Ok::<u32, String>(word.first_chunk::<4>().map_or(0, |&b| u32::from_le_bytes(b)))
    };
    // Before version 0.15 of Arrow, messages had no mark.
    let (prefix, size) = match word(at)? {
        u32::MAX => (8, word(at + 4)?),
        size => (4, size),
    };
    if size == 0 {
        return Ok(None);
    }
    Ok(Some((prefix + u64::from(size), prefix as usize)))
}

impl Message {
    fn read(&self, bytes: &Bytes) -> Result<(Block, Buffer), String> {
        let data = bytes.read(self.at, self.head + self.body)?;
        let head = i32::try_from(self.head).map_err(|_| "a message is damaged")?;
        Ok((Block::new(self.at as i64, head, self.body as i64), Buffer::from_vec(data)))
    }
}

/// Checks the sizes that a batch claims, and returns its number of rows.
fn check(batch: BatchHeader<'_>, bytes: &Bytes, message: &Message, limit: u64) -> Result<usize, String> {
    let mut size = message.body;
    if let Some(compression) = batch.compression() {
        if compression.codec() != CompressionType::LZ4_FRAME {
            return Err("compression by Zstandard is not supported".into());
        }
        size = 0;
        for buffer in batch.buffers().iter().flatten() {
            let (offset, len) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length()));
            let (Ok(offset), Ok(len)) = (offset, len) else { return Err("a batch is damaged".into()) };
            if len == 0 {
                continue;
            }
            if offset.checked_add(len).is_none_or(|end| end > message.body) || len < 8 {
                return Err("a batch is cut short".into());
            }
            let claimed = bytes.read(message.at + message.head + offset, 8)?;
            let claimed = claimed.first_chunk::<8>().map_or(0, |&b| i64::from_le_bytes(b));
            let claimed = if claimed == -1 { len } else { u64::try_from(claimed).map_err(|_| "a batch is damaged")? };
            // No byte of this codec stands for more than 255.
            if claimed > len.saturating_mul(256) {
                return Err(format!("{len} compressed bytes cannot hold the {claimed} that they claim"));
            }
            size = size.saturating_add(claimed);
        }
        if size > limit {
            return Err("a batch is larger than the memory limit".into());
        }
    }
    let rows = u64::try_from(batch.length()).map_err(|_| "a batch is damaged")?;
    if rows > size.saturating_mul(8) {
        return Err(format!("{size} bytes do not hold {rows} rows"));
    }
    Ok(rows as usize)
}

impl Batches for IpcFile {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn tensor(&self, column: usize) -> Option<Vec<usize>> {
        self.tensors.get(column)?.clone()
    }

    fn max_rows(&self) -> usize {
        self.batches.iter().fold(0, |n, batch| n.saturating_add(batch.rows))
    }

    fn segments(&self, columns: &[usize], _: bool) -> Vec<Segment> {
        (0..self.batches.len()).map(|at| Segment { file: 0, at, columns: columns.to_vec() }).collect()
    }

    fn read(&self, segment: &Segment, take: Take<'_>) -> Result<(), DataError> {
        let Some(message) = self.batches.get(segment.at) else { return Ok(()) };
        let bad = |reason: String| {
            let entry = format!("batch {}", segment.at + 1);
            DataError::at(&self.path, Location::Entry(entry), format!("it cannot be read: {reason}"))
        };
        let (block, data) = message.read(&self.bytes).map_err(bad)?;
        let batch = guard(|| {
            let batch = self.decoder.read_record_batch(&block, &data)?;
            batch.map(|batch| batch.project(&segment.columns)).transpose()
        })
        .map_err(bad)?;
        match batch {
            Some(batch) if batch.num_rows() == message.rows => take(&batch),
            _ => Err(bad("it is damaged".into())),
        }
    }

    fn line(&self, row: usize) -> (PathBuf, usize) {
        (self.path.clone(), row + 1)
    }
}
