//! Whether the first row of a table names its columns.

use crate::tables::number::{Cell, Style, cell, spelling};

/// Names of columns of labels, sequences and the like; a first row with one of them is a header.
const WORDS: [&str; 16] = [
    "label", "labels", "class", "target", "y", "category", "sequence", "seq", "id", "name", "file", "filename",
    "group", "split", "subject", "activity",
];

/// What the first row of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// The names of the columns.
    Names,
    /// The names of the columns, which are numbers.
    Numbers,
    /// A row like the others.
    Row,
}

/// Returns whether a field is a number in any style, as a value, or missing.
fn value(text: &str) -> Option<f64> {
    match cell(text, Style::PLAIN) {
        Cell::Number(v) => Some(v),
        Cell::Missing | Cell::Bool(_) => Some(f64::NAN),
        Cell::Text => spelling(text).map(|_| 0.5),
    }
}

/// Decides by the first rows what the first of them is.
pub(crate) fn first(rows: &[Vec<String>]) -> First {
    let [first, rest @ ..] = rows else { return First::Row };
    if first.iter().any(|f| WORDS.contains(&f.to_lowercase().as_str())) {
        return First::Names;
    }
    // A column of numbers may have a few misspelled ones, or a line of units.
    let is_numeric = |c: usize| {
        let values = rest.iter().filter_map(|row| row.get(c)).map(|text| value(text));
        let (numbers, others) = values.fold((0, 0), |(n, others), v| match v {
            Some(v) if v.is_nan() => (n, others),
            Some(_) => (n + 1, others),
            None => (n, others + 1),
        });
        numbers > 0 && numbers >= 4 * (others.max(1) - 1) && numbers >= others
    };
    let numeric: Vec<usize> = (0..first.len()).filter(|&c| is_numeric(c)).collect();
    if numeric.iter().any(|&c| value(&first[c]).is_none()) {
        return First::Names;
    }
    let names: Vec<f64> = numeric.iter().filter_map(|&c| value(&first[c])).collect();
    if names.len() >= 3
        && are_steps(&names)
        && numeric.iter().filter(|&&c| has_fraction(rest, c)).count() * 2 > names.len()
    {
        return First::Numbers;
    }
    First::Row
}

/// Returns whether these are whole numbers with equal steps between them.
fn are_steps(values: &[f64]) -> bool {
    let step = values[1] - values[0];
    let least = if step == 1.0 && (values[0] == 0.0 || values[0] == 1.0) { 3 } else { 5 };
    values.len() >= least
        && step > 0.0
        && values.iter().all(|v| v.fract() == 0.0)
        && values.windows(2).all(|w| w[1] - w[0] == step)
}

/// Returns whether a column holds a number with a fraction.
fn has_fraction(rows: &[Vec<String>], c: usize) -> bool {
    rows.iter().filter_map(|row| row.get(c)).filter_map(|text| value(text)).any(|v| v.fract() != 0.0 && !v.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_values() {
        let rows = |text: &str| -> Vec<Vec<String>> {
            text.lines().map(|line| line.split(',').map(Into::into).collect()).collect()
        };
        let cases = [
            ("a,b\n1,2\n3,4", First::Names),
            ("a,b\nmV,s\n1,2\n3,4", First::Names),
            ("1,2,x\n3,4,y", First::Row),
            ("0,1,2,kind\n0.5,1.5,2.5,x\n1.5,2.5,3.5,y", First::Numbers),
            ("1,2,3\n0.5,1.5,2.5", First::Numbers),
            ("400,402,404,406,408\n0.5,1.5,2.5,3.5,0.1", First::Numbers),
            ("1,2,3\n4,5,6\n7,8,9", First::Row),
            ("1,3,5\n0.5,1.5,2.5", First::Row),
            ("label,x\na,b", First::Names),
            ("x,y2\na,b", First::Row),
        ];
        for (text, expected) in cases {
            assert_eq!(first(&rows(text)), expected, "{text}");
        }
    }
}
