//! A table whose rows may name the files of samples.

use crate::error::DataError;
use crate::folders::file_names::Names;
use crate::naming::extension;
use crate::options::ReadOptions;
use crate::tables::csv::{encoding, rows};
use crate::tables::labels::names_labels_of_files;
use crate::tables::load::load;
use crate::tables::sources::{self, CSV};
use crate::tables::table::Table;
use std::collections::HashSet;
use std::path::Path;

/// Names of columns of files, those that are least likely to mean something else first.
const FILES: [&str; 24] = [
    "file",
    "filename",
    "file_name",
    "fname",
    "path",
    "filepath",
    "file_path",
    "image",
    "image_id",
    "image_name",
    "image_path",
    "img",
    "img_id",
    "isic_id",
    "clip",
    "audio",
    "wav",
    "recording",
    "record",
    "record_id",
    "name",
    "slide",
    "sample",
    "id",
];

/// A table and the columns of it that name files.
pub(crate) struct FileTable {
    /// The table.
    pub table: Table,
    /// The columns that name the most files, the one to be read first. There is at least one.
    pub columns: Vec<usize>,
    /// The texts of that column.
    pub texts: Vec<String>,
    /// The number of files that it names.
    pub named: usize,
}

impl FileTable {
    /// Opens a table in any format and finds the columns that name files.
    ///
    /// # Errors
    /// [`DataError`] if it cannot be read.
    pub fn open(path: &Path, names: &Names<'_>, options: &ReadOptions) -> Result<Self, DataError> {
        let header = match options.header {
            None if CSV.contains(&extension(path).as_str()) => {
                let first = rows::first(&encoding::text(path, options.whole_file())?.text);
                Some(is_header(&first, names))
            }
            given => given,
        };
        // The names of inputs are those of channels in the files of the samples.
        let options = ReadOptions { header, inputs: None, in_memory: None, window: None, ..options.clone() };
        let table = load(path, sources::open(path, &options)?, &options)?;
        let all: Vec<usize> = (0..table.columns.len()).filter(|&c| table.columns[c].facts.lists.is_none()).collect();
        let texts = table.read_texts(&all, &options)?;
        let count = |texts: &Vec<String>| {
            texts
                .iter()
                .filter(|cell| names.names(cell))
                .flat_map(|cell| names.find(cell))
                .collect::<HashSet<_>>()
                .len()
        };
        let counts: Vec<usize> = texts.iter().map(count).collect();
        let best = counts.iter().copied().max().unwrap_or(0);
        let known = |c: usize| {
            let name = table.columns[c].name.to_lowercase().replace([' ', '-'], "_");
            FILES.iter().position(|file| table.named && *file == name)
        };
        let mut found: Vec<(usize, usize)> = (0..all.len())
            .filter(|&i| counts[i] * 10 >= best * 9 && (best > 0 || known(all[i]).is_some()))
            .map(|i| (known(all[i]).unwrap_or(FILES.len()), i))
            .collect();
        found.sort_unstable();
        let first = found.first().map_or(0, |&(_, i)| i);
        // A number may be the name of a file by chance.
        let says_so = |i: usize| known(all[i]).is_some() || texts[i].iter().all(|cell| cell.contains(['.', '/', '\\']));
        let others = found.iter().skip(1).filter(|&&(_, i)| best > 0 && says_so(i)).map(|&(_, i)| all[i]);
        let columns = [all.get(first).copied().unwrap_or(0)].into_iter().chain(others).collect();
        let (named, texts) =
            (counts.get(first).copied().unwrap_or(0), texts.into_iter().nth(first).unwrap_or_default());
        Ok(Self { table, columns, texts, named })
    }
}

/// Returns whether the first row names the columns: it names one as such a file may, and no file.
fn is_header(first: &[String], names: &Names<'_>) -> bool {
    let known = |f: &String| FILES.contains(&f.to_ascii_lowercase().as_str()) || names_labels_of_files(f);
    first.iter().any(known) && !first.iter().any(|f| !names.find(f).is_empty())
}
