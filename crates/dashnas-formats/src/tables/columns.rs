//! The columns of a training table, and how they are found again in tables to predict from. Nothing is guessed there:
//! an unknown column of numbers might be an input or the label.

use crate::error::DataError;
use crate::options::{Columns, ReadOptions};
use crate::tables::table::{ColumnRoles, Table, Values, names_ids};
use dashnas_core::text::plural;
use std::collections::HashMap;

/// Most names that a message lists.
const MAX_LISTED: usize = 8;

/// Writes the columns into the options, so that the same columns are read again.
pub(crate) fn record(table: &Table, used: &ColumnRoles, reading: &mut ReadOptions) {
    let name = |c: usize| if table.named { table.columns[c].0.clone() } else { c.to_string() };
    reading.header = Some(table.named);
    reading.targets = used.label.map(name);
    reading.group = used.group.map(name);
    if !used.sequences {
        let channels = *reading.channels.get_or_insert(1);
        reading.length = Some(used.inputs.len() / channels.max(1));
    }
    reading.columns = Some(Columns {
        names: table.columns.iter().map(|(name, _)| name.clone()).collect(),
        named: table.named,
        inputs: used.inputs.clone(),
        label: used.label,
        sequences: used.sequences,
    });
}

/// Assigns a role to each column of a table by those of the training table: by name where both have names, otherwise
/// by position, with the label or without.
///
/// # Errors
/// [`DataError::File`] if the columns that a model was trained on are not there, or others are.
pub(crate) fn find(table: &Table, known: &Columns, options: &ReadOptions) -> Result<ColumnRoles, DataError> {
    // Files are not trusted, and this may come from one.
    let (n, all) = (table.columns.len(), known.names.len());
    if known.inputs.iter().chain(&known.label).any(|&c| c >= all) {
        return Err(DataError::file(&table.path, "the columns that the model was trained on are not known"));
    }
    let (label, inputs) = if table.named && known.named {
        by_name(table, known, options)?
    } else if n == known.inputs.len() {
        (None, (0..n).collect())
    } else if n == all {
        (known.label, known.inputs.clone())
    } else if let Some(label) = known.label.filter(|_| n + 1 == all) {
        (None, known.inputs.iter().map(|&c| c - usize::from(c > label)).collect())
    } else {
        let reason = format!("it has {n} columns; the model was trained on {}", known.inputs.len());
        let hint = format!("give those, in the same order, or all {all} of the training table");
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    };
    if let Some(&c) = inputs.iter().find(|&&c| table.columns[c].1.is_text() != known.sequences) {
        return Err(match known.sequences {
            true => {
                DataError::file(&table.path, format!("column `{}` holds numbers, no sequences", table.columns[c].0))
            }
            false => table.not_a_number(c),
        });
    }
    let left = (0..n).filter(|c| !inputs.contains(c)).map(|c| table.columns[c].0.as_str());
    let left: Vec<&str> = left.take(MAX_LISTED).collect();
    let notes = if left.is_empty() { Vec::new() } else { vec![format!("ignored columns: {}", left.join(", "))] };
    Ok(ColumnRoles { label, group: None, inputs, sequences: known.sequences, notes })
}

/// Finds the label, if it is there, and the inputs in the order of training.
fn by_name(table: &Table, known: &Columns, options: &ReadOptions) -> Result<(Option<usize>, Vec<usize>), DataError> {
    let positions: HashMap<&str, usize> =
        table.columns.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect();
    let names: Vec<&str> = known.inputs.iter().map(|&c| known.names[c].as_str()).collect();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !positions.contains_key(name)).collect();
    if !missing.is_empty() {
        let reason = format!("it lacks column {}, which the model was trained on", listed(&missing));
        let hint = "its first row must name the columns as in the training table; if it has no header, set \
                    `data.header = false`, and its columns are used in order";
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    }
    let asked_for = |name: &str| [&options.targets, &options.group].into_iter().flatten().any(|n| n == name);
    let unknown = |(name, values): &&(String, Values)| {
        !values.is_text() && !known.names.contains(name) && !names_ids(name) && !asked_for(name)
    };
    let extra: Vec<&str> = table.columns.iter().filter(unknown).map(|(name, _)| name.as_str()).collect();
    if !extra.is_empty() && !known.sequences {
        let reason = format!("column {} was not in the table that the model was trained on", listed(&extra));
        return Err(DataError::file(&table.path, reason).with_hint("remove it, or name the label with `data.targets`"));
    }
    let label = known.label.and_then(|c| positions.get(known.names[c].as_str())).copied();
    Ok((label, names.iter().map(|name| positions[name]).collect()))
}

/// Refuses a table with another number of values than the training data had, where its columns are not known, as for
/// a model that was trained on arrays.
///
/// # Errors
/// [`DataError::File`].
pub(crate) fn check_width(table: &Table, used: &ColumnRoles, options: &ReadOptions) -> Result<(), DataError> {
    let (Some(length), None) = (options.length, &options.columns) else { return Ok(()) };
    let (found, channels) = (used.inputs.len(), options.channels.unwrap_or(1));
    if channels.checked_mul(length) == Some(found) {
        return Ok(());
    }
    let inputs: Vec<&str> = used.inputs.iter().map(|&c| table.columns[c].0.as_str()).collect();
    let reason = format!(
        "it has {found} columns of numbers ({}); the model was trained on {} of {length}",
        listed(&inputs),
        plural(channels, "channel")
    );
    Err(DataError::file(&table.path, reason)
        .with_hint("remove the columns that are no inputs; name the label with `data.targets`"))
}

fn listed(names: &[&str]) -> String {
    let more = if names.len() > MAX_LISTED { ", …" } else { "" };
    names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") + more
}
