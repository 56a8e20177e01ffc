//! Training and test files that belong together by their names: `Coffee_TRAIN.ts`, `Coffee_TEST.ts`.

use crate::data::DataError;
use crate::data::raw::Role;
use std::path::{Path, PathBuf};

/// Where a word that names a split stands in a file name: its range of bytes and the split.
fn role_word(stem: &str) -> Option<(std::ops::Range<usize>, Role)> {
    let mut start = 0;
    let mut found = None;
    // A word ends where something else than a letter comes; the end of the name is one too.
    for (i, c) in stem.char_indices().chain([(stem.len(), '_')]) {
        if c.is_alphabetic() {
            continue;
        }
        // `tr` and `te` alone are too short to mean anything in a file name.
        if i - start > 2
            && let Some(role) = Role::of_word(&stem[start..i])
        {
            found = Some((start..i, role));
        }
        start = i + c.len_utf8();
        if start > stem.len() {
            break;
        }
    }
    found
}

/// The split that a file is of by its name.
pub(crate) fn role_of(path: &Path) -> Option<Role> {
    role_word(path.file_stem()?.to_str()?).map(|(_, role)| role)
}

/// The name without its split.
pub(crate) fn without_role(stem: &str) -> Option<String> {
    let (range, _) = role_word(stem)?;
    let rest = format!("{}{}", &stem[..range.start], &stem[range.end..]);
    let cleaned = rest.trim_matches(['_', '-', '.', ' ']).replace("__", "_");
    (!cleaned.is_empty()).then_some(cleaned)
}

/// The files that belong to a file, itself included, with their splits; `lone`, itself alone.
///
/// # Errors
/// If it is a test file and there is no training file beside it.
pub(crate) fn partners(path: &Path, lone: bool) -> Result<Vec<(Role, PathBuf)>, DataError> {
    if lone {
        return Ok(vec![(Role::All, path.into())]);
    }
    let Some((stem, (range, role))) = path.file_stem().and_then(|s| s.to_str()).and_then(|s| Some((s, role_word(s)?)))
    else {
        return Ok(vec![(Role::All, path.into())]);
    };
    let mut found = Vec::new();
    for other in [Role::Train, Role::Val, Role::Test] {
        if other == role {
            found.push((role, path.into()));
            continue;
        }
        let spellings: &[&str] = match other {
            Role::Train => &["train", "training"],
            Role::Val => &["val", "valid", "validation", "dev"],
            _ => &["test", "testing"],
        };
        let candidate = spellings.iter().find_map(|word| {
            [word.to_string(), word.to_uppercase(), capital(word)].into_iter().find_map(|word| {
                let name = format!("{}{word}{}", &stem[..range.start], &stem[range.end..]);
                let name = match path.extension().and_then(|e| e.to_str()) {
                    Some(extension) => format!("{name}.{extension}"),
                    None => name,
                };
                Some(path.with_file_name(name)).filter(|p| p.is_file())
            })
        });
        match candidate {
            Some(candidate) => found.push((other, candidate)),
            None if other == Role::Train => {
                let reason = "it is test data, and there is no training file of the same name beside it";
                return Err(DataError::file(path, reason).with_hint("put NAME_TRAIN and NAME_TEST in one folder"));
            }
            None => {}
        }
    }
    if found.len() == 1 && role == Role::Val {
        found[0].0 = Role::All;
    }
    Ok(found)
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// The training file that a path without its ending means: `folder/Coffee` for `folder/Coffee_TRAIN.ts`.
pub(crate) fn by_prefix(path: &Path) -> Option<PathBuf> {
    let stem = path.file_name()?.to_str()?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found: Vec<PathBuf> = std::fs::read_dir(parent)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| {
            let name = p.file_stem().and_then(|s| s.to_str()).unwrap_or("");
            role_of(p) == Some(Role::Train) && without_role(name).as_deref() == Some(stem)
        })
        .collect();
    found.sort();
    found.into_iter().next()
}
