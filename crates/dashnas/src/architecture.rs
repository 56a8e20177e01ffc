//! The result of the search: which kernel each layer gets.

use crate::backbone::{Graph, Shape};
use crate::config::BackboneName;
use crate::error::Error;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// A searched architecture: a backbone with a kernel size and dilation for each searched layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// The topology.
    pub backbone: BackboneName,
    /// `[k, d]` of each searched layer, in the order of the forward pass.
    pub kernels: Vec<[usize; 2]>,
    /// The mixing probability that each chosen kernel had at the end of the search.
    pub probabilities: Vec<f64>,
}

impl Architecture {
    /// Checks the architecture against the graph it is to be built on.
    ///
    /// # Errors
    /// [`Error::Architecture`] if the number of layers differs or a kernel is even or zero.
    pub fn check(&self, graph: &Graph) -> Result<(), Error> {
        let layers = graph.searched().len();
        if self.kernels.len() != layers {
            return Err(Error::Architecture {
                reason: format!(
                    "it has {} kernels, but the backbone {} has {layers} searched layers",
                    self.kernels.len(),
                    self.backbone.name()
                ),
            });
        }
        match self.kernels.iter().position(|&[k, d]| k % 2 == 0 || d == 0) {
            Some(i) => Err(Error::Architecture {
                reason: format!(
                    "layer {i} has kernel size {} and dilation {}; sizes are odd and dilations at least 1",
                    self.kernels[i][0], self.kernels[i][1]
                ),
            }),
            None => Ok(()),
        }
    }
}

/// The graph of a problem's backbone at a width.
pub(crate) fn graph(problem: &Problem, width: usize) -> Graph {
    let config = &problem.config;
    let shape = Shape {
        channels: problem.train.input()[0],
        outputs: problem.task.outputs(),
        dense: problem.task.is_dense(),
        width,
        base: config.backbone.channels,
        plain_kernels: &config.backbone.plain_kernels,
    };
    config.backbone_name(problem.dims()).resolve().graph(shape)
}
