//! What the names of columns tell, and columns that options name.

use crate::error::DataError;
use crate::tables::table::Table;

/// Names of columns of labels.
const LABELS: [&str; 16] = [
    "label",
    "labels",
    "class",
    "target",
    "targets",
    "category",
    "outcome",
    "species",
    "diagnosis",
    "activity",
    "class_label",
    "class_name",
    "classname",
    "ground_truth",
    "groundtruth",
    "gesture",
];
/// Names of columns of groups.
const GROUPS: [&str; 17] = [
    "group",
    "groups",
    "subject",
    "subjects",
    "subject_id",
    "subjectid",
    "patient",
    "patient_id",
    "patientid",
    "participant",
    "participant_id",
    "person",
    "person_id",
    "speaker",
    "speaker_id",
    "recording",
    "recording_id",
];
/// Names of columns of splits.
const SPLITS: [&str; 5] = ["split", "set", "subset", "partition", "fold"];
/// Names of columns of the weights of samples.
const WEIGHTS: [&str; 6] =
    ["sample_weight", "sample_weights", "sampleweight", "instance_weight", "case_weight", "row_weight"];
/// Names of columns of time.
const TIMES: [&str; 14] = [
    "time",
    "timestamp",
    "timestamps",
    "datetime",
    "date",
    "ts",
    "epoch_time",
    "unix_time",
    "unixtime",
    "time_s",
    "time_ms",
    "seconds",
    "t",
    "created_at",
];
/// Names of columns that number the samples.
const IDS: [&str; 9] = ["", "id", "index", "unnamed: 0", "row", "row_id", "rowid", "uuid", "sample_id"];

fn is_one_of(name: &str, known: &[&str]) -> bool {
    known.contains(&name.trim().to_lowercase().replace([' ', '-'], "_").as_str())
        || known.contains(&name.trim().to_lowercase().as_str())
}

/// Returns whether a column of this name holds labels.
pub(crate) fn names_labels(name: &str) -> bool {
    is_one_of(name, &LABELS)
}

/// Returns whether a column of this name holds groups.
pub(crate) fn names_groups(name: &str) -> bool {
    is_one_of(name, &GROUPS)
}

/// Returns whether a column of this name holds splits.
pub(crate) fn names_splits(name: &str) -> bool {
    is_one_of(name, &SPLITS)
}

/// Returns whether a column of this name holds the weights of samples.
pub(crate) fn names_weights(name: &str) -> bool {
    is_one_of(name, &WEIGHTS)
}

/// Returns whether a column of this name holds times.
pub(crate) fn names_times(name: &str) -> bool {
    is_one_of(name, &TIMES)
}

/// Returns whether a column of this name numbers the samples.
pub(crate) fn names_ids(name: &str) -> bool {
    is_one_of(name, &IDS)
}

/// Returns whether the name of a column ends like that of an identifier.
pub(crate) fn ends_like_id(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    ["_id", " id", ".id", "uuid", "_no", "_nr", "_index", "_idx"].iter().any(|end| lower.ends_with(end))
        || name.ends_with("Id")
        || name.ends_with("ID")
}

/// Returns whether a name matches a pattern in which `*` stands for any characters and `?` for one.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` was, and how much of the name it stands for.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// Finds the columns that an option names: by names, by patterns, or by positions from 0 (-1: the last), separated by
/// commas. `what` says what they are, as in "label".
///
/// # Errors
/// [`DataError::File`] if a part of the option fits no column.
pub(crate) fn find(table: &Table, wanted: &str, what: &str) -> Result<Vec<usize>, DataError> {
    let n = table.columns.len();
    let named = |name: &str| table.columns.iter().position(|column| table.named && column.name == name);
    // A name may hold a comma.
    if let Some(c) = named(wanted) {
        return Ok(vec![c]);
    }
    let mut found: Vec<usize> = Vec::new();
    for part in wanted.split(',').map(str::trim) {
        let columns: Vec<usize> = if let Some(c) = named(part) {
            vec![c]
        } else if let Some(i) = part.parse::<i64>().ok().filter(|i| (-(n as i64)..n as i64).contains(i)) {
            vec![i.rem_euclid(n as i64) as usize]
        } else {
            (0..n).filter(|&c| table.named && matches(part, &table.columns[c].name)).collect()
        };
        if columns.is_empty() {
            let names: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
            let names = if n > 12 { format!("{}, …", names[..12].join(", ")) } else { names.join(", ") };
            return Err(DataError::file(&table.path, format!("there is no {what} column `{part}` (columns: {names})"))
                .with_hint("columns are given by name, by a pattern such as `x_*`, or by position from 0 (-1: the last); several are separated by commas"));
        }
        for c in columns {
            if !found.contains(&c) {
                found.push(c);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        for (pattern, name) in [("*", ""), ("x_*", "x_1"), ("*_x", "a_x"), ("a*b*c", "a1b2b3c"), ("?1", "a1"), ("", "")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("x_*", "y_1"), ("?", ""), ("a*b", "ab1"), ("", "a")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_spaces() {
        assert!(names_labels("Class Label") && names_groups("Subject-ID") && names_ids("Unnamed: 0"));
        assert!(!names_labels("y") && !names_groups("subjective"));
    }
}
