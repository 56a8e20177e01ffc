//! The numbers of parameters of a graph, and the names of parameters.

use crate::graph::node::{NodeId, Operation, ParameterKind};
use crate::graph::topology::Graph;

impl Graph {
    /// Returns the name of the parameters of a convolution, a normalization or factors: `convs.3`, `pointwise.0`,
    /// `norms.5`. The parameters of the linear map are named `head_weight` and `head_bias`.
    pub(crate) fn parameter_name(&self, id: NodeId) -> Option<String> {
        let kind = match self.node(id).operation.kind() {
            ParameterKind::Searched => "convs",
            ParameterKind::Pointwise => "pointwise",
            ParameterKind::Unsearched => "unsearched",
            ParameterKind::Norm => "norms",
            ParameterKind::LayerNorm => "layer_norms",
            ParameterKind::LayerScale => "layer_scales",
            ParameterKind::Head | ParameterKind::None => return None,
        };
        Some(format!("{kind}.{}", self.index(id)))
    }

    /// Counts the trained parameters of everything but the searched convolutions.
    pub fn fixed_params(&self) -> u64 {
        let params = self.nodes().map(|(_, node)| match &node.operation {
            Operation::Conv(conv) if conv.searched => 0,
            Operation::Conv(conv) => conv.params(conv.kernel, self.dims()),
            Operation::Norm { channels } | Operation::LayerNorm { channels } => 2 * *channels as u64,
            Operation::LayerScale { channels } => *channels as u64,
            Operation::Linear { channels: [features, outputs] } => (*features as u64 + 1) * *outputs as u64,
            _ => 0,
        });
        params.fold(0, u64::saturating_add)
    }

    /// Counts the trained parameters of the network with the given kernels `[k, d]`, one for each searched layer.
    pub fn params(&self, kernels: &[[usize; 2]]) -> u64 {
        let searched = self.searched().into_iter().zip(kernels).map(|(conv, &[k, _])| conv.params(k, self.dims()));
        searched.fold(self.fixed_params(), u64::saturating_add)
    }

    /// Counts the parameters of the searched convolutions with kernels of size `k`, including biases.
    pub fn searched_params(&self, k: usize) -> u64 {
        self.searched().iter().map(|conv| conv.params(k, self.dims())).fold(0, u64::saturating_add)
    }
}
