//! PSICOV: distances between the residues of a protein (PDNet's features; DeepCov for training, PSICOV for
//! testing).

use crate::fetch::published::{Checksum, PublishedFile, Unpack};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, numbers, pickle, unexpected};
use crate::recipes::recipe::Recipe;
use dashnas_core::rng::Seed;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use rand::RngExt;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Points on a side of a training crop.
const CROP: usize = 128;
/// Padding on each side of a protein.
const PAD: usize = 5;
/// Channels: 3 of secondary structure, 22 of the sequence profile, accessibility and entropy, each by row
/// and by column, and three of pairs.
const CHANNELS: usize = 57;
/// Larger distances are set to this one, in Å.
const FARTHEST: f32 = 16.0;
/// Number of proteins of the training list that are held out for validation.
const VALIDATION: usize = 100;
/// The most bytes that the inputs may take.
const LIMIT: u64 = 64 << 30;

pub(super) const RECIPE: Recipe = Recipe {
    name: "psicov",
    title: "57 features of each pair of a protein's residues to their distance",
    license: "Adhikari 2020 (PDNet), GPL",
    files: &[
        ("protein/deepcov.lst, protein/psicov.lst", "proteins to train and to test on, one per line"),
        (
            "protein/SET/features/NAME.pkl",
            "pickled dictionary of `seq`, `ss` 3×L, `pssm` L×22, `sa` L, `entropy` L, `ccmpred`, `freecon` and \
             `potential` L×L",
        ),
        ("protein/SET/distance/NAME-cb.npy", "pickled length, sequence and L×L distances in Å"),
    ],
    preparation: "57 channels; padded by 5 on each side; 128×128 crops at random places to train on, whole proteins \
                  to validate and test on; distances from 1 to 16 Å; padding counts neither in the loss nor in the \
                  metric",
    split: "DeepCov to train on, its first 100 to validate, PSICOV to test",
    settings: &[
        "task.loss=mse",
        "task.metric=contact-mae",
        "search.batch-size=8",
        "retrain.batch-size=8",
        "space.kernel-sizes=[3, 5, 7, 9]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: None,
    sources: &[PublishedFile {
        url: "https://pde-xd.s3.amazonaws.com/protein.zip",
        file: "protein.zip",
        bytes: None,
        checksum: Checksum::Unknown,
        unpack: Unpack::Zip,
    }],
    by_hand: Some(crate::recipes::recipe::MOVED),
    read,
};

/// The features and distances of a protein.
struct Protein {
    length: usize,
    /// Features of residues, each `length` long.
    residues: Vec<Vec<f32>>,
    /// Features of pairs, each `length²` long.
    pairs: Vec<Vec<f32>>,
    distances: Vec<f32>,
}

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let root = find("psicov", folder, &["protein/deepcov.lst", "deepcov.lst"])?.with_file_name("");
    let list = |name: &str| -> Result<Vec<Protein>, TaskError> {
        let path = find("psicov", &root, &[&format!("{name}.lst")])?;
        let text = std::fs::read_to_string(&path).map_err(|e| unexpected(&path, e.to_string()))?;
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        names.par_iter().map(|protein| read_protein(&root.join(name), protein)).collect()
    };
    let (mut train, test) = (list("deepcov")?, list("psicov")?);
    let held_out = VALIDATION.min(train.len() / 10);
    let val: Vec<Protein> = train.drain(..held_out).collect();
    let sides = [&val, &test].map(|set| set.iter().map(|p| p.length + 2 * PAD).max().unwrap_or(0));
    let bytes = 4
        * CHANNELS as u128
        * (crops(&train).len() * CROP * CROP + val.len() * sides[0].pow(2) + test.len() * sides[1].pow(2)) as u128;
    if bytes > u128::from(LIMIT) {
        return Err(DataError::TooLarge { path: root, array: "features".into(), bytes, limit: LIMIT }.into());
    }
    let whole = |set: &[Protein], side: usize| split(set, &whole(set), side);
    let val = (!val.is_empty()).then(|| whole(&val, sides[0]));
    let train = split(&train, &crops(&train), CROP);
    let test = whole(&test, sides[1]);
    Ok(Dataset::with_unknown("psicov", TaskKind::DenseRegression { channels: 1 }, train, val, test)?)
}

/// The origin of a sample: the number of its protein, and the row and column in its padded map.
type CropOrigin = (usize, [usize; 2]);

/// One sample for each protein.
fn whole(set: &[Protein]) -> Vec<CropOrigin> {
    (0..set.len()).map(|i| (i, [0, 0])).collect()
}

/// As many random crops of each protein as its length has multiples of that of a crop, rounded up. A protein that fits
/// into a crop is used whole.
fn crops(set: &[Protein]) -> Vec<CropOrigin> {
    let mut places = Vec::new();
    for (i, protein) in set.iter().enumerate() {
        let padded = protein.length + 2 * PAD;
        let room = padded.saturating_sub(CROP);
        // A part of the task, not of a run: the same for every seed.
        let mut stream = Seed(0).stream("psicov/crop", &[i as u64]);
        for _ in 0..padded.div_ceil(CROP) {
            let mut at = || if room > 0 { stream.random_range(0..=room) } else { 0 };
            places.push((i, [at(), at()]));
        }
    }
    places
}

/// A split of samples of one size.
fn split(set: &[Protein], places: &[CropOrigin], side: usize) -> Split {
    let plane = side * side;
    let mut x = vec![0.0; places.len() * CHANNELS * plane];
    let mut y = vec![f32::NAN; places.len() * plane];
    let samples = x.par_chunks_mut((CHANNELS * plane).max(1)).zip(y.par_chunks_mut(plane.max(1))).zip(places);
    samples.for_each(|((x, y), &(i, at))| set[i].copy_crop(at, side, x, y));
    Split {
        x: Array::new(vec![places.len(), CHANNELS, side, side], x),
        y: Targets::Values(Array::new(vec![places.len(), 1, side, side], y)),
    }
}

impl Protein {
    /// Copies the part of the padded map from `at` on into a sample of zeros and NaN.
    fn copy_crop(&self, at: [usize; 2], side: usize, x: &mut [f32], y: &mut [f32]) {
        // Points of the sample that are residues, with the residue.
        let inside = |from: usize| {
            (0..side).filter_map(move |p| (from + p).checked_sub(PAD).filter(|&r| r < self.length).map(|r| (p, r)))
        };
        for (row, i) in inside(at[0]) {
            for (column, j) in inside(at[1]) {
                let point = row * side + column;
                for (f, feature) in self.residues.iter().enumerate() {
                    x[2 * f * side * side + point] = feature[j];
                    x[(2 * f + 1) * side * side + point] = feature[i];
                }
                for (f, pair) in self.pairs.iter().enumerate() {
                    x[(2 * self.residues.len() + f) * side * side + point] = pair[i * self.length + j];
                }
                y[point] = self.distances[i * self.length + j];
            }
        }
    }
}

/// Reads the features and distances of a protein.
fn read_protein(set: &Path, name: &str) -> Result<Protein, TaskError> {
    let features: PathBuf = find("psicov", set, &[&format!("features/{name}.pkl")])?;
    let content = pickle(&features)?;
    let root = content.root();
    let length = root.get("seq")?.text()?.len();
    let feature = |key: &str, shape: &[usize]| -> Result<Vec<f32>, TaskError> {
        let array = numbers(root, key)?;
        if array.shape != shape {
            return Err(unexpected(&features, format!("`{key}` has shape {:?}, not {shape:?}", array.shape)));
        }
        match array.data.iter().find(|v| v.is_infinite()) {
            Some(v) => Err(unexpected(&features, format!("`{key}` holds {v}"))),
            // As in the published code, missing values are 0.
            None => Ok(array.data.into_iter().map(|v| if v.is_nan() { 0.0 } else { v }).collect()),
        }
    };
    let structure = feature("ss", &[3, length])?;
    let profile = feature("pssm", &[length, 22])?;
    let mut residues: Vec<Vec<f32>> = structure.chunks_exact(length.max(1)).map(<[f32]>::to_vec).collect();
    residues.extend((0..22).map(|c| (0..length).map(|r| profile[r * 22 + c]).collect::<Vec<f32>>()));
    residues.push(feature("sa", &[length])?);
    residues.push(feature("entropy", &[length])?);
    let pairs = ["ccmpred", "freecon", "potential"].map(|key| feature(key, &[length, length]));
    let pairs = pairs.into_iter().collect::<Result<Vec<_>, _>>()?;

    let path = find("psicov", set, &[&format!("distance/{name}-cb.npy")])?;
    let content = pickle(&path)?;
    let parts = content.root().items()?;
    let Some(map) = parts.get(2) else {
        return Err(unexpected(&path, format!("it holds {} objects, not length, sequence and distances", parts.len())));
    };
    let map = map.array()?;
    if map.shape != [length, length] {
        return Err(unexpected(&path, format!("its map has shape {:?}, but {name} has {length} residues", map.shape)));
    }
    Ok(Protein { length, residues, pairs, distances: distances(map.data, length) })
}

/// Distances as they are trained on: from 1 Å to [`FARTHEST`]; that of a residue to itself is the mean of those to its
/// neighbors. NaN is unknown.
fn distances(mut map: Vec<f32>, length: usize) -> Vec<f32> {
    map.iter_mut().filter(|d| **d < 1.0).for_each(|d| *d = 1.0);
    for i in 0..length {
        let beside = [i.checked_sub(1), Some(i + 1).filter(|&j| j < length)];
        let known: Vec<f32> =
            beside.into_iter().flatten().map(|j| map[i * length + j]).filter(|d| !d.is_nan()).collect();
        if !map[i * length + i].is_nan() {
            map[i * length + i] = if known.is_empty() { 1.0 } else { known.iter().sum::<f32>() / known.len() as f32 };
        }
    }
    map.iter_mut().filter(|d| **d > FARTHEST).for_each(|d| *d = FARTHEST);
    map
}
