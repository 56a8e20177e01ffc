//! Predictions of a trained model from raw inputs, in the units of the training data, and files of predictions.

pub mod by_time;
mod columns;
mod forward;
mod inputs;
pub mod output;
mod parquet;
pub mod prediction;
pub mod table;

pub use crate::predict::columns::{Column, ColumnValues, csv};
pub use crate::predict::output::OutputFormat;
pub use crate::predict::prediction::Prediction;
