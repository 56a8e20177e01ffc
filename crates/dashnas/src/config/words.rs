//! What the parser says of a value, in words for people who know no types of Rust.

/// A message of the parser such as `invalid type: string "many", expected usize`; one that it does not know stays as it is.
pub(super) fn in_words(message: &str) -> String {
    let Some((found, expected)) = message.split_once(", expected ") else { return message.to_owned() };
    let found = match found.split_once(": ") {
        Some(("invalid type" | "invalid value", value)) => value_in_words(value),
        None if found.starts_with("unknown variant ") => found.trim_start_matches("unknown variant ").to_owned(),
        None if found.starts_with("invalid length ") => {
            format!("a list of length {}", found.trim_start_matches("invalid length "))
        }
        _ => return message.to_owned(),
    };
    format!("found {found} where {} is expected", type_in_words(expected))
}

/// `integer `3`` as `3`.
fn value_in_words(value: &str) -> String {
    match value.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer" | "boolean", value)) => value.trim_matches('`').to_owned(),
        Some(("floating", value)) => value.trim_start_matches("point ").trim_matches('`').to_owned(),
        _ => match value {
            "sequence" => "a list".to_owned(),
            "map" => "a section".to_owned(),
            other => other.to_owned(),
        },
    }
}

fn type_in_words(expected: &str) -> String {
    match expected {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number from 0 on".to_owned(),
        "isize" | "i64" | "i32" | "i16" | "i8" => "a whole number".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "fewer elements in array" => "a shorter one".to_owned(),
        other => {
            let list = other.strip_prefix("an array of length ").map(|length| format!("a list of {length} values"));
            let section = other.starts_with("struct ").then(|| "a section".to_owned());
            list.or(section).unwrap_or_else(|| other.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_types_of_rust_are_left() {
        let cases = [
            (
                "invalid type: string \"many\", expected usize",
                "found the text \"many\" where a whole number from 0 on is expected",
            ),
            ("invalid value: integer `-1`, expected u64", "found -1 where a whole number from 0 on is expected"),
            (
                "invalid type: floating point `1.5`, expected u32",
                "found 1.5 where a whole number from 0 on is expected",
            ),
            ("invalid type: boolean `true`, expected f64", "found true where a number is expected"),
            ("invalid type: sequence, expected a string", "found a list where a text is expected"),
            ("invalid type: integer `3`, expected struct TuneConfig", "found 3 where a section is expected"),
            (
                "invalid type: integer `3`, expected an array of length 2",
                "found 3 where a list of 2 values is expected",
            ),
            ("unknown variant `x`, expected `race` or `paper`", "found `x` where `race` or `paper` is expected"),
            (
                "invalid length 3, expected fewer elements in array",
                "found a list of length 3 where a shorter one is expected",
            ),
            ("`x` is neither \"none\" nor a list", "`x` is neither \"none\" nor a list"),
        ];
        for (message, words) in cases {
            assert_eq!(in_words(message), words);
        }
    }
}
