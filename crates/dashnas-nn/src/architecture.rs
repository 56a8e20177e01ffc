//! The result of the search: a kernel size and a dilation for each layer.

use crate::error::ModelError;
use crate::graph::topology::Graph;
use dashnas_core::names::BackboneName;
use dashnas_core::text::plural;
use serde::{Deserialize, Serialize};

/// A searched architecture: a backbone with a kernel size and dilation for each searched layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// The name of the backbone.
    pub backbone: BackboneName,
    /// Kernel size and dilation `[k, d]` of each searched layer, in the order of the forward pass.
    pub kernels: Vec<[usize; 2]>,
    /// The probability that each chosen kernel had in its layer's mixture at the end of the search.
    pub probabilities: Vec<f64>,
}

impl Architecture {
    /// Checks the architecture against the graph it is to be built on.
    ///
    /// # Errors
    /// [`ModelError::Architecture`] if the number of layers differs or a kernel is even or zero.
    pub fn check(&self, graph: &Graph) -> Result<(), ModelError> {
        let layers = graph.searched().len();
        if self.kernels.len() != layers {
            return Err(ModelError::Architecture {
                reason: format!(
                    "it has {} for the {layers} searched layers of the backbone {}",
                    plural(self.kernels.len(), "kernel"),
                    self.backbone.name()
                ),
            });
        }
        match self.kernels.iter().position(|&[k, d]| k % 2 == 0 || d == 0) {
            Some(i) => Err(ModelError::Architecture {
                reason: format!(
                    "layer {i} has kernel size {} and dilation {}; sizes must be odd and dilations at least 1",
                    self.kernels[i][0], self.kernels[i][1]
                ),
            }),
            None => Ok(()),
        }
    }
}
