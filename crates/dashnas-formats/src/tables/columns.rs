//! The columns of a training table, and how they are found again in tables to predict from. Nothing is guessed there:
//! an unknown column of numbers might be an input or the label.

use crate::account::{ColumnAccount, ColumnRole};
use crate::error::DataError;
use crate::options::{Columns, ReadOptions};
use crate::tables::draft::{ColumnRoles, Content, listed};
use crate::tables::names;
use crate::tables::names::{names_ids, names_times, names_weights};
use crate::tables::table::{Column, Table};
use dashnas_core::text::{plural, plural_of};
use std::collections::HashMap;

/// Writes the columns into the options, so that the same columns are read again.
pub(crate) fn record(table: &Table, used: &ColumnRoles, reading: &mut ReadOptions) {
    let name = |&c: &usize| if table.named { table.columns[c].name.clone() } else { c.to_string() };
    reading.header = Some(table.named);
    reading.targets = (!used.labels.is_empty()).then(|| used.labels.iter().map(name).collect::<Vec<_>>().join(","));
    reading.group = used.group.as_ref().map(name);
    reading.split = used.split.as_ref().map(name);
    if reading.decimal.is_none() {
        reading.decimal.clone_from(&table.decimal);
    }
    if used.content == Content::Numbers {
        // The windows of recordings have a length of their own.
        if reading.window.is_none() {
            let channels = *reading.channels.get_or_insert(1);
            reading.length = Some(used.inputs.len() / channels.max(1));
        }
    }
    reading.columns = Some(Columns {
        names: table.columns.iter().map(|column| column.name.clone()).collect(),
        named: table.named,
        inputs: used.inputs.clone(),
        labels: used.labels.clone(),
        sequences: used.content == Content::Sequences,
        lists: used.content == Content::Lists,
    });
}

/// Returns whether a column can be an input of this kind.
fn suits(column: &Column, content: Content) -> bool {
    match content {
        Content::Numbers => column.facts.is_numeric(),
        Content::Sequences => column.is_text(),
        Content::Lists => column.facts.lists.is_some(),
    }
}

/// Assigns a role to each column of a table by those of the training table: by name where both have names, otherwise
/// by position, with the label or without. Also gives the texts of the labels.
///
/// # Errors
/// [`DataError::File`] if the columns that a model was trained on are not there, or others are.
pub(crate) fn find(
    table: &Table,
    known: &Columns,
    options: &ReadOptions,
) -> Result<(ColumnRoles, HashMap<usize, Vec<String>>), DataError> {
    // Files are not trusted, and this may come from one.
    let (n, all) = (table.columns.len(), known.names.len());
    if known.inputs.iter().chain(&known.labels).any(|&c| c >= all) {
        return Err(DataError::file(&table.path, "the columns that the model was trained on are not known"));
    }
    let content = match (known.sequences, known.lists) {
        (true, _) => Content::Sequences,
        (_, true) => Content::Lists,
        _ => Content::Numbers,
    };
    let (mut labels, inputs) = if table.named && known.named {
        by_name(table, known, content, options)?
    } else if n == known.inputs.len() {
        (Vec::new(), (0..n).collect())
    } else if n == all {
        (known.labels.clone(), known.inputs.clone())
    } else if n + known.labels.len() == all {
        let before = |c: usize| known.labels.iter().filter(|&&label| label < c).count();
        (Vec::new(), known.inputs.iter().map(|&c| c - before(c)).collect())
    } else {
        let reason = format!("it has {}; the model was trained on {}", plural(n, "column"), known.inputs.len());
        let hint = format!("give those, in the same order, or all {all} of the training table");
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    };
    let weight = if options.scored { for_the_score(table, options, &inputs, &mut labels) } else { None };
    if let Some(&c) = inputs.iter().find(|&&c| !suits(&table.columns[c], content)) {
        return Err(match content {
            Content::Numbers if table.columns[c].is_text() => {
                table.not_a_number(c, &table.read_texts(&[c], options)?[0])
            }
            Content::Numbers => DataError::file(&table.path, format!("column {} holds no numbers", table.called(c))),
            Content::Sequences => {
                DataError::file(&table.path, format!("column {} holds numbers, no sequences", table.called(c)))
            }
            Content::Lists => DataError::file(&table.path, format!("column {} holds no lists", table.called(c))),
        });
    }
    let split = split(table, options, &[&labels[..], &inputs].concat())?;
    let account = |(c, column): (usize, &Column)| {
        let (role, reason) = if Some(c) == split.as_ref().map(|(c, _)| *c) {
            (ColumnRole::Split, "it divided the training table into splits")
        } else if inputs.contains(&c) {
            (ColumnRole::Input, "the model was trained on it")
        } else if labels.contains(&c) {
            (ColumnRole::Label, "it was the label in training")
        } else if weight == Some(c) {
            (ColumnRole::Weight, "it holds the weights of the samples")
        } else {
            (ColumnRole::LeftOut, "the model was not trained on it")
        };
        ColumnAccount { name: column.name.clone(), role, reason: reason.into() }
    };
    let accounts = table.columns.iter().enumerate().map(account).collect();
    let accounts: Vec<ColumnAccount> = accounts;
    let recordings = Recordings::find(table, options);
    let needed: Vec<usize> = labels.iter().copied().chain(recordings.group).collect();
    let mut texts: HashMap<_, _> = needed.iter().copied().zip(table.read_texts(&needed, options)?).collect();
    let split = split.map(|(c, of_rows)| {
        texts.insert(c, of_rows);
        c
    });
    let Recordings { group, times, warnings } = recordings;
    let time = None;
    let roles = ColumnRoles { labels, group, split, weight, time, times, inputs, content, accounts, warnings };
    Ok((roles, texts))
}

/// The column of splits of the training table with its texts, if it is there and every cell of it names a split. It is no
/// other column in `taken`, and none that `data.ignore` names.
fn split(table: &Table, options: &ReadOptions, taken: &[usize]) -> Result<Option<(usize, Vec<String>)>, DataError> {
    let column = |wanted: &Option<String>| {
        wanted.as_ref().and_then(|wanted| names::find(table, wanted, "").ok()).unwrap_or_default()
    };
    let &[c] = &column(&options.split)[..] else { return Ok(None) };
    if taken.contains(&c) || column(&options.ignore).contains(&c) {
        return Ok(None);
    }
    let texts = table.read_texts(&[c], options)?.pop().unwrap_or_default();
    let name = &table.columns[c].name;
    Ok(texts.iter().all(|text| names::split_of_cell(name, text).is_some()).then_some((c, texts)))
}

/// Finds the columns that only a score needs: the labels where the options name others than those of training, and the
/// weights, if there are any.
fn for_the_score(table: &Table, options: &ReadOptions, inputs: &[usize], labels: &mut Vec<usize>) -> Option<usize> {
    let columns = |wanted: &str| crate::tables::names::find(table, wanted, "").unwrap_or_default();
    if let (true, Some(wanted)) = (labels.is_empty(), &options.targets) {
        *labels = columns(wanted).into_iter().filter(|c| !inputs.contains(c)).collect();
    }
    let named = |c: &usize| table.named && names_weights(&table.columns[*c].name);
    let weight = match &options.weight {
        Some(wanted) => columns(wanted).first().copied(),
        None => (0..table.columns.len()).find(named).filter(|&c| table.columns[c].facts.numbers > 0),
    };
    weight.filter(|c| !inputs.contains(c) && !labels.contains(c))
}

/// What tells the recordings of a table apart, and the times of their steps, where windows are cut from them.
struct Recordings {
    group: Option<usize>,
    times: Vec<usize>,
    warnings: Vec<String>,
}

impl Recordings {
    /// Finds the columns that the options name. Those that are not there are said.
    fn find(table: &Table, options: &ReadOptions) -> Self {
        let mut found = Self { group: None, times: Vec::new(), warnings: Vec::new() };
        if options.window.is_none() {
            return found;
        }
        let column = |wanted: &Option<String>| Some(names::find(table, wanted.as_ref()?, "").ok());
        match column(&options.group) {
            Some(Some(columns)) => found.group = columns.first().copied(),
            Some(None) => found.warnings.push(format!(
                "there is no column `{}`, which tells recordings apart: the file is taken for one recording",
                options.group.as_deref().unwrap_or_default()
            )),
            None => {}
        }
        match column(&options.time) {
            Some(Some(columns)) => found.times = columns,
            Some(None) => found.warnings.push(format!(
                "there is no column `{}` of times: the rows are taken for neighboring time steps",
                options.time.as_deref().unwrap_or_default()
            )),
            None => {}
        }
        found
    }
}

/// Finds the labels, if they are there, and the inputs in the order of training.
fn by_name(
    table: &Table,
    known: &Columns,
    content: Content,
    options: &ReadOptions,
) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    let positions: HashMap<&str, usize> =
        table.columns.iter().enumerate().map(|(i, column)| (column.name.as_str(), i)).collect();
    let names: Vec<&str> = known.inputs.iter().map(|&c| known.names[c].as_str()).collect();
    let quoted = |name: &&str| format!("`{name}`");
    let missing: Vec<String> = names.iter().filter(|name| !positions.contains_key(**name)).map(quoted).collect();
    if !missing.is_empty() {
        let reason = format!("it lacks column {}, which the model was trained on", listed(&missing));
        let hint = "its first row must name the columns as in the training table; if it has no header, set \
                    `data.header = false`, and its columns are used in order";
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    }
    let asked_for = |name: &str| {
        let options =
            [&options.targets, &options.group, &options.split, &options.weight, &options.time, &options.ignore];
        options
            .into_iter()
            .flatten()
            .any(|wanted| wanted == name || wanted.split(',').any(|part| names::matches(part.trim(), name)))
    };
    let unknown = |column: &&Column| {
        column.facts.is_numeric()
            && column.facts.known() > 0
            && !column.facts.temporal
            && !known.names.contains(&column.name)
            && !names_ids(&column.name)
            && !names_times(&column.name)
            && !asked_for(&column.name)
    };
    let extra: Vec<String> = table.columns.iter().filter(unknown).map(|column| format!("`{}`", column.name)).collect();
    if !extra.is_empty() && content == Content::Numbers {
        let reason = format!("column {} was not in the table that the model was trained on", listed(&extra));
        return Err(DataError::file(&table.path, reason)
            .with_hint("remove it, leave it out with `data.ignore`, or name the label with `data.targets`"));
    }
    let labels: Vec<usize> =
        known.labels.iter().filter_map(|&c| positions.get(known.names[c].as_str())).copied().collect();
    // Of several labels, some are not enough.
    let labels = if labels.len() == known.labels.len() { labels } else { Vec::new() };
    Ok((labels, names.iter().map(|name| positions[name]).collect()))
}

/// Refuses a table with another number of values than the training data had, where its columns are not known, as for
/// a model that was trained on arrays.
///
/// # Errors
/// [`DataError::File`].
pub(crate) fn check_width(table: &Table, used: &ColumnRoles, options: &ReadOptions) -> Result<(), DataError> {
    let (Some(length), None, Content::Numbers) = (options.length, &options.columns, used.content) else {
        return Ok(());
    };
    let (found, channels) = (used.inputs.len(), options.channels.unwrap_or(1));
    let wanted = if options.window.is_some() { Some(channels) } else { channels.checked_mul(length) };
    if wanted == Some(found) {
        return Ok(());
    }
    let inputs: Vec<String> = used.inputs.iter().map(|&c| format!("`{}`", table.columns[c].name)).collect();
    let reason = format!(
        "it has {} ({}); the model was trained on {} of {length}",
        plural_of(found, "column of numbers", "columns of numbers"),
        listed(&inputs),
        plural(channels, "channel")
    );
    Err(DataError::file(&table.path, reason)
        .with_hint("remove the columns that are no inputs; name the label with `data.targets`"))
}
