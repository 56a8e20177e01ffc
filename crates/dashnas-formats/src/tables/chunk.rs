//! The values of a column in one segment of a table, and the facts about them.

use crate::centers::{less, text_less};
use crate::tables::arrow::{Kind, is_temporal, kind};
use crate::tables::batches::Floats;
use crate::tables::facts::{Facts, ListFacts};
use crate::tables::number::{Cell, Style, cell};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_schema::DataType;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of texts that may be kept, and those that are.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicU64,
    limit: u64,
}

impl Budget {
    /// Nothing is kept yet.
    pub fn new(limit: u64) -> Self {
        Self { used: AtomicU64::new(0), limit }
    }

    /// Counts a text, and returns whether it may be kept.
    fn take(&self, text: &str) -> bool {
        let bytes = (text.len() + size_of::<String>()) as u64;
        self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.limit
    }
}

/// What is kept of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep<'a> {
    /// Whether numbers are kept, or only looked at.
    pub numbers: bool,
    /// The way in which numbers are written.
    pub style: Style,
    /// How much of columns of text is kept, if any.
    pub texts: Option<&'a Budget>,
    /// What is subtracted from numbers before they become `f32`.
    pub center: f64,
}

/// The values of a column in a segment.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The facts about the values.
    pub facts: Facts,
    /// The numbers, NaN where one is missing.
    pub numbers: Vec<f32>,
    /// The texts, if the first cell is one, and as long as they may be kept.
    pub texts: Option<Vec<String>>,
}

impl Chunk {
    /// A chunk of a column about which the chunks before it have settled what they can.
    pub fn settled() -> Self {
        Self { facts: Facts::settled(), ..Self::default() }
    }

    /// Prepares for so many numbers, in memory that was used for others. The file may claim any number, so that this is only a
    /// hint.
    pub fn reserve(&mut self, rows: usize, mut used: Vec<f32>) {
        used.clear();
        self.numbers = used;
        // Where there is no memory, the vector grows as usual.
        let _ = self.numbers.try_reserve_exact(rows);
    }

    /// Adds the values of a batch.
    pub fn add(&mut self, array: &dyn Array, keep: Keep<'_>) {
        let n = array.len();
        match array.data_type() {
            DataType::Float32 if array.null_count() == 0 => {
                return self.add_floats(Floats::Single(array.as_primitive::<Float32Type>().values()), keep);
            }
            DataType::Float64 if array.null_count() == 0 => {
                return self.add_floats(Floats::Double(array.as_primitive::<Float64Type>().values()), keep);
            }
            DataType::Utf8 => {
                let array = array.as_string::<i32>();
                for i in 0..n {
                    self.text(if array.is_valid(i) { array.value(i) } else { "" }, keep);
                }
                return;
            }
            _ => {}
        }
        self.facts.temporal |= is_temporal(array.data_type());
        match kind(array) {
            Kind::Numbers(numbers) => (0..n).for_each(|i| match numbers.get(i) {
                Some(v) if !v.is_nan() => {
                    self.facts.number(v);
                    self.push(numbers.less(i, v, keep.center), keep);
                }
                _ => self.number(None, keep),
            }),
            Kind::Bools(bools) => (0..n).for_each(|i| match bools.is_valid(i) {
                true => self.truth(bools.value(i), keep),
                false => self.number(None, keep),
            }),
            Kind::Texts(texts) => (0..n).for_each(|i| {
                self.text(texts.get(i).as_deref().unwrap_or(""), keep);
            }),
            Kind::Lists(lists) => (0..n).for_each(|i| {
                let list = lists.get(i);
                self.list(list.as_deref());
            }),
            Kind::Null => (0..n).for_each(|_| self.number(None, keep)),
            Kind::Other => {
                self.facts.unreadable.get_or_insert_with(|| array.data_type().to_string());
                self.facts.rows += n;
            }
        }
    }

    /// Adds numbers, NaN where one is missing.
    pub fn add_floats(&mut self, floats: Floats<'_>, keep: Keep<'_>) {
        match floats {
            Floats::Single(values) => {
                let kept = self.floats(values, keep);
                if kept && keep.center == 0.0 {
                    self.numbers.extend_from_slice(values);
                } else if kept {
                    self.numbers.extend(values.iter().map(|&v| less(v.into(), keep.center)));
                }
            }
            Floats::Double(values) => {
                if self.floats(values, keep) {
                    self.numbers.extend(values.iter().map(|&v| less(v, keep.center)));
                }
            }
        }
    }

    /// Looks at numbers at once, if none is missing, and otherwise adds one after another. Returns whether they are still to be
    /// kept.
    fn floats<T: Copy + PartialOrd + Into<f64>>(&mut self, values: &[T], keep: Keep<'_>) -> bool {
        // NaN is the only number that differs from itself.
        let missing = |v: T| v.partial_cmp(&v).is_none();
        if values.iter().fold(false, |any, &v| any | missing(v)) {
            values.iter().for_each(|&v| self.number(Some(v.into()), keep));
            return false;
        }
        self.facts.numbers(values);
        keep.numbers
    }

    fn push(&mut self, value: f32, keep: Keep<'_>) {
        if keep.numbers {
            self.numbers.push(value);
        }
    }

    fn number(&mut self, value: Option<f64>, keep: Keep<'_>) {
        match value {
            Some(v) if !v.is_nan() => {
                self.facts.number(v);
                self.push(less(v, keep.center), keep);
            }
            _ => {
                self.facts.missing();
                self.push(f32::NAN, keep);
            }
        }
    }

    fn truth(&mut self, value: bool, keep: Keep<'_>) {
        self.facts.truth(value);
        self.push(less(f64::from(u8::from(value)), keep.center), keep);
    }

    /// Adds a cell of text; returns the number in it, NaN if there is none.
    pub fn text(&mut self, text: &str, keep: Keep<'_>) -> f32 {
        self.facts.written = true;
        let text = trimmed(text);
        let cell = cell(text, keep.style);
        if let Some(budget) = keep.texts {
            if self.facts.rows == 0 && cell == Cell::Text {
                self.texts = Some(Vec::new());
            }
            if let Some(texts) = &mut self.texts {
                if budget.take(text) {
                    texts.push(text.to_owned());
                } else {
                    self.texts = None;
                }
            }
        }
        match cell {
            Cell::Number(v) => {
                self.facts.number(v);
                let value = text_less(text, v, keep.center);
                self.push(value, keep);
                return value;
            }
            Cell::Missing => self.number(None, keep),
            Cell::Bool(v) => {
                self.truth(v, keep);
                return less(f64::from(u8::from(v)), keep.center);
            }
            Cell::Text => self.facts.text(text),
        }
        f32::NAN
    }

    fn list(&mut self, list: Option<&dyn Array>) {
        match list.map(list_facts) {
            None => {
                self.facts.missing();
            }
            Some(found) => {
                let row = self.facts.rows;
                let good = match found {
                    None => false,
                    Some(found) => {
                        if found.max == 0 {
                            self.facts.empty_list.get_or_insert(row);
                        }
                        let known = *self.facts.lists.get_or_insert(found);
                        let (min, max) = (known.min.min(found.min), known.max.max(found.max));
                        self.facts.lists = Some(ListFacts { min, max, inner: known.inner });
                        known.inner == found.inner
                    }
                };
                if !good {
                    self.facts.bad_list.get_or_insert(row);
                    self.facts.lists.get_or_insert(ListFacts { min: 0, max: 0, inner: None });
                }
                self.facts.rows += 1;
            }
        }
    }
}

/// The text without blanks around it. Most cells have none.
#[inline]
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}

/// The lengths of a list of numbers, or of a list of lists of numbers; `None` if it holds something else.
fn list_facts(list: &dyn Array) -> Option<ListFacts> {
    match kind(list) {
        Kind::Numbers(_) | Kind::Bools(_) => Some(ListFacts { min: list.len(), max: list.len(), inner: None }),
        // An empty list may be of no type.
        Kind::Null if list.is_empty() => Some(ListFacts { min: 0, max: 0, inner: None }),
        Kind::Lists(lists) => {
            let mut found = ListFacts { min: usize::MAX, max: 0, inner: Some(list.len()) };
            for i in 0..list.len() {
                let inner = list_facts(lists.get(i)?.as_ref()).filter(|inner| inner.inner.is_none())?;
                found.min = found.min.min(inner.min);
                found.max = found.max.max(inner.max);
            }
            found.min = found.min.min(found.max);
            Some(found)
        }
        _ => None,
    }
}
