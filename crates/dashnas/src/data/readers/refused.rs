//! Files that are recognised only to say what to do with them.

use crate::data::DataError;
use std::path::Path;

/// The formats, for hints.
pub(crate) const READ: &str = "read are .npz, .npy, .h5, .mat, .ts, .tsv, .arff, .csv, .parquet, .fa, IDX, and folders of \
                               .png, .jpg, .wav or recordings";

/// What bytes are, by their first few.
pub(crate) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 14] = [
        (b"PK\x03\x04", "a zip archive"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"MATLAB 5.0", "a MATLAB file"),
        (b"MATLAB 7.3", "a MATLAB 7.3 file"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"RIFF", "a WAV file"),
        (b"OggS", "an Ogg file"),
        (b"PAR1", "a Parquet file"),
        (b"\x1f\x8b", "a gzip file"),
        (b"%PDF", "a PDF document"),
        (b"fLaC", "a FLAC file"),
        (b"\x80\x02", "a Python pickle"),
    ];
    known.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|&(_, kind)| kind)
}

/// A file whose bytes are something else than its name says.
pub(crate) fn mislabelled(path: &Path, expected: &str, kind: &str) -> DataError {
    DataError::file(path, format!("its name says {expected}, but it is {kind}"))
        .with_hint("give it the right extension")
}

/// The refusal of a kind of file that is known but not read.
pub(crate) fn refuse(path: &Path, extension: &str) -> Option<DataError> {
    let (what, hint) = match extension {
        "pt" | "pth" | "pkl" | "pickle" | "ckpt" => (
            "a Python pickle (PyTorch), which can run code when it is opened",
            "save its tensors in Python: numpy.savez(file, x_train=x.numpy(), …)",
        ),
        "ogg" | "oga" | "opus" | "mp3" | "flac" | "m4a" | "aac" => {
            ("compressed sound, which is not decoded", "convert it to WAV: ffmpeg -i in.ogg out.wav")
        }
        "pdb" | "cif" | "ent" => (
            "a protein structure, not a data set",
            "make arrays of features and distances from it and save them with numpy.savez",
        ),
        "dat" | "bin" | "raw" => (
            "raw numbers, without a word on their type and shape",
            "read them in Python with numpy.fromfile, shape them, and save them with numpy.savez",
        ),
        "json" | "xml" | "yaml" | "toml" | "md" | "rst" | "py" | "pdf" | "html" | "ipynb" => {
            ("a document, not a data set", READ)
        }
        "xls" | "xlsx" | "ods" => ("a spreadsheet", "save it as CSV"),
        "tif" | "tiff" | "bmp" | "gif" | "webp" => ("an image format that is not read", "convert it to PNG"),
        "zip" | "tar" | "tgz" | "7z" | "rar" | "xz" | "bz2" => ("an archive", "unpack it and give the folder"),
        "feather" | "arrow" | "orc" => ("a columnar file that is not read", "write it as Parquet"),
        _ => return None,
    };
    Some(DataError::file(path, format!("it is {what}")).with_hint(hint))
}
