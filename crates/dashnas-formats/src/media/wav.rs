//! The header of a WAV file: where the sound is, and whether the header is right about it.
//!
//! Headers are often wrong: streams are written before their size is known, recorders are switched off before they
//! fill it in, and files are cut short. The decoder trusts a header, so the file is handed to it with the size that
//! was found here.

use crate::error::DataError;
use crate::media::defect::{CONVERT, Defect};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// Longest format chunk that is read; the longest known one has 50 bytes.
const FORMAT_BYTES: u64 = 4096;
/// Most chunks that are looked at.
const CHUNKS: usize = 10_000;
/// A size that has not been filled in is at least this, or around 2³¹, depending on the program that wrote it.
const UNKNOWN: u32 = 0xFFFF_0000;
const UNKNOWN_SIGNED: Range<u32> = 0x7FFF_0000..0x8000_0001;
/// Formats whose frames all have the same number of bytes: integers, floats, A-law, µ-law and extensible ones.
const PLAIN: [u16; 5] = [1, 3, 6, 7, 0xFFFE];

/// The place and the format of the sound in a WAV file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wav {
    /// The format chunk.
    format: Vec<u8>,
    /// The bytes of the sound.
    pub data: Range<u64>,
    /// What is wrong with the header.
    pub defect: Option<Defect>,
}

/// Returns whether a file begins like one of the variants of WAV.
pub(super) fn is_wav(bytes: &[u8]) -> bool {
    [&b"RIFF"[..], b"RIFX", b"RF64", b"BW64"].iter().any(|magic| bytes.starts_with(magic))
}

impl Wav {
    /// Finds the sound in a file of `size` bytes.
    ///
    /// # Errors
    /// [`DataError::File`] if there is none.
    pub fn scan(path: &Path, file: &mut (impl Read + Seek), size: u64) -> Result<Self, DataError> {
        let bad =
            |reason: &str| DataError::file(path, format!("it cannot be read as WAV: {reason}")).with_hint(CONVERT);
        let mut head = [0; 12];
        read(path, file, 0, &mut head)?.then_some(()).ok_or_else(|| bad("it ends within its header"))?;
        if head.starts_with(b"RIFX") {
            return Err(bad("it is RIFX, with the bytes of numbers in reverse order"));
        }
        if &head[8..] != b"WAVE" {
            return Err(bad("it is a RIFF file without sound"));
        }
        let (mut at, mut format, mut size64) = (12, None, None);
        for _ in 0..CHUNKS {
            let mut chunk = [0; 8];
            if !read(path, file, at, &mut chunk)? {
                break;
            }
            let declared = u32_of(&chunk[4..]);
            let body = at + 8;
            match &chunk[..4] {
                b"fmt " => {
                    let mut bytes = vec![0; u64::from(declared).min(FORMAT_BYTES) as usize];
                    read(path, file, body, &mut bytes)?
                        .then_some(())
                        .ok_or_else(|| bad("it ends within its header"))?;
                    format = Some(bytes);
                }
                // The sizes of a file above 4 GiB: of the file, of the sound, the number of samples.
                b"ds64" => {
                    let mut sizes = [0; 16];
                    if read(path, file, body, &mut sizes)? {
                        let [low, high] = [u32_of(&sizes[8..12]), u32_of(&sizes[12..])].map(u64::from);
                        size64 = Some(high << 32 | low);
                    }
                }
                b"data" => {
                    let format = format.filter(|f: &Vec<u8>| f.len() >= 16);
                    let format = format.ok_or_else(|| bad("the description of its format is missing"))?;
                    let declared = match size64 {
                        Some(size) if declared == u32::MAX => Some(size),
                        _ if declared >= UNKNOWN || UNKNOWN_SIGNED.contains(&declared) => None,
                        _ => Some(u64::from(declared)),
                    };
                    let (end, defect) = extent(path, file, body, declared, size)?;
                    return Ok(Self { format, data: body..end, defect });
                }
                _ => {}
            }
            at = after(body, declared);
        }
        Err(bad("it holds no sound"))
    }

    /// A header for the decoder, which it reads before the sound.
    pub fn header(&self) -> Vec<u8> {
        // Extensions that the plain formats do not need are left out: programs disagree on them.
        let (format, extension): (&[u8], &[u8]) = match u16_of(&self.format) {
            1 | 3 => (&self.format[..16], &[]),
            6 | 7 => (&self.format[..16], &[0, 0]),
            _ => (&self.format, &[]),
        };
        let length = (format.len() + extension.len()) as u32;
        let padding: &[u8] = if length % 2 == 1 { &[0] } else { &[] };
        let sizes = |sound: u64| {
            let rest = 28 + u64::from(length) + padding.len() as u64;
            Some((u32::try_from(sound.checked_add(rest)?).ok()?, u32::try_from(sound).ok()?))
        };
        // The sizes of a stream stand for more than 4 GiB: the sound ends where the file ends.
        let (whole, sound) = sizes(self.data.end - self.data.start).unwrap_or((u32::MAX, u32::MAX));
        let [whole, length, sound] = [whole, length, sound].map(u32::to_le_bytes);
        [&b"RIFF"[..], &whole, b"WAVEfmt ", &length, format, extension, padding, b"data", &sound].concat()
    }

    /// The number of frames and their rate, if the bytes tell it without decoding.
    pub fn frames(&self) -> Option<(u64, u32)> {
        let (tag, block) = (u16_of(&self.format), u16_of(&self.format[12..]));
        let plain = PLAIN.contains(&tag) && block > 0 && block.is_multiple_of(u16_of(&self.format[2..]).max(1));
        plain.then(|| ((self.data.end - self.data.start) / u64::from(block), u32_of(&self.format[4..])))
    }
}

/// Returns where the sound that begins at `start` ends, and what is wrong with its declared size.
fn extent(
    path: &Path,
    file: &mut (impl Read + Seek),
    start: u64,
    declared: Option<u64>,
    size: u64,
) -> Result<(u64, Option<Defect>), DataError> {
    // A stream ends where the file ends.
    let Some(declared) = declared else { return Ok((size, None)) };
    let end = start.saturating_add(declared);
    if end > size {
        return Ok((size, Some(Defect::CutShort)));
    }
    if chunks_follow(path, file, end.saturating_add(declared % 2), size)? {
        return Ok((end, None));
    }
    Ok(if declared == 0 { (size, Some(Defect::NoSize)) } else { (end, Some(Defect::MoreThanDeclared)) })
}

/// Returns whether the rest of a file is chunks, or nothing.
fn chunks_follow(path: &Path, file: &mut (impl Read + Seek), mut at: u64, size: u64) -> Result<bool, DataError> {
    let mut chunk = [0; 8];
    for _ in 0..CHUNKS {
        if at >= size {
            return Ok(true);
        }
        if !read(path, file, at, &mut chunk[..8.min(size - at) as usize])? {
            return Ok(false);
        }
        // A tag of MP3 files, which programs append to others as well.
        if chunk.starts_with(b"TAG") && size - at == 128 {
            return Ok(true);
        }
        let name = chunk[..4].iter().all(|b| b.is_ascii_graphic() || *b == b' ');
        let next = after(at + 8, u32_of(&chunk[4..]));
        // The last chunk may lack the byte that pads it.
        if size - at < 8 || !name || next > size + 1 {
            return Ok(false);
        }
        at = next;
    }
    Ok(false)
}

/// The start of the chunk after one of this length.
fn after(body: u64, length: u32) -> u64 {
    body + u64::from(length) + u64::from(length % 2)
}

/// Fills a buffer from a place in a file; returns whether there were as many bytes.
fn read(path: &Path, file: &mut (impl Read + Seek), at: u64, buffer: &mut [u8]) -> Result<bool, DataError> {
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(buffer));
    match read {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(DataError::io(path, e)),
    }
}

/// The first two bytes as a number; zero if they are missing.
fn u16_of(bytes: &[u8]) -> u16 {
    bytes.first_chunk().map_or(0, |b| u16::from_le_bytes(*b))
}

/// The first four bytes as a number; zero if they are missing.
fn u32_of(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |b| u32::from_le_bytes(*b))
}
