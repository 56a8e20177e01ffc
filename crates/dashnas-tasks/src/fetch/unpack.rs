//! Unpacks archives, never outside their folder.

use crate::fetch::error::FetchError;
use crate::fetch::observer::{DownloadProgress, FetchObserver};
use crate::fetch::published::Unpack;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

/// The most bytes that an archive may unpack to.
const LIMIT: u64 = 256 << 30;

/// Unpacks an archive into a folder. Entries outside the folder, links and devices are refused.
pub(super) fn unpack(
    kind: Unpack,
    path: &Path,
    folder: &Path,
    observer: &mut dyn FetchObserver,
) -> Result<(), FetchError> {
    let file = BufReader::new(File::open(path).map_err(|e| FetchError::io(path, e))?);
    match kind {
        Unpack::No => Ok(()),
        Unpack::Tar => tar(file, path, folder, observer),
        Unpack::TarGz => tar(MultiGzDecoder::new(file), path, folder, observer),
        Unpack::Zip => zip(file, path, folder, observer),
    }
}

fn bad(path: &Path, reason: impl Into<String>) -> FetchError {
    FetchError::Archive { path: path.into(), reason: reason.into() }
}

/// The path of an entry, if it is inside the folder.
fn inside(folder: &Path, entry: &Path) -> Option<PathBuf> {
    let mut place = folder.to_path_buf();
    for component in entry.components() {
        match component {
            Component::Normal(name) => place.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    // An existing link could lead outside.
    let linked = place.ancestors().take_while(|p| *p != folder).any(Path::is_symlink);
    (!linked).then_some(place)
}

/// Writes one file of an archive; `spent` counts the bytes of all files.
fn write(reader: impl Read, place: &Path, spent: &mut u64, archive: &Path) -> Result<(), FetchError> {
    if let Some(parent) = place.parent() {
        std::fs::create_dir_all(parent).map_err(|e| FetchError::io(parent, e))?;
    }
    let mut file = File::create(place).map_err(|e| FetchError::io(place, e))?;
    let left = LIMIT - *spent;
    let written = io::copy(&mut reader.take(left + 1), &mut file)
        .map_err(|e| bad(archive, format!("cannot write {}: {e}", place.display())))?;
    if written > left {
        return Err(bad(archive, format!("it unpacks to more than {LIMIT} bytes")));
    }
    *spent += written;
    Ok(())
}

fn tar(reader: impl Read, path: &Path, folder: &Path, observer: &mut dyn FetchObserver) -> Result<(), FetchError> {
    let broken = |e: io::Error| bad(path, format!("it is not a valid tar archive: {e}"));
    let mut archive = tar::Archive::new(reader);
    let mut spent = 0;
    for entry in archive.entries().map_err(broken)? {
        if observer.cancelled() {
            return Err(FetchError::Interrupted);
        }
        let entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.into_owned();
        let kind = entry.header().entry_type();
        let Some(place) = inside(folder, &name) else {
            return Err(bad(path, format!("its entry `{}` is outside the folder", name.display())));
        };
        if kind.is_dir() {
            std::fs::create_dir_all(&place).map_err(|e| FetchError::io(&place, e))?;
        } else if kind.is_file() {
            write(entry, &place, &mut spent, path)?;
            observer.progress(&name.to_string_lossy(), DownloadProgress { done: spent, total: None });
        } else if !kind.is_pax_global_extensions() {
            return Err(bad(path, format!("its entry `{}` is a link or device", name.display())));
        }
    }
    Ok(())
}

fn zip(
    reader: BufReader<File>,
    path: &Path,
    folder: &Path,
    observer: &mut dyn FetchObserver,
) -> Result<(), FetchError> {
    let broken = |e: zip::result::ZipError| bad(path, format!("it is not a valid zip archive: {e}"));
    let mut archive = zip::ZipArchive::new(reader).map_err(broken)?;
    let mut spent = 0;
    for i in 0..archive.len() {
        if observer.cancelled() {
            return Err(FetchError::Interrupted);
        }
        let entry = archive.by_index(i).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        if entry.is_symlink() {
            return Err(bad(path, format!("its entry `{name}` is a link")));
        }
        let Some(place) = inside(folder, Path::new(&name)) else {
            return Err(bad(path, format!("its entry `{name}` is outside the folder")));
        };
        if entry.is_dir() {
            std::fs::create_dir_all(&place).map_err(|e| FetchError::io(&place, e))?;
        } else {
            write(entry, &place, &mut spent, path)?;
            observer.progress(&name, DownloadProgress { done: spent, total: None });
        }
    }
    Ok(())
}
