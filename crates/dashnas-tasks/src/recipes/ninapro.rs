//! NinaPro DB5: gestures of the hand from the electric signals of muscles.

use crate::recipes::error::TaskError;
use crate::recipes::files::{find, labels, npy, reshaped, transposed, unexpected};
use crate::recipes::recipe::{Recipe, published};
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use std::path::Path;

pub(super) const RECIPE: Recipe = Recipe {
    name: "ninapro",
    title: "muscle signals, 16 electrodes by 52 points, into 18 gestures",
    license: "NinaPro DB5, CC BY-ND",
    files: &[
        ("ninapro_train.npy, ninapro_val.npy, ninapro_test.npy", "signals, N×52×16"),
        ("label_train.npy, label_val.npy, label_test.npy", "gestures from 0, N"),
    ],
    preparation: "transposed to images of 16×52 with one channel, normalized",
    split: "as published: training, validation and test",
    settings: &[
        "task.loss=focal",
        "search.batch-size=128",
        "retrain.batch-size=128",
        "space.kernel-sizes=[3, 5, 7, 9]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: None,
    // The checksums are those of a loader of the benchmark.
    sources: published![
        "https://pde-xd.s3.amazonaws.com/ninapro/",
        "",
        ("ninapro_train.npy", "d4c33785587983348e6091e86a0d30b6", No),
        ("label_train.npy", "4164e7fcae3f8abed0a04fd86b704f77", No),
        ("ninapro_val.npy", "138b106d4374a3fc204e41f6c4deda49", No),
        ("label_val.npy", "f0464819f7ed56cb1cbbfafd312bd604", No),
        ("ninapro_test.npy", "8a2b2cf87d5a5cf3986db2d67ebcfa18", No),
        ("label_test.npy", "807b502000dba69ae0111063970ac5d2", No),
    ],
    by_hand: Some(crate::recipes::recipe::MOVED),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let mut classes = 0;
    let mut part = |name: &str| -> Result<Split, TaskError> {
        let file = |kind: &str| {
            let name = format!("{kind}_{name}.npy");
            find("ninapro", folder, &[&name, &format!("ninaPro/{name}")])
        };
        let (x_path, y_path) = (file("ninapro")?, file("label")?);
        let x = npy(&x_path)?;
        let [_, points, electrodes] = x.shape[..] else {
            return Err(unexpected(&x_path, format!("its shape is {:?}, not N×52×16", x.shape)));
        };
        let y = labels(&y_path, &npy(&y_path)?, 0)?;
        classes = y.iter().max().map_or(0, |&m| m as usize + 1).max(classes);
        let x = reshaped(transposed(x), &[1, electrodes, points]);
        Ok(Split { x, y: Targets::Classes(y) })
    };
    let (train, val, test) = (part("train")?, part("val")?, part("test")?);
    Ok(Dataset::new("ninapro", TaskKind::Classification { classes }, train, Some(val), test)?)
}
