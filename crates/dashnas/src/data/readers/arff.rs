//! The `.arff` files of the UCR and UEA archives: attributes, then one sample a line. A relational
//! attribute holds the channels of a sample in one quoted field, parted by `\n`.

use super::delimited::SeriesFile;
use super::series::{Series, number};
use super::ts::shown;
use crate::config::TaskName;
use crate::data::{DataError, Place};
use std::path::Path;

enum Kind {
    Numeric,
    Nominal(Vec<String>),
    Relational,
}

/// Reads the text of an `.arff` file.
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
                    DataError::at(path, Place::Line(at), "this attribute is of a kind that is not read")
                })?;
                // What is inside a relational attribute describes its columns.
                if !inside {
                    inside = matches!(kind, Kind::Relational);
                    attributes.push((name, kind));
                }
            } else if lower.starts_with("@end") {
                inside = false;
            } else if lower.starts_with("@data") {
                label = label_of(&attributes);
                let names: Vec<String> = attributes.iter().map(|a| a.0.clone()).collect();
                if let Some((i, j)) = super::csv::duplicate(&names) {
                    let reason = format!("attributes {} and {} are both named `{}`", i + 1, j + 1, names[j]);
                    return Err(DataError::at(path, Place::Line(at), reason));
                }
                if attributes.len() < 2 {
                    return Err(DataError::at(path, Place::Line(at), "there are no attributes before @data"));
                }
                data = true;
            } else if !lower.starts_with("@relation") {
                return Err(DataError::at(path, Place::Line(at), "this is not a line of an ARFF header"));
            }
            continue;
        }
        let fields = fields(line);
        if fields.len() != attributes.len() {
            let reason = format!("it has {} fields, but there are {} attributes", fields.len(), attributes.len());
            return Err(DataError::at(path, Place::Line(at), reason));
        }
        let mut channels = Vec::new();
        let mut plain = Vec::new();
        for (c, ((name, kind), field)) in attributes.iter().zip(&fields).enumerate() {
            if c == label {
                if let Kind::Nominal(names) = kind
                    && !names.contains(field)
                {
                    let reason = format!("`{}` is none of the classes {}", shown(field), names.join(", "));
                    return Err(DataError::at(path, Place::Cell(at, name.clone()), reason));
                }
                file.labels.push(field.clone());
                continue;
            }
            let read = |text: &str| {
                number(text).ok_or_else(|| {
                    let reason = format!("`{}` is not a number", shown(text));
                    DataError::at(path, Place::Cell(at, name.clone()), reason)
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
        return Err(DataError::file(path, "it has no line @data").with_hint("is this an ARFF file?"));
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

/// The last nominal attribute, else the last of all.
fn label_of(attributes: &[(String, Kind)]) -> usize {
    let nominal = attributes.iter().rposition(|(_, kind)| matches!(kind, Kind::Nominal(_)));
    nominal.unwrap_or(attributes.len().saturating_sub(1))
}

fn attribute(text: &str) -> Option<(String, Kind)> {
    let (name, rest) = match text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        Some(quote) => text[1..].split_once(quote)?,
        None => text.split_once(|c: char| c.is_whitespace() || c == '{').map(|(name, rest)| {
            // The brace that parted them belongs to the rest.
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

/// Fields parted by commas, in quotes or not, trimmed.
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
