//! An ONNX file: a network with its inputs, outputs and metadata.

use crate::artifact::card::ModelCard;
use crate::artifact::file::Artifact;
use crate::error::ExportError;
use crate::export::onnx::graph::{OPERATORS, OnnxGraph, any, known, typed};
use crate::export::onnx::mask::{LENGTHS, LENGTHS_TYPE, Masks};
use crate::export::onnx::options::{OPSETS, OnnxOptions, ir_version};
use crate::export::onnx::proto;
use crate::export::onnx::proto::{DOUBLE, FLOAT};
use crate::export::onnx::proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto, ValueInfoProto};
use crate::export::onnx::writer::Writer;
use crate::weights::Weights;
use dashnas_core::task::TaskKind;
use dashnas_data::transform::kind::Transform;
use dashnas_formats::centers::Centers;
use prost::Message;

/// Encodes an ONNX file that computes what the model computes.
///
/// It has one input, `input`, `[batch, C, length]` or `[batch, C, height, width]`, and one output:
/// `probabilities`, or for regression `values` in the units of the data; `outputs` if raw. Where numbers are subtracted from
/// the inputs before they become `f32`, the input is in double precision and the subtraction is a part of the graph, and so
/// is the sum for values in double precision. If the samples have lengths of their own, a second input, `lengths`, `[batch]`, has the number of values of each; what follows is ignored.
///
/// # Errors
/// [`ExportError`] if the opset cannot express the network, or the weights are too large for a file.
pub fn onnx(artifact: &Artifact, options: OnnxOptions) -> Result<Vec<u8>, ExportError> {
    if !OPSETS.contains(&options.opset) {
        return Err(ExportError::UnknownOpset { opset: options.opset, supported: OPSETS });
    }
    let card = &artifact.card;
    let mut network = Writer {
        graph: OnnxGraph::default(),
        weights: Weights(&artifact.parameters),
        dims: card.graph.dims(),
        masks: Masks::new(card.graph.dims()),
    };
    let spatial = card.network_shape()[1..].to_vec();
    let mut x = "input".to_owned();
    let centers = if options.raw { &Centers::default() } else { card.centers() };
    if !centers.inputs.is_empty() {
        x = network.less(&x, &centers.inputs, card.read_as.len());
    }
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
    if !centers.targets.is_empty() {
        x = network.plus(&x, &centers.targets);
    }
    let graph = network.graph;
    check(&graph, options.opset)?;

    let ir_version = ir_version(options.opset);
    let precision = |centers: &[f64]| if centers.is_empty() { FLOAT } else { DOUBLE };
    let mut inputs = vec![input(card, options.raw, precision(&centers.inputs))];
    if card.graph.is_masked() {
        inputs.push(typed(LENGTHS, LENGTHS_TYPE, vec![any("batch")]));
    }
    let output = output(card, options.raw, precision(&centers.targets));
    let model = ModelProto {
        ir_version,
        producer_name: "dashnas".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("{} on {}", card.task, card.data),
        graph: Some(graph.finish(inputs, &x, output, ir_version)),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: options.opset }],
        metadata_props: metadata(card, options.raw),
    };
    Ok(model.encode_to_vec())
}

/// Checks that an opset has all operators of the graph, and that the weights fit into a file.
fn check(graph: &OnnxGraph, opset: i64) -> Result<(), ExportError> {
    for used in graph.operators() {
        let known = OPERATORS.iter().find(|(name, ..)| *name == used);
        if let Some(&(operator, needs, why)) = known.filter(|(_, needs, _)| opset < *needs) {
            return Err(ExportError::Opset { opset, operator, needs, why });
        }
    }
    // Protocol buffers have a limit of 2 GiB, and the nodes take a few KiB.
    let bytes = graph.bytes();
    if bytes > (1 << 31) - (1 << 24) { Err(ExportError::TooLarge { bytes }) } else { Ok(()) }
}

/// Returns the spatial axes of inputs or dense outputs: they are variable where the network takes any size.
fn axes(card: &ModelCard, sizes: &[usize]) -> Vec<proto::Dimension> {
    let names: &[&str] = if sizes.len() == 1 { &["length"] } else { &["height", "width"] };
    names.iter().zip(sizes).map(|(name, &n)| if card.any_size() { any(name) } else { known(n) }).collect()
}

/// Returns the shape `[channels, …]` of the input.
fn input_shape(card: &ModelCard, raw: bool) -> Vec<usize> {
    if raw { card.network_shape() } else { card.read_as.clone() }
}

fn input(card: &ModelCard, raw: bool, elem_type: i32) -> ValueInfoProto {
    let shape = input_shape(card, raw);
    typed("input", elem_type, [any("batch"), known(shape[0])].into_iter().chain(axes(card, &shape[1..])).collect())
}

fn output(card: &ModelCard, raw: bool, elem_type: i32) -> ValueInfoProto {
    let mut dims = vec![any("batch"), known(card.task.outputs())];
    if card.task.is_dense() {
        let shape = card.network_shape();
        // The points of flattened images of variable size are an axis with a name of its own.
        let free = card.any_size() && !raw && card.transforms.contains(&Transform::Flatten);
        dims.extend(if free { vec![any("points")] } else { axes(card, &shape[1..]) });
    }
    typed(output_name(card.task, raw), elem_type, dims)
}

/// Returns the name of the output.
pub fn output_name(task: TaskKind, raw: bool) -> &'static str {
    match task {
        _ if raw => "outputs",
        _ if task.has_probabilities() => "probabilities",
        _ => "values",
    }
}

/// Returns the metadata of the file; lists are JSON.
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
    let centers = card.centers();
    for (key, centers) in [("input_centers", &centers.inputs), ("target_centers", &centers.targets)] {
        if !centers.is_empty() {
            entries.push((key, json(centers.clone().into())));
        }
    }
    if let Some(classes) = &card.classes {
        entries.push(("classes", json(classes.clone().into())));
    }
    entries.into_iter().map(|(key, value)| StringStringEntryProto { key: key.to_owned(), value }).collect()
}
