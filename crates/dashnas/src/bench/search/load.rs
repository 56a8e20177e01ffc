//! The files of a bench, for its report.

use crate::bench::search::document::Document;
use crate::bench::search::error::SearchBenchError;
use crate::bench::search::folder::{CONFIG, DATA, DOCUMENT, read_json};
use crate::record::data::DataRecord;
use std::path::Path;

/// The results of a bench, finished or not, as its folder has them.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedBench {
    /// The results so far.
    pub document: Document,
    /// The record of the data set.
    pub data: DataRecord,
}

impl LoadedBench {
    /// Whether a folder is that of a bench of the search.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(CONFIG).is_file()
    }

    /// Reads the results and the record of the data set.
    ///
    /// # Errors
    /// [`SearchBenchError::Damaged`] if the document is damaged or of another version, and an error of the file if one
    /// cannot be read.
    pub fn read(folder: &Path) -> Result<Self, SearchBenchError> {
        let document = read_json(&folder.join(DOCUMENT)).map_err(|error| SearchBenchError::of_results(error, None))?;
        Ok(Self { document, data: read_json(&folder.join(DATA))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use dashnas_core::files::FileError;
    use std::fs;

    #[test]
    fn a_damaged_document_is_named_with_advice() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let read = || LoadedBench::read(folder.path()).expect_err("there is no document");
        assert!(!LoadedBench::is_at(folder.path()));
        fs::write(folder.path().join(CONFIG), "").expect("writable");
        assert!(LoadedBench::is_at(folder.path()));
        assert!(matches!(read(), SearchBenchError::Run(Error::File(FileError::Io { .. }))));
        fs::write(folder.path().join(DOCUMENT), "{\"version\": 1").expect("writable");
        let error = read();
        assert!(error.to_string().contains("bench.json is damaged"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("run the bench again")));
    }
}
