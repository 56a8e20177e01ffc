//! The records of FASTA and FASTQ files, as the crates `noodles-fasta` and `noodles-fastq` read them.

use crate::error::{DataError, Location};
use dashnas_core::text::{plural, plural_of};
use noodles_fasta::record::Definition;
use std::io::BufReader;
use std::path::Path;

/// A sequence and its header without the sign before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub header: String,
    pub sequence: String,
}

/// The two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fasta,
    /// With the qualities of the letters, which are not inputs.
    Fastq,
}

/// Reads the records in the text of a file.
///
/// # Errors
/// [`DataError::File`] with the line or the record.
pub(super) fn parse(path: &Path, text: &str) -> Result<(Kind, Vec<Record>), DataError> {
    let first = text.split(['\n', '\r']).map(str::trim).find(|line| !line.is_empty() && !line.starts_with(';'));
    let kind = if first.is_some_and(|line| line.starts_with('@')) { Kind::Fastq } else { Kind::Fasta };
    let records = match kind {
        Kind::Fasta => fasta(path, text)?,
        Kind::Fastq => fastq(path, text)?,
    };
    if let Some(record) = records.iter().find(|r| r.sequence.is_empty()) {
        return Err(DataError::file(path, format!("there is no sequence under the header `{}`", record.header)));
    }
    if records.is_empty() {
        return Err(DataError::file(path, "it holds no sequences"));
    }
    if let Some((record, c)) = records.iter().find_map(|r| Some((r, stranger(&r.sequence)?))) {
        let reason = format!("`{c}` is not a letter of a sequence");
        // The first line that holds it and is not a header.
        let mut lines = text.lines().enumerate();
        let line = lines.find(|(_, line)| kind == Kind::Fasta && !line.starts_with(['>', ';']) && line.contains(c));
        return Err(match line {
            Some((i, _)) => DataError::at(path, Location::Line(i + 1), reason),
            None => DataError::at(path, Location::Entry(record.header.clone()), reason),
        });
    }
    Ok((kind, records))
}

/// Returns the first character that is not a letter of a sequence.
fn stranger(sequence: &str) -> Option<char> {
    sequence.chars().find(|c| !c.is_ascii_alphabetic() && !"-*.".contains(*c))
}

/// Reads the records of a FASTA file. Comments, empty lines and blanks around lines are left out, and lines may end as
/// on any system.
fn fasta(path: &Path, text: &str) -> Result<Vec<Record>, DataError> {
    let lines = || text.split(['\n', '\r']).map(str::trim).filter(|l| !l.is_empty() && !l.starts_with(';'));
    if lines().next().is_some_and(|line| !line.starts_with('>')) {
        let first = text.lines().position(|line| !line.trim().is_empty() && !line.starts_with(';')).unwrap_or(0);
        let reason = "there is no header (>) before the first sequence";
        return Err(DataError::at(path, Location::Line(first + 1), reason).with_hint("check that this is a FASTA file"));
    }
    let mut clean = String::with_capacity(text.len());
    for line in lines() {
        match line.strip_prefix('>') {
            Some(header) => clean.extend([">", header.trim(), "\n"]),
            None => clean.extend([line, "\n"]),
        }
    }
    // The reader looks for the end of a line in the whole buffer whenever it takes a part of the line.
    let mut reader = noodles_fasta::io::Reader::new(BufReader::with_capacity(1 << 16, clean.as_bytes()));
    let mut records = Vec::new();
    loop {
        let broken = |e: std::io::Error| {
            let record = Location::Entry(format!("record {}", records.len() + 1));
            DataError::at(path, record, format!("it is not a valid FASTA record: {e}"))
        };
        let mut definition = Definition::new("", None);
        if reader.read_definition(&mut definition).map_err(broken)? == 0 {
            return Ok(records);
        }
        let mut sequence = Vec::new();
        reader.read_sequence(&mut sequence).map_err(broken)?;
        let header = match definition.description() {
            Some(description) => format!("{} {description}", definition.name()),
            None => definition.name().to_string(),
        };
        records.push(Record { header, sequence: String::from_utf8_lossy(&sequence).into_owned() });
    }
}

/// Reads the records of a FASTQ file, each of four lines.
fn fastq(path: &Path, text: &str) -> Result<Vec<Record>, DataError> {
    let mut reader = noodles_fastq::io::Reader::new(text.trim_start().as_bytes());
    let mut records = Vec::new();
    loop {
        let broken = |reason: String| {
            let record = Location::Entry(format!("record {}", records.len() + 1));
            DataError::at(path, record, format!("it is not a valid FASTQ record: {reason}"))
                .with_hint("a record has four lines: @ and its name, its letters, +, and as many qualities as letters")
        };
        let mut record = noodles_fastq::Record::default();
        if reader.read_record(&mut record).map_err(|e| broken(e.to_string()))? == 0 {
            return Ok(records);
        }
        let sequence = String::from_utf8_lossy(record.sequence()).trim().to_owned();
        let qualities = record.quality_scores().trim_ascii().len();
        // Nothing but empty lines follows.
        if record.name().is_empty() && sequence.is_empty() && qualities == 0 {
            return Ok(records);
        }
        if qualities != sequence.len() {
            return Err(broken(format!(
                "it has {} and {}",
                plural(sequence.len(), "letter"),
                plural_of(qualities, "quality", "qualities")
            )));
        }
        let (name, description) = (record.name(), record.description());
        let header = if description.is_empty() { name.to_string() } else { format!("{name} {description}") };
        records.push(Record { header, sequence });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Kind, Vec<(String, String)>), String> {
        let (kind, records) = parse(Path::new("s"), text).map_err(|e| e.to_string())?;
        Ok((kind, records.into_iter().map(|r| (r.header, r.sequence)).collect()))
    }

    #[test]
    fn records_are_read_however_their_lines_end() {
        let expected = vec![("a b|x".to_owned(), "ACGT".to_owned()), ("c".to_owned(), "TT".to_owned())];
        for text in [
            ">a b|x\nAC\nGT\n>c\nTT\n",
            "> a b|x\r\nAC\r\n\r\nGT\r\n>c\r\nTT",
            ">a b|x\rACGT\r>c\rTT",
            "\n;a comment\n>a b|x\nAC\n; another\nGT  \n>c\nTT\n\n",
        ] {
            assert_eq!(read(text), Ok((Kind::Fasta, expected.clone())), "{text:?}");
        }
        for text in
            ["@a b|x\nACGT\n+\n>@;I\n@c\nTT\n+c\nII\n", "@a b|x\r\nACGT\r\n+\r\nIIII\r\n@c\r\nTT\r\n+\r\nII\r\n"]
        {
            assert_eq!(read(text), Ok((Kind::Fastq, expected.clone())), "{text:?}");
        }
    }

    #[test]
    fn bad_records_are_refused_with_their_place() {
        let cases = [
            ("ACGT\n", "s:1: there is no header"),
            (">a\nAC1T\n", "s:2: `1` is not a letter"),
            (">a\n>b\nAC\n", "s: there is no sequence under the header `a`"),
            (">\nAC\n", "s: `record 1`: it is not a valid FASTA record"),
            ("\n\n", "s: it holds no sequences"),
            ("@a\nACGT\n+\nII\n", "s: `record 1`: it is not a valid FASTQ record: it has 4 letters and 2 qualities"),
            ("@a\nAC\n+\nII\n@b\nAC\nGT\n+\nIIII\n", "s: `record 2`: it is not a valid FASTQ record"),
            ("@a\nAC\n", "s: `record 1`: it is not a valid FASTQ record"),
            ("@a\nA1\n+\nII\n", "s: `a`: `1` is not a letter"),
        ];
        for (text, expected) in cases {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
