//! The trained numbers of a graph, and what they are called.

use super::node::{Kind, NodeId, Operation};
use super::topology::Graph;

impl Graph {
    /// The name under which the parameters of a convolution or a normalization are kept: `convs.3`, `pointwise.0`,
    /// `norms.5`. The linear map's are `head_weight` and `head_bias`.
    pub fn parameter_name(&self, id: NodeId) -> Option<String> {
        let kind = match self.node(id).operation.kind() {
            Kind::Searched => "convs",
            Kind::Pointwise => "pointwise",
            Kind::Unsearched => "unsearched",
            Kind::Norm => "norms",
            Kind::Head | Kind::Nothing => return None,
        };
        Some(format!("{kind}.{}", self.index(id)))
    }

    /// Trained numbers of everything but the searched convolutions.
    pub fn fixed_params(&self) -> u64 {
        let params = self.nodes().map(|(_, node)| match &node.operation {
            Operation::Conv(conv) if conv.searched => 0,
            Operation::Conv(conv) => conv.params(conv.kernel, self.dims()),
            Operation::Norm { channels } => 2 * *channels as u64,
            Operation::Linear { channels: [features, outputs] } => (*features as u64 + 1) * *outputs as u64,
            _ => 0,
        });
        params.fold(0, u64::saturating_add)
    }

    /// Trained numbers of the searched convolutions with kernels of size `k`, biases included.
    pub fn searched_params(&self, k: usize) -> u64 {
        self.searched().iter().map(|conv| conv.params(k, self.dims())).fold(0, u64::saturating_add)
    }
}
