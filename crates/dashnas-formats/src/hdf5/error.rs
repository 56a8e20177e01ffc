//! Errors of the library, in words that say what to do.

use crate::error::{DataError, Location};
use crate::info::Refusal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The filters by which programs compress, by number; the library undoes gzip, shuffle, Fletcher-32, scale-offset and
/// LZF.
const FILTERS: [(&str, &str); 10] = [
    ("4", "szip"),
    ("5", "nbit"),
    ("307", "bzip2"),
    ("32001", "blosc"),
    ("32004", "lz4"),
    ("32008", "bitshuffle"),
    ("32013", "zfp"),
    ("32015", "zstd"),
    ("32017", "sz"),
    ("32026", "blosc2"),
];

/// Calls the library on a file that may be damaged, and turns its errors and panics into texts.
pub(super) fn guard<T>(read: impl FnOnce() -> Result<T, hdf5_pure::Error>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err("it is damaged".into()),
    }
}

/// The error for a file as a whole.
pub(super) fn of_file(path: &Path, text: &str) -> DataError {
    let Refusal { reason, hint } = refusal(text);
    DataError::file(path, format!("it cannot be read as HDF5: {reason}")).with_hint(hint)
}

/// The error for one array.
pub(super) fn of_array(path: &Path, name: &str, text: &str) -> DataError {
    let Refusal { reason, hint } = refusal(text);
    DataError::at(path, Location::Entry(name.into()), reason).with_hint(hint)
}

/// Says what is not supported, or that the file is damaged.
pub(super) fn refusal(text: &str) -> Refusal {
    let text = text.trim_start_matches("HDF5 format error: ");
    let of = |reason: String, hint: &str| Refusal { reason, hint: hint.into() };
    if text.contains("virtual (VDS)") {
        return of(
            "it is a virtual data set, whose values are in other files, which is not supported".into(),
            "save a copy of its values in h5py: new['x'] = old['x'][...]",
        );
    }
    if text.starts_with("the label of sample") {
        return of(text.into(), "write the label, or remove the sample");
    }
    if text.contains("external files") {
        return of(
            "its values are in another file (external storage), which is not supported".into(),
            "save a copy of its values in h5py: new['x'] = old['x'][...]",
        );
    }
    if let Some((_, id)) = text.split_once("unsupported filter: ") {
        let name = FILTERS.iter().find(|(known, _)| *known == id.trim()).map_or("unknown", |(_, name)| name);
        return of(
            format!("it is compressed by the filter {name} (number {}), which is not supported", id.trim()),
            "compress it with gzip instead: h5repack -f GZIP=4 old.h5 new.h5",
        );
    }
    if text.contains("version 2 B-tree") {
        return of(
            "its chunks are in a version 2 B-tree (several axes may grow), which is not supported".into(),
            "write it without libver, or with at most one axis of maxshape that is None",
        );
    }
    if text.contains("invalid data layout version") {
        return of(
            format!("it is in a newer form than is supported ({text})"),
            "write it without libver='latest', or with libver=('earliest', 'v114')",
        );
    }
    of(text.into(), "the file may be cut short: get it again, or copy it with h5repack")
}
