//! Columns of a table, and their text as CSV.

/// A column with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name in the header.
    pub name: String,
    /// The value of each row.
    pub values: ColumnValues,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Whole numbers.
    Numbers(Vec<i32>),
    /// Text.
    Texts(Vec<String>),
    /// Real numbers.
    Reals(Vec<f32>),
    /// Real numbers in double precision, such as times.
    Doubles(Vec<f64>),
}

/// Formats a table as CSV with a header; fields are quoted where necessary (RFC 4180).
pub fn csv(columns: &[Column]) -> String {
    let header: Vec<String> = columns.iter().map(|c| quoted(&c.name)).collect();
    let mut text = header.join(",") + "\n";
    for row in 0..columns.first().map_or(0, |c| c.values.len()) {
        let cells: Vec<String> = columns.iter().map(|c| c.values.cell(row)).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

impl ColumnValues {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self {
            ColumnValues::Numbers(v) => v.len(),
            ColumnValues::Texts(v) => v.len(),
            ColumnValues::Reals(v) => v.len(),
            ColumnValues::Doubles(v) => v.len(),
        }
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn cell(&self, row: usize) -> String {
        match self {
            ColumnValues::Numbers(v) => v[row].to_string(),
            ColumnValues::Texts(v) => quoted(&v[row]),
            // The shortest text that reads back as the same f32.
            ColumnValues::Reals(v) => v[row].to_string(),
            ColumnValues::Doubles(v) => v[row].to_string(),
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
        let texts = ColumnValues::Texts(vec!["a,b".into(), "c \"d\"".into()]);
        let columns = [
            Column { name: "x,y".into(), values: texts },
            Column { name: "p".into(), values: ColumnValues::Reals(vec![0.1, 1e-9]) },
        ];
        assert_eq!(csv(&columns), "\"x,y\",p\n\"a,b\",0.1\n\"c \"\"d\"\"\",0.000000001\n");
    }
}
