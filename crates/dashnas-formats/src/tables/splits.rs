//! The column that divides the rows of a table into splits, by its name or by its values.

use crate::account::ColumnRole;
use crate::error::DataError;
use crate::options::ReadOptions;
use crate::role::Role;
use crate::tables::draft::Draft;
use crate::tables::names::{
    is_flag, is_vague_flag, names_flags, names_folds, names_labels, names_splits, split_of_cell,
};
use crate::tables::table::Table;
use crate::text::excerpt;
use std::collections::HashSet;

/// Most different words in a column named like splits that are taken for other names of splits.
const WORDS: usize = 5;
/// Most different numbers in such a column that are taken for numbers of splits.
const NUMBERS: usize = 3;

/// What to do about a column that may or may not be a split.
const HINT: &str = "write train, val and test, leave the column out with `data.ignore`, or name all inputs in `data.inputs` if it is one";

/// Finds the column of splits: the one that the options name, one whose name and values say so, or one that holds nothing
/// but words for splits.
///
/// # Errors
/// [`DataError::File`] if a value of that column names no split, or if it is not clear whether a column divides the rows.
pub(crate) fn choose(draft: &mut Draft<'_>) -> Result<(), DataError> {
    if let Some(c) = draft.first(ColumnRole::Split) {
        draft.read(&[c])?;
        return check(draft, c);
    }
    for c in draft.free() {
        let column = &draft.table.columns[c];
        let named = draft.table.named && (names_splits(&column.name) || names_flags(&column.name));
        if named || (draft.table.is_written(c) && column.is_text() && !names_labels(&column.name)) {
            draft.read(&[c])?;
            one(draft, c, named)?;
        }
    }
    Ok(())
}

/// Refuses the first cell of a column of splits that names none.
fn check(draft: &Draft<'_>, c: usize) -> Result<(), DataError> {
    check_cells(draft.table, c, draft.of(c))
}

fn check_cells(table: &Table, c: usize, texts: &[String]) -> Result<(), DataError> {
    let name = &table.columns[c].name;
    let Some(row) = texts.iter().position(|text| split_of_cell(name, text).is_none()) else { return Ok(()) };
    let reason = match texts[row].as_str() {
        "" => "the split is missing".to_owned(),
        text => format!("`{}` is not the name of a split", excerpt(text)),
    };
    Err(table.cell_error(row, c, reason).with_hint(HINT))
}

/// Returns whether a column divides new data: every cell of it names a split, and some of them the test split. Otherwise all
/// rows are used, and a warning says why if they are scored.
///
/// # Errors
/// [`DataError::File`] if it does not, although it is given for this data.
pub(crate) fn divide_new(
    table: &Table,
    c: usize,
    texts: &[String],
    options: &ReadOptions,
    warnings: &mut Vec<String>,
) -> Result<bool, DataError> {
    let name = &table.columns[c].name;
    let flaw = match check_cells(table, c, texts) {
        Ok(()) if texts.iter().any(|text| split_of_cell(name, text) == Some(Role::Test)) => return Ok(true),
        Ok(()) => DataError::file(&table.path, format!("column {} names no row of the test split", table.called(c)))
            .with_hint(format!("leave it out with `data.ignore` {name}: then all rows are used")),
        Err(flaw) => flaw,
    };
    if options.gives("split") {
        return Err(flaw);
    }
    if options.scored {
        warnings
            .push(format!("all rows are used, although the training data was divided by a column of splits: {flaw}"));
    }
    Ok(false)
}

/// Gives a column the role of the split, if its values are splits. `named` is whether its name says so.
fn one(draft: &mut Draft<'_>, c: usize, named: bool) -> Result<(), DataError> {
    let (name, called) = (draft.table.columns[c].name.clone(), draft.name(c));
    let facts = &draft.table.columns[c].facts;
    let flags = names_flags(&name) && draft.of(c).iter().all(|text| is_flag(text));
    let roles: HashSet<Option<Role>> = draft.of(c).iter().map(|text| split_of_cell(&name, text)).collect();
    let some = roles.iter().flatten().count();
    let refuse = |reason: String| Err(DataError::file(&draft.table.path, reason).with_hint(HINT));
    if !roles.contains(&None) {
        if some < 2 || (!named && !roles.contains(&Some(Role::Train))) {
            return Ok(());
        }
        if let Some(other) = draft.first(ColumnRole::Split) {
            return refuse(format!(
                "columns {} and {called} could both divide the rows into splits",
                draft.name(other)
            ));
        }
        if flags && !names_splits(&name) && is_vague_flag(&name) {
            return refuse(format!(
                "it is not clear whether column {called} divides the rows into splits: it holds 0 and 1"
            ));
        }
        draft.give(c, ColumnRole::Split, "its values are names of splits");
        return Ok(());
    }
    if !named || names_flags(&name) {
        return Ok(());
    }
    if names_folds(&name) && facts.all_whole() {
        draft.give(c, ColumnRole::LeftOut, "its name is that of the folds of a cross-validation");
        draft.warn(format!("column {called} is left out: it numbers folds, which are not used"));
        return Ok(());
    }
    let distinct: HashSet<&String> = draft.of(c).iter().collect();
    let few = if facts.is_numeric() { NUMBERS } else { WORDS };
    let alone = draft.options.inputs.is_none() && facts.known() > 0;
    if some > 0 || (alone && (2..=few).contains(&distinct.len())) {
        return check(draft, c);
    }
    Ok(())
}
