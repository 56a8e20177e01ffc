//! The blocks of a graph, for drawings.

use crate::graph::node::NodeId;
use crate::graph::topology::Graph;
use std::ops::RangeInclusive;

/// The nodes between two consecutive nodes that every path from the input to the output passes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The node before the block, whose value the block uses.
    pub entry: NodeId,
    /// The numbers of the nodes of the block. The value of the last node is that of the block.
    pub nodes: RangeInclusive<usize>,
    /// Whether several paths lead from the entry to the last node, which is a sum or a concatenation.
    pub branches: bool,
}

impl Graph {
    /// Divides the graph into blocks, in order: parts that branch, and the sequences of operations between them.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        // The last node that uses a value of the nodes so far.
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
