//! Predictions as a table, one row a sample.

use super::{OutputError, Prediction};
use crate::model::ModelCard;

/// A column with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What it is.
    pub name: String,
    /// One value a row.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Numbers(Vec<i32>),
    /// Texts.
    Texts(Vec<String>),
    /// Real numbers.
    Reals(Vec<f32>),
}

/// Columns that a table has at most: more are a field, for which a table is the wrong form.
const MAX_COLUMNS: usize = 10_000;

/// Sample, what it is called (where that is known), class (by name where there are names), and a column for each probability or value. Fields have a column
/// for each point: `c0_3_7` is channel 0 at row 3 and column 7.
///
/// # Errors
/// [`OutputError::TooWide`] for large fields.
pub fn table(prediction: &Prediction, card: &ModelCard) -> Result<Vec<Column>, OutputError> {
    let values = &prediction.values;
    let (rows, width) = (values.rows(), values.row_len());
    if width > MAX_COLUMNS {
        return Err(OutputError::TooWide { columns: width, limit: MAX_COLUMNS });
    }
    let samples = (0..rows).map(|i| i32::try_from(i).unwrap_or(i32::MAX)).collect();
    let mut columns = vec![Column { name: "sample".into(), values: Values::Numbers(samples) }];
    if let Some(ids) = &prediction.ids {
        columns.push(Column { name: "id".into(), values: Values::Texts(ids.clone()) });
    }
    if let Some(classes) = &prediction.classes {
        let values = match &card.classes {
            Some(names) => Values::Texts(classes.iter().map(|&c| names[c as usize].clone()).collect()),
            None => Values::Numbers(classes.iter().map(|&c| c as i32).collect()),
        };
        columns.push(Column { name: "class".into(), values });
    }
    for (i, name) in names(prediction, card).into_iter().enumerate() {
        let column = values.data.iter().skip(i).step_by(width).copied().collect();
        columns.push(Column { name, values: Values::Reals(column) });
    }
    Ok(columns)
}

/// A name for each element of a sample's prediction.
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

/// The table as CSV with a header, fields quoted where they have to be (RFC 4180).
pub fn csv(columns: &[Column]) -> String {
    let header: Vec<String> = columns.iter().map(|c| quoted(&c.name)).collect();
    let mut text = header.join(",") + "\n";
    for row in 0..columns.first().map_or(0, |c| c.values.len()) {
        let cells: Vec<String> = columns.iter().map(|c| c.values.cell(row)).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

impl Values {
    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(v) => v.len(),
            Values::Texts(v) => v.len(),
            Values::Reals(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn cell(&self, row: usize) -> String {
        match self {
            Values::Numbers(v) => v[row].to_string(),
            Values::Texts(v) => quoted(&v[row]),
            // The shortest text that reads back as the same f32.
            Values::Reals(v) => v[row].to_string(),
        }
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_and_quotes_are_quoted() {
        let texts = Values::Texts(vec!["a,b".into(), "c \"d\"".into()]);
        let columns = [
            Column { name: "x,y".into(), values: texts },
            Column { name: "p".into(), values: Values::Reals(vec![0.1, 1e-9]) },
        ];
        assert_eq!(csv(&columns), "\"x,y\",p\n\"a,b\",0.1\n\"c \"\"d\"\"\",0.000000001\n");
    }
}
