//! The role of each column of a table: by the options, by the names of the columns, or by their values.

use crate::account::{ColumnAccount, ColumnRole};
use crate::error::DataError;
use crate::groups::warning_of_lacking;
use crate::options::ReadOptions;
use crate::tables::draft::{ColumnRoles, Content, Draft, listed};
use crate::tables::table::Table;
use crate::tables::{groups, inputs, labels, names, splits, steps, suspect};
use std::collections::HashMap;

/// Assigns a role to each column of a table. Without `labeled`, a label is only taken where its column is named.
/// Returns the texts that were read as well.
///
/// # Errors
/// [`DataError::File`] if it is not clear which column is the label, or if no column can be an input.
pub(crate) fn assign(
    table: &Table,
    options: &ReadOptions,
    labeled: bool,
) -> Result<(ColumnRoles, HashMap<usize, Vec<String>>), DataError> {
    let mut draft =
        Draft { table, options, given: vec![None; table.columns.len()], texts: HashMap::new(), warnings: Vec::new() };
    suspect::rows(table)?;
    asked_for(&mut draft, labeled)?;
    let asked_time = draft.first(ColumnRole::Time);
    leave_out_empty(&mut draft);
    let all = table.columns.len();
    let text_columns: Vec<usize> = (0..all)
        .filter(|&c| table.is_written(c) || labels::may_be_label(&draft, c) || by_name(table, c).is_some())
        .collect();
    draft.read(&text_columns)?;
    if draft.options.inputs.is_none() {
        suspect::joined(&draft)?;
    }
    named(&mut draft, labeled)?;
    warn_of_lacking_group(&mut draft, labeled);
    let divided: Vec<usize> = [ColumnRole::Group, ColumnRole::Recording, ColumnRole::Split]
        .into_iter()
        .flat_map(|role| draft.with(role))
        .collect();
    draft.read(&divided)?;
    suspect::times_and_ids(&mut draft)?;
    labels::choose(&mut draft, labeled)?;
    if labeled {
        groups::check(&draft)?;
        suspect::codes_of_the_label(&mut draft)?;
    } else if options.scored && options.window.is_none() {
        groups::check_scored(table, &draft.with(ColumnRole::Group), &draft.texts)?;
    }
    let content = inputs::choose(&mut draft, labeled)?;
    if labeled {
        groups::warn_of_others(&mut draft, options)?;
        suspect::inputs(&mut draft);
        if options.window.is_none() {
            steps::warn(&mut draft)?;
        }
    }
    let roles = ColumnRoles {
        labels: labels::order(&draft),
        groups: in_order(&draft, &options.group, ColumnRole::Group)?,
        recordings: in_order(&draft, &options.recording, ColumnRole::Recording)?,
        split: draft.first(ColumnRole::Split),
        times: in_order(&draft, &options.time, ColumnRole::Time)?,
        weight: draft.first(ColumnRole::Weight),
        // Of several, it is not clear which.
        time: asked_time.or(match draft.with(ColumnRole::Time)[..] {
            [one] => Some(one),
            _ => None,
        }),
        inputs: inputs::order(&draft)?,
        content,
        accounts: accounts(&draft),
        warnings: draft.warnings,
    };
    Ok((roles, draft.texts))
}

/// Assigns a role to each column of a table whose rows name files: `files` are the columns that do, the first of them the one
/// that is read. No column is an input. Without `labeled`, the names in the options need not be there unless they are given
/// for this table; without `needed`, neither need labels.
///
/// # Errors
/// [`DataError::File`] if it is not clear which column holds the labels.
pub(crate) fn of_files(
    table: &Table,
    files: &[usize],
    options: &ReadOptions,
    labeled: bool,
    needed: bool,
) -> Result<(ColumnRoles, HashMap<usize, Vec<String>>), DataError> {
    let mut draft =
        Draft { table, options, given: vec![None; table.columns.len()], texts: HashMap::new(), warnings: Vec::new() };
    draft.give(files[0], ColumnRole::Id, "it names the files of the samples");
    asked_for(&mut draft, labeled)?;
    let asked_time = draft.first(ColumnRole::Time);
    for &c in files {
        draft.give(c, ColumnRole::Id, "it names the files as well");
    }
    for c in draft.free() {
        if table.columns[c].facts.known() == 0 {
            draft.give(c, ColumnRole::LeftOut, "it holds no value");
        }
    }
    let columns: Vec<usize> = (0..table.columns.len()).filter(|c| !files.contains(c)).collect();
    draft.read(&columns)?;
    let hint = "write train, val and test, or leave the column out with `data.ignore`";
    named(&mut draft, labeled).map_err(|error| error.with_hint(hint))?;
    draft.warnings.retain(|warning| !warning.contains("`data.inputs`"));
    warn_of_lacking_group(&mut draft, labeled);
    labels::choose_of_files(&mut draft, needed)?;
    if labeled {
        groups::check(&draft)?;
    } else if options.scored {
        groups::check_scored(table, &draft.with(ColumnRole::Group), &draft.texts)?;
    }
    let roles = ColumnRoles {
        labels: labels::order(&draft),
        groups: in_order(&draft, &options.group, ColumnRole::Group)?,
        recordings: Vec::new(),
        split: draft.first(ColumnRole::Split),
        times: Vec::new(),
        weight: draft.first(ColumnRole::Weight),
        time: asked_time.or(match draft.with(ColumnRole::Time)[..] {
            [one] => Some(one),
            _ => None,
        }),
        inputs: Vec::new(),
        content: Content::Numbers,
        accounts: accounts(&draft),
        warnings: draft.warnings,
    };
    Ok((roles, draft.texts))
}

/// The columns of a role: those that the options name, in their order, otherwise all that were found.
fn in_order(draft: &Draft<'_>, wanted: &Option<String>, role: ColumnRole) -> Result<Vec<usize>, DataError> {
    match wanted {
        Some(wanted) if draft.first(role).is_some() => {
            let key = if role == ColumnRole::Time { "time" } else { "" };
            names::find_for(draft.table, wanted, key, "")
        }
        _ => Ok(draft.with(role)),
    }
}

/// The account of the columns.
fn accounts(draft: &Draft<'_>) -> Vec<ColumnAccount> {
    let account = |(c, given): (usize, &Option<(ColumnRole, String)>)| {
        let (role, reason) = given.clone().unwrap_or((ColumnRole::LeftOut, "it is not used".into()));
        ColumnAccount { name: draft.table.columns[c].name.clone(), role, reason }
    };
    draft.given.iter().enumerate().map(account).collect()
}

/// Gives the roles that the options ask for.
fn asked_for(draft: &mut Draft<'_>, labeled: bool) -> Result<(), DataError> {
    let options = draft.options;
    let asked = [
        (&options.ignore, ColumnRole::LeftOut, "ignore", "ignored"),
        (&options.targets, ColumnRole::Label, "targets", "label"),
        (&options.group, ColumnRole::Group, "group", "group"),
        (&options.recording, ColumnRole::Recording, "recording", "recording"),
        (&options.split, ColumnRole::Split, "split", "split"),
        (&options.weight, ColumnRole::Weight, "weight", "weight"),
        (&options.time, ColumnRole::Time, "time", "time"),
        (&options.inputs, ColumnRole::Input, "inputs", "input"),
    ];
    for (wanted, role, key, what) in asked {
        let Some(wanted) = wanted else { continue };
        let found = match names::find_for(draft.table, wanted, key, what) {
            Ok(found) => found,
            // New data need not have the columns that are no inputs, unless they are named for it.
            Err(_) if !labeled && !options.gives(key) => continue,
            Err(error) => return Err(error),
        };
        for c in found {
            // What is ignored in new data has no role of the training.
            if draft.given[c].as_ref().is_some_and(|(other, _)| *other == ColumnRole::LeftOut)
                && !labeled
                && !options.gives(key)
            {
                continue;
            }
            // A pattern of inputs may cover columns that have a role of their own.
            if let (Some((other, _)), false) = (&draft.given[c], role == ColumnRole::Input) {
                let reason = format!("column {} cannot be both {other} and {what}", draft.name(c));
                return Err(DataError::file(&draft.table.path, reason).with_hint(format!("check `data.{key}`")));
            }
            draft.give(c, role, format!("`data.{key}` names it"));
        }
    }
    if draft.first(ColumnRole::Input).is_some() {
        for c in draft.free() {
            if !labels::may_be_label(draft, c) && by_name(draft.table, c).is_none() && !draft.table.columns[c].is_text()
            {
                draft.give(c, ColumnRole::LeftOut, "`data.inputs` does not name it");
            }
        }
    }
    Ok(())
}

/// Warns of the group of the training that is not there, where new data is scored by the group.
fn warn_of_lacking_group(draft: &mut Draft<'_>, labeled: bool) {
    let options = draft.options;
    let scored = !labeled && options.scored && options.window.is_none();
    if let (true, Some(wanted), None) = (scored, &options.group, draft.first(ColumnRole::Group)) {
        // The group may be left out on request.
        let (found, lacking) = names::find_some(draft.table, wanted);
        if found.is_empty()
            && let Some(warning) = warning_of_lacking("column", &lacking, &[])
        {
            draft.warn(warning);
        }
    }
}

/// Leaves out columns without any value.
fn leave_out_empty(draft: &mut Draft<'_>) {
    let mut empty = Vec::new();
    for c in draft.free() {
        let column = &draft.table.columns[c];
        if column.facts.known() == 0 {
            draft.give(c, ColumnRole::LeftOut, "it holds no value");
            if draft.table.named && !column.name.is_empty() {
                empty.push(draft.name(c));
            }
        }
    }
    if !empty.is_empty() {
        draft.warn(format!("left out without any value: {}", listed(&empty)));
    }
}

/// The role that the name of a column suggests, other than the label.
fn by_name(table: &Table, c: usize) -> Option<ColumnRole> {
    let name = &table.columns[c].name;
    if !table.named {
        None
    } else if names::names_groups(name) || names::names_parts(name) {
        Some(ColumnRole::Group)
    } else if names::names_splits(name) || names::names_flags(name) {
        Some(ColumnRole::Split)
    } else if names::names_weights(name) {
        Some(ColumnRole::Weight)
    } else {
        None
    }
}

/// Gives the roles that the names of columns suggest and their values confirm.
fn named(draft: &mut Draft<'_>, labeled: bool) -> Result<(), DataError> {
    match splits::choose(draft) {
        Err(error) if labeled || draft.options.gives("split") => return Err(error),
        // New data need not be divided.
        Err(error) if draft.options.scored => draft.warn(format!("all rows are used: {error}")),
        _ => {}
    }
    for c in draft.free() {
        if by_name(draft.table, c) == Some(ColumnRole::Weight) {
            let name = draft.name(c);
            if let Some(other) = draft.first(ColumnRole::Weight) {
                let reason = format!("column {} holds the weights", draft.name(other));
                draft.give(c, ColumnRole::LeftOut, reason);
                draft.warn(format!(
                    "column {name} could hold the weights of the samples as well: set `data.weight` to it if it does"
                ));
            } else if draft.table.columns[c].facts.numbers > 0 {
                // A cell that is no number is refused with its row.
                draft.give(c, ColumnRole::Weight, "its name is that of the weights of samples");
            } else {
                draft.give(
                    c,
                    ColumnRole::LeftOut,
                    "its name is that of the weights of samples, but it holds no numbers",
                );
                draft.warn(format!(
                    "column {name} is left out: it holds no numbers, so that it cannot be the weights of the samples"
                ));
            }
        }
    }
    groups::choose(draft)
}
