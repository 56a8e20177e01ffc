//! Whether the parts of a trained model fit together. Files are not trusted: whatever passes here can be built and run,
//! and takes no more memory than its weights.

use super::{Artefact, ModelCard, Parameter};
use crate::backbone::{Op, Plan, Residual};
use crate::export::layers::{Block, Layer, Shortcut, blocks};
use crate::transform::{self, Transform};
use std::ops::RangeInclusive;

/// Sizes of an axis. The points of a grid of the largest are counted without overflow.
const SIZES: RangeInclusive<usize> = 1..=1 << 31;

/// Kernel sizes, dilations, strides and channels. That of a configuration is the same.
const NUMBERS: RangeInclusive<usize> = 1..=1 << 24;

impl Artefact {
    /// Whether the card makes sense, and every weight is there and has its shape.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.card.check().map_err(|reason| format!("its model card makes no sense: {reason}"))?;
        let card = &self.card;
        for block in blocks(&card.plan, &card.architecture.kernels) {
            self.block(&block)?;
        }
        let (features, outputs) = (card.plan.features, card.task.outputs());
        self.has("head_weight", &[features, outputs])?;
        self.has("head_bias", &[outputs])
    }

    fn block(&self, block: &Block) -> Result<(), String> {
        let shortcut: &[Layer] = match &block.shortcut {
            Shortcut::Layers(layers) => layers,
            Shortcut::None | Shortcut::Identity => &[],
        };
        for layer in block.body.iter().chain(shortcut) {
            match layer {
                Layer::Conv(conv) => {
                    let taps = (0..self.card.plan.dims).try_fold(1usize, |n, _| n.checked_mul(conv.kernel));
                    let taps = taps.ok_or_else(|| format!("a kernel of size {}", conv.kernel))?;
                    let [c_in, c_out] = conv.channels;
                    self.has(&format!("{}.weight", conv.name), &[c_out, c_in, taps])?;
                    self.has(&format!("{}.bias", conv.name), &[c_out])?;
                }
                Layer::Norm { name, channels } => {
                    for part in ["gamma", "beta", "running_mean", "running_var"] {
                        self.has(&format!("{name}.{part}"), &[*channels])?;
                    }
                }
                Layer::Relu | Layer::Dropout => {}
            }
        }
        Ok(())
    }

    fn has(&self, name: &str, shape: &[usize]) -> Result<(), String> {
        let Some(Parameter { shape: found, values }) = self.parameters.get(name) else {
            return Err(format!("it has no tensor {name}"));
        };
        let elements = found.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
        if found != shape || elements != Some(values.len()) {
            return Err(format!("tensor {name} has shape {found:?} where {shape:?} is needed"));
        }
        Ok(())
    }
}

impl ModelCard {
    /// Whether the sizes that everything else relies on fit together.
    fn check(&self) -> Result<(), String> {
        self.shapes()?;
        let outputs = self.task.outputs();
        if !NUMBERS.contains(&outputs) {
            return Err(format!("{outputs} outputs"));
        }
        if let Some(names) = self.classes.as_ref().filter(|names| names.len() != outputs) {
            return Err(format!("{} names for {outputs} classes", names.len()));
        }
        chained(&self.plan, self.input[0], self.task.is_dense())?;
        self.architecture.check(&self.plan).map_err(|e| e.to_string())?;
        if let Some([k, d]) = self.architecture.kernels.iter().find(|pair| pair.iter().any(|n| !NUMBERS.contains(n))) {
            return Err(format!("a kernel of size {k} and dilation {d}"));
        }
        let shape = self.network_shape();
        self.inputs.check(shape[0], &shape[1..]).map_err(|e| format!("the inputs' normalization {e}"))?;
        let grid = if self.task.is_dense() { &shape[1..] } else { &[] };
        self.targets.check(outputs, grid).map_err(|e| format!("the targets' normalization {e}"))?;
        match &self.reading.columns {
            Some(columns) if columns.inputs.iter().chain(&columns.label).any(|&c| c >= columns.names.len()) => {
                Err(format!("columns beyond the {} that there are", columns.names.len()))
            }
            _ => Ok(()),
        }
    }

    /// Whether inputs as they are read become what the network takes.
    fn shapes(&self) -> Result<(), String> {
        if !(2..=3).contains(&self.read_as.len()) || self.read_as.iter().chain(&self.input).any(|n| !SIZES.contains(n))
        {
            return Err(format!("inputs of shape {:?}, for a network of {:?}", self.read_as, self.input));
        }
        let mut shape = self.read_as.clone();
        for &transform in &self.transforms {
            if shape.len() != 3 && matches!(transform, Transform::Flatten | Transform::Spherical) {
                return Err(format!("the transform {} of inputs of shape {shape:?}", transform.name()));
            }
            shape = transform::shape(shape, &[transform]);
        }
        let flat = self.plan.dims == 2 || self.input[1] == 1;
        if !(1..=2).contains(&self.plan.dims) || !flat || shape != self.network_shape() {
            return Err(format!("inputs of shape {shape:?} for a network of {:?}", self.input));
        }
        Ok(())
    }
}

/// Whether the channels of a plan follow from one another, and a dense one keeps the grid.
fn chained(plan: &Plan, channels: usize, dense: bool) -> Result<(), String> {
    let mut channels = channels;
    for (i, stage) in plan.stages.iter().enumerate() {
        let body = path(&stage.body, channels)?;
        let added = match &stage.residual {
            Residual::None => body,
            Residual::Identity => (channels, 1),
            Residual::Project { ops } if ops.iter().any(|op| matches!(op, Op::Conv { .. })) => {
                return Err(format!("block {i} of its network has a searched convolution in its shortcut"));
            }
            Residual::Project { ops } => path(ops, channels)?,
        };
        if added != body {
            let [a, b] = [added, body].map(|(channels, stride)| format!("{channels} channels at stride {stride}"));
            return Err(format!("block {i} of its network adds {a} to {b}"));
        }
        if dense && body.1 != 1 {
            return Err(format!("block {i} of its network has stride {}, which leaves no point for some", body.1));
        }
        channels = body.0;
    }
    if channels != plan.features {
        return Err(format!("{} features of {channels} channels", plan.features));
    }
    Ok(())
}

/// Channels and stride after operations on so many channels.
fn path(ops: &[Op], mut channels: usize) -> Result<(usize, usize), String> {
    let mut all = 1usize;
    for op in ops {
        let (takes, gives) = match *op {
            Op::Conv { c_in, c_out, stride, kernel } => {
                if !NUMBERS.contains(&stride) || kernel % 2 == 0 {
                    return Err(format!("a convolution of size {kernel} with stride {stride}"));
                }
                all = all.saturating_mul(stride);
                (c_in, c_out)
            }
            Op::Pointwise { c_in, c_out, stride } => {
                if !NUMBERS.contains(&stride) {
                    return Err(format!("a convolution with stride {stride}"));
                }
                all = all.saturating_mul(stride);
                (c_in, c_out)
            }
            Op::Norm { channels } => (channels, channels),
            Op::Relu | Op::Dropout => continue,
        };
        if takes != channels || !NUMBERS.contains(&gives) {
            return Err(format!("a layer from {takes} to {gives} channels after {channels}"));
        }
        channels = gives;
    }
    Ok((channels, all))
}
