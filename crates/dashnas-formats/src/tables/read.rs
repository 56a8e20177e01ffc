//! Reads tables of one sample a row: from record batches, whatever the format, to samples.

use crate::account::ColumnRole;
use crate::effects;
use crate::effects::Columns;
use crate::error::DataError;
use crate::fill::Filled;
use crate::found::{Digits, Labels, UnassembledData, UnassembledSplit};
use crate::options::{Layout, Lengths, ReadOptions, SplitBy};
use crate::partners;
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use crate::sequences::onehot;
use crate::series::values::cut_warning;
use crate::tables::batches::Batches;
use crate::tables::draft::{ColumnRoles, Content};
use crate::tables::load::load;
use crate::tables::names::split_of_cell;
use crate::tables::parts::Reordered;
use crate::tables::recordings::Steps;
use crate::tables::splits::divide_new;
use crate::tables::table::{Column, Table};
use crate::tables::{columns, groups, labels, moments, recordings, roles, samples};
use dashnas_core::text::plural;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Opens the table in a file.
pub(crate) type Open<'a> = &'a dyn Fn(&Path) -> Result<Arc<dyn Batches>, DataError>;

/// A table, its split, and the texts of some of its columns.
struct Opened {
    role: Role,
    table: Table,
    texts: HashMap<usize, Vec<String>>,
}

/// Reads a file and those that belong to it; `open` opens the table in one file.
///
/// # Errors
/// [`DataError`] with the file, the line and the column.
pub(crate) fn read(
    path: &Path,
    format: &str,
    options: &ReadOptions,
    labeled: bool,
    open: Open<'_>,
) -> Result<UnassembledData, DataError> {
    let mut tables = Vec::new();
    for (role, path) in partners::partners(path, !labeled)? {
        tables.push((role, load(&path, open(&path)?, options)?));
    }
    read_tables(tables, format, options, labeled)
}

/// Reads tables that have been opened, the training table first.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_tables(
    tables: Vec<(Role, Table)>,
    format: &str,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let mut tables = tables.into_iter();
    let Some((role, first)) = tables.next() else { return Err(DataError::file(Path::new(""), "there is no table")) };
    let (used, texts) = match &options.columns {
        Some(known) if !labeled => columns::find(&first, known, options)?,
        _ => roles::assign(&first, options, labeled)?,
    };
    let mut raw = UnassembledData::new(format, options);
    raw.named_by = &["inputs", "targets", "group", "recording", "split", "weight", "time", "ignore"];
    let columns = match used.content {
        Content::Numbers => Columns::Numbers,
        Content::Lists => Columns::Lists,
        Content::Sequences => Columns::Letters,
    };
    effects::check_columns(&first.path, columns, options, labeled)?;
    check_length(&first, &used, options, labeled)?;
    if labeled {
        columns::record(&first, &used, &mut raw.reading);
    } else {
        columns::check_width(&first, &used, options)?;
    }
    // Numbers in texts and in columns of most types have more digits.
    raw.digits = Digits::of_numbers(used.content != Content::Sequences, true, &options.centers);
    raw.notes.extend(groups::note_of_several(&first, &used.groups, options.window.is_some()).filter(|_| labeled));
    raw.columns.clone_from(&used.accounts);
    raw.warnings.clone_from(&used.warnings);
    let mut opened = vec![Opened { role, table: first, texts }];
    for (role, table) in tables {
        add_partner(&mut opened, role, table, &used, &mut raw)?;
    }
    if let [only] = &mut opened[..]
        && only.role == Role::Train
    {
        // The files of the other splits cannot be used.
        only.role = Role::All;
    }
    for Opened { table, .. } in &opened {
        raw.file(&table.path);
        table.notes.iter().for_each(|note| raw.note(note.clone()));
    }
    let encoding =
        if options.window.is_some() { (0, String::new()) } else { sizes(&opened[0].table, &used, &mut raw)? };
    if let (true, Content::Lists, Some(length)) = (!labeled || options.scored, used.content, options.length) {
        let longest = samples::list_shape(&opened[0].table, &used)?.2;
        raw.warnings.extend(cut_warning([longest].into_iter(), length, "values", options));
    }
    let validated = opened.iter().any(|opened| opened.role == Role::Val);
    if options.window.is_some() {
        raw.format = raw.format.replace("one sample a row", "one time step a row");
    }
    if options.window.is_some() && used.weight.is_some() {
        raw.warn("weights of time steps are not used for windows: every window counts equally");
    }
    // Windows may leave out rows, but add no values.
    raw.finite = opened.iter().all(|opened| samples::are_finite(&opened.table, &used, options));
    let mut missing = Filled::default();
    for opened in opened {
        if options.window.is_some() {
            let Opened { role, table, texts } = opened;
            recordings::add(Steps { role, table, texts, labeled, validated }, &used, &mut missing, &mut raw)?;
            continue;
        }
        add_parts(opened, &used, &encoding, &mut missing, &mut raw, labeled)?;
    }
    if let Some(fill) = options.fill_missing {
        raw.notes.extend(missing.notes(fill));
    }
    Ok(raw)
}

/// Refuses another length than the columns of numbers of a table make.
fn check_length(table: &Table, used: &ColumnRoles, options: &ReadOptions, labeled: bool) -> Result<(), DataError> {
    let (Some(length), Content::Numbers, None, true) = (options.length, used.content, options.window, labeled) else {
        return Ok(());
    };
    let found = used.inputs.len() / options.channels.unwrap_or(1).max(1);
    if found == length {
        return Ok(());
    }
    let reason =
        format!("`data.length` is {length}, but its columns of inputs make samples of {}", plural(found, "value"));
    Err(DataError::file(&table.path, reason)
        .with_hint("choose the columns with `data.inputs` or `data.ignore`, and leave out `data.length`"))
}

/// Adds the table of another split, with its columns in the order of the first.
fn add_partner(
    opened: &mut Vec<Opened>,
    role: Role,
    mut table: Table,
    used: &ColumnRoles,
    raw: &mut UnassembledData,
) -> Result<(), DataError> {
    let first = &opened[0].table;
    let place = |c: usize| {
        let name = &first.columns[c].name;
        table.columns.iter().position(|column| column.name == *name)
    };
    // As in competitions: the labels of the test samples are not known.
    if first.named && used.labels.iter().any(|&c| place(c).is_none()) && used.inputs.iter().all(|&c| place(c).is_some())
    {
        raw.warnings.push(format!(
            "{} has no labels and is not used: a test split is drawn from the other samples, and `predict` reads it",
            table.path.display()
        ));
        return Ok(());
    }
    let (n, m) = (first.columns.len(), table.columns.len());
    if n != m {
        let reason = format!("it has {}, {} has {n}", plural(m, "column"), first.path.display());
        return Err(DataError::file(&table.path, reason).with_hint(
            "training and test tables need the same columns; give a table by itself under a name without `train`",
        ));
    }
    let order: Option<Vec<usize>> = (0..n).map(|c| if first.named { place(c) } else { Some(c) }).collect();
    let differ = |i: usize, other: &Table| {
        let (a, b) = (&first.columns[i], &other.columns[i]);
        a.name != b.name || (used.inputs.contains(&i) && a.is_text() != b.is_text())
    };
    if let Some(order) = order
        && first.named == table.named
        && order.iter().enumerate().any(|(i, &c)| i != c)
    {
        table = reordered(table, &order);
    }
    if let Some(i) = (0..n).find(|&i| differ(i, &table)) {
        let reason = format!("column {} (`{}`) differs from {}", i + 1, table.columns[i].name, first.path.display());
        return Err(DataError::file(&table.path, reason).with_hint("training and test tables need the same columns"));
    }
    let named = [&used.labels[..], &used.groups, &used.recordings].concat();
    let needed: Vec<usize> = named.into_iter().chain(used.split).collect();
    let found = table.read_texts(&needed, &raw.reading)?;
    opened.push(Opened { role, table, texts: needed.into_iter().zip(found).collect() });
    Ok(())
}

/// The same table with its columns in another order.
fn reordered(table: Table, order: &[usize]) -> Table {
    let Table { path, named, columns, rows, notes, decimal, stored, file_rows, source } = table;
    let mut columns: Vec<Option<Column>> = columns.into_iter().map(Some).collect();
    let taken: Vec<Column> = order.iter().filter_map(|&c| columns.get_mut(c)?.take()).collect();
    let source: Arc<dyn Batches> = Arc::new(Reordered::new(source, order.to_vec()));
    let rows = rows.map(|rows| rows.reordered(order));
    Table { path, named, columns: taken, rows, notes, decimal, stored, file_rows, source }
}

/// The length that sequences and lists are brought to, and the alphabet of sequences.
fn sizes(table: &Table, used: &ColumnRoles, raw: &mut UnassembledData) -> Result<(usize, String), DataError> {
    match used.content {
        Content::Numbers => Ok((0, String::new())),
        Content::Sequences => {
            let rows = samples::sequences(table, used, &raw.reading.clone())?;
            Ok(onehot::choose_encoding(rows.iter().map(String::as_str), raw))
        }
        Content::Lists => {
            let (channels, min, max) = samples::list_shape(table, used)?;
            let nested = used.inputs.iter().any(|&c| {
                table.columns[c].facts.lists.is_some_and(|l| l.inner.is_some()) || table.source.tensor(c).is_some()
            });
            if nested && channels >= 8 && channels >= max && raw.reading.layout.is_none() {
                raw.warn(format!(
                    "lists of {channels} lists of {max} numbers are read as {channels} channels of {max} values: if the inner \
                     lists are the channels at one time, set `data.layout` to channels-last, and if they are the rows of an \
                     image, to no-channels"
                ));
            }
            let reading = &mut raw.reading;
            let length = reading.length.unwrap_or(if reading.lengths == Lengths::Truncate { min } else { max });
            if length == 0 {
                return Err(
                    DataError::file(&table.path, "a list is empty").with_hint("set `data.length`, or drop these rows")
                );
            }
            (reading.length, reading.channels, reading.layout) = (
                Some(length),
                Some(channels),
                Some(reading.layout.filter(|_| nested).unwrap_or(Layout::ChannelsFirst)),
            );
            if min < max {
                raw.note(format!(
                    "lists are {min} to {max} long: {} {length} (`data.lengths`: pad, truncate, resample or mask)",
                    if raw.reading.lengths == Lengths::Mask { "kept, and masked up to" } else { "brought to" }
                ));
            }
            Ok((length, String::new()))
        }
    }
}

/// The weights, times and places of the rows.
fn facts(table: &Table, used: &ColumnRoles, options: &ReadOptions) -> Result<SampleFacts, DataError> {
    let style = samples::style(table, options);
    let column =
        |c: usize| -> Result<Vec<String>, DataError> { Ok(table.read_texts(&[c], options)?.pop().unwrap_or_default()) };
    let flaw = |c: usize| move |(row, reason, hint): moments::Flaw| table.cell_error(row, c, reason).with_hint(hint);
    let mut facts = SampleFacts { places: Some(table.places()), ..SampleFacts::default() };
    if let Some(c) = used.weight {
        facts.weights = Some(moments::weights(&column(c)?, style).map_err(flaw(c))?);
    }
    if let (Some(c), SplitBy::Time) = (used.time, options.split_by) {
        facts.times = Some(moments::times(&column(c)?, style).map_err(flaw(c))?);
    }
    Ok(facts)
}

/// Adds the samples of a table, divided by its column of splits.
fn add_parts(
    opened: Opened,
    used: &ColumnRoles,
    (length, alphabet): &(usize, String),
    missing: &mut Filled,
    raw: &mut UnassembledData,
    labeled: bool,
) -> Result<(), DataError> {
    let Opened { role, mut table, mut texts } = opened;
    let options = raw.reading.clone();
    let y = match (&used.labels[..], labeled || options.scored) {
        ([], _) => None,
        (columns, true) => Some(labels::read(&table, columns, &texts, &options, raw.classes.as_deref())?),
        // Labels that need not be there need not be good.
        (columns, false) => labels::read(&table, columns, &texts, &options, None).ok(),
    };
    let x = match used.content {
        Content::Numbers => samples::numbers(&mut table, used, &options, missing)?,
        Content::Lists => samples::lists(&table, used, *length, &options, missing)?,
        Content::Sequences => {
            let rows = samples::sequences(&table, used, &options)?;
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            onehot::encode(&table.path, &rows, alphabet, *length, &options)?
        }
    };
    let y: Option<Labels> = y.map(|found| {
        if labeled {
            found
                .warnings
                .into_iter()
                .filter(|w| !raw.warnings.contains(w))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|warning| raw.warnings.push(warning));
        }
        if raw.classes.is_none() {
            raw.classes = found.names;
        }
        found.labels
    });
    let facts = match labeled || options.scored {
        true => facts(&table, used, &options)?,
        false => SampleFacts { places: Some(table.places()), ..SampleFacts::default() },
    };
    let groups = groups::of_rows(&used.groups, &mut texts);
    let splits = used.split.filter(|_| role == Role::All).and_then(|c| texts.remove(&c));
    // New data is divided only if it holds test rows, and if every row is in a split.
    let divides = match (used.split, &splits) {
        (Some(c), Some(texts)) if !labeled => divide_new(&table, c, texts, &options, &mut raw.warnings)?,
        _ => true,
    };
    let splits = splits.filter(|_| divides);
    let Some(splits) = splits else {
        raw.parts.push(UnassembledSplit { role, x, y, groups, ids: None, facts });
        return Ok(());
    };
    let split = raw.columns.iter().find(|column| column.role == ColumnRole::Split).map(|column| column.name.clone());
    let split = split.unwrap_or_default();
    for part in [Role::Train, Role::Val, Role::Test] {
        let rows: Vec<usize> = (0..splits.len()).filter(|&i| split_of_cell(&split, &splits[i]) == Some(part)).collect();
        if rows.is_empty() {
            continue;
        }
        raw.parts.push(UnassembledSplit {
            role: part,
            x: x.select(&rows),
            y: y.as_ref().map(|y| y.select(&rows)),
            groups: groups.as_ref().map(|groups| rows.iter().map(|&i| groups[i].clone()).collect()),
            ids: None,
            facts: facts.select(&rows),
        });
    }
    raw.note(format!("column `{split}` divides the rows into splits"));
    Ok(())
}
