//! The weights of a model, looked up by the name and the shape that a layer needs.

use crate::error::ExportError;
use crate::layers::Conv;
use crate::parameters::{Parameter, Parameters};

/// The weights of a model, looked up by name and shape.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a>(pub &'a Parameters);

impl<'a> Weights<'a> {
    /// Returns the values of a parameter.
    ///
    /// # Errors
    /// [`ExportError::Weights`] if no parameter has this name and shape.
    pub fn get(self, name: &str, shape: &[usize]) -> Result<&'a [f32], ExportError> {
        match self.0.get(name) {
            Some(Parameter { shape: found, values }) if found == shape => Ok(values),
            _ => Err(ExportError::Weights { name: name.into(), shape: shape.into() }),
        }
    }

    /// Returns the weights `[c_out, c_in / groups, k^dims]` and the bias `[c_out]` of a convolution over data of `dims` axes.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn conv(self, conv: &Conv, dims: usize) -> Result<[&'a [f32]; 2], ExportError> {
        let [c_in, c_out] = conv.channels;
        let taps = conv.kernel.pow(dims as u32);
        let weight = self.get(&format!("{}.weight", conv.name), &[c_out, c_in / conv.groups, taps])?;
        Ok([weight, self.get(&format!("{}.bias", conv.name), &[c_out])?])
    }

    /// Returns γ, β, the running mean and the running variance of a batch normalization, each `[channels]`.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn norm(self, name: &str, channels: usize) -> Result<[&'a [f32]; 4], ExportError> {
        let get = |part: &str| self.get(&format!("{name}.{part}"), &[channels]);
        Ok([get("gamma")?, get("beta")?, get("running_mean")?, get("running_var")?])
    }

    /// Returns γ and β of a layer normalization, each `[channels]`.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn layer_norm(self, name: &str, channels: usize) -> Result<[&'a [f32]; 2], ExportError> {
        let get = |part: &str| self.get(&format!("{name}.{part}"), &[channels]);
        Ok([get("gamma")?, get("beta")?])
    }

    /// Returns the factors of channels, `[channels]`.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn layer_scale(self, name: &str, channels: usize) -> Result<&'a [f32], ExportError> {
        self.get(&format!("{name}.factor"), &[channels])
    }

    /// Returns the linear map at the end: weights `[outputs, features]`, row-major, and bias `[outputs]`.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn head(self, [features, outputs]: [usize; 2]) -> Result<(Vec<f32>, &'a [f32]), ExportError> {
        let weight = self.get("head_weight", &[features, outputs])?;
        let transposed = (0..outputs).flat_map(|o| (0..features).map(move |f| weight[f * outputs + o])).collect();
        Ok((transposed, self.get("head_bias", &[outputs])?))
    }
}
