//! The parts of virtual data sets: which data sets of which files. The bindings of the library fail on the usual ones, and
//! the library itself takes fill values for parts that it does not find.
//!
//! The list of parts is an object in a heap of the file. Heaps are found by their signature, and lists by their form,
//! which must fit to the last byte.

use memchr::memmem;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The file of a part as the list names it (`.` is the same file), and the path of the data set in it.
pub(super) type Part = (String, String);

/// Bytes of a file that are searched at once, and most bytes of a heap.
const BLOCK: usize = 1 << 20;
const MAX_HEAP: u64 = 1 << 26;

/// Returns the parts of all virtual data sets of a file.
pub(super) fn of_file(path: &Path) -> io::Result<Vec<Part>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let (mut parts, mut block) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < size {
        block.clear();
        file.seek(SeekFrom::Start(at))?;
        Read::by_ref(&mut file).take(BLOCK as u64).read_to_end(&mut block)?;
        let heaps: Vec<u64> = memmem::find_iter(&block, b"GCOL\x01\0\0\0").map(|place| at + place as u64).collect();
        for heap in heaps {
            parts.extend(in_heap(&mut file, heap)?);
        }
        if block.len() < BLOCK {
            break;
        }
        // A signature may lie across the end of a block.
        at += (BLOCK - 7) as u64;
    }
    Ok(parts)
}

/// Returns the parts that the lists in a heap name.
fn in_heap(file: &mut File, at: u64) -> io::Result<Vec<Part>> {
    file.seek(SeekFrom::Start(at + 8))?;
    let mut size = [0; 8];
    file.read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    let mut heap = Vec::new();
    if (16..=MAX_HEAP).contains(&size) {
        file.take(size - 16).read_to_end(&mut heap)?;
    }
    let mut parts = Vec::new();
    let mut rest = Bytes(&heap);
    // An object is its number, a count, four bytes that are not used, its size, and its bytes.
    while let (Some(number), Some(_), Some(size)) = (rest.number(2), rest.take(6), rest.number(8)) {
        let Some(object) = rest.take(size) else { break };
        let _ = rest.take(size.next_multiple_of(8) - size);
        // The object 0 is the space that is left.
        if number == 0 {
            break;
        }
        parts.extend(list(object).unwrap_or_default());
    }
    Ok(parts)
}

/// Reads a list of parts; `None` if the object is something else.
fn list(object: &[u8]) -> Option<Vec<Part>> {
    let mut rest = Bytes(object);
    let version = rest.number(1)?;
    let count = rest.number(8)?;
    if version > 1 || count > object.len() {
        return None;
    }
    let mut parts: Vec<Part> = Vec::new();
    for _ in 0..count {
        let flags = if version == 1 { rest.number(1)? } else { 0 };
        // A name may be that of an earlier part.
        let file = match flags {
            _ if flags & 4 != 0 => ".".into(),
            _ if flags & 1 != 0 => parts.get(rest.number(8)?)?.0.clone(),
            _ => rest.text()?,
        };
        let data = if flags & 2 != 0 { parts.get(rest.number(8)?)?.1.clone() } else { rest.text()? };
        selection(&mut rest)?;
        selection(&mut rest)?;
        parts.push((file, data));
    }
    // A checksum ends the list.
    (rest.0.len() == 4).then_some(parts)
}

/// Passes over a selection of elements.
fn selection(rest: &mut Bytes) -> Option<()> {
    const HYPERSLAB: usize = 2;
    let kind = rest.number(4)?;
    match (kind, rest.number(4)?) {
        (HYPERSLAB, version @ 1..=2) => {
            rest.take(if version == 1 { 4 } else { 1 })?;
            let size = rest.number(4)?;
            rest.take(size)?;
        }
        (HYPERSLAB, 3) => {
            let (flags, width, axes) = (rest.number(1)?, rest.number(1)?, rest.number(4)?);
            let blocks = if flags & 1 != 0 { 2 } else { rest.number(width)? };
            rest.take(blocks.checked_mul(2)?.checked_mul(axes)?.checked_mul(width)?)?;
        }
        // Everything or nothing.
        (0 | 3, 1) => {
            rest.take(8)?;
        }
        _ => return None,
    }
    Some(())
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    /// Reads a little-endian number of at most eight bytes.
    fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width).filter(|bytes| bytes.len() <= 8)?;
        usize::try_from(bytes.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b))).ok()
    }

    /// Reads a text, which a zero ends.
    fn text(&mut self) -> Option<String> {
        let len = memchr::memchr(0, self.0)?;
        let text = self.take(len + 1)?;
        Some(String::from_utf8_lossy(&text[..len]).into_owned())
    }
}
