//! Satellite image time series: what grows or stands on a pixel of land.

use super::files::{find, labelled, pickle, reshaped, unexpected};
use super::{Recipe, TaskError};
use crate::data::{Dataset, Split, Targets};
use crate::fetch::{Hash, Source, Unpack};
use crate::task::TaskKind;
use std::path::Path;

const fn source(url: &'static str, file: &'static str) -> Source {
    Source { url, file, bytes: None, hash: Hash::Unknown, unpack: Unpack::No }
}

pub(super) const RECIPE: Recipe = Recipe {
    name: "satellite",
    title: "a pixel's year of satellite images, 46 points, into 24 kinds of land cover",
    licence: "Petitjean et al. 2012, GPL 3.0",
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
    by_hand: Some(super::MOVED),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let mut classes = 0;
    let mut part = |name: &str| -> Result<Split, TaskError> {
        let path = find("satellite", folder, &[&format!("satellite_{name}.npy")])?;
        let pickle = pickle(&path)?;
        let (x, y) = labelled(pickle.root().unwrapped(), &path, ["data", "label"], 1)?;
        let &[_, points] = &x.shape[..] else {
            return Err(unexpected(&path, format!("`data` has shape {:?}, not N×46", x.shape)));
        };
        classes = y.iter().max().map_or(0, |&m| m as usize + 1).max(classes);
        Ok(Split { x: reshaped(x, &[1, points]), y: Targets::Classes(y) })
    };
    let (train, test) = (part("train")?, part("test")?);
    Ok(Dataset::new("satellite", TaskKind::Classification { classes }, train, None, test)?)
}
