//! The paths of files within a folder.

use std::path::Path;

/// Returns the names of the folders between a folder and a file in it.
pub(super) fn folders_between(root: &Path, path: &Path) -> Vec<String> {
    let inner = path.parent().and_then(|p| p.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    inner.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect()
}

/// Returns the path of a file relative to a folder.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
