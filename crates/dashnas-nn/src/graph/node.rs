//! The nodes of a graph.

use serde::{Deserialize, Serialize};

/// The number of a node in the order of evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub usize);

/// A convolution with zero "same" padding, or zeros before the first position only if it is causal, and a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Convolution {
    /// The numbers of input and output channels.
    pub channels: [usize; 2],
    /// The kernel size, which is odd unless it is the size of patches. For a searched convolution, the size in the plain
    /// backbone.
    pub kernel: usize,
    /// The stride on every axis of the data.
    pub stride: usize,
    /// Whether the search chooses the kernel size and dilation.
    pub searched: bool,
    /// The dilation. For a searched convolution, the dilation in the plain backbone.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub dilation: usize,
    /// Whether the kernel sees only the output position and those before it, which takes data with one axis.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub causal: bool,
    /// The number of groups, which divides both numbers of channels: an output channel sees the input channels of its
    /// own group. A depthwise convolution has as many groups as channels.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
    /// Whether the kernel sees the positions from `p·stride` on for output position p, with zeros after the last position
    /// of the input. The search does not change such a convolution.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub patches: bool,
}

fn one() -> usize {
    1
}

fn is_one(n: &usize) -> bool {
    *n == 1
}

impl Convolution {
    /// Returns a convolution with a kernel of this size that the search does not change, with stride 1, dilation 1 and one
    /// group.
    pub fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self { channels, kernel, stride: 1, searched: false, dilation: 1, causal: false, groups: 1, patches: false }
    }

    /// Returns whether this is a 1×1 convolution that is not searched.
    pub fn is_pointwise(&self) -> bool {
        !self.searched && self.kernel == 1
    }

    /// Counts the parameters of the convolution over data of `dims` axes with kernels of size `k`, including the bias.
    pub fn params(&self, k: usize, dims: usize) -> u64 {
        let taps = (k as u64).saturating_pow(dims as u32);
        self.channel_pairs().saturating_mul(taps).saturating_add(self.channels[1] as u64)
    }

    /// Counts the pairs of an input channel and an output channel that sees it.
    pub fn channel_pairs(&self) -> u64 {
        let [c_in, c_out] = self.channels.map(|c| c as u64);
        c_in / self.groups as u64 * c_out
    }
}

/// The maximum over windows: output position p is that of the window that starts at `p·stride − ⌊(kernel − 1)/2⌋` and has
/// `kernel` positions on every axis of the data, of which those outside the input are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MaxPool {
    /// The size of the windows.
    pub kernel: usize,
    /// The stride on every axis of the data.
    pub stride: usize,
}

impl MaxPool {
    /// Returns the numbers of positions by which the first window and the last one at most extend beyond the input.
    pub fn padding(&self) -> [usize; 2] {
        let before = (self.kernel - 1) / 2;
        [before, self.kernel - 1 - before]
    }
}

/// The operation of a node on the values of its inputs.
///
/// Values are `[N, channels, H, W]`; in one dimension H is 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "op")]
pub enum Operation {
    /// The input of the network.
    Input {
        /// The number of channels.
        channels: usize,
    },
    /// A convolution: `[N, c_in, H, W]` to `[N, c_out, ⌈H/stride⌉, ⌈W/stride⌉]`.
    Conv(Convolution),
    /// Batch normalization.
    Norm {
        /// The number of channels of its input.
        channels: usize,
    },
    /// Layer normalization over the channels of each position, or of a mean over positions.
    LayerNorm {
        /// The number of channels of its input.
        channels: usize,
    },
    /// A learned factor for each channel.
    LayerScale {
        /// The number of channels of its input.
        channels: usize,
    },
    /// The rectified linear unit.
    Relu,
    /// The exact Gaussian error linear unit `x·Φ(x)`.
    Gelu,
    /// Dropout at the rate that training sets.
    Dropout,
    /// The sum of two or more values of one shape.
    Sum,
    /// The concatenation of two or more values of one size along their channels, in the order of the inputs.
    Concat,
    /// The maximum over windows: `[N, channels, H, W]` to `[N, channels, ⌈H/stride⌉, ⌈W/stride⌉]`.
    MaxPool(MaxPool),
    /// The first input on the finer grid of the second one, each position repeated: the position p at stride b has the
    /// value of position `⌊p·b/a⌋` at stride a.
    Resize,
    /// The mean over all positions: `[N, channels, 1, 1]`.
    Mean,
    /// The value at the last position of data with one axis: `[N, channels, 1, 1]`.
    Last,
    /// A linear map of the channels at every position, or of their means: `[N, outputs, positions]`. It is the output
    /// of the network.
    Linear {
        /// The numbers of features and of outputs.
        channels: [usize; 2],
    },
}

impl Operation {
    /// Returns the name of the operation in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Operation::Input { .. } => "input",
            Operation::Conv(_) => "conv",
            Operation::Norm { .. } => "norm",
            Operation::LayerNorm { .. } => "layer-norm",
            Operation::LayerScale { .. } => "layer-scale",
            Operation::Relu => "relu",
            Operation::Gelu => "gelu",
            Operation::Dropout => "dropout",
            Operation::Sum => "sum",
            Operation::Concat => "concat",
            Operation::MaxPool(_) => "max-pool",
            Operation::Resize => "resize",
            Operation::Mean => "mean",
            Operation::Last => "last",
            Operation::Linear { .. } => "linear",
        }
    }

    /// Returns the kind of parameters that the operation has.
    pub fn kind(&self) -> ParameterKind {
        match self {
            Operation::Conv(conv) if conv.searched => ParameterKind::Searched,
            Operation::Conv(conv) if conv.is_pointwise() => ParameterKind::Pointwise,
            Operation::Conv(_) => ParameterKind::Unsearched,
            Operation::Norm { .. } => ParameterKind::Norm,
            Operation::LayerNorm { .. } => ParameterKind::LayerNorm,
            Operation::LayerScale { .. } => ParameterKind::LayerScale,
            Operation::Linear { .. } => ParameterKind::Head,
            _ => ParameterKind::None,
        }
    }
}

/// The kinds of parameters. The nodes with parameters of one kind are numbered in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// The parameters of a searched convolution.
    Searched,
    /// The parameters of a 1×1 convolution that is not searched.
    Pointwise,
    /// The parameters of a wider convolution that is not searched.
    Unsearched,
    /// The parameters of a batch normalization.
    Norm,
    /// The parameters of a layer normalization.
    LayerNorm,
    /// The factors of channels.
    LayerScale,
    /// The parameters of the linear map.
    Head,
    /// No parameters.
    None,
}

/// An operation and the nodes that its inputs come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The operation.
    #[serde(flatten)]
    pub operation: Operation,
    /// The nodes whose values the operation uses. All of them come before this node.
    pub inputs: Vec<NodeId>,
}
