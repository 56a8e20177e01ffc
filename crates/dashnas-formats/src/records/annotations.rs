//! Annotations of WFDB records: rhythms and beats at times, in the format of MIT.

use crate::error::DataError;
use crate::text::and_more;
use crate::windows::labels::{StepLabels, UNLABELED};
use dashnas_core::text::{plural, plural_of};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Extensions of annotations that label a record, the preferred one first.
const EXTENSIONS: [&str; 3] = ["atr", "ari", "qrs"];
/// Largest file of annotations.
const BYTES: u64 = 256 << 20;

/// Codes that are not annotations: a long distance, and the fields of the annotation before.
const SKIP: u16 = 59;
const FIELDS: std::ops::RangeInclusive<u16> = 60..=62;
const AUX: u16 = 63;
/// The code of a comment, and of a change of rhythm.
const NOTE: u16 = 22;
const RHYTHM: u16 = 28;

/// The symbols of beats by their codes.
const BEATS: [(u16, &str); 19] = [
    (1, "N"),
    (2, "L"),
    (3, "R"),
    (4, "a"),
    (5, "V"),
    (6, "F"),
    (7, "J"),
    (8, "A"),
    (9, "S"),
    (10, "E"),
    (11, "j"),
    (12, "/"),
    (13, "Q"),
    (25, "B"),
    (30, "?"),
    (34, "e"),
    (35, "n"),
    (38, "f"),
    (41, "r"),
];

/// An annotation.
#[derive(Debug, Clone, PartialEq)]
struct Annotation {
    /// The sample, from 0.
    at: i64,
    code: u16,
    text: String,
}

/// The kind of labels that annotations give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Marks {
    /// Changes of the rhythm: a step has the rhythm of the last change before it.
    Rhythms,
    /// Beats: a step has the class of the nearest beat.
    Beats,
}

/// The labels in the annotations of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Annotations {
    /// The file.
    pub path: PathBuf,
    /// What the labels are.
    pub marks: Marks,
    /// The labels with their samples, in order.
    pub labels: Vec<(usize, String)>,
}

impl Annotations {
    /// The label of each of a number of steps, by its number among `names`, which are sorted.
    pub fn codes(&self, steps: usize, names: &[String]) -> Vec<u32> {
        let mut codes = vec![UNLABELED; steps];
        for (i, (at, name)) in self.labels.iter().enumerate() {
            let code = names.binary_search(name).ok().and_then(|code| u32::try_from(code).ok()).unwrap_or(UNLABELED);
            let next = self.labels.get(i + 1).map(|(next, _)| *next);
            let (from, to) = match self.marks {
                Marks::Rhythms => (*at, next.unwrap_or(steps)),
                Marks::Beats => {
                    let before = i.checked_sub(1).and_then(|i| self.labels.get(i)).map(|(before, _)| *before);
                    (before.map_or(0, |before| before.midpoint(*at)), next.map_or(steps, |next| at.midpoint(next)))
                }
            };
            codes.get_mut(from..to.min(steps)).into_iter().flatten().for_each(|slot| *slot = code);
        }
        codes
    }
}

/// Reads the annotations beside the header of a record, if there are some that label it: rhythms, or beats where no change
/// of rhythm is annotated. `rate` is that of the record.
///
/// # Errors
/// [`DataError`] with the file that cannot be read.
pub(crate) fn beside(header: &Path, rate: f64) -> Result<Option<Annotations>, DataError> {
    let Some(path) = EXTENSIONS.iter().map(|e| header.with_extension(e)).find(|path| path.is_file()) else {
        return Ok(None);
    };
    let bytes = crate::bytes::bytes(&path, BYTES)?;
    let annotations = parse(&bytes);
    // The times may be in units of another rate, which a comment at the beginning says.
    let said = annotations.iter().take_while(|a| a.at == 0).find_map(|a| a.text.strip_prefix("## time resolution:"));
    let scale = said
        .and_then(|text| text.trim().parse::<f64>().ok())
        .filter(|unit| *unit > 0.0)
        .map_or(1.0, |unit| rate / unit);
    let at = |a: &Annotation| (a.at.max(0) as f64 * scale) as usize;
    let rhythm = |a: &Annotation| (a.code == RHYTHM).then(|| a.text.strip_prefix('(').map(str::to_owned)).flatten();
    let beat = |a: &Annotation| BEATS.iter().find(|(code, _)| *code == a.code).map(|(_, symbol)| (*symbol).to_owned());
    let collect = |of: &dyn Fn(&Annotation) -> Option<String>| {
        let mut labels: Vec<(usize, String)> = annotations.iter().filter_map(|a| Some((at(a), of(a)?))).collect();
        labels.sort_by_key(|(at, _)| *at);
        labels
    };
    let rhythms = collect(&rhythm);
    let (marks, labels) = if rhythms.is_empty() { (Marks::Beats, collect(&beat)) } else { (Marks::Rhythms, rhythms) };
    Ok((!labels.is_empty()).then_some(Annotations { path, marks, labels }))
}

/// Says how many records have annotations beside them that could label windows; `None` if there are none. Those that cannot
/// be read are no labels.
pub(crate) fn beside_any<'a>(records: impl Iterator<Item = &'a Path>) -> Option<String> {
    let found: Vec<Annotations> = records.filter_map(|record| beside(record, 1.0).ok().flatten()).collect();
    let first = found.first()?.path.display();
    let have = plural_of(found.len(), "record has", "records have");
    let more = and_more(found.len());
    Some(format!("{have} annotations of time steps ({first}{more}), which can label windows"))
}

/// The labels of the steps of records by the annotations beside them, and what was found, in words. Where the rhythms of
/// some records are annotated, other records have no labels.
///
/// # Errors
/// [`DataError`] with the file that cannot be read.
pub(crate) fn labels(
    records: &[PathBuf],
    rates: &[Option<f64>],
    steps: &[usize],
) -> Result<(Option<StepLabels>, Option<String>), DataError> {
    let mut found = Vec::with_capacity(records.len());
    for (record, rate) in records.iter().zip(rates) {
        found.push(beside(record, rate.unwrap_or(1.0))?);
    }
    let Some(marks) = found.iter().flatten().map(|annotations| annotations.marks).min() else {
        return Ok((None, None));
    };
    let used = |a: &Option<Annotations>| a.as_ref().is_some_and(|a| a.marks == marks);
    let names: Vec<String> = (found.iter().filter(|a| used(a)).flatten())
        .flat_map(|a| a.labels.iter().map(|(_, name)| name.clone()))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let code = |(annotations, &steps): (&Option<Annotations>, &usize)| match annotations {
        Some(a) if a.marks == marks => a.codes(steps, &names),
        _ => vec![UNLABELED; steps],
    };
    let codes = found.iter().zip(steps).map(code).collect();
    let what = match marks {
        Marks::Rhythms => "the rhythms in the annotations: each holds until the next",
        Marks::Beats => {
            "the beats in the annotations: each labels the time steps that are nearer to it than to another"
        }
    };
    let without = found.iter().filter(|a| !used(a)).count();
    let rest = if without > 0 { format!("; {} without them", plural(without, "record")) } else { String::new() };
    let file = found.iter().flatten().find(|a| a.marks == marks).map(|a| a.path.display().to_string());
    let more = and_more(found.len() - without);
    let note = format!("the labels are {what} ({}{more}){rest}", file.unwrap_or_default());
    Ok((Some(StepLabels::Classes { names, codes }), Some(note)))
}

/// Reads annotations as far as they go.
fn parse(bytes: &[u8]) -> Vec<Annotation> {
    let mut found: Vec<Annotation> = Vec::new();
    let word = |at: usize| bytes.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let (mut at, mut time) = (0usize, 0i64);
    while let Some(pair) = word(at) {
        at += 2;
        let (code, distance) = (pair >> 10, pair & 0x3ff);
        match code {
            0 if distance == 0 => break,
            SKIP => {
                // The upper half comes first.
                let (Some(high), Some(low)) = (word(at), word(at + 2)) else { break };
                at += 4;
                time = time.saturating_add(i64::from((u32::from(high) << 16 | u32::from(low)) as i32));
            }
            AUX => {
                let length = usize::from(distance);
                let text = bytes.get(at..at + length).unwrap_or_default();
                at += length + length % 2;
                if let Some(last) = found.last_mut() {
                    last.text = String::from_utf8_lossy(text).trim_matches(['\0', ' ']).to_owned();
                }
            }
            code if FIELDS.contains(&code) => {}
            _ => {
                time = time.saturating_add(i64::from(distance));
                found.push(Annotation { at: time, code, text: String::new() });
            }
        }
    }
    found.retain(|a| a.code != 0 && (a.code != NOTE || a.text.starts_with("##")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of annotations: codes with distances, and texts.
    fn bytes(annotations: &[(u16, u16, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        for &(code, distance, text) in annotations {
            out.extend((code << 10 | distance).to_le_bytes());
            if !text.is_empty() {
                out.extend((AUX << 10 | text.len() as u16).to_le_bytes());
                out.extend(text.as_bytes());
                out.extend(vec![0; text.len() % 2]);
            }
        }
        out.extend([0, 0]);
        out
    }

    #[test]
    fn rhythms_hold_until_the_next_and_beats_reach_half_way() {
        let folder = tempfile::tempdir().unwrap();
        let header = folder.path().join("a.hea");
        let codes = |annotations: &[(u16, u16, &str)], steps: usize| {
            std::fs::write(folder.path().join("a.atr"), bytes(annotations)).unwrap();
            let found = beside(&header, 100.0).unwrap().unwrap();
            let mut names: Vec<String> = found.labels.iter().map(|(_, name)| name.clone()).collect();
            names.sort();
            names.dedup();
            let code = |code: u32| names.get(code as usize).map_or("-", String::as_str).to_owned();
            found.codes(steps, &names).into_iter().map(code).collect::<Vec<_>>().concat()
        };
        assert_eq!(codes(&[(RHYTHM, 2, "(N"), (1, 1, ""), (RHYTHM, 2, "(B"), (5, 1, "")], 8), "--NNNBBB");
        assert_eq!(codes(&[(1, 2, ""), (5, 4, ""), (14, 1, ""), (1, 1, "")], 10), "NNNNVVVNNN");
        assert_eq!(codes(&[(NOTE, 0, "## time resolution: 200"), (1, 4, ""), (5, 8, "")], 8), "NNNNVVVV");
        // Beyond the end, and nothing at all.
        assert_eq!(codes(&[(1, 900, "")], 3), "NNN");
        std::fs::write(folder.path().join("a.atr"), [0, 0]).unwrap();
        assert_eq!(beside(&header, 100.0).unwrap(), None);
    }

    #[test]
    fn long_distances_and_damaged_files_are_read() {
        let mut skip = (SKIP << 10).to_le_bytes().to_vec();
        skip.extend([1, 0, 0, 0]);
        skip.extend((1 << 10 | 3u16).to_le_bytes());
        assert_eq!(parse(&skip), [Annotation { at: 65_539, code: 1, text: String::new() }]);
        for end in 0..skip.len() {
            parse(&skip[..end]);
        }
        assert_eq!(parse(&(AUX << 10 | 9).to_le_bytes()), []);
    }
}
