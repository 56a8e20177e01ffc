//! The layers of a network with their kernels and the names of their weights, in the order in which they are built
//! and run by [`crate::network`].

use super::ExportError;
use crate::artefact::{Parameter, Parameters};
use crate::backbone::graph::{Graph, NodeId, Operation};

/// A convolution with a centred kernel: padding `(k − 1)/2·d` on both sides of every axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conv {
    /// Where its weights are: `{name}.weight`, `[c_out, c_in, k^dims]`, and `{name}.bias`, `[c_out]`.
    pub name: String,
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Kernel size k.
    pub kernel: usize,
    /// Dilation d.
    pub dilation: usize,
    /// Stride on every axis.
    pub stride: usize,
}

impl Conv {
    /// Zeros on each side of each axis, `(k − 1)/2·d`. With them the output position p is centred on the
    /// input position p·stride and there are ⌈n/stride⌉ of them, for even and odd n.
    pub fn padding(&self) -> usize {
        (self.kernel - 1) / 2 * self.dilation
    }
}

/// What a node of a graph computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// The input of the network.
    Input,
    /// A convolution, searched or not.
    Conv(Conv),
    /// Batch normalization: `{name}.gamma`, `beta`, `running_mean` and `running_var`, each `[channels]`.
    Norm {
        /// Where its weights are.
        name: String,
        /// Channels.
        channels: usize,
    },
    /// Rectified linear unit.
    Relu,
    /// Dropout, which does nothing outside training.
    Dropout,
    /// The sum of its inputs.
    Sum,
    /// Its inputs put together along their channels.
    Concat,
    /// The mean over all positions.
    Mean,
    /// The linear map at the end: `head_weight`, `[features, outputs]`, and `head_bias`, `[outputs]`.
    Linear {
        /// Features and outputs.
        channels: [usize; 2],
    },
}

/// The layers of a graph with the given kernels, one for each searched convolution: a layer for each node, with the
/// number of the node and its inputs.
pub fn layers<'a>(graph: &'a Graph, kernels: &[[usize; 2]]) -> impl Iterator<Item = (NodeId, &'a [NodeId], Layer)> {
    graph.nodes().map(move |(id, node)| {
        let name = || graph.parameter_name(id).unwrap_or_default();
        let layer = match &node.operation {
            Operation::Input { .. } => Layer::Input,
            Operation::Conv(conv) => {
                let [kernel, dilation] = if conv.searched { kernels[graph.index(id)] } else { [conv.kernel, 1] };
                Layer::Conv(Conv { name: name(), channels: conv.channels, kernel, dilation, stride: conv.stride })
            }
            Operation::Norm { channels } => Layer::Norm { name: name(), channels: *channels },
            Operation::Relu => Layer::Relu,
            Operation::Dropout => Layer::Dropout,
            Operation::Sum => Layer::Sum,
            Operation::Concat => Layer::Concat,
            Operation::Mean => Layer::Mean,
            Operation::Linear { channels } => Layer::Linear { channels: *channels },
        };
        (id, &node.inputs[..], layer)
    })
}

/// A model's weights, looked up by name and size.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a>(pub &'a Parameters);

impl<'a> Weights<'a> {
    /// The values of a parameter.
    ///
    /// # Errors
    /// [`ExportError::Weights`] if there is none of this name and shape.
    pub fn get(self, name: &str, shape: &[usize]) -> Result<&'a [f32], ExportError> {
        match self.0.get(name) {
            Some(Parameter { shape: found, values }) if found == shape => Ok(values),
            _ => Err(ExportError::Weights { name: name.into(), shape: shape.into() }),
        }
    }

    /// Weights and bias of a convolution in so many dimensions.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn conv(self, conv: &Conv, dims: usize) -> Result<[&'a [f32]; 2], ExportError> {
        let [c_in, c_out] = conv.channels;
        let taps = conv.kernel.pow(dims as u32);
        let weight = self.get(&format!("{}.weight", conv.name), &[c_out, c_in, taps])?;
        Ok([weight, self.get(&format!("{}.bias", conv.name), &[c_out])?])
    }

    /// γ, β, running mean and running variance of a batch normalization.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn norm(self, name: &str, channels: usize) -> Result<[&'a [f32]; 4], ExportError> {
        let get = |part: &str| self.get(&format!("{name}.{part}"), &[channels]);
        Ok([get("gamma")?, get("beta")?, get("running_mean")?, get("running_var")?])
    }

    /// The linear map from so many features to so many outputs: weights `[outputs, features]`, row-major, and bias.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn head(self, [features, outputs]: [usize; 2]) -> Result<(Vec<f32>, &'a [f32]), ExportError> {
        let weight = self.get("head_weight", &[features, outputs])?;
        let transposed = (0..outputs).flat_map(|o| (0..features).map(move |f| weight[f * outputs + o])).collect();
        Ok((transposed, self.get("head_bias", &[outputs])?))
    }
}
