//! JSON lines: an object in each line, whose keys are the columns. The crate `serde_json` reads the values as they are
//! written, so that labels such as 1.0 and large numbers keep their text.

use crate::error::{DataError, Location};
use crate::options::ReadOptions;
use crate::tables::batches::{Batches, Segment, Take};
use crate::tables::csv::encoding;
use arrow_array::builder::{Float64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of text that are read side by side.
const BLOCK: usize = 2 << 20;

/// The values of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Numbers, texts, truth values, or nothing known.
    Scalars,
    /// Lists of numbers.
    Lists,
    /// Lists of lists of numbers.
    Nested,
    /// Other lists, and objects.
    Other,
}

impl Kind {
    /// The kind in a message.
    fn name(self) -> &'static str {
        match self {
            Kind::Scalars => "no list",
            Kind::Lists => "lists of numbers",
            Kind::Nested => "lists of lists of numbers",
            Kind::Other => "objects or lists of other values",
        }
    }
}

/// A file of JSON lines.
#[derive(Debug)]
pub(crate) struct JsonLines {
    path: PathBuf,
    text: String,
    names: Vec<String>,
    /// The kind of the values of each column, if any is known.
    kinds: Vec<Option<Kind>>,
    positions: HashMap<String, usize>,
    blocks: Vec<Range<usize>>,
    rows: usize,
}

/// The keys of an object and their values, in order.
struct Row<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Row<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of columns")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push(entry);
                }
                Ok(Row(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl JsonLines {
    /// Opens a file.
    ///
    /// # Errors
    /// [`DataError`] with the line that is no object.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        Self::new(path, encoding::text(path, options.whole_file())?.text)
    }

    /// Finds the columns of a text; `path` names it in errors.
    fn new(path: &Path, text: String) -> Result<Self, DataError> {
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let rest = text.as_bytes().get(at.saturating_add(BLOCK)..).unwrap_or(&[]);
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |i| at + BLOCK + i + 1);
            blocks.push(at..end);
            at = end;
        }
        let mut file = Self {
            path: path.into(),
            names: Vec::new(),
            kinds: Vec::new(),
            positions: HashMap::new(),
            blocks,
            rows: 0,
            text: String::new(),
        };
        file.find_columns(&text)?;
        file.text = text;
        Ok(file)
    }

    fn find_columns(&mut self, text: &str) -> Result<(), DataError> {
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let Row(entries) = self.row(line, || i + 1)?;
            let mut seen = Vec::with_capacity(entries.len());
            for (name, value) in entries {
                let c = match self.positions.get(&name) {
                    Some(&c) => c,
                    None => {
                        self.positions.insert(name.clone(), self.names.len());
                        self.names.push(name.clone());
                        self.kinds.push(None);
                        self.names.len() - 1
                    }
                };
                if seen.contains(&c) {
                    let place = Location::Cell(i + 1, name);
                    return Err(DataError::at(&self.path, place, "the object has this key twice"));
                }
                seen.push(c);
                // A key that is first missing, or an empty list, may turn out to be more.
                match (self.kinds[c], kind(value.get())) {
                    (_, None) => {}
                    (Some(known), Some(found)) if known != found => {
                        let place = Location::Cell(i + 1, name);
                        let reason = format!("the value is {}, those before it are {}", found.name(), known.name());
                        return Err(DataError::at(&self.path, place, reason)
                            .with_hint("the values of a key are of one kind; write missing values as null"));
                    }
                    (_, found) => self.kinds[c] = found,
                }
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn row<'a>(&self, line: &'a str, number: impl Fn() -> usize) -> Result<Row<'a>, DataError> {
        serde_json::from_str(line).map_err(|e| {
            let reason = e.to_string();
            let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
            let place = Location::Cell(number(), e.column().to_string());
            DataError::at(&self.path, place, format!("the line is not a JSON object: {reason}")).with_hint(
                "each line needs to be an object such as {\"a\": 1, \"label\": \"x\"}; write missing values as null",
            )
        })
    }

    fn line_at(&self, at: usize) -> usize {
        self.text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1
    }
}

/// The kind of a value; `None` if nothing is known of it.
fn kind(raw: &str) -> Option<Kind> {
    match raw.as_bytes().first()? {
        b'n' => None,
        b'{' => Some(Kind::Other),
        b'[' => {
            if serde_json::from_str::<Vec<Option<f64>>>(raw).is_ok() {
                let empty = raw.bytes().all(|b| matches!(b, b'[' | b']') || b.is_ascii_whitespace());
                (!empty).then_some(Kind::Lists)
            } else if serde_json::from_str::<Vec<Vec<Option<f64>>>>(raw).is_ok() {
                Some(Kind::Nested)
            } else {
                Some(Kind::Other)
            }
        }
        _ => Some(Kind::Scalars),
    }
}

/// A column of a batch in the making.
enum Builder {
    Scalars(StringBuilder),
    Lists(ListBuilder<Float64Builder>),
    Nested(ListBuilder<ListBuilder<Float64Builder>>),
}

impl Builder {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Scalars | Kind::Other => Builder::Scalars(StringBuilder::new()),
            Kind::Lists => Builder::Lists(ListBuilder::new(Float64Builder::new())),
            Kind::Nested => Builder::Nested(ListBuilder::new(ListBuilder::new(Float64Builder::new()))),
        }
    }

    /// Adds a value, or a missing one.
    fn add(&mut self, raw: Option<&str>) {
        let raw = raw.filter(|raw| !raw.starts_with('n'));
        let add_all = |list: &mut Float64Builder, raw: &str| {
            let values = serde_json::from_str::<Vec<Option<f64>>>(raw).unwrap_or_default();
            values.into_iter().for_each(|v| list.append_option(v));
        };
        match (self, raw) {
            (Builder::Scalars(texts), None) => texts.append_null(),
            (Builder::Scalars(texts), Some(raw)) if raw.starts_with('"') => {
                texts.append_option(serde_json::from_str::<String>(raw).ok());
            }
            (Builder::Scalars(texts), Some(raw)) => texts.append_value(raw),
            (Builder::Lists(lists), raw) => {
                raw.iter().for_each(|raw| add_all(lists.values(), raw));
                lists.append(raw.is_some());
            }
            (Builder::Nested(lists), raw) => {
                let inner = raw.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw).ok());
                for value in inner.iter().flatten() {
                    add_all(lists.values().values(), value.get());
                    lists.values().append(true);
                }
                lists.append(inner.is_some());
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Scalars(texts) => Arc::new(texts.finish()),
            Builder::Lists(lists) => Arc::new(lists.finish()),
            Builder::Nested(lists) => Arc::new(lists.finish()),
        }
    }
}

impl Batches for JsonLines {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn typed(&self) -> bool {
        false
    }

    fn max_rows(&self) -> usize {
        self.rows
    }

    fn segments(&self, columns: &[usize], _: bool) -> Vec<Segment> {
        (0..self.blocks.len()).map(|at| Segment { file: 0, at, columns: columns.to_vec() }).collect()
    }

    fn read(&self, segment: &Segment, take: Take<'_>) -> Result<(), DataError> {
        let Some(block) = self.blocks.get(segment.at) else { return Ok(()) };
        let mut builders: Vec<Builder> =
            segment.columns.iter().map(|&c| Builder::of(self.kinds[c].unwrap_or(Kind::Scalars))).collect();
        // The place of each column of the file among those that are read.
        let mut place = vec![None; self.names.len()];
        segment.columns.iter().enumerate().for_each(|(i, &c)| place[c] = Some(i));
        let mut rows = 0;
        for line in self.text[block.clone()].lines().filter(|line| !line.trim().is_empty()) {
            let Row(entries) = self.row(line, || self.line_at(block.start))?;
            let mut values: Vec<Option<&str>> = vec![None; builders.len()];
            for (name, value) in &entries {
                if let Some(i) = self.positions.get(name).and_then(|&c| place[c]) {
                    values[i] = Some(value.get());
                }
            }
            builders.iter_mut().zip(values).for_each(|(builder, value)| builder.add(value));
            rows += 1;
        }
        if rows == 0 || builders.is_empty() {
            return Ok(());
        }
        let names = segment.columns.iter().map(|&c| self.names[c].as_str());
        let arrays = builders.iter_mut().map(Builder::finish);
        let batch = RecordBatch::try_from_iter_with_nullable(names.zip(arrays).map(|(n, a)| (n, a, true)));
        take(&batch.map_err(|e| DataError::file(&self.path, e.to_string()))?)
    }

    fn line(&self, row: usize) -> (PathBuf, usize) {
        let lines = self.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        (self.path.clone(), lines.map(|(i, _)| i + 1).nth(row).unwrap_or(row + 1))
    }
}
