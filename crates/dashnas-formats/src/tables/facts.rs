//! The facts about a column that are collected while it is read for the first time.

use crate::tables::number::Spelling;
use std::collections::HashSet;

/// Most distinct whole numbers that are counted.
const COUNTED: usize = 1 << 16;
/// Most distinct numbers that are counted if some have fractions.
const FRACTIONS: usize = 256;

/// The lengths of the lists in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListFacts {
    /// The shortest list.
    pub min: usize,
    /// The longest list.
    pub max: usize,
    /// The number of lists in each list, if the lists hold lists.
    pub inner: Option<usize>,
}

/// The facts about the cells of a column, whose rows are numbered from 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Number of rows.
    pub rows: usize,
    /// Number of missing values.
    pub missing: usize,
    /// The first row with a missing value.
    pub first_missing: Option<usize>,
    /// Number of numbers.
    pub numbers: usize,
    /// Number of truth values.
    pub bools: usize,
    /// Number of other texts.
    pub texts: usize,
    /// The first row that is another text.
    pub first_text: Option<usize>,
    /// The first row that is a number.
    pub first_number: Option<usize>,
    /// Number of texts that are numbers with a decimal comma.
    pub comma: usize,
    /// Number of texts that are numbers with groups of digits.
    pub grouped: usize,
    /// Number of texts that are either.
    pub either: usize,
    /// Number of texts that are dates.
    pub dates: usize,
    /// Number of texts that begin with a digit.
    pub digits: usize,
    /// Whether the values are written as texts.
    pub written: bool,
    /// Whether the type of the column is a date or a time.
    pub temporal: bool,
    /// The lists, if the column holds lists.
    pub lists: Option<ListFacts>,
    /// The first list that is missing or holds something else than numbers.
    pub bad_list: Option<usize>,
    /// The first list without values.
    pub empty_list: Option<usize>,
    /// A type that cannot be read, as the format calls it.
    pub unreadable: Option<String>,
    /// Whether a number has a fraction.
    fraction: bool,
    /// Whether each number is larger than the one before it.
    pub up: bool,
    /// Whether each number is smaller than the one before it.
    pub down: bool,
    /// Whether the difference of neighbors is 1 everywhere.
    pub by_one: bool,
    first: f64,
    last: f64,
    /// The smallest number.
    pub min: f64,
    /// The largest number.
    pub max: f64,
    /// The largest magnitude, its row, and the largest magnitude of the others.
    pub top: (f64, usize, f64),
    /// The distinct numbers, as bits; cleared where there are more than are counted.
    distinct: HashSet<u64, Mix>,
    /// Whether a whole number occurs twice.
    repeats: bool,
    /// Whether there are more distinct numbers than are counted.
    many: bool,
}

/// A fast hash for numbers.
type Mix = std::hash::BuildHasherDefault<MixHasher>;

/// Multiplies and folds.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct MixHasher(u64);

impl std::hash::Hasher for MixHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.write_u64(u64::from(b)));
    }

    fn write_u64(&mut self, v: u64) {
        let product = u128::from(self.0 ^ v).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        self.0 = (product ^ (product >> 64)) as u64;
    }
}

impl Facts {
    /// The facts about the rows that follow others which have settled that a column holds fractions and more distinct
    /// numbers than are counted. What is settled is not looked at again.
    pub fn settled() -> Self {
        Self { fraction: true, many: true, ..Self::default() }
    }

    /// Returns whether later rows change nothing about fractions and distinct numbers.
    pub fn is_settled(&self) -> bool {
        self.fraction && self.many
    }

    /// Adds numbers, none of which is NaN: the same as adding one after another, but most of it several at a time.
    pub fn numbers<T: Copy + PartialOrd + Into<f64>>(&mut self, values: &[T]) {
        const LANES: usize = 16;
        let mut rest = values;
        while let [first, others @ ..] = rest
            && (self.numbers + self.bools == 0 || !self.is_settled() || self.up || self.down || self.by_one)
        {
            self.number((*first).into());
            rest = others;
        }
        for part in rest.chunks(64 * LANES) {
            let (mut low, mut high) = ([part[0]; LANES], [part[0]; LANES]);
            let (whole, left) = part.as_chunks::<LANES>();
            for values in whole {
                for i in 0..LANES {
                    low[i] = if values[i] < low[i] { values[i] } else { low[i] };
                    high[i] = if values[i] > high[i] { values[i] } else { high[i] };
                }
            }
            let ends = || low.iter().chain(&high).chain(left).map(|&v| -> f64 { v.into() });
            let (least, most) = (ends().fold(f64::INFINITY, f64::min), ends().fold(f64::NEG_INFINITY, f64::max));
            self.min = self.min.min(least);
            self.max = self.max.max(most);
            if least.abs().max(most.abs()) > self.top.2 {
                for (i, &v) in part.iter().enumerate() {
                    self.magnitude(v.into().abs(), self.rows + i);
                }
            }
            self.last = part[part.len() - 1].into();
            self.numbers += part.len();
            self.rows += part.len();
        }
    }

    /// Adds a magnitude.
    #[inline]
    fn magnitude(&mut self, size: f64, row: usize) {
        if size > self.top.0 {
            self.top = (size, row, self.top.0);
        } else if size > self.top.2 {
            self.top.2 = size;
        }
    }

    /// Adds a number.
    #[inline]
    pub fn number(&mut self, v: f64) {
        if self.numbers + self.bools == 0 {
            self.first = v;
            (self.up, self.down, self.by_one, self.min, self.max) = (true, true, true, v, v);
            self.first_number.get_or_insert(self.rows);
        } else {
            let step = v - self.last;
            self.up &= step > 0.0;
            self.down &= step < 0.0;
            self.by_one &= step == 1.0;
            self.min = self.min.min(v);
            self.max = self.max.max(v);
        }
        self.magnitude(v.abs(), self.rows);
        self.last = v;
        if !self.is_settled() {
            self.fraction |= v.fract() != 0.0;
            self.count(v.to_bits());
        }
        self.numbers += 1;
        self.rows += 1;
    }

    fn count(&mut self, bits: u64) {
        if self.many {
            return;
        }
        self.repeats |= !self.distinct.insert(bits);
        if self.distinct.len() > if self.fraction { FRACTIONS } else { COUNTED } {
            self.many = true;
            self.distinct = HashSet::default();
        }
    }

    /// Adds a truth value, which counts as 0 or 1.
    pub fn truth(&mut self, v: bool) {
        self.number(f64::from(u8::from(v)));
        self.numbers -= 1;
        self.bools += 1;
    }

    /// Adds a missing value.
    pub fn missing(&mut self) {
        self.first_missing.get_or_insert(self.rows);
        self.missing += 1;
        self.rows += 1;
    }

    /// Adds another text.
    pub fn text(&mut self, text: &str) {
        use crate::tables::number::{is_date, spelling};
        self.first_text.get_or_insert(self.rows);
        self.texts += 1;
        self.rows += 1;
        if text.starts_with(|c: char| c.is_ascii_digit() || "-+.,$€<>=~≤≥±([\"'".contains(c)) {
            self.digits += usize::from(text.contains(|c: char| c.is_ascii_digit()));
            match spelling(text) {
                Some(Spelling::Comma) => self.comma += 1,
                Some(Spelling::Grouped) => self.grouped += 1,
                Some(Spelling::Either) => self.either += 1,
                None => self.dates += usize::from(is_date(text)),
            }
        }
    }

    /// Adds the facts about the rows that follow.
    pub fn merge(&mut self, next: &Facts) {
        let offset = self.rows;
        let later = |row: &Option<usize>| row.map(|row| row + offset);
        for (own, other) in [
            (&mut self.first_missing, &next.first_missing),
            (&mut self.first_text, &next.first_text),
            (&mut self.first_number, &next.first_number),
            (&mut self.bad_list, &next.bad_list),
            (&mut self.empty_list, &next.empty_list),
        ] {
            *own = own.or(later(other));
        }
        let (known, more) = (self.numbers + self.bools > 0, next.numbers + next.bools > 0);
        if known && more {
            let step = next.first - self.last;
            self.up &= next.up && step > 0.0;
            self.down &= next.down && step < 0.0;
            self.by_one &= next.by_one && step == 1.0;
            self.min = self.min.min(next.min);
            self.max = self.max.max(next.max);
            self.last = next.last;
        } else if more {
            (self.up, self.down, self.by_one, self.first) = (next.up, next.down, next.by_one, next.first);
            (self.min, self.max, self.last) = (next.min, next.max, next.last);
        }
        if next.top.0 > self.top.0 {
            self.top = (next.top.0, next.top.1 + offset, self.top.0.max(next.top.2));
        } else {
            self.top.2 = self.top.2.max(next.top.0);
        }
        self.fraction |= next.fraction;
        self.many |= next.many;
        self.repeats |= next.repeats;
        if self.many {
            self.distinct = HashSet::default();
        } else {
            next.distinct.iter().for_each(|&bits| self.count(bits));
        }
        self.lists = match (self.lists, next.lists) {
            (Some(a), Some(b)) if a.inner == b.inner => {
                Some(ListFacts { min: a.min.min(b.min), max: a.max.max(b.max), inner: a.inner })
            }
            (Some(a), Some(_)) => {
                // Lists of different numbers of lists are not channels.
                self.bad_list = Some(self.bad_list.unwrap_or(offset));
                Some(a)
            }
            (a, b) => a.or(b),
        };
        self.unreadable = self.unreadable.take().or_else(|| next.unreadable.clone());
        self.temporal |= next.temporal;
        self.written |= next.written;
        self.rows += next.rows;
        self.missing += next.missing;
        self.numbers += next.numbers;
        self.bools += next.bools;
        self.texts += next.texts;
        self.comma += next.comma;
        self.grouped += next.grouped;
        self.either += next.either;
        self.dates += next.dates;
        self.digits += next.digits;
    }

    /// Number of cells that are not missing.
    pub fn known(&self) -> usize {
        self.rows - self.missing
    }

    /// Returns whether every cell is a number, a truth value or missing.
    pub fn is_numeric(&self) -> bool {
        // Numbers among truth values are likely a mistake, unless they are 0 and 1 as well.
        self.lists.is_none() && self.unreadable.is_none() && self.texts == 0
    }

    /// Returns whether every cell is a number that is finite as `f32` as well, or a truth value.
    pub fn is_finite(&self) -> bool {
        const LARGEST: f64 = f32::MAX as f64;
        self.is_numeric() && self.missing == 0 && self.min >= -LARGEST && self.max <= LARGEST
    }

    /// Returns whether all values are truth values.
    pub fn is_truth(&self) -> bool {
        self.is_numeric() && self.bools > 0 && self.numbers == 0
    }

    /// Returns whether all numbers are whole; no number is.
    pub fn all_whole(&self) -> bool {
        self.is_numeric() && !self.fraction && self.numbers + self.bools > 0
    }

    /// The number of distinct numbers; `None` if there are too many to count.
    pub fn distinct(&self) -> Option<usize> {
        (!self.many).then_some(self.distinct.len())
    }

    /// Returns whether all values are whole numbers and none was found twice.
    pub fn all_differ(&self) -> bool {
        self.all_whole() && !self.repeats && self.missing == 0 && self.rows > 1
    }
}
