//! Whether the parts of a trained model fit together. Files are not trusted: whatever passes here can be built and run,
//! and takes no more memory than its weights.

use super::{Artefact, ModelCard, Parameter};
use crate::export::layers::{Layer, layers};
use crate::transform::{self, Transform};
use std::ops::RangeInclusive;

/// Sizes of an axis. The points of a grid of the largest are counted without overflow.
const SIZES: RangeInclusive<usize> = 1..=1 << 31;

/// Kernel sizes, dilations and outputs. That of a configuration is the same.
const NUMBERS: RangeInclusive<usize> = 1..=1 << 24;

impl Artefact {
    /// Whether the card makes sense, and every weight is there and has its shape.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.card.check().map_err(|reason| format!("its model card makes no sense: {reason}"))?;
        let card = &self.card;
        layers(&card.graph, &card.architecture.kernels).try_for_each(|(_, _, layer)| self.layer(&layer))
    }

    /// Whether the weights of a layer are there.
    fn layer(&self, layer: &Layer) -> Result<(), String> {
        match layer {
            Layer::Conv(conv) => {
                let taps = (0..self.card.graph.dims()).try_fold(1usize, |n, _| n.checked_mul(conv.kernel));
                let taps = taps.ok_or_else(|| format!("a kernel of size {}", conv.kernel))?;
                let [c_in, c_out] = conv.channels;
                self.has(&format!("{}.weight", conv.name), &[c_out, c_in, taps])?;
                self.has(&format!("{}.bias", conv.name), &[c_out])
            }
            Layer::Norm { name, channels } => ["gamma", "beta", "running_mean", "running_var"]
                .into_iter()
                .try_for_each(|part| self.has(&format!("{name}.{part}"), &[*channels])),
            Layer::Linear { channels: [features, outputs] } => {
                self.has("head_weight", &[*features, *outputs])?;
                self.has("head_bias", &[*outputs])
            }
            Layer::Input | Layer::Relu | Layer::Dropout | Layer::Sum | Layer::Concat | Layer::Mean => Ok(()),
        }
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
        self.check_graph()?;
        self.architecture.check(&self.graph).map_err(|e| e.to_string())?;
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
        let flat = self.graph.dims() == 2 || self.input[1] == 1;
        if !flat || shape != self.network_shape() {
            return Err(format!("inputs of shape {shape:?} for a network of {:?}", self.input));
        }
        Ok(())
    }

    /// Whether the network takes the inputs and gives the outputs of the task. That its nodes fit together was checked
    /// when the graph was made.
    fn check_graph(&self) -> Result<(), String> {
        let (channels, outputs, dense) = (self.input[0], self.task.outputs(), self.task.is_dense());
        if self.graph.inputs() != channels {
            return Err(format!("the network takes {} channels, but the inputs have {channels}", self.graph.inputs()));
        }
        if self.graph.head()[1] != outputs {
            return Err(format!("the network has {} outputs, but the task has {outputs}", self.graph.head()[1]));
        }
        match (self.graph.is_dense(), dense) {
            (true, false) => {
                Err("the network predicts at every position, but the task has one prediction for a sample".into())
            }
            (false, true) => {
                Err("the network predicts once for a sample, but the task has a prediction at every position".into())
            }
            _ => Ok(()),
        }
    }
}
