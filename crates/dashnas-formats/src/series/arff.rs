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
use dashnas_core::text::plural;
use std::collections::BTreeSet;
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
    /// The number of attributes that MEKA's relation says are labels; from the end if it is negative.
    labels: i64,
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
                check_mulan(path, options)?;
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
    finish(&mut file, &header.attributes, &uses, options)?;
    Ok(file)
}

/// Refuses a file beside which Mulan's list of labels lies, unless the options name the labels.
fn check_mulan(path: &Path, options: &ReadOptions) -> Result<(), DataError> {
    let list = path.with_extension("xml");
    if options.targets.is_some() || !list.is_file() {
        return Ok(());
    }
    // A file that cannot be read as text is no such list.
    let text = crate::bytes::text(&list, 1 << 24).unwrap_or_default();
    if !text.contains("<labels") {
        return Ok(());
    }
    let reason = format!("{} names the labels of this file (Mulan), and is not read", list.display());
    Err(DataError::file(path, reason)
        .with_hint("name the attributes that are labels in `data.targets`, separated by commas"))
}

/// Names of attributes that number the samples.
const IDS: [&str; 7] = ["id", "index", "row", "row_id", "sample_id", "instance_id", "case_id"];
/// Most different whole numbers that are taken for classes.
const FEW: usize = 20;

/// Decides the kind of task by the attributes that are labels and by their values, and leaves out numbers of the samples.
fn finish(
    file: &mut SeriesFile,
    attributes: &[(String, Kind)],
    uses: &[ColumnRole],
    options: &ReadOptions,
) -> Result<(), DataError> {
    leave_out_ids(file, attributes, uses, options);
    let labels: Vec<&(String, Kind)> =
        attributes.iter().zip(uses).filter(|(_, used)| **used == ColumnRole::Label).map(|(a, _)| a).collect();
    if let &[(name, kind)] = &labels[..] {
        file.task = Some(if *kind == Kind::Numeric {
            numbers_or_classes(file, name, options)
        } else {
            TaskName::Classification
        });
        if let Kind::Nominal(names) = kind {
            file.classes = Some(names.clone());
        }
        return Ok(());
    }
    let names: Vec<String> = labels.iter().map(|(name, _)| name.clone()).collect();
    let binary = file.labels.iter().flat_map(|l| l.split(' ')).all(|v| number(v).is_some_and(|v| v == 0.0 || v == 1.0));
    if binary {
        file.classes = Some(names.clone());
    }
    file.several = Some(names);
    file.task = Some(if binary { TaskName::MultiLabel } else { TaskName::Regression });
    Ok(())
}

/// The task of a numeric target: classes where its name says so and its values are few whole numbers.
fn numbers_or_classes(file: &mut SeriesFile, name: &str, options: &ReadOptions) -> TaskName {
    let values: Option<Vec<f32>> = file.labels.iter().map(|label| number(label)).collect();
    let values = values.unwrap_or_default();
    let distinct: BTreeSet<u32> = values.iter().map(|v| v.to_bits()).collect();
    let whole = values.iter().all(|v| v.fract() == 0.0);
    if options.task.is_some() || !whole || !(2..=FEW).contains(&distinct.len()) || values.len() < 3 * distinct.len() {
        return TaskName::Regression;
    }
    if ["class", "label"].contains(&name.to_ascii_lowercase().as_str()) {
        file.notes.push(format!("the {} whole numbers of `{name}` are classes", distinct.len()));
        return TaskName::Classification;
    }
    file.warnings.push(format!(
        "the target `{name}` holds {} different whole numbers, read as numbers: if they are classes, set `task.kind` to \
         classification",
        distinct.len()
    ));
    TaskName::Regression
}

/// Leaves out inputs that are called like numbers of the samples, and are another whole number in each.
fn leave_out_ids(file: &mut SeriesFile, attributes: &[(String, Kind)], uses: &[ColumnRole], options: &ReadOptions) {
    let is_plain = |(_, kind): &(String, Kind), used: &ColumnRole| {
        *used == ColumnRole::Input && matches!(kind, Kind::Numeric | Kind::Nominal(_))
    };
    let plain: Vec<usize> = (0..attributes.len()).filter(|&i| is_plain(&attributes[i], &uses[i])).collect();
    let named =
        |i: usize| attributes[i].1 == Kind::Numeric && IDS.contains(&attributes[i].0.to_ascii_lowercase().as_str());
    for (place, &i) in plain.iter().enumerate().rev().filter(|(_, i)| named(**i)) {
        let values = || file.series.iter().filter_map(|s| s.channels.last()?.get(place));
        let whole = values().all(|v| v.fract() == 0.0);
        let distinct = values().map(|v| v.to_bits()).collect::<BTreeSet<_>>().len();
        let left = file.series.iter().all(|s| s.channels.last().is_some_and(|c| c.len() > 1));
        if options.inputs.is_some() || !whole || distinct != file.series.len() || !left {
            continue;
        }
        for channel in file.series.iter_mut().filter_map(|s| s.channels.last_mut()).filter(|c| c.len() > place) {
            channel.remove(place);
        }
        file.notes.push(format!("the attribute `{}` numbers the samples and is left out", attributes[i].0));
        if let Some(account) = file.account.get_mut(i) {
            (account.role, account.reason) = (ColumnRole::Id, "it numbers the samples: each value occurs once".into());
        }
    }
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
            "@relation" => self.labels = meka_labels(&unquoted(rest)),
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
        let (labels, why) = self.labels(options)?;
        for (name, kind) in labels.iter().map(|&label| &self.attributes[label]) {
            let one = labels.len() == 1 && matches!(kind, Kind::Nominal(_) | Kind::Text);
            let numbers = |values: &[String]| values.iter().all(|v| number(v).is_some_and(|v| !v.is_nan()));
            let several = matches!(kind, Kind::Nominal(values) if numbers(values));
            if !(one || several || *kind == Kind::Numeric) {
                let what = if labels.len() == 1 { "the target" } else { "one of several targets" };
                return Err(format!("the attribute `{name}` of the kind {} cannot be {what} ({why})", kind.name()));
            }
        }
        let of_meka = self.meka();
        let used = |(i, (name, kind)): (usize, &(String, Kind))| {
            let named = self.inputs.is_empty() || self.inputs.contains(name);
            let (role, reason) = match kind {
                _ if labels.contains(&i) => (ColumnRole::Label, why.to_owned()),
                _ if of_meka.contains(&i) => (ColumnRole::LeftOut, "the relation says that it is a label".into()),
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
        let target = match labels[..] {
            [label] => format!("the target is the attribute `{}` ({why})", names[label]),
            _ => format!("the targets are {} attributes ({why})", labels.len()),
        };
        let left = self.attributes.iter().zip(&uses).filter(|(_, account)| account.role == ColumnRole::LeftOut);
        let left: Vec<String> = left.map(|((name, kind), _)| format!("{name} ({})", kind.name())).collect();
        if !left.is_empty() {
            notes.push(format!("{target}; left out: {}", left.join(", ")));
        } else if labels != [names.len() - 1] {
            notes.push(target);
        }
        Ok((uses, notes))
    }

    /// The attributes that MEKA's relation says are labels.
    fn meka(&self) -> Vec<usize> {
        let n = self.attributes.len();
        let count = usize::try_from(self.labels.unsigned_abs()).unwrap_or(usize::MAX);
        match self.labels {
            _ if count >= n => Vec::new(),
            1.. => (0..count).collect(),
            _ => (n - count..n).collect(),
        }
    }

    /// Finds the attributes that are labels, and what tells it.
    fn labels(&self, options: &ReadOptions) -> Result<(Vec<usize>, &'static str), String> {
        let of_name = |name: &str| self.attributes.iter().position(|a| a.0 == name);
        let found = |name: &str| of_name(name).ok_or(format!("there is no attribute `{name}`"));
        if let Some(wanted) = &options.targets {
            let n = self.attributes.len() as i64;
            let one = |wanted: &str| {
                let by_position = wanted.parse::<i64>().ok().map(|i| if i < 0 { i + n } else { i });
                let by_position = by_position.filter(|i| (0..n).contains(i)).map(|i| i as usize);
                of_name(wanted).or(by_position)
            };
            // A name may hold a comma.
            let several = || wanted.split(',').map(|part| one(part.trim())).collect::<Option<Vec<_>>>();
            let labels = one(wanted).map(|label| vec![label]).or_else(several);
            let mut labels = labels.ok_or(format!("there is no attribute `{wanted}`"))?;
            labels.sort_unstable();
            labels.dedup();
            return Ok((labels, "`data.targets` names it"));
        }
        if !self.outputs.is_empty() {
            let mut labels = self.outputs.iter().map(|name| found(name)).collect::<Result<Vec<_>, _>>()?;
            labels.sort_unstable();
            labels.dedup();
            return Ok((labels, "@outputs names it"));
        }
        let of_meka = self.meka();
        if !of_meka.is_empty() {
            return Ok((of_meka, "the relation says so, as in files of MEKA"));
        }
        let known = ["class", "label", "target"];
        let called = |(name, _): &(String, Kind)| known.contains(&name.to_ascii_lowercase().as_str());
        if let Some(found) = self.attributes.iter().rposition(called) {
            return Ok((vec![found], "its name says so"));
        }
        Ok((vec![self.attributes.len() - 1], "it is the last one"))
    }
}

/// The number of labels in the name of a relation of MEKA, such as `emotions: -C 6`; 0 if it is no such name.
fn meka_labels(relation: &str) -> i64 {
    let mut words = relation.split_whitespace().skip_while(|word| !matches!(*word, "-C" | "-c")).skip(1);
    words.next().and_then(|count| count.parse().ok()).unwrap_or(0)
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
        let reason = format!("it has {}, but there are {} attributes", plural(fields.len(), "field"), attributes.len());
        let error = DataError::at(path, Location::Line(at), reason);
        let weighted = fields.last().is_some_and(|f| f.starts_with('{') && f.ends_with('}'));
        return Err(if weighted { error.with_hint("remove the weights of samples in braces") } else { error });
    }
    let (mut channels, mut plain, mut labels) = (Vec::new(), Vec::new(), Vec::new());
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
            (ColumnRole::Label, _) => labels.push(field.clone()),
            (ColumnRole::Input, Kind::Relational) => {
                for channel in field.split("\\n").flat_map(|f| f.split('\n')).filter(|f| !f.is_empty()) {
                    channels.push(channel.split(',').map(read).collect::<Result<Vec<_>, _>>()?);
                }
            }
            (ColumnRole::Input, _) => plain.push(read(field)?),
            _ => {}
        }
    }
    file.labels.push(labels.join(" "));
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
