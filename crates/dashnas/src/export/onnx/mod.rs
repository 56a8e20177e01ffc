//! A model as an ONNX file: standard operators only, any batch, any length or size where the network takes it.

mod graph;
mod inputs;
mod proto;

use super::ExportError;
use super::layers::{Conv, Layer, Weights, layers};
use crate::artefact::{Artefact, ModelCard};
use crate::data::Array;
use crate::task::TaskKind;
use crate::transform::Transform;
use aggconv::norm::NormAct;
use graph::{Graph, OPERATORS, any, float, int, ints, known, value};
use prost::Message;
use proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto, ValueInfoProto};
use std::ops::RangeInclusive;

/// The versions of ONNX's operators that can be asked for; whether one can hold a network is another question.
pub const OPSETS: RangeInclusive<i64> = 1..=23;

/// The version written unless another is asked for: of 2022, read by every runtime since.
pub const DEFAULT_OPSET: i64 = 17;

/// How a model is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnnxOptions {
    /// Version of the operators.
    pub opset: i64,
    /// Leave out transforms and normalization of the inputs, and the softmax, sigmoid or decoding of the outputs.
    pub raw: bool,
}

impl Default for OnnxOptions {
    fn default() -> Self {
        Self { opset: DEFAULT_OPSET, raw: false }
    }
}

/// Version of the file format that goes with a version of the operators.
fn ir_version(opset: i64) -> i64 {
    match opset {
        ..=8 => 3,
        9 => 4,
        10 => 5,
        11 => 6,
        12..=14 => 7,
        15..=18 => 8,
        19..=20 => 9,
        21..=22 => 10,
        _ => 11,
    }
}

/// The bytes of an ONNX file that computes what the model does.
///
/// It has one input, `input`, `[batch, C, length]` or `[batch, C, height, width]`, and one output:
/// `probabilities`, or `values` of regression in the data's units; `outputs` if raw.
///
/// # Errors
/// [`ExportError`] if the opset cannot hold the network, or the file its weights.
pub fn onnx(artefact: &Artefact, options: OnnxOptions) -> Result<Vec<u8>, ExportError> {
    if !OPSETS.contains(&options.opset) {
        return Err(ExportError::UnknownOpset { opset: options.opset });
    }
    let card = &artefact.card;
    let mut network =
        Writer { graph: Graph::default(), weights: Weights(&artefact.parameters), dims: card.graph.dims() };
    let spatial = card.network_shape()[1..].to_vec();
    let mut x = "input".to_owned();
    if !options.raw {
        x = network.transforms(card, x)?;
    }
    if let (false, Some((mean, scale))) = (options.raw, card.inputs.mean_and_scale(&spatial)) {
        x = network.with("Sub", &x, "input_mean", &mean);
        x = network.with("Div", &x, "input_scale", &scale);
    }
    x = network.network(card, x)?;
    if !options.raw {
        x = network.finish(card, x);
    }
    let graph = network.graph;
    check(&graph, options.opset)?;

    let ir_version = ir_version(options.opset);
    let (input, output) = (input(card, options.raw), output(card, options.raw));
    let model = ModelProto {
        ir_version,
        producer_name: "dashnas".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("{} on {}", card.task, card.data),
        graph: Some(graph.finish(input, &x, output, ir_version)),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: options.opset }],
        metadata_props: metadata(card, options.raw),
    };
    Ok(model.encode_to_vec())
}

/// Whether an opset has everything that the graph uses, and the file room for its weights.
fn check(graph: &Graph, opset: i64) -> Result<(), ExportError> {
    for used in graph.operators() {
        let known = OPERATORS.iter().find(|(name, ..)| *name == used);
        if let Some(&(operator, needs, why)) = known.filter(|(_, needs, _)| opset < *needs) {
            return Err(ExportError::Opset { opset, operator, needs, why });
        }
    }
    // Protocol buffers end at 2 GiB; the nodes take a few KiB of it.
    let bytes = graph.bytes();
    if bytes > (1 << 31) - (1 << 24) { Err(ExportError::TooLarge { bytes }) } else { Ok(()) }
}

/// The nodes of a network.
struct Writer<'a> {
    graph: Graph,
    weights: Weights<'a>,
    dims: usize,
}

impl Writer<'_> {
    /// An operator between the value `x` and a constant.
    fn with(&mut self, op: &str, x: &str, name: &str, constant: &Array) -> String {
        let constant = self.graph.tensor(name, &constant.shape, &constant.data);
        self.graph.node(op, &[x, &constant], Vec::new())
    }

    /// The network itself, from the value `x`.
    fn network(&mut self, card: &ModelCard, x: String) -> Result<String, ExportError> {
        let mut values: Vec<String> = Vec::new();
        for (_, inputs, layer) in layers(&card.graph, &card.architecture.kernels) {
            let inputs: Vec<&str> = inputs.iter().map(|input| values[input.0].as_str()).collect();
            let value = match (layer, inputs.as_slice()) {
                (Layer::Input, _) => x.clone(),
                (Layer::Conv(conv), &[x, ..]) => self.conv(&conv, x)?,
                (Layer::Norm { name, channels }, &[x, ..]) => self.norm(&name, channels, x)?,
                (Layer::Relu, inputs) => self.graph.node("Relu", inputs, Vec::new()),
                (Layer::Dropout, &[x, ..]) => x.to_owned(),
                (Layer::Sum, &[first, ref rest @ ..]) => {
                    let add = |sum: String, x: &&str| self.graph.node("Add", &[&sum, x], Vec::new());
                    rest.iter().fold(first.to_owned(), add)
                }
                (Layer::Concat, inputs) => self.graph.node("Concat", inputs, vec![int("axis", 1)]),
                (Layer::Mean, inputs) => self.graph.node("GlobalAveragePool", inputs, Vec::new()),
                (Layer::Linear { channels }, &[x, ..]) => self.head(channels, card.graph.is_dense(), x)?,
                (layer, []) => unreachable!("{layer:?} has inputs, or the graph had not been made"),
            };
            values.push(value);
        }
        Ok(values.pop().unwrap_or(x))
    }

    fn conv(&mut self, conv: &Conv, x: &str) -> Result<String, ExportError> {
        let [weight, bias] = self.weights.conv(conv, self.dims)?;
        let [c_in, c_out] = conv.channels;
        let shape = [&[c_out, c_in][..], &vec![conv.kernel; self.dims]].concat();
        let weight = self.graph.tensor(&format!("{}.weight", conv.name), &shape, weight);
        let bias = self.graph.tensor(&format!("{}.bias", conv.name), &[c_out], bias);
        let attributes = vec![
            ints("kernel_shape", conv.kernel, self.dims),
            ints("dilations", conv.dilation, self.dims),
            ints("strides", conv.stride, self.dims),
            // Before and after each axis.
            ints("pads", conv.padding(), 2 * self.dims),
            int("group", 1),
        ];
        Ok(self.graph.node("Conv", &[x, &weight, &bias], attributes))
    }

    fn norm(&mut self, name: &str, channels: usize, x: &str) -> Result<String, ExportError> {
        let values = self.weights.norm(name, channels)?;
        let names = ["gamma", "beta", "running_mean", "running_var"].map(|part| format!("{name}.{part}"));
        for (name, values) in names.iter().zip(values) {
            self.graph.tensor(name, &[channels], values);
        }
        let [gamma, beta, mean, variance] = &names;
        let epsilon = float("epsilon", NormAct::EPSILON as f32);
        Ok(self.graph.node("BatchNormalization", &[x, gamma, beta, mean, variance], vec![epsilon]))
    }

    /// The linear map at every position, or of the means over all positions.
    fn head(&mut self, [features, outputs]: [usize; 2], dense: bool, x: &str) -> Result<String, ExportError> {
        let (weight, bias) = self.weights.head([features, outputs])?;
        let bias = self.graph.tensor("head.bias", &[outputs], bias);
        if dense {
            let shape = [&[outputs, features][..], &vec![1; self.dims]].concat();
            let weight = self.graph.tensor("head.weight", &shape, &weight);
            return Ok(self.graph.node("Conv", &[x, &weight, &bias], vec![ints("kernel_shape", 1, self.dims)]));
        }
        let weight = self.graph.tensor("head.weight", &[outputs, features], &weight);
        let flat = self.graph.node("Flatten", &[x], vec![int("axis", 1)]);
        Ok(self.graph.node("Gemm", &[&flat, &weight, &bias], vec![int("transB", 1)]))
    }

    /// What makes predictions of the network's outputs.
    fn finish(&mut self, card: &ModelCard, mut x: String) -> String {
        match card.task {
            TaskKind::Classification { .. } => self.graph.node("Softmax", &[&x], vec![int("axis", 1)]),
            TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => self.graph.node("Sigmoid", &[&x], Vec::new()),
            TaskKind::Regression { .. } | TaskKind::DenseRegression { .. } => {
                if let Some((mean, scale)) = card.targets.mean_and_scale() {
                    x = self.with("Mul", &x, "output_scale", &scale);
                    x = self.with("Add", &x, "output_mean", &mean);
                }
                x
            }
        }
    }
}

/// The spatial axes of inputs or dense outputs: free where the network takes any.
fn axes(card: &ModelCard, sizes: &[usize]) -> Vec<proto::Dimension> {
    let names: &[&str] = if sizes.len() == 1 { &["length"] } else { &["height", "width"] };
    names.iter().zip(sizes).map(|(name, &n)| if card.any_size() { any(name) } else { known(n) }).collect()
}

/// `[channels, …]` of the input.
fn input_shape(card: &ModelCard, raw: bool) -> Vec<usize> {
    if raw { card.network_shape() } else { card.read_as.clone() }
}

fn input(card: &ModelCard, raw: bool) -> ValueInfoProto {
    let shape = input_shape(card, raw);
    value("input", [any("batch"), known(shape[0])].into_iter().chain(axes(card, &shape[1..])))
}

fn output(card: &ModelCard, raw: bool) -> ValueInfoProto {
    let mut dims = vec![any("batch"), known(card.task.outputs())];
    if card.task.is_dense() {
        let shape = card.network_shape();
        // Flattened, the points of any image are one axis of their own.
        let free = card.any_size() && !raw && card.transforms.contains(&Transform::Flatten);
        dims.extend(if free { vec![any("points")] } else { axes(card, &shape[1..]) });
    }
    value(output_name(card.task, raw), dims)
}

/// What the output is called.
pub fn output_name(task: TaskKind, raw: bool) -> &'static str {
    match task {
        _ if raw => "outputs",
        _ if task.has_probabilities() => "probabilities",
        _ => "values",
    }
}

/// What is said of the model besides the graph; lists are JSON.
fn metadata(card: &ModelCard, raw: bool) -> Vec<StringStringEntryProto> {
    let json = |value: serde_json::Value| value.to_string();
    let mut entries = vec![
        ("data", card.data.clone()),
        ("task", card.task.name().to_owned()),
        ("metric", card.metric.name().to_owned()),
        ("backbone", card.architecture.backbone.name().to_owned()),
        ("kernels", json(card.architecture.kernels.clone().into())),
        ("input_shape", json(input_shape(card, raw).into())),
        ("preprocessing", if raw { "none" } else { "included" }.to_owned()),
        ("seed", card.training.seed.to_string()),
    ];
    if let Some(classes) = &card.classes {
        entries.push(("classes", json(classes.clone().into())));
    }
    entries.into_iter().map(|(key, value)| StringStringEntryProto { key: key.to_owned(), value }).collect()
}
