//! What the names of files and arrays tell: the format, the data set and the split.

use crate::role::Role;
use std::ops::Range;
use std::path::Path;

/// Returns the extension of a file in lower case, without a `.gz` or `.bgz` after it.
pub fn extension(path: &Path) -> String {
    let lower = |p: &Path| p.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
    match lower(path).as_str() {
        "gz" | "bgz" => path.file_stem().map(|s| lower(Path::new(s))).unwrap_or_default(),
        extension => extension.to_owned(),
    }
}

/// Returns whether a file is compressed with gzip, by its extension.
pub(crate) fn is_gzipped(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz") || e.eq_ignore_ascii_case("bgz"))
}

/// Returns the name of the data set in a file or folder: its name without the extension and without the word that
/// names the split.
pub fn data_set_name(path: &Path) -> String {
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("data");
    without_role(stem).unwrap_or_else(|| stem.to_owned())
}

/// Finds the word of a file name that names a split: its range of bytes, and the split.
pub(crate) fn role_word(stem: &str) -> Option<(Range<usize>, Role)> {
    let mut start = 0;
    let mut found = None;
    // A word ends where something other than a letter comes, and at the end of the name.
    for (i, c) in stem.char_indices().chain([(stem.len(), '_')]) {
        if c.is_alphabetic() {
            continue;
        }
        // `tr` and `te` alone are too short to mean anything in the name of a file.
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

/// Returns the split that a file belongs to by its name.
pub(crate) fn role_of(path: &Path) -> Option<Role> {
    role_word(path.file_stem()?.to_str()?).map(|(_, role)| role)
}

/// Returns the name of a file without the word that names its split, if it has one and other letters besides.
pub(crate) fn without_role(stem: &str) -> Option<String> {
    let (range, _) = role_word(stem)?;
    let rest = format!("{}{}", &stem[..range.start], &stem[range.end..]);
    let cleaned = rest.trim_matches(['_', '-', '.', ' ']).replace("__", "_");
    (!cleaned.is_empty()).then_some(cleaned)
}

/// Splits the name of an array into its words in lower case. Words are runs of letters and digits; a change from
/// lower to upper case parts two words as well (`XTrain`).
pub(crate) fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            // There is always a last word.
            words.iter_mut().last().into_iter().for_each(|w| w.push(c));
        }
        before = c;
    }
    let words: Vec<String> = words.into_iter().filter(|w| !w.is_empty()).collect();
    // In `XTrain` and `Xtrain`, x is a word of its own.
    words
        .into_iter()
        .flat_map(|w| match w.split_at_checked(1) {
            Some((first, rest)) if Role::of_word(rest).is_some() && rest.len() > 2 => vec![first.into(), rest.into()],
            _ => vec![w],
        })
        .map(|w: String| w.to_lowercase())
        .collect()
}
