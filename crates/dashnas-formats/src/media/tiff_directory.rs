//! What a TIFF file says of its first image: the sizes of the entries of its directory.
//!
//! The decoder allocates memory for as many values as an entry claims, before it looks whether the file holds them.

/// An entry of the directory that claims more bytes than the file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Oversized {
    /// The number of its tag.
    pub tag: u16,
    /// The bytes that it claims.
    pub bytes: u64,
}

/// Finds an entry of the first directory that claims more bytes than the file has; `None` if there is none, or if it is
/// no TIFF file.
pub(super) fn oversized(bytes: &[u8]) -> Option<Oversized> {
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
    (0..entries).find_map(|i| {
        let at = at + i * entry;
        let size = match file.number(at + 2, 2)? {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => 1,
        };
        let claimed = file.number(at + 4, wide)?.saturating_mul(size);
        let tag = u16::try_from(file.number(at, 2)?).ok()?;
        (claimed > bytes.len() as u64).then_some(Oversized { tag, bytes: claimed })
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

    #[test]
    fn entries_that_claim_more_than_the_file_has_are_found() {
        // Width, and bits per sample of 3 or of 8388608 values.
        let small = |count: u32| {
            let entry = |tag: u16, kind: u16, count: u32, value: u32| {
                [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
            };
            let entries = [entry(256, 3, 1, 4), entry(258, 3, count, 0)].concat();
            [&b"II*\0\x08\0\0\0\x02\0"[..], &entries, &[0; 4]].concat()
        };
        let large = |count: u64| {
            let head = [&b"MM\0\x2b\0\x08\0\0"[..], &16u64.to_be_bytes(), &1u64.to_be_bytes()].concat();
            let entry = [&258u16.to_be_bytes()[..], &12u16.to_be_bytes(), &count.to_be_bytes(), &[0; 8]].concat();
            [head, entry, vec![0; 8]].concat()
        };
        assert_eq!(oversized(&small(3)), None);
        assert_eq!(oversized(&small(1 << 23)), Some(Oversized { tag: 258, bytes: 1 << 24 }));
        assert_eq!(oversized(&large(3)), None);
        assert_eq!(oversized(&large(u64::MAX)), Some(Oversized { tag: 258, bytes: u64::MAX }));
        assert_eq!(oversized(b"\x89PNG"), None);
        for file in [small(1 << 23), large(1 << 40)] {
            for n in 0..file.len() {
                let _ = oversized(&file[..n]);
            }
        }
    }
}
