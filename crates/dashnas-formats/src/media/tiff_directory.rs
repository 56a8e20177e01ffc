//! What a TIFF file says of its first image: the sizes of the entries of its directory, and where its pixels begin.
//!
//! The decoder allocates memory for as many values as an entry claims, before it looks whether the file holds them. It also
//! reads pixels from wherever an offset points to, the header included.

use std::fmt;

/// The number of the tag of the offsets of strips, and of those of tiles.
const STRIPS: u64 = 273;
const TILES: u64 = 324;

/// A flaw of the first directory of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// An entry claims more bytes than the file has.
    Oversized {
        /// The number of its tag.
        tag: u64,
        /// The bytes that it claims.
        bytes: u64,
        /// The bytes of the file.
        file: usize,
    },
    /// A part of the pixels begins where something else is.
    Misplaced {
        /// A strip or a tile.
        what: &'static str,
        /// Its number, from 0.
        number: u64,
        /// The byte at which it begins.
        at: u64,
        /// What is there.
        inside: &'static str,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Oversized { tag, bytes, file } => {
                write!(f, "entry {tag} of its directory claims {bytes} bytes, but the file has {file}")
            }
            Flaw::Misplaced { what, number, at, inside } => {
                write!(f, "{what} {number} (from 0) of its pixels begins at byte {at}, inside {inside} of the file")
            }
        }
    }
}

/// Returns whether a file is a BigTIFF, whose offsets have 8 bytes.
pub(super) fn is_big(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II\x2b\0") || bytes.starts_with(b"MM\0\x2b")
}

/// Finds a flaw of the first directory; `None` if there is none, or if it is no TIFF file.
pub(super) fn flaw(bytes: &[u8]) -> Option<Flaw> {
    let file = File {
        bytes,
        big_endian: match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        },
    };
    // The offsets of BigTIFF have 8 bytes.
    let big = match file.number(2, 2)? {
        42 => false,
        43 => true,
        _ => return None,
    };
    let (first, counted, entry, wide) = if big { (8, 8, 20, 8) } else { (4, 2, 12, 4) };
    let directory = usize::try_from(file.number(first, wide)?).ok()?;
    let entries = usize::try_from(file.number(directory, counted)?).ok()?;
    let at = directory.checked_add(counted)?;
    // A directory that is cut short is refused by the decoder.
    let entries = entries.min(bytes.len().saturating_sub(at) / entry);
    let (header, end) = (first + wide, at + entries * entry);
    (0..entries).find_map(|i| {
        let at = at + i * entry;
        let size: usize = match file.number(at + 2, 2)? {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => 1,
        };
        let (tag, count) = (file.number(at, 2)?, file.number(at + 4, wide)?);
        let claimed = count.saturating_mul(size as u64);
        if claimed > bytes.len() as u64 {
            return Some(Flaw::Oversized { tag, bytes: claimed, file: bytes.len() });
        }
        let what = match tag {
            STRIPS => "strip",
            TILES => "tile",
            _ => return None,
        };
        // Few values are in the entry itself.
        let value = at + 4 + wide;
        let values = if claimed <= wide as u64 { value } else { usize::try_from(file.number(value, wide)?).ok()? };
        (0..count).find_map(|number| {
            let offset = file.number(values.checked_add(number as usize * size)?, size)?;
            let inside = match usize::try_from(offset).ok()? {
                byte if byte < header => "the header",
                byte if (directory..end).contains(&byte) => "the directory",
                _ => return None,
            };
            Some(Flaw::Misplaced { what, number, at: offset, inside })
        })
    })
}

/// A file with numbers in one byte order.
struct File<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl File<'_> {
    /// The number of so many bytes at an offset, at most 8.
    fn number(&self, at: usize, count: usize) -> Option<u64> {
        let digits = self.bytes.get(at..at.checked_add(count)?)?;
        let add = |sum: u64, &digit: &u8| sum << 8 | u64::from(digit);
        Some(if self.big_endian { digits.iter().fold(0, add) } else { digits.iter().rev().fold(0, add) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of a directory with these entries: a tag, a type, a number of values, and the values or where they are.
    fn file(big: bool, entries: &[(u16, u16, u64, u64)], rest: &[u8]) -> Vec<u8> {
        let mut out = match big {
            false => b"II*\0\x08\0\0\0".to_vec(),
            true => [&b"MM\0\x2b\0\x08\0\0"[..], &16u64.to_be_bytes()].concat(),
        };
        let number = |value: u64, size: usize| match big {
            false => value.to_le_bytes()[..size].to_vec(),
            true => value.to_be_bytes()[8 - size..].to_vec(),
        };
        out.extend(number(entries.len() as u64, if big { 8 } else { 2 }));
        for &(tag, kind, count, value) in entries {
            let wide = if big { 8 } else { 4 };
            // A value in the entry stands at its beginning.
            let size = if kind == 3 && count == 1 { 2 } else { wide };
            let fields = [number(tag.into(), 2), number(kind.into(), 2), number(count, wide), number(value, size)];
            out.extend(fields.concat());
            out.resize(out.len() + wide - size, 0);
        }
        [&out, rest].concat()
    }

    #[test]
    fn entries_that_claim_more_than_the_file_has_are_found() {
        // Width, and bits per sample of 3 or of 8388608 values.
        let small = |count: u64| file(false, &[(256, 3, 1, 4), (258, 3, count, 0)], &[0; 4]);
        let large = |count: u64| file(true, &[(258, 12, count, 0)], &[0; 8]);
        assert_eq!(flaw(&small(3)), None);
        let oversized = |bytes: u64, file: usize| Some(Flaw::Oversized { tag: 258, bytes, file });
        assert_eq!(flaw(&small(1 << 23)), oversized(1 << 24, 38));
        assert_eq!(flaw(&large(3)), None);
        assert_eq!(flaw(&large(u64::MAX)), oversized(u64::MAX, 52));
        assert_eq!(flaw(b"\x89PNG"), None);
        for file in [small(1 << 23), large(1 << 40)] {
            for n in 0..file.len() {
                let _ = flaw(&file[..n]);
            }
        }
    }

    #[test]
    fn pixels_that_begin_in_the_header_or_the_directory_are_found() {
        // Two 32-bit offsets behind a small directory (at 26), and two 64-bit ones behind a large one (at 44).
        let two = |a: u32, b: u32| [a.to_le_bytes(), b.to_le_bytes()].concat();
        let wide = |a: u64, b: u64| [a.to_be_bytes(), b.to_be_bytes()].concat();
        let found = |what, number, at, inside| Some(Flaw::Misplaced { what, number, at, inside });
        let cases = [
            (file(false, &[(273, 4, 1, 0)], &[0; 4]), found("strip", 0, 0, "the header")),
            (file(false, &[(273, 4, 1, 7)], &[0; 4]), found("strip", 0, 7, "the header")),
            (file(false, &[(324, 3, 1, 4)], &[0; 4]), found("tile", 0, 4, "the header")),
            (file(false, &[(273, 4, 1, 8)], &[0; 4]), found("strip", 0, 8, "the directory")),
            (file(false, &[(273, 4, 1, 21)], &[0; 4]), found("strip", 0, 21, "the directory")),
            (file(false, &[(273, 4, 1, 22)], &[0; 4]), None),
            (file(false, &[(273, 4, 2, 22)], &two(30, 40)), None),
            (file(false, &[(273, 4, 2, 22)], &two(30, 0)), found("strip", 1, 0, "the header")),
            (file(true, &[(324, 16, 1, 15)], &[0; 8]), found("tile", 0, 15, "the header")),
            (file(true, &[(324, 16, 2, 44)], &wide(44, 60)), None),
            (file(true, &[(324, 16, 2, 44)], &wide(44, 43)), found("tile", 1, 43, "the directory")),
            // Other entries hold other numbers.
            (file(false, &[(279, 4, 1, 0)], &[0; 4]), None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(flaw(&bytes), expected, "{bytes:?}");
            for n in 0..bytes.len() {
                let _ = flaw(&bytes[..n]);
            }
        }
    }
}
