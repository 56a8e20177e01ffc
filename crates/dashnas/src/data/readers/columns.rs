//! The columns of a training table, and how they are found again in tables without labels. Nothing is guessed there:
//! a column of numbers that nobody knows may be an input or the label.

use super::table::{Plan, Table, Values, names_ids, not_a_number};
use crate::data::{Columns, DataError, ReadOptions};

/// Names in a message, at most.
const SHOWN: usize = 8;

/// Writes into the options what reads the same columns again.
pub(crate) fn record(table: &Table, plan: &Plan, reading: &mut ReadOptions) {
    let called = |c: usize| if table.named { table.columns[c].0.clone() } else { c.to_string() };
    reading.header = Some(table.named);
    reading.targets = plan.label.map(called);
    reading.group = plan.group.map(called);
    if !plan.sequences {
        let channels = *reading.channels.get_or_insert(1);
        reading.length = Some(plan.inputs.len() / channels.max(1));
    }
    reading.columns = Some(Columns {
        names: table.columns.iter().map(|(name, _)| name.clone()).collect(),
        named: table.named,
        inputs: plan.inputs.clone(),
        label: plan.label,
        sequences: plan.sequences,
    });
}

/// What the columns of a table are, by those of the training table: by name where both have names, else by place,
/// with the label or without.
pub(crate) fn plan(table: &Table, known: &Columns, options: &ReadOptions) -> Result<Plan, DataError> {
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
            false => not_a_number(table, c),
        });
    }
    let left = (0..n).filter(|c| !inputs.contains(c)).map(|c| table.columns[c].0.as_str());
    let left: Vec<&str> = left.take(SHOWN).collect();
    let notes = if left.is_empty() { Vec::new() } else { vec![format!("ignored column(s): {}", left.join(", "))] };
    Ok(Plan { label, group: None, inputs, sequences: known.sequences, notes })
}

/// The label, if it is there, and the inputs in the order of training.
fn by_name(table: &Table, known: &Columns, options: &ReadOptions) -> Result<(Option<usize>, Vec<usize>), DataError> {
    let places: std::collections::HashMap<&str, usize> =
        table.columns.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect();
    let names: Vec<&str> = known.inputs.iter().map(|&c| known.names[c].as_str()).collect();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !places.contains_key(name)).collect();
    if !missing.is_empty() {
        let reason = format!("it has no column {} that the model was trained on", listed(&missing));
        let hint = "its first row must name the columns as the training table did; \
                    with --header no they are taken as they stand";
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    }
    let told = |name: &str| [&options.targets, &options.group].into_iter().flatten().any(|n| n == name);
    let strange = |(name, values): &&(String, Values)| {
        !values.is_text() && !known.names.contains(name) && !names_ids(name) && !told(name)
    };
    let extra: Vec<&str> = table.columns.iter().filter(strange).map(|(name, _)| name.as_str()).collect();
    if !extra.is_empty() && !known.sequences {
        let reason = format!("column {} was not in the table that the model was trained on", listed(&extra));
        return Err(DataError::file(&table.path, reason).with_hint("remove it, or name the label with --targets"));
    }
    let label = known.label.and_then(|c| places.get(known.names[c].as_str())).copied();
    Ok((label, names.iter().map(|name| places[name]).collect()))
}

/// Refuses another number of values than that of training where the columns themselves are not known, as for a
/// model that was trained on arrays.
pub(crate) fn check_width(table: &Table, plan: &Plan, options: &ReadOptions) -> Result<(), DataError> {
    let (Some(length), None) = (options.length, &options.columns) else { return Ok(()) };
    let (found, channels) = (plan.inputs.len(), options.channels.unwrap_or(1));
    if channels.checked_mul(length) == Some(found) {
        return Ok(());
    }
    let inputs: Vec<&str> = plan.inputs.iter().map(|&c| table.columns[c].0.as_str()).collect();
    let reason = format!(
        "it has {found} columns of numbers ({}); the model was trained on {channels} channel(s) of {length}",
        listed(&inputs)
    );
    Err(DataError::file(&table.path, reason).with_hint("remove what is no input; a label is named with --targets"))
}

fn listed(names: &[&str]) -> String {
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") + more
}
