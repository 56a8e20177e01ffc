//! A split ready for training: normalized once, handed out in batches.

use crate::data::{Split, Targets};
use crate::loss::BatchTarget;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Normalized inputs and targets of one split.
#[derive(Debug, Clone)]
pub struct Samples {
    split: Split,
    /// `[channels, height, width]`; height 1 for series.
    input: [usize; 3],
    /// `[outputs, positions]` of value targets.
    target: [usize; 2],
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
        Self { split, input, target }
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
            x.extend_from_slice(self.split.x.row(i));
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
                BatchTarget::Values(Tensor::from_data(TensorData::new(y, [rows.len(), outputs, positions]), device))
            }
        };
        (self.inputs(rows, device), target)
    }

    /// The (normalized) split itself.
    pub fn split(&self) -> &Split {
        &self.split
    }
}
