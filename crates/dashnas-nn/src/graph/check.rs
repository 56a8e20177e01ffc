//! The check that nodes make up a network.
//!
//! Nodes may come from a file that is not trusted. Nodes that pass can be built, counted and run: every index is in
//! range, every input comes before its user (so there are no cycles), channels and strides agree, and no size
//! overflows.

use crate::graph::node::{Convolution, Node, NodeId, Operation};
use dashnas_core::text::plural;
use std::ops::RangeInclusive;

/// The maximum number of nodes.
pub const MAX_NODES: usize = 1 << 14;

/// The allowed numbers of channels and outputs: the number of weights between two of them does not overflow.
const CHANNELS: RangeInclusive<usize> = 1..=1 << 31;

/// The allowed kernel sizes and strides; a configuration has the same limits.
const SIZES: RangeInclusive<usize> = 1..=1 << 24;

/// The allowed dilations; a configuration has the same limits.
const DILATIONS: RangeInclusive<usize> = 1..=65535;

/// The allowed sizes of windows: the padding of an input is not much larger than the input.
const WINDOWS: RangeInclusive<usize> = 1..=1 << 10;

/// The reasons for which nodes do not make up a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The data has neither one axis nor two.
    #[error("the data has {0} axes, but a network takes data with 1 or 2")]
    Dimensions(usize),
    /// There are too many nodes, or there is none.
    #[error("the graph has {0} nodes; it needs at least 1 and at most {MAX_NODES}")]
    Size(usize),
    /// A node does not fit its inputs, or has an impossible size.
    #[error("node {node} ({operation}) {reason}")]
    Node {
        /// The number of the node.
        node: usize,
        /// Its operation.
        operation: &'static str,
        /// The defect of the node, as a predicate.
        reason: String,
    },
}

/// The properties of the value of a node that do not depend on the size of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueShape {
    /// The number of channels.
    pub channels: usize,
    /// The positions on each axis.
    pub grid: Grid,
}

/// The positions of a value, on each axis of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    /// `⌈n/stride⌉` positions where the input of the network has n. Strides multiply: `⌈⌈n/a⌉/b⌉ = ⌈n/(ab)⌉`.
    Strided(usize),
    /// One position: the mean over all positions.
    Pooled,
}

/// Returns the shape of the value of every node.
///
/// # Errors
/// [`GraphError`] with the first node that does not fit.
pub fn check(dims: usize, nodes: &[Node]) -> Result<Vec<ValueShape>, GraphError> {
    if !(1..=2).contains(&dims) {
        return Err(GraphError::Dimensions(dims));
    }
    if !(1..=MAX_NODES).contains(&nodes.len()) {
        return Err(GraphError::Size(nodes.len()));
    }
    let failed = |node: usize, reason: String| {
        let operation = nodes[node].operation.name();
        Err(GraphError::Node { node, operation, reason })
    };
    let mut shapes: Vec<ValueShape> = Vec::with_capacity(nodes.len());
    let mut used = vec![false; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &NodeId(id) in &node.inputs {
            let Some(shape) = shapes.get(id) else {
                return failed(at, format!("uses the value of node {id}, which does not come before it"));
            };
            used[id] = true;
            inputs.push(*shape);
        }
        match output(at, dims, &node.operation, &inputs) {
            Ok(shape) => shapes.push(shape),
            Err(reason) => return failed(at, reason),
        }
    }
    let last = nodes.len() - 1;
    if !matches!(nodes[last].operation, Operation::Linear { .. }) {
        return failed(last, "is the last node, which must be a linear map".into());
    }
    match used[..last].iter().position(|used| !used) {
        Some(unused) => failed(unused, "has a value that no other node uses, but a network has one output".into()),
        None => Ok(shapes),
    }
}

/// Returns the shape of the value of node `at`, or the reason for which the node does not fit.
fn output(at: usize, dims: usize, operation: &Operation, inputs: &[ValueShape]) -> Result<ValueShape, String> {
    check_arity(at, operation, inputs.len())?;
    let of_one_position = matches!(operation, Operation::Linear { .. } | Operation::LayerNorm { .. });
    if inputs.iter().any(|x| x.grid == Grid::Pooled) && !of_one_position {
        let reason =
            "uses a mean over positions or the last one, which only a layer normalization and a linear map can";
        return Err(reason.into());
    }
    let shape = match (operation, inputs) {
        (&Operation::Input { channels }, _) => ValueShape { channels, grid: Grid::Strided(1) },
        (Operation::Conv(Convolution { causal: true, .. }), _) if dims != 1 => {
            return Err("is causal, which takes data with one axis".into());
        }
        (Operation::Conv(conv), &[x]) => convolved(conv, x)?,
        (
            &(Operation::Norm { channels } | Operation::LayerNorm { channels } | Operation::LayerScale { channels }),
            &[x],
        ) => {
            check_channels(channels, x)?;
            x
        }
        (Operation::Relu | Operation::Gelu | Operation::Dropout, &[x]) => x,
        (Operation::Sum, &[first, ref rest @ ..]) => match rest.iter().find(|x| **x != first) {
            Some(other) => return Err(format!("adds {} to {}", describe(*other), describe(first))),
            None => first,
        },
        (Operation::Concat, &[first, ref rest @ ..]) => {
            if let Some(other) = rest.iter().find(|x| x.grid != first.grid) {
                return Err(format!("concatenates {} with {}", describe(*other), describe(first)));
            }
            let channels = inputs.iter().try_fold(0usize, |sum, x| sum.checked_add(x.channels));
            ValueShape { channels: channels.unwrap_or(usize::MAX), ..first }
        }
        (Operation::MaxPool(pool), &[x]) => {
            if !WINDOWS.contains(&pool.kernel) {
                return Err(format!("has windows of size {}", pool.kernel));
            }
            strided(pool.stride, x)?
        }
        (Operation::Resize, &[x, like]) => match (x.grid, like.grid) {
            (Grid::Strided(from), Grid::Strided(to)) if from % to == 0 => ValueShape { grid: like.grid, ..x },
            _ => return Err(format!("brings {} to the grid of {}", describe(x), describe(like))),
        },
        (Operation::Last, _) if dims != 1 => return Err("takes data with one axis".into()),
        (Operation::Mean | Operation::Last, &[x]) => ValueShape { grid: Grid::Pooled, ..x },
        (&Operation::Linear { channels: [features, outputs] }, &[x]) => {
            check_channels(features, x)?;
            if !matches!(x.grid, Grid::Pooled | Grid::Strided(1)) {
                return Err(format!("uses {}, but needs the grid of the input or a mean over it", describe(x)));
            }
            ValueShape { channels: outputs, ..x }
        }
        _ => return Err(format!("has {}", plural(inputs.len(), "input"))),
    };
    if !CHANNELS.contains(&shape.channels) {
        return Err(format!("has {}", plural(shape.channels, "channel")));
    }
    Ok(shape)
}

/// Checks that a node has as many inputs as its operation takes, and that the first node and no other is the input of
/// the network.
fn check_arity(at: usize, operation: &Operation, inputs: usize) -> Result<(), String> {
    let fits = match operation {
        Operation::Input { .. } => inputs == 0,
        Operation::Sum | Operation::Concat => inputs >= 2,
        Operation::Resize => inputs == 2,
        _ => inputs == 1,
    };
    if !fits {
        return Err(format!("has {}", plural(inputs, "input")));
    }
    match (at, operation) {
        (0, Operation::Input { .. }) => Ok(()),
        (0, _) => Err("is the first node, which must be the input".into()),
        (_, Operation::Input { .. }) => Err("is a second input".into()),
        _ => Ok(()),
    }
}

fn convolved(conv: &Convolution, x: ValueShape) -> Result<ValueShape, String> {
    let Convolution { channels: [c_in, c_out], kernel, stride, searched, dilation, causal, groups, patches } = *conv;
    check_channels(c_in, x)?;
    if groups == 0 || [c_in, c_out].iter().any(|c| c % groups != 0) {
        return Err(format!("has {}, which do not divide {c_in} and {c_out} channels", plural(groups, "group")));
    }
    if patches && (!WINDOWS.contains(&kernel) || searched || causal || dilation != 1) {
        return Err(format!("has patches of size {kernel}; they are not searched, causal or dilated"));
    }
    if !SIZES.contains(&kernel) || (kernel % 2 == 0 && !patches) {
        return Err(format!("has kernel size {kernel}; sizes must be odd"));
    }
    if !DILATIONS.contains(&dilation) {
        return Err(format!("has dilation {dilation}"));
    }
    Ok(ValueShape { channels: c_out, ..strided(stride, x)? })
}

/// Returns the shape of a value after a stride.
fn strided(stride: usize, x: ValueShape) -> Result<ValueShape, String> {
    if !SIZES.contains(&stride) {
        return Err(format!("has stride {stride}"));
    }
    let before = if let Grid::Strided(before) = x.grid { before } else { 1 };
    match before.checked_mul(stride) {
        Some(all) => Ok(ValueShape { grid: Grid::Strided(all), ..x }),
        None => Err(format!("has stride {stride} after a stride of {before}")),
    }
}

fn check_channels(takes: usize, x: ValueShape) -> Result<(), String> {
    if takes == x.channels {
        Ok(())
    } else {
        Err(format!("takes {}, but its input has {}", plural(takes, "channel"), x.channels))
    }
}

fn describe(shape: ValueShape) -> String {
    match shape.grid {
        Grid::Strided(stride) => format!("{} at stride {stride}", plural(shape.channels, "channel")),
        Grid::Pooled => format!("means of {}", plural(shape.channels, "channel")),
    }
}
