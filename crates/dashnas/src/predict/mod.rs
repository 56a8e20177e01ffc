//! Predictions of a trained model on raw inputs, in the data's own units.

mod error;
mod output;
mod parquet;
pub mod table;

pub use error::{InputError, OutputError};
pub use output::OutputFormat;

use crate::data::{Array, DataError};
use crate::error::Error;
use crate::host::floats;
use crate::model::{Model, ModelCard};
use crate::network::Pass;
use crate::task::TaskKind;
use crate::transform::{self, Transform};
use burn::tensor::{Tensor, TensorData};
use std::borrow::Cow;

/// Samples a forward pass takes at once.
const BATCH: usize = 128;

/// What a model says of some inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// `[N, classes]` or `[N, labels]` of probabilities, `[N, outputs]` of values, or `[N, C, L]` or
    /// `[N, C, H, W]` of field values or, for masks, probabilities. Values and fields are in the units of
    /// the training targets.
    pub values: Array,
    /// The most probable class of each sample, from 0, the first of them on a tie; only for classification.
    pub classes: Option<Vec<u32>>,
    /// What the samples are called, as [`Inputs::ids`](crate::data::Inputs::ids) has it, for tables; nobody knows
    /// unless it is set.
    pub ids: Option<Vec<String>>,
}

impl Model {
    /// Predicts from raw inputs, `[N, C, L]` or `[N, C, H, W]`, in the units of the training inputs. A single channel
    /// needs no axis.
    ///
    /// # Errors
    /// [`Error::Input`] if the inputs do not fit the model.
    pub fn predict(&self, x: &Array) -> Result<Prediction, Error> {
        let mut values = self.outputs(x)?;
        self.card().targets.decode(&mut values);
        let task = self.card().task;
        match task {
            TaskKind::Classification { classes } => softmax(&mut values.data, classes),
            TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => values.data.iter_mut().for_each(sigmoid),
            TaskKind::Regression { .. } | TaskKind::DenseRegression { .. } => {}
        }
        let classes = match task {
            TaskKind::Classification { classes } => {
                Some(values.data.chunks_exact(classes).map(|row| largest(row) as u32).collect())
            }
            _ => None,
        };
        Ok(Prediction { values, classes, ids: None })
    }

    /// What the network itself says of raw inputs: logits, or values as it was trained to give them, not
    /// decoded; of the shape that [`Prediction::values`] has.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn outputs(&self, x: &Array) -> Result<Array, Error> {
        let x = self.card().transformed(x)?;
        let (channels, outputs) = (x.shape[1], self.card().task.outputs());
        let [height, width] = match x.shape[2..] {
            [l] => [1, l],
            [h, w] => [h, w],
            // `check_inputs` refuses other ranks.
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
            // The temperature is that of a mixture, of which a trained model has none.
            data.extend(floats(self.network().forward(part, &mut Pass::evaluation(1.0))));
        }
        Ok(Array::new(shape, data))
    }
}

impl ModelCard {
    /// Whether the network can take inputs of other lengths or sizes than it was trained on. All its
    /// layers can; a normalization point by point, or points put in a fixed order, cannot.
    pub fn any_size(&self) -> bool {
        !self.inputs.is_pointwise() && !self.targets.is_pointwise() && !self.transforms.contains(&Transform::Permute)
    }

    /// `[channels, L]` or `[channels, H, W]` of what the network takes, after the transforms.
    pub fn network_shape(&self) -> Vec<usize> {
        match (self.graph.dims(), self.input) {
            (1, [c, _, l]) => vec![c, l],
            (_, [c, h, w]) => vec![c, h, w],
        }
    }

    /// Raw inputs with an axis of channels, if they lack that of their single one (or have one too many).
    ///
    /// # Errors
    /// As [`Array::fetch`].
    pub(crate) fn shaped<'a>(&self, x: &'a Array) -> Result<Cow<'a, Array>, DataError> {
        let (channels, axes) = (self.read_as.first(), self.read_as.len() + 1);
        let mut shape = x.shape.clone();
        match x.shape.len() {
            n if n + 1 == axes && n > 1 && channels == Some(&1) => shape.insert(1, 1),
            n if n == axes + 1 && shape[1] == 1 => {
                shape.remove(1);
            }
            _ => return Ok(Cow::Borrowed(x)),
        }
        let mut x = x.clone();
        x.load()?;
        Ok(Cow::Owned(Array::new(shape, x.data)))
    }

    /// Raw inputs as they go into the normalization.
    ///
    /// # Errors
    /// As [`ModelCard::check_inputs`], and [`Error::Data`] if a transform does not go with the inputs.
    pub(crate) fn transformed<'a>(&self, x: &'a Array) -> Result<Cow<'a, Array>, Error> {
        let x = self.shaped(x)?;
        self.check_inputs(&x)?;
        if self.transforms.is_empty() {
            return Ok(x);
        }
        let mut x = x.into_owned();
        x.load()?;
        Ok(Cow::Owned(transform::inputs("the inputs", x, &self.transforms)?))
    }

    fn check_shape(&self, x: &Array) -> Result<(), InputError> {
        let expected = self.read_as.clone();
        if x.shape.len() != expected.len() + 1 {
            return Err(InputError::Rank { shape: x.shape.clone(), expected });
        }
        if x.shape[1] != expected[0] {
            return Err(InputError::Channels { found: x.shape[1], expected: expected[0], shape: x.shape.clone() });
        }
        if x.shape.contains(&0) {
            return Err(InputError::Empty { shape: x.shape.clone() });
        }
        if !self.any_size() && x.shape[2..] != expected[1..] {
            return Err(InputError::Size { found: x.shape[2..].to_vec(), expected: expected[1..].to_vec() });
        }
        Ok(())
    }

    /// Checks raw inputs against the model.
    ///
    /// # Errors
    /// [`InputError`] with the first thing found wrong, or [`Error::Data`] if the inputs are in a file that no longer
    /// gives them.
    pub fn check_inputs(&self, x: &Array) -> Result<(), Error> {
        self.check_shape(x)?;
        for i in 0..x.rows() {
            let row = x.fetch(i)?;
            if let Some(at) = row.iter().position(|v| !v.is_finite()) {
                return Err(InputError::NotFinite { index: x.unravel(i * x.row_len() + at), value: row[at] }.into());
            }
        }
        Ok(())
    }
}

/// Probabilities of each row of logits, in place.
fn softmax(values: &mut [f32], classes: usize) {
    for row in values.chunks_exact_mut(classes) {
        let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|v| *v = (*v - highest).exp());
        let total: f32 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= total);
    }
}

fn sigmoid(v: &mut f32) {
    *v = 1.0 / (1.0 + (-*v).exp());
}

/// The index of the largest element; the first of them on a tie.
pub(crate) fn largest(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_stable_for_large_logits() {
        let mut row = [1000.0, 1000.0, -1000.0, 3.0, 1.0, 2.0];
        softmax(&mut row, 3);
        assert_eq!(row[..3], [0.5, 0.5, 0.0]);
        assert!((row[3..].iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!((largest(&row[..3]), largest(&row[3..])), (0, 0));
        let mut v = -200.0;
        sigmoid(&mut v);
        assert_eq!(v, 0.0);
    }
}
