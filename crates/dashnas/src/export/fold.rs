//! Batch normalization folded into the convolution before it.
//!
//! In evaluation a batch normalization is an affine map of each channel, `y = (x − μ)·γ/√(σ² + ε) + β`. Where its
//! input is a convolution's output, the map can be taken into that convolution's weights and bias. Where its input
//! is a sum (before the first convolution of a pre-activation block) it stays.

use super::ExportError;
use super::layers::{Block, Conv, Layer, Shortcut, Weights, blocks};
use crate::artefact::{Artefact, Parameter, Parameters};
use crate::backbone::{Op, Residual};
use aggconv::norm::NormAct;

/// The same model with every batch normalization that follows a convolution folded into it.
///
/// # Errors
/// [`ExportError::Weights`] if the model lacks weights.
pub fn fold_batch_norm(artefact: &Artefact) -> Result<Artefact, ExportError> {
    let mut folded = artefact.clone();
    let (old, weights) = (&artefact.card, Weights(&artefact.parameters));
    let mut kept = Vec::new();
    let paths = blocks(&old.plan, &old.architecture.kernels);
    for (stage, Block { body, shortcut }) in folded.card.plan.stages.iter_mut().zip(paths) {
        let mut path = |ops: &mut Vec<Op>, layers: &[Layer]| -> Result<(), ExportError> {
            let gone = fold_path(layers, weights, old.plan.dims, &mut folded.parameters, &mut kept)?;
            let mut gone = gone.into_iter();
            ops.retain(|_| !gone.next().unwrap_or(false));
            Ok(())
        };
        path(&mut stage.body, &body)?;
        if let (Residual::Project { ops }, Shortcut::Layers(layers)) = (&mut stage.residual, &shortcut) {
            path(ops, layers)?;
        }
    }
    // The normalizations that are left are numbered anew, as the plan that is left numbers them.
    folded.parameters.retain(|name, _| !name.starts_with("norms."));
    for (index, (name, channels)) in kept.into_iter().enumerate() {
        let parts = ["gamma", "beta", "running_mean", "running_var"];
        for (part, values) in parts.into_iter().zip(weights.norm(&name, channels)?) {
            let parameter = Parameter { shape: vec![channels], values: values.to_vec() };
            folded.parameters.insert(format!("norms.{index}.{part}"), parameter);
        }
    }
    Ok(folded)
}

/// Folds along one path. Says for each layer whether it is gone, and adds the normalizations that are not to
/// `kept`.
fn fold_path(
    layers: &[Layer],
    weights: Weights<'_>,
    dims: usize,
    parameters: &mut Parameters,
    kept: &mut Vec<(String, usize)>,
) -> Result<Vec<bool>, ExportError> {
    let mut before: Option<&Conv> = None;
    let mut gone = vec![false; layers.len()];
    for (gone, layer) in gone.iter_mut().zip(layers) {
        match layer {
            Layer::Conv(conv) => before = Some(conv),
            Layer::Norm { name, channels } => match before.take() {
                Some(conv) => {
                    fold_into(conv, weights.conv(conv, dims)?, weights.norm(name, *channels)?, parameters);
                    *gone = true;
                }
                None => kept.push((name.clone(), *channels)),
            },
            Layer::Relu => before = None,
            Layer::Dropout => {}
        }
    }
    Ok(gone)
}

fn fold_into(conv: &Conv, [weight, bias]: [&[f32]; 2], norm: [&[f32]; 4], parameters: &mut Parameters) {
    let [gamma, beta, mean, variance] = norm.map(|values| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
    let slope = |o: usize| gamma[o] / (variance[o] + NormAct::EPSILON).sqrt();
    let row = weight.len() / bias.len();
    let scaled = weight.iter().enumerate().map(|(i, &w)| (f64::from(w) * slope(i / row)) as f32).collect();
    let moved = bias.iter().enumerate().map(|(o, &b)| ((f64::from(b) - mean[o]) * slope(o) + beta[o]) as f32).collect();
    for (part, values) in [("weight", scaled), ("bias", moved)] {
        if let Some(p) = parameters.get_mut(&format!("{}.{part}", conv.name)) {
            p.values = values;
        }
    }
}
