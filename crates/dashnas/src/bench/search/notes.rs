//! What a reader of the figures of a bench must know besides them, as sentences.

use crate::bench::search::plan::Entry;
use crate::bench::search::record::EntryRecord;

/// The note for results in which every training failed.
pub(crate) fn all_failed(results: &[(&Entry, EntryRecord)]) -> Option<String> {
    let mut trained = results.iter().filter(|(entry, _)| entry.group.is_trained());
    let first = trained.next()?.1.reason.as_ref()?;
    trained.all(|(_, record)| record.reason.is_some()).then(|| {
        format!("there are no percentiles and no ratios, because every training failed; the first one: {first}")
    })
}
