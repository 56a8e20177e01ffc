//! FASTA files: sequences under headers. Each file is a class, or the labels are in the headers.

use crate::error::{DataError, Location};
use crate::found::{Labels, UnassembledData, UnassembledSplit};
use crate::naming;
use crate::options::ReadOptions;
use crate::role::Role;
use crate::sequences::onehot;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A header without its `>`, and its sequence.
type Record = (String, String);

/// Parses the text of a file into records.
fn parse(path: &Path, text: &str) -> Result<Vec<Record>, DataError> {
    let mut records: Vec<Record> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        if let Some(header) = line.strip_prefix('>') {
            records.push((header.trim().to_owned(), String::new()));
            continue;
        }
        let Some((_, sequence)) = records.last_mut() else {
            return Err(DataError::at(path, Location::Line(i + 1), "there is no header (>) before the first sequence")
                .with_hint("check that this is a FASTA file"));
        };
        if let Some(c) = line.chars().find(|c| !c.is_ascii_alphabetic() && !"-*.".contains(*c)) {
            return Err(DataError::at(path, Location::Line(i + 1), format!("`{c}` is not a letter of a sequence")));
        }
        sequence.push_str(line);
    }
    if let Some((header, _)) = records.iter().find(|(_, s)| s.is_empty()) {
        return Err(DataError::file(path, format!("there is no sequence under the header `{header}`")));
    }
    if records.is_empty() {
        return Err(DataError::file(path, "it holds no sequences"));
    }
    Ok(records)
}

/// Returns the label at the end of a header, after the last `|` or blank.
fn label(header: &str) -> Option<&str> {
    let (_, label) = header.rsplit_once(['|', ' ', '\t'])?;
    Some(label.trim().trim_start_matches("label=").trim_start_matches("class=")).filter(|l| !l.is_empty())
}

/// Returns the labels in the headers, if each header has one and the labels repeat.
fn header_labels(records: &[Record]) -> Option<Vec<String>> {
    let labels: Option<Vec<String>> = records.iter().map(|(h, _)| label(h).map(str::to_owned)).collect();
    labels.filter(|l| l.iter().collect::<HashSet<_>>().len() * 2 <= l.len())
}

/// Reads the sequences of one or several files; `path` is the file or the folder.
///
/// # Errors
/// [`DataError`] with the file and the line, or [`DataError::Incomplete`] if labels are needed and there are none.
pub(crate) fn read(
    path: &Path,
    files: &[PathBuf],
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let mut raw = UnassembledData::new("FASTA sequences", options);
    let mut found = Vec::new();
    for file in files {
        raw.file(file);
        found.push((file, naming::role_of(file), parse(file, &crate::bytes::text(file, options.max_bytes)?)?));
    }
    let roles: HashSet<_> = found.iter().map(|f| f.1).collect();
    // Files that are all of one split are not split at all.
    let split = roles.len() > 1 && roles.contains(&Some(Role::Train)) && !roles.contains(&None);
    let mut samples: Vec<(Role, Option<String>, String, String)> = Vec::new();
    for (file, role, records) in found {
        let role = role.filter(|_| split).unwrap_or(Role::All);
        let stem = naming::extension(file).len() + 1;
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or("file");
        let stem = name.get(..name.len().saturating_sub(stem)).unwrap_or(name);
        let class = naming::without_role(stem);
        let by_header = header_labels(&records);
        let several = files.len() > 1 && (!split || class.is_some());
        for (i, (header, sequence)) in records.into_iter().enumerate() {
            let label = match &by_header {
                Some(labels) => Some(labels[i].clone()),
                None if several => Some(class.clone().unwrap_or_else(|| stem.to_owned())),
                None => None,
            };
            samples.push((role, label, sequence, header));
        }
    }
    if labeled && samples.iter().any(|s| s.1.is_none()) {
        let contents = vec![format!("{} sequences", samples.len())];
        let missing = "labels: give a folder with one file a class, or put the label at the end of every header";
        return Err(DataError::Incomplete { path: path.into(), format: raw.format, contents, missing: missing.into() });
    }
    if samples.iter().all(|s| s.1.is_some()) && files.len() > 1 && !split {
        raw.note("each file is a class");
    }
    let training = samples.iter().filter(|s| s.0 == Role::Train || s.0 == Role::All).map(|s| s.2.as_str());
    let (length, alphabet) = onehot::choose_encoding(training, &mut raw);
    for role in [Role::All, Role::Train, Role::Val, Role::Test] {
        let rows: Vec<_> = samples.iter().filter(|s| s.0 == role).collect();
        if rows.is_empty() {
            continue;
        }
        let sequences: Vec<&str> = rows.iter().map(|s| s.2.as_str()).collect();
        let x = onehot::encode(path, &sequences, &alphabet, length, options)?;
        let ids = rows.iter().map(|s| s.3.clone()).collect();
        let labels: Option<Vec<String>> = rows.iter().map(|s| s.1.clone()).collect();
        raw.parts.push(UnassembledSplit { role, x, y: labels.map(Labels::Names), groups: None, ids: Some(ids) });
    }
    Ok(raw)
}
