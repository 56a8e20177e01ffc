//! The nodes of a graph.

use serde::{Deserialize, Serialize};

/// A node of a graph, by its place in the order of evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub usize);

/// A convolution with zero "same" padding and a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Convolution {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Kernel size; odd. Of a searched convolution, that of the plain backbone.
    pub kernel: usize,
    /// Stride on every axis of the data.
    pub stride: usize,
    /// Whether the search replaces its kernel size and dilation.
    pub searched: bool,
}

impl Convolution {
    /// Whether it is a 1×1 convolution that is not searched.
    pub fn is_pointwise(&self) -> bool {
        !self.searched && self.kernel == 1
    }

    /// The trained numbers of the convolution in so many dimensions with kernels of size `k`, including the bias.
    pub fn params(&self, k: usize, dims: usize) -> u64 {
        let [c_in, c_out] = self.channels.map(|c| c as u64);
        let taps = (k as u64).saturating_pow(dims as u32);
        (c_in * c_out).saturating_mul(taps).saturating_add(c_out)
    }
}

/// What a node computes from the values of its inputs.
///
/// Values are `[N, channels, H, W]`; in one dimension H is 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "op")]
pub enum Operation {
    /// The input of the network.
    Input {
        /// Its channels.
        channels: usize,
    },
    /// A convolution: `[N, c_in, H, W]` to `[N, c_out, ⌈H/stride⌉, ⌈W/stride⌉]`.
    Conv(Convolution),
    /// Batch normalization.
    Norm {
        /// The channels of its input.
        channels: usize,
    },
    /// The rectified linear unit.
    Relu,
    /// Dropout at the rate that training sets.
    Dropout,
    /// The sum of two or more values of one shape.
    Sum,
    /// Two or more values of one size put together along their channels, in the order of the inputs.
    Concat,
    /// The mean over all positions: `[N, channels, 1, 1]`.
    Mean,
    /// A linear map of the channels at every position, or of their means: `[N, outputs, positions]`. It is the output
    /// of the network.
    Linear {
        /// Features and outputs.
        channels: [usize; 2],
    },
}

impl Operation {
    /// The name of the operation in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Operation::Input { .. } => "input",
            Operation::Conv(_) => "conv",
            Operation::Norm { .. } => "norm",
            Operation::Relu => "relu",
            Operation::Dropout => "dropout",
            Operation::Sum => "sum",
            Operation::Concat => "concat",
            Operation::Mean => "mean",
            Operation::Linear { .. } => "linear",
        }
    }

    /// The kind of its parameters.
    pub fn kind(&self) -> Kind {
        match self {
            Operation::Conv(conv) if conv.searched => Kind::Searched,
            Operation::Conv(conv) if conv.is_pointwise() => Kind::Pointwise,
            Operation::Conv(_) => Kind::Unsearched,
            Operation::Norm { .. } => Kind::Norm,
            Operation::Linear { .. } => Kind::Head,
            _ => Kind::Nothing,
        }
    }
}

/// The kinds of parameters that nodes have. Those of a kind are numbered in the order of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Those of a searched convolution.
    Searched,
    /// Those of a 1×1 convolution that is not searched.
    Pointwise,
    /// Those of a wider convolution that is not searched.
    Unsearched,
    /// Those of a batch normalization.
    Norm,
    /// Those of the linear map.
    Head,
    /// None.
    Nothing,
}

/// An operation and where its inputs come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The operation.
    #[serde(flatten)]
    pub operation: Operation,
    /// The nodes whose values it uses, all of them before this one.
    pub inputs: Vec<NodeId>,
}
