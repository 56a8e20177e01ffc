//! Satellite image time series: the land cover of a pixel.

use crate::fetch::published::{Checksum, PublishedFile, Unpack};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, labeled, pickle, reshaped, unexpected};
use crate::recipes::recipe::Recipe;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use std::path::Path;

const fn source(url: &'static str, file: &'static str) -> PublishedFile {
    PublishedFile { url, file, bytes: None, checksum: Checksum::Unknown, unpack: Unpack::No }
}

pub(super) const RECIPE: Recipe = Recipe {
    name: "satellite",
    title: "a pixel's year of satellite images, 46 points, into 24 kinds of land cover",
    license: "Petitjean et al. 2012, GPL 3.0",
    files: &[
        ("satellite_train.npy", "pickled dictionary of `data`, N×46, and `label`, from 1"),
        ("satellite_test.npy", "the same"),
    ],
    preparation: "each series standardized (transform standardize-samples)",
    split: "as published",
    settings: &[
        "task.transforms=[\"standardize-samples\"]",
        "search.batch-size=256",
        "retrain.batch-size=256",
        "space.kernel-sizes=[3, 7, 11, 15, 19]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: None,
    sources: &[
        source("https://pde-xd.s3.amazonaws.com/satellite/satellite_train.npy", "satellite_train.npy"),
        source("https://pde-xd.s3.amazonaws.com/satellite/satellite_test.npy", "satellite_test.npy"),
    ],
    by_hand: Some(crate::recipes::recipe::MOVED),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let mut classes = 0;
    let mut part = |name: &str| -> Result<Split, TaskError> {
        let path = find("satellite", folder, &[&format!("satellite_{name}.npy")])?;
        let pickle = pickle(&path)?;
        let (x, y) = labeled(pickle.root().unwrapped(), &path, ["data", "label"], 1)?;
        let &[_, points] = &x.shape[..] else {
            return Err(unexpected(&path, format!("`data` has shape {:?}, not N×46", x.shape)));
        };
        classes = y.iter().max().map_or(0, |&m| m as usize + 1).max(classes);
        Ok(Split { x: reshaped(x, &[1, points]), y: Targets::Classes(y) })
    };
    let (train, test) = (part("train")?, part("test")?);
    Ok(Dataset::new("satellite", TaskKind::Classification { classes }, train, None, test)?)
}
