//! The table of readers: how each format is recognized, and the function that reads it.
//!
//! [`read`] determines the facts about a path once (the extension and the first bytes of a file, the files in a
//! folder) and gives them to the first reader in [`READERS`] that recognizes them. A folder with one data set in it
//! goes through the same table with the file of that data set. A new format needs a line in the table and a function.

use crate::container;
use crate::content::wrong_content;
use crate::data_sets::{DATA_SETS, data_sets, only, table_parts};
use crate::error::DataError;
use crate::folders::{masks, samples, unread};
use crate::found::UnassembledData;
use crate::hdf5::Hdf5;
use crate::mat::Mat;
use crate::media::images::is_image;
use crate::media::sound::is_sound;
use crate::naming::{data_set_name, extension, role_of, words_of};
use crate::npy_files::NpyFiles;
use crate::options::{ReadOptions, WindowLabel};
use crate::partners;
use crate::probe::{FileProbe, FolderProbe};
use crate::records::is_record;
use crate::role::Role;
use crate::sequences::fasta;
use crate::series::delimited;
use crate::tables::csv::encoding;
use crate::tables::open as tables;
use crate::tables::sources;
use crate::{effects, idx, npz, unsupported};
use dashnas_core::text::plural;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::slice;

/// Reads a file. Without `labeled`, labels need not be there, and the file is read by itself.
type ReadFile = fn(&FileProbe, &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError>;
/// Reads a folder. Without `labeled`, labels need not be there.
type ReadFolder = fn(&FolderProbe, &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError>;

/// A format: how it is recognized, and the function that reads it.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// The name of the format.
    pub name: &'static str,
    kind: Kind,
}

/// The two kinds of readers.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Reads folders for which `recognizes` holds.
    Folder { recognizes: fn(&FolderProbe) -> bool, read: ReadFolder },
    /// Reads files for which `recognizes` holds; files whose content is known to differ from `expected` are refused.
    File { recognizes: Recognition, expected: Option<Expected>, read: ReadFile },
}

/// How files of a format are recognized.
#[derive(Debug, Clone, Copy)]
enum Recognition {
    /// By one of these extensions.
    Extension(&'static [&'static str]),
    /// By one of these extensions and a further condition.
    ExtensionAnd(&'static [&'static str], fn(&FileProbe, &ReadOptions) -> Result<bool, DataError>),
    /// By a condition alone.
    Condition(fn(&FileProbe) -> bool),
}

/// The content that files of a format have.
#[derive(Debug, Clone, Copy)]
struct Expected {
    /// As [`FileProbe::content`] says it.
    content: &'static str,
    /// The name of the format, with its article.
    format: &'static str,
}

/// Every format, in the order in which they are tried.
pub const READERS: &[Reader] = &[
    folder("folder of images with masks", masks::recognizes, masks::read),
    folder("folder of images", samples::are_images, samples::read_images),
    folder("folder of sound", samples::are_sound, samples::read_sound),
    folder("folder of recordings", samples::are_recordings, samples::read_recordings),
    folder("folder of records (WFDB, EDF, BDF)", samples::are_records, samples::read_records),
    folder("folder of FASTA or FASTQ files", |folder| !fasta_files(folder).is_empty(), read_sequences_in),
    folder(
        "folder of IDX files",
        |folder| folder.direct.iter().any(|p| idx::is_idx(p)),
        |folder, options, labeled| {
            let files: Vec<PathBuf> = folder.direct.iter().filter(|p| idx::is_idx(p)).cloned().collect();
            idx::read(&folder.path, &files, options, labeled)
        },
    ),
    folder(
        "folder of NumPy arrays",
        |folder| !folder.direct_with(&["npy"]).is_empty(),
        |folder, options, labeled| container::read(&mut NpyFiles::open(&folder.path, options)?, options, labeled),
    ),
    folder("folder of the parts of a table", |folder| table_parts(folder).is_some(), read_table_parts),
    folder("folder with one data set", |folder| data_sets(folder).len() == 1, read_data_set_in),
    folder("other folder", |_| true, choose_or_refuse),
    file("one recording (WFDB, EDF, BDF)", Recognition::Condition(is_one_record), refuse_one_record),
    file("unsupported format", Recognition::Condition(is_unsupported), refuse_unsupported),
    file("IDX file (MNIST)", Recognition::Condition(|file| idx::is_idx(&file.path)), |file, options, labeled| {
        if labeled {
            idx::read_with_partners(&file.path, options, labeled)
        } else {
            idx::read(&file.path, &idx::alone(&file.path, options), options, labeled)
        }
    }),
    file("NumPy archive (.npz)", Recognition::Extension(&["npz"]), |file, options, labeled| {
        npz::read_file(&file.path, options, labeled).map(|raw| with_others(raw, &file.path, labeled))
    })
    .expecting("a zip archive", "a NumPy archive"),
    file("NumPy array (.npy)", Recognition::Extension(&["npy"]), |file, options, labeled| {
        if labeled {
            container::read(&mut NpyFiles::open(&file.path, options)?, options, labeled)
        } else if options.scored {
            let mut raw = container::read(&mut NpyFiles::open(&file.path, options)?, options, labeled)?;
            let stem = data_set_name(&file.path);
            if let Some(role) = words_of(&stem).iter().find_map(|word| Role::of_word(word)) {
                // Of the splits beside each other, the one that was given.
                if raw.parts.iter().any(|part| part.role == role) {
                    raw.parts.retain(|part| part.role == role);
                }
            }
            Ok(raw)
        } else {
            container::read_single_array(&mut NpyFiles::open_alone(&file.path, options)?, options)
        }
    })
    .expecting("a NumPy array", "a NumPy array"),
    file("MATLAB file, level 7.3", Recognition::ExtensionAnd(&["mat"], |file, _| Ok(is_matlab_7_3(file))), read_hdf5),
    file("MATLAB file, level 4 or 5", Recognition::Extension(&["mat"]), |file, options, labeled| {
        let raw = container::read(&mut Mat::open(&file.path, options)?, options, labeled)?;
        Ok(with_others(raw, &file.path, labeled))
    })
    .expecting("a MATLAB file", "a MATLAB file"),
    file("HDF5 file", Recognition::Extension(HDF5), read_hdf5),
    file("series (.ts, .arff)", Recognition::Extension(&["ts", "arff"]), read_series),
    file("series without a header", Recognition::ExtensionAnd(&["tsv", "txt"], has_no_header), read_series),
    file("table of comma-separated values", Recognition::Extension(sources::CSV), read_table),
    file("JSON lines", Recognition::Extension(sources::JSON_LINES), read_table),
    file("Arrow table", Recognition::Extension(sources::ARROW), read_table),
    file("Parquet table", Recognition::Extension(sources::PARQUET), read_table)
        .expecting("a Parquet file", "a Parquet file"),
    file("FASTA or FASTQ file", Recognition::Extension(FASTA), |file, options, labeled| {
        fasta::read(&file.path, slice::from_ref(&file.path), options, labeled)
    }),
    file("one sample", Recognition::Condition(|file| is_sound(&file.path) || is_image(&file.path)), refuse_one_sample),
    file("unknown format", Recognition::Condition(|_| true), refuse_unknown),
];

/// Extensions of FASTA and FASTQ files.
const FASTA: &[&str] = &["fa", "fasta", "fas", "fna", "faa", "ffn", "frn", "fsa", "fastq", "fq"];
/// Extensions of HDF5 files, among which are those of netCDF 4, MATLAB and AnnData.
const HDF5: &[&str] = &["h5", "hdf5", "he5", "hdf", "nc", "nc4", "h5ad"];
/// A line of the table for folders.
const fn folder(name: &'static str, recognizes: fn(&FolderProbe) -> bool, read: ReadFolder) -> Reader {
    Reader { name, kind: Kind::Folder { recognizes, read } }
}

/// A line of the table for files.
const fn file(name: &'static str, recognizes: Recognition, read: ReadFile) -> Reader {
    Reader { name, kind: Kind::File { recognizes, expected: None, read } }
}

impl Reader {
    /// The same line for a binary format: files with other content that is known are refused.
    const fn expecting(self, content: &'static str, format: &'static str) -> Self {
        match self.kind {
            Kind::File { recognizes, read, .. } => {
                let expected = Some(Expected { content, format });
                Self { name: self.name, kind: Kind::File { recognizes, expected, read } }
            }
            Kind::Folder { .. } => self,
        }
    }
}

impl Recognition {
    fn holds(self, file: &FileProbe, options: &ReadOptions) -> Result<bool, DataError> {
        match self {
            Recognition::Extension(extensions) => Ok(extensions.contains(&file.extension.as_str())),
            Recognition::ExtensionAnd(extensions, condition) => {
                Ok(extensions.contains(&file.extension.as_str()) && condition(file, options)?)
            }
            Recognition::Condition(condition) => Ok(condition(file)),
        }
    }
}

/// Reads the file or folder at a path with the first reader in [`READERS`] that recognizes it.
///
/// With `labeled`, labels must be there, and files that belong to a file by their names are read with it. Without, the
/// samples are to be predicted from: labels need not be there, and a file is read by itself. A path without its ending
/// (`folder/Coffee` for `folder/Coffee_TRAIN.ts`) stands for the files of that name.
///
/// # Errors
/// [`DataError`] with the file and the location in it.
///
/// # Examples
/// ```
/// use dashnas_formats::{ReadOptions, readers};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("table.csv");
/// std::fs::write(&path, "a,b,label\n1,2,yes\n3,4,no\n")?;
/// let data = readers::read(&path, &ReadOptions::default(), true)?;
/// assert_eq!(data.parts[0].x.shape, [2, 1, 2]);
/// # Ok(())
/// # }
/// ```
pub fn read(path: &Path, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    for (key, set) in [
        ("stride", options.stride.is_some()),
        ("recording", options.recording.is_some()),
        ("window-label", options.window_label != WindowLabel::Majority),
    ] {
        if set && options.window.is_none() {
            return Err(DataError::file(path, format!("`data.{key}` is set, but `data.window` is not"))
                .with_hint(format!("set `data.window` to the length of windows, or leave out `data.{key}`")));
        }
    }
    let data = read_any(path, options, labeled)?;
    check_names(path, &data, options, labeled)?;
    if labeled {
        check_length(path, &data, options)?;
    }
    // A model of windows also takes arrays of windows.
    if labeled && options.window.is_some() && data.windows.is_none() {
        let reason = format!("windows cannot be cut from this format ({})", data.format);
        return Err(DataError::file(path, reason).with_hint(
            "`data.window` cuts tables of one time step a row, and folders of sound or recordings; leave it out if each \
             sample is a window already",
        ));
    }
    Ok(data)
}

/// Refuses names of columns or arrays in formats that have none; for new data only those that are given for it.
fn check_names(path: &Path, data: &UnassembledData, options: &ReadOptions, labeled: bool) -> Result<(), DataError> {
    let settings = [
        ("inputs", &options.inputs),
        ("targets", &options.targets),
        ("group", &options.group),
        ("recording", &options.recording),
        ("split", &options.split),
        ("weight", &options.weight),
        ("time", &options.time),
        ("ignore", &options.ignore),
    ];
    for (key, value) in settings {
        let without_effect = (labeled || options.gives(key)) && !data.named_by.contains(&key);
        let Some(value) = value.as_ref().filter(|_| without_effect) else { continue };
        let reason = format!(
            "`data.{key}` is `{value}`, but there are no names in this format ({}) that it could choose from",
            data.format
        );
        let hint = match (key, data.arrays, path.is_dir()) {
            ("split", true, _) => {
                "save the arrays of each split under names of their own: x_train, y_train, x_test and y_test".to_owned()
            }
            ("ignore", _, _) => {
                format!("leave out `data.{key}`, which leaves out columns of tables and files of labels")
            }
            (_, false, true) if key != "inputs" => format!(
                "leave out `data.{key}`, or put a file of labels with a column of this name, such as labels.csv, beside the \
                 samples"
            ),
            _ => format!("leave out `data.{key}`; tables and files of named arrays have names"),
        };
        return Err(DataError::file(path, reason).with_hint(hint));
    }
    Ok(())
}

/// Refuses a length where samples have that of their arrays.
fn check_length(path: &Path, data: &UnassembledData, options: &ReadOptions) -> Result<(), DataError> {
    let shape = data.parts.first().map_or(&[][..], |part| &part.x.shape);
    let fixed = data.arrays || matches!(shape, [_, _, _, _, ..]);
    let makes = |length: usize| {
        let channels = options.channels.unwrap_or(1);
        shape.iter().skip(1).any(|&n| n == length || Some(n) == length.checked_mul(channels))
    };
    match (options.length, shape.last()) {
        (Some(length), Some(&found)) if fixed && options.window.is_none() && !makes(length) => {
            let reason =
                format!("`data.length` is {length}, but the samples of these arrays have {}", plural(found, "value"));
            Err(DataError::file(path, reason)
                .with_hint("leave out `data.length`, or cut the arrays before they are saved"))
        }
        _ => Ok(()),
    }
}

fn read_any(path: &Path, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    if path.is_dir() {
        return read_folder(&FolderProbe::new(path)?, options, labeled);
    }
    if !path.exists()
        && let Some(file) = partners::by_prefix(path)
    {
        // The training file stands for all of them; the test file is the last.
        let test = partners::partners(&file, false)?.pop().filter(|_| !labeled);
        return read_file(&test.map_or(file, |(_, path)| path), options, labeled);
    }
    read_file(path, options, labeled)
}

fn read_folder(folder: &FolderProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    for reader in READERS {
        if let Kind::Folder { recognizes, read } = reader.kind
            && recognizes(folder)
        {
            effects::check(&folder.path, reader.name, options, labeled)?;
            return read(folder, options, labeled);
        }
    }
    choose_or_refuse(folder, options, labeled)
}

fn read_file(path: &Path, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    let file = FileProbe::new(path)?;
    for reader in READERS {
        if let Kind::File { recognizes, expected, read } = reader.kind
            && recognizes.holds(&file, options)?
        {
            if let (Some(expected), Some(found)) = (expected, file.content)
                && found != expected.content
            {
                return Err(wrong_content(path, expected.format, found));
            }
            effects::check(path, reader.name, options, labeled)?;
            return read(&file, options, labeled);
        }
    }
    refuse_unknown(&file, options, labeled)
}

fn read_hdf5(file: &FileProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    let mut arrays = Hdf5::open(&file.path, options)?;
    let raw = match container::read(&mut arrays, options, labeled) {
        // What is missing may be behind a link.
        Err(error @ DataError::Incomplete { .. }) => match arrays.by_library() {
            Some(mut arrays) => container::read(&mut arrays, options, labeled).map_err(|_| error)?,
            None => return Err(error),
        },
        read => read?,
    };
    Ok(with_others(raw, &file.path, labeled))
}

/// Warns of the files of other splits beside a file of all arrays, which are not read with it.
fn with_others(mut raw: UnassembledData, path: &Path, labeled: bool) -> UnassembledData {
    let others = partners::partners(path, !labeled).unwrap_or_default();
    let others: Vec<String> =
        others.into_iter().filter(|(_, other)| other != path).map(|(_, other)| other.display().to_string()).collect();
    if !others.is_empty() {
        raw.warn(format!(
            "{} {} of the same data set by name, and not read: in this format one file holds the arrays of all splits, such \
             as x_train and x_test",
            others.join(", "),
            if others.len() == 1 { "is" } else { "are" }
        ));
    }
    raw
}

fn read_series(file: &FileProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    delimited::read(&file.path, options, !labeled)
}

fn read_table(file: &FileProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    tables::read_file(&file.path, options, labeled)
}

fn fasta_files(folder: &FolderProbe) -> Vec<PathBuf> {
    folder.direct_with(FASTA)
}

fn read_sequences_in(folder: &FolderProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    let files = fasta_files(folder);
    let mut raw = fasta::read(&folder.path, &files, options, labeled)?;
    if let Some(note) = unread::note(&folder.all, &files, None)? {
        raw.note(note);
    }
    Ok(raw)
}

fn is_matlab_7_3(file: &FileProbe) -> bool {
    file.prefix.starts_with(b"MATLAB 7.3") || file.prefix.starts_with(b"\x89HDF")
}

/// Returns whether the first line of a text file is data: a label, which may be a word, and numbers.
fn has_no_header(file: &FileProbe, options: &ReadOptions) -> Result<bool, DataError> {
    if let Some(header) = options.header {
        return Ok(!header);
    }
    let text = encoding::text(&file.path, options.whole_file())?.text;
    // Lines of series are divided by tabs, commas or spaces.
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    Ok(!first.contains([';', '|']) && delimited::starts_with_series(&text))
}

fn read_table_parts(folder: &FolderProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    // Tables of other columns may be beside that of the samples, whatever is in them.
    if let Some(chosen) = read_of_columns(folder, options, labeled)? {
        return Ok(chosen);
    }
    let files = table_parts(folder).unwrap_or_default();
    match tables::read_parts(&folder.path, &files, options, labeled)? {
        Some(data) => Ok(data),
        None => choose_or_refuse(folder, options, labeled),
    }
}

fn read_data_set_in(folder: &FolderProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    let files: Vec<PathBuf> = data_sets(folder).into_values().flatten().collect();
    let roles: BTreeSet<Option<Role>> = files.iter().map(|p| role_of(p)).collect();
    if roles.len() < files.len() || (roles.len() > 1 && roles.contains(&None)) {
        let mut contents: Vec<String> =
            files.iter().filter_map(|p| Some(p.file_name()?.to_string_lossy().into())).collect();
        contents.sort();
        return Err(DataError::Incomplete {
            path: folder.path.clone(),
            format: "a folder of files that may be one data set".into(),
            contents,
            missing: "a choice: give one of its files, or name the files NAME_train and NAME_test".into(),
        });
    }
    // To predict from, a file is read by itself, and the test samples are the ones to read.
    let wanted = if labeled { Role::Train } else { Role::Test };
    let mut raw = read_file(files.iter().find(|p| role_of(p) == Some(wanted)).unwrap_or(&files[0]), options, labeled)?;
    for file in folder.direct_with(DATA_SETS).into_iter().filter(|file| !files.contains(file)) {
        raw.note(format!("{} is not read", file.display()));
    }
    Ok(raw)
}

/// Reads the only data set in a folder of several whose tables have the columns of a model; `None` if there is none.
fn read_of_columns(
    folder: &FolderProbe,
    options: &ReadOptions,
    labeled: bool,
) -> Result<Option<UnassembledData>, DataError> {
    // A run needs to be told which data set is meant, and so does a model that was not trained on a table.
    let Some(known) = options.columns.as_ref().filter(|_| !labeled) else { return Ok(None) };
    let sets = data_sets(folder);
    let Some(direct) = only(&sets, |file| tables::has_inputs(file, known, options)) else { return Ok(None) };
    let mut raw = read_data_set_in(&FolderProbe { direct, ..folder.clone() }, options, labeled)?;
    raw.warn(format!(
        "{} is read: of the {} data sets in the folder it is the only one with the columns of the model's inputs",
        raw.files.join(", "),
        sets.len()
    ));
    Ok(Some(raw))
}

/// Reads the only data set with the columns of a model, and refuses other folders of several data sets.
fn choose_or_refuse(folder: &FolderProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    if let Some(chosen) = read_of_columns(folder, options, labeled)? {
        return Ok(chosen);
    }
    let sets = data_sets(folder);
    if sets.is_empty() {
        let unsupported = folder.all.iter().find_map(|p| unsupported::error(p, &extension(p)));
        return Err(unsupported
            .unwrap_or_else(|| DataError::file(&folder.path, "the folder holds no file of a supported format")));
    }
    let contents = sets.keys().map(|(name, extension)| format!("{name} (.{extension})")).collect();
    Err(DataError::Incomplete {
        path: folder.path.clone(),
        format: "a folder of several data sets".into(),
        contents,
        missing: "a choice: give one of its files".into(),
    })
}

fn is_unsupported(file: &FileProbe) -> bool {
    unsupported::error(&file.path, &file.extension).is_some()
}

fn refuse_unsupported(file: &FileProbe, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    match unsupported::error(&file.path, &file.extension) {
        Some(error) => Err(error),
        None => refuse_unknown(file, options, labeled),
    }
}

fn refuse_one_sample(file: &FileProbe, _: &ReadOptions, _: bool) -> Result<UnassembledData, DataError> {
    let (wanted, format): (&[&str], &str) = match &*file.extension {
        "wav" | "wave" => (&["WAV"], "a WAV file"),
        _ if is_sound(&file.path) => (&["WAV", "Ogg", "FLAC", "MP3", "AIFF"], "sound"),
        _ => (&["image"], "an image"),
    };
    if let Some(found) = file.content.filter(|found| !wanted.iter().any(|w| found.contains(w))) {
        return Err(wrong_content(&file.path, format, found));
    }
    Err(DataError::file(&file.path, "it is one sample, not a data set")
        .with_hint("give the folder that holds all samples"))
}

/// Returns whether a file is a recording, or the signals of one whose header is beside it.
fn is_one_record(file: &FileProbe) -> bool {
    is_record(&file.path) || (file.extension == "dat" && file.path.with_extension("hea").is_file())
}

fn refuse_one_record(file: &FileProbe, _: &ReadOptions, _: bool) -> Result<UnassembledData, DataError> {
    Err(DataError::file(&file.path, "it is one recording (WFDB, EDF or BDF), not a data set")
        .with_hint("give the folder that holds all recordings and their labels"))
}

fn refuse_unknown(file: &FileProbe, _: &ReadOptions, _: bool) -> Result<UnassembledData, DataError> {
    let reason = match file.content {
        Some(content) => format!("it is {content}, but its name does not say so"),
        None if file.extension.is_empty() => "files without an extension are not supported".into(),
        None => format!("files with the extension `.{}` are not supported", file.extension),
    };
    Err(DataError::file(&file.path, reason).with_hint(unsupported::SUPPORTED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fs;

    #[test]
    fn formats_have_names_of_their_own() {
        let names: HashSet<&str> = READERS.iter().map(|reader| reader.name).collect();
        assert_eq!(names.len(), READERS.len());
    }

    /// The first reader that recognizes a file.
    fn reader_of(name: &str, bytes: &[u8]) -> &'static str {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let (file, options) = (FileProbe::new(&path).unwrap(), ReadOptions::default());
        let recognizes = |reader: &&Reader| match reader.kind {
            Kind::File { recognizes, .. } => recognizes.holds(&file, &options).unwrap(),
            Kind::Folder { .. } => false,
        };
        READERS.iter().find(recognizes).unwrap().name
    }

    #[test]
    fn files_are_recognized_by_names_extensions_and_content() {
        let cases: [(&str, &[u8], &str); 9] = [
            ("train-images-idx3-ubyte", b"\0\0\x08\x03", "IDX file (MNIST)"),
            ("a.mat", b"MATLAB 7.3 MAT-file", "MATLAB file, level 7.3"),
            ("a.mat", b"MATLAB 5.0 MAT-file", "MATLAB file, level 4 or 5"),
            ("a.tsv", b"1\t0.5\t0.25\n", "series without a header"),
            ("a.tsv", b"label\ta\tb\n1\t0.5\t0.25\n", "table of comma-separated values"),
            ("a.CSV.gz", b"\x1f\x8b", "table of comma-separated values"),
            ("a.pkl", b"\x80\x02", "unsupported format"),
            ("a.png", b"\x89PNG", "one sample"),
            ("a", b"bytes", "unknown format"),
        ];
        for (name, bytes, format) in cases {
            assert_eq!(reader_of(name, bytes), format, "{name}");
        }
    }

    #[test]
    fn a_binary_format_with_other_content_is_refused_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        fs::write(&path, b"\x93NUMPY").unwrap();
        let error = read(&path, &ReadOptions::default(), true).unwrap_err().to_string();
        assert!(error.ends_with("its name says that it is a NumPy archive, but it is a NumPy array"), "{error}");
    }
}
