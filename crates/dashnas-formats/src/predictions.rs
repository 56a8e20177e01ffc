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

/// Returns whether a file of comma-separated values has the columns of predictions; `false` if it cannot be read.
pub fn is_csv_of_predictions(path: &Path) -> bool {
    let Ok(mut reader) = csv::ReaderBuilder::new().has_headers(false).from_path(path) else { return false };
    let mut header = csv::StringRecord::new();
    match reader.read_record(&mut header) {
        Ok(true) => are_predictions(&header.iter().map(str::to_owned).collect::<Vec<_>>()),
        _ => false,
    }
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
}
