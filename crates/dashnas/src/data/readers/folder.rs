//! Folders: of images, sound or recordings in files of their own, of arrays, or with one data set in it.

use super::series::{self, Series};
use super::{fasta, idx, images, labels, mat, npy_files, pairs, refused, sound};
use crate::config::TaskName;
use crate::data::arrays::{self, Container};
use crate::data::infer::RawTargets;
use crate::data::raw::{Labels, Part, Raw, Role};
use crate::data::{Array, DataError, ReadOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One sample in a file of its own.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    path: PathBuf,
    role: Role,
    label: Option<String>,
    group: Option<String>,
}

/// What the samples' files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Medium {
    Images,
    Sound,
    /// MATLAB or NumPy files of one recording each.
    Recordings,
}

/// Deepest folder that is looked into, and most files.
const MAX_DEPTH: usize = 6;
const MAX_FILES: usize = 5_000_000;

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let entries = std::fs::read_dir(folder).map_err(|e| DataError::io(folder, e))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|p| !p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(['.', '_'])));
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth < MAX_DEPTH {
                list(&path, depth + 1, files)?;
            }
        } else {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(DataError::file(folder, "it holds too many files"));
        }
    }
    Ok(())
}

/// Reads what is in a folder. `single` reads a file by itself.
pub(crate) fn read(
    path: &Path,
    options: &ReadOptions,
    labelled: bool,
    single: impl Fn(&Path) -> Result<Raw, DataError>,
) -> Result<Raw, DataError> {
    let mut all = Vec::new();
    list(path, 0, &mut all)?;
    if all.is_empty() {
        return Err(DataError::file(path, "it is an empty folder"));
    }
    let here: Vec<PathBuf> = all.iter().filter(|p| p.parent() == Some(path)).cloned().collect();
    let having = |test: fn(&Path) -> bool| all.iter().filter(|p| test(p)).cloned().collect::<Vec<_>>();
    let of = |extensions: &[&str]| -> Vec<PathBuf> {
        here.iter().filter(|p| extensions.contains(&super::extension(p).as_str())).cloned().collect()
    };

    let pictures = having(images::is_image);
    if !pictures.is_empty() {
        if let Some(raw) = dense(path, &pictures, options, labelled)? {
            return Ok(raw);
        }
        return samples(path, Medium::Images, pictures, &here, options, labelled);
    }
    let clips = having(sound::is_wav);
    if !clips.is_empty() {
        return samples(path, Medium::Sound, clips, &here, options, labelled);
    }
    let recordings = having(|p| matches!(super::extension(p).as_str(), "mat" | "npy"));
    let is_label_file = labels::find(&here);
    if recordings.len() > 1 && is_label_file.is_some() {
        return samples(path, Medium::Recordings, recordings, &here, options, labelled);
    }
    let sequences = of(&["fa", "fasta", "fna", "faa"]);
    if !sequences.is_empty() {
        return fasta::read(path, &sequences, options, labelled);
    }
    let idx_files: Vec<PathBuf> = here.iter().filter(|p| idx::is_idx(p)).cloned().collect();
    if !idx_files.is_empty() {
        return idx::read(path, &idx_files, options, labelled);
    }
    if !of(&["npy"]).is_empty() {
        let mut files = npy_files::NpyFiles::open(path, options)?;
        return arrays::read(&mut files, options, labelled);
    }
    let sets = of(&["npz", "h5", "hdf5", "he5", "mat", "ts", "arff", "tsv", "csv", "txt", "parquet", "pq"]);
    // Files that differ only in the split they name are one data set.
    let mut groups: BTreeMap<(String, String), Vec<PathBuf>> = BTreeMap::new();
    for file in sets {
        let key = (super::name_of(&file), super::extension(&file));
        groups.entry(key).or_default().push(file);
    }
    if let (1, Some(files)) = (groups.len(), groups.values().next()) {
        // Without need of labels a file is read by itself, and it is the test samples that are wanted.
        let wanted = if labelled { Role::Train } else { Role::Test };
        return single(files.iter().find(|p| pairs::role_of(p) == Some(wanted)).unwrap_or(&files[0]));
    }
    if groups.is_empty() {
        let refusal = all.iter().find_map(|p| refused::refuse(p, &super::extension(p)));
        return Err(refusal.unwrap_or_else(|| DataError::file(path, "there is no file in it that is read")));
    }
    let contents = groups.keys().map(|(name, extension)| format!("{name} (.{extension})")).collect();
    let format = "a folder of several data sets".into();
    Err(DataError::Incomplete {
        path: path.into(),
        format,
        contents,
        missing: "a choice: give one of its files".into(),
    })
}

/// The words between a folder and a file in it.
fn steps(root: &Path, path: &Path) -> Vec<String> {
    let inner = path.parent().and_then(|p| p.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    inner.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect()
}

/// A file's path in a folder.
fn inside(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Samples with labels from a file, from their folders, or without.
fn samples(
    path: &Path,
    medium: Medium,
    files: Vec<PathBuf>,
    here: &[PathBuf],
    options: &ReadOptions,
    labelled: bool,
) -> Result<Raw, DataError> {
    let format = match medium {
        Medium::Images => "folder of images",
        Medium::Sound => "folder of WAV files",
        Medium::Recordings => "folder of recordings",
    };
    let mut raw = Raw::new(format, options);
    raw.file(path);
    let found: Vec<Sample> = if let Some(table) = labels::find(here) {
        raw.file(table);
        let entries = labels::read(table, &files, options)?;
        if entries.len() < files.len() {
            raw.note(format!("{} file(s) that the labels do not name are left out", files.len() - entries.len()));
        }
        let role_of = |p: &Path| steps(path, p).iter().find_map(|w| Role::of_word(w));
        let sample = |e: labels::Entry| Sample {
            role: e.role.or_else(|| role_of(&e.path)).unwrap_or(Role::All),
            path: e.path,
            label: Some(e.label),
            group: e.group,
        };
        entries.into_iter().map(sample).collect()
    } else {
        let sample = |path_: PathBuf| {
            let mut steps = steps(path, &path_);
            let at = steps.iter().position(|w| Role::of_word(w).is_some_and(|_| w.len() > 2));
            let role = at.map(|i| steps.remove(i)).and_then(|w| Role::of_word(&w)).unwrap_or(Role::All);
            Sample { role, label: steps.pop(), group: None, path: path_ }
        };
        files.into_iter().map(sample).collect()
    };
    if labelled && found.iter().any(|s| s.label.is_none()) {
        let contents = vec![format!("{} files", found.len())];
        let missing = "labels: put the files of each class into a folder of its name, or a labels.csv beside them";
        return Err(DataError::Incomplete {
            path: path.into(),
            format: format.into(),
            contents,
            missing: missing.into(),
        });
    }
    lone_classes(path, &found, options, labelled)?;
    let grouped = found.iter().all(|s| s.group.is_some());
    let x = load(medium, &found, &mut raw)?;
    let multi = options.task == Some(TaskName::MultiLabel) || is_multi_label(&found);
    let names = multi.then(|| label_names(&found));
    for role in [Role::All, Role::Train, Role::Val, Role::Test] {
        let rows: Vec<usize> = (0..found.len()).filter(|&i| found[i].role == role).collect();
        if rows.is_empty() {
            continue;
        }
        let texts: Option<Vec<String>> = rows.iter().map(|&i| found[i].label.clone()).collect();
        let y = texts.map(|texts| match &names {
            Some(names) => multi_hot(&texts, names),
            None => as_labels(texts, options),
        });
        let ids = rows.iter().map(|&i| inside(path, &found[i].path)).collect();
        let groups = grouped.then(|| rows.iter().filter_map(|&i| found[i].group.clone()).collect());
        raw.parts.push(Part { role, x: x.select(&rows), y, groups, ids: Some(ids) });
    }
    raw.classes = names;
    Ok(raw)
}

/// Names, or numbers where regression is asked for.
fn as_labels(texts: Vec<String>, options: &ReadOptions) -> Labels {
    let numbers: Option<Vec<f32>> = texts.iter().map(|t| series::number(t).filter(|v| !v.is_nan())).collect();
    match (numbers, options.task) {
        (Some(data), Some(TaskName::Regression)) => {
            let array = Array::new(vec![data.len()], data);
            Labels::Numbers(RawTargets { name: "labels".into(), array, integral: false })
        }
        (Some(data), None) if data.iter().any(|v| v.fract() != 0.0) => {
            let array = Array::new(vec![data.len()], data);
            Labels::Numbers(RawTargets { name: "labels".into(), array, integral: false })
        }
        _ => Labels::Names(texts),
    }
}

fn split_labels(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|']).map(str::trim).filter(|l| !l.is_empty())
}

/// Whether some samples have several labels, parted by commas or the like.
fn is_multi_label(samples: &[Sample]) -> bool {
    samples.iter().any(|s| s.label.as_deref().is_some_and(|l| split_labels(l).count() > 1))
}

fn label_names(samples: &[Sample]) -> Vec<String> {
    let all = samples.iter().filter_map(|s| s.label.as_deref()).flat_map(split_labels);
    all.map(str::to_owned).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

fn multi_hot(texts: &[String], names: &[String]) -> Labels {
    let mut data = vec![0.0; texts.len() * names.len()];
    for (text, row) in texts.iter().zip(data.chunks_mut(names.len().max(1))) {
        for label in split_labels(text) {
            // The names are sorted, and were collected from these texts.
            if let Ok(i) = names.binary_search_by(|n| n.as_str().cmp(label)) {
                row[i] = 1.0;
            }
        }
    }
    let array = Array::new(vec![texts.len(), names.len()], data);
    Labels::Numbers(RawTargets { name: "labels".into(), array, integral: true })
}

/// A class that has a single sample cannot be both trained and tested on.
fn lone_classes(path: &Path, samples: &[Sample], options: &ReadOptions, labelled: bool) -> Result<(), DataError> {
    let texts: Vec<String> = samples.iter().filter_map(|s| s.label.clone()).collect();
    let classes = !is_multi_label(samples) && matches!(as_labels(texts, options), Labels::Names(_));
    let other = options.task.is_some_and(|task| task != TaskName::Classification);
    if !labelled || !classes || other || samples.iter().any(|s| s.role == Role::Test) {
        return Ok(());
    }
    let mut counts: BTreeMap<&str, (usize, &Path)> = BTreeMap::new();
    for s in samples {
        let label = s.label.as_deref().unwrap_or("");
        counts.entry(label).or_insert((0, &s.path)).0 += 1;
    }
    let Some((label, (_, only))) = counts.iter().find(|(_, (n, _))| *n == 1) else { return Ok(()) };
    let reason = format!("class `{label}` has one sample only, {}", only.display());
    let mut hint = "a class needs one sample to train on and one to test on: add some, or remove the class".to_owned();
    if counts.keys().all(|label| series::number(label).is_some()) {
        hint += "; where the labels are quantities, say --task regression";
    }
    Err(DataError::file(path, reason).with_hint(hint))
}

fn load(medium: Medium, found: &[Sample], raw: &mut Raw) -> Result<Array, DataError> {
    let paths: Vec<PathBuf> = found.iter().map(|s| s.path.clone()).collect();
    let decides: Vec<bool> = found.iter().map(|s| matches!(s.role, Role::All | Role::Train)).collect();
    let decides = if decides.contains(&true) { decides } else { vec![true; found.len()] };
    let Raw { reading, notes, .. } = raw;
    match medium {
        Medium::Images => {
            let first = decides.iter().position(|&d| d).unwrap_or(0);
            images::read(&paths, &paths[first], reading, notes)
        }
        Medium::Sound => sound::read(&paths, &decides, reading, notes),
        Medium::Recordings => {
            let all = paths.iter().map(|p| recording(p, reading)).collect::<Result<Vec<_>, _>>()?;
            let training = all.iter().zip(&decides).filter(|(_, d)| **d).map(|(s, _)| s);
            let (length, _) = series::common_length(training, reading);
            notes.extend(series::lengths_note(all.iter(), length, reading));
            let x = series::pack(all, length, reading)?;
            reading.length = Some(length);
            Ok(x)
        }
    }
}

/// The one array of a file as a series; the longer axis is time.
fn recording(path: &Path, options: &ReadOptions) -> Result<Series, DataError> {
    let mut container: Box<dyn Container> = match super::extension(path).as_str() {
        "mat" => Box::new(mat::Mat::open(path, options)?),
        _ => Box::new(npy_files::NpyFiles::open(path, options)?),
    };
    let own = path.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_owned();
    let numeric: Vec<String> = (container.list().iter())
        .filter(|i| !i.text && i.shape.iter().product::<usize>() > 1)
        .map(|i| i.name.clone())
        .collect();
    let name = match &numeric[..] {
        [one] => one,
        several => match several.iter().find(|n| options.inputs.as_ref() == Some(*n) || **n == own || *n == "val") {
            Some(name) => name,
            None => return Err(arrays::incomplete(&*container, "one array that is the recording".into())),
        },
    };
    let (array, _) = container.numbers(name)?;
    let channels = match array.shape[..] {
        [_] => vec![array.data],
        [rows, columns] if rows <= columns => array.data.chunks(columns.max(1)).map(<[f32]>::to_vec).collect(),
        [_, columns] => (0..columns).map(|c| array.data.iter().skip(c).step_by(columns).copied().collect()).collect(),
        _ => {
            let reason = format!("an array of shape {:?} is no recording (channels × time)", array.shape);
            return Err(DataError::file(path, reason));
        }
    };
    Ok(Series { channels, path: path.into(), line: 0, first_column: 1 })
}

/// Pairs of image and mask of the same name in two folders, if that is what this is.
fn dense(path: &Path, files: &[PathBuf], options: &ReadOptions, labelled: bool) -> Result<Option<Raw>, DataError> {
    let kind = |p: &Path| -> Option<bool> {
        steps(path, p).iter().find_map(|w| match w.to_ascii_lowercase().as_str() {
            "image" | "images" | "img" | "imgs" | "input" | "inputs" | "x" => Some(false),
            "mask" | "masks" | "label" | "labels" | "target" | "targets" | "y" | "gt" | "annotations" => Some(true),
            _ => None,
        })
    };
    if files.iter().any(|p| kind(p).is_none()) || !files.iter().any(|p| kind(p) == Some(true)) {
        return Ok(None);
    }
    let role = |p: &Path| steps(path, p).iter().find_map(|w| Role::of_word(w)).unwrap_or(Role::All);
    let stem = |p: &Path| (role(p), p.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default());
    let masks: BTreeMap<_, &PathBuf> = files.iter().filter(|p| kind(p) == Some(true)).map(|p| (stem(p), p)).collect();
    let inputs: Vec<&PathBuf> = files.iter().filter(|p| kind(p) == Some(false)).collect();
    let mut raw = Raw::new("folder of images with masks of the same names", options);
    raw.file(path);
    for role_ in [Role::All, Role::Train, Role::Val, Role::Test] {
        let pictures: Vec<PathBuf> = inputs.iter().filter(|p| role(p) == role_).map(|p| (*p).clone()).collect();
        let Some(first) = pictures.first().cloned() else { continue };
        let ids = pictures.iter().map(|p| inside(path, p)).collect();
        let x = images::read(&pictures, &first, &mut raw.reading, &mut raw.notes)?;
        if !labelled {
            raw.parts.push(Part { role: role_, x, y: None, groups: None, ids: Some(ids) });
            continue;
        }
        let mut paired = Vec::with_capacity(pictures.len());
        for picture in &pictures {
            let Some(mask) = masks.get(&stem(picture)) else {
                return Err(DataError::file(picture, "there is no mask of the same name")
                    .with_hint("add it, or remove the image"));
            };
            paired.push((*mask).clone());
        }
        // Targets are in memory, whatever the inputs are.
        let mut mask_options = ReadOptions { channels: Some(1), in_memory: Some(u64::MAX), ..raw.reading.clone() };
        let mut y = images::read(&paired, &paired[0], &mut mask_options, &mut Vec::new())?;
        let two = y.data.iter().all(|&v| v == 0.0 || v == 255.0);
        let binary = options.task.map_or(two || raw.reading.resize.is_some(), |t| t == TaskName::DenseBinary);
        if binary {
            y.data.iter_mut().for_each(|v| *v = f32::from(*v >= 128.0));
            raw.note("masks are 1 where they are at least half white");
        }
        let y = Labels::Numbers(RawTargets { name: "masks".into(), array: y, integral: binary });
        raw.parts.push(Part { role: role_, x, y: Some(y), groups: None, ids: Some(ids) });
    }
    Ok(Some(raw))
}
