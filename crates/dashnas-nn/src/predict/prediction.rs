//! The result of a prediction.

use crate::predict::columns::Column;
use dashnas_formats::array::Array;

/// The predictions of a model for some inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// `[N, classes]` or `[N, labels]` of probabilities, `[N, outputs]` of values, or `[N, C, L]` or
    /// `[N, C, H, W]` of field values or, for masks, probabilities. Values and fields are in the units of
    /// the training targets.
    pub values: Array,
    /// What is still to be added to the values of each output in `f64`; empty if they are complete.
    pub centers: Vec<f64>,
    /// The most probable class of each sample, from 0; the first on a tie. Only for classification.
    pub classes: Option<Vec<u32>>,
    /// The names of the samples for tables (the `ids` of the inputs); `None` unless set.
    pub ids: Option<Vec<String>>,
    /// Columns for tables that say where in a recording each sample is, instead of its name; empty unless set.
    pub places: Vec<Column>,
}

impl Prediction {
    /// The values in the order of the array with what is to be added to them; `None` if they are complete.
    pub fn doubles(&self) -> Option<Vec<f64>> {
        let outputs = self.centers.len();
        let plane = (self.values.row_len() / outputs.max(1)).max(1);
        let complete = |(i, &value): (usize, &f32)| f64::from(value) + self.centers[i / plane % outputs];
        (outputs > 0).then(|| self.values.data.iter().enumerate().map(complete).collect())
    }
}
