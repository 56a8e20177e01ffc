//! The bytes of a Parquet file, read piece by piece from several threads.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are read ahead of a page header.
const HEADER: usize = 8 << 10;

/// A file, or its bytes in memory.
#[derive(Debug, Clone)]
pub(super) enum FileBytes {
    /// All bytes.
    Memory(Bytes),
    /// A file and its size.
    File(Arc<Mutex<File>>, u64),
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
            FileBytes::File(file, _) => {
                // A poisoned lock is harmless, because every reader seeks first.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))?;
                file.read(out)
            }
        }
    }
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        match self {
            FileBytes::Memory(bytes) => bytes.len() as u64,
            FileBytes::File(_, size) => *size,
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
        if let FileBytes::Memory(bytes) = self {
            return Ok(bytes.slice(start as usize..end as usize));
        }
        let mut out = vec![0; length];
        From { bytes: self.clone(), at: start }.read_exact(&mut out)?;
        Ok(out.into())
    }
}
