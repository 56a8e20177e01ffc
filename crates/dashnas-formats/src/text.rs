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
