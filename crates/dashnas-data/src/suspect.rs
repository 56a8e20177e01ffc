//! What is probably a mistake in a data set as a whole.

use crate::dataset::Dataset;
use dashnas_core::task::TaskKind;
use dashnas_core::text::plural;
use icu_normalizer::ComposingNormalizerBorrowed;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Most classes that a message names.
const LISTED: usize = 5;

/// Leaves out the names of classes that no sample has, and warns of that and of names that are probably mistakes.
pub(crate) fn class_names(names: &mut Vec<String>, task: TaskKind) -> Vec<String> {
    let mut warnings = Vec::new();
    if names.len() > task.outputs() {
        warnings.push(format!(
            "the file names {} classes, but the labels in the training samples are the first {} of them only: the other names are \
             not used",
            names.len(),
            task.outputs()
        ));
        names.truncate(task.outputs());
    }
    warnings.extend(spellings(names));
    warnings.extend(joined(names).filter(|_| matches!(task, TaskKind::Classification { .. })));
    warnings
}

/// Warns of classes that differ only in their spelling.
fn spellings(names: &[String]) -> Option<String> {
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        alike.entry(folded(name)).or_default().push(name);
    }
    let mut found: Vec<Vec<&str>> = alike.into_values().filter(|names| names.len() > 1).collect();
    // Capital and small letters as such may be classes.
    if names.iter().filter(|name| name.chars().count() == 1).count() > 6 {
        found.retain(|names| names.iter().any(|name| name.chars().count() > 1));
    }
    let texts = found.first()?.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
    let more = if found.len() > 1 { format!(", and {} more like these", found.len() - 1) } else { String::new() };
    Some(format!(
        "classes differ only in their spelling and are classes of their own: {texts}{more}; if they are one class, write them \
         alike"
    ))
}

/// Warns of a class whose name joins those of other classes.
fn joined(names: &[String]) -> Option<String> {
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    let joins = |name: &&String| {
        [',', ';', '|', '+', '&', '/', ' '].iter().any(|&separator| {
            let parts: Vec<&str> = name.split(separator).map(str::trim).collect();
            let distinct = parts.iter().collect::<HashSet<_>>().len();
            parts.len() > 1 && distinct == parts.len() && parts.iter().all(|part| known.contains(part))
        })
    };
    let name = names.iter().find(joins)?;
    Some(format!(
        "the class `{name}` joins the names of other classes: if a sample may have several labels, give lists of texts, or a \
         column of 0 and 1 for each label, or, in a file of labels, set `task.kind` to multi-label and separate labels by `|`"
    ))
}

/// A name without what is a matter of spelling: zeros before and behind a number, capitals, and spaces, hyphens, points and
/// underscores between letters.
pub(crate) fn folded(name: &str) -> String {
    if let Some(number) = plain_number(name) {
        return number;
    }
    // Letters with accents can be written as one character or as two.
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(name).to_lowercase();
    let chars: Vec<char> = text.trim().trim_end_matches('.').chars().collect();
    let is_letter = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(|c| c.is_alphanumeric());
    let is_digit = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(|c| c.is_numeric());
    let between = |i: usize| {
        let (before, after) = (i.checked_sub(1), Some(i + 1));
        is_letter(before) && is_letter(after) && !(is_digit(before) && is_digit(after))
    };
    (0..chars.len()).filter(|&i| !(matches!(chars[i], ' ' | '_' | '-' | '.') && between(i))).map(|i| chars[i]).collect()
}

/// A number in its shortest spelling, if a name is one without an exponent. No digit is lost, however many there are.
fn plain_number(name: &str) -> Option<String> {
    let (sign, digits) = match name.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", name.strip_prefix('+').unwrap_or(name)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    is_number.then(|| {
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{}{point}{fraction}", if whole.is_empty() { "0" } else { whole })
    })
}

/// Warns of classes with one sample in all.
pub(crate) fn classes(set: &Dataset) -> Option<String> {
    let TaskKind::Classification { classes } = set.task else { return None };
    let mut counts = vec![0usize; classes];
    for (_, split) in set.splits() {
        for &label in split.y.classes().into_iter().flatten() {
            counts[label as usize] += 1;
        }
    }
    let name = |i: usize| set.classes.as_ref().map_or_else(|| i.to_string(), |names| names[i].clone());
    let single: Vec<String> = (0..classes).filter(|&i| counts[i] == 1).map(|i| format!("`{}`", name(i))).collect();
    let more = if single.len() > LISTED { format!(" and {} more", single.len() - LISTED) } else { String::new() };
    let (have, it) = if single.len() == 1 { ("class with", "it stays") } else { ("classes with", "they stay") };
    (!single.is_empty()).then(|| {
        format!(
            "{have} one sample: {}{more}; {it} in the training data and cannot be tested: give more samples, or leave the \
             class out",
            single[..single.len().min(LISTED)].join(", ")
        )
    })
}

/// Numbers that are digests are as good as their hashes.
#[derive(Debug, Default)]
struct Digest(u64);

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.0 = self.0.rotate_left(8) ^ u64::from(b));
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

/// Warns of samples that are in the training data and in another split, by numbers for both that equal samples share.
pub(crate) fn duplicates([train, test]: &[Vec<u64>; 2]) -> Option<String> {
    let mut known = HashSet::<u64, BuildHasherDefault<Digest>>::with_capacity_and_hasher(train.len(), <_>::default());
    known.extend(train);
    let twice = test.iter().filter(|digest| known.contains(digest)).count();
    // A few equal rows of few small whole numbers say nothing.
    let distinct = known.len() as f64 / train.len().max(1) as f64;
    (twice > 0 && distinct > 0.5).then(|| {
        format!(
            "{} of {} also {} in the training data: duplicated rows are on both sides of the split and make the test too \
             easy; remove duplicates, or keep them together with `data.group`",
            twice,
            plural(test.len(), "test sample"),
            if twice == 1 { "is" } else { "are" }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_class_are_told_from_classes() {
        let alike = [
            ("1", "01"),
            ("1", "1.0"),
            ("0.5", "0.50"),
            ("Cat", "cat"),
            ("non-smoker", "Non smoker"),
            ("café", "cafe\u{301}"),
            (">50K", ">50K."),
            ("left_hand", "left hand"),
        ];
        let different = [
            ("+", "-"),
            (">50K", "<=50K"),
            ("A", "A-"),
            ("1", "-1"),
            ("1-2", "12"),
            ("C", "C++"),
            ("1.5", "15"),
            ("9007199254740993", "9007199254740992"),
            ("cafe", "café"),
            ("a1", "a2"),
        ];
        for (a, b) in alike {
            let names = [a.to_owned(), b.to_owned(), "other".to_owned()];
            assert!(spellings(&names).is_some(), "{a} {b}");
        }
        for (a, b) in different {
            assert_eq!(spellings(&[a.to_owned(), b.to_owned()]), None, "{a} {b}");
        }
        for (name, expected) in
            [("a;b", true), ("a, b", true), ("a b", true), ("a;c", false), ("a", false), ("a;a", false)]
        {
            let names = [name.to_owned(), "a".to_owned(), "b".to_owned()];
            assert_eq!(joined(&names).is_some(), expected, "{name}");
        }
        let letters: Vec<String> = ('A'..='Z').chain('a'..='z').map(String::from).collect();
        assert_eq!(spellings(&letters), None);
    }
}
