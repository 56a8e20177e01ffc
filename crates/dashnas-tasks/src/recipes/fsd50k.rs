//! FSD50K: the kinds of sound in a clip.

use crate::recipes::error::TaskError;
use crate::recipes::files::{find, unexpected};
use crate::recipes::recipe::{Recipe, published};
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::segments::Segments;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::audio::logmel::{LogMel, LogMelSettings};
use dashnas_formats::audio::resample;
use dashnas_formats::bytes::{bytes, text};
use dashnas_formats::error::DataError;
use dashnas_formats::media::sound;
use dashnas_formats::options::ReadOptions;
use dashnas_formats::tables::csv;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The sampling rate in hertz that clips are resampled to; a chunk is one second long.
const RATE: usize = 22_050;
/// Samples from the start of one chunk to that of the next.
const STEP: usize = RATE / 2;
/// The most chunks of a training clip that are kept. The published loader draws one chunk at each visit of the clip.
const TRAINING_CHUNKS: usize = 4;
/// The dynamic range in decibels below the loudest point of a chunk.
const RANGE: f32 = 80.0;
/// Number of clips that are decoded at a time.
const AT_ONCE: usize = 256;

pub(super) const RECIPE: Recipe = Recipe {
    name: "fsd50k",
    title: "log-mel spectrograms of sound clips, 96×101 a second, to 200 kinds of sound",
    license: "Fonseca et al. 2020, CC BY 4.0; single clips under CC0, CC BY, CC BY-NC or CC Sampling+, as the \
              metadata of the data set says",
    files: &[
        ("FSD50K.ground_truth/vocabulary.csv", "number, name and identifier of each class"),
        ("FSD50K.ground_truth/dev.csv", "fname, labels (separated by commas), mids, split (train or val)"),
        ("FSD50K.ground_truth/eval.csv", "fname, labels, mids"),
        ("FSD50K.dev_audio/*.wav", "the clips of dev.csv"),
        ("FSD50K.eval_audio/*.wav", "the clips of eval.csv"),
    ],
    preparation: "clips at 22050 Hz in chunks of a second, half a second apart, short ones repeated; each a log-mel \
                  spectrogram in decibels (96 bands of 1920 points, windows of 30 ms every 10 ms, 80 dB deep), less its mean, with \
                  the labels of its clip. A training clip gives at most 4 chunks, evenly spread, where the published \
                  loader draws one at a time; predictions are averaged over all chunks of a validation or test clip. \
                  Unlike in the published loader, no background noise is mixed in",
    split: "as published: dev.csv into training and validation by clip, eval.csv for testing",
    settings: &[
        "search.batch-size=128",
        "retrain.batch-size=128",
        "space.kernel-sizes=[3, 5, 7, 9]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: None,
    sources: published![
        "https://zenodo.org/records/4060432/files/",
        "?download=1",
        ("FSD50K.ground_truth.zip", "ca27382c195e37d2269c4c866dd73485", Zip),
        ("FSD50K.dev_audio.z01", "faa7cf4cc076fc34a44a479a5ed862a3", No),
        ("FSD50K.dev_audio.z02", "8f9b66153e68571164fb1315d00bc7bc", No),
        ("FSD50K.dev_audio.z03", "1196ef47d267a993d30fa98af54b7159", No),
        ("FSD50K.dev_audio.z04", "d088ac4e11ba53daf9f7574c11cccac9", No),
        ("FSD50K.dev_audio.z05", "81356521aa159accd3c35de22da28c7f", No),
        ("FSD50K.dev_audio.zip", "c480d119b8f7a7e32fdb58f3ea4d6c5a", No),
        ("FSD50K.eval_audio.z01", "3090670eaeecc013ca1ff84fe4442aeb", No),
        ("FSD50K.eval_audio.zip", "6fa47636c3a3ad5c7dfeba99f2637982", No),
    ],
    by_hand: Some(
        "The clips come in zip archives of several parts (about 25 GB), which are downloaded but not unpacked: in the \
         folder, run `zip -s 0 FSD50K.dev_audio.zip --out dev.zip && unzip dev.zip`, and the same for eval_audio. \
         The license of each clip is in FSD50K.metadata.zip at https://zenodo.org/records/4060432.",
    ),
    read,
};

/// A clip as its table describes it.
struct Clip {
    path: PathBuf,
    labels: Vec<usize>,
    validation: bool,
}

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let vocabulary = "FSD50K.ground_truth/vocabulary.csv";
    let vocabulary = find("fsd50k", folder, &[vocabulary, &format!("FSD50K/{vocabulary}")])?;
    let tables = vocabulary.parent().unwrap_or(folder);
    let root = tables.parent().unwrap_or(folder);
    let names = classes(&vocabulary)?;
    let part = |name: &str| {
        let table = find("fsd50k", tables, &[&format!("{name}.csv")])?;
        clips(&table, &root.join(format!("FSD50K.{name}_audio")), &names)
    };
    let (dev, eval) = (part("dev")?, part("eval")?);
    let (val, train): (Vec<Clip>, Vec<Clip>) = dev.into_iter().partition(|clip| clip.validation);
    let labels = names.len();
    let (train, _) = chunks(&train, TRAINING_CHUNKS, labels)?;
    let (val, val_segments) = chunks(&val, usize::MAX, labels)?;
    let (test, test_segments) = chunks(&eval, usize::MAX, labels)?;
    let val = Some(val).filter(|split| !split.is_empty());
    let mut set = Dataset::new("fsd50k", TaskKind::MultiLabel { labels }, train, val, test)?.with_classes(names)?;
    set.segments = Segments { val: set.val.is_some().then_some(val_segments), test: Some(test_segments) };
    Ok(set)
}

fn limit() -> u64 {
    ReadOptions::default().max_bytes
}

/// The names of the classes, in order.
fn classes(path: &Path) -> Result<Vec<String>, TaskError> {
    let rows = csv::all(path, &text(path, limit())?)?;
    let name = |(place, (line, row)): (usize, &csv::Row)| match &row[..] {
        [number, name, _] if number.parse() == Ok(place) => Ok(name.clone()),
        _ => Err(unexpected(path, format!("line {line} is not `{place},NAME,IDENTIFIER`"))),
    };
    rows.iter().enumerate().map(name).collect()
}

/// The clips that a table lists.
fn clips(path: &Path, folder: &Path, names: &[String]) -> Result<Vec<Clip>, TaskError> {
    let numbers: HashMap<&str, usize> = names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    let rows = csv::all(path, &text(path, limit())?)?;
    let Some(((_, header), rows)) = rows.split_first() else { return Err(unexpected(path, "it is empty")) };
    let column = |name: &str| header.iter().position(|field| field == name);
    let (Some(file), Some(labels)) = (column("fname"), column("labels")) else {
        return Err(unexpected(path, "its first line does not name the columns fname and labels"));
    };
    let split = column("split");
    let clip = |(line, row): &csv::Row| {
        let field = |column: usize| row.get(column).map_or("", String::as_str);
        let name = field(file);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(unexpected(path, format!("line {line} names the clip `{name}`")));
        }
        let known = |label: &str| {
            let unknown = || unexpected(path, format!("line {line} has the label `{label}`, not in vocabulary.csv"));
            numbers.get(label).copied().ok_or_else(unknown)
        };
        let validation = match split.map(field) {
            None | Some("train") => false,
            Some("val") => true,
            Some(other) => return Err(unexpected(path, format!("line {line} has the split `{other}`"))),
        };
        let clip = folder.join(format!("{name}.wav"));
        if !clip.is_file() {
            let reason = format!("line {line} names a clip that does not exist: {}", clip.display());
            return Err(unexpected(path, reason));
        }
        let labels = field(labels).split(',').map(|l| known(l.trim())).collect::<Result<_, _>>()?;
        Ok(Clip { path: clip, labels, validation })
    };
    rows.iter().map(clip).collect()
}

/// At most `at_most` chunks of each clip, and the number of the clip of each chunk.
fn chunks(clips: &[Clip], at_most: usize, labels: usize) -> Result<(Split, Vec<u32>), TaskError> {
    let settings = LogMelSettings { rate: RATE as u32, ..Default::default() };
    let mel = LogMel::new(&settings);
    let shape = [settings.bands, mel.frames(RATE)];
    let size = shape[0] * shape[1];
    let (mut x, mut y, mut segments) = (Vec::new(), Vec::new(), Vec::new());
    for (first, group) in clips.chunks(AT_ONCE).enumerate() {
        let spectrograms: Vec<Vec<f32>> =
            group.par_iter().map(|clip| spectrograms(&clip.path, at_most, &mel)).collect::<Result<_, TaskError>>()?;
        for (i, (clip, values)) in group.iter().zip(spectrograms).enumerate() {
            for _ in 0..values.len() / size {
                segments.push((first * AT_ONCE + i) as u32);
                let start = y.len();
                y.resize(start + labels, 0.0);
                clip.labels.iter().for_each(|&label| y[start + label] = 1.0);
            }
            x.extend(values);
        }
        let (bytes, limit) = (4 * x.len() as u128, limit());
        if let (true, Some(clip)) = (bytes > limit.into(), group.first()) {
            let array = "spectrograms".into();
            return Err(DataError::TooLarge { path: clip.path.clone(), array, bytes, limit }.into());
        }
    }
    let n = segments.len();
    let x = Array::new(vec![n, 1, shape[0], shape[1]], x);
    Ok((Split { x, y: Targets::Values(Array::new(vec![n, labels], y)) }, segments))
}

/// The spectrograms of the chunks of a clip, one after another.
fn spectrograms(path: &Path, at_most: usize, mel: &LogMel) -> Result<Vec<f32>, TaskError> {
    let clip = sound::parse(path, &bytes(path, limit())?, limit())?;
    if let Some(defect) = clip.defect {
        return Err(unexpected(path, format!("it is {}", defect.text())));
    }
    if let Some(at) = clip.samples.iter().position(|v| !v.is_finite()) {
        return Err(unexpected(path, format!("sample {at} is {}", clip.samples[at])));
    }
    let samples = resample(&clip.samples, clip.rate, RATE as u32).map_err(|e| unexpected(path, e.to_string()))?;
    let starts: Vec<usize> = if samples.len() < RATE { vec![0] } else { (0..samples.len()).step_by(STEP).collect() };
    let kept = starts.len().min(at_most);
    let places = (0..kept).map(|i| starts[if kept > 1 { i * (starts.len() - 1) / (kept - 1) } else { 0 }]);
    Ok(places.flat_map(|start| decibels(mel.compute(&chunk(&samples, start)))).collect())
}

/// The second from `start` on; if the clip ends before, the rest of it is repeated.
fn chunk(samples: &[f32], start: usize) -> Vec<f32> {
    samples[start..samples.len().min(start + RATE)].iter().copied().cycle().take(RATE).collect()
}

/// Converts natural logarithms of energies to decibels, clips them to [`RANGE`] below the loudest, and subtracts their
/// mean.
fn decibels(mut values: Vec<f32>) -> Vec<f32> {
    values.iter_mut().for_each(|v| *v *= 10.0 / std::f32::consts::LN_10);
    let floor = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - RANGE;
    values.iter_mut().for_each(|v| *v = v.max(floor));
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len().max(1) as f64;
    values.iter_mut().for_each(|v| *v -= mean as f32);
    values
}
