//! The sizes of the values of all nodes for an input of a given size.

use crate::graph::node::{NodeId, Operation};
use crate::graph::topology::Graph;

/// A node with the sizes of its inputs and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracedNode<'a> {
    /// The node.
    pub id: NodeId,
    /// Its operation.
    pub operation: &'a Operation,
    /// The nodes whose values it uses.
    pub inputs: &'a [NodeId],
    /// `[height, width]` of its inputs; height 1 for series.
    pub input: [usize; 2],
    /// `[height, width]` of its value.
    pub output: [usize; 2],
    /// The number of channels of its value.
    pub channels: usize,
}

impl TracedNode<'_> {
    /// Returns the number of elements of the node's value for one sample.
    pub fn elements(&self) -> u64 {
        (self.channels * self.output[0] * self.output[1]) as u64
    }
}

impl Graph {
    /// Returns every node with its sizes, in the order of evaluation, for an input of size `[height, width]`.
    pub fn trace(&self, input: [usize; 2]) -> Vec<TracedNode<'_>> {
        let mut out: Vec<TracedNode<'_>> = Vec::with_capacity(self.nodes().len());
        for (id, node) in self.nodes() {
            let input = node.inputs.first().map_or(input, |first| out[first.0].output);
            let output = match (&node.operation, node.inputs.get(1)) {
                (Operation::Resize, Some(like)) => out[like.0].output,
                _ => self.output(&node.operation, input),
            };
            let channels = self.channels(id);
            out.push(TracedNode { id, operation: &node.operation, inputs: &node.inputs, input, output, channels });
        }
        out
    }

    /// Returns the size of the value of an operation on inputs of a size.
    fn output(&self, operation: &Operation, [h, w]: [usize; 2]) -> [usize; 2] {
        let strided = |stride: usize| match self.dims() {
            1 => [h, w.div_ceil(stride)],
            _ => [h.div_ceil(stride), w.div_ceil(stride)],
        };
        match operation {
            Operation::Conv(conv) => strided(conv.stride),
            Operation::MaxPool(pool) => strided(pool.stride),
            Operation::Mean | Operation::Last => [1, 1],
            _ => [h, w],
        }
    }

    /// Returns the maximum number of elements that the values of one sample have at one time during an evaluation,
    /// where every value is dropped after its last use.
    pub fn peak(&self, input: [usize; 2]) -> u64 {
        let trace = self.trace(input);
        let (mut live, mut peak) = (0, 0);
        for node in &trace {
            let mut ending: Vec<NodeId> = node.inputs.to_vec();
            ending.sort_unstable();
            ending.dedup();
            ending.retain(|&input| self.last_use(input) == node.id);
            let freed: u64 = ending.into_iter().map(|input| trace[input.0].elements()).sum();
            // These overwrite an input that no later node uses.
            let in_place = matches!(node.operation, Operation::Relu | Operation::Dropout | Operation::Sum);
            if in_place {
                live = live - freed + node.elements();
                peak = peak.max(live);
            } else {
                live += node.elements();
                peak = peak.max(live);
                live -= freed;
            }
        }
        peak
    }
}
