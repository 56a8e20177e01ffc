//! Checks that the parts of a trained model fit together. Files are not trusted: a model that passes can be built and
//! run, and takes no more memory than its weights.

use crate::artifact::card::ModelCard;
use crate::layers::{Layer, layers};
use crate::parameters::{Parameter, Parameters};
use dashnas_core::text::{plural, plural_of};
use dashnas_data::transform;
use dashnas_data::transform::kind::Transform;
use std::ops::RangeInclusive;

/// The allowed sizes of an axis: the number of positions of the largest grid does not overflow.
const SIZES: RangeInclusive<usize> = 1..=1 << 31;

/// The allowed kernel sizes, dilations and numbers of outputs. A configuration has the same limits.
const NUMBERS: RangeInclusive<usize> = 1..=1 << 24;

/// Checks that the card makes sense, and that every weight is there and has its shape.
///
/// # Errors
/// The first mismatch, as the end of a sentence.
pub(crate) fn check(card: &ModelCard, parameters: &Parameters) -> Result<(), String> {
    card.check().map_err(|reason| format!("its model card is invalid: {reason}"))?;
    let weights = WeightCheck { parameters, dims: card.graph.dims() };
    layers(&card.graph, &card.architecture.kernels).try_for_each(|(_, _, layer)| weights.layer(&layer))
}

/// The weights of a model that are compared with what its layers need.
struct WeightCheck<'a> {
    parameters: &'a Parameters,
    dims: usize,
}

impl WeightCheck<'_> {
    /// Checks the weights of a layer.
    fn layer(&self, layer: &Layer) -> Result<(), String> {
        match layer {
            Layer::Conv(conv) => {
                let taps = (0..self.dims).try_fold(1usize, |n, _| n.checked_mul(conv.kernel));
                let taps = taps.ok_or_else(|| format!("kernel size {} is too large", conv.kernel))?;
                let [c_in, c_out] = conv.channels;
                self.has(&format!("{}.weight", conv.name), &[c_out, c_in / conv.groups, taps])?;
                self.has(&format!("{}.bias", conv.name), &[c_out])
            }
            Layer::Norm { name, channels } => ["gamma", "beta", "running_mean", "running_var"]
                .into_iter()
                .try_for_each(|part| self.has(&format!("{name}.{part}"), &[*channels])),
            Layer::LayerNorm { name, channels } => {
                ["gamma", "beta"].into_iter().try_for_each(|part| self.has(&format!("{name}.{part}"), &[*channels]))
            }
            Layer::LayerScale { name, channels } => self.has(&format!("{name}.factor"), &[*channels]),
            Layer::Linear { channels: [features, outputs] } => {
                self.has("head_weight", &[*features, *outputs])?;
                self.has("head_bias", &[*outputs])
            }
            Layer::Input
            | Layer::Relu
            | Layer::Gelu
            | Layer::Dropout
            | Layer::Sum
            | Layer::Concat
            | Layer::MaxPool(_)
            | Layer::Resize { .. }
            | Layer::Mean
            | Layer::Last => Ok(()),
        }
    }

    /// Checks that a tensor is there and has a shape.
    fn has(&self, name: &str, shape: &[usize]) -> Result<(), String> {
        let Some(Parameter { shape: found, values }) = self.parameters.get(name) else {
            return Err(format!("it has no tensor {name}"));
        };
        let elements = found.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
        if found != shape || elements != Some(values.len()) {
            return Err(format!("tensor {name} has shape {found:?}, but needs {shape:?}"));
        }
        Ok(())
    }
}

impl ModelCard {
    /// Checks that the sizes that everything else relies on fit together.
    fn check(&self) -> Result<(), String> {
        self.shapes()?;
        let outputs = self.task.outputs();
        if !NUMBERS.contains(&outputs) {
            return Err(format!("the task has {}", plural(outputs, "output")));
        }
        if let Some(names) = self.classes.as_ref().filter(|names| names.len() != outputs) {
            return Err(format!(
                "it has {} for {}",
                plural(names.len(), "name"),
                plural_of(outputs, "class", "classes")
            ));
        }
        self.check_graph()?;
        self.architecture.check(&self.graph).map_err(|e| e.to_string())?;
        if let Some([k, d]) = self.architecture.kernels.iter().find(|pair| pair.iter().any(|n| !NUMBERS.contains(n))) {
            return Err(format!("a layer has kernel size {k} and dilation {d}, which is too large"));
        }
        let shape = self.network_shape();
        self.inputs.check(shape[0], &shape[1..]).map_err(|e| format!("the normalization of the inputs {e}"))?;
        let grid = if self.task.is_dense() { &shape[1..] } else { &[] };
        self.targets.check(outputs, grid).map_err(|e| format!("the normalization of the targets {e}"))?;
        self.check_centers()?;
        match &self.reading.columns {
            Some(columns) if columns.inputs.iter().chain(&columns.labels).any(|&c| c >= columns.names.len()) => {
                Err(format!(
                    "it refers to columns that do not exist: the table has {}",
                    plural(columns.names.len(), "column")
                ))
            }
            _ => Ok(()),
        }
    }

    /// Checks that there is a center for every channel and output, or none at all.
    fn check_centers(&self) -> Result<(), String> {
        let centers = self.centers();
        for (centers, wanted, what) in
            [(&centers.inputs, self.read_as[0], "channel"), (&centers.targets, self.task.outputs(), "output")]
        {
            if !centers.is_empty() && (centers.len() != wanted || centers.iter().any(|center| !center.is_finite())) {
                return Err(format!("numbers are subtracted from {}, not {wanted}", plural(centers.len(), what)));
            }
        }
        Ok(())
    }

    /// Checks that the transforms make the inputs as they are read into those that the network takes.
    fn shapes(&self) -> Result<(), String> {
        if !(2..=3).contains(&self.read_as.len()) || self.read_as.iter().chain(&self.input).any(|n| !SIZES.contains(n))
        {
            return Err(format!(
                "inputs of shape {:?} do not fit a network for inputs of shape {:?}",
                self.read_as, self.input
            ));
        }
        let mut shape = self.read_as.clone();
        for &transform in &self.transforms {
            if shape.len() != 3 && matches!(transform, Transform::Flatten | Transform::Spherical) {
                return Err(format!("the transform {} does not apply to inputs of shape {shape:?}", transform.name()));
            }
            shape = transform::shape(shape, &[transform]);
        }
        let flat = self.graph.dims() == 2 || self.input[1] == 1;
        if !flat || shape != self.network_shape() {
            return Err(format!("inputs of shape {shape:?} do not fit a network for inputs of shape {:?}", self.input));
        }
        Ok(())
    }

    /// Checks that the network takes the inputs and gives the outputs of the task. Its nodes were checked when the
    /// graph was made.
    fn check_graph(&self) -> Result<(), String> {
        let (channels, outputs, dense) = (self.input[0], self.task.outputs(), self.task.is_dense());
        if self.graph.inputs() != channels {
            let takes = plural(self.graph.inputs(), "channel");
            return Err(format!("the network takes {takes}, but the inputs have {channels}"));
        }
        if self.graph.head()[1] != outputs {
            let has = plural(self.graph.head()[1], "output");
            return Err(format!("the network has {has}, but the task has {outputs}"));
        }
        match (self.graph.is_dense(), dense) {
            (true, false) => {
                Err("the network predicts at every position, but the task needs one prediction per sample".into())
            }
            (false, true) => {
                Err("the network gives one prediction per sample, but the task needs one at every position".into())
            }
            _ => Ok(()),
        }
    }
}
