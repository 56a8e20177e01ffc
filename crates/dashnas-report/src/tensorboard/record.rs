//! TFRecord: length, its checksum, data, its checksum; all little-endian.

use std::io::{self, Write};

/// The checksum of TFRecord: CRC-32C, rotated and shifted so that the checksum of data with checksums in it is
/// not degenerate.
pub fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Appends a record.
///
/// # Errors
/// Those of `out`.
pub fn write_record(out: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked_crc(&length).to_le_bytes())?;
    out.write_all(data)?;
    out.write_all(&masked_crc(data).to_le_bytes())
}

/// The records of a file, each checked. The last one may be in the middle of being written; it is left out.
///
/// # Errors
/// `InvalidData` with the byte at which a checksum is wrong.
pub fn read_records(bytes: &[u8]) -> io::Result<Vec<&[u8]>> {
    let mut records = Vec::new();
    let mut at = 0;
    let wrong = |at: usize| io::Error::new(io::ErrorKind::InvalidData, format!("wrong checksum at byte {at}"));
    while let Some(header) = bytes.get(at..at + 12) {
        let (length, crc) = header.split_at(8);
        if masked_crc(length).to_le_bytes() != crc {
            return Err(wrong(at));
        }
        // Eight bytes, as split above.
        let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
        let end = usize::try_from(length).ok().and_then(|n| (at + 12).checked_add(n));
        let Some((end, tail)) = end.and_then(|end| Some((end, bytes.get(end..end.checked_add(4)?)?))) else { break };
        let data = &bytes[at + 12..end];
        if masked_crc(data).to_le_bytes() != tail {
            return Err(wrong(at));
        }
        records.push(data);
        at = end + 4;
    }
    Ok(records)
}
