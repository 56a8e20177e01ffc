//! The bytes of a Parquet file, read piece by piece from several threads.

use crate::tables::parquet::buffers::Buffers;
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

/// Bytes that are read ahead of a page header.
const HEADER: usize = 8 << 10;

/// A file, or its bytes in memory.
#[derive(Debug, Clone)]
pub(super) enum FileBytes {
    /// All bytes.
    Memory(Bytes),
    /// A file, its size, and the buffers that its bytes are read into.
    File(Arc<ByPlace>, u64, Arc<Buffers>),
}

/// A file that is read at any place by several threads at once.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct ByPlace(File);

#[cfg(unix)]
impl ByPlace {
    pub fn new(file: File) -> Self {
        Self(file)
    }

    fn read_at(&self, start: u64, out: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, out, start)
    }
}

/// A file that is read at any place by one thread after another.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct ByPlace(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl ByPlace {
    pub fn new(file: File) -> Self {
        Self(std::sync::Mutex::new(file))
    }

    fn read_at(&self, start: u64, out: &mut [u8]) -> io::Result<usize> {
        use std::io::{Seek, SeekFrom};
        // A poisoned lock is harmless, because every reader seeks first.
        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        file.read(out)
    }
}

impl FileBytes {
    fn read_at(&self, start: u64, out: &mut [u8]) -> io::Result<usize> {
        match self {
            FileBytes::Memory(bytes) => {
                let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or(&[]);
                let n = rest.len().min(out.len());
                out[..n].copy_from_slice(&rest[..n]);
                Ok(n)
            }
            FileBytes::File(file, ..) => file.read_at(start, out),
        }
    }
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        match self {
            FileBytes::Memory(bytes) => bytes.len() as u64,
            FileBytes::File(_, size, _) => *size,
        }
    }
}

/// Reads on from a position.
pub(super) struct From {
    bytes: FileBytes,
    at: u64,
}

impl Read for From {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read_at(self.at, out)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl ChunkReader for FileBytes {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::with_capacity(HEADER, From { bytes: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let cut = || ParquetError::EOF("it is cut short".into());
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len()).ok_or_else(cut)?;
        let buffers = match self {
            FileBytes::Memory(bytes) => return Ok(bytes.slice(start as usize..end as usize)),
            FileBytes::File(_, _, buffers) => buffers,
        };
        let mut out = buffers.lend(length)?;
        let mut from = From { bytes: self.clone(), at: start };
        from.read_exact(out.bytes_mut()).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => cut(),
            _ => e.into(),
        })?;
        Ok(out.share())
    }
}
