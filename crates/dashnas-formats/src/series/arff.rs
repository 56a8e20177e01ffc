//! The `.arff` files of Weka, KEEL and the UCR and UEA archives: attributes, then one sample a line. A relational
//! attribute holds the channels of a sample in one quoted field, separated by `\n`. In sparse rows, `{0 1.5, 3 2}`,
//! attributes that are not named are zero.

use crate::account::{ColumnAccount, ColumnRole};
use crate::error::{DataError, Location};
use crate::options::ReadOptions;
use crate::series::file::SeriesFile;
use crate::series::values::{Series, is_missing, number};
use crate::text::{excerpt, first_duplicate};
use dashnas_core::names::TaskName;
use std::path::Path;

/// The kind of an attribute.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Numeric,
    /// One of these names.
    Nominal(Vec<String>),
    /// The channels of a series.
    Relational,
    /// Text, which cannot be an input.
    Text,
    /// A date, which cannot be an input.
    Date,
}

impl Kind {
    /// The kind in words.
    fn name(&self) -> &'static str {
        match self {
            Kind::Numeric => "numeric",
            Kind::Nominal(_) => "nominal",
            Kind::Relational => "relational",
            Kind::Text => "string",
            Kind::Date => "date",
        }
    }
}

/// The attributes of a file, and what the header says of their uses.
#[derive(Default)]
struct Header {
    attributes: Vec<(String, Kind)>,
    /// The inputs and the outputs that KEEL names.
    inputs: Vec<String>,
    outputs: Vec<String>,
}

/// Parses the text of an `.arff` file.
///
/// # Errors
/// [`DataError::File`] with the line and the column.
pub(crate) fn parse(path: &Path, text: &str, options: &ReadOptions) -> Result<SeriesFile, DataError> {
    let mut file = SeriesFile::new("ARFF file");
    let mut header = Header::default();
    let mut inside = false;
    let mut uses = None;
    for (i, line) in text.lines().enumerate() {
        let (line, at) = (line.trim(), i + 1);
        if line.is_empty() || line.starts_with('%') {
            continue;
        }
        let Some(uses) = &uses else {
            let error = |reason: String| DataError::at(path, Location::Line(at), reason);
            if header.line(line, &mut inside).map_err(error)? {
                let (found, notes) = header.uses(options).map_err(error)?;
                file.notes.extend(notes);
                uses = Some(found.iter().map(|account| account.role).collect::<Vec<_>>());
                file.account = found;
            }
            continue;
        };
        sample(path, at, line, &header.attributes, uses, &mut file)?;
    }
    let Some(uses) = uses else {
        return Err(DataError::file(path, "it has no line @data").with_hint("check that this is an ARFF file"));
    };
    for ((_, kind), used) in header.attributes.into_iter().zip(uses) {
        if used == ColumnRole::Label {
            file.task = Some(if kind == Kind::Numeric { TaskName::Regression } else { TaskName::Classification });
            if let Kind::Nominal(names) = kind {
                file.classes = Some(names);
            }
        }
    }
    Ok(file)
}

impl Header {
    /// Reads a line of the header; returns whether the data come next. `inside` is whether the line is inside of a
    /// relational attribute.
    fn line(&mut self, line: &str, inside: &mut bool) -> Result<bool, String> {
        let end = line.find(|c: char| c.is_whitespace() || c == '{').unwrap_or(line.len());
        let (word, rest) = (line[..end].to_ascii_lowercase(), line[end..].trim());
        let listed = |rest: &str| fields(rest).into_iter().filter(|f| !f.is_empty()).collect::<Vec<_>>();
        match word.as_str() {
            "@attribute" => {
                let (name, kind) = attribute(rest)?;
                // The attributes inside a relational attribute describe its columns.
                if !*inside {
                    *inside = kind == Kind::Relational;
                    self.attributes.push((name, kind));
                }
            }
            "@end" => *inside = false,
            "@relation" => {}
            "@input" | "@inputs" => self.inputs = listed(rest),
            "@output" | "@outputs" => self.outputs = listed(rest),
            "@data" => return Ok(true),
            _ => return Err(format!("`{}` does not begin a line of an ARFF header", excerpt(&word))),
        }
        Ok(false)
    }

    /// Decides the uses of the attributes; returns them with notes.
    fn uses(&self, options: &ReadOptions) -> Result<(Vec<ColumnAccount>, Vec<String>), String> {
        let names: Vec<String> = self.attributes.iter().map(|a| a.0.clone()).collect();
        if let Some((i, j)) = first_duplicate(&names) {
            return Err(format!("attributes {} and {} are both named `{}`", i + 1, j + 1, names[j]));
        }
        if names.len() < 2 {
            return Err("there are no attributes before @data".into());
        }
        let (label, why) = self.label(options)?;
        let (name, kind) = &self.attributes[label];
        if !matches!(kind, Kind::Numeric | Kind::Nominal(_) | Kind::Text) {
            return Err(format!("the attribute `{name}` of the kind {} cannot be the target ({why})", kind.name()));
        }
        let used = |(i, (name, kind)): (usize, &(String, Kind))| {
            let named = self.inputs.is_empty() || self.inputs.contains(name);
            let (role, reason) = match kind {
                _ if i == label => (ColumnRole::Label, why.to_owned()),
                Kind::Numeric | Kind::Relational if named => (ColumnRole::Input, format!("it is {}", kind.name())),
                Kind::Nominal(values) if named && values.iter().all(|v| number(v).is_some_and(|v| !v.is_nan())) => {
                    (ColumnRole::Input, "its values are numbers".into())
                }
                _ if !named => (ColumnRole::LeftOut, "@inputs does not name it".into()),
                _ => (ColumnRole::LeftOut, format!("its kind, {}, cannot be an input", kind.name())),
            };
            ColumnAccount { name: name.clone(), role, reason }
        };
        let uses: Vec<ColumnAccount> = self.attributes.iter().enumerate().map(used).collect();
        if !uses.iter().any(|account| account.role == ColumnRole::Input) {
            return Err("no numeric attribute is left for the inputs".into());
        }
        let mut notes = Vec::new();
        let left = self.attributes.iter().zip(&uses).filter(|(_, account)| account.role == ColumnRole::LeftOut);
        let left: Vec<String> = left.map(|((name, kind), _)| format!("{name} ({})", kind.name())).collect();
        if !left.is_empty() {
            notes.push(format!("the target is the attribute `{name}` ({why}); left out: {}", left.join(", ")));
        } else if label + 1 != names.len() {
            notes.push(format!("the target is the attribute `{name}` ({why})"));
        }
        Ok((uses, notes))
    }

    /// Finds the attribute that is the label, and what tells it.
    fn label(&self, options: &ReadOptions) -> Result<(usize, &'static str), String> {
        let of_name = |name: &str| self.attributes.iter().position(|a| a.0 == name);
        if let Some(wanted) = &options.targets {
            let n = self.attributes.len() as i64;
            let by_position = wanted.parse::<i64>().ok().map(|i| if i < 0 { i + n } else { i });
            let by_position = by_position.filter(|i| (0..n).contains(i)).map(|i| i as usize);
            let found = of_name(wanted).or(by_position);
            return Ok((found.ok_or(format!("there is no attribute `{wanted}`"))?, "`data.targets` names it"));
        }
        match &self.outputs[..] {
            [] => {}
            [name] => {
                return Ok((of_name(name).ok_or(format!("there is no attribute `{name}`"))?, "@outputs names it"));
            }
            several => return Err(format!("it has {} outputs, where one is supported", several.len())),
        }
        let known = ["class", "label", "target"];
        let called = |(name, _): &(String, Kind)| known.contains(&name.to_ascii_lowercase().as_str());
        if let Some(found) = self.attributes.iter().rposition(called) {
            return Ok((found, "its name says so"));
        }
        Ok((self.attributes.len() - 1, "it is the last one"))
    }
}

/// Reads a sample.
fn sample(
    path: &Path,
    at: usize,
    line: &str,
    attributes: &[(String, Kind)],
    uses: &[ColumnRole],
    file: &mut SeriesFile,
) -> Result<(), DataError> {
    let fields = match line.strip_prefix('{') {
        Some(sparse) => sparse_fields(sparse, attributes)
            .map_err(|reason| DataError::at(path, Location::Line(at), format!("in this sparse row, {reason}")))?,
        None => fields(line),
    };
    if fields.len() != attributes.len() {
        let reason = format!("it has {} fields, but there are {} attributes", fields.len(), attributes.len());
        let error = DataError::at(path, Location::Line(at), reason);
        let weighted = fields.last().is_some_and(|f| f.starts_with('{') && f.ends_with('}'));
        return Err(if weighted { error.with_hint("remove the weights of samples in braces") } else { error });
    }
    let mut channels = Vec::new();
    let mut plain = Vec::new();
    for (((name, kind), field), used) in attributes.iter().zip(&fields).zip(uses) {
        let cell = |reason: String| DataError::at(path, Location::Cell(at, name.clone()), reason);
        let read = |text: &str| {
            let text = if text.trim() == "<null>" { "?" } else { text };
            number(text).ok_or_else(|| cell(format!("`{}` is not a number", excerpt(text))))
        };
        match (used, kind) {
            (ColumnRole::Label, Kind::Nominal(names)) if !names.contains(field) && !is_missing(field) => {
                return Err(cell(format!("`{}` is not one of the classes {}", excerpt(field), names.join(", "))));
            }
            (ColumnRole::Label, _) => file.labels.push(field.clone()),
            (ColumnRole::Input, Kind::Relational) => {
                for channel in field.split("\\n").flat_map(|f| f.split('\n')).filter(|f| !f.is_empty()) {
                    channels.push(channel.split(',').map(read).collect::<Result<Vec<_>, _>>()?);
                }
            }
            (ColumnRole::Input, _) => plain.push(read(field)?),
            _ => {}
        }
    }
    if !plain.is_empty() {
        channels.push(plain);
    }
    file.series.push(Series { channels, path: path.into(), line: at, first_column: 1 });
    Ok(())
}

/// The fields of a sparse row, `0 1.5, 3 2}`. Attributes that it does not name have their first value: zero, or the
/// first of their names.
fn sparse_fields(row: &str, attributes: &[(String, Kind)]) -> Result<Vec<String>, String> {
    let row = row.trim_end().strip_suffix('}').ok_or("the closing brace is missing")?;
    let mut all: Vec<String> = attributes
        .iter()
        .map(|(_, kind)| match kind {
            Kind::Nominal(names) => names.first().cloned().unwrap_or_default(),
            _ => "0".into(),
        })
        .collect();
    let mut named = vec![false; all.len()];
    for part in parts(row, ',').iter().filter(|part| !part.trim().is_empty()) {
        let (index, value) =
            part.trim().split_once(char::is_whitespace).ok_or(format!("`{}` has no value", excerpt(part)))?;
        let index = index.parse::<usize>().ok().filter(|&i| i < all.len());
        let index = index.ok_or(format!("`{}` does not begin with the number of an attribute", excerpt(part)))?;
        if named[index] {
            return Err(format!("attribute {index} comes twice"));
        }
        named[index] = true;
        all[index] = unquoted(value);
    }
    Ok(all)
}

/// Parses the name and the kind of an attribute.
fn attribute(text: &str) -> Result<(String, Kind), String> {
    let cut = || "the attribute has no name or no kind".to_owned();
    let (name, rest) = match text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        Some(quote) => text[1..].split_once(quote).ok_or_else(cut)?,
        None => {
            let end = text.find(|c: char| c.is_whitespace() || c == '{').ok_or_else(cut)?;
            text.split_at(end)
        }
    };
    let rest = rest.trim();
    let kind = match rest.strip_prefix('{') {
        Some(names) => Kind::Nominal(fields(names.trim_end().trim_end_matches('}'))),
        None => {
            // KEEL writes the range of the values behind the kind.
            let word = rest.split(|c: char| c.is_whitespace() || c == '[').next().unwrap_or("").to_ascii_lowercase();
            match word.as_str() {
                "numeric" | "real" | "integer" => Kind::Numeric,
                "relational" => Kind::Relational,
                "string" => Kind::Text,
                "date" => Kind::Date,
                "" => return Err(cut()),
                other => return Err(format!("the attribute `{name}` has the unknown kind `{}`", excerpt(other))),
            }
        }
    };
    Ok((name.to_owned(), kind))
}

/// Splits a line into fields at commas outside of quotes, and trims them.
fn fields(line: &str) -> Vec<String> {
    parts(line, ',').into_iter().map(unquoted).collect()
}

/// Splits a line at a separator outside of quotes. A backslash before a quote makes it part of the text.
fn parts(line: &str, separator: char) -> Vec<&str> {
    let (mut quote, mut escaped) = (None, false);
    line.split(|c: char| {
        let plain = !escaped;
        escaped = c == '\\' && plain;
        match quote {
            Some(q) if c == q && plain => quote = None,
            None if matches!(c, '\'' | '"') && plain => quote = Some(c),
            None => return c == separator,
            _ => {}
        }
        false
    })
    .collect()
}

/// Removes the quotes of a field, and the backslashes before quotes in it.
fn unquoted(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut quote = None;
    let mut chars = field.trim().chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            Some(q) if c == q => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            _ if c == '\\' && chars.peek().is_some_and(|next| matches!(next, '\'' | '"')) => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out.trim().to_owned()
}
