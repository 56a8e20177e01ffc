//! ECG: atrial fibrillation and other rhythms in short recordings (PhysioNet challenge 2017).

use crate::fetch::published::{Checksum, PublishedFile, Unpack};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, pickle, unexpected};
use crate::recipes::legacy_random::train_test_split;
use crate::recipes::recipe::Recipe;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::groups::{GroupKind, Groups};
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_data::transform::standardize;
use dashnas_data::transform::window::starts;
use dashnas_formats::array::Array;
use dashnas_formats::bytes::text;
use dashnas_formats::container::Container;
use dashnas_formats::mat::Mat;
use dashnas_formats::options::ReadOptions;
use dashnas_formats::tables::csv;
use std::path::Path;

/// Number of points of a window.
const WINDOW: usize = 1000;
/// Number of points from one window to the next in a recording of the class `normal`.
const STRIDE: usize = 500;
/// The label of each class in the files, its name, and the factor by which its windows are closer than those of
/// `normal`. As in the published code, rarer classes have closer windows, so that the classes are better balanced.
const CLASSES: [(&str, &str, usize); 4] =
    [("N", "normal", 1), ("A", "atrial fibrillation", 6), ("O", "other rhythm", 2), ("~", "noise", 20)];

pub(super) const RECIPE: Recipe = Recipe {
    name: "ecg",
    title: "ECG of one lead, windows of 1000 points, into normal, atrial fibrillation, other rhythm and noise",
    license: "PhysioNet/CinC challenge 2017, ODC-BY 1.0",
    files: &[
        (
            "challenge2017.pkl",
            "pickled dictionary of `data`, one series per recording, and `label`, one of N, A, O and ~",
        ),
        (
            "training2017/REFERENCE.csv",
            "alternatively, as published by the challenge: name and label of each recording",
        ),
        ("training2017/*.mat", "the recordings that REFERENCE.csv names, each an array `val`"),
    ],
    preparation: "each recording standardized and cut into windows of 1000 points, 500 apart (N), 83 (A), 250 (O) or \
                  25 (~)",
    split: "by recording: a tenth for the test, drawn as by scikit-learn with seed 0, and a ninth of the rest for validation",
    settings: &[
        "task.metric=one-minus-f1",
        "search.batch-size=1024",
        "retrain.batch-size=1024",
        "space.kernel-sizes=[3, 7, 11, 15, 19]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: None,
    sources: &[PublishedFile {
        url: "https://pde-xd.s3.amazonaws.com/ECG/challenge2017.pkl",
        file: "challenge2017.pkl",
        bytes: None,
        checksum: Checksum::Unknown,
        unpack: Unpack::No,
    }],
    by_hand: Some(
        "The authors of the benchmark published this address and have since moved the file. The recordings themselves \
         are at https://physionet.org/content/challenge-2017/1.0.0/: unpack training2017.zip in the folder.",
    ),
    read,
};

/// A standardized recording and its class.
type Recording = (Vec<f32>, usize);

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let candidates = ["challenge2017.pkl", "training2017/REFERENCE.csv", "REFERENCE.csv"];
    let path = find("ecg", folder, &candidates)?;
    let recordings = if path.extension().is_some_and(|e| e == "csv") { listed(&path)? } else { pickled(&path)? };
    let (rest, test) = train_test_split(0, recordings.len(), 0.1);
    let (train, val) = train_test_split(0, rest.len(), 1.0 / 9.0);
    let of_rest = |places: Vec<usize>| -> Vec<usize> { places.into_iter().map(|i| rest[i]).collect() };
    let (train, val) = (of_rest(train), of_rest(val));
    let task = TaskKind::Classification { classes: CLASSES.len() };
    let (tested, names) = windows(&recordings, &test);
    let mut set = Dataset::new(
        "ecg",
        task,
        windows(&recordings, &train).0,
        Some(windows(&recordings, &val).0).filter(|split| !split.is_empty()),
        tested,
    )?;
    // The split is that of the paper. Only what the test windows show depends on the recordings.
    set.groups = Some(Groups::new(GroupKind::Recordings, [None, None, Some(&names)]));
    Ok(set.with_classes(CLASSES.map(|c| c.1.to_owned()).to_vec())?)
}

/// The recordings of a pickle.
fn pickled(path: &Path) -> Result<Vec<Recording>, TaskError> {
    let pickle = pickle(path)?;
    let (data, labels) = (pickle.root().get("data")?.items()?, pickle.root().get("label")?.items()?);
    if data.len() != labels.len() {
        return Err(unexpected(path, format!("it has {} recordings but {} labels", data.len(), labels.len())));
    }
    let recording =
        |(i, (series, label)): (usize, (dashnas_formats::pickle::Item<'_>, dashnas_formats::pickle::Item<'_>))| {
            let class = class(path, &format!("recording {i}"), &label.text()?)?;
            Ok((standardized(path, &format!("recording {i}"), series.array()?.data)?, class))
        };
    data.into_iter().zip(labels).enumerate().map(recording).collect()
}

/// The recordings that `REFERENCE.csv` lists, in its order, from the MATLAB files beside it.
fn listed(path: &Path) -> Result<Vec<Recording>, TaskError> {
    let options = ReadOptions::default();
    let rows = csv::all(path, &text(path, options.max_bytes)?)?;
    let recording = |(line, row): &csv::Row| {
        let [name, label] = &row[..] else {
            return Err(unexpected(path, format!("line {line} is not `NAME,LABEL`")));
        };
        let class = class(path, &format!("line {line}"), label)?;
        let inside = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
        let file = path.with_file_name(format!("{name}.mat"));
        if !inside || !file.is_file() {
            let reason = format!("line {line} names a recording that does not exist: {}", file.display());
            return Err(unexpected(path, reason));
        }
        let series = Mat::open(&file, &options)?.numbers("val", None)?.0;
        match series.shape[..] {
            [1, _] => Ok((standardized(&file, "the recording", series.data)?, class)),
            _ => Err(unexpected(&file, format!("`val` has shape {:?}, where one lead has one row", series.shape))),
        }
    };
    rows.iter().map(recording).collect()
}

/// A recording scaled to mean 0 and standard deviation 1, if it is finite.
fn standardized(path: &Path, which: &str, mut series: Vec<f32>) -> Result<Vec<f32>, TaskError> {
    if let Some(at) = series.iter().position(|v| !v.is_finite()) {
        return Err(unexpected(path, format!("{which} is {} at point {at}", series[at])));
    }
    standardize(&mut series);
    Ok(series)
}

/// The class of a label.
fn class(path: &Path, which: &str, label: &str) -> Result<usize, TaskError> {
    let found = CLASSES.iter().position(|c| c.0 == label.trim());
    found.ok_or_else(|| unexpected(path, format!("{which} has the label `{label}`, not one of N, A, O and ~")))
}

/// The windows of some recordings, and the number of the recording of each.
fn windows(recordings: &[Recording], which: &[usize]) -> (Split, Vec<String>) {
    let (mut x, mut y, mut of) = (Vec::new(), Vec::new(), Vec::new());
    for (i, (series, class)) in which.iter().map(|&i| (i, &recordings[i])) {
        for start in starts(series.len(), WINDOW, STRIDE / CLASSES[*class].2) {
            x.extend_from_slice(&series[start..start + WINDOW]);
            y.push(*class as u32);
            of.push(i.to_string());
        }
    }
    (Split { x: Array::new(vec![y.len(), 1, WINDOW], x), y: Targets::Classes(y) }, of)
}
