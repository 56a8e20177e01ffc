//! The `.arff` files of the UCR and UEA archives: attributes, then one sample a line. A relational attribute holds the
//! channels of a sample in one quoted field, separated by `\n`.

use crate::error::{DataError, Location};
use crate::series::file::SeriesFile;
use crate::series::values::{Series, number};
use crate::text::{excerpt, first_duplicate};
use dashnas_core::names::TaskName;
use std::path::Path;

/// The kind of an attribute.
enum Kind {
    Numeric,
    /// One of these names.
    Nominal(Vec<String>),
    /// The channels of a series.
    Relational,
}

/// Parses the text of an `.arff` file.
///
/// # Errors
/// [`DataError::File`] with the line and the column.
pub(crate) fn parse(path: &Path, text: &str) -> Result<SeriesFile, DataError> {
    let mut file = SeriesFile::new("ARFF file");
    let mut attributes: Vec<(String, Kind)> = Vec::new();
    let (mut inside, mut data) = (false, false);
    let mut label = 0;
    for (i, line) in text.lines().enumerate() {
        let (line, at) = (line.trim(), i + 1);
        if line.is_empty() || line.starts_with('%') {
            continue;
        }
        let lower = line.get(..12.min(line.len())).unwrap_or(line).to_ascii_lowercase();
        if !data {
            if lower.starts_with("@attribute") {
                let (name, kind) = attribute(line[10..].trim()).ok_or_else(|| {
                    DataError::at(path, Location::Line(at), "the kind of this attribute is not supported")
                })?;
                // The attributes inside a relational attribute describe its columns.
                if !inside {
                    inside = matches!(kind, Kind::Relational);
                    attributes.push((name, kind));
                }
            } else if lower.starts_with("@end") {
                inside = false;
            } else if lower.starts_with("@data") {
                label = label_of(&attributes);
                let names: Vec<String> = attributes.iter().map(|a| a.0.clone()).collect();
                if let Some((i, j)) = first_duplicate(&names) {
                    let reason = format!("attributes {} and {} are both named `{}`", i + 1, j + 1, names[j]);
                    return Err(DataError::at(path, Location::Line(at), reason));
                }
                if attributes.len() < 2 {
                    return Err(DataError::at(path, Location::Line(at), "there are no attributes before @data"));
                }
                data = true;
            } else if !lower.starts_with("@relation") {
                return Err(DataError::at(path, Location::Line(at), "this is not a line of an ARFF header"));
            }
            continue;
        }
        let fields = fields(line);
        if fields.len() != attributes.len() {
            let reason = format!("it has {} fields, but there are {} attributes", fields.len(), attributes.len());
            return Err(DataError::at(path, Location::Line(at), reason));
        }
        let mut channels = Vec::new();
        let mut plain = Vec::new();
        for (c, ((name, kind), field)) in attributes.iter().zip(&fields).enumerate() {
            if c == label {
                if let Kind::Nominal(names) = kind
                    && !names.contains(field)
                {
                    let reason = format!("`{}` is not one of the classes {}", excerpt(field), names.join(", "));
                    return Err(DataError::at(path, Location::Cell(at, name.clone()), reason));
                }
                file.labels.push(field.clone());
                continue;
            }
            let read = |text: &str| {
                number(text).ok_or_else(|| {
                    let reason = format!("`{}` is not a number", excerpt(text));
                    DataError::at(path, Location::Cell(at, name.clone()), reason)
                })
            };
            match kind {
                Kind::Relational => {
                    for channel in field.split("\\n").flat_map(|f| f.split('\n')).filter(|f| !f.is_empty()) {
                        channels.push(channel.split(',').map(read).collect::<Result<Vec<_>, _>>()?);
                    }
                }
                _ => plain.push(read(field)?),
            }
        }
        if !plain.is_empty() {
            channels.push(plain);
        }
        file.series.push(Series { channels, path: path.into(), line: at, first_column: 1 });
    }
    if !data {
        return Err(DataError::file(path, "it has no line @data").with_hint("check that this is an ARFF file"));
    }
    if let Some((_, kind)) = attributes.into_iter().nth(label) {
        file.task =
            Some(if matches!(kind, Kind::Nominal(_)) { TaskName::Classification } else { TaskName::Regression });
        if let Kind::Nominal(names) = kind {
            file.classes = Some(names);
        }
    }
    Ok(file)
}

/// Returns the attribute that is the label: the last nominal one, or the last one if there is none.
fn label_of(attributes: &[(String, Kind)]) -> usize {
    let nominal = attributes.iter().rposition(|(_, kind)| matches!(kind, Kind::Nominal(_)));
    nominal.unwrap_or(attributes.len().saturating_sub(1))
}

/// Parses the name and the kind of an attribute.
fn attribute(text: &str) -> Option<(String, Kind)> {
    let (name, rest) = match text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        Some(quote) => text[1..].split_once(quote)?,
        None => text.split_once(|c: char| c.is_whitespace() || c == '{').map(|(name, rest)| {
            // The brace that separates them belongs to the rest.
            (name, &text[text.len() - rest.len() - usize::from(text[name.len()..].starts_with('{'))..])
        })?,
    };
    let rest = rest.trim();
    let kind = match rest.strip_prefix('{') {
        Some(names) => Kind::Nominal(fields(names.trim_end().trim_end_matches('}'))),
        None => match rest.split_whitespace().next()?.to_ascii_lowercase().as_str() {
            "numeric" | "real" | "integer" => Kind::Numeric,
            "relational" => Kind::Relational,
            _ => return None,
        },
    };
    Some((name.to_owned(), kind))
}

/// Splits a line into fields at commas outside of quotes, and trims them.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == ',' => fields.push(String::new()),
            // There is always a last field.
            _ => fields.iter_mut().last().into_iter().for_each(|f| f.push(c)),
        }
    }
    fields.into_iter().map(|f| f.trim().to_owned()).collect()
}
