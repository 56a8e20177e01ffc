//! Cosmic: the pixels of a telescope's image that were hit by cosmic rays (deepCR on Hubble's ACS/WFC).

use crate::fetch::published::{Checksum, PublishedFile, Unpack};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, npy, unexpected};
use crate::recipes::recipe::Recipe;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::npy::NpyHeader;
use rayon::prelude::*;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Pixels on a side of the crop that is used.
const CROP: usize = 128;
/// The first row and column of the crop in a published image.
const CROP_AT: usize = 64;

const fn source(url: &'static str, file: &'static str) -> PublishedFile {
    PublishedFile { url, file, bytes: None, checksum: Checksum::Unknown, unpack: Unpack::Tar }
}

pub(super) const RECIPE: Recipe = Recipe {
    name: "cosmic",
    title: "telescope images, 128×128, to the mask of cosmic rays",
    license: "Zhang and Bloom 2020; Kwon et al. 2021, open",
    files: &[
        ("npy_train/FILTER/PROPOSAL/VISIT/*.npy", "3×H×W: image, mask of cosmic rays, mask of pixels to ignore"),
        ("npy_test/FILTER/PROPOSAL/VISIT/*.npy", "the same"),
        ("train_dirs.npy, test_dirs.npy", "optional: the images that are used"),
    ],
    preparation: "the 128×128 pixels from (64, 64) on of larger images; ignored pixels count neither in the loss nor \
                  in the metric. Unlike in the published loader, the brightness of the sky is not varied at random",
    split: "as published",
    settings: &[
        "search.batch-size=4",
        "retrain.batch-size=4",
        "space.kernel-sizes=[3, 5, 7, 9]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: Some(1000.0),
    sources: &[
        source("https://pde-xd.s3.amazonaws.com/cosmic/deepCR.ACS-WFC.train.tar", "deepCR.ACS-WFC.train.tar"),
        source("https://pde-xd.s3.amazonaws.com/cosmic/deepCR.ACS-WFC.test.tar", "deepCR.ACS-WFC.test.tar"),
    ],
    by_hand: Some(crate::recipes::recipe::MOVED),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let part = |name: &str| -> Result<Split, TaskError> {
        let paths = images(folder, name)?;
        let tiles = paths.par_iter().map(|path| tile(path)).collect::<Result<Vec<_>, TaskError>>()?;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let mut size = [0, 0];
        for (path, tile) in paths.iter().zip(tiles) {
            if size == [0, 0] {
                size = tile.size;
            }
            if tile.size != size {
                let reason = format!("its size is {:?}, but that of {} is {size:?}", tile.size, paths[0].display());
                return Err(unexpected(path, reason));
            }
            x.extend(tile.image);
            y.extend(tile.mask);
        }
        let shape = vec![paths.len(), 1, size[0], size[1]];
        Ok(Split { x: Array::new(shape.clone(), x), y: Targets::Values(Array::new(shape, y)) })
    };
    let (train, test) = (part("train")?, part("test")?);
    Ok(Dataset::with_unknown("cosmic", TaskKind::DenseBinary { channels: 1 }, train, None, test)?)
}

/// The images of a split: those that a list names, or all.
fn images(folder: &Path, name: &str) -> Result<Vec<PathBuf>, TaskError> {
    let root = find("cosmic", folder, &[&format!("npy_{name}"), &format!("cosmic/npy_{name}")])?;
    let list = root.with_file_name(format!("{name}_dirs.npy"));
    let mut paths = Vec::new();
    if list.exists() {
        let mut reader = BufReader::new(File::open(&list).map_err(|e| unexpected(&list, e.to_string()))?);
        let header =
            NpyHeader::read(&mut reader).map_err(|e| unexpected(&list, format!("not a list of paths: {e:?}")))?;
        let names =
            header.read_text(&mut reader).map_err(|e| unexpected(&list, format!("not a list of paths: {e:?}")))?;
        let marker = format!("npy_{name}/");
        for written in names {
            // The published lists hold absolute paths of their authors' machine.
            let Some((_, below)) = written.split_once(&marker) else {
                return Err(unexpected(&list, format!("`{written}` is not below npy_{name}")));
            };
            if Path::new(below).components().any(|c| !matches!(c, std::path::Component::Normal(_))) {
                return Err(unexpected(&list, format!("`{written}` leads out of npy_{name}")));
            }
            paths.push(root.join(below));
        }
    } else {
        walk(&root, &mut paths).map_err(|e| unexpected(&root, e.to_string()))?;
        paths.sort();
    }
    if paths.is_empty() {
        return Err(TaskError::NoFile { task: "cosmic", file: "any image".into(), path: root });
    }
    Ok(paths)
}

/// Adds all images below a folder.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "npy") && path.file_name().is_some_and(|n| n != "sky.npy") {
            found.push(path);
        }
    }
    Ok(())
}

/// The part of an image that is used.
struct Tile {
    size: [usize; 2],
    image: Vec<f32>,
    /// 0 or 1; NaN for pixels to ignore.
    mask: Vec<f32>,
}

/// Reads the part of an image that is used.
fn tile(path: &Path) -> Result<Tile, TaskError> {
    let array = npy(path)?;
    let [planes @ (2 | 3), h, w] = array.shape[..] else {
        return Err(unexpected(path, format!("its shape is {:?}, not 3×H×W", array.shape)));
    };
    let span = |size: usize| if size >= CROP_AT + CROP { CROP_AT..CROP_AT + CROP } else { 0..size };
    let (rows, columns) = (span(h), span(w));
    let cut = |plane: usize| -> Vec<f32> {
        let plane = &array.data[plane * h * w..(plane + 1) * h * w];
        rows.clone().flat_map(|r| plane[r * w..(r + 1) * w][columns.clone()].iter().copied()).collect()
    };
    let mut mask = cut(1);
    if planes == 3 {
        mask.iter_mut().zip(cut(2)).filter(|(_, ignore)| *ignore != 0.0).for_each(|(m, _)| *m = f32::NAN);
    }
    Ok(Tile { size: [rows.len(), columns.len()], image: cut(0), mask })
}
