//! FASTA and FASTQ files: sequences under headers. Each file is a class, or the labels are in the headers.

use crate::error::DataError;
use crate::found::{Labels, UnassembledData, UnassembledSplit};
use crate::naming;
use crate::options::ReadOptions;
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use crate::sequences::onehot;
use crate::sequences::records::{Kind, Record, parse};
use crate::text::excerpt;
use dashnas_core::text::plural;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Returns the label at the end of a header: after `label=` or `class=`, after the last `|`, or, in FASTA files, as the
/// second of two words. The last word of a longer description (`SV=1`, `length=36`) is no label.
fn label(header: &str, kind: Kind) -> Option<&str> {
    let last = header.rsplit(['|', ' ', '\t']).next()?;
    let named = last.strip_prefix("label=").or_else(|| last.strip_prefix("class="));
    if named.is_some() {
        return named.filter(|l| !l.is_empty());
    }
    let mut words = header.split_whitespace();
    let (_, second, third) = (words.next(), words.next(), words.next());
    let found = match (header.rsplit_once('|'), second) {
        // After the bar comes one word, and not a description.
        (Some((_, label)), _) if !label.trim().contains([' ', '\t']) => label.trim(),
        (None, Some(label)) if third.is_none() && kind == Kind::Fasta && !label.contains('=') => label,
        _ => return None,
    };
    Some(found).filter(|l| !l.is_empty())
}

/// Returns the labels in the headers, if each header has one and the labels repeat.
/// Of samples that are scored, there may be few.
fn header_labels<'a>(records: impl Iterator<Item = (&'a Record, Kind)>, scored: bool) -> Option<Vec<String>> {
    let labels: Option<Vec<String>> = records.map(|(r, kind)| label(&r.header, kind).map(str::to_owned)).collect();
    labels.filter(|l| scored || l.iter().collect::<HashSet<_>>().len() * 2 <= l.len())
}

/// Refuses nucleotides among proteins, which one alphabet cannot encode. Short sequences tell nothing.
fn check_kinds<'a>(path: &Path, records: impl Iterator<Item = (&'a PathBuf, &'a Record)>) -> Result<(), DataError> {
    /// Fewest letters that tell what a sequence is.
    const LETTERS: usize = 20;
    // No code of a nucleotide, not even of several.
    let amino = |b: u8| b"EFILPQ".contains(&b.to_ascii_uppercase());
    let base = |b: u8| b"ACGTUN-".contains(&b.to_ascii_uppercase());
    let (mut bases, mut proteins, mut all) = (Vec::new(), Vec::new(), 0usize);
    for (file, record) in records.filter(|(_, record)| record.sequence.len() >= LETTERS) {
        all += 1;
        if record.sequence.bytes().all(base) {
            bases.push((file, &record.header));
        } else if record.sequence.bytes().any(amino) {
            proteins.push((file, &record.header));
        }
    }
    let few = (all / 20).max(2);
    let (Some((dna, one)), Some((protein, other))) = (bases.first(), proteins.first()) else { return Ok(()) };
    if bases.len() < few || proteins.len() < few {
        return Ok(());
    }
    let (one, other) = (excerpt(one), excerpt(other));
    let reason = format!(
        "it holds nucleotides and proteins: `{one}` in {} is of nucleotides, `{other}` in {} is not",
        dna.display(),
        protein.display()
    );
    Err(DataError::file(path, reason)
        .with_hint("give sequences of one kind, or name the letters that are encoded in `data.alphabet`"))
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
        let (kind, records) = parse(file, &crate::bytes::text(file, options.whole_file())?)?;
        found.push((file, naming::role_of(file), kind, records));
    }
    if found.iter().any(|f| f.2 == Kind::Fastq) {
        raw.format = "FASTQ sequences".into();
        raw.note("the qualities of the letters are not read");
    }
    if options.alphabet.is_none() {
        check_kinds(path, found.iter().flat_map(|f| f.3.iter().map(|record| (f.0, record))))?;
    }
    let roles: HashSet<_> = found.iter().map(|f| f.1).collect();
    // Files that are all of one split are not split at all.
    let split = roles.len() > 1 && roles.contains(&Some(Role::Train)) && !roles.contains(&None);
    let mut samples: Vec<(Role, Option<String>, String, String)> = Vec::new();
    // Labels are in the headers of all files, or of none.
    let mut by_header =
        header_labels(found.iter().flat_map(|f| f.3.iter().map(|record| (record, f.2))), options.scored);
    if by_header.is_some() {
        raw.note("the labels are at the ends of the headers");
    }
    let mut by_header = by_header.as_mut().map(|labels| labels.drain(..));
    for (file, role, _, records) in found {
        let role = role.filter(|_| split).unwrap_or(Role::All);
        let unpacked = if naming::is_gzipped(file) { file.with_extension("") } else { file.clone() };
        let stem = unpacked.file_stem().and_then(|n| n.to_str()).unwrap_or("file");
        let class = naming::without_role(stem);
        let several = files.len() > 1 && (!split || class.is_some());
        for Record { header, sequence } in records {
            let label = match &mut by_header {
                Some(labels) => labels.next(),
                None if several => Some(class.clone().unwrap_or_else(|| stem.to_owned())),
                None => None,
            };
            samples.push((role, label, sequence, header));
        }
    }
    if labeled && samples.iter().any(|s| s.1.is_none()) {
        let contents = vec![plural(samples.len(), "sequence")];
        let missing = "labels: give a folder with one file a class, or put the label at the end of every header";
        return Err(DataError::Incomplete { path: path.into(), format: raw.format, contents, missing: missing.into() });
    }
    if by_header.is_none() && samples.iter().all(|s| s.1.is_some()) && files.len() > 1 && !split {
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
        raw.parts.push(UnassembledSplit {
            role,
            x,
            y: labels.map(Labels::Names),
            groups: None,
            ids: Some(ids),
            facts: SampleFacts::default(),
        });
    }
    Ok(raw)
}
