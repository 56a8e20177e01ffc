//! The forward pass of a trained model on raw inputs.

use crate::error::ModelError;
use crate::model::Model;
use crate::network::Pass;
use crate::predict::prediction::Prediction;
use crate::tensor_data::floats;
use burn::tensor::{Tensor, TensorData};
use dashnas_core::math::{argmax, softmax};
use dashnas_core::task::TaskKind;
use dashnas_data::centering;
use dashnas_formats::array::Array;
use dashnas_formats::fill;

/// The number of samples in a forward pass.
const BATCH: usize = 128;

impl Model {
    /// Predicts from raw inputs, `[N, C, L]` or `[N, C, H, W]`, in the units of the training inputs. A single channel
    /// may lack its axis.
    ///
    /// # Errors
    /// [`ModelError::Input`] if the inputs do not fit the model.
    pub fn predict(&self, x: &Array) -> Result<Prediction, ModelError> {
        Ok(self.prediction(self.scores(x)?))
    }

    /// Returns what metrics are computed from: logits, or values in the units of the training targets. The shape is that
    /// of [`Prediction::values`].
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn scores(&self, x: &Array) -> Result<Array, ModelError> {
        let mut values = self.outputs(x)?;
        self.card().targets.decode(&mut values);
        let back: Vec<f64> = self.card().centers().targets.iter().map(|center| -center).collect();
        centering::subtract(&mut values, &back);
        Ok(values)
    }

    /// Returns the prediction that [`Model::scores`] lead to.
    pub fn prediction(&self, scores: Array) -> Prediction {
        let (mut values, task) = (scores, self.card().task);
        match task {
            TaskKind::Classification { classes } => values.data.chunks_exact_mut(classes).for_each(softmax),
            TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => values.data.iter_mut().for_each(sigmoid),
            TaskKind::Regression { .. } | TaskKind::DenseRegression { .. } => {}
        }
        let classes = match task {
            TaskKind::Classification { classes } => {
                Some(values.data.chunks_exact(classes).map(|row| argmax(row) as u32).collect())
            }
            _ => None,
        };
        Prediction { values, centers: Vec::new(), classes, ids: None, places: Vec::new() }
    }

    /// Returns the outputs of the network itself for raw inputs: logits, or values in the units of the normalized
    /// targets. The shape is that of [`Prediction::values`]. Outputs at every position are NaN after the end of a sample.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn outputs(&self, x: &Array) -> Result<Array, ModelError> {
        let x = self.card().transformed(x)?;
        let (channels, outputs) = (x.shape[1], self.card().task.outputs());
        let [height, width] = match x.shape[2..] {
            [l] => [1, l],
            [h, w] => [h, w],
            // `check_inputs` rejects other numbers of axes.
            _ => unreachable!("inputs have one or two spatial axes"),
        };
        let mut shape = vec![x.rows(), outputs];
        if self.card().task.is_dense() {
            shape.extend_from_slice(&x.shape[2..]);
        }
        let mut data = Vec::with_capacity(shape.iter().product());
        let rows: Vec<usize> = (0..x.rows()).collect();
        for chunk in rows.chunks(BATCH) {
            let mut part = x.select(chunk);
            self.card().inputs.apply(&mut part);
            part.load()?;
            let part = TensorData::new(part.data, [chunk.len(), channels, height, width]);
            let part = Tensor::<4>::from_data(part, self.device());
            // The temperature has no effect: a trained model has no mixtures.
            data.extend(floats(self.network().forward(part, &mut Pass::evaluation(1.0))));
        }
        let mut outputs = Array::new(shape, data);
        if self.card().graph.is_masked() && self.card().task.is_dense() {
            fill::clear_after_ends(&x, &mut outputs)?;
        }
        Ok(outputs)
    }
}

fn sigmoid(v: &mut f32) {
    *v = 1.0 / (1.0 + (-*v).exp());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_stable_for_large_logits() {
        let mut v = -200.0;
        sigmoid(&mut v);
        assert_eq!(v, 0.0);
    }
}
