//! Helpers for names and texts in files.

use std::collections::HashMap;

/// Finds the first two equal names; empty names are not compared.
pub(crate) fn first_duplicate(names: &[String]) -> Option<(usize, usize)> {
    let mut seen = HashMap::new();
    names.iter().enumerate().find_map(|(j, name)| {
        let i = *seen.entry(name.as_str()).or_insert(j);
        (i != j && !name.is_empty()).then_some((i, j))
    })
}

/// Returns the first characters of a field, for messages.
pub(crate) fn excerpt(field: &str) -> String {
    let field = field.trim();
    if field.chars().count() > 24 { field.chars().take(24).chain(['…']).collect() } else { field.to_owned() }
}

/// The rest of a list of which only the first is named.
pub(crate) fn and_more(count: usize) -> String {
    if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
}

/// Decodes the rows of a character matrix of MATLAB, which is stored column by column. Without characters there is at most one
/// empty row, whatever the shape says, because the file has no bytes for more.
pub(crate) fn rows_of_text(shape: &[usize], data: &[f32]) -> Vec<String> {
    let rows = shape.first().copied().unwrap_or(0);
    let rows = if data.is_empty() { rows.min(1) } else { rows };
    let row = |r: usize| -> String {
        let codes = data.iter().skip(r).step_by(rows.max(1)).map(|&v| v as u32);
        codes.map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    (0..rows).map(|r| row(r).trim_end_matches(['\0', ' ']).to_owned()).collect()
}

/// Returns whether a text could be a sequence.
pub(crate) fn is_sequence(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|b| b.is_ascii_alphabetic() || b"-*.".contains(&b))
}
