//! The layers of a plan with their kernels and the names of their weights, in the order in which they are built
//! and run by [`crate::network`].

use super::ExportError;
use crate::artefact::{Artefact, Parameter, Parameters};
use crate::backbone::{Op, Plan, Residual};

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

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// A convolution, searched or pointwise.
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
}

/// What is added to a block's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortcut {
    /// Nothing.
    None,
    /// The block's input.
    Identity,
    /// The block's input through layers.
    Layers(Vec<Layer>),
}

/// A sequence of layers with what is added to its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The layers, in order.
    pub body: Vec<Layer>,
    /// What is added.
    pub shortcut: Shortcut,
}

/// The blocks of a plan with the given kernels, one for each searched convolution.
pub fn blocks(plan: &Plan, kernels: &[[usize; 2]]) -> Vec<Block> {
    let mut count = Count::default();
    let mut blocks = Vec::with_capacity(plan.stages.len());
    for stage in &plan.stages {
        let body = count.layers(&stage.body, kernels);
        let shortcut = match &stage.residual {
            Residual::None => Shortcut::None,
            Residual::Identity => Shortcut::Identity,
            Residual::Project { ops } => Shortcut::Layers(count.layers(ops, kernels)),
        };
        blocks.push(Block { body, shortcut });
    }
    blocks
}

/// Layers of each kind so far.
#[derive(Default)]
struct Count {
    convs: usize,
    pointwise: usize,
    norms: usize,
}

impl Count {
    fn layers(&mut self, ops: &[Op], kernels: &[[usize; 2]]) -> Vec<Layer> {
        ops.iter().map(|op| self.layer(op, kernels)).collect()
    }

    fn layer(&mut self, op: &Op, kernels: &[[usize; 2]]) -> Layer {
        let next = |n: &mut usize| {
            *n += 1;
            *n - 1
        };
        match *op {
            Op::Conv { c_in, c_out, stride, .. } => {
                let index = next(&mut self.convs);
                let [kernel, dilation] = kernels[index];
                let name = format!("convs.{index}");
                Layer::Conv(Conv { name, channels: [c_in, c_out], kernel, dilation, stride })
            }
            Op::Pointwise { c_in, c_out, stride } => {
                let name = format!("pointwise.{}", next(&mut self.pointwise));
                Layer::Conv(Conv { name, channels: [c_in, c_out], kernel: 1, dilation: 1, stride })
            }
            Op::Norm { channels } => Layer::Norm { name: format!("norms.{}", next(&mut self.norms)), channels },
            Op::Relu => Layer::Relu,
            Op::Dropout => Layer::Dropout,
        }
    }
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

    /// The head as a linear map: weights `[outputs, features]`, row-major, and bias.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn head(self, artefact: &Artefact) -> Result<(Vec<f32>, &'a [f32]), ExportError> {
        let (features, outputs) = (artefact.card.plan.features, artefact.card.task.outputs());
        let weight = self.get("head_weight", &[features, outputs])?;
        let transposed = (0..outputs).flat_map(|o| (0..features).map(move |f| weight[f * outputs + o])).collect();
        Ok((transposed, self.get("head_bias", &[outputs])?))
    }
}
