//! Reads a table with the tables that belong to it.

use crate::error::DataError;
use crate::found::UnassembledData;
use crate::naming::role_of;
use crate::options::{Columns, ReadOptions};
use crate::role::Role;
use crate::tables::batches::Batches;
use crate::tables::load::load;
use crate::tables::parts::Parts;
use crate::tables::read::{read, read_tables};
use crate::tables::sources::{format, is_table, open};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads a table and the tables of other splits beside it.
///
/// # Errors
/// [`DataError`] with the file, the line and the column.
pub(crate) fn read_file(path: &Path, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    read(path, format(path), options, labeled, &|path| open(path, options))
}

/// Reads files of the same columns as one table; `None` if their columns differ. Files whose names name splits belong to
/// these.
///
/// # Errors
/// [`DataError`] with the file, the line and the column.
pub(crate) fn read_parts(
    folder: &Path,
    files: &[PathBuf],
    options: &ReadOptions,
    labeled: bool,
) -> Result<Option<UnassembledData>, DataError> {
    let mut splits: BTreeMap<Role, Vec<Arc<dyn Batches>>> = BTreeMap::new();
    let mut first: Option<Arc<dyn Batches>> = None;
    for file in files {
        let source = open(file, options)?;
        let one = first.get_or_insert_with(|| source.clone());
        // Test samples may come without labels.
        if Parts::join(vec![one.clone(), source.clone()]).is_none() && role_of(file) != Some(Role::Test) {
            return Ok(None);
        }
        splits.entry(role_of(file).unwrap_or(Role::All)).or_default().push(source);
    }
    if splits.len() > 1 && splits.contains_key(&Role::All) {
        // It is not clear where the files without a word for a split belong.
        return Ok(None);
    }
    let mut tables = Vec::new();
    for (role, sources) in splits {
        let Some(parts) = Parts::join(sources) else { return Ok(None) };
        tables.push((role, load(folder, Arc::new(parts), options)?));
    }
    if !labeled && tables.iter().any(|(role, _)| *role == Role::Test) {
        tables.retain(|(role, _)| *role == Role::Test);
    }
    let format = files.first().map_or("", |file| format(file));
    let mut raw = read_tables(tables, format, options, labeled)?;
    raw.files = files.iter().map(|file| file.display().to_string()).collect();
    Ok(Some(raw))
}

/// Returns whether a file is a table with the columns that a model takes as inputs: by their names where both have names,
/// otherwise by their number. Its values are not looked at.
pub(crate) fn has_inputs(path: &Path, known: &Columns, options: &ReadOptions) -> bool {
    if !is_table(path) {
        return false;
    }
    let Ok(source) = open(path, options) else { return false };
    let names = source.names();
    let has = |name: &str| names.iter().any(|other| other == name);
    // Columns that stand for those of the model are named for the new data.
    if let Some(given) = options.inputs.as_ref().filter(|_| options.gives("inputs")) {
        return source.named() && given.split(',').all(|name| has(name.trim()));
    }
    if source.named() && known.named {
        return known.inputs.iter().all(|&c| known.names.get(c).is_some_and(|name| has(name)));
    }
    let all = known.names.len();
    [known.inputs.len(), all, all.saturating_sub(known.labels.len())].contains(&names.len())
}
