//! The networks and batches on which training steps are timed: one for each kind of task of the paper. They are the
//! same as in the PyTorch program that the times are compared with.

use aggconv::{KernelSpace, SpaceError};
use dashnas_core::names::BackboneName;
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::graph::topology::Graph;

/// One case: a batch shape, a task and a kernel space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Samples in a batch.
    pub batch: usize,
    /// Input channels.
    pub channels: usize,
    /// `[1, length]` or `[height, width]`.
    pub input: [usize; 2],
    /// Classes, or field channels of a dense task.
    pub outputs: usize,
    /// Whether it predicts at every position.
    pub dense: bool,
    /// The kernel sizes K.
    pub kernel_sizes: Vec<usize>,
    /// The dilations D.
    pub dilations: Vec<usize>,
}

const D: [usize; 4] = [1, 3, 7, 15];

fn series(name: &str, [batch, channels, length]: [usize; 3], outputs: usize) -> Case {
    Case {
        name: name.into(),
        batch,
        channels,
        input: [1, length],
        outputs,
        dense: false,
        kernel_sizes: vec![3, 7, 11, 15, 19],
        dilations: D.to_vec(),
    }
}

fn image(name: &str, [batch, channels, h, w]: [usize; 4], outputs: usize) -> Case {
    Case {
        name: name.into(),
        batch,
        channels,
        input: [h, w],
        outputs,
        dense: false,
        kernel_sizes: vec![3, 5, 7, 9],
        dilations: D.to_vec(),
    }
}

/// Flattened digits padded to `length` (appendix A.3), over the given space.
fn digits(name: &str, length: usize, kernel_sizes: Vec<usize>, dilations: Vec<usize>) -> Case {
    Case { kernel_sizes, dilations, ..series(name, [128, 1, length], 10) }
}

/// `{3, 5, …}` and `{1, 3, 7, …}`, c of each: the spaces of Fig. 2.
fn growing_space(c: usize) -> (Vec<usize>, Vec<usize>) {
    ((1..=c).map(|p| 2 * p + 1).collect(), (1..=c).map(|q| (1 << q) - 1).collect())
}

/// All named cases.
pub fn cases() -> Vec<Case> {
    let (k1, d1) = growing_space(1);
    let (k5, d5) = growing_space(5);
    let (k7, d7) = growing_space(7);
    vec![
        digits("seqmnist", 1000, k5, d5),
        digits("seqmnist1", 1000, k1, d1),
        digits("seqmnist49", 1000, k7, d7),
        series("ecg", [128, 1, 1000], 4),
        series("satellite", [256, 1, 46], 24),
        series("deepsea", [64, 4, 1000], 36),
        image("cifar", [64, 3, 32, 32], 100),
        image("ninapro", [128, 1, 16, 52], 18),
        Case { dense: true, ..image("darcy", [10, 3, 85, 85], 1) },
        Case { dense: true, ..image("darcy29", [10, 3, 29, 29], 1) },
    ]
}

/// The cases of Fig. 2: 1, 4, 9, … 49 operations at n = 1000. The first number is the value on the horizontal axis.
pub fn figure_2() -> Vec<(usize, Case)> {
    let case = |c| {
        let (k, d) = growing_space(c);
        (c * c, digits(&format!("{} operations", c * c), 1000, k, d))
    };
    (1..=7).map(case).collect()
}

/// The cases of Fig. 3: 25 operations at n = 2⁵ … 2¹².
pub fn figure_3() -> Vec<(usize, Case)> {
    let case = |log: u32| {
        let (k, d) = growing_space(5);
        (1 << log, digits(&format!("n = {}", 1 << log), 1 << log, k, d))
    };
    (5..=12).map(case).collect()
}

/// A searched pattern for timing discretized 2-D networks: the paper's example for Darcy flow
/// (§4.2).
const PATTERN_2D: [[usize; 2]; 13] =
    [[5, 3], [3, 1], [3, 1], [3, 15], [7, 15], [9, 7], [9, 7], [3, 7], [5, 7], [5, 15], [9, 7], [3, 7], [7, 7]];
/// A searched pattern for timing discretized 1-D networks.
const PATTERN_1D: [[usize; 2]; 9] = [[11, 3], [19, 7], [7, 15], [15, 1], [3, 15], [19, 3], [7, 7], [11, 15], [3, 1]];

impl Case {
    /// The case with a name.
    pub fn named(name: &str) -> Option<Case> {
        cases().into_iter().find(|c| c.name == name)
    }

    /// The spatial axes of the data, 1 or 2.
    pub fn dims(&self) -> usize {
        if self.input[0] == 1 { 1 } else { 2 }
    }

    /// The backbone of the paper for it.
    pub fn graph(&self, width: usize) -> Graph {
        let shape = NetworkSpec {
            channels: self.channels,
            outputs: self.outputs,
            dense: self.dense,
            width,
            base: None,
            extent: NetworkSpec::extent_of(self.dims(), self.input),
            plain_kernels: &[7, 5, 3],
        };
        dashnas_nn::backbone::by_name(BackboneName::for_dims(self.dims())).graph(shape)
    }

    /// Its kernel space.
    ///
    /// # Errors
    /// Never for the built-in cases.
    pub fn space(&self) -> Result<KernelSpace, SpaceError> {
        KernelSpace::new(self.kernel_sizes.clone(), self.dilations.clone())
    }

    /// The kernels of a discretized network.
    pub fn pattern(&self) -> Vec<[usize; 2]> {
        if self.dims() == 1 { PATTERN_1D.to_vec() } else { PATTERN_2D.to_vec() }
    }
}
