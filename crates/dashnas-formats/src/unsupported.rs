//! File formats that are recognized by their extension, but cannot be read.

use crate::error::DataError;
use std::path::Path;

/// The formats that can be read, for hints.
pub(crate) const SUPPORTED: &str = "supported are .npz, .npy, .h5, .mat, .ts, .tsv, .arff, .csv, .parquet, .arrow, \
                                    .jsonl, .fa, .fastq, IDX, and folders of images, sound or recordings";

/// Extensions of one kind of file that cannot be read.
struct Unsupported {
    extensions: &'static [&'static str],
    /// The kind of file, with its article.
    what: &'static str,
    /// The way to convert it.
    hint: &'static str,
}

const UNSUPPORTED: [Unsupported; 10] = [
    Unsupported {
        extensions: &["pt", "pth", "pkl", "pickle", "ckpt"],
        what: "a Python pickle (PyTorch), which can run code when it is opened",
        hint: "save its tensors in Python: numpy.savez(file, x_train=x.numpy(), …), and series of unequal lengths as \
               numpy.array(series, dtype=object)",
    },
    Unsupported {
        extensions: &["opus", "m4a", "aac", "wma", "amr", "caf", "spx", "w64", "au", "snd", "sph"],
        what: "sound in a format that is not supported",
        hint: "convert it to WAV: ffmpeg -i in.m4a out.wav",
    },
    Unsupported {
        extensions: &["pdb", "cif", "ent"],
        what: "a protein structure, not a data set",
        hint: "make arrays of features and distances from it and save them with numpy.savez",
    },
    Unsupported {
        extensions: &["dat", "bin", "raw"],
        what: "a file of raw numbers without their type and shape",
        hint: "read them in Python with numpy.fromfile, shape them, and save them with numpy.savez",
    },
    Unsupported {
        extensions: &["json"],
        what: "a JSON document, not a table",
        hint: "write one object a line as .jsonl: in pandas, to_json(file, orient='records', lines=True)",
    },
    Unsupported {
        extensions: &["xml", "yaml", "toml", "md", "rst", "py", "pdf", "html", "ipynb"],
        what: "a document, not a data set",
        hint: SUPPORTED,
    },
    Unsupported { extensions: &["xls", "xlsx", "ods"], what: "a spreadsheet", hint: "save it as CSV" },
    Unsupported {
        extensions: &["heic", "heif", "avif", "jp2", "j2k", "jxl", "psd", "dng", "svg", "tga", "exr", "dcm"],
        what: "an image in a format that is not supported",
        hint: "convert it to PNG",
    },
    Unsupported {
        extensions: &["zip", "tar", "tgz", "7z", "rar", "xz", "bz2"],
        what: "an archive",
        hint: "unpack it and give the folder",
    },
    Unsupported {
        extensions: &["orc"],
        what: "a columnar file in a format that is not supported",
        hint: "write it as Parquet",
    },
];

/// Returns the error for a file with the extension of a format that cannot be read.
pub(crate) fn error(path: &Path, extension: &str) -> Option<DataError> {
    let kind = UNSUPPORTED.iter().find(|kind| kind.extensions.contains(&extension))?;
    Some(DataError::file(path, format!("it is {}", kind.what)).with_hint(kind.hint))
}
