//! The networks and batches that training steps are timed on: one for each kind of task of the
//! paper, the same as in the PyTorch program they are compared with.

use crate::backbone::{Plan, Shape};
use crate::config::BackboneName;
use aggconv::{KernelSpace, SpaceError};

/// One case: a batch shape, a task and a kernel space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its name on the command line.
    pub name: &'static str,
    /// Samples a batch.
    pub batch: usize,
    /// Input channels.
    pub channels: usize,
    /// `[1, length]` or `[height, width]`.
    pub input: [usize; 2],
    /// Classes, or field channels of a dense task.
    pub outputs: usize,
    /// Whether it predicts at every position.
    pub dense: bool,
    /// K.
    pub kernel_sizes: &'static [usize],
    /// D.
    pub dilations: &'static [usize],
}

const K1: &[usize] = &[3, 7, 11, 15, 19];
const K2: &[usize] = &[3, 5, 7, 9];
const D: &[usize] = &[1, 3, 7, 15];

const fn series(name: &'static str, [batch, channels, length]: [usize; 3], outputs: usize) -> Case {
    Case { name, batch, channels, input: [1, length], outputs, dense: false, kernel_sizes: K1, dilations: D }
}

const fn image(name: &'static str, [batch, channels, h, w]: [usize; 4], outputs: usize) -> Case {
    Case { name, batch, channels, input: [h, w], outputs, dense: false, kernel_sizes: K2, dilations: D }
}

/// Every case.
pub const CASES: [Case; 9] = [
    Case { kernel_sizes: &[3, 5, 7, 9, 11], dilations: &[1, 3, 7, 15, 31], ..series("seqmnist", [128, 1, 1000], 10) },
    Case {
        kernel_sizes: &[3, 5, 7, 9, 11, 13, 15],
        dilations: &[1, 3, 7, 15, 31, 63, 127],
        ..series("seqmnist49", [128, 1, 1000], 10)
    },
    series("ecg", [128, 1, 1000], 4),
    series("satellite", [256, 1, 46], 24),
    series("deepsea", [64, 4, 1000], 36),
    image("cifar", [64, 3, 32, 32], 100),
    image("ninapro", [128, 1, 16, 52], 18),
    Case { dense: true, ..image("darcy", [10, 3, 85, 85], 1) },
    Case { dense: true, ..image("darcy29", [10, 3, 29, 29], 1) },
];

/// A searched pattern for timing discretized 2-D networks: the paper's example for Darcy flow
/// (§4.2).
const PATTERN_2D: [[usize; 2]; 13] =
    [[5, 3], [3, 1], [3, 1], [3, 15], [7, 15], [9, 7], [9, 7], [3, 7], [5, 7], [5, 15], [9, 7], [3, 7], [7, 7]];
/// Likewise in one dimension.
const PATTERN_1D: [[usize; 2]; 9] = [[11, 3], [19, 7], [7, 15], [15, 1], [3, 15], [19, 3], [7, 7], [11, 15], [3, 1]];

impl Case {
    /// The case of this name.
    pub fn named(name: &str) -> Option<Case> {
        CASES.into_iter().find(|c| c.name == name)
    }

    /// Axes of the data.
    pub fn dims(&self) -> usize {
        if self.input[0] == 1 { 1 } else { 2 }
    }

    /// The paper's backbone for it.
    pub fn plan(&self, width: usize) -> Plan {
        let shape = Shape {
            channels: self.channels,
            outputs: self.outputs,
            dense: self.dense,
            width,
            base: None,
            plain_kernels: &[7, 5, 3],
        };
        BackboneName::for_dims(self.dims()).resolve().plan(shape)
    }

    /// Its kernel space.
    ///
    /// # Errors
    /// Never for the built-in cases.
    pub fn space(&self) -> Result<KernelSpace, SpaceError> {
        KernelSpace::new(self.kernel_sizes.to_vec(), self.dilations.to_vec())
    }

    /// A discretized network's kernels.
    pub fn pattern(&self) -> Vec<[usize; 2]> {
        if self.dims() == 1 { PATTERN_1D.to_vec() } else { PATTERN_2D.to_vec() }
    }
}
