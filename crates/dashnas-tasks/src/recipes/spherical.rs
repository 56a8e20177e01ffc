//! Spherical CIFAR-100: the images projected on a sphere.

use crate::fetch::published::{Checksum, PublishedFile, Unpack};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, labeled, pickle, reshaped, unexpected};
use crate::recipes::recipe::Recipe;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use std::path::Path;

pub(super) const RECIPE: Recipe = Recipe {
    name: "spherical",
    title: "images projected on a sphere, 60×60 in color, into 100 classes",
    license: "NAS-Bench-360, CC BY-SA; the images as CIFAR-100",
    files: &[("s2_cifar100.gz", "pickle of `train` and `test`, each `images` N×3×60×60 and `labels`")],
    preparation: "channels normalized. The transform `spherical` makes such images from others",
    split: "as published",
    settings: &[
        "search.batch-size=64",
        "retrain.batch-size=64",
        "space.kernel-sizes=[3, 5, 7, 9]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: Some(500.0),
    sources: &[PublishedFile {
        url: "https://pde-xd.s3.amazonaws.com/spherical/s2_cifar100.gz",
        file: "s2_cifar100.gz",
        bytes: None,
        checksum: Checksum::Unknown,
        unpack: Unpack::No,
    }],
    by_hand: Some(crate::recipes::recipe::MOVED),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let path = find("spherical", folder, &["s2_cifar100.gz", "s2_cifar100", "spherical/s2_cifar100"])?;
    let pickle = pickle(&path)?;
    let mut classes = 0;
    let mut part = |name: &str| -> Result<Split, TaskError> {
        let (x, y) = labeled(pickle.root().get(name)?, &path, ["images", "labels"], 0)?;
        let x = match x.shape[..] {
            [_, _, _, _] => x,
            [_, h, w] => reshaped(x, &[1, h, w]),
            _ => return Err(unexpected(&path, format!("`images` has shape {:?}, not N×3×60×60", x.shape))),
        };
        classes = y.iter().max().map_or(0, |&m| m as usize + 1).max(classes);
        Ok(Split { x, y: Targets::Classes(y) })
    };
    let (train, test) = (part("train")?, part("test")?);
    Ok(Dataset::new("spherical", TaskKind::Classification { classes }, train, None, test)?)
}
