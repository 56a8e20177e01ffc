//! The file format of a checkpoint: text, tensors and a checksum over both.
//!
//! ```text
//! magic, 8 bytes | format, u32 | 0, u32 | length of the text, u64 | text | numbers, f32 | SHA-256 of all before
//! ```
//!
//! Numbers are little-endian. The text is TOML, which reproduces every float exactly, NaN included: first the
//! table of tensors, then the header of the caller. Magic, format and checksum have the same place in every format,
//! so that a damaged file can be told from one of another format.

use dashnas_nn::parameters::{Parameter, Parameters};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io;

/// Version of the files written; a reader refuses others.
pub const FORMAT: u32 = 1;

const MAGIC: [u8; 8] = *b"DASHCKPT";
/// Magic, format, reserved, length of the text.
const FRONT: usize = 24;
const CHECKSUM: usize = 32;

/// Why a file cannot be used.
#[derive(Debug, PartialEq)]
pub(super) enum InvalidFile {
    /// The bytes are not those that were written.
    Damaged(String),
    /// The file is intact but has this format.
    Version(u32),
}

#[derive(Serialize, Deserialize)]
struct Text {
    header: String,
    tensors: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    shape: Vec<usize>,
}

/// Encodes a file.
pub(super) fn encode(header: &str, tensors: &[(String, Vec<usize>, &[f32])]) -> Result<Vec<u8>, io::Error> {
    let entries = tensors.iter().map(|(name, shape, _)| Entry { name: name.clone(), shape: shape.clone() });
    let text = Text { header: header.into(), tensors: entries.collect() };
    let text = toml::to_string(&text).map_err(io::Error::other)?;
    let numbers: usize = tensors.iter().map(|(_, _, v)| v.len()).sum();
    let mut bytes = Vec::with_capacity(FRONT + text.len() + 4 * numbers + CHECKSUM);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
    for (_, _, values) in tensors {
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    let checksum = Sha256::digest(&bytes);
    bytes.extend(checksum);
    Ok(bytes)
}

/// Decodes a file.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, Parameters), InvalidFile> {
    let damaged = |reason: &str| InvalidFile::Damaged(reason.into());
    let body_end = bytes.len().checked_sub(CHECKSUM).filter(|&end| end >= FRONT);
    let body_end = body_end.ok_or_else(|| damaged("it is truncated"))?;
    if bytes[..8] != MAGIC {
        return Err(damaged("it does not begin like a checkpoint"));
    }
    if Sha256::digest(&bytes[..body_end]).as_slice() != &bytes[body_end..] {
        return Err(damaged("its checksum does not match: it is truncated or was changed"));
    }
    // Both ranges lie inside FRONT, which was checked above.
    let format = u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes"));
    if format != FORMAT {
        return Err(InvalidFile::Version(format));
    }
    let length = u64::from_le_bytes(bytes[16..24].try_into().expect("eight bytes"));
    let text_end = usize::try_from(length).ok().and_then(|n| n.checked_add(FRONT)).filter(|&end| end <= body_end);
    let text_end = text_end.ok_or_else(|| damaged("its header is longer than the file"))?;
    let text = std::str::from_utf8(&bytes[FRONT..text_end]).map_err(|_| damaged("its header is not text"))?;
    let text: Text = toml::from_str(text).map_err(|e| InvalidFile::Damaged(format!("its header: {}", e.message())))?;
    let mut rest = &bytes[text_end..body_end];
    let mut tensors = Parameters::new();
    for Entry { name, shape } in text.tensors {
        let count = shape.iter().try_fold(4usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= rest.len());
        let count = count.ok_or_else(|| InvalidFile::Damaged(format!("tensor {name} is longer than the file")))?;
        let (values, after) = rest.split_at(count);
        rest = after;
        let values = values.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        tensors.insert(name, Parameter { shape, values });
    }
    if rest.is_empty() { Ok((text.header, tensors)) } else { Err(damaged("it is longer than its header says")) }
}
