//! A split ready for training: normalized once, handed out in batches.

use crate::augment;
use crate::config::AugmentConfig;
use crate::data::{Split, Targets};
use crate::loss::BatchTarget;
use crate::rng::{Stream, permutation};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Normalized inputs and targets of one split.
#[derive(Debug, Clone)]
pub struct Samples {
    split: Split,
    /// `[channels, height, width]`; height 1 for series.
    input: [usize; 3],
    /// `[outputs, positions]` of value targets.
    target: [usize; 2],
    /// How the samples are changed and drawn in training.
    augment: Option<AugmentConfig>,
}

impl Samples {
    /// Wraps a split whose inputs and targets are already normalized.
    pub fn new(split: Split) -> Self {
        let x = &split.x.shape;
        let input = match x[1..] {
            [c, l] => [c, 1, l],
            [c, h, w] => [c, h, w],
            // Data sets are checked when they are read.
            _ => unreachable!("inputs are N×C×L or N×C×H×W, not {x:?}"),
        };
        let target = match &split.y {
            Targets::Classes(_) => [1, 1],
            Targets::Values(v) => {
                let outputs = v.shape.get(1).copied().unwrap_or(1);
                [outputs, v.row_len() / outputs.max(1)]
            }
        };
        Self { split, input, target, augment: None }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.split.x.rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[channels, height, width]` of one input.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// The inputs of the given rows, `[rows, C, H, W]`.
    pub fn inputs(&self, rows: &[usize], device: &Device) -> Tensor<4> {
        let [c, h, w] = self.input;
        let mut x = Vec::with_capacity(rows.len() * c * h * w);
        for &i in rows {
            x.extend_from_slice(&self.split.x.fetch(i));
        }
        Tensor::from_data(TensorData::new(x, [rows.len(), c, h, w]), device)
    }

    /// Inputs and targets of the given rows.
    pub fn batch(&self, rows: &[usize], device: &Device) -> (Tensor<4>, BatchTarget) {
        let target = match &self.split.y {
            Targets::Classes(labels) => {
                // Class counts are checked to be far below i32::MAX when data is read.
                let t: Vec<i32> = rows.iter().map(|&i| labels[i] as i32).collect();
                BatchTarget::Classes(Tensor::<2, Int>::from_data(TensorData::new(t, [rows.len(), 1]), device))
            }
            Targets::Values(values) => {
                let [outputs, positions] = self.target;
                let mut y = Vec::with_capacity(rows.len() * outputs * positions);
                for &i in rows {
                    y.extend_from_slice(values.row(i));
                }
                value_target(y, [rows.len(), outputs, positions], device)
            }
        };
        (self.inputs(rows, device), target)
    }

    /// Inputs and targets of the given rows as they are trained on: augmented, if this set is.
    pub fn training_batch(&self, rows: &[usize], stream: &mut Stream, device: &Device) -> (Tensor<4>, BatchTarget) {
        match &self.augment {
            Some(augment) if augment.changes_samples() => augment::batch(augment, self, rows, stream, device),
            _ => self.batch(rows, device),
        }
    }

    /// Which of the rows `indices` an epoch visits, and in which order: `drawn` of them (as places in
    /// `indices`), at random, or as many of each class where sampling is balanced.
    pub fn order(&self, indices: &[usize], drawn: usize, stream: &mut Stream) -> Vec<usize> {
        match (&self.augment, &self.split.y) {
            (Some(AugmentConfig { balance: true, .. }), Targets::Classes(labels)) => {
                let labels: Vec<u32> = indices.iter().map(|&i| labels[i]).collect();
                augment::balanced(&labels, drawn, stream)
            }
            _ => {
                let mut order = permutation(indices.len(), stream);
                order.truncate(drawn);
                order
            }
        }
    }

    /// `[outputs, positions]` of value targets.
    pub fn target(&self) -> [usize; 2] {
        self.target
    }

    /// The same samples, augmented in training.
    #[must_use]
    pub fn augmented(self, augment: AugmentConfig) -> Self {
        Self { augment: Some(augment), ..self }
    }

    /// The (normalized) split itself.
    pub fn split(&self) -> &Split {
        &self.split
    }
}

/// Value targets `[N, outputs, positions]`; NaN among them is what is not known.
pub(crate) fn value_target(mut values: Vec<f32>, shape: [usize; 3], device: &Device) -> BatchTarget {
    let tensor = |data: Vec<f32>| Tensor::<3>::from_data(TensorData::new(data, shape), device);
    if !values.iter().any(|v| v.is_nan()) {
        return BatchTarget::Values(tensor(values));
    }
    let known = values.iter().map(|v| if v.is_nan() { 0.0 } else { 1.0 }).collect();
    values.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = 0.0);
    BatchTarget::Known { values: tensor(values), known: tensor(known) }
}
