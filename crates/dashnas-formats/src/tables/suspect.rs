//! Columns and rows that are probably not what they look like: numbers of rows, times, codes of the label, a line of
//! units, a total.

use crate::account::ColumnRole;
use crate::error::{DataError, Location};
use crate::tables::draft::{Draft, determines, listed, rises_in_pieces, same_classes};
use crate::tables::names::{ends_like_id, names_ids, names_times};
use crate::tables::number::{is_compact_date, is_missing};
use crate::tables::table::Table;
use crate::tables::units;
use crate::text::excerpt;
use std::collections::{HashMap, HashSet};

/// Fewest rows for which order and uniqueness say anything.
const ROWS: usize = 16;

/// Fewest rows for which a column that counts them is their number, whatever its name.
const SURE: usize = 50;

/// Words that a row of totals begins with.
const TOTALS: [&str; 12] =
    ["total", "totals", "sum", "mean", "average", "avg", "count", "summe", "gesamt", "mittelwert", "std", "subtotal"];

/// Refuses a table whose first row holds units, or whose last row is a total.
///
/// # Errors
/// [`DataError::File`] with the line of the row.
pub(crate) fn rows(table: &Table) -> Result<(), DataError> {
    let rows = table.rows();
    if rows < 3 {
        return Ok(());
    }
    // Columns that would be numbers without the one row.
    let only_at = |row: usize| {
        let columns = table.columns.iter().enumerate();
        let found = columns.filter(move |(_, column)| {
            let facts = &column.facts;
            facts.texts == 1 && facts.first_text == Some(row) && facts.numbers + facts.bools > 0
        });
        found.map(|(c, _)| c).collect::<Vec<_>>()
    };
    let at_line = |row: usize, reason: String, hint: &str| {
        let (path, line) = table.source.line(row);
        Err(DataError::at(&path, Location::Line(line), reason).with_hint(hint))
    };
    let first = only_at(0);
    let numeric = table.columns.iter().filter(|column| column.facts.is_numeric() && column.facts.known() > 0).count();
    if first.len() > 1 && first.len() >= numeric {
        let reason =
            "the first row is no sample: it holds texts where all others hold numbers, such as a line of units";
        return at_line(0, reason.into(), "remove this line, or join it with the header, as in `x [mV]`");
    }
    // A row that lacks almost everything that all others have.
    let last = rows - 1;
    let lacking = table.columns.iter().filter(|c| c.facts.missing == 1 && c.facts.first_missing == Some(last)).count();
    let full = table.columns.iter().filter(|c| c.facts.missing == 0).count();
    if lacking > 2 && lacking > full {
        let reason =
            "the last row is no sample: it lacks almost every value that all other rows have, such as a row of totals";
        return at_line(last, reason.into(), "remove this line");
    }
    Ok(())
}

/// Refuses a table whose texts hold several values each: rows of libsvm, rows separated by spaces, or lists of numbers.
///
/// # Errors
/// [`DataError::File`] with the line of the first row.
pub(crate) fn joined(draft: &Draft<'_>) -> Result<(), DataError> {
    let table = draft.table;
    let numbers = |texts: &[&str]| texts.len() > 1 && texts.iter().all(|text| text.parse::<f64>().is_ok());
    let pair = |text: &&str| {
        let parts = text.split_once(':');
        parts.is_some_and(|(index, value)| index.parse::<u64>().is_ok() && value.parse::<f64>().is_ok())
    };
    for c in draft.free() {
        let column = &table.columns[c];
        if !column.is_text() {
            continue;
        }
        let Some(first) = column.facts.first_text else { continue };
        let Some(text) = draft.of(c).get(first) else { continue };
        let texts = || draft.of(c).iter().filter(|text| !text.is_empty());
        let fields: Vec<&str> = text.split_whitespace().collect();
        let alone = table.columns.len() == 1 && table.rows() > 1;
        let libsvm = |text: &String| text.split_whitespace().skip(1).all(|text| pair(&text));
        let (reason, hint) = if alone && texts().all(libsvm) && fields.iter().any(pair) {
            (
                "it looks like a row of libsvm, `index:value`, which is not supported",
                "convert the file with sklearn.datasets.load_svmlight_file, and save it with numpy.savez",
            )
        } else if alone && fields.len() > 2 && texts().all(|text| text.split_whitespace().count() == fields.len()) {
            (
                "its values are separated by spaces, and no other separator was found",
                "separate the values by commas or tabs",
            )
        } else if fields.len() > 2 && texts().all(|text| numbers(&text.split_whitespace().collect::<Vec<_>>())) {
            (
                "a cell holds several numbers",
                "write one column for each number, or lists in JSON lines or Parquet, or leave the column out with \
                 `data.ignore`",
            )
        } else {
            continue;
        };
        return Err(table.cell_error(first, c, reason).with_hint(hint));
    }
    Ok(())
}

/// Refuses a last row that names itself a total. The texts are those of a column.
fn check_total(table: &Table, c: usize, texts: &[String]) -> Result<(), DataError> {
    let Some(text) = texts.last().filter(|text| TOTALS.contains(&text.trim_end_matches(':').to_lowercase().as_str()))
    else {
        return Ok(());
    };
    if texts.len() < 4 || texts[..texts.len() - 1].contains(text) {
        return Ok(());
    }
    let reason = format!("the last row is no sample: it is called `{}`", excerpt(text));
    Err(table.cell_error(texts.len() - 1, c, reason).with_hint("remove this line"))
}

/// Gives the roles of times and of numbers of rows.
///
/// # Errors
/// [`DataError::File`] for a row of totals, and the errors of reading.
pub(crate) fn times_and_ids(draft: &mut Draft<'_>) -> Result<(), DataError> {
    let table = draft.table;
    let read: Vec<usize> = draft.texts.keys().copied().collect();
    for c in read {
        check_total(table, c, draft.of(c))?;
    }
    for c in draft.free() {
        let column = &table.columns[c];
        let (facts, name) = (&column.facts, draft.name(c));
        let named_time = table.named && names_times(&column.name);
        // Of recordings, times are expected.
        let recording = draft.options.window.is_some();
        if facts.temporal || (column.is_text() && facts.dates * 10 >= facts.known() * 9) {
            draft.give(c, ColumnRole::Time, "it holds dates or times");
            draft.warn_unless(
                recording,
                format!("column {name} holds dates or times and is no input; `data.inputs` makes it one"),
            );
        } else if let Some(unit) =
            unix_unit(draft, c).filter(|_| named_time || facts.up || facts.down || ends_like_time(&column.name))
        {
            draft.give(c, ColumnRole::Time, format!("it holds Unix times in {unit}"));
            draft.warn_unless(
                recording,
                format!("column {name} holds Unix times in {unit} and is no input; `data.inputs` makes it one"),
            );
        } else if named_time && recording && facts.is_numeric() {
            draft.give(c, ColumnRole::Time, "its name is that of a time");
        } else if named_time && (facts.up || facts.down) && facts.rows >= ROWS && facts.is_numeric() {
            draft.give(c, ColumnRole::Time, "its name is that of a time, and its values rise or fall from row to row");
            draft.warn(format!("column {name} counts time and is no input; `data.inputs` makes it one"));
        } else if holds_compact_dates(draft, c)? {
            draft.give(c, ColumnRole::Time, "it holds dates as numbers of eight digits");
            draft.warn(format!(
                "column {name} holds dates, such as {}, and is no input; `data.inputs` makes it one",
                facts.min
            ));
        } else if named_time && facts.is_numeric() && facts.rows >= ROWS && rises(draft, c)? {
            draft.give(c, ColumnRole::Time, "its name is that of a time, and its values rise and begin anew");
            draft.warn(format!("column {name} counts time and is no input; `data.inputs` makes it one"));
        } else if let Some((role, reason, warned)) = id(draft, c) {
            draft.give(c, role, reason.clone());
            if warned {
                draft.warn(format!("column {name} is no input: {reason}; `data.inputs` makes it one"));
            }
        }
    }
    Ok(())
}

/// Returns whether the numbers of a column rise in pieces.
fn rises(draft: &mut Draft<'_>, c: usize) -> Result<bool, DataError> {
    draft.read(&[c])?;
    Ok(rises_in_pieces(draft.of(c)))
}

/// Returns whether all values of a column are dates as numbers of eight digits.
fn holds_compact_dates(draft: &mut Draft<'_>, c: usize) -> Result<bool, DataError> {
    let facts = &draft.table.columns[c].facts;
    let possible = facts.all_whole() && facts.min >= 19_000_101.0 && facts.max <= 21_001_231.0 && facts.min < facts.max;
    if !possible || facts.numbers < ROWS / 2 {
        return Ok(false);
    }
    draft.read(&[c])?;
    let date = |text: &&String| is_compact_date(text.trim_end_matches('0').strip_suffix('.').unwrap_or(text));
    Ok(draft.of(c).iter().filter(|text| !is_missing(text)).all(|text| date(&text)))
}

fn ends_like_time(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.contains("time") || lower.contains("date") || lower.ends_with("_ts")
}

/// The unit of Unix times between the years 2000 and 2100, if all values of a column can be such times.
fn unix_unit(draft: &Draft<'_>, c: usize) -> Option<&'static str> {
    let facts = &draft.table.columns[c].facts;
    if !facts.is_numeric() || facts.is_truth() || facts.numbers == 0 {
        return None;
    }
    units::unix(facts.min, facts.max).map(|unit| unit.called)
}

/// The role of a column that numbers or names the rows, the reason, and whether to warn of it.
fn id(draft: &Draft<'_>, c: usize) -> Option<(ColumnRole, String, bool)> {
    let table = draft.table;
    let column = &table.columns[c];
    let (facts, rows) = (&column.facts, table.rows());
    let named = table.named && names_ids(&column.name);
    // Text that differs from row to row, in a column that is called so.
    if column.is_text() {
        let differ = || draft.of(c).iter().collect::<HashSet<_>>().len() == rows && rows > 1;
        let called = table.named && (named || ends_like_id(&column.name));
        return (called && differ()).then(|| (ColumnRole::Id, "each value occurs once".into(), false));
    }
    if !facts.all_whole() || facts.is_truth() {
        return None;
    }
    if table.named && facts.all_differ() && (named || (rows >= ROWS && ends_like_id(&column.name))) {
        return Some((ColumnRole::Id, "it numbers the rows: each value occurs once".into(), !named));
    }
    let counts = facts.all_differ() && facts.max - facts.min + 1.0 == rows as f64;
    if table.named && counts && rows >= SURE {
        return Some((ColumnRole::Id, "it numbers the rows, in some order".into(), true));
    }
    let pandas = named && (column.name.is_empty() || column.name.to_lowercase().starts_with("unnamed"));
    if pandas || (named && column.name.eq_ignore_ascii_case("id")) {
        let reason = "its name is that of a number of rows, although values occur several times";
        return Some((ColumnRole::LeftOut, reason.into(), true));
    }
    None
}

/// Leaves out columns that are codes of the label, and warns of others that determine it.
///
/// # Errors
/// The errors of reading the columns.
pub(crate) fn codes_of_the_label(draft: &mut Draft<'_>) -> Result<(), DataError> {
    let table = draft.table;
    let [label] = draft.with(ColumnRole::Label)[..] else { return Ok(()) };
    let rows = table.rows();
    let classes = draft.of(label).iter().collect::<HashSet<_>>().len();
    if classes < 2 || classes * 2 > rows || draft.options.inputs.is_some() {
        return Ok(());
    }
    let repeats = |c: &usize| {
        let facts = &table.columns[*c].facts;
        facts.is_numeric() && facts.distinct().is_some_and(|n| n >= classes && n * 2 <= rows) && facts.missing == 0
    };
    let mut candidates: Vec<usize> = draft.free().into_iter().filter(repeats).collect();
    // Numbers in memory tell most columns from their first rows. Those that float32 rounds tell nothing.
    candidates.retain(|&c| {
        let facts = &table.columns[c].facts;
        let exact = facts.all_whole() && facts.top.0 <= 16_777_216.0;
        !exact || table.numbers(c).is_none_or(|numbers| numbers_determine(numbers, draft.of(label)))
    });
    let mut all: Vec<usize> = Vec::new();
    for part in candidates.chunks(32).take(4) {
        let found = table.read_texts(part, draft.options)?;
        for (&c, texts) in part.iter().zip(found) {
            if determines(&texts, draft.of(label)) {
                draft.texts.insert(c, texts);
                all.push(c);
            }
        }
    }
    let (mut codes, mut leaks) = (Vec::new(), Vec::new());
    for c in all {
        if same_classes(draft.of(c), draft.of(label)) {
            codes.push(draft.name(c));
            let reason = format!("it is a code of the label {}", draft.name(label));
            draft.give(c, ColumnRole::LeftOut, reason);
        } else {
            leaks.push(draft.name(c));
        }
    }
    let label = draft.name(label);
    if !codes.is_empty() {
        draft.warn(format!(
            "left out as codes of the label {label}: {}; each value comes with one class, and each class with one value",
            listed(&codes)
        ));
    }
    if !leaks.is_empty() {
        draft.warn(format!(
            "each value of {} comes with one value of the label {label} only: if it would not be known for new data, leave it \
             out with `data.ignore`",
            listed(&leaks)
        ));
    }
    Ok(())
}

/// Returns whether equal numbers come with equal labels.
fn numbers_determine(numbers: impl Iterator<Item = f32>, labels: &[String]) -> bool {
    let mut of: HashMap<u32, &str> = HashMap::new();
    numbers.zip(labels).all(|(v, label)| *of.entry(v.to_bits()).or_insert(label) == label.as_str())
}

/// Warns of inputs that are probably no measurements.
pub(crate) fn inputs(draft: &mut Draft<'_>) {
    let (table, rows) = (draft.table, draft.table.rows());
    let inputs = draft.with(ColumnRole::Input);
    let (mut ordered, mut unique, mut large, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for &c in &inputs {
        let facts = &table.columns[c].facts;
        if !facts.is_numeric() || facts.is_truth() || rows < ROWS {
            continue;
        }
        if (facts.up || facts.down) && facts.missing == 0 {
            ordered.push(draft.name(c));
        } else if table.named && names_times(&table.columns[c].name) && table.columns[c].name.len() > 3 {
            times.push(draft.name(c));
        } else if facts.all_differ() && !table.columns[c].name.is_empty() {
            unique.push(draft.name(c));
        }
        let (top, row, next) = facts.top;
        if top >= 100.0 * next && next > 0.0 && top > 1.0 {
            large.push((c, row, top));
        }
    }
    if !ordered.is_empty() && ordered.len() * 4 <= inputs.len() + 3 {
        draft.warn(format!(
            "the values of {} rise or fall from row to row, like a time or the number of a row: leave it out with \
             `data.ignore` unless it is a measurement",
            listed(&ordered)
        ));
    }
    if !times.is_empty() {
        draft.warn(format!(
            "inputs are named like times: {}; leave them out with `data.ignore` if they would not be known for new data",
            listed(&times)
        ));
    }
    // Measurements in whole numbers may differ by chance, but then many columns do.
    if !unique.is_empty() && unique.len() * 8 <= inputs.len() + 7 {
        draft.warn(format!(
            "each value of {} occurs once, like an identifier: leave it out with `data.ignore` unless it is a measurement",
            listed(&unique)
        ));
    }
    if let Some(&(c, row, top)) = large.first() {
        let (path, line) = table.source.line(row);
        let more = if large.len() > 1 { format!(" (and {} more columns)", large.len() - 1) } else { String::new() };
        draft.warn(format!(
            "{}:{line}: column {} is {top}, at least a hundred times every other value{more}: check whether it is a mistake",
            path.display(),
            draft.name(c)
        ));
    }
}
