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
    /// The most probable class of each sample, from 0; the first on a tie. Only for classification.
    pub classes: Option<Vec<u32>>,
    /// The names of the samples for tables (the `ids` of the inputs); `None` unless set.
    pub ids: Option<Vec<String>>,
    /// Columns for tables that say where in a recording each sample is, instead of its name; empty unless set.
    pub places: Vec<Column>,
}
