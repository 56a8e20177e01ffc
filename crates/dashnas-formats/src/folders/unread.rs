//! Files in a folder that are not read: they are counted, and a class must not vanish with them.

use crate::error::DataError;
use crate::naming::extension;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Extensions of images, sound and videos that are not read.
const MEDIA: &[&str] = &[
    "aac", "amr", "arw", "avi", "avif", "caf", "cr2", "dcm", "dng", "exr", "hdr", "heic", "heif", "ico", "j2k", "jp2",
    "jxl", "m4a", "mkv", "mov", "mp4", "nef", "opus", "psd", "raw", "spx", "svg", "tga", "webm", "wma",
];

/// Returns the note about the files that are not read, if there are any.
///
/// # Errors
/// [`DataError::File`] if a folder holds images or sound, but none that can be read.
pub(crate) fn note(all: &[PathBuf], read: &[PathBuf], table: Option<&PathBuf>) -> Result<Option<String>, DataError> {
    // Both lists are sorted.
    let unread: Vec<&PathBuf> = all.iter().filter(|p| read.binary_search(p).is_err() && Some(*p) != table).collect();
    if unread.is_empty() {
        return Ok(None);
    }
    let mut folders: BTreeMap<&Path, usize> = BTreeMap::new();
    for folder in read.iter().filter_map(|p| p.parent()) {
        *folders.entry(folder).or_default() += 1;
    }
    let lost = |p: &&&PathBuf| {
        let media = MEDIA.contains(&extension(p).as_str());
        media && p.parent().is_some_and(|folder| !folders.keys().any(|other| other.starts_with(folder)))
    };
    if let Some(folder) = unread.iter().find(lost).and_then(|p| p.parent()) {
        let here: Vec<&PathBuf> = unread.iter().copied().filter(|p| p.parent() == Some(folder)).collect();
        let reason = format!("none of its files can be read ({})", counts(&here));
        return Err(DataError::file(folder, reason).with_hint("convert images to PNG and sound to WAV"));
    }
    let (verb, files) = if unread.len() == 1 { ("is", "file") } else { ("are", "files") };
    Ok(Some(format!("{} other {files} {verb} not read: {}", unread.len(), counts(&unread))))
}

/// The number of files with each extension, the most first.
fn counts(files: &[&PathBuf]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        *counts.entry(extension(file)).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let name = |e: &str| if e.is_empty() { "without an extension".to_owned() } else { format!(".{e}") };
    let mut texts: Vec<String> = counts.iter().take(5).map(|(e, n)| format!("{n} {}", name(e))).collect();
    if counts.len() > 5 {
        texts.push("…".into());
    }
    texts.join(", ")
}
