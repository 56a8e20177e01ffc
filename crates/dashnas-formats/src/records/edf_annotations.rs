//! Annotations of EDF+ and BDF+ files: texts that begin at a time and last a while, in the file of the signals or in one of
//! their own.

use crate::error::{DataError, Location};
use crate::records::edf_header::{Header, LONGEST};
use crate::records::tal;
use crate::text::and_more;
use crate::windows::labels::{StepLabels, UNLABELED};
use dashnas_core::text::{plural, plural_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The text of time that was not scored.
const UNSCORED: &str = "Sleep stage ?";
/// The least part of a time step that counts, so that rounded times are those of steps.
const ROUNDING: f64 = 1e-6;

/// A text with the seconds at which it begins and ends.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    from: f64,
    to: f64,
    text: String,
}

/// What the annotations of a file say.
struct Annotated {
    header: Header,
    /// Number of records.
    records: usize,
    /// The times of the records.
    starts: Vec<Option<f64>>,
    /// The texts that last a while.
    spans: Vec<Span>,
    /// Texts without a duration.
    moments: Vec<String>,
}

/// The labels that were found.
#[derive(Default)]
pub(crate) struct Found {
    /// The labels of the steps, if there are any.
    pub labels: Option<StepLabels>,
    /// What was found, in words.
    pub notes: Vec<String>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

/// Divides files into recordings and files that hold nothing but annotations. If there are no recordings, none is divided.
pub(crate) fn divide(files: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let only = |path: &PathBuf| {
        is_edf(path) && head(path).is_ok_and(|(_, header)| header.signals.is_empty() && !header.annotations.is_empty())
    };
    let (annotations, recordings): (Vec<_>, Vec<_>) = files.into_iter().partition(only);
    if recordings.is_empty() { (annotations, recordings) } else { (recordings, annotations) }
}

/// Says how many recordings have annotations that could label windows; `None` if there are none. Those that cannot be read
/// are no labels.
pub(crate) fn any(recordings: &[PathBuf], beside: &[PathBuf]) -> Option<String> {
    let has = |path: &&PathBuf| is_edf(path) && read(path).is_ok_and(|own| !own.spans.is_empty());
    let own: Vec<&PathBuf> = recordings.iter().filter(has).collect();
    let (found, have) = match beside {
        [] => (own.clone(), plural_of(own.len(), "recording has", "recordings have")),
        _ => (beside.iter().collect(), plural_of(beside.len(), "file has", "files have")),
    };
    let first = found.first()?.display();
    let more = and_more(found.len());
    Some(format!("{have} annotations of time steps ({first}{more}), which can label windows"))
}

/// The labels of the steps of recordings by their annotations, in their files or `beside` them.
///
/// # Errors
/// [`DataError`] with the file and the place of an annotation that cannot be read, with a file of annotations that cannot
/// be told to belong to a recording, and if none of the annotations of a file is a label.
pub(crate) fn labels(recordings: &[PathBuf], beside: &[PathBuf], steps: &[usize]) -> Result<Found, DataError> {
    let pairs = pair(recordings, beside)?;
    let mut found = Found::default();
    let mut all: Vec<Vec<(usize, usize, String)>> = Vec::with_capacity(recordings.len());
    let (mut sources, mut unscored, mut moments, mut shifted) = (Vec::new(), 0, Vec::new(), Vec::new());
    for ((path, pair), &steps) in recordings.iter().zip(&pairs).zip(steps) {
        if !is_edf(path) {
            all.push(Vec::new());
            continue;
        }
        let own = read(path)?;
        let clock = Clock::of(path, &own, steps)?;
        let (source, annotated, shift) = match pair.and_then(|i| beside.get(i)) {
            Some(other) => {
                let annotated = read(other)?;
                let shift = shift(&annotated.header, &own.header);
                shifted.extend((shift != 0.0).then(|| other.clone()));
                (other, annotated, shift)
            }
            None => (path, own, 0.0),
        };
        moments.extend(annotated.moments.into_iter().map(|text| (source.clone(), text)));
        let before = annotated.spans.len();
        let scored = annotated.spans.into_iter().filter(|span| span.text != UNSCORED);
        let places: Vec<_> = scored.map(|s| (clock.step(s.from + shift), clock.step(s.to + shift), s.text)).collect();
        unscored += before - places.len();
        if !places.is_empty() && places.iter().all(|(from, to, _)| from >= to) {
            let reason = format!("none of its annotations lies within the signals of {}", path.display());
            return Err(DataError::file(source, reason)
                .with_hint("check the dates and times at which both begin, or remove the file of annotations"));
        }
        sources.extend((!places.is_empty()).then(|| source.clone()));
        all.push(places);
    }
    if let Some((path, text)) = moments.first() {
        let texts = plural_of(moments.len(), "annotation has", "annotations have");
        let said = format!("{texts} no duration (`{text}` in {}{})", path.display(), and_more(moments.len()));
        if sources.is_empty() {
            return Err(DataError::file(path, format!("{said}, and there are no others: they label no time steps"))
                .with_hint("give annotations with durations, or labels of whole recordings"));
        }
        found.notes.push(format!("{said}, and label no time steps"));
    }
    let Some(first) = sources.first() else { return Ok(found) };
    let names: Vec<String> =
        all.iter().flatten().map(|(_, _, name)| name.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut overlapping = Vec::new();
    let mut codes = Vec::with_capacity(all.len());
    for ((places, &steps), path) in all.iter().zip(steps).zip(recordings) {
        let (own, overlaps) = painted(places, &names, steps);
        overlapping.extend(overlaps.then(|| path.clone()));
        codes.push(own);
    }
    let without = recordings.len() - sources.len();
    let rest = if without > 0 { format!("; {} without them", plural(without, "recording")) } else { String::new() };
    found.notes.push(format!(
        "the labels are the texts of the annotations, each for as long as it lasts ({}{}){rest}",
        first.display(),
        and_more(sources.len())
    ));
    if unscored > 0 {
        let verb = if unscored == 1 { "is" } else { "are" };
        found.notes.push(format!("{} `{UNSCORED}` {verb} no label", plural(unscored, "annotation")));
    }
    if let Some(path) = shifted.first() {
        let files = plural_of(shifted.len(), "file of annotations begins", "files of annotations begin");
        let read = if shifted.len() == 1 { "is read" } else { "are read" };
        let more = and_more(shifted.len());
        found.notes.push(format!(
            "{files} at another time than the signals, by the headers, and {read} so: {}{more}",
            path.display()
        ));
    }
    if let Some(path) = overlapping.first() {
        found.warnings.push(format!(
            "annotations overlap in {} ({}{}): where they do, the longest is the label; remove those that are no labels",
            plural(overlapping.len(), "recording"),
            path.display(),
            and_more(overlapping.len())
        ));
    }
    found.labels = Some(StepLabels::Classes { names, codes });
    Ok(found)
}

/// Returns whether a file is in one of these formats, by its extension.
fn is_edf(path: &Path) -> bool {
    matches!(crate::naming::extension(path).as_str(), "edf" | "bdf")
}

/// Opens a file and reads its header.
fn head(path: &Path) -> Result<(File, Header), DataError> {
    let failed = |e| DataError::io(path, e);
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    (&file).take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
    Ok((file, Header::parse(path, &bytes)?))
}

/// Reads the annotations of a file.
fn read(path: &Path) -> Result<Annotated, DataError> {
    let failed = |e| DataError::io(path, e);
    let (mut file, header) = head(path)?;
    let bytes = file.metadata().map_err(failed)?.len().saturating_sub(header.bytes as u64);
    let (records, _) = header.records_in(bytes);
    let mut found = Annotated { header, records, starts: Vec::new(), spans: Vec::new(), moments: Vec::new() };
    let Annotated { header, starts, spans, moments, .. } = &mut found;
    if header.annotations.is_empty() {
        return Ok(found);
    }
    for record in 0..records {
        for (signal, place) in header.annotations.iter().enumerate() {
            let at = (record as u64 * header.size as u64 + place.start as u64) * header.width as u64;
            file.seek(SeekFrom::Start(header.bytes as u64 + at)).map_err(failed)?;
            // All records are in the file, so that no block is longer than it.
            let mut block = vec![0; place.len() * header.width];
            file.read_exact(&mut block).map_err(failed)?;
            let lists = tal::lists(&block).map_err(|(at, reason)| {
                let place = format!("record {}, byte {at} of its annotations", record + 1);
                DataError::at(path, Location::Entry(place), reason)
            })?;
            if signal == 0 {
                starts.push(lists.first().map(|list| list.onset));
            }
            for list in lists {
                match list.duration.filter(|duration| *duration > 0.0) {
                    Some(duration) => spans.extend(list.texts.into_iter().map(|text| Span {
                        from: list.onset,
                        to: list.onset + duration,
                        text,
                    })),
                    None => moments.extend(list.texts),
                }
            }
        }
    }
    Ok(found)
}

/// The seconds from the beginning of the signals to that of the annotations, by the headers.
fn shift(annotations: &Header, signals: &Header) -> f64 {
    match (annotations.begins, signals.begins) {
        (Some(annotations), Some(signals)) => (annotations - signals).num_seconds() as f64,
        _ => 0.0,
    }
}

/// The steps of a recording by their times.
struct Clock {
    /// The time and the first step of each stretch, in order.
    stretches: Vec<(f64, usize)>,
    steps: usize,
    rate: f64,
}

impl Clock {
    /// The clock of a recording of a number of steps.
    fn of(path: &Path, own: &Annotated, steps: usize) -> Result<Self, DataError> {
        let most = own.header.most();
        let seconds = if own.header.seconds > 0.0 { own.header.seconds } else { 1.0 };
        let rate = most as f64 / seconds;
        let first = own.starts.first().copied().flatten().unwrap_or(0.0);
        if !own.header.gaps || own.header.annotations.is_empty() {
            return Ok(Self { stretches: vec![(first, 0)], steps, rate });
        }
        let mut stretches: Vec<(f64, usize)> = Vec::with_capacity(own.records);
        for (record, start) in own.starts.iter().enumerate() {
            let place = || Location::Entry(format!("record {}", record + 1));
            let Some(start) = *start else {
                return Err(DataError::at(path, place(), "its time is missing, although there are gaps in time"));
            };
            if stretches.last().is_some_and(|(before, _)| *before >= start) {
                return Err(DataError::at(path, place(), "it does not begin after the record before"));
            }
            stretches.push((start, record * most));
        }
        Ok(Self { stretches, steps, rate })
    }

    /// The first step that is not before a time.
    fn step(&self, time: f64) -> usize {
        let after = self.stretches.partition_point(|(start, _)| *start <= time);
        let Some((start, first)) = after.checked_sub(1).and_then(|i| self.stretches.get(i)) else { return 0 };
        let end = self.stretches.get(after).map_or(self.steps, |(_, first)| *first).min(self.steps);
        // A float that is too large becomes the largest integer.
        first.saturating_add(((time - start) * self.rate - ROUNDING).ceil() as usize).min(end)
    }
}

/// The code of each step by the longest annotation that covers it, and whether different ones cover one.
fn painted(places: &[(usize, usize, String)], names: &[String], steps: usize) -> (Vec<u32>, bool) {
    let mut codes = vec![UNLABELED; steps];
    let code = |name: &String| names.binary_search(name).ok().and_then(|code| u32::try_from(code).ok());
    // Where annotations begin (true) and end, with their lengths, the longest first.
    let mut events = Vec::with_capacity(2 * places.len());
    for (i, (from, to, name)) in places.iter().enumerate() {
        if let (true, Some(code)) = (from < to, code(name)) {
            let key = (std::cmp::Reverse(to - from), i, code);
            events.extend([(*from, true, key), (*to, false, key)]);
        }
    }
    events.sort_unstable();
    let (mut active, mut counts) = (BTreeSet::new(), BTreeMap::<u32, usize>::new());
    let (mut overlaps, mut before) = (false, 0);
    for (at, begins, key) in events {
        if let (true, Some((_, _, code))) = (before < at, active.first()) {
            codes.get_mut(before..at.min(steps)).into_iter().flatten().for_each(|slot| *slot = *code);
            overlaps |= counts.len() > 1;
        }
        before = at;
        if begins {
            active.insert(key);
            *counts.entry(key.2).or_insert(0) += 1;
        } else {
            active.remove(&key);
            match counts.get_mut(&key.2) {
                Some(count) if *count > 1 => *count -= 1,
                _ => {
                    counts.remove(&key.2);
                }
            }
        }
    }
    (codes, overlaps)
}

/// The file of annotations of each recording, by its number: the one whose name shares more first characters with that of
/// the recording than any other, and the other way round.
fn pair(recordings: &[PathBuf], beside: &[PathBuf]) -> Result<Vec<Option<usize>>, DataError> {
    let stem = |path: &PathBuf| path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let stems: Vec<(String, &PathBuf)> = recordings.iter().map(|path| (stem(path), path)).collect();
    let others: Vec<(String, &PathBuf)> = beside.iter().map(|path| (stem(path), path)).collect();
    let likeness = |(a, a_path): &(String, &PathBuf), (b, b_path): &(String, &PathBuf)| {
        shared(a, b).map(|length| (length, a_path.parent() == b_path.parent()))
    };
    let best = |one: &(String, &PathBuf), all: &[(String, &PathBuf)]| {
        let of: Vec<_> = all.iter().map(|other| likeness(one, other)).collect();
        let most = of.iter().flatten().max().copied();
        (0..all.len()).filter(|&i| most.is_some() && of[i] == most).collect::<Vec<usize>>()
    };
    let mut pairs = vec![None; recordings.len()];
    for (i, other) in others.iter().enumerate() {
        let found = best(other, &stems);
        let back = match found[..] {
            [one] => best(&stems[one], &others),
            _ => Vec::new(),
        };
        if let ([one], [own]) = (&found[..], &back[..])
            && *own == i
        {
            pairs[*one] = Some(i);
            continue;
        }
        let called = |paths: Vec<&PathBuf>| {
            let names: Vec<String> = paths.iter().take(2).map(|path| path.display().to_string()).collect();
            names.join(" and ")
        };
        let why = match (&found[..], &back[..]) {
            ([], _) => "no name of a recording begins like its own".to_owned(),
            ([one], several) if several.len() > 1 => {
                let files = called(several.iter().map(|&i| others[i].1).collect());
                format!("the names of {files} begin alike, like that of {}", stems[*one].1.display())
            }
            ([one], [nearer, ..]) => {
                format!("{} is nearer to {} by its name", stems[*one].1.display(), others[*nearer].1.display())
            }
            (several, _) => {
                format!("its name begins like those of {}", called(several.iter().map(|&i| stems[i].1).collect()))
            }
        };
        let reason = format!("it holds annotations only, and it is not clear which recording they label: {why}");
        return Err(DataError::file(other.1, reason).with_hint(
            "let the names of a recording and its annotations begin alike and unlike others, as in `n1-PSG.edf` and \
             `n1-Hypnogram.edf`, or remove the file",
        ));
    }
    Ok(pairs)
}

/// The number of first characters that two names share; `None` if they share none, or differ within a number or a word, so
/// that they are probably names of different things.
fn shared(a: &str, b: &str) -> Option<usize> {
    let count = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let last = a.chars().take(count).last()?;
    let next = [a, b].map(|name| name.chars().nth(count));
    let is = |kind: fn(&char) -> bool| next.map(|next| next.as_ref().is_some_and(kind));
    let (digits, letters) = (is(char::is_ascii_digit), is(|c| c.is_alphabetic()));
    let number = digits == [true, true] || (last.is_ascii_digit() && digits.contains(&true));
    // The last letter of the names of Sleep-EDF (`SC4001E0`, `SC4001EC`, `ST7011J0`, `ST7011JP`) tells nothing apart.
    let word = last.is_alphabetic() && letters == [true, true];
    (!number && !word).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_paired_by_the_beginnings_of_their_names() {
        let paths = |names: &str| {
            names.split(' ').filter(|n| !n.is_empty()).map(|n| PathBuf::from(format!("{n}.edf"))).collect::<Vec<_>>()
        };
        type Case<'a> = (&'a str, &'a str, Result<&'a [Option<usize>], &'a str>);
        let cases: [Case<'_>; 13] = [
            ("SC4001E0-PSG SC4002E0-PSG", "SC4002EC-Hypnogram SC4001EC-Hypnogram", Ok(&[Some(1), Some(0)])),
            ("ST7011J0-PSG ST7012J0-PSG", "ST7012JP-Hypnogram", Ok(&[None, Some(0)])),
            ("SN001 SN002 SN010", "SN001_sleepscoring SN010_sleepscoring", Ok(&[Some(0), None, Some(1)])),
            ("p1 p10", "p1_stages p10_stages", Ok(&[Some(0), Some(1)])),
            ("psg/n1 psg/n2", "hyp/n1 hyp/n2", Ok(&[Some(0), Some(1)])),
            ("SC4011E0-PSG", "SC4012EC-Hypnogram", Err("no name of a recording begins like its own")),
            ("subject-1", "subject-10_stages", Err("no name")),
            ("anna", "anne", Err("no name")),
            ("psg", "hypnogram", Err("no name")),
            ("n1-a n1-b", "n1_stages", Err("its name begins like those of n1-a.edf and n1-b.edf")),
            ("n1-psg", "n1-stages n1-other", Err("the names of n1-stages.edf and n1-other.edf begin alike")),
            ("n1-psg", "n1-stages n1", Err("n1-psg.edf is nearer to n1-stages.edf by its name")),
            ("n1", "", Ok(&[None])),
        ];
        for (recordings, beside, expected) in cases {
            match (pair(&paths(recordings), &paths(beside)), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{recordings}"),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, _) => panic!("{recordings}: {found:?}"),
            }
        }
    }

    #[test]
    fn the_longest_annotation_labels_a_step() {
        let names = ["a".to_owned(), "b".to_owned()];
        type Case<'a> = (&'a [(usize, usize, &'a str)], &'a str, bool);
        let cases: [Case<'_>; 5] = [
            (&[(1, 3, "a"), (3, 5, "b")], "-aabb-", false),
            (&[(0, 6, "a"), (2, 4, "b")], "aaaaaa", true),
            (&[(0, 2, "b"), (1, 6, "a")], "baaaaa", true),
            (&[(0, 4, "a"), (2, 9, "a")], "aaaaaa", false),
            (&[(4, 2, "a"), (5, 5, "b")], "------", false),
        ];
        for (places, expected, overlap) in cases {
            let places: Vec<_> = places.iter().map(|(from, to, name)| (*from, *to, (*name).to_owned())).collect();
            let (codes, overlaps) = painted(&places, &names, 6);
            let text: String = codes.iter().map(|&c| names.get(c as usize).map_or("-", String::as_str)).collect();
            assert_eq!((text.as_str(), overlaps), (expected, overlap));
        }
    }

    #[test]
    fn times_are_steps_also_behind_gaps() {
        let clock = Clock { stretches: vec![(0.5, 0), (10.0, 4)], steps: 8, rate: 2.0 };
        let cases =
            [(0.0, 0), (0.5, 0), (0.6, 1), (1.0, 1), (2.5, 4), (9.0, 4), (10.0, 4), (11.5, 7), (99.0, 8), (1e300, 8)];
        for (time, step) in cases {
            assert_eq!(clock.step(time), step, "{time}");
        }
    }
}
