//! The columns of a training table, and how they are found again in tables to predict from. Nothing is guessed there:
//! an unknown column of numbers might be an input or the label.

use crate::account::{ColumnAccount, ColumnRole};
use crate::error::DataError;
use crate::groups as few;
use crate::options::{Columns, Layout, ReadOptions};
use crate::tables::draft::{ColumnRoles, Content, listed};
use crate::tables::groups;
use crate::tables::names;
use crate::tables::names::{names_ids, names_times, names_weights};
use crate::tables::table::{Column, Table};
use dashnas_core::names::TaskName;
use dashnas_core::text::{plural, plural_of};
use std::collections::HashMap;

/// Writes the columns into the options, so that the same columns are read again.
pub(crate) fn record(table: &Table, used: &ColumnRoles, reading: &mut ReadOptions) {
    let name = |&c: &usize| if table.named { table.columns[c].name.clone() } else { c.to_string() };
    reading.header = Some(table.named);
    let names =
        |columns: &[usize]| (!columns.is_empty()).then(|| columns.iter().map(name).collect::<Vec<_>>().join(","));
    reading.targets = names(&used.labels);
    (reading.group, reading.recording) = (names(&used.groups), names(&used.recordings));
    reading.split = used.split.as_ref().map(name);
    if reading.decimal.is_none() {
        reading.decimal.clone_from(&table.decimal);
    }
    if used.content == Content::Numbers {
        // The windows of recordings have a length of their own.
        if reading.window.is_none() {
            if reading.channels.is_some() {
                // The columns were divided into these channels, so that the layout is not guessed from the shape.
                reading.layout.get_or_insert(Layout::ChannelsFirst);
            }
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
    let asked = Asked::find(table, options)?;
    let mut said = Vec::new();
    let (mut labels, inputs) = if let Some(inputs) = asked.inputs(table, known, &mut said)? {
        let labels = match table.named && known.named {
            true => labels_by_name(table, known),
            false if n == all => known.labels.clone(),
            false => Vec::new(),
        };
        (if labels.iter().any(|c| inputs.contains(c)) { Vec::new() } else { labels }, inputs)
    } else if table.named && known.named {
        by_name(table, known, content, options, &asked)?
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
    asked.check(table, &inputs)?;
    asked.label(table, known, options, &mut labels)?;
    let weight = if options.scored { for_the_score(table, options, &asked, &inputs, &mut labels) } else { None };
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
    let split = split(table, options, &asked, &[&labels[..], &inputs].concat())?;
    asked.apart(table, options, &labels)?;
    let recordings = match options.window {
        Some(_) => Recordings::find(table, options),
        None if options.scored => {
            Recordings::of_samples(table, known, options, &asked, &[&labels[..], &inputs].concat())
        }
        None => Recordings::default(),
    };
    let account = |(c, column): (usize, &Column)| {
        let (role, reason) = if Some(c) == split.as_ref().map(|(c, _)| *c) {
            (ColumnRole::Split, "it divided the training table into splits")
        } else if inputs.contains(&c) {
            (ColumnRole::Input, "the model was trained on it")
        } else if labels.contains(&c) {
            (ColumnRole::Label, "it was the label in training")
        } else if recordings.groups.contains(&c) {
            (ColumnRole::Group, "it holds the groups of the samples")
        } else if recordings.parts.contains(&c) {
            (ColumnRole::Recording, "it tells recordings apart")
        } else if weight == Some(c) {
            (ColumnRole::Weight, "it holds the weights of the samples")
        } else {
            (ColumnRole::LeftOut, "the model was not trained on it")
        };
        ColumnAccount { name: column.name.clone(), role, reason: reason.into() }
    };
    let accounts: Vec<ColumnAccount> = table.columns.iter().enumerate().map(account).collect();
    let needed = [&labels[..], &recordings.groups, &recordings.parts].concat();
    let mut texts: HashMap<_, _> = needed.iter().copied().zip(table.read_texts(&needed, options)?).collect();
    if options.scored && options.window.is_none() {
        groups::check_scored(table, &recordings.groups, &texts)?;
    }
    let split = split.map(|(c, of_rows)| {
        texts.insert(c, of_rows);
        c
    });
    let Recordings { groups, parts: recordings, times, mut warnings } = recordings;
    warnings.extend(said);
    let time = None;
    let roles =
        ColumnRoles { labels, groups, recordings, split, weight, time, times, inputs, content, accounts, warnings };
    Ok((roles, texts))
}

/// The column of splits of the training table with its texts, if it is there and every cell of it names a split; also if
/// not where that is to be said. It is no other column in `taken`, and none that `data.ignore` names.
fn split(
    table: &Table,
    options: &ReadOptions,
    asked: &Asked,
    taken: &[usize],
) -> Result<Option<(usize, Vec<String>)>, DataError> {
    let column = |wanted: &Option<String>| {
        wanted.as_ref().and_then(|wanted| names::find(table, wanted, "").ok()).unwrap_or_default()
    };
    let &[c] = &column(&options.split)[..] else { return Ok(None) };
    if taken.contains(&c) || asked.ignored.contains(&c) {
        return Ok(None);
    }
    let texts = table.read_texts(&[c], options)?.pop().unwrap_or_default();
    let name = &table.columns[c].name;
    let said = options.scored || options.gives("split");
    let good = || texts.iter().all(|text| names::split_of_cell(name, text).is_some());
    Ok((said || good()).then_some((c, texts)))
}

/// Finds the columns that only a score needs: the labels where the options name others than those of training, and the
/// weights, if there are any.
fn for_the_score(
    table: &Table,
    options: &ReadOptions,
    asked: &Asked,
    inputs: &[usize],
    labels: &mut Vec<usize>,
) -> Option<usize> {
    let columns = |wanted: &str| names::find(table, wanted, "").unwrap_or_default();
    let free = |c: &usize| !inputs.contains(c) && !asked.ignored.contains(c);
    if let (true, Some(wanted)) = (labels.is_empty(), &options.targets) {
        let found = columns(wanted);
        // Of several labels, some are not enough.
        if found.iter().all(free) {
            *labels = found;
        }
    }
    let named = |c: &usize| table.named && names_weights(&table.columns[*c].name) && free(c);
    let weight = match &options.weight {
        Some(wanted) => columns(wanted).first().copied(),
        None => (0..table.columns.len()).find(named).filter(|&c| table.columns[c].facts.numbers > 0),
    };
    weight.filter(|c| free(c) && !labels.contains(c))
}

/// The columns that the settings which are given for new data name.
struct Asked {
    /// The key of each setting, what it names in a word, and the columns.
    settings: Vec<(&'static str, &'static str, Vec<usize>)>,
    /// The columns that are left out, by what is given or as in the training.
    ignored: Vec<usize>,
}

impl Asked {
    /// Finds the columns.
    ///
    /// # Errors
    /// [`DataError::File`] if a name fits no column, or if a column has two roles.
    fn find(table: &Table, options: &ReadOptions) -> Result<Self, DataError> {
        let all = [
            ("ignore", "ignored", &options.ignore),
            ("targets", "label", &options.targets),
            ("group", "group", &options.group),
            ("recording", "recording", &options.recording),
            ("split", "split", &options.split),
            ("weight", "weight", &options.weight),
            ("time", "time", &options.time),
            ("inputs", "input", &options.inputs),
        ];
        let mut settings: Vec<(&str, &str, Vec<usize>)> = Vec::new();
        for (key, what, wanted) in all {
            let Some(wanted) = wanted.as_ref().filter(|_| options.gives(key)) else { continue };
            let found = names::find_for(table, wanted, key, what)?;
            let taken = |(_, other, columns): &(&str, &'static str, Vec<usize>)| {
                Some((*other, *found.iter().find(|c| columns.contains(c))?))
            };
            if let (Some((other, c)), true) = (settings.iter().find_map(taken), key != "inputs") {
                let reason = format!("column {} cannot be both {other} and {what}", table.called(c));
                return Err(DataError::file(&table.path, reason).with_hint(format!("check `data.{key}`")));
            }
            settings.push((key, what, found));
        }
        let ignored = options.ignore.as_ref().and_then(|wanted| names::find(table, wanted, "").ok());
        Ok(Self { settings, ignored: ignored.unwrap_or_default() })
    }

    /// The columns that a setting names, if it is given.
    fn columns(&self, key: &str) -> Option<&[usize]> {
        self.settings.iter().find(|(given, ..)| *given == key).map(|(.., columns)| &columns[..])
    }

    /// Returns whether a setting names a column.
    fn names(&self, c: usize) -> bool {
        self.settings.iter().any(|(.., columns)| columns.contains(&c))
    }

    /// The inputs that are given, in their order, where they are not found by the names of those of the training; says which
    /// stand for which.
    ///
    /// # Errors
    /// [`DataError::File`] if there are more or fewer of them than in the training.
    fn inputs(&self, table: &Table, known: &Columns, said: &mut Vec<String>) -> Result<Option<Vec<usize>>, DataError> {
        let Some(given) = self.columns("inputs") else { return Ok(None) };
        let names: Vec<&str> = known.inputs.iter().map(|&c| known.names[c].as_str()).collect();
        let named = |name: &str| given.iter().any(|&c| table.columns[c].name == name);
        if table.named && known.named && names.iter().all(|name| named(name)) {
            return Ok(None);
        }
        // A pattern may cover columns that have a role of their own.
        let others = |c: &usize| self.settings.iter().any(|(key, _, columns)| *key != "inputs" && columns.contains(c));
        let label = |c: &usize| known.labels.iter().any(|&l| known.named && known.names[l] == table.columns[*c].name);
        let given: Vec<usize> = given.iter().copied().filter(|c| !others(c) && !label(c)).collect();
        if given.len() != names.len() {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let reason = format!(
                "`data.inputs` names {}, but the model was trained on {} ({})",
                plural_of(given.len(), "column of inputs", "columns of inputs"),
                names.len(),
                listed(&quoted)
            );
            return Err(DataError::file(&table.path, reason).with_hint("name as many, in the order of the training"));
        }
        let pairs = given.iter().zip(&names).filter(|(c, name)| table.columns[**c].name != **name);
        let pairs: Vec<String> = pairs.map(|(&c, name)| format!("{} for `{name}`", table.called(c))).collect();
        if table.named && known.named && !pairs.is_empty() {
            said.push(format!(
                "columns stand for those of the model in the order of `data.inputs`: {}",
                listed(&pairs)
            ));
        }
        Ok(Some(given))
    }

    /// Refuses another role for an input of the model.
    ///
    /// # Errors
    /// [`DataError::File`].
    fn check(&self, table: &Table, inputs: &[usize]) -> Result<(), DataError> {
        for (key, what, columns) in self.settings.iter().filter(|(key, ..)| *key != "inputs") {
            if let Some(&c) = columns.iter().find(|c| inputs.contains(c)) {
                let reason = format!("column {} cannot be {what}: it is an input of the model", table.called(c));
                return Err(DataError::file(&table.path, reason)
                    .with_hint(format!("name another column with `data.{key}`, or leave it out")));
            }
        }
        Ok(())
    }

    /// Refuses a group or a recording that is given for new data where the column has another such role by the training, or
    /// holds the labels; and to ignore what tells the recordings that windows are cut from apart.
    ///
    /// # Errors
    /// [`DataError::File`].
    fn apart(&self, table: &Table, options: &ReadOptions, labels: &[usize]) -> Result<(), DataError> {
        let of_training = |key: &str, wanted: &Option<String>| match (self.columns(key), wanted) {
            (None, Some(wanted)) => names::find_some(table, wanted).0,
            _ => Vec::new(),
        };
        let recordings = options.window.map_or_else(Vec::new, |_| of_training("recording", &options.recording));
        let groups = options.window.map_or_else(Vec::new, |_| of_training("group", &options.group));
        let cases = [
            ("group", "group", "recording", &recordings[..]),
            ("recording", "recording", "group", &groups),
            ("ignore", "ignored", "recording", &recordings),
            ("ignore", "ignored", "group", &groups),
            ("group", "group", "label", labels),
            ("recording", "recording", "label", labels),
        ];
        for (key, what, other, columns) in cases {
            if let Some(&c) = self.columns(key).and_then(|given| given.iter().find(|c| columns.contains(c))) {
                let reason = format!("column {} cannot be both {other} and {what}", table.called(c));
                return Err(DataError::file(&table.path, reason).with_hint(format!(
                    "it is the {other} as in the training: leave out `data.{key}`, or name another column with it"
                )));
            }
        }
        Ok(())
    }

    /// Takes the labels that are given for those of the training, and leaves out those that are ignored.
    ///
    /// # Errors
    /// [`DataError::File`] if there are more or fewer of them than in the training.
    fn label(
        &self,
        table: &Table,
        known: &Columns,
        options: &ReadOptions,
        labels: &mut Vec<usize>,
    ) -> Result<(), DataError> {
        let Some(given) = self.columns("targets") else {
            let ignored = self.columns("ignore").unwrap_or_default();
            if labels.iter().any(|c| ignored.contains(c)) {
                labels.clear();
            }
            return Ok(());
        };
        *labels = given.to_vec();
        let place = |c: &usize| known.labels.iter().position(|&l| known.names[l] == table.columns[*c].name);
        if table.named && known.named && labels.iter().all(|c| place(c).is_some()) {
            labels.sort_by_key(place);
        }
        // The classes may be one column of names or one column each.
        let classes = options.task == Some(TaskName::Classification);
        let (found, wanted) = (given.len(), known.labels.len());
        if options.scored && !classes && wanted > 0 && found != wanted {
            let names: Vec<String> = known.labels.iter().map(|&c| format!("`{}`", known.names[c])).collect();
            let reason = format!(
                "`data.targets` names {}, but the model was trained on {} ({})",
                plural(found, "column"),
                plural_of(wanted, "column of labels", "columns of labels"),
                listed(&names)
            );
            return Err(DataError::file(&table.path, reason).with_hint("name as many, in the order of the training"));
        }
        Ok(())
    }
}

/// The groups of samples that are scored; or what tells the recordings of a table apart, and the times of their steps, where
/// windows are cut from them.
#[derive(Default)]
struct Recordings {
    groups: Vec<usize>,
    parts: Vec<usize>,
    times: Vec<usize>,
    warnings: Vec<String>,
}

impl Recordings {
    /// Finds the groups of samples: the columns that are given for new data, or those of the training, by name where both
    /// tables have names, otherwise by position. Those that are not there, or `taken` for something else, are said.
    fn of_samples(table: &Table, known: &Columns, options: &ReadOptions, asked: &Asked, taken: &[usize]) -> Self {
        let Some(wanted) = &options.group else { return Self::default() };
        let (columns, mut lacking) = match (table.named && known.named) || options.gives("group") {
            true => names::find_some(table, wanted),
            false => by_position(table, known, wanted),
        };
        lacking.extend(columns.iter().filter(|c| taken.contains(c)).map(|&c| &*table.columns[c].name));
        let ignored = columns.iter().any(|c| asked.ignored.contains(c));
        let groups: Vec<usize> =
            columns.into_iter().filter(|c| !taken.contains(c) && !asked.ignored.contains(c)).collect();
        let there: Vec<&str> = groups.iter().map(|&c| &*table.columns[c].name).collect();
        // Nothing is said of groups that are left out on request.
        let warning = few::warning_of_lacking("column", &lacking, &there).filter(|_| !ignored || !there.is_empty());
        Self { groups, warnings: warning.into_iter().collect(), ..Self::default() }
    }

    /// Finds the columns that the options name. Those that are not there are said.
    fn find(table: &Table, options: &ReadOptions) -> Self {
        let mut found = Self::default();
        let mut missing = Vec::new();
        // Of several columns, those that are there tell recordings apart.
        for (wanted, columns) in [(&options.group, &mut found.groups), (&options.recording, &mut found.parts)] {
            let Some(wanted) = wanted else { continue };
            let (there, others) = names::find_some(table, wanted);
            *columns = there;
            missing.extend(others.into_iter().map(|part| format!("`{part}`")));
        }
        if !missing.is_empty() {
            let there: Vec<String> = found.groups.iter().chain(&found.parts).map(|&c| table.called(c)).collect();
            let instead = match there.is_empty() {
                true => "the file is taken for one recording".to_owned(),
                false => format!("{} alone tells them apart here", listed(&there)),
            };
            found
                .warnings
                .push(format!("there is no column {}, which tells recordings apart: {instead}", listed(&missing)));
        }
        if let Some(wanted) = &options.time {
            let (wanted, _) = names::time_and_unit(table, wanted);
            match names::find(table, wanted, "") {
                Ok(columns) => found.times = columns,
                Err(_) => found.warnings.push(format!(
                    "there is no column `{wanted}` of times: the rows are taken for neighboring time steps"
                )),
            }
        }
        found
    }
}

/// The columns of groups of the training by their positions, and the names of those that have none: a table with fewer or more
/// columns may have others in their places.
fn by_position<'a>(table: &Table, known: &Columns, wanted: &'a str) -> (Vec<usize>, Vec<&'a str>) {
    let position = |part: &str| match known.named {
        true => known.names.iter().position(|name| name == part),
        false => part.parse().ok().filter(|&c| c < known.names.len()),
    };
    let parts = match position(wanted) {
        Some(_) => vec![wanted],
        None => wanted.split(',').map(str::trim).collect(),
    };
    let same = table.columns.len() == known.names.len();
    let (there, lacking): (Vec<&str>, Vec<&str>) = parts.into_iter().partition(|part| same && position(part).is_some());
    (there.into_iter().filter_map(position).collect(), lacking)
}

/// Finds the labels, if they are there, and the inputs in the order of training.
fn by_name(
    table: &Table,
    known: &Columns,
    content: Content,
    options: &ReadOptions,
    asked: &Asked,
) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    let positions: HashMap<&str, usize> =
        table.columns.iter().enumerate().map(|(i, column)| (column.name.as_str(), i)).collect();
    let names: Vec<&str> = known.inputs.iter().map(|&c| known.names[c].as_str()).collect();
    let quoted = |name: &&str| format!("`{name}`");
    let missing: Vec<String> = names.iter().filter(|name| !positions.contains_key(**name)).map(quoted).collect();
    if !missing.is_empty() {
        let reason = format!("it lacks column {}, which the model was trained on", listed(&missing));
        let hint = "its first row must name the columns as in the training table; if they have other names here, name all inputs \
                    with `data.inputs`, in the order of the training; if it has no header, set `data.header = false`, and its \
                    columns are used in order";
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    }
    let time = options.time.as_ref().map(|wanted| names::time_and_unit(table, wanted).0.to_owned());
    let asked_for = |name: &str| {
        let options = [
            &options.targets,
            &options.group,
            &options.recording,
            &options.split,
            &options.weight,
            &time,
            &options.ignore,
        ];
        options
            .into_iter()
            .flatten()
            .any(|wanted| wanted == name || wanted.split(',').any(|part| names::matches(part.trim(), name)))
    };
    let unknown = |(c, column): &(usize, &Column)| {
        column.facts.is_numeric()
            && column.facts.known() > 0
            && !column.facts.temporal
            && !known.names.contains(&column.name)
            && !names_ids(&column.name)
            && !names_times(&column.name)
            && !asked_for(&column.name)
            && !asked.names(*c)
    };
    let extra = table.columns.iter().enumerate().filter(unknown);
    let extra: Vec<String> = extra.map(|(_, column)| format!("`{}`", column.name)).collect();
    if !extra.is_empty() && content == Content::Numbers && asked.columns("inputs").is_none() {
        let reason = format!("column {} was not in the table that the model was trained on", listed(&extra));
        return Err(DataError::file(&table.path, reason)
            .with_hint("remove it, leave it out with `data.ignore`, or name the label with `data.targets`"));
    }
    Ok((labels_by_name(table, known), names.iter().map(|name| positions[name]).collect()))
}

/// The columns of labels of the training that are there. Of several labels, some are not enough.
fn labels_by_name(table: &Table, known: &Columns) -> Vec<usize> {
    let place = |&c: &usize| table.columns.iter().position(|column| column.name == known.names[c]);
    let labels: Vec<usize> = known.labels.iter().filter_map(place).collect();
    if labels.len() == known.labels.len() { labels } else { Vec::new() }
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
