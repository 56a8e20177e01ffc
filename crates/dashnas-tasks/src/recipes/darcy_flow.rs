//! Darcy flow from the published files (Li et al., "Fourier Neural Operator"); [`crate::darcy`] generates
//! such data without them.

use crate::darcy::fields::{self, Fields};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, unexpected};
use crate::recipes::recipe::Recipe;
use dashnas_data::dataset::Dataset;
use dashnas_formats::array::Array;
use dashnas_formats::container::Container;
use dashnas_formats::mat::Mat;
use dashnas_formats::options::ReadOptions;
use std::path::Path;

/// Points on a side of the published fields.
const POINTS: usize = 421;
/// Every `STRIDE`-th point is kept.
const STRIDE: usize = 5;

const TRAIN: &str = "piececonst_r421_N1024_smooth1.mat";
const TEST: &str = "piececonst_r421_N1024_smooth2.mat";

pub(super) const RECIPE: Recipe = Recipe {
    name: "darcy-flow",
    title: "the coefficient of Darcy's equation, 85×85, to its solution",
    license: "Li et al. 2020, MIT",
    files: &[(TRAIN, "`coeff` and `sol`, N×421×421 in a MATLAB file of level 5"), (TEST, "the same")],
    preparation: "every 5th point of the first 1000 (training) and 100 (test) samples; two channels of coordinates; \
                  coefficient and solution normalized point by point",
    split: "as published, one file each",
    // The rules for dense tasks are those of the paper for this task.
    settings: &[],
    alpha_grad_scale: None,
    sources: &[],
    by_hand: Some(
        "Without a data folder, no files are needed: problems of the same kind are generated and solved. The published \
         files are in a shared folder, which the README of github.com/neuraloperator/neuraloperator links to: download \
         Darcy_421.zip from it and unpack it.",
    ),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let (train, test) = (part(folder, TRAIN, 1000)?, part(folder, TEST, 100)?);
    Ok(fields::dataset("darcy-flow".into(), train, test)?)
}

/// The first `count` samples of a file.
fn part(folder: &Path, file: &str, count: usize) -> Result<Fields, TaskError> {
    let path = find("darcy-flow", folder, &[file])?;
    let mut mat = Mat::open(&path, &ReadOptions::default())?;
    let mut field = |name: &str| -> Result<Array, TaskError> {
        let array = mat.numbers(name, None)?.0;
        let &[n, POINTS, POINTS] = &array.shape[..] else {
            return Err(unexpected(&path, format!("`{name}` has shape {:?}, not N×{POINTS}×{POINTS}", array.shape)));
        };
        let (kept, side) = (n.min(count), POINTS.div_ceil(STRIDE));
        let points = |i: usize| {
            let sample = array.row(i);
            let row = move |r: usize| (0..POINTS).step_by(STRIDE).map(move |c| sample[r * POINTS + c]);
            (0..POINTS).step_by(STRIDE).flat_map(row)
        };
        Ok(Array::new(vec![kept, 1, side, side], (0..kept).flat_map(points).collect()))
    };
    let (a, u) = (field("coeff")?, field("sol")?);
    if a.rows() != u.rows() {
        return Err(unexpected(&path, format!("`coeff` has {} samples, but `sol` has {}", a.rows(), u.rows())));
    }
    Ok(Fields { a, u })
}
