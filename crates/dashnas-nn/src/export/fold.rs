//! Folding of batch normalization into the convolution before it.
//!
//! In evaluation a batch normalization is an affine map of each channel, `y = (x − μ)·γ/√(σ² + ε) + β`. Where its
//! input is the output of a convolution, the map can be merged into the weights and the bias of that convolution. Where
//! its input is a sum (before the first convolution of a pre-activation block) it stays.

use crate::artifact::file::Artifact;
use crate::error::ExportError;
use crate::graph::node::{Node, NodeId};
use crate::graph::topology::Graph;
use crate::layers::{Conv, Layer, layers};
use crate::parameters::{Parameter, Parameters};
use crate::weights::Weights;
use aggconv::norm::NormAct;
use std::collections::HashMap;

/// Returns the same model with every batch normalization that follows a convolution folded into the convolution.
///
/// # Errors
/// [`ExportError::Weights`] if the model lacks weights.
pub fn fold_batch_norm(artifact: &Artifact) -> Result<Artifact, ExportError> {
    let mut folded = artifact.clone();
    let (graph, weights) = (&artifact.card.graph, Weights(&artifact.parameters));
    let layers: Vec<Layer> = layers(graph, &artifact.card.architecture.kernels).map(|(_, _, layer)| layer).collect();
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    for (id, _) in graph.nodes() {
        let Layer::Norm { name, channels } = &layers[id.0] else { continue };
        match convolution_before(graph, &layers, id) {
            Some(conv) => {
                let parts = weights.conv(conv, graph.dims())?;
                fold_into(conv, parts, weights.norm(name, *channels)?, &mut folded.parameters);
                gone.push(id);
            }
            None => kept.push((name, *channels)),
        }
    }
    folded.card.graph = without(graph, &gone);
    // The remaining normalizations are renumbered as in the remaining graph.
    folded.parameters.retain(|name, _| !name.starts_with("norms."));
    for (index, (name, channels)) in kept.into_iter().enumerate() {
        let parts = ["gamma", "beta", "running_mean", "running_var"];
        for (part, values) in parts.into_iter().zip(weights.norm(name, channels)?) {
            let parameter = Parameter { shape: vec![channels], values: values.to_vec() };
            folded.parameters.insert(format!("norms.{index}.{part}"), parameter);
        }
    }
    Ok(folded)
}

/// Returns the convolution whose value only this normalization uses, with nothing between the two but dropout.
fn convolution_before<'a>(graph: &Graph, layers: &'a [Layer], norm: NodeId) -> Option<&'a Conv> {
    let mut before = graph.node(norm).inputs[0];
    loop {
        match &layers[before.0] {
            _ if graph.uses(before) > 1 => return None,
            Layer::Conv(conv) => return Some(conv),
            Layer::Dropout => before = graph.node(before).inputs[0],
            _ => return None,
        }
    }
}

/// Returns the graph without some nodes that have one input: the users of their values use that input instead.
fn without(graph: &Graph, gone: &[NodeId]) -> Graph {
    let mut renumbered: HashMap<NodeId, NodeId> = HashMap::new();
    let mut nodes = Vec::new();
    for (id, node) in graph.nodes() {
        let inputs: Vec<NodeId> = node.inputs.iter().map(|input| renumbered[input]).collect();
        if gone.contains(&id) {
            renumbered.insert(id, inputs[0]);
        } else {
            renumbered.insert(id, NodeId(nodes.len()));
            nodes.push(Node { operation: node.operation.clone(), inputs });
        }
    }
    let folded =
        Graph::new(graph.dims(), nodes).unwrap_or_else(|error| unreachable!("the shapes are unchanged: {error}"));
    folded.with_mask(graph.is_masked())
}

fn fold_into(conv: &Conv, [weight, bias]: [&[f32]; 2], norm: [&[f32]; 4], parameters: &mut Parameters) {
    let [gamma, beta, mean, variance] = norm.map(|values| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
    let slope = |o: usize| gamma[o] / (variance[o] + NormAct::EPSILON).sqrt();
    let row = weight.len() / bias.len();
    let scaled = weight.iter().enumerate().map(|(i, &w)| (f64::from(w) * slope(i / row)) as f32).collect();
    let moved = bias.iter().enumerate().map(|(o, &b)| ((f64::from(b) - mean[o]) * slope(o) + beta[o]) as f32).collect();
    for (part, values) in [("weight", scaled), ("bias", moved)] {
        if let Some(p) = parameters.get_mut(&format!("{}.{part}", conv.name)) {
            p.values = values;
        }
    }
}
