//! A model as PyTorch reads it: a safetensors file of weights by PyTorch's names, and a Python file with the module
//! that they belong to.

use super::ExportError;
use super::layers::{Block, Conv, Layer, Shortcut, Weights, blocks};
use crate::artefact::{Artefact, ModelCard, Parameter, Parameters, encode};
use crate::data::Array;
use crate::task::TaskKind;
use crate::transform::{self, Transform};
use aggconv::norm::NormAct;
use std::collections::HashMap;

/// The module without what the network decides.
const TEMPLATE: &str = include_str!("module.py");

/// What the module needs for [`Transform::StandardizeSamples`].
const STANDARDIZE: &str = r#"def standardize(x):
    """Each channel of each sample to mean 0 and deviation 1 over its own points; a constant one to 0."""
    double = x.double()
    axes = tuple(range(2, x.dim()))
    mean = double.mean(axes, keepdim=True)
    std = double.std(axes, unbiased=False, keepdim=True)
    varies = (std > 1e-7 * mean.abs()) & (std > torch.finfo(torch.float32).tiny)
    return ((double - mean) / torch.where(varies, std, torch.ones_like(std))).to(x.dtype)


"#;

/// The two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TorchFiles {
    /// The weights, a safetensors file.
    pub weights: Vec<u8>,
    /// The module, Python.
    pub module: String,
}

/// Writes a model for PyTorch. `weights` is the name of the weights' file, which the module looks for beside
/// itself. Raw leaves out the normalization of the inputs, and the softmax, sigmoid or decoding of the outputs.
///
/// # Errors
/// [`ExportError::Weights`] if the model lacks weights.
pub fn torch(artefact: &Artefact, weights: &str, raw: bool) -> Result<TorchFiles, ExportError> {
    let card = &artefact.card;
    let mut state = State { weights: Weights(&artefact.parameters), dims: card.plan.dims, out: Parameters::new() };
    let mut stages = String::new();
    for (i, block) in blocks(&card.plan, &card.architecture.kernels).iter().enumerate() {
        stages += &state.block(&format!("stages.{i}"), block, card)?;
    }
    let (weight, bias) = state.weights.head(artefact)?;
    let (features, outputs) = (card.plan.features, bias.len());
    let dense = card.task.is_dense();
    let head_axes = vec![1; if dense { card.plan.dims } else { 0 }];
    state.put("head.weight", [&[outputs, features][..], &head_axes].concat(), &weight);
    state.put("head.bias", vec![outputs], bias);

    let mut buffers = String::new();
    let (before, after) = if raw { (None, None) } else { affine(card) };
    for (prefix, affine) in [("input", &before), ("output", &after)] {
        for (suffix, array) in affine.iter().flat_map(|(mean, scale)| [("mean", mean), ("scale", scale)]) {
            let name = format!("{prefix}_{suffix}");
            buffers += &format!("        self.register_buffer(\"{name}\", torch.zeros({:?}))\n", array.shape);
            state.put(&name, array.shape.clone(), &array.data);
        }
    }
    let transforms = if raw { Vec::new() } else { transforms(card, &mut buffers)? };
    let standardize = transforms.iter().any(|line| line.contains("standardize"));
    let lines: String = transforms.iter().map(|line| format!("        x = {line}\n")).collect();
    let shape = if raw { card.network_shape() } else { card.read_as.clone() };
    let d = card.plan.dims;
    let module = TEMPLATE
        .replace("{{task}}", &card.task.to_string())
        .replace("{{data}}", &python_string(&card.data))
        .replace("{{input}}", &format!("[N, {}]", list(shape)))
        .replace("{{units}}", if raw { "transformed and normalized" } else { "in the units of the training data" })
        .replace("{{standardize}}\n", if standardize { STANDARDIZE } else { "" })
        .replace("        {{transforms}}\n", &lines)
        .replace(
            "{{classes}}",
            &card.classes.as_ref().map_or("None".into(), |names| {
                format!("[{}]", names.iter().map(|n| python_string(n)).collect::<Vec<_>>().join(", "))
            }),
        )
        .replace("{{weights}}", &python_string(weights))
        .replace("        {{buffers}}\n", &buffers)
        .replace("{{stages}}\n", &stages)
        .replace(
            "{{head}}",
            &if dense {
                format!("nn.Conv{d}d({features}, {outputs}, 1)")
            } else {
                format!("nn.Linear({features}, {outputs})")
            },
        )
        .replace("{{normalize}}", if before.is_some() { "(x - self.input_mean) / self.input_scale" } else { "x" })
        .replace("{{pool}}", if dense { "x" } else { "x.flatten(2).mean(2)" })
        .replace(
            "{{finish}}",
            match card.task {
                _ if raw => "y",
                TaskKind::Classification { .. } => "y.softmax(1)",
                TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => "y.sigmoid()",
                _ if after.is_some() => "y * self.output_scale + self.output_mean",
                _ => "y",
            },
        );
    // Written by a program whose weights are finite and sized as their shapes say.
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let weights = encode(&state.out, Some(format))
        .map_err(|_| ExportError::Weights { name: weights.into(), shape: Vec::new() })?;
    Ok(TorchFiles { weights, module })
}

/// The values of `x` after each of the transforms, in Python; adds the order of points to the buffers.
fn transforms(card: &ModelCard, buffers: &mut String) -> Result<Vec<String>, ExportError> {
    let mut shape = card.read_as.clone();
    let mut lines = Vec::new();
    for (i, &transform) in card.transforms.iter().enumerate() {
        lines.push(match transform {
            Transform::StandardizeSamples => "standardize(x)".to_owned(),
            Transform::Flatten => "x.flatten(2)".to_owned(),
            Transform::Permute => {
                let order = list(transform::order(shape[1..].iter().product()));
                // Not among the weights: the file of those holds real numbers.
                *buffers += &format!(
                    "        self.register_buffer(\"order_{i}\", torch.tensor([{order}]), persistent=False)\n"
                );
                format!("x.flatten(2)[:, :, self.order_{i}].reshape(x.shape)")
            }
            Transform::Spherical => return Err(ExportError::Transform { transform: transform.name() }),
        });
        shape = transform::shape(shape, &[transform]);
    }
    Ok(lines)
}

/// Mean and scale of the inputs, and of the outputs.
type Affines = (Option<(Array, Array)>, Option<(Array, Array)>);

fn affine(card: &ModelCard) -> Affines {
    (card.inputs.mean_and_scale(&card.network_shape()[1..]), card.targets.mean_and_scale())
}

/// The state dictionary as far as it is known.
struct State<'a> {
    weights: Weights<'a>,
    dims: usize,
    out: Parameters,
}

impl State<'_> {
    fn put(&mut self, name: &str, shape: Vec<usize>, values: &[f32]) {
        self.out.insert(name.to_owned(), Parameter { shape, values: values.to_vec() });
    }

    /// One line of Python for each layer, in a call that makes a stage.
    fn block(&mut self, name: &str, block: &Block, card: &ModelCard) -> Result<String, ExportError> {
        let body = self.layers(&format!("{name}.body"), &block.body, card)?;
        let (kind, shortcut) = match &block.shortcut {
            Shortcut::None => ("None", String::new()),
            Shortcut::Identity => ("nn.Identity()", String::new()),
            Shortcut::Layers(layers) => ("", self.layers(&format!("{name}.shortcut"), layers, card)?),
        };
        let shortcut = if kind.is_empty() { format!("nn.Sequential(\n{shortcut}            )") } else { kind.into() };
        Ok(format!("            Stage(nn.Sequential(\n{body}            ), {shortcut}),\n"))
    }

    fn layers(&mut self, path: &str, layers: &[Layer], card: &ModelCard) -> Result<String, ExportError> {
        let mut text = String::new();
        for (i, layer) in layers.iter().enumerate() {
            let name = format!("{path}.{i}");
            let line = match layer {
                Layer::Conv(conv) => self.conv(&name, conv)?,
                Layer::Norm { name: norm, channels } => self.norm(&name, norm, *channels)?,
                Layer::Relu => "nn.ReLU()".into(),
                Layer::Dropout => format!("nn.Dropout({})", card.training.hyperparameters.dropout),
            };
            text += &format!("                {line},\n");
        }
        Ok(text)
    }

    fn conv(&mut self, name: &str, conv: &Conv) -> Result<String, ExportError> {
        let [weight, bias] = self.weights.conv(conv, self.dims)?;
        let [c_in, c_out] = conv.channels;
        self.put(&format!("{name}.weight"), [&[c_out, c_in][..], &vec![conv.kernel; self.dims]].concat(), weight);
        self.put(&format!("{name}.bias"), vec![c_out], bias);
        let Conv { kernel, dilation, stride, .. } = conv;
        let (dims, padding) = (self.dims, conv.padding());
        Ok(format!(
            "nn.Conv{dims}d({c_in}, {c_out}, {kernel}, stride={stride}, padding={padding}, dilation={dilation})"
        ))
    }

    fn norm(&mut self, name: &str, norm: &str, channels: usize) -> Result<String, ExportError> {
        let values = self.weights.norm(norm, channels)?;
        for (part, values) in ["weight", "bias", "running_mean", "running_var"].into_iter().zip(values) {
            self.put(&format!("{name}.{part}"), vec![channels], values);
        }
        Ok(format!("nn.BatchNorm{}d({channels}, eps={})", self.dims, NormAct::EPSILON))
    }
}

fn list(sizes: Vec<usize>) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// A Python string literal. JSON's escapes are Python's.
fn python_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
