//! DeepSEA: chromatin features of DNA sequences.

use crate::fetch::published::{Checksum, PublishedFile, Unpack};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, transposed, unexpected};
use crate::recipes::recipe::Recipe;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::npz::arrays;
use std::path::Path;

pub(super) const RECIPE: Recipe = Recipe {
    name: "deepsea",
    title: "DNA, 1000 bases, to 36 chromatin features",
    license: "Zhou and Troyanskaya 2015, CC BY 4.0",
    files: &[(
        "deepsea_filtered.npz",
        "`x_train`, `x_val`, `x_test`, one-hot N×1000×4, and `y_train`, `y_val`, `y_test`, 0/1 N×36",
    )],
    preparation: "one-hot bases as four channels, not normalized; positive labels weigh four times as much as negative ones",
    split: "as published: training, validation and test",
    settings: &[
        "task.metric=one-minus-auroc",
        "task.pos-weight=4.0",
        "search.batch-size=256",
        "retrain.batch-size=256",
        "space.kernel-sizes=[3, 7, 11, 15, 19]",
        "space.dilations=[1, 3, 7, 15]",
    ],
    alpha_grad_scale: Some(10.0),
    sources: &[PublishedFile {
        url: "https://pde-xd.s3.amazonaws.com/deepsea/deepsea_filtered.npz",
        file: "deepsea_filtered.npz",
        bytes: None,
        checksum: Checksum::Unknown,
        unpack: Unpack::No,
    }],
    by_hand: Some(crate::recipes::recipe::MOVED),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let path = find("deepsea", folder, &["deepsea_filtered.npz"])?;
    let names = ["x_train", "y_train", "x_val", "y_val", "x_test", "y_test"];
    let mut found = arrays(&path, &names)?.into_iter();
    let mut labels = 0;
    let mut next = || -> Result<Split, TaskError> {
        // `arrays` returns one array for each name, or an error.
        let mut take = || found.next().unwrap_or(Array::new(vec![0], vec![]));
        let (x, y) = (take(), take());
        let ([_, _, 4], &[_, columns]) = (&x.shape[..], &y.shape[..]) else {
            let reason = format!("inputs {:?} and labels {:?}, not N×1000×4 and N×36", x.shape, y.shape);
            return Err(unexpected(&path, reason));
        };
        labels = columns;
        Ok(Split { x: transposed(x), y: Targets::Values(y) })
    };
    let (train, val, test) = (next()?, next()?, next()?);
    let mut set = Dataset::new("deepsea", TaskKind::MultiLabel { labels }, train, Some(val), test)?;
    set.normalization.input = vec![dashnas_data::normalize::Scheme::Identity; 4];
    Ok(set)
}
