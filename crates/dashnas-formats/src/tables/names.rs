//! What the names of columns tell, and columns that options name.

use crate::error::DataError;
use crate::role::Role;
use crate::tables::table::Table;
use crate::tables::units;
use crate::tables::units::Unit;

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
const GROUPS: [&str; 35] = [
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
    "user",
    "user_id",
    "userid",
    "pid",
    "subj",
    "subj_id",
    "animal",
    "animal_id",
    "mouse",
    "mouse_id",
    "rat_id",
    "client_id",
    "customer_id",
    "volunteer",
    "volunteer_id",
    "lesion_id",
    "household_id",
    "family_id",
];
/// Names of columns of recordings and other parts of the data, which repeat where samples belong together.
const PARTS: [&str; 18] = [
    "session",
    "session_id",
    "trial",
    "trial_id",
    "record",
    "record_id",
    "video",
    "video_id",
    "clip_id",
    "file",
    "file_id",
    "filename",
    "file_name",
    "recording_name",
    "visit_id",
    "episode_id",
    "encounter_id",
    "sequence_id",
];
/// Names of columns of places and occasions, which samples may share.
const SHARED: [&str; 14] = [
    "batch",
    "plate",
    "site",
    "device",
    "center",
    "centre",
    "hospital",
    "clinic",
    "scanner",
    "cage",
    "litter",
    "lot",
    "experiment",
    "run_id",
];
/// Names of columns of splits.
const SPLITS: [&str; 13] = [
    "split",
    "splits",
    "set",
    "subset",
    "partition",
    "fold",
    "folds",
    "kfold",
    "cv_fold",
    "data_split",
    "train_test",
    "train_test_split",
    "tvt",
];
/// Names of columns of the folds of a cross-validation.
const FOLDS: [&str; 4] = ["fold", "folds", "kfold", "cv_fold"];
/// Names of columns of the weights of samples.
const WEIGHTS: [&str; 6] =
    ["sample_weight", "sample_weights", "sampleweight", "instance_weight", "case_weight", "row_weight"];
/// Names of columns of time.
const TIMES: [&str; 19] = [
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
    "timestep",
    "time_step",
    "time_index",
    "frame",
    "step",
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
    let lower = name.trim().to_lowercase().replace([' ', '-', '#'], "_");
    let lower = lower.trim_end_matches('_');
    // `Subject Number` is as good as `subject`.
    let ends = ["_number", "_num", "_no", "_nr", "_code", "_name"];
    is_one_of(name, &GROUPS)
        || is_one_of(lower, &GROUPS)
        || ends.iter().any(|end| lower.strip_suffix(end).is_some_and(|bare| is_one_of(bare, &GROUPS)))
}

/// Returns whether a column of this name holds recordings or other parts of the data.
pub(crate) fn names_parts(name: &str) -> bool {
    is_one_of(name, &PARTS)
}

/// Returns whether samples with the same value in a column of this name may belong together.
pub(crate) fn names_shared(name: &str) -> bool {
    is_one_of(name, &SHARED)
}

/// Returns whether a column of this name holds splits.
pub(crate) fn names_splits(name: &str) -> bool {
    is_one_of(name, &SPLITS)
}

/// Returns whether a column of this name holds the folds of a cross-validation.
pub(crate) fn names_folds(name: &str) -> bool {
    is_one_of(name, &FOLDS)
}

/// The split that the rows belong to for which a column of truth values of this name is true: `is_test`, `train_mask`.
fn flag_of(name: &str) -> Option<Role> {
    let lower = name.trim().to_lowercase().replace([' ', '-'], "_");
    let bare = ["is_", "in_"].iter().find_map(|start| lower.strip_prefix(start)).unwrap_or(&lower);
    let bare = ["_set", "_flag", "_mask", "_split"].iter().find_map(|end| bare.strip_suffix(end)).unwrap_or(bare);
    Role::of_word(bare).filter(|_| bare.len() > 2)
}

/// Returns whether a column of this name may say by truth values whether a row belongs to a split.
pub(crate) fn names_flags(name: &str) -> bool {
    flag_of(name).is_some()
}

/// Returns whether the name of a flag may as well mean something else: the result of a test, or a valid value.
pub(crate) fn is_vague_flag(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    ["test", "val", "valid", "is_valid", "dev", "is_dev", "testing"].contains(&lower.as_str())
}

/// Returns the truth value of a cell.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "t" | "yes" | "y" => Some(true),
        "0" | "0.0" | "false" | "f" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// Returns whether a cell is a truth value.
pub(crate) fn is_flag(text: &str) -> bool {
    truth(text).is_some()
}

/// Returns the split that a cell names: by a word, or as the truth value of a column such as `is_test`.
pub(crate) fn split_of_cell(column: &str, text: &str) -> Option<Role> {
    if let (Some(role), Some(truth)) = (flag_of(column), truth(text)) {
        let other = if role == Role::Train { Role::Test } else { Role::Train };
        return Some(if truth { role } else { other });
    }
    let lower = text.to_lowercase();
    match lower.as_str() {
        // As Kaggle calls them.
        "publictest" => Some(Role::Val),
        "privatetest" => Some(Role::Test),
        _ => Role::of_word(lower.strip_suffix("set").map_or(text, |word| word.trim_end_matches([' ', '_', '-']))),
    }
}

/// Returns whether a cell in a column of groups has no value.
pub(crate) fn is_missing_group(text: &str) -> bool {
    text.is_empty()
        || ["nan", "na", "n/a", "null", "none", "<na>", "#n/a", "?"].iter().any(|m| text.eq_ignore_ascii_case(m))
}

/// Returns whether a column of this name holds the weights of samples.
pub(crate) fn names_weights(name: &str) -> bool {
    is_one_of(name, &WEIGHTS)
}

/// Returns whether a column of this name holds times. `time_min` may be the least of some times.
pub(crate) fn names_times(name: &str) -> bool {
    let with_unit = units::of_name(name).filter(|(_, unit)| unit.per_second >= 1.0);
    is_one_of(name, &TIMES) || with_unit.is_some_and(|(rest, _)| is_one_of(rest, &TIMES))
}

/// Divides what `data.time` names into a column and the unit of its numbers, as in `t:ms`, unless a column has this name.
pub(crate) fn time_and_unit<'a>(table: &Table, wanted: &'a str) -> (&'a str, Option<&'static Unit>) {
    let whole = table.columns.iter().any(|column| table.named && column.name == wanted);
    let divided = wanted.rsplit_once(':').and_then(|(name, word)| Some((name.trim_end(), Some(units::named(word)?))));
    divided.filter(|_| !whole).unwrap_or((wanted, None))
}

/// Returns whether a column of this name numbers the samples.
pub(crate) fn names_ids(name: &str) -> bool {
    is_one_of(name, &IDS)
}

/// Returns whether the name of a column ends like that of an identifier.
pub(crate) fn ends_like_id(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    // `COVID` and `GRID` are words.
    let capitals = name.strip_suffix("ID").is_some_and(|rest| rest.ends_with(|c: char| !c.is_uppercase()));
    ["_id", " id", ".id", "uuid", "_no", "_nr"].iter().any(|end| lower.ends_with(end))
        || name.ends_with("Id")
        || capitals
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

/// Finds the columns that are there of those that a setting names, as [`find`] does, and the names of the others.
pub(crate) fn find_some<'a>(table: &Table, wanted: &'a str) -> (Vec<usize>, Vec<&'a str>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    match find(table, wanted, "") {
        Ok(all) => found = all,
        Err(_) => {
            for part in wanted.split(',').map(str::trim) {
                match find(table, part, "") {
                    Ok(columns) => found.extend(columns.into_iter().filter(|c| !found.contains(c)).collect::<Vec<_>>()),
                    Err(_) => missing.push(part),
                }
            }
        }
    }
    (found, missing)
}

/// Finds the columns that the setting `key` names, as [`find`] does; one column, if there can be one of them only.
///
/// # Errors
/// [`DataError::File`] if a part of the setting fits no column, or if several columns are named where there can be one.
pub(crate) fn find_for(table: &Table, wanted: &str, key: &str, what: &str) -> Result<Vec<usize>, DataError> {
    let wanted = if key == "time" { time_and_unit(table, wanted).0 } else { wanted };
    let found = find(table, wanted, what)?;
    if found.len() > 1 && matches!(key, "split" | "weight" | "time") {
        let reason = format!("`{wanted}` names {} columns, but there can be one {what} column", found.len());
        return Err(DataError::file(&table.path, reason).with_hint(format!("name one column with `data.{key}`")));
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
    fn cells_name_splits() {
        let cases = [
            ("split", "train", Some(Role::Train)),
            ("split", "Test set", Some(Role::Test)),
            ("Usage", "PublicTest", Some(Role::Val)),
            ("is_test", "1", Some(Role::Test)),
            ("is_test", "False", Some(Role::Train)),
            ("is_train", "0", Some(Role::Test)),
            ("train", "yes", Some(Role::Train)),
            ("val_mask", "0", Some(Role::Train)),
            ("split", "1", None),
            ("split", "holdout", None),
            ("split", "", None),
            ("retest", "1", None),
        ];
        for (column, text, expected) in cases {
            assert_eq!(split_of_cell(column, text), expected, "{column} {text}");
        }
    }

    #[test]
    fn names_of_identifiers_end_like_them() {
        for name in ["patient_id", "PatientID", "houseId", "uuid", "sample no".replace(' ', "_").as_str()] {
            assert!(ends_like_id(name), "{name}");
        }
        for name in ["COVID", "grid", "valid", "refractive_index"] {
            assert!(!ends_like_id(name), "{name}");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_spaces() {
        assert!(names_groups("Subject Number") && names_groups("Patient #") && !names_groups("group size"));
        assert!(names_labels("Class Label") && names_groups("Subject-ID") && names_ids("Unnamed: 0"));
        assert!(
            names_times("t_ms") && names_times("Time (s)") && names_times("timestamp [us]") && names_times("time_s")
        );
        assert!(!names_times("t_min") && !names_times("x_ms") && !names_times("items"));
        assert!(!names_labels("y") && !names_groups("subjective"));
    }
}
