//! Predictions as a table of one sample a row.

use crate::artifact::card::ModelCard;
use crate::error::OutputError;
use crate::predict::columns::{Column, ColumnValues};
use crate::predict::prediction::Prediction;

/// The maximum number of columns. Larger fields are written as arrays.
const MAX_COLUMNS: usize = 10_000;

/// Makes a table of predictions: the number of the sample, its place in a recording or its name (where it is known), its
/// class (by name where
/// classes have names), and a column for each probability or value. Fields have a column for each point: `c0_3_7` is
/// channel 0 at row 3 and column 7.
///
/// # Errors
/// [`OutputError::TooWide`] if a field has too many points.
pub fn table(prediction: &Prediction, card: &ModelCard) -> Result<Vec<Column>, OutputError> {
    let values = &prediction.values;
    let (rows, width) = (values.rows(), values.row_len());
    if width > MAX_COLUMNS {
        return Err(OutputError::TooWide { columns: width, limit: MAX_COLUMNS });
    }
    let samples = (0..rows).map(|i| i32::try_from(i).unwrap_or(i32::MAX)).collect();
    let mut columns = vec![Column { name: "sample".into(), values: ColumnValues::Numbers(samples) }];
    columns.extend_from_slice(&prediction.places);
    if let Some(ids) = prediction.ids.as_ref().filter(|_| prediction.places.is_empty()) {
        columns.push(Column { name: "id".into(), values: ColumnValues::Texts(ids.clone()) });
    }
    if let Some(classes) = &prediction.classes {
        let values = match &card.classes {
            Some(names) => ColumnValues::Texts(classes.iter().map(|&c| names[c as usize].clone()).collect()),
            None => ColumnValues::Numbers(classes.iter().map(|&c| c as i32).collect()),
        };
        columns.push(Column { name: "class".into(), values });
    }
    let doubles = prediction.doubles();
    for (i, name) in names(prediction, card).into_iter().enumerate() {
        let values = match &doubles {
            Some(doubles) => ColumnValues::Doubles(doubles.iter().skip(i).step_by(width).copied().collect()),
            None => ColumnValues::Reals(values.data.iter().skip(i).step_by(width).copied().collect()),
        };
        columns.push(Column { name, values });
    }
    Ok(columns)
}

/// The names of the columns of the probabilities or values.
fn names(prediction: &Prediction, card: &ModelCard) -> Vec<String> {
    let shape = &prediction.values.shape[1..];
    if shape.len() > 1 {
        let point = |i: usize| prediction.values.unravel(i)[1..].iter().map(usize::to_string).collect::<Vec<_>>();
        return (0..prediction.values.row_len()).map(|i| format!("c{}", point(i).join("_"))).collect();
    }
    let outputs = shape[0];
    match &card.classes {
        Some(names) => names.iter().map(|name| format!("p_{name}")).collect(),
        None if card.task.has_probabilities() => (0..outputs).map(|i| format!("p_{i}")).collect(),
        None => (0..outputs).map(|i| format!("value_{i}")).collect(),
    }
}
