//! Folders of samples in files of their own: images, sound or recordings.

use crate::array::Array;
use crate::container;
use crate::container::Container;
use crate::error::DataError;
use crate::folders::classes::{Said, beside_table, check_class_sizes, of_folders};
use crate::folders::known;
use crate::folders::label_file;
use crate::folders::labels::{self, LabeledFiles};
use crate::folders::paths::relative;
use crate::folders::record_lists;
use crate::folders::recordings;
use crate::folders::recordings::OwnFile;
use crate::folders::targets::{is_multi_label, of_texts};
use crate::folders::unread;
use crate::found::{Digits, Labels, UnassembledData, UnassembledSplit};
use crate::mat::Mat;
use crate::media::{images, sound};
use crate::naming::{extension, words_of};
use crate::npy_files::NpyFiles;
use crate::options::ReadOptions;
use crate::probe::FolderProbe;
use crate::records;
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use crate::series::values;
use crate::series::values::Series;
use crate::subtract::Subtract;
use crate::text::and_more;
use crate::windows::labels::StepLabels;
use dashnas_core::names::TaskName;
use dashnas_core::text::{plural, plural_of};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One sample in a file of its own.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    path: PathBuf,
    role: Role,
    group: Option<String>,
    weight: Option<f32>,
    time: Option<f64>,
}

impl Sample {
    /// A file of which nothing else is known.
    fn new(path: PathBuf, role: Role) -> Self {
        Self { path, role, group: None, weight: None, time: None }
    }
}

/// The content of the samples' files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Medium {
    Images,
    Sound,
    /// MATLAB or NumPy files of one recording each.
    Recordings,
    /// WFDB records, EDF or BDF files.
    Records,
}

impl Medium {
    /// Whether its values may have more digits than `f32`.
    fn has_digits(self) -> bool {
        matches!(self, Medium::Recordings | Medium::Records)
    }
}

/// The numbers of images, of files of sound and of records in a folder. A folder is read as what it holds most of.
fn counts(folder: &FolderProbe) -> [usize; 3] {
    let count = |test: fn(&Path) -> bool| folder.all.iter().filter(|p| test(p)).count();
    [count(images::is_image), count(sound::is_sound), count(records::is_record)]
}

/// Returns whether a folder holds images.
pub(crate) fn are_images(folder: &FolderProbe) -> bool {
    let [images, sound, records] = counts(folder);
    images > 0 && images >= sound.max(records)
}

/// Returns whether a folder holds files of sound.
pub(crate) fn are_sound(folder: &FolderProbe) -> bool {
    let [images, sound, records] = counts(folder);
    sound > images && sound >= records
}

/// Returns whether a folder holds WFDB records, EDF or BDF files.
pub(crate) fn are_records(folder: &FolderProbe) -> bool {
    counts(folder)[2] > 0
}

/// Returns whether a folder holds MATLAB or NumPy files and a file with their labels.
pub(crate) fn are_recordings(folder: &FolderProbe) -> bool {
    let files = folder.matching(is_recording);
    // Arrays named `x_train` and the like are one data set, whatever lies beside them.
    let of_set = |path: &PathBuf| {
        let words = words_of(&path.file_stem().unwrap_or_default().to_string_lossy());
        words.iter().all(|word| ["x", "y"].contains(&word.as_str()) || Role::of_word(word).is_some())
    };
    files.len() > 1 && label_file::any(folder, &files, !files.iter().any(of_set))
}

/// Reads a folder of images.
///
/// # Errors
/// [`DataError`] with the first file that cannot be read.
pub(crate) fn read_images(
    folder: &FolderProbe,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    samples(folder, Medium::Images, folder.matching(images::is_image), options, labeled)
}

/// Reads a folder of sound.
///
/// # Errors
/// As [`read_images`].
pub(crate) fn read_sound(
    folder: &FolderProbe,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    samples(folder, Medium::Sound, folder.matching(sound::is_sound), options, labeled)
}

/// Reads a folder of recordings.
///
/// # Errors
/// As [`read_images`].
pub(crate) fn read_recordings(
    folder: &FolderProbe,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    samples(folder, Medium::Recordings, folder.matching(is_recording), options, labeled)
}

/// Reads a folder of WFDB records, EDF or BDF files.
///
/// # Errors
/// As [`read_images`].
pub(crate) fn read_records(
    folder: &FolderProbe,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let files = folder.matching(records::is_record);
    let mut segments = BTreeSet::new();
    for file in &files {
        segments.extend(records::segments(file)?);
    }
    let files = files.into_iter().filter(|file| !segments.contains(file)).collect();
    samples(folder, Medium::Records, files, options, labeled)
}

/// Returns whether a file may hold one recording, by its extension.
fn is_recording(path: &Path) -> bool {
    matches!(extension(path).as_str(), "mat" | "npy")
}

/// Reads samples whose labels are in a file, are the names of their folders, or are missing.
fn samples(
    folder: &FolderProbe,
    medium: Medium,
    files: Vec<PathBuf>,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let path = &*folder.path;
    let format = match medium {
        Medium::Images => "folder of images",
        Medium::Sound => "folder of sound",
        Medium::Recordings => "folder of recordings",
        Medium::Records => "folder of WFDB, EDF or BDF recordings",
    };
    let mut raw = UnassembledData::new(format, options);
    raw.file(path);
    let whole_recordings = matches!(medium, Medium::Recordings | Medium::Records);
    raw.named_by = if whole_recordings { &["inputs"] } else { &[] };
    if labeled && medium == Medium::Images {
        known::check(folder, &files)?;
    }
    let (files, beside) = match medium {
        Medium::Records => records::edf_annotations::divide(files),
        _ => (files, Vec::new()),
    };
    let Found { samples: found, labels, by_folder } = find_samples(folder, medium, files, options, labeled, &mut raw)?;
    if options.window.is_some() && medium != Medium::Images {
        // Files of annotations have no other purpose, while folders may stand for anything.
        let annotated = by_folder && labels.is_some() && !beside.is_empty();
        if annotated && (labeled || options.scored) {
            let files = plural_of(beside.len(), "file of annotations", "files of annotations");
            raw.warn(format!(
                "the labels are those of {files} ({}{}), not the names of the folders; if the folders are the classes, move \
                 these files away",
                relative(path, &beside[0]),
                and_more(beside.len())
            ));
        }
        let labels = labels.filter(|_| !annotated);
        return windows(path, medium, (&found, &beside), labels, labeled, raw);
    }
    let annotated = match labeled && medium == Medium::Records {
        true => {
            let paths: Vec<PathBuf> = found.iter().map(|sample| sample.path.clone()).collect();
            let of_wfdb = records::annotations::beside_any(paths.iter().map(|path| &**path));
            of_wfdb.or_else(|| records::edf_annotations::any(&paths, &beside))
        }
        false => None,
    };
    if labeled && labels.is_none() {
        return Err(match annotated {
            Some(said) => DataError::file(path, format!("there are no labels of whole records, but {said}"))
                .with_hint("set `data.window` to the length of windows, such as `data.window = 1000`"),
            None => unlabeled(path, format, found.len()),
        });
    }
    raw.notes.extend(annotated.map(|said| format!("{said}; they are not used without `data.window`")));
    if let (Some(Labels::Names(names)), true) = (&labels, labeled) {
        if by_folder {
            check_one_folder(path, names, options)?;
        }
        let files: Vec<_> = found.iter().map(|s| (s.role, s.path.as_path())).collect();
        check_class_sizes(path, &files, names, options)?;
    }
    let grouped = found.iter().all(|s| s.group.is_some());
    raw.digits = Digits::of_numbers(medium.has_digits(), true, &options.centers);
    let x = load(medium, &found, !labeled || options.scored, &mut raw)?;
    for role in [Role::All, Role::Train, Role::Val, Role::Test] {
        let rows: Vec<usize> = (0..found.len()).filter(|&i| found[i].role == role).collect();
        if rows.is_empty() {
            continue;
        }
        let y = labels.as_ref().map(|labels| labels.select(&rows));
        let ids = rows.iter().map(|&i| relative(path, &found[i].path)).collect();
        let facts = SampleFacts {
            weights: rows.iter().map(|&i| found[i].weight).collect(),
            times: rows.iter().map(|&i| found[i].time).collect(),
            places: None,
        };
        let groups = grouped.then(|| rows.iter().filter_map(|&i| found[i].group.clone()).collect());
        raw.parts.push(UnassembledSplit { role, x: x.select(&rows), y, groups, ids: Some(ids), facts });
    }
    Ok(raw)
}

/// The error for files without labels.
fn unlabeled(path: &Path, format: &str, files: usize) -> DataError {
    let missing = "labels: put the files of each class into a folder of its name, or a labels.csv beside them";
    let contents = vec![plural(files, "file")];
    DataError::Incomplete { path: path.into(), format: format.into(), contents, missing: missing.into() }
}

/// Cuts recordings in files of their own into windows, which have the weights of their recordings. Beside the recordings
/// are files of annotations.
fn windows(
    path: &Path,
    medium: Medium,
    (found, beside): (&[Sample], &[PathBuf]),
    labels: Option<Labels>,
    labeled: bool,
    raw: UnassembledData,
) -> Result<UnassembledData, DataError> {
    let mut raw = unweighted_windows(path, medium, (found, beside), labels, labeled, raw)?;
    raw.digits = Digits::of_numbers(medium.has_digits(), false, &raw.reading.centers);
    let weights: Option<Vec<f32>> = found.iter().map(|sample| sample.weight).collect();
    if let (Some(weights), Some(windows)) = (weights, &raw.windows) {
        for (part, places) in raw.parts.iter_mut().zip(&windows.splits) {
            part.facts.weights = places.iter().map(|place| weights.get(place.recording).copied()).collect();
        }
        raw.note("each window has the weight of its recording");
    }
    Ok(raw)
}

/// Cuts recordings in files of their own into windows.
fn unweighted_windows(
    path: &Path,
    medium: Medium,
    (found, beside): (&[Sample], &[PathBuf]),
    labels: Option<Labels>,
    labeled: bool,
    mut raw: UnassembledData,
) -> Result<UnassembledData, DataError> {
    let options = raw.reading.clone();
    let paths: Vec<PathBuf> = found.iter().map(|s| s.path.clone()).collect();
    let file = |i: usize, steps: usize, rate: Option<f64>, gaps: Vec<usize>| {
        let Sample { path: own, role, group, .. } = &found[i];
        OwnFile { path: own.clone(), name: relative(path, own), role: *role, group: group.clone(), steps, rate, gaps }
    };
    let mut labels = labels.map(StepLabels::Recordings);
    if medium == Medium::Sound {
        if labeled && labels.is_none() {
            return Err(unlabeled(path, &raw.format, found.len()));
        }
        let lengths = sound::lengths(&paths, &options, &mut raw.notes)?;
        let rate = Some(f64::from(options.audio_rate));
        let files = lengths.into_iter().enumerate().map(|(i, steps)| file(i, steps, rate, Vec::new())).collect();
        recordings::add(
            path,
            files,
            labels,
            1,
            labeled,
            &mut |r| Ok(vec![sound::samples(&paths[r], &options)?]),
            &mut raw,
        )?;
        return Ok(raw);
    }
    let (mut series, rates, gaps) = if medium == Medium::Records {
        let mut all = paths.par_iter().map(|p| records::read(p, &options)).collect::<Result<Vec<_>, _>>()?;
        let rates: Vec<Option<f64>> = all.iter().map(|recording| Some(recording.rate)).collect();
        let gaps: Vec<Vec<usize>> = all.iter_mut().map(|recording| std::mem::take(&mut recording.gaps)).collect();
        let aligned = records::align(all, &options)?;
        raw.reading.signals = Some(aligned.signals);
        raw.notes.extend(aligned.notes);
        raw.warnings.extend(aligned.warnings);
        (aligned.series, rates, gaps)
    } else {
        let all = paths.iter().map(|p| recording(p, &options)).collect::<Result<Vec<_>, _>>()?;
        (all, vec![None; paths.len()], vec![Vec::new(); paths.len()])
    };
    let channels = series.first().map_or(0, |s| s.channels.len());
    if let Some(other) = series.iter().find(|s| s.channels.len() != channels) {
        let reason = format!("it has {}, the first recording has {channels}", plural(other.channels.len(), "channel"));
        return Err(DataError::file(&other.path, reason).with_hint("give recordings of the same channels"));
    }
    raw.notes.extend(values::filled_notes(series.iter(), options.fill_missing));
    let steps: Vec<usize> = series.iter().map(|s| s.channels.first().map_or(0, Vec::len)).collect();
    if labels.is_none() && medium == Medium::Records {
        let (labels_found, note) = records::annotations::labels(&paths, &rates, &steps)?;
        labels = labels_found;
        raw.notes.extend(note);
        if labels.is_none() && (labeled || options.scored) {
            let of_edf = records::edf_annotations::labels(&paths, beside, &steps)?;
            labels = of_edf.labels;
            raw.notes.extend(of_edf.notes);
            raw.warnings.extend(of_edf.warnings);
        }
    } else if let (Some(first), true) = (beside.first(), labels.is_some()) {
        let files = plural_of(beside.len(), "file of annotations", "files of annotations");
        raw.note(format!("{files} not used, because there are other labels: {}", first.display()));
    }
    if labeled && labels.is_none() {
        return Err(unlabeled(path, &raw.format, found.len()));
    }
    let files = gaps.into_iter().enumerate().map(|(i, gaps)| file(i, steps[i], rates[i], gaps)).collect();
    let mut read = |r: usize| {
        values::fill(&mut series[r], options.fill_missing)?;
        Ok(std::mem::take(&mut series[r].channels))
    };
    recordings::add(path, files, labels, channels, labeled, &mut read, &mut raw)?;
    Ok(raw)
}

/// The samples of a folder.
struct Found {
    /// The files.
    samples: Vec<Sample>,
    /// Their labels, if all have some.
    labels: Option<Labels>,
    /// Whether the labels are the names of the folders.
    by_folder: bool,
}

/// Finds the split and the label of each file: by the table of labels in the folder, or by the names of folders.
fn find_samples(
    folder: &FolderProbe,
    medium: Medium,
    files: Vec<PathBuf>,
    options: &ReadOptions,
    labeled: bool,
    raw: &mut UnassembledData,
) -> Result<Found, DataError> {
    let path = &*folder.path;
    let names: BTreeSet<Option<String>> = of_folders(path, &files, false)?.files.into_iter().map(|f| f.label).collect();
    // Files outside of the folders have no class.
    let classes: Vec<String> = names.into_iter().collect::<Option<_>>().unwrap_or_default();
    let needed = labeled || options.scored;
    let wanted = label_file::Wanted { files: &files, classes: &classes, needed, options };
    let label_file::LabelFile { table, notes } = label_file::find(folder, wanted)?;
    raw.notes.extend(notes);
    let parts = |p: &&PathBuf| medium == Medium::Records && (records::belongs_to_record(p) || record_lists::is_list(p));
    let others: Vec<PathBuf> = folder.all.iter().filter(|p| !parts(p) || files.contains(p)).cloned().collect();
    raw.notes.extend(unread::note(&others, &files, table)?);
    if let Some(first) = folder.too_deep.first() {
        let count = plural(folder.too_deep.len(), "folder");
        raw.note(format!("{count} too deep inside the folder, and not searched: {}", first.display()));
    }
    if let Some(table) = table {
        raw.named_by = match raw.named_by {
            [] => &["targets", "group", "split", "weight", "time", "ignore"],
            _ => &["inputs", "targets", "group", "split", "weight", "time", "ignore"],
        };
        // Windows may have the labels of annotations, and files those of their folders.
        let labels = needed && classes.len() < 2 && (medium != Medium::Records || options.window.is_none());
        return of_table(path, table, &files, options, labels::Use { labeled, labels, classes: true }, raw);
    }
    if medium == Medium::Records
        && let Some(labels) = record_lists::labels(folder, &files, records::label)?
    {
        raw.notes.extend(labels.note);
        let (paths, texts): (Vec<PathBuf>, Vec<String>) = labels.records.into_iter().unzip();
        let several = options.task.is_none()
            && options.decimal.as_deref() != Some(",")
            && is_multi_label(texts.iter().map(String::as_str));
        let several = several || options.task == Some(TaskName::MultiLabel);
        let (labels, names) = of_texts(texts, several, options);
        raw.classes = names;
        let samples = paths.into_iter().map(|path| Sample::new(path, Role::All)).collect();
        return Ok(Found { samples, labels: Some(labels), by_folder: false });
    }
    let by = of_folders(path, &files, labeled)?;
    raw.notes.extend(by.notes);
    let texts: Option<Vec<String>> = by.files.iter().map(|by| by.label.clone()).collect();
    let samples: Vec<Sample> = files.into_iter().zip(by.files).map(|(path, by)| Sample::new(path, by.role)).collect();
    if labeled && texts.is_some() {
        raw.warnings.extend(empty_folders(folder, &samples));
    }
    Ok(Found { samples, labels: labels_of_folders(texts, options, raw), by_folder: true })
}

/// The labels of files by the names of their folders. Each is one class, whatever it holds.
fn labels_of_folders(texts: Option<Vec<String>>, options: &ReadOptions, raw: &mut UnassembledData) -> Option<Labels> {
    let (labels, names) = of_texts(texts?, options.task == Some(TaskName::MultiLabel), options);
    raw.classes = names;
    Some(labels)
}

/// The samples that a table names, with what it says of them.
fn of_table(
    path: &Path,
    table: &Path,
    files: &[PathBuf],
    options: &ReadOptions,
    wanted: labels::Use,
    raw: &mut UnassembledData,
) -> Result<Found, DataError> {
    raw.file(table);
    let LabeledFiles { files: named, labels, names, roles, groups, facts, account, notes, warnings } =
        labels::read(table, files, options, wanted)?;
    (raw.columns, raw.classes) = (account, names);
    raw.notes.extend(notes);
    raw.warnings.extend(warnings);
    let by_folder = of_folders(path, &named, false)?;
    let mut samples: Vec<Sample> = Vec::with_capacity(files.len());
    for (i, (file, by)) in named.iter().zip(&by_folder.files).enumerate() {
        samples.push(Sample {
            path: file.clone(),
            role: roles.as_ref().map_or(by.role, |roles| roles[i]),
            group: groups.as_ref().map(|groups| groups[i].clone()),
            weight: facts.weights.as_ref().map(|weights| weights[i]),
            time: facts.times.as_ref().map(|times| times[i]),
        });
    }
    let mut labels = labels;
    let known: BTreeSet<&PathBuf> = named.iter().collect();
    let others: Vec<PathBuf> = files.iter().filter(|file| !known.contains(file)).cloned().collect();
    let needed = wanted.labeled || options.scored;
    if !others.is_empty() && needed {
        let left_out = format!("{} left out: not named by the labels", plural(others.len(), "file"));
        if others.len() > named.len() { raw.warn(left_out) } else { raw.note(left_out) }
    } else if !others.is_empty() {
        // Files to predict from need no label.
        labels = None;
        let by = of_folders(path, &others, false)?;
        samples.extend(others.into_iter().zip(by.files).map(|(file, by)| Sample::new(file, by.role)));
    }
    if let (Some(Labels::Names(names)), true) = (&labels, needed) {
        match beside_table(path, &relative(path, table), &named, &by_folder.files, names) {
            Some(Said::Note(text)) => raw.note(text),
            Some(Said::Warning(text)) => raw.warn(text),
            None => {}
        }
    }
    if labels.is_none() && needed {
        let texts: Option<Vec<String>> = by_folder.files.into_iter().map(|by| by.label).collect();
        let classes = texts.iter().flatten().collect::<BTreeSet<_>>().len();
        labels = labels_of_folders(texts.filter(|_| classes > 1), options, raw);
        if labels.is_some() {
            raw.note(format!("{} has no labels: they are the names of the folders", relative(path, table)));
        }
    }
    Ok(Found { samples, labels, by_folder: false })
}

/// Warns of empty folders beside the folders of the classes.
fn empty_folders(folder: &FolderProbe, samples: &[Sample]) -> Option<String> {
    let parents: BTreeSet<&Path> = samples.iter().filter_map(|s| s.path.parent()?.parent()).collect();
    let empty: Vec<String> = (folder.empty.iter())
        .filter(|empty| empty.parent().is_some_and(|parent| parents.contains(parent)))
        .map(|empty| format!("`{}`", relative(&folder.path, empty)))
        .collect();
    let more = if empty.len() > 5 { format!(" and {} more", empty.len() - 5) } else { String::new() };
    (!empty.is_empty()).then(|| {
        let names = empty[..empty.len().min(5)].join(", ");
        format!("folders beside the classes are empty: {names}{more}; get their files, or remove them")
    })
}

/// Refuses files that all lie in one folder, whose name would be the only class.
fn check_one_folder(path: &Path, names: &[String], options: &ReadOptions) -> Result<(), DataError> {
    let labels: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let (Some(label), 1, None) = (labels.first(), labels.len(), options.task) else { return Ok(()) };
    let reason = format!("all files lie in one folder, `{label}`, which would be the only class");
    Err(DataError::file(path, reason).with_hint(
        "put the files of each class into a folder of its name, or a labels.csv with the columns `file` and `label` beside \
         the folder",
    ))
}

/// Reads the files of all samples into one array; `new` ones are for a model.
fn load(medium: Medium, found: &[Sample], new: bool, raw: &mut UnassembledData) -> Result<Array, DataError> {
    let paths: Vec<PathBuf> = found.iter().map(|s| s.path.clone()).collect();
    let decides: Vec<bool> = found.iter().map(|s| matches!(s.role, Role::All | Role::Train)).collect();
    let decides = if decides.contains(&true) { decides } else { vec![true; found.len()] };
    let UnassembledData { reading, notes, warnings, .. } = raw;
    match medium {
        Medium::Images => {
            let first = decides.iter().position(|&d| d).unwrap_or(0);
            images::read(&paths, &paths[first], reading, notes, warnings)
        }
        Medium::Sound => sound::read(&paths, &decides, new, reading, [notes, warnings]),
        Medium::Recordings | Medium::Records => {
            let all = if medium == Medium::Records {
                let all = paths.par_iter().map(|p| records::read(p, reading)).collect::<Result<Vec<_>, _>>()?;
                let aligned = records::align(all, reading)?;
                reading.signals = Some(aligned.signals);
                notes.extend(aligned.notes);
                warnings.extend(aligned.warnings);
                aligned.series
            } else {
                paths.iter().map(|p| recording(p, reading)).collect::<Result<Vec<_>, _>>()?
            };
            let training = all.iter().zip(&decides).filter(|(_, d)| **d).map(|(s, _)| s);
            let (length, _) = values::common_length(training, reading);
            notes.extend(values::lengths_note(all.iter(), length, reading));
            if new && reading.length.is_some() {
                warnings.extend(values::cut_warning(all.iter().map(Series::len), length, "values", reading));
            }
            notes.extend(values::filled_notes(all.iter(), reading.fill_missing));
            let x = values::pack(all, length, reading)?;
            reading.length = Some(length);
            Ok(x)
        }
    }
}

/// Reads the recording in a file as a series, less the centers of its channels: its only array, or the one of a known name;
/// the longer axis is time.
fn recording(path: &Path, options: &ReadOptions) -> Result<Series, DataError> {
    let mut container: Box<dyn Container> = match extension(path).as_str() {
        "mat" => Box::new(Mat::open(path, options)?),
        _ => Box::new(NpyFiles::open(path, options)?),
    };
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_owned();
    let numeric: Vec<String> = (container.list().iter())
        .filter(|i| !i.text && i.shape.iter().product::<usize>() > 1)
        .map(|i| i.name.clone())
        .collect();
    let name = match &numeric[..] {
        [one] => one,
        several => match several.iter().find(|n| options.inputs.as_ref() == Some(*n) || **n == stem || *n == "val") {
            Some(name) => name,
            None => return Err(container::incomplete(&*container, "one array that is the recording".into())),
        },
    };
    let shape = container.list().iter().find(|info| info.name == *name).map_or(&[][..], |info| &info.shape);
    let subtract = Subtract::recording(shape, options);
    let (array, _) = container.numbers(name, subtract.as_ref())?;
    let channels = match array.shape[..] {
        [_] => vec![array.data],
        [rows, columns] if rows <= columns => array.data.chunks(columns.max(1)).map(<[f32]>::to_vec).collect(),
        [_, columns] => (0..columns).map(|c| array.data.iter().skip(c).step_by(columns).copied().collect()).collect(),
        _ => {
            let reason = format!("an array of shape {:?} is not a recording (channels × time)", array.shape);
            return Err(DataError::file(path, reason));
        }
    };
    Ok(Series { channels, path: path.into(), line: 0, first_column: 1 })
}
