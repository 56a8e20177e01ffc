//! The weights and running statistics of a network as plain arrays, by name.

use safetensors::tensor::{Dtype, TensorView};
use std::collections::{BTreeMap, HashMap};

/// One array of weights or running statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The size of each axis, row-major.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub values: Vec<f32>,
}

/// Every parameter of a network by name: `convs.3.weight`, `norms.5.running_mean`, `head_bias`.
pub type Parameters = BTreeMap<String, Parameter>;

/// The bytes of a safetensors file with these parameters.
pub(crate) fn encode(
    parameters: &Parameters,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let mut views = Vec::with_capacity(parameters.len());
    for (name, p) in parameters {
        views.push((name, TensorView::new(Dtype::F32, p.shape.clone(), bytemuck::cast_slice(&p.values))?));
    }
    safetensors::serialize(views, metadata)
}
