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

/// Returns whether an error of `hdf5-pure` says that it does not support something, and not that the file is damaged.
/// Only then is the file given to the library of the HDF Group, which may crash or not come back on damaged files.
pub(super) fn is_unsupported(text: &str) -> bool {
    let words = [
        "unsupported",
        "not supported",
        "does not follow",
        "virtual (VDS)",
        "version 2 B-tree",
        // Those of newer forms of the format.
        "invalid data layout version",
        "invalid datatype",
    ];
    words.iter().any(|word| text.contains(word))
}

/// Returns whether an error of the other library says that values in another file are missing.
pub(super) fn is_missing_part(text: &str) -> bool {
    text.starts_with("a part of it")
}

/// Adds to a hint that another build of the program reads such files, if one may.
pub(super) fn or_build(hint: &str) -> String {
    if cfg!(feature = "hdf5") {
        or_newer(hint)
    } else {
        format!("{hint}; or build dashnas with the feature `hdf5`, which reads such files")
    }
}

/// As [`or_build`], for what takes a new version of the library.
fn or_newer(hint: &str) -> String {
    match cfg!(feature = "hdf5-static") {
        true => hint.into(),
        false => format!("{hint}; or build dashnas with the feature `hdf5-static`, whose HDF5 library is a newer one"),
    }
}

/// Says what is not supported, or that the file is damaged.
pub(super) fn refusal(text: &str) -> Refusal {
    let text = text.trim_start_matches("HDF5 format error: ");
    let of = |reason: String, hint: &str| Refusal { reason, hint: hint.into() };
    if text.contains("virtual (VDS)") {
        return of(
            "it is a virtual data set, whose values are in other files, which is not supported".into(),
            &or_build("save a copy of its values in h5py: new['x'] = old['x'][...]"),
        );
    }
    if is_missing_part(text) {
        return of(
            text.into(),
            "put the file beside this one, or set HDF5_VDS_PREFIX (for virtual data sets) or HDF5_EXTFILE_PREFIX (for \
             external storage, which is otherwise looked for in the current folder) to its folder",
        );
    }
    if text.starts_with("the label of sample") {
        return of(text.into(), "write the label, or remove the sample");
    }
    if text.contains("external files") {
        return of(
            "its values are in another file (external storage), which is not supported".into(),
            &or_build("save a copy of its values in h5py: new['x'] = old['x'][...]"),
        );
    }
    if let Some((_, id)) = text.split_once("unsupported filter: ") {
        let name = FILTERS.iter().find(|(known, _)| *known == id.trim()).map_or("unknown", |(_, name)| name);
        let hint = "compress it with gzip instead: h5repack -f GZIP=4 old.h5 new.h5";
        let hint = match (id.trim(), cfg!(feature = "hdf5")) {
            // The library has N-bit, and szip where it was built with it.
            ("4" | "5", false) => or_build(hint),
            ("4" | "5", true) => hint.into(),
            // It finds other filters in a folder.
            (_, true) => format!("{hint}; or set HDF5_PLUGIN_PATH to the folder of the filter's plugin"),
            (_, false) => {
                format!(
                    "{hint}; or build dashnas with the feature `hdf5`, and set HDF5_PLUGIN_PATH to the filter's plugin"
                )
            }
        };
        return of(
            format!("it is compressed by the filter {name} (number {}), which is not supported", id.trim()),
            &hint,
        );
    }
    if text.contains("version 2 B-tree") {
        return of(
            "its chunks are in a version 2 B-tree (several axes may grow), which is not supported".into(),
            &or_build("write it without libver, or with at most one axis of maxshape that is None"),
        );
    }
    if text.contains("invalid data layout version") {
        let hint = "write it without libver='latest', or with libver=('earliest', 'v114')";
        return of(format!("it is in a newer form than is supported ({text})"), &or_newer(hint));
    }
    let hint = "the file may be cut short: get it again, or copy it with h5repack";
    of(text.into(), &if is_unsupported(text) { or_build(hint) } else { hint.into() })
}
