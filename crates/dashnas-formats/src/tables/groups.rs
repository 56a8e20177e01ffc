//! The column of groups, which no split divides, and other columns whose values are names that repeat.

use crate::account::ColumnRole;
use crate::error::DataError;
use crate::groups as few;
use crate::options::ReadOptions;
use crate::tables::draft::{Draft, listed, same_classes};
use crate::tables::names::{ends_like_id, is_missing_group, names_groups, names_parts, names_shared};
use crate::tables::table::Table;
use std::collections::{HashMap, HashSet};

/// Gives the role of the group to a column whose name is that of persons and the like, otherwise to one whose name is that
/// of recordings and other parts of them. A column of names that occur once each is no group.
///
/// # Errors
/// The errors of reading the columns.
pub(crate) fn choose(draft: &mut Draft<'_>) -> Result<(), DataError> {
    let table = draft.table;
    let free = |draft: &Draft<'_>, named: fn(&str) -> bool| -> Vec<usize> {
        draft.free().into_iter().filter(|&c| table.named && named(&table.columns[c].name)).collect()
    };
    for c in free(draft, names_groups) {
        draft.read(&[c])?;
        let name = draft.name(c);
        if distinct(draft, c) == table.rows() && table.rows() > 1 {
            draft.give(c, ColumnRole::Id, "each value occurs once");
        } else if let Some(group) = draft.first(ColumnRole::Group) {
            let reason = format!("column {} is the group", draft.name(group));
            draft.give(c, ColumnRole::LeftOut, reason);
            if draft.options.group.is_some() {
                continue;
            }
            draft.warn(format!("column {name} could be the group as well: set `data.group` to it if it is"));
        } else {
            draft.give(c, ColumnRole::Group, "its name is that of a group");
            if few::are_few(draft.of(c)) {
                let warning = few::warning_of_few("column", &name, draft.of(c));
                draft.warn(warning);
            }
        }
    }
    for c in free(draft, names_parts) {
        let column = &table.columns[c];
        if !(column.is_text() || column.facts.all_whole()) || column.facts.is_truth() {
            continue;
        }
        draft.read(&[c])?;
        let (name, distinct) = (draft.name(c), distinct(draft, c));
        if distinct == table.rows() && table.rows() > 1 {
            draft.give(c, ColumnRole::Id, "each value occurs once");
            // A text would be no input anyway.
            if !column.is_text() {
                draft.warn(format!("column {name} is no input: each value occurs once; `data.inputs` makes it one"));
            }
        } else if let Some(group) = draft.first(ColumnRole::Group) {
            let reason = format!("column {} is the group", draft.name(group));
            draft.give(c, ColumnRole::LeftOut, reason);
        } else if distinct > 2 {
            draft.give(c, ColumnRole::Group, "its name is that of a recording or another part of the data");
            draft.warn(format!(
                "column {name} is taken for the group: samples with the same value stay on one side of the split; set \
                 `data.group` to another column, or leave it out with `data.ignore`"
            ));
        }
    }
    Ok(())
}

/// The number of different values of a column that was read.
fn distinct(draft: &Draft<'_>, c: usize) -> usize {
    draft.of(c).iter().collect::<HashSet<_>>().len()
}

/// Refuses a group or a recording without a value, and groups that are the classes.
///
/// # Errors
/// [`DataError::File`] with the place of the missing value.
pub(crate) fn check(draft: &Draft<'_>) -> Result<(), DataError> {
    let (table, columns) = (draft.table, draft.with(ColumnRole::Group));
    for (role, why) in [
        (ColumnRole::Group, "samples without a group could be on either side of the split"),
        (ColumnRole::Recording, "time steps without a recording are in none"),
    ] {
        complete(table, role, &draft.with(role), &draft.texts, why)?;
    }
    let [label] = draft.with(ColumnRole::Label)[..] else { return Ok(()) };
    let several;
    let groups: &[String] = match columns[..] {
        [] => return Ok(()),
        [one] => draft.of(one),
        _ => {
            let mut texts = columns.iter().map(|&c| (c, draft.of(c).to_vec())).collect();
            several = of_rows(&columns, &mut texts).unwrap_or_default();
            &several
        }
    };
    let distinct = groups.iter().collect::<HashSet<_>>().len();
    if distinct * 2 <= table.rows() && same_classes(groups, draft.of(label)) {
        let names: Vec<String> = columns.iter().map(|&c| draft.name(c)).collect();
        let reason = format!(
            "the group {} is the same as the label {}: no split that keeps groups together can have all classes",
            listed(&names),
            draft.name(label)
        );
        return Err(DataError::file(&table.path, reason).with_hint(
            "set `data.group` or `data.targets` to another column, or leave the column out with `data.ignore`",
        ));
    }
    Ok(())
}

/// Refuses a row of new data that is to be scored without a group, which the score could not count.
///
/// # Errors
/// [`DataError::File`] with the place of the missing value.
pub(crate) fn check_scored(
    table: &Table,
    columns: &[usize],
    texts: &HashMap<usize, Vec<String>>,
) -> Result<(), DataError> {
    complete(table, ColumnRole::Group, columns, texts, "the score counts groups")
}

/// Refuses a group or a recording without a value in columns whose texts were read.
fn complete(
    table: &Table,
    role: ColumnRole,
    columns: &[usize],
    texts: &HashMap<usize, Vec<String>>,
    why: &str,
) -> Result<(), DataError> {
    for &c in columns {
        if let Some(row) = texts.get(&c).and_then(|texts| texts.iter().position(|text| is_missing_group(text))) {
            let hint = format!("write the {role}, drop these rows, or leave the column out with `data.ignore`: {why}");
            return Err(table.cell_error(row, c, format!("the {role} is missing")).with_hint(hint));
        }
    }
    Ok(())
}

/// The groups of the rows by columns whose texts were read, which are taken; `None` without a column. Of several columns,
/// rows of one group have equal values in all of them.
pub(crate) fn of_rows(columns: &[usize], texts: &mut HashMap<usize, Vec<String>>) -> Option<Vec<String>> {
    few::joined(columns.iter().map(|c| Some(normalized(texts.remove(c)?))).collect::<Option<_>>()?)
}

/// What a person should know of groups by several columns; `None` of one column.
pub(crate) fn note_of_several(table: &Table, columns: &[usize], windows: bool) -> Option<String> {
    let names: Vec<String> = columns.iter().map(|&c| table.called(c)).collect();
    few::note_of_several("rows", &names, windows)
}

/// The groups in a column: numbers that are equal are one group, however they are written.
fn normalized(mut texts: Vec<String>) -> Vec<String> {
    if texts.iter().all(|text| text.parse::<f64>().is_ok()) {
        for text in texts.iter_mut().filter(|text| text.contains('.') && !text.contains(['e', 'E'])) {
            let length = text.trim_end_matches('0').trim_end_matches('.').len();
            text.truncate(length.max(1));
        }
    }
    texts
}

/// Warns of inputs, and of texts that are left out, whose names are those of identifiers and whose values repeat.
///
/// # Errors
/// The errors of reading the columns.
pub(crate) fn warn_of_others(draft: &mut Draft<'_>, options: &ReadOptions) -> Result<(), DataError> {
    let table: &Table = draft.table;
    if draft.first(ColumnRole::Group).is_some() || options.inputs.is_some() || !table.named {
        return Ok(());
    }
    let mut found = Vec::new();
    for c in draft.with(ColumnRole::Input).into_iter().chain(draft.with(ColumnRole::LeftOut)) {
        let column = &table.columns[c];
        let kept = draft.given[c].as_ref().is_some_and(|(role, _)| *role == ColumnRole::Input);
        let named = ends_like_id(&column.name) || names_parts(&column.name) || names_shared(&column.name);
        if !named || !(column.is_text() || (kept && column.facts.all_whole() && !column.facts.is_truth())) {
            continue;
        }
        draft.read(&[c])?;
        if (2..table.rows()).contains(&distinct(draft, c)) {
            found.push(draft.name(c));
        }
    }
    if !found.is_empty() {
        draft.warn(format!(
            "{} may name what samples belong to, and values repeat: set `data.group` to it if samples of one belong on one \
             side of the split, or leave it out with `data.ignore`",
            listed(&found)
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_columns_make_groups_of_their_values() {
        let column = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let texts = || {
            HashMap::from([
                (0, column(&["a", "a", "b", "a/b", "a"])),
                (1, column(&["1", "1.0", "1", "c", "2"])),
                (2, column(&["x", "x", "x", "b/c", "x"])),
            ])
        };
        let cases: [(&[usize], Option<&[&str]>); 5] = [
            (&[], None),
            (&[5], None),
            (&[0], Some(&["a", "a", "b", "a/b", "a"])),
            (&[0, 1], Some(&["a/1", "a/1.0", "b/1", r"a\/b/c", "a/2"])),
            (&[2, 0], Some(&["x/a", "x/a", "x/b", r"b\/c/a\/b", "x/a"])),
        ];
        for (columns, expected) in cases {
            assert_eq!(of_rows(columns, &mut texts()), expected.map(column), "{columns:?}");
        }
    }

    #[test]
    fn equal_numbers_are_one_group() {
        let cases: [(&[&str], &[&str]); 4] = [
            (&["3", "3.0", "10"], &["3", "3", "10"]),
            (&["0.0", "0", "1.50"], &["0", "0", "1.5"]),
            (&["a", "3.0"], &["a", "3.0"]),
            (&["100", "10"], &["100", "10"]),
        ];
        for (texts, expected) in cases {
            assert_eq!(normalized(texts.iter().map(ToString::to_string).collect()), expected, "{texts:?}");
        }
    }
}
