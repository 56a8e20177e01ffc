//! Links in HDF5 files, which the library does not follow.
//!
//! In groups of the old form (a symbol table) it cannot even pass over them. They are found by a walk over the symbol
//! tables, from the superblock on. A file with such links is then read through [`WithoutLinks`], in which their entries
//! lead to an empty object that is neither a group nor a data set. In groups of the new form, only the links in the
//! header of the root group are found; the library passes over the others.

use crate::hdf5::error::or_build;
use crate::hdf5::list::Entry;
use crate::info::{ArrayInfo, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Limits of the walk: deepest tree, most nodes and longest name.
const MAX_DEPTH: usize = 16;
const MAX_NODES: usize = 100_000;
const MAX_NAME: u64 = 4096;
/// Most blocks of the header of a group that are read, and most bytes of one.
const MAX_BLOCKS: usize = 64;
const MAX_HEADER: usize = 1 << 20;
/// The size of an entry of a symbol table.
const ENTRY: usize = 40;
/// The types of messages in headers.
const LINK: usize = 6;
const CONTINUATION: usize = 16;
/// An object header of version 1 without messages.
const EMPTY: [u8; 16] = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The links of a file.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// The path of each soft link and the path that it leads to.
    pub targets: BTreeMap<String, String>,
    /// The name of each link to another file, and that file.
    pub external: BTreeMap<String, String>,
    /// Where the addresses of the objects that they do not have are in the file.
    addresses: Vec<u64>,
    /// The address of the superblock, to which others are relative.
    base: u64,
}

/// Finds the links of a file. A damaged file has those that come before the damage, which the library says.
pub(super) fn find(file: &mut File) -> Links {
    let mut walk = Walk { file, links: Links::default(), seen: BTreeSet::new(), nodes: 0 };
    // A file that the walk cannot follow to its end keeps the links that were found.
    let _ = walk.superblock();
    walk.links
}

/// A walk over the groups of a file.
struct Walk<'a> {
    file: &'a mut File,
    links: Links,
    /// The trees of the groups that were visited: hard links may lead back.
    seen: BTreeSet<u64>,
    nodes: usize,
}

/// Reads eight bytes as an address or a size.
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// The little-endian number of a few bytes.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | usize::from(b))
}

impl Walk<'_> {
    /// Reads bytes at an absolute position.
    fn bytes(&mut self, at: u64, n: usize) -> Option<Vec<u8>> {
        self.file.seek(SeekFrom::Start(at)).ok()?;
        let mut bytes = vec![0; n];
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Finds the superblock and walks the root group.
    fn superblock(&mut self) -> Option<()> {
        let mut base = 0u64;
        let head = loop {
            let head = self.bytes(base, 100)?;
            if head.starts_with(b"\x89HDF\r\n\x1a\n") {
                break head;
            }
            base = if base == 0 { 512 } else { base.checked_mul(2).filter(|&b| b <= 1 << 24)? };
        };
        self.links.base = base;
        // Sizes other than eight bytes are not in use.
        let (sizes, entry) = match head[8] {
            0 => (13, 56),
            1 => (13, 60),
            2 | 3 => {
                return if head[9] == 8 && head[10] == 8 { self.header(u64_at(&head, 36)?) } else { None };
            }
            _ => return None,
        };
        if head[sizes] != 8 || head[sizes + 1] != 8 {
            return None;
        }
        // A group that was given a link to another file is of the new form.
        let _ = self.header(u64_at(&head, entry + 8)?);
        if u32_at(&head, entry + 16)? != 1 {
            return None;
        }
        self.group(u64_at(&head, entry + 24)?, u64_at(&head, entry + 32)?, "", 0)
    }

    /// Reads the links in the header of a group of the new form, and in the blocks that continue it.
    fn header(&mut self, address: u64) -> Option<()> {
        let at = self.absolute(address)?;
        let head = self.bytes(at, 16)?;
        let second = head.starts_with(b"OHDR");
        // The size of what comes before the rest of a message: its type, its size, its flags and, with a flag of the
        // header, its place in the order of creation.
        let (from, size, prefix) = if second {
            let flags = head[5];
            let before = 6 + if flags & 0x20 != 0 { 16 } else { 0 } + if flags & 0x10 != 0 { 4 } else { 0 };
            let width = 1u64 << (flags & 3);
            let size = self.bytes(at.checked_add(before)?, width as usize)?;
            (before + width, number(&size), if flags & 4 != 0 { 6 } else { 4 })
        } else {
            (16, u32_at(&head, 8)? as usize, 8)
        };
        let mut blocks = vec![(at.checked_add(from)?, size)];
        let mut left = MAX_BLOCKS;
        while let Some((at, size)) = blocks.pop() {
            left = left.checked_sub(1)?;
            let body = self.bytes(at, size.min(MAX_HEADER))?;
            let mut rest = body.strip_prefix(b"OCHK").unwrap_or(&body);
            while let Some(start) = rest.get(..prefix) {
                let (kind, size) = match second {
                    true => (usize::from(start[0]), number(&start[1..3])),
                    false => (number(&start[..2]), number(&start[2..4])),
                };
                let Some(message) = rest.get(prefix..prefix + size) else { break };
                match kind {
                    LINK => {
                        let _ = self.link(message);
                    }
                    CONTINUATION => {
                        let next = self.absolute(u64_at(message, 0)?)?;
                        blocks.push((next, usize::try_from(u64_at(message, 8)?).ok()?));
                    }
                    _ => {}
                }
                rest = &rest[prefix + size..];
            }
        }
        Some(())
    }

    /// Reads a link message.
    fn link(&mut self, message: &[u8]) -> Option<()> {
        let flags = *message.get(1)?;
        let mut at = 2;
        let kind = if flags & 8 != 0 { *message.get(at)? } else { 0 };
        at += usize::from(flags & 8 != 0) + if flags & 4 != 0 { 8 } else { 0 } + usize::from(flags & 16 != 0);
        let width = 1usize << (flags & 3);
        let len = number(message.get(at..at + width)?);
        at += width;
        let name = String::from_utf8_lossy(message.get(at..at.checked_add(len)?)?).into_owned();
        at += len;
        let len = usize::from(u16::from_le_bytes([*message.get(at)?, *message.get(at + 1)?]));
        let value = message.get(at + 2..at + 2 + len)?;
        match kind {
            1 => self.soft(name, &String::from_utf8_lossy(value), ""),
            64 => {
                let file = value.get(1..)?.split(|&b| b == 0).next()?;
                self.links.external.insert(name, String::from_utf8_lossy(file).into_owned());
            }
            _ => {}
        }
        Some(())
    }

    /// Keeps a soft link to a path that begins at the root, or at the group with this prefix.
    fn soft(&mut self, name: String, path: &str, prefix: &str) {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{prefix}{path}") };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        self.links.targets.insert(name, parts.join("/"));
    }

    /// Walks the group with this tree and this heap of names.
    fn group(&mut self, tree: u64, heap: u64, prefix: &str, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH || !self.seen.insert(tree) {
            return None;
        }
        let heap = self.bytes(self.absolute(heap)?, 32)?;
        if !heap.starts_with(b"HEAP") {
            return None;
        }
        let names = self.absolute(u64_at(&heap, 24)?)?;
        self.node(tree, names, prefix, depth, 0)
    }

    fn absolute(&self, address: u64) -> Option<u64> {
        self.links.base.checked_add(address)
    }

    /// Walks a node of a tree.
    fn node(&mut self, address: u64, names: u64, prefix: &str, depth: usize, level: usize) -> Option<()> {
        self.nodes += 1;
        if level > MAX_DEPTH || self.nodes > MAX_NODES {
            return None;
        }
        let at = self.absolute(address)?;
        let head = self.bytes(at, 24)?;
        if !head.starts_with(b"TREE") || head[4] != 0 {
            return None;
        }
        let used = usize::from(u16::from_le_bytes([head[6], head[7]]));
        let children = self.bytes(at.checked_add(24)?, used * 16)?;
        for child in (0..used).filter_map(|i| u64_at(&children, i * 16 + 8)) {
            // A damaged part does not hide the links in others.
            let _ = match head[5] {
                0 => self.symbols(child, names, prefix, depth),
                _ => self.node(child, names, prefix, depth, level + 1),
            };
        }
        Some(())
    }

    /// Walks the entries of a symbol table.
    fn symbols(&mut self, address: u64, names: u64, prefix: &str, depth: usize) -> Option<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return None;
        }
        let at = self.absolute(address)?;
        let head = self.bytes(at, 8)?;
        if !head.starts_with(b"SNOD") {
            return None;
        }
        let count = usize::from(u16::from_le_bytes([head[6], head[7]]));
        let entries = self.bytes(at.checked_add(8)?, count * ENTRY)?;
        for (i, entry) in entries.chunks_exact(ENTRY).enumerate() {
            let kind = u32_at(entry, 16)?;
            if kind != 1 && kind != 2 {
                continue;
            }
            let name = format!("{prefix}{}", self.name(names.checked_add(u64_at(entry, 0)?)?)?);
            if kind == 1 {
                let _ = self.group(u64_at(entry, 24)?, u64_at(entry, 32)?, &format!("{name}/"), depth + 1);
                continue;
            }
            let path = self.name(names.checked_add(u32_at(entry, 24)?.into())?)?;
            self.soft(name, &path, prefix);
            self.links.addresses.push(at + 8 + (i * ENTRY) as u64 + 8);
        }
        Some(())
    }

    /// Reads a name, which a zero ends.
    fn name(&mut self, at: u64) -> Option<String> {
        self.file.seek(SeekFrom::Start(at)).ok()?;
        let mut bytes = Vec::new();
        for byte in io::BufReader::new((&mut *self.file).take(MAX_NAME)).bytes() {
            match byte.ok()? {
                0 => return Some(String::from_utf8_lossy(&bytes).into_owned()),
                byte => bytes.push(byte),
            }
        }
        None
    }
}

impl Links {
    /// The entries of the links to other files, which are refused.
    pub fn to_other_files(&self) -> Vec<Entry> {
        let refused = |(name, file): (&String, &String)| {
            let reason = format!("it is a link to another file, `{file}`, which is not supported");
            let hint = or_build("save a copy in one file, in h5py: new['x'] = old['x'][...]");
            Entry { unsupported: true, ..Entry::refused(name, "a link to another file", Refusal { reason, hint }) }
        };
        self.external.iter().map(refused).collect()
    }

    /// The entries of the soft links to arrays of these entries, and refused ones for other soft links.
    pub fn to_arrays(&self, entries: &[Entry]) -> Vec<Entry> {
        let linked = |(name, target): (&String, &String)| {
            let target = self.resolve(name).unwrap_or(target);
            match entries.iter().find(|entry| entry.path == target) {
                Some(entry) => {
                    let info = ArrayInfo { name: name.clone(), link: Some(entry.path.clone()), ..entry.info.clone() };
                    Entry { info, ..entry.clone() }
                }
                None => {
                    let reason = format!("it is a soft link to `/{target}`, where there is no array");
                    let hint = "save the array under this name".into();
                    Entry::refused(name, "a soft link", Refusal { reason, hint })
                }
            }
        };
        self.targets.iter().map(linked).collect()
    }

    /// Returns whether there are links that the library cannot pass over.
    pub fn in_tables(&self) -> bool {
        !self.addresses.is_empty()
    }

    /// The path that a link leads to, through further links.
    pub fn resolve(&self, link: &str) -> Option<&str> {
        let mut path = self.targets.get(link)?;
        for _ in 0..MAX_DEPTH {
            match self.targets.get(path) {
                Some(next) => path = next,
                None => return Some(path),
            }
        }
        None
    }
}

/// A file in which the entries of soft links lead to an empty object behind its end.
pub(super) struct WithoutLinks {
    file: File,
    /// The length of the file itself.
    len: u64,
    at: u64,
    addresses: BTreeSet<u64>,
    base: u64,
}

impl WithoutLinks {
    /// Wraps a file.
    pub fn new(mut file: File, links: &Links) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, len, at: 0, addresses: links.addresses.iter().copied().collect(), base: links.base })
    }

    /// The position of the empty object, at a multiple of eight bytes.
    fn empty(&self) -> u64 {
        self.len.next_multiple_of(8)
    }
}

impl Read for WithoutLinks {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.len {
            let behind: Vec<u8> = std::iter::repeat_n(0, (self.empty() - self.len) as usize).chain(EMPTY).collect();
            let from = usize::try_from(self.at - self.len).unwrap_or(usize::MAX);
            let rest = behind.get(from..).unwrap_or(&[]);
            let n = rest.len().min(buf.len());
            buf[..n].copy_from_slice(&rest[..n]);
            self.at += n as u64;
            return Ok(n);
        }
        self.file.seek(SeekFrom::Start(self.at))?;
        let n = self.file.read(buf)?;
        let address = (self.empty() - self.base.min(self.empty())).to_le_bytes();
        let first = self.addresses.range(self.at.saturating_sub(7)..self.at.saturating_add(n as u64));
        for &patch in first {
            for (i, byte) in address.iter().enumerate() {
                let to = (patch + i as u64).checked_sub(self.at).and_then(|to| usize::try_from(to).ok());
                if let Some(slot) = to.filter(|&to| to < n).and_then(|to| buf.get_mut(to)) {
                    *slot = *byte;
                }
            }
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for WithoutLinks {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let end = self.empty() + EMPTY.len() as u64;
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
