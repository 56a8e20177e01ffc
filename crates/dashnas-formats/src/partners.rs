//! Files that belong to one data set by their names: `Coffee_TRAIN.ts` and `Coffee_TEST.ts`.

use crate::error::DataError;
use crate::naming::{role_of, role_word, without_role};
use crate::role::Role;
use std::path::{Path, PathBuf};

/// Returns the files that belong to one data set with a file, itself included, with their splits and the training
/// file first. With `alone`, the file is returned by itself.
///
/// # Errors
/// [`DataError::File`] if it is a validation or test file and there is no training file beside it.
pub(crate) fn partners(path: &Path, alone: bool) -> Result<Vec<(Role, PathBuf)>, DataError> {
    if alone {
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
            [word.to_string(), word.to_uppercase(), capitalized(word)].into_iter().find_map(|word| {
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
                return Err(DataError::file(path, reason).with_hint("put NAME_TRAIN and NAME_TEST into one folder"));
            }
            None => {}
        }
    }
    if found.len() == 1 && role == Role::Val {
        found[0].0 = Role::All;
    }
    Ok(found)
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// Finds the training file that a path without its ending stands for: `folder/Coffee` for
/// `folder/Coffee_TRAIN.ts`.
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
