//! The text of a file of separated values: UTF-8, UTF-16 or Windows-1252.

use crate::bytes::bytes;
use crate::content::{content_of, wrong_content};
use crate::error::{DataError, Location};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use rayon::prelude::*;
use std::path::Path;

/// The text of a file, and the encoding that it was read as if it is not UTF-8.
pub(crate) struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// The name of the encoding.
    pub encoding: Option<&'static str>,
}

/// Reads a file as text.
///
/// # Errors
/// [`DataError`] if the file cannot be read, or is not text in a known encoding.
pub(crate) fn text(path: &Path, limit: u64) -> Result<Decoded, DataError> {
    let bytes = bytes(path, limit)?;
    if let Some(found) = content_of(&bytes) {
        return Err(wrong_content(path, "a text file", found));
    }
    decode(path, bytes)
}

/// Decodes the bytes of a file; `path` names it in errors.
///
/// # Errors
/// [`DataError`] if they are not text in a known encoding.
pub(crate) fn decode(path: &Path, mut bytes: Vec<u8>) -> Result<Decoded, DataError> {
    let utf32 = [&b"\xff\xfe\0\0"[..], b"\0\0\xfe\xff"];
    if utf32.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(DataError::file(path, "it is text in UTF-32, which is not supported").with_hint("save it as UTF-8"));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes).filter(|(encoding, _)| encoding.is_ascii_compatible()) {
        debug_assert_eq!(encoding.name(), "UTF-8");
        bytes.drain(..mark);
        return utf8(path, bytes);
    }
    if let Some(encoding) = utf16(&bytes) {
        let (text, _, damaged) = encoding.decode(&bytes);
        if damaged || text.contains('\0') {
            return Err(DataError::file(path, format!("it looks like {}, but is damaged", encoding.name()))
                .with_hint("save it as UTF-8"));
        }
        return Ok(Decoded { text: text.into_owned(), encoding: Some(encoding.name()) });
    }
    utf8(path, bytes)
}

/// Recognizes UTF-16 by its mark, or by every other byte of its first characters being 0.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return (!encoding.is_ascii_compatible()).then_some(encoding);
    }
    let head = &bytes[..bytes.len().min(64) & !1];
    let zeros = |at: usize| head.iter().skip(at).step_by(2).filter(|&&b| b == 0).count();
    let most = |n: usize| head.len() >= 8 && n * 2 > head.len() / 2;
    match (zeros(0), zeros(1)) {
        (0, odd) if most(odd) => Some(UTF_16LE),
        (even, 0) if most(even) => Some(UTF_16BE),
        _ => None,
    }
}

/// Returns whether there is such a byte, with several threads.
pub(crate) fn contains_byte(bytes: &[u8], byte: u8) -> bool {
    /// Bytes that one thread looks at.
    const PART: usize = 1 << 20;
    bytes.par_chunks(PART).any(|part| memchr::memchr(byte, part).is_some())
}

/// Text in UTF-8, or else in Windows-1252, in which almost every byte is a character.
fn utf8(path: &Path, bytes: Vec<u8>) -> Result<Decoded, DataError> {
    let error = match String::from_utf8(bytes) {
        Ok(text) if contains_byte(text.as_bytes(), 0) => return Err(DataError::file(path, "it is not a text file")),
        Ok(text) => return Ok(Decoded { text, encoding: None }),
        Err(error) => error,
    };
    let bytes = error.as_bytes();
    let line = bytes[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
    if bytes.contains(&0) {
        return Err(DataError::file(path, "it is not a text file"));
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err(DataError::at(path, Location::Line(line), "it is not a text file")
            .with_hint("if it is text in an uncommon encoding, save it as UTF-8"));
    }
    Ok(Decoded { text: text.into_owned(), encoding: Some("Windows-1252") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<(String, Option<&'static str>), String> {
        decode(Path::new("t.csv"), bytes.to_vec()).map(|d| (d.text, d.encoding)).map_err(|e| e.to_string())
    }

    #[test]
    fn every_usual_encoding_is_read() {
        let text = "a,b\nö,’€\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let cases: [(Vec<u8>, Option<&str>); 7] = [
            (text.into(), None),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), None),
            ([b"\xff\xfe", &little[..]].concat(), Some("UTF-16LE")),
            ([b"\xfe\xff", &big[..]].concat(), Some("UTF-16BE")),
            (little, Some("UTF-16LE")),
            (big, Some("UTF-16BE")),
            (b"a,b\n\xf6,\x92\x80\n".to_vec(), Some("Windows-1252")),
        ];
        for (bytes, encoding) in cases {
            assert_eq!(decoded(&bytes), Ok((text.into(), encoding)), "{bytes:x?}");
        }
        assert!(decoded(b"\xff\xfe\0\0a\0\0\0").unwrap_err().contains("UTF-32"));
        for bytes in [&b"\x00\x01\x02\x03\xff"[..], b"a\x81\x01b", b"\xff\xfea\0\x00\xd8"] {
            assert!(decoded(bytes).is_err(), "{bytes:x?}");
        }
    }
}
