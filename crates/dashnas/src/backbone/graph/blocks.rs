//! The blocks of a graph, as a drawing shows them.

use super::node::NodeId;
use super::topology::Graph;
use std::ops::RangeInclusive;

/// Nodes between two that every path from the input to the output passes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The node whose value the block uses.
    pub entry: NodeId,
    /// The numbers of the nodes of the block. The last one gives its value.
    pub nodes: RangeInclusive<usize>,
    /// Whether paths part at the entry and meet in the last node, a sum or a concatenation.
    pub branches: bool,
}

impl Graph {
    /// The blocks between the input and the output, in order: parts that branch, and whole sequences of operations
    /// between these.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        // Up to where values reach over the nodes that come next.
        let (mut reach, mut entry) = (self.last_use(NodeId(0)), NodeId(0));
        for (id, _) in self.nodes().skip(1) {
            if reach <= id {
                let branches = id.0 > entry.0 + 1;
                match blocks.last_mut() {
                    Some(last) if !last.branches && !branches => last.nodes = *last.nodes.start()..=id.0,
                    _ => blocks.push(Block { entry, nodes: entry.0 + 1..=id.0, branches }),
                }
                entry = id;
            }
            reach = reach.max(self.last_use(id));
        }
        blocks
    }
}
