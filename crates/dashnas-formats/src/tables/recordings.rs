//! Tables of one time step a row: the recordings in them, cut into windows.

use crate::account::ColumnRole;
use crate::array::Array;
use crate::error::DataError;
use crate::fill::{Filled, fill_channel};
use crate::found::UnassembledData;
use crate::options::{ReadOptions, Span};
use crate::places::Recording;
use crate::role::Role;
use crate::tables::draft::{ColumnRoles, Content};
use crate::tables::names::split_of_cell;
use crate::tables::number::Style;
use crate::tables::splits::divide_new;
use crate::tables::table::Table;
use crate::tables::times::RowTimes;
use crate::tables::{groups, labels, names, samples, times, units};
use crate::windows::cut::{Cut, cut};
use crate::windows::outline::{Outline, Stretch};
use crate::windows::spans;
use dashnas_core::text::plural;
use std::collections::HashMap;
use std::path::Path;

/// A step of more than this many median steps is a gap.
const GAP: f64 = 4.0;

/// Rows without a fall of the time, on average, from which on a fall begins a recording and is no disorder.
const RUN: usize = 8;

/// Words in the names of columns that tell recordings apart.
const GROUPS: [&str; 16] = [
    "id",
    "session",
    "trial",
    "run",
    "file",
    "filename",
    "record",
    "rec",
    "user",
    "device",
    "segment",
    "series",
    "experiment",
    "episode",
    "sequence",
    "test",
];

/// A table of time steps, its split, and the texts of some of its columns.
pub(crate) struct Steps {
    /// The split.
    pub role: Role,
    /// The table.
    pub table: Table,
    /// The texts.
    pub texts: HashMap<usize, Vec<String>>,
    /// Whether labels must be there.
    pub labeled: bool,
    /// Whether there is a validation split elsewhere.
    pub validated: bool,
}

/// Rows of a recording, in order.
struct Rows {
    name: String,
    group: Option<String>,
    rows: Vec<usize>,
}

/// Cuts the recordings in a table into windows, and adds them to the splits that were found; counts the missing values
/// that are filled.
///
/// # Errors
/// [`DataError`] with the place of what cannot be read, and those of cutting.
pub(crate) fn add(
    mut steps: Steps,
    used: &ColumnRoles,
    missing: &mut Filled,
    raw: &mut UnassembledData,
) -> Result<(), DataError> {
    if used.content != Content::Numbers {
        let reason =
            "windows are cut from columns of numbers, one time step a row, but the inputs are lists or sequences";
        return Err(DataError::file(&steps.table.path, reason).with_hint("leave out `data.window`"));
    }
    let options = raw.reading.clone();
    let files: Vec<_> = steps.table.files().into_iter().zip(steps.table.file_rows.iter().copied()).collect();
    let groups = groups::of_rows(&used.groups, &mut steps.texts);
    let parts = groups::of_rows(&used.recordings, &mut steps.texts);
    let mut recordings = recordings(&steps.table, groups.as_deref(), parts.as_deref(), &files);
    drop((groups, parts));
    let time = order(&steps, used, &options, &mut recordings, raw)?;
    // No window spans the gaps in times.
    let together = used.groups.is_empty() || time.is_none();
    if steps.labeled && used.recordings.is_empty() && files.is_empty() && together {
        warn_of_groups(&steps.table, used, &recordings, &options, raw)?;
    }
    let breaks = time.as_ref().map(|time| gaps(time, &recordings));
    let rate = breaks.as_ref().and_then(|gaps| gaps.rate);
    let in_seconds = [options.window, options.stride].iter().any(|span| matches!(span, Some(Span::Seconds(_))));
    let sizes = spans::sizes(&steps.table.path, rate, &mut raw.reading)?;
    if let (Some(rate), Some((name, own))) = (rate, breaks.as_ref().and_then(|gaps| gaps.other.as_ref())) {
        let rates = format!("recording `{name}` has {}, most have {}", spans::per_second(*own), spans::short(rate));
        if in_seconds || options.rate.is_some() {
            return Err(DataError::file(&steps.table.path, rates)
                .with_hint("a window has as many steps in every recording: bring all recordings to one rate first"));
        }
        raw.warn(format!(
            "{rates}: windows of as many steps have other durations there; bring all recordings to one rate"
        ));
    }
    if let Some(gaps) = breaks.as_ref().filter(|gaps| gaps.count > 0) {
        raw.note(format!(
            "the times have {} of more than {GAP} median steps, the first in {}; no window spans one",
            plural(gaps.count, "gap"),
            gaps.first
        ));
    }
    let splits = used.split.filter(|_| steps.role == Role::All);
    let of = |c: usize| {
        let name = &steps.table.columns[c].name;
        Some(steps.texts.get(&c)?.iter().map(|text| split_of_cell(name, text)).collect::<Vec<_>>())
    };
    let splits = splits.and_then(of);
    // New recordings are divided only if they hold steps to test on, and if every step is in a split.
    let divides = match splits.as_ref().and(used.split).and_then(|c| Some((c, steps.texts.get(&c)?))) {
        Some((c, texts)) if !steps.labeled => divide_new(&steps.table, c, texts, &options, &mut raw.warnings)?,
        _ => true,
    };
    let splits = splits.filter(|_| divides);
    if let (Some(_), Some(c)) = (&splits, used.split) {
        raw.note(format!("column {} divides the time steps into splits", steps.table.called(c)));
    }
    let outline = |(r, rows): (usize, &Rows)| {
        let gaps = breaks.as_ref().map(|gaps| &gaps.after[r][..]);
        let stretches = stretches(&rows.rows, gaps, splits.as_deref(), steps.role);
        let recording = Recording {
            name: rows.name.clone(),
            steps: rows.rows.len(),
            times: time.as_ref().map(|time| time.of(&rows.rows)),
            rows: Some(rows.rows.clone()),
        };
        Outline { recording, group: rows.group.clone(), stretches }
    };
    let outlines: Vec<Outline> = recordings.iter().enumerate().map(outline).collect();
    let order: Vec<Vec<usize>> = recordings.into_iter().map(|recording| recording.rows).collect();
    let found = match (&used.labels[..], steps.labeled || options.scored) {
        ([], _) => None,
        (columns, true) => Some(labels::of_steps(&steps.table, columns, &steps.texts, &options, &order)?),
        // Labels that need not be there need not be good.
        (columns, false) => labels::of_steps(&steps.table, columns, &steps.texts, &options, &order).ok(),
    };
    if let Some(found) = found.as_ref().filter(|_| steps.labeled || options.scored) {
        found.warnings.iter().for_each(|warning| raw.warn(warning.clone()));
        if raw.classes.is_none() {
            raw.classes.clone_from(&found.names);
        }
    }
    let labels = found.map(|found| found.labels);
    let channels = used.inputs.len();
    let x = samples::numbers(&mut steps.table, used, &options, missing)?;
    let (labeled, validated) = (steps.labeled, steps.validated);
    let path = &*steps.table.path;
    let all = Cut { path, outlines, labels, sizes, channels, labeled, validated };
    cut(all, &mut |r| values(&x, &order[r], channels, &options, &mut missing.empty), raw)
}

/// Warns of columns that probably tell recordings apart, although none was named: texts, or whole numbers in a column with
/// such a name, that stay the same for many rows. Within groups, a text needs such a name as well.
fn warn_of_groups(
    table: &Table,
    used: &ColumnRoles,
    recordings: &[Rows],
    options: &ReadOptions,
    raw: &mut UnassembledData,
) -> Result<(), DataError> {
    let named = |name: &str| {
        let name = name.to_lowercase();
        GROUPS.iter().any(|word| name.split(|c: char| !c.is_alphanumeric()).any(|part| part == *word))
    };
    let may = |&c: &usize| {
        let column = &table.columns[c];
        let taken = [&used.labels[..], &used.groups, &used.times].iter().any(|columns| columns.contains(&c));
        let like = match column.is_text() {
            true => used.groups.is_empty() || named(&column.name),
            false => column.facts.all_whole() && named(&column.name),
        };
        !taken && used.split != Some(c) && column.facts.known() > 0 && like
    };
    let key = apart(used);
    let candidates: Vec<usize> = (0..table.columns.len()).filter(may).take(16).collect();
    for (&c, texts) in candidates.iter().zip(table.read_texts(&candidates, options)?) {
        let changes = |rows: &[usize]| rows.windows(2).filter(|pair| texts[pair[0]] != texts[pair[1]]).count();
        let runs: usize = recordings.iter().map(|recording| 1 + changes(&recording.rows)).sum();
        if runs > recordings.len() && runs * RUN <= texts.len() {
            let called = table.called(c);
            raw.warn(format!(
                "column {called} stays the same for {} rows on average and may tell recordings apart: set `data.{key}` to \
                 it if it does, or windows span two recordings",
                texts.len() / runs
            ));
        }
    }
    Ok(())
}

/// The channels of a recording; missing values are filled along the time, and channels without any value counted.
fn values(
    x: &Array,
    rows: &[usize],
    width: usize,
    options: &ReadOptions,
    empty: &mut usize,
) -> Result<Vec<Vec<f32>>, DataError> {
    let mut channels: Vec<Vec<f32>> = (0..width).map(|_| Vec::with_capacity(rows.len())).collect();
    for &row in rows {
        channels.iter_mut().zip(x.fetch(row)?.iter()).for_each(|(channel, &v)| channel.push(v));
    }
    if let Some(how) = options.fill_missing {
        *empty += channels.iter().filter(|channel| channel.iter().all(|v| v.is_nan())).count();
        channels.iter_mut().filter(|c| c.iter().any(|v| v.is_nan())).for_each(|c| fill_channel(c, how));
    }
    Ok(channels)
}

/// The text of a row in a column, if there is one.
fn of_row(texts: Option<&[String]>, row: usize) -> Option<&str> {
    texts.and_then(|texts| texts.get(row)).map(String::as_str)
}

/// The recordings of a table: the rows of each group in each file, or all. `parts` tell several of one group apart.
fn recordings(
    table: &Table,
    groups: Option<&[String]>,
    parts: Option<&[String]>,
    files: &[(std::path::PathBuf, usize)],
) -> Vec<Rows> {
    let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let files: Vec<(String, usize)> = match files {
        [] => vec![(name(&table.path), table.rows())],
        files => files.iter().map(|(path, rows)| (name(path), *rows)).collect(),
    };
    type Key<'a> = (usize, Option<&'a str>, Option<&'a str>);
    let (mut all, mut places): (Vec<Rows>, HashMap<Key<'_>, usize>) = (Vec::new(), HashMap::new());
    let mut row = 0;
    for (file, (own, rows)) in files.iter().enumerate() {
        for _ in 0..*rows {
            let (group, part) = (of_row(groups, row), of_row(parts, row));
            let at = *places.entry((file, group, part)).or_insert_with(|| {
                let file = (files.len() > 1 || (group, part) == (None, None)).then_some(&**own);
                let name = [file, group, part].into_iter().flatten().collect::<Vec<_>>().join("/");
                all.push(Rows { name, group: group.map(str::to_owned), rows: Vec::new() });
                all.len() - 1
            });
            all[at].rows.push(row);
            row += 1;
        }
    }
    all
}

/// Brings the rows of each recording into the order of their times, if a column has them; returns the times.
fn order(
    steps: &Steps,
    used: &ColumnRoles,
    options: &ReadOptions,
    recordings: &mut [Rows],
    raw: &mut UnassembledData,
) -> Result<Option<RowTimes>, DataError> {
    let table = &steps.table;
    let style = Style::of_option(options.decimal.as_deref().or(table.decimal.as_deref()));
    let named = options.time.is_some();
    let unit = options.time.as_ref().and_then(|wanted| names::time_and_unit(table, wanted).1);
    for &c in &used.times {
        let texts = table.read_texts(&[c], options)?.pop().unwrap_or_default();
        let time = match times::read(table, c, texts, style, unit) {
            Ok(time) => time,
            Err(error) if named => return Err(error),
            Err(_) => continue,
        };
        let falls = |rows: &[usize]| rows.windows(2).any(|pair| time.values[pair[0]] >= time.values[pair[1]]);
        let called = table.called(c);
        if recordings.iter().any(|recording| falls(&recording.rows)) {
            if !named {
                raw.warn(format!(
                    "column {called} is not used as the time, because its values do not rise from row to row in every \
                     recording: set `data.time` to it to sort by it, or `data.{}` to what tells recordings apart",
                    apart(used)
                ));
                continue;
            }
            let mut sorted = 0;
            for recording in recordings.iter_mut() {
                check_mixed(table, c, &time, recording, apart(used))?;
                sorted += usize::from(falls(&recording.rows));
                recording.rows.sort_by(|&a, &b| time.values[a].total_cmp(&time.values[b]));
                if let Some(pair) = recording.rows.windows(2).find(|p| time.values[p[0]] == time.values[p[1]]) {
                    let (_, line) = table.source.line(pair[0]);
                    let reason = format!("the time is that of row {line} as well, in recording `{}`", recording.name);
                    return Err(table.cell_error(pair[1], c, reason).with_hint(format!(
                        "name the column that tells recordings apart with `data.{}`, or drop one of the rows; without \
                         `data.time` the rows are in order",
                        apart(used)
                    )));
                }
            }
            raw.note(format!("the rows of {} are sorted by {called}", plural(sorted, "recording")));
        }
        check_unit(table, c, &time, options)?;
        if time.assumed {
            raw.note(format!(
                "the unit of the times in column {called} is not known, and they are taken for seconds; `data.time` says it, \
                 as in {}:ms",
                column_in_options(table, c)
            ));
        }
        let account = raw.columns.get_mut(c).filter(|account| account.role == ColumnRole::Time);
        if let Some(account) = account {
            let unit = time.unit.as_ref().filter(|unit| !account.reason.contains(*unit));
            account.reason += &unit.map_or_else(String::new, |unit| format!("; its numbers are {unit}"));
            account.reason += if raw.reading.time.is_some() { "" } else { "; windows do not span its gaps" };
        }
        if raw.reading.time.is_none() {
            raw.reading.time = Some(column_in_options(table, c));
        }
        return Ok(Some(time));
    }
    Ok(None)
}

/// A column as the options name it.
fn column_in_options(table: &Table, c: usize) -> String {
    if table.named { table.columns[c].name.clone() } else { c.to_string() }
}

/// Refuses durations where the unit of the times is not known.
fn check_unit(table: &Table, c: usize, time: &RowTimes, options: &ReadOptions) -> Result<(), DataError> {
    let in_seconds = |span: Option<Span>| matches!(span, Some(Span::Seconds(_)));
    let spans = [("data.window", options.window), ("data.stride", options.stride)];
    let Some((key, _)) = spans.into_iter().find(|(_, span)| time.assumed && in_seconds(*span)) else { return Ok(()) };
    let facts = &table.columns[c].facts;
    let reason = format!(
        "`{key}` is given in seconds, but the unit of the times in column {} is not known: its numbers go from {} to {}",
        table.called(c),
        facts.min,
        facts.max
    );
    let hint = format!(
        "name the unit in `data.time`, as in `{}:ms` ({}), or give `{key}` in time steps",
        column_in_options(table, c),
        units::SYMBOLS
    );
    Err(DataError::file(&table.path, reason).with_hint(hint))
}

/// The setting that tells the recordings of a table apart, where those that are given do not.
fn apart(used: &ColumnRoles) -> &'static str {
    if used.groups.is_empty() { "group" } else { "recording" }
}

/// Refuses times that fall back to the beginning: there are several recordings in one.
fn check_mixed(table: &Table, c: usize, time: &RowTimes, recording: &Rows, apart: &str) -> Result<(), DataError> {
    let rows = &recording.rows;
    let starts: Vec<usize> = (1..rows.len()).filter(|&i| time.values[rows[i]] < time.values[rows[i - 1]]).collect();
    if starts.is_empty() || rows.len() / (starts.len() + 1) < RUN {
        return Ok(());
    }
    let ends: Vec<usize> = starts.iter().copied().chain([rows.len()]).collect();
    let mut before = (time.values[rows[0]], time.values[rows[starts[0] - 1]]);
    for pair in ends.windows(2) {
        let (first, last) = (time.values[rows[pair[0]]], time.values[rows[pair[1] - 1]]);
        let shared = before.1.min(last) - before.0.max(first);
        if shared * 2.0 > (before.1 - before.0).min(last - first) && pair[1] - pair[0] >= RUN {
            let reason =
                format!("the time falls back, so that recording `{}` would hold several in one", recording.name);
            return Err(table.cell_error(rows[pair[0]], c, reason).with_hint(format!(
                "name the column that tells recordings apart with `data.{apart}`, or give each recording a file of its own"
            )));
        }
        before = (first, last);
    }
    Ok(())
}

/// The gaps in the times of recordings.
struct Gaps {
    /// The steps of each recording that come after a gap.
    after: Vec<Vec<usize>>,
    count: usize,
    /// The recording with the first gap, and the step.
    first: String,
    /// Steps in a second.
    rate: Option<f64>,
    /// The first recording of another rate, and its steps in a second.
    other: Option<(String, f64)>,
}

/// Finds the gaps in recordings whose rows are in order.
fn gaps(time: &RowTimes, recordings: &[Rows]) -> Gaps {
    let mut gaps = Gaps { after: Vec::new(), count: 0, first: String::new(), rate: None, other: None };
    let mut medians = Vec::new();
    let mut own = Vec::with_capacity(recordings.len());
    for recording in recordings {
        let step = |pair: &[usize]| time.values[pair[1]] - time.values[pair[0]];
        let differences: Vec<f64> = recording.rows.windows(2).map(step).collect();
        let median = median(differences.clone());
        medians.extend(median);
        own.push(median);
        let limit = median.map_or(f64::INFINITY, |median| GAP * median);
        let after: Vec<usize> =
            differences.iter().enumerate().filter(|(_, d)| **d > limit).map(|(i, _)| i + 1).collect();
        if let (Some(first), true) = (after.first(), gaps.count == 0) {
            gaps.first = format!("recording `{}` before step {first}", recording.name);
        }
        gaps.count += after.len();
        gaps.after.push(after);
    }
    gaps.rate = median(medians).map(|step| time.per_second / step).filter(|rate| rate.is_finite() && *rate > 0.0);
    gaps.other = gaps.rate.and_then(|rate| {
        let mut rates = recordings.iter().zip(own).filter_map(|(r, step)| Some((&r.name, time.per_second / step?)));
        rates.find(|(_, own)| spans::differ(*own, rate)).map(|(name, own)| (name.clone(), own))
    });
    gaps
}

/// The median of positive numbers, the lower one of two; `None` of no numbers.
fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    let (_, median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*median)
}

/// The stretches of a recording: without times, a row that does not follow the one before it is after a gap.
fn stretches(rows: &[usize], gaps: Option<&[usize]>, splits: Option<&[Option<Role>]>, role: Role) -> Vec<Stretch> {
    let split = |i: usize| splits.map_or(Some(role), |splits| splits.get(rows[i]).copied().flatten());
    let mut gaps = gaps.map(|gaps| gaps.iter().copied().peekable());
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut from = 0;
    for i in 1..=rows.len() {
        let gap = match &mut gaps {
            Some(gaps) => gaps.next_if_eq(&i).is_some(),
            None => i < rows.len() && rows[i] != rows[i - 1] + 1,
        };
        if i == rows.len() || gap || split(i) != split(i - 1) {
            // A step without a split belongs to none.
            if let Some(role) = split(i - 1) {
                stretches.push(Stretch { from, to: i, role, block: None });
            }
            from = i;
        }
    }
    stretches
}
