//! Which columns of a table are labels, and what kind of labels they are.

use crate::account::ColumnRole;
use crate::array::Array;
use crate::centers::text_less;
use crate::error::DataError;
use crate::found::{Labels, NumericTargets};
use crate::options::ReadOptions;
use crate::tables::draft::{Draft, LETTERS, listed, same_classes};
use crate::tables::label_lists;
use crate::tables::names;
use crate::tables::number::{Style, is_missing, is_missing_label, number};
use crate::tables::table::Table;
use crate::text::excerpt;
use crate::windows::labels::{StepLabels, UNLABELED};
use dashnas_core::names::TaskName;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Most whole numbers that are taken for classes where no name says that they are.
const CLASSES: usize = 1000;

/// Returns whether the name of a column, or its place in a table without names, lets it be the label.
pub(crate) fn may_be_label(draft: &Draft<'_>, c: usize) -> bool {
    let name = &draft.table.columns[c].name;
    draft.table.named && (names::names_labels(name) || name.eq_ignore_ascii_case("y"))
}

/// Chooses the label where the options do not name it.
///
/// # Errors
/// [`DataError::File`] if it is not clear which column is the label.
pub(crate) fn choose(draft: &mut Draft<'_>, labeled: bool) -> Result<(), DataError> {
    if draft.options.targets.is_some() && (!labeled || draft.first(ColumnRole::Label).is_some()) {
        let labels = draft.with(ColumnRole::Label);
        return draft.read(&labels);
    }
    let strong: Vec<usize> = named_labels(draft);
    let path = draft.table.path.clone();
    match strong[..] {
        [one] => {
            draft.give(one, ColumnRole::Label, "its name is that of a label");
            let others = draft.free().into_iter().filter(|&c| !is_axis(draft, c, "x")).count();
            if labeled && is_axis(draft, one, "y") && others > 0 && has_axis(draft, "x") {
                draft.warn(format!(
                    "column {} is taken for the label, although a column `x` is beside it: set `data.targets` to another \
                     column if both are coordinates, or to this one if it is the label",
                    draft.name(one)
                ));
            }
        }
        [_, _, ..] => {
            // Text before numbers: the number is likely a code of it.
            let first = strong.iter().copied().find(|&c| draft.table.columns[c].is_text()).unwrap_or(strong[0]);
            let others: Vec<usize> = strong.iter().copied().filter(|&c| c != first).collect();
            let unlike = others.iter().find(|&&c| !same_classes(draft.of(first), draft.of(c)));
            if let (Some(&other), true) = (unlike, labeled) {
                let reason = format!("columns {} and {} could both be the label", draft.name(first), draft.name(other));
                return Err(DataError::file(&path, reason)
                    .with_hint("name one of them with `data.targets` and leave the other out with `data.ignore`, or name both, separated by a comma"));
            }
            draft.give(first, ColumnRole::Label, "its name is that of a label");
            for c in others {
                let reason = format!("it is a code of the label {}", draft.name(first));
                draft.give(c, ColumnRole::LeftOut, reason);
            }
        }
        [] if labeled => guess(draft)?,
        // If labels need not be there, an unnamed column that looks like labels may be an input.
        [] => {}
    }
    if labeled && draft.first(ColumnRole::Label).is_none() {
        return Err(DataError::file(&path, "it is not clear which column is the label")
            .with_hint("name it with `data.targets`, or give its position from 0 (-1: the last)"));
    }
    let labels = draft.with(ColumnRole::Label);
    draft.read(&labels)
}

/// Returns whether the name of a column of a table of files is that of labels.
pub(crate) fn names_labels_of_files(name: &str) -> bool {
    const NAMES: [&str; 7] = ["y", "class_id", "classes", "tag", "tags", "dx", "annotation"];
    names::names_labels(name) || NAMES.contains(&name.trim().to_lowercase().as_str())
}

/// Chooses the label of a table whose rows name files, where the options do not name it: a column with the name of a label,
/// otherwise the only one that is left. Without `needed`, there may be none.
///
/// # Errors
/// [`DataError::File`] if it is not clear which column is the label.
pub(crate) fn choose_of_files(draft: &mut Draft<'_>, needed: bool) -> Result<(), DataError> {
    if draft.first(ColumnRole::Label).is_some() {
        return Ok(());
    }
    let table = draft.table;
    let has_name = |c: &usize| table.named && names_labels_of_files(&table.columns[*c].name);
    for c in draft.free().into_iter().filter(|c| !has_name(c)) {
        let (column, facts) = (&table.columns[c], &table.columns[c].facts);
        if facts.temporal || (column.is_text() && facts.dates * 10 >= facts.known() * 9) {
            draft.give(c, ColumnRole::Time, "it holds dates or times");
        }
    }
    let by_name: Vec<usize> = draft.free().into_iter().filter(|c| has_name(c)).collect();
    let (possible, reason) = match by_name.is_empty() {
        true => (draft.free(), "it is the only column without another use"),
        false => (by_name, "its name is that of a label"),
    };
    let texts: Vec<usize> = possible.iter().copied().filter(|&c| table.columns[c].is_text()).collect();
    let label = match (&possible[..], &texts[..]) {
        (&[one], _) => Some(one),
        // The others are codes of the text.
        (several, &[text]) if several.iter().all(|&c| same_classes(draft.of(c), draft.of(text))) => Some(text),
        _ => None,
    };
    match label {
        Some(label) => {
            draft.give(label, ColumnRole::Label, reason);
            for c in possible.into_iter().filter(|&c| c != label) {
                let reason = format!("it is a code of the label {}", draft.name(label));
                draft.give(c, ColumnRole::LeftOut, reason);
            }
            Ok(())
        }
        None if !needed => Ok(()),
        None if possible.is_empty() => {
            Err(DataError::file(&table.path, "a file of labels needs a column of file names and a column of labels"))
        }
        None => {
            let names: Vec<String> = possible.iter().map(|&c| draft.name(c)).collect();
            let reason = format!("it is not clear which column holds the labels: {}", listed(&names));
            Err(DataError::file(&table.path, reason).with_hint(
                "name the column in `data.targets`, or give its position, from 0 (-1: the last); several columns of 0 and 1, \
                 or of numbers, are predicted at once: separate them by commas",
            ))
        }
    }
}

/// Returns whether a column has the name of an axis.
fn is_axis(draft: &Draft<'_>, c: usize, axis: &str) -> bool {
    draft.table.named && draft.table.columns[c].name.trim().eq_ignore_ascii_case(axis)
}

/// Returns whether a column of numbers without a role has the name of an axis.
fn has_axis(draft: &Draft<'_>, axis: &str) -> bool {
    draft.free().into_iter().any(|c| is_axis(draft, c, axis) && draft.table.columns[c].facts.is_numeric())
}

/// The columns without a role whose names are those of labels. A column `y` is a label if no other is, and if it is not
/// one of the axes: beside `z`, or beside `x` where a column of texts that repeat may be the label.
fn named_labels(draft: &Draft<'_>) -> Vec<usize> {
    let free = draft.free();
    let strong: Vec<usize> =
        free.iter().copied().filter(|&c| may_be_label(draft, c) && !is_axis(draft, c, "y")).collect();
    let y: Vec<usize> = free.into_iter().filter(|&c| is_axis(draft, c, "y")).collect();
    let coordinate = |c: usize| draft.table.columns[c].facts.is_numeric() && has_axis(draft, "x");
    let axes = has_axis(draft, "z") || (y.iter().any(|&c| coordinate(c)) && !repeated_texts(draft).is_empty());
    if !strong.is_empty() || axes { strong } else { y }
}

/// Returns whether so many different values are few for the labels of so many rows.
fn are_few(distinct: usize, rows: usize) -> bool {
    distinct >= 2 && distinct <= 100.max(rows / 100) && distinct * 2 <= rows
}

/// The columns of texts without a role whose values repeat. Columns of one letter each are a sequence, and no labels.
fn repeated_texts(draft: &Draft<'_>) -> Vec<usize> {
    let count = |c: usize| draft.of(c).iter().collect::<HashSet<_>>().len();
    let table = draft.table;
    let texts: Vec<usize> =
        draft.free().into_iter().filter(|&c| table.is_written(c) && are_few(count(c), table.rows())).collect();
    let is_letter = |c: &usize| draft.of(*c).iter().all(|text| text.len() == 1);
    let letters = texts.iter().filter(|c| is_letter(c)).count() >= LETTERS;
    texts.into_iter().filter(|c| !(letters && is_letter(c))).collect()
}

/// Finds the column that is most likely the label where no name tells: the only column of texts that repeat, else the
/// last or first column if it holds few distinct whole numbers.
fn guess(draft: &mut Draft<'_>) -> Result<(), DataError> {
    let (table, rows) = (draft.table, draft.table.rows());
    let n = table.columns.len();
    let few = |distinct: usize| are_few(distinct, rows);
    let texts = repeated_texts(draft);
    let whole = |c: usize| {
        let facts = &table.columns[c].facts;
        draft.is_free(c) && facts.all_whole() && facts.distinct().is_some_and(few)
    };
    if let [first, others @ ..] = &texts[..]
        && others.len() < 3
        && others.iter().all(|&c| same_classes(draft.of(*first), draft.of(c)))
    {
        let (first, others) = (*first, others.to_vec());
        // The last column of few whole numbers is as often the label as a text.
        if let Some(last) = draft.free().last().copied().filter(|&c| table.named && c != first && whole(c)) {
            let reason = format!(
                "it is not clear which column is the label: {} holds texts that repeat, and {}, the last one, few whole \
                 numbers",
                draft.name(first),
                draft.name(last)
            );
            return Err(DataError::file(&table.path, reason).with_hint("name the label with `data.targets`"));
        }
        draft.give(first, ColumnRole::Label, "it is the only column of texts that repeat");
        for c in others {
            let reason = format!("it is a code of the label {}", draft.name(first));
            draft.give(c, ColumnRole::LeftOut, reason);
        }
        return Ok(());
    }
    let binary = |c: usize| whole(c) && table.columns[c].facts.min == 0.0 && table.columns[c].facts.max == 1.0;
    let free = draft.free();
    let ends = [free.last().copied(), free.first().copied()];
    // In a table of whole numbers throughout, nothing sets the label apart.
    if (0..n).filter(|&c| whole(c)).count() * 2 >= n.max(3) {
        return Ok(());
    }
    let tail: Vec<usize> = free.iter().rev().copied().take_while(|&c| binary(c)).collect();
    if tail.len() > 1 && table.named {
        let names: Vec<String> = tail.iter().rev().map(|&c| table.columns[c].name.clone()).collect();
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let reason = format!("it is not clear which column is the label: {} hold 0 and 1 each", listed(&quoted));
        return Err(DataError::file(&table.path, reason).with_hint(format!(
            "name the label with `data.targets`; several columns of 0 and 1 are predicted at once with `data.targets = {}`",
            names.join(",")
        )));
    }
    let found = ends.into_iter().enumerate().find(|(_, c)| c.is_some_and(whole));
    if let Some((i, Some(c))) = found {
        let place = if i == 0 { "last" } else { "first" };
        let others = texts.len() + free.iter().filter(|&&other| other != c && whole(other)).count();
        draft.give(
            c,
            ColumnRole::Label,
            format!("no name tells; it is the {place} column and holds few whole numbers"),
        );
        if table.named && others > 0 {
            let name = draft.name(c);
            draft.warn(format!(
                "the label was guessed: column {name}, the {place} one; if it is another column, set `data.targets`"
            ));
        }
    }
    Ok(())
}

/// The label columns in the order in which the options name them, otherwise in that of the table.
pub(crate) fn order(draft: &Draft<'_>) -> Vec<usize> {
    let mut labels = draft.with(ColumnRole::Label);
    if let Some(wanted) = &draft.options.targets
        && let Ok(asked) = names::find(draft.table, wanted, "label")
    {
        labels.sort_by_key(|c| asked.iter().position(|a| a == c).unwrap_or(usize::MAX));
    }
    labels
}

/// What is known of the labels of a table.
pub(crate) struct Found {
    /// The labels.
    pub labels: Labels,
    /// The names of the labels, if there are several columns.
    pub names: Option<Vec<String>>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

/// The labels in these columns, whose texts were read: names of classes where they are texts or few whole numbers,
/// numbers otherwise; numbers of several columns together. `known` are the names of the labels in the training table, if
/// its samples have several.
///
/// # Errors
/// [`DataError::File`] with the place of a label that is missing, or is no number where it needs to be one.
pub(crate) fn read(
    table: &Table,
    columns: &[usize],
    texts: &HashMap<usize, Vec<String>>,
    options: &ReadOptions,
    known: Option<&[String]>,
) -> Result<Found, DataError> {
    let of = |c: usize| texts.get(&c).map_or(&[][..], Vec::as_slice);
    if let &[c] = columns {
        check_missing(table, c, of(c))?;
        return match label_lists::read(table, c, of(c), known)? {
            Some((numbers, names)) => Ok(Found { labels: Labels::Numbers(numbers), names, warnings: Vec::new() }),
            None => one(table, c, of(c), options),
        };
    }
    let mut data = vec![0.0; table.rows() * columns.len()];
    let mut whole = true;
    for (k, &c) in columns.iter().enumerate() {
        check_missing(table, c, of(c))?;
        whole &= table.columns[c].facts.all_whole();
        for (row, text) in of(c).iter().enumerate() {
            data[row * columns.len() + k] = value(table, row, c, text, options.centers.of_target(k), options)?;
        }
    }
    let names: Vec<String> = columns.iter().map(|&c| table.columns[c].name.clone()).collect();
    let array = Array::new(vec![table.rows(), columns.len()], data);
    let targets = NumericTargets { name: names.join(", "), array, integral: whole };
    let binary = whole && targets.is_binary();
    Ok(Found { labels: Labels::Numbers(targets), names: binary.then_some(names), warnings: Vec::new() })
}

/// The labels of the time steps of recordings, whose rows are given: as in [`read`], but they may be missing.
///
/// # Errors
/// As [`read`].
pub(crate) fn of_steps(
    table: &Table,
    columns: &[usize],
    texts: &HashMap<usize, Vec<String>>,
    options: &ReadOptions,
    recordings: &[Vec<usize>],
) -> Result<OfSteps, DataError> {
    let of = |c: usize| texts.get(&c).map_or(&[][..], Vec::as_slice);
    let known = |text: &&String| !is_missing_label(text);
    if let &[c] = columns {
        let all: Vec<&str> = of(c).iter().filter(known).map(String::as_str).collect();
        let kind = kind(table, c, &all, options);
        if kind.classes {
            let names: Vec<String> = all.into_iter().collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
            let code: HashMap<&str, u32> = names.iter().zip(0..).map(|(name, i)| (name.as_str(), i)).collect();
            let codes = |rows: &Vec<usize>| {
                let of = |&row: &usize| of(c).get(row).filter(known).and_then(|t| code.get(t.as_str()).copied());
                rows.iter().map(|row| of(row).unwrap_or(UNLABELED)).collect()
            };
            let labels = StepLabels::Classes { codes: recordings.iter().map(codes).collect(), names };
            return Ok(OfSteps { labels, names: None, warnings: kind.warnings });
        }
    }
    let mut whole = true;
    let mut numbers = Vec::with_capacity(columns.len());
    for (output, &c) in columns.iter().enumerate() {
        whole &= table.columns[c].facts.all_whole();
        let center = options.centers.of_target(output);
        let number = |(row, text): (usize, &String)| match known(&text) && !is_missing(text) {
            true => value(table, row, c, text, center, options),
            false => Ok(f32::NAN),
        };
        numbers.push(of(c).iter().enumerate().map(number).collect::<Result<Vec<f32>, _>>()?);
    }
    let several = columns.len() > 1;
    let is_binary = |v: &f32| v.is_nan() || *v == 0.0 || *v == 1.0;
    let binary = several && whole && numbers.iter().flatten().all(is_binary);
    let at = |row: usize| numbers.iter().map(move |column| column.get(row).copied().unwrap_or(f32::NAN));
    let values = recordings.iter().map(|rows| rows.iter().flat_map(|&row| at(row)).collect()).collect();
    let names: Vec<String> = columns.iter().map(|&c| table.columns[c].name.clone()).collect();
    let labels = StepLabels::Numbers { name: names.join(", "), width: columns.len(), binary, values };
    let warnings = match columns {
        &[c] => kind(table, c, &of(c).iter().map(String::as_str).collect::<Vec<_>>(), options).warnings,
        _ => Vec::new(),
    };
    Ok(OfSteps { labels, names: binary.then_some(names), warnings })
}

/// What is known of the labels of time steps.
pub(crate) struct OfSteps {
    /// The labels.
    pub labels: StepLabels,
    /// The names of the labels, if there are several columns.
    pub names: Option<Vec<String>>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

/// Reads a label as a number, less the center of its output.
fn value(
    table: &Table,
    row: usize,
    c: usize,
    text: &str,
    center: f64,
    options: &ReadOptions,
) -> Result<f32, DataError> {
    let style = Style::of_option(options.decimal.as_deref().or(table.decimal.as_deref()));
    let truth = ["false", "true"].iter().position(|word| text.eq_ignore_ascii_case(word)).map(|v| v as f64);
    number(text, style).or(truth).map(|v| text_less(text, v, center)).ok_or_else(|| {
        let reason = format!("`{}` is not a number", excerpt(text));
        table
            .cell_error(row, c, reason)
            .with_hint("several columns that are predicted at once hold numbers, or 0 and 1")
    })
}

/// Refuses a missing label.
fn check_missing(table: &Table, c: usize, texts: &[String]) -> Result<(), DataError> {
    let Some(row) = texts.iter().position(|text| is_missing_label(text)) else { return Ok(()) };
    let reason = match texts[row].as_str() {
        "" => "the label is missing".to_owned(),
        text => format!("the label is missing: it is `{text}`"),
    };
    Err(table.cell_error(row, c, reason).with_hint("drop these rows; if it is the name of a class, rename the class"))
}

/// What the labels in a column are.
struct Kind {
    /// Whether they are names of classes; otherwise they are numbers.
    classes: bool,
    /// What is probably a mistake.
    warnings: Vec<String>,
}

/// Decides what the labels in a column are, by those that are known.
fn kind(table: &Table, c: usize, texts: &[&str], options: &ReadOptions) -> Kind {
    let (column, called) = (&table.columns[c], table.called(c));
    let facts = &column.facts;
    let mut warnings = Vec::new();
    let counts = texts.iter().fold(HashMap::<&str, usize>::new(), |mut counts, text| {
        *counts.entry(text).or_default() += 1;
        counts
    });
    let (rows, distinct) = (texts.len(), counts.len());
    let repeated = distinct <= rows / 2 + 1;
    // A name that says `class` says that many numbers are classes as well.
    let name = column.name.to_lowercase();
    let says_class = table.named && ["class", "label", "category", "species"].iter().any(|word| name.contains(word));
    let classes = match options.task {
        Some(task) => task == TaskName::Classification,
        None => {
            !facts.is_numeric()
                || facts.is_truth()
                || (facts.all_whole() && repeated && (distinct <= CLASSES || says_class))
        }
    };
    if !classes && facts.is_numeric() {
        if options.task.is_none() && facts.all_whole() && distinct > 2 && distinct * 20 <= rows * 19 {
            warnings.push(format!(
                "the {distinct} whole numbers in column {called} are taken for quantities: set `task.kind` to \
                 classification if they are classes"
            ));
        }
        return Kind { classes: false, warnings };
    }
    let none = || ["none", "nil", "missing"].iter().find_map(|w| counts.keys().find(|t| t.eq_ignore_ascii_case(w)));
    if options.task.is_none_or(|task| task == TaskName::Classification)
        && let Some(text) = none()
    {
        warnings.push(format!(
            "`{text}` in column {called} is taken for a class; drop these rows if it stands for a missing label"
        ));
    }
    Kind { classes: true, warnings }
}

/// The labels in one column.
fn one(table: &Table, c: usize, texts: &[String], options: &ReadOptions) -> Result<Found, DataError> {
    check_missing(table, c, texts)?;
    let Kind { classes, warnings } = kind(table, c, &texts.iter().map(String::as_str).collect::<Vec<_>>(), options);
    if classes {
        return Ok(Found { labels: Labels::Names(texts.to_vec()), names: None, warnings });
    }
    let style = Style::of_option(options.decimal.as_deref().or(table.decimal.as_deref()));
    let center = options.centers.of_target(0);
    let value = |text: &String| {
        let truth = || f64::from(u8::from(text.eq_ignore_ascii_case("true")));
        text_less(text, number(text, style).unwrap_or_else(truth), center)
    };
    let array = Array::new(vec![texts.len()], texts.iter().map(value).collect());
    let name = table.columns[c].name.clone();
    let labels = Labels::Numbers(NumericTargets { name, array, integral: false });
    Ok(Found { labels, names: None, warnings })
}
