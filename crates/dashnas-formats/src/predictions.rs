//! The tables that `dashnas predict` writes, told by their columns.

use std::path::Path;

/// Returns whether columns of these names are those of predictions, as `dashnas predict` writes them.
pub fn are_predictions(header: &[String]) -> bool {
    let places =
        ["sample", "id", "row", "recording", "start", "end", "start_time", "end_time", "step", "time", "class"];
    let numbered = |name: &str, start: &str| {
        name.strip_prefix(start).is_some_and(|rest| {
            !rest.is_empty() && rest.split('_').all(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty())
        })
    };
    let output = |name: &str| name.starts_with("p_") || numbered(name, "value_") || numbered(name, "c");
    // What follows the first output may be the names of classes with a separator in them.
    let first = header.iter().position(|name| output(name));
    header.first().is_some_and(|name| name == "sample")
        && first.is_some_and(|first| header[..first].iter().all(|name| places.contains(&name.as_str())))
}

/// The columns between the number of the sample and its class, as `dashnas predict` writes them.
const PLACES: [&[&str]; 9] = [
    &[],
    &["id"],
    &["row"],
    &["recording", "start", "end"],
    &["recording", "start", "end", "start_time", "end_time"],
    &["recording", "step"],
    &["recording", "step", "row"],
    &["recording", "step", "time"],
    &["recording", "step", "row", "time"],
];
/// How much less than the largest probability that of the class may be: the class is chosen before the scores are rounded to
/// probabilities.
const ROUNDING: f64 = 1e-6;

/// The form of a table of predictions.
struct Form<'a> {
    /// The places of the samples, which follow the number of the sample.
    places: &'a [&'a str],
    /// Whether a column of classes follows.
    class: bool,
    /// The names of the probabilities or values, in the columns after these.
    outputs: Vec<&'a str>,
}

/// Returns whether a file of comma-separated values is, as a whole, a table that `dashnas predict` may have written: all
/// columns are its own, in its order, and all rows have its form. A file with other columns, or with a row, a class or a
/// number that was changed so that it has another form, is not; `false` if the file cannot be read.
pub fn is_csv_of_predictions(path: &Path) -> bool {
    let Ok(mut reader) = csv::ReaderBuilder::new().has_headers(false).from_path(path) else { return false };
    let (mut header, mut row) = (csv::StringRecord::new(), csv::StringRecord::new());
    if !reader.read_record(&mut header).unwrap_or(false) {
        return false;
    }
    let Some(form) = Form::of(&header) else { return false };
    for number in 0u64.. {
        // A row with another number of columns is an error.
        match reader.read_record(&mut row) {
            Ok(true) if form.is_row(&row, number) => {}
            Ok(false) => return number > 0,
            _ => return false,
        }
    }
    false
}

impl<'a> Form<'a> {
    /// The form of a table with a header, if it is one of predictions.
    fn of(header: &'a csv::StringRecord) -> Option<Form<'a>> {
        let names: Vec<&str> = header.iter().collect();
        let rest = names.strip_prefix(&["sample"])?;
        PLACES.iter().find_map(|&places| {
            let rest = rest.strip_prefix(places)?;
            let (class, outputs) = match rest.strip_prefix(&["class"]) {
                Some(outputs) => (true, outputs),
                None => (false, rest),
            };
            let probabilities = outputs.iter().all(|name| name.starts_with("p_"));
            let fits = probabilities || (!class && (are_values(outputs) || are_points(outputs)));
            (fits && !outputs.is_empty()).then(|| Form { places, class, outputs: outputs.to_vec() })
        })
    }

    /// Returns whether a row has the form of the row of a sample.
    fn is_row(&self, row: &csv::StringRecord, number: u64) -> bool {
        let mut cells = row.iter();
        let numbered = cells.next().is_some_and(|cell| cell == number.to_string());
        let placed = self.places.iter().all(|name| {
            let cell = cells.next().unwrap_or_default();
            let is_whole = || cell.parse::<i32>().is_ok_and(|whole| whole >= 0 && whole.to_string() == cell);
            !["row", "start", "end", "step"].contains(name) || is_whole()
        });
        let class = if self.class { cells.next() } else { None };
        let Some(values) = cells.map(written_number).collect::<Option<Vec<f64>>>() else { return false };
        let is_largest = |class: &str| {
            let mut own = self.outputs.iter().zip(&values).filter(|(name, _)| name.get(2..) == Some(class));
            own.any(|(_, value)| !values.iter().any(|other| *other > value + ROUNDING))
        };
        numbered && placed && class.is_none_or(is_largest)
    }
}

/// Returns whether columns are numbered values: `value_0`, `value_1` and so on.
fn are_values(outputs: &[&str]) -> bool {
    outputs.iter().enumerate().all(|(i, name)| *name == format!("value_{i}"))
}

/// Returns whether columns are all points of a field in their order, such as `c0_0`, `c0_1`, `c1_0` and `c1_1`.
fn are_points(outputs: &[&str]) -> bool {
    let point = |name: &str| -> Option<Vec<usize>> {
        name.strip_prefix('c')?.split('_').map(|part| part.parse().ok()).collect()
    };
    let Some(last) = outputs.last().and_then(|name| point(name)).filter(|last| last.len() > 1) else { return false };
    let mut next = vec![0; last.len()];
    for (i, name) in outputs.iter().enumerate() {
        if *name != format!("c{}", next.iter().map(usize::to_string).collect::<Vec<_>>().join("_")) {
            return false;
        }
        if i + 1 == outputs.len() {
            return next == last;
        }
        // The last axis counts first.
        for (index, &most) in next.iter_mut().zip(&last).rev() {
            if *index < most {
                *index += 1;
                break;
            }
            *index = 0;
        }
    }
    false
}

/// A number, if its text is the shortest one of a number in single or double precision.
fn written_number(cell: &str) -> Option<f64> {
    let number: f64 = cell.parse().ok()?;
    ((number as f32).to_string() == cell || number.to_string() == cell).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_told_by_their_columns() {
        for (header, expected) in [
            ("sample,id,class,p_cat,p_dog", true),
            ("sample,class,p_0,p_1", true),
            ("sample,id,value_0", true),
            ("sample,recording,start,end,start_time,end_time,class,p_a", true),
            ("sample,recording,step,time,class,p_a", true),
            ("sample,c0_0_0,c0_0_1", true),
            ("sample,id,class", false),
            ("sample,label", false),
            ("file,class,p_value", false),
            ("sample,class,age,p_value", false),
            ("sample,count", false),
        ] {
            assert_eq!(
                are_predictions(&header.split(',').map(str::to_owned).collect::<Vec<_>>()),
                expected,
                "{header}"
            );
        }
    }

    #[test]
    fn a_table_is_one_of_predictions_as_a_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.csv");
        for (text, expected) in [
            ("sample,class,p_0,p_1\n0,1,0.25,0.75\n1,0,0.9999658,0.00003420544\n", true),
            ("sample,id,class,\"p_a, b\",p_c\n0,x.png,\"a, b\",0.5,0.5\n", true),
            ("sample,p_0,p_1\n0,0.25,1\n1,0,NaN\n", true),
            ("sample,row,value_0,value_1\n0,4,-3.5,1000000000.125\n", true),
            ("sample,recording,start,end,start_time,end_time,class,p_a\n0,r,0,8,2020-01-01,2020-01-02,a,1\n", true),
            ("sample,recording,step,row,time,value_0\n0,r,3,3,0.5,1\n", true),
            ("sample,c0_0,c0_1,c1_0,c1_1\n0,1,2,3,4\n", true),
            // Other columns, and columns in another order.
            ("sample,class,p_0,p_1,my_correction\n0,0,0.5,0.5,1\n", false),
            ("sample,note,class,p_0\n0,x,0,1\n", false),
            ("sample,class,id,p_0\n0,0,x,1\n", false),
            ("sample,value_1,value_0\n0,1,2\n", false),
            ("sample,class,value_0\n0,1,2\n", false),
            ("sample,value_0,mine\n0,1,2\n", false),
            ("sample,c0_0,c0_2\n0,1,2\n", false),
            ("sample,c0_0,c1_1\n0,1,2\n", false),
            ("sample,c0\n0,1\n", false),
            ("sample,id,class\n0,x,cat\n", false),
            // Rows that were added or changed by hand.
            ("sample,value_0\nA12,3\n", false),
            ("sample,value_0\n1,3\n", false),
            ("sample,value_0\n0,3\n0,4\n", false),
            ("sample,value_0\n0,3\n99,by hand\n", false),
            ("sample,value_0\n0,3\n1,\n", false),
            ("sample,value_0\n0,3.50\n", false),
            ("sample,value_0\n0,3,a note\n", false),
            ("sample,value_0\n0\n", false),
            ("sample,row,value_0\n0,x,3\n", false),
            ("sample,class,p_0,p_1\n0,0,0.25,0.75\n", false),
            ("sample,class,p_0,p_1\n0,cat,0.25,0.75\n", false),
            ("sample,value_0\n", false),
            ("", false),
        ] {
            std::fs::write(&path, text).expect("writable");
            assert_eq!(is_csv_of_predictions(&path), expected, "{text}");
        }
        assert!(!is_csv_of_predictions(&folder.path().join("nosuch.csv")));
    }
}
