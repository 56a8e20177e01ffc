//! Labels that are lists: several labels of one sample, or a vector of numbers.

use crate::array::Array;
use crate::error::DataError;
use crate::found::NumericTargets;
use crate::tables::table::Table;
use crate::text::excerpt;
use serde_json::Value;
use std::collections::BTreeSet;

/// Labels that are lists, as numbers, with the names of the labels if they are labels.
type Lists = (NumericTargets, Option<Vec<String>>);

/// The list in a cell, as JSON or as Python writes it.
fn list(text: &str) -> Option<Vec<Value>> {
    let values: Vec<Value> =
        serde_json::from_str(text).or_else(|_| serde_json::from_str(&text.replace('\'', "\""))).ok()?;
    let plain = |v: &Value| matches!(v, Value::String(_) | Value::Number(_) | Value::Bool(_));
    values.iter().all(plain).then_some(values)
}

/// Reads the labels in a column if they are lists: texts and whole numbers in lists of several lengths are labels, of which
/// a sample may have several; 0 and 1, and numbers with fractions, in lists of one length are vectors. `known` are the names
/// of the labels in the training table.
///
/// # Errors
/// [`DataError::File`] with the place of a list that cannot be read, or of a label that does not occur in training.
pub(crate) fn read(
    table: &Table,
    c: usize,
    texts: &[String],
    known: Option<&[String]>,
) -> Result<Option<Lists>, DataError> {
    let typed = table.columns[c].facts.lists.is_some();
    if !texts.is_empty() && texts.iter().all(|t| t.starts_with('{') && t.ends_with('}')) {
        return Err(table.cell_error(0, c, "the label is an object").with_hint(HINT));
    }
    let written = !texts.is_empty() && texts.iter().all(|t| t.starts_with('[') && t.ends_with(']'));
    if !typed && !written {
        return Ok(None);
    }
    let mut rows = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let Some(values) = list(text) else {
            let reason = format!("the label `{}` is a list that cannot be read", excerpt(text));
            return Err(table.cell_error(row, c, reason).with_hint(HINT));
        };
        rows.push(values);
    }
    let all = || rows.iter().flatten();
    let length = rows.first().map_or(0, Vec::len);
    let equal = rows.iter().all(|row| row.len() == length);
    let numbers: Option<Vec<f64>> = all().map(number).collect();
    if let Some(values) = numbers.filter(|_| equal && length > 1) {
        // Intervals such as [10, 20] are texts.
        if !typed && length == 2 {
            return Ok(None);
        }
        let whole = values.iter().all(|v| v.fract() == 0.0);
        if whole && !values.iter().all(|&v| v == 0.0 || v == 1.0) {
            let reason =
                format!("the labels are lists of {length} whole numbers: they may be several labels or a vector");
            return Err(table.cell_error(0, c, reason).with_hint(HINT));
        }
        let array = Array::new(vec![rows.len(), length], values.into_iter().map(|v| v as f32).collect());
        return Ok(Some((NumericTargets { name: table.columns[c].name.clone(), array, integral: whole }, None)));
    }
    let name = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let found: BTreeSet<String> = all().map(name).collect();
    let names: Vec<String> = known.map_or_else(|| found.into_iter().collect(), <[String]>::to_vec);
    if names.is_empty() {
        return Err(table.cell_error(0, c, "no sample has a label: all lists are empty").with_hint(HINT));
    }
    let mut data = vec![0.0; rows.len() * names.len()];
    for (row, (values, out)) in rows.iter().zip(data.chunks_mut(names.len())).enumerate() {
        for label in values.iter().map(name) {
            let Some(i) = names.iter().position(|known| *known == label) else {
                let reason = format!("the label `{}` does not occur in the training samples", excerpt(&label));
                return Err(table.cell_error(row, c, reason).with_hint("give training samples with this label"));
            };
            out[i] = 1.0;
        }
    }
    let array = Array::new(vec![rows.len(), names.len()], data);
    Ok(Some((NumericTargets { name: table.columns[c].name.clone(), array, integral: true }, Some(names))))
}

/// What to do about lists that are not clear.
const HINT: &str =
    "write lists of texts for several labels, or one column of 0 and 1 for each label and name them in `data.targets`";

/// A value as a number.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(v) => Some(f64::from(u8::from(*v))),
        Value::Number(v) => v.as_f64(),
        _ => None,
    }
}
