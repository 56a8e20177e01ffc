//! Which column of a table is the label and which columns are the inputs.

use crate::error::DataError;
use crate::options::ReadOptions;
use crate::sequences::onehot;
use crate::series::values;
use crate::tables::table::{ColumnRoles, Table, Values, names_ids};

/// Names of columns of labels.
const LABELS: [&str; 9] = ["label", "labels", "class", "target", "y", "category", "outcome", "species", "diagnosis"];
/// Names of columns of groups.
const GROUPS: [&str; 4] = ["group", "groups", "subject", "patient"];

/// Finds the column that an option gives by name or by position.
fn column(table: &Table, wanted: &str, what: &str) -> Result<usize, DataError> {
    if let Some(i) = table.columns.iter().position(|(name, _)| table.named && name == wanted) {
        return Ok(i);
    }
    let n = table.columns.len() as i64;
    if let Some(i) = wanted.parse::<i64>().ok().filter(|i| (-n..n).contains(i)) {
        return Ok(i.rem_euclid(n) as usize);
    }
    let names: Vec<_> = table.columns.iter().map(|(name, _)| name.clone()).collect();
    let names = if names.len() > 12 { format!("{}, …", names[..12].join(", ")) } else { names.join(", ") };
    Err(DataError::file(&table.path, format!("there is no {what} column `{wanted}` (columns: {names})"))
        .with_hint("columns are given by name, or by position from 0 (-1: the last)"))
}

/// Assigns a role to each column of a table: by the options, by the names of the columns, or by their values.
/// Without `labeled`, a label is only taken where its column is named.
///
/// # Errors
/// [`DataError::File`] if it is not clear which column is the label, or if no column can be an input.
pub(crate) fn assign(table: &Table, options: &ReadOptions, labeled: bool) -> Result<ColumnRoles, DataError> {
    let mut notes = Vec::new();
    let of = |known: &[&str]| {
        let named = |(name, _): &(String, Values)| known.contains(&name.to_ascii_lowercase().as_str());
        table.columns.iter().position(named).filter(|_| table.named)
    };
    let group = match &options.group {
        Some(wanted) if labeled => Some(column(table, wanted, "group")?),
        Some(wanted) => column(table, wanted, "group").ok(),
        None => of(&GROUPS),
    };
    if let (Some(c), None) = (group, &options.group) {
        notes.push(format!("column `{}` holds groups, which no split divides", table.columns[c].0));
    }
    let label = match &options.targets {
        Some(wanted) if labeled => Some(column(table, wanted, "label")?),
        Some(wanted) => column(table, wanted, "label").ok(),
        // If labels need not be there, an unnamed column that looks like labels may be an input.
        None => of(&LABELS).or_else(|| guess_label(table).filter(|_| labeled)),
    };
    if labeled && label.is_none() {
        return Err(DataError::file(&table.path, "it is not clear which column is the label")
            .with_hint("name it with `data.targets`, or give its position from 0 (-1: the last)"));
    }
    let free = |c: &usize| Some(*c) != label && Some(*c) != group;
    let is_sequence = |c: &usize| match &table.columns[*c].1 {
        Values::Text(v) => v.iter().all(|s| onehot::is_sequence(s)),
        _ => false,
    };
    let is_letter = |c: &usize| match &table.columns[*c].1 {
        Values::Text(v) => v.iter().all(|s| s.len() == 1 && s.as_bytes()[0].is_ascii_alphabetic()),
        _ => false,
    };
    let free_columns: Vec<usize> = (0..table.columns.len()).filter(free).collect();
    let mut whole_sequences: Vec<usize> = free_columns.iter().copied().filter(is_sequence).collect();
    if whole_sequences.len() > 1 {
        whole_sequences.retain(|&c| {
            ["sequence", "seq", "dna", "protein"].contains(&table.columns[c].0.to_ascii_lowercase().as_str())
        });
    }
    let letters: Vec<usize> = free_columns.iter().copied().filter(is_letter).collect();
    let numbers: Vec<usize> = free_columns
        .iter()
        .copied()
        .filter(|&c| !(table.columns[c].1.is_text() || table.named && is_id(&table.columns[c])))
        .collect();
    let (inputs, sequences) = match (&whole_sequences[..], letters.len() >= 8) {
        ([_], _) => (whole_sequences, true),
        (_, true) => (letters, true),
        _ => (numbers, false),
    };
    if let Some(label) = label {
        let name = if table.named { format!("`{}`", table.columns[label].0) } else { format!("{}", label + 1) };
        notes.push(format!("column {name} is the label"));
    }
    let ignored: Vec<&str> =
        free_columns.iter().filter(|c| !inputs.contains(c)).map(|&c| table.columns[c].0.as_str()).take(8).collect();
    if !ignored.is_empty() {
        if let (false, Some(&c)) = (sequences, free_columns.iter().find(|c| text_with_numbers(&table.columns[**c].1))) {
            return Err(table.not_a_number(c));
        }
        notes.push(format!("ignored columns: {}", ignored.join(", ")));
    }
    if inputs.is_empty() || (inputs.len() == 1 && !sequences) {
        let (reason, hint) = match inputs.first() {
            Some(&c) => (
                format!(
                    "the only column of inputs is `{}`: each row would be a series of one value",
                    table.columns[c].0
                ),
                "a table has one sample a row; a recording with one time step a row has to be cut into windows first",
            ),
            None => (
                "there is no column of numbers or sequences besides the label".into(),
                "a table has one sample a row; if it has the labels of files beside it, give their folder instead",
            ),
        };
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    }
    Ok(ColumnRoles { label, group, inputs, sequences, notes })
}

/// Returns whether more than half of a column of text are numbers, so that the rest are likely misspelled.
fn text_with_numbers(values: &Values) -> bool {
    let Values::Text(v) = values else { return false };
    v.iter().filter(|s| values::number(s).is_some()).count() * 10 > v.len() * 5
}

/// Returns whether a column numbers the rows.
fn is_id((name, values): &(String, Values)) -> bool {
    names_ids(name) && values.are_consecutive()
}

/// Finds the column that is most likely the label where no name tells: the only column of texts that repeat, else
/// the last or first column if it holds few distinct whole numbers.
fn guess_label(table: &Table) -> Option<usize> {
    let n = table.columns.len();
    let few = |c: usize| {
        let values = &table.columns[c].1;
        let distinct = values.count_distinct();
        distinct >= 2 && distinct <= 100.max(values.len() / 100) && distinct * 2 <= values.len()
    };
    let text = |c: &usize| table.columns[*c].1.is_text() && few(*c);
    let texts: Vec<usize> = (0..n).filter(text).collect();
    if let [one] = texts[..] {
        return Some(one);
    }
    let whole_numbers = |c: &usize| table.columns[*c].1.all_whole() && few(*c);
    // In a table of whole numbers throughout, nothing sets the label apart.
    let candidates: Vec<usize> = [n - 1, 0].into_iter().filter(whole_numbers).collect();
    candidates.first().copied().filter(|_| (0..n).filter(whole_numbers).count() * 2 < n.max(3))
}
