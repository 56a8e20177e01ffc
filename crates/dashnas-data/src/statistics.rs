//! What is known of the inputs of a split from one pass over them, in which every value is read once.

use crate::range::Range;
use crate::split::Split;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use rayon::prelude::*;
use std::borrow::Cow;

/// Rows of a part. The sums of a channel have the same parts whatever the number of threads.
const ROWS: usize = 256;
/// Parts that one thread goes through side by side: each sum waits for the one before it, and so does each digest.
const SIDE: usize = 4;
/// Most rows in a file that tell what is usual.
const ROWS_IN_FILE: usize = 4096;
/// Magnitudes that are kept, of all channels together.
const MAGNITUDES: usize = 1 << 20;

/// What is collected.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// The span of each channel. All rows count, also of those in a file, so that it makes no difference where they are.
    pub spans: bool,
    /// What is usual in each channel. Of rows in a file, some count.
    pub usual: bool,
    /// A number for each row that equal rows share.
    pub digests: bool,
}

/// What was collected; empty where it was not wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statistics {
    /// The span of each channel.
    pub spans: Vec<Span>,
    /// What is usual in each channel.
    pub usual: Vec<Usual>,
    /// A number for each row that equal rows share.
    pub digests: Vec<u64>,
}

/// The smallest and the largest value of a channel, the sum of its values, and their number. Values that are unknown or after
/// the end of a sample are NaN and do not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub range: Range,
    pub sum: f64,
    pub n: usize,
}

impl Span {
    const NONE: Self = Self { range: Range::EMPTY, sum: 0.0, n: 0 };

    /// Adds values of this range, whose sum on top of the sum so far is `sum`.
    fn add_with(&mut self, values: &[f32], range: Range, sum: f64) {
        self.range.join(range);
        if sum.is_nan() {
            let known = || values.iter().filter(|v| !v.is_nan());
            self.sum = known().fold(self.sum, |sum, &v| sum + f64::from(v));
            self.n += known().count();
        } else {
            self.sum = sum;
            self.n += values.len();
        }
    }

    /// The span of some values.
    pub fn of(values: &[f32]) -> Self {
        let mut span = Self::NONE;
        let [sum] = sums([0.0], [values]);
        span.add_with(values, Range::of(values), sum);
        span
    }

    fn merge(&mut self, next: &Self) {
        self.range.join(next.range);
        self.sum += next.sum;
        self.n += next.n;
    }
}

/// What is usual in a channel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usual {
    /// The largest magnitude and its sample.
    pub most: (f32, usize),
    /// The largest magnitudes of some samples.
    pub some: Vec<f32>,
    /// The value of the channel, as long as it has no other.
    pub only: Option<f32>,
    /// The smallest and the largest value.
    pub range: Range,
}

impl Usual {
    /// Adds the values of this range in a row; `first` says that it is the first row of a part, and `keep` that its magnitude
    /// is one of those that are kept.
    fn add(&mut self, values: &[f32], range: Range, row: usize, first: bool, keep: bool) {
        let magnitude = range.magnitude();
        if magnitude > self.most.0 {
            self.most = (magnitude, row);
        }
        if keep {
            self.some.push(magnitude);
        }
        self.range.join(range);
        if first {
            self.only = values.first().copied();
        }
        self.only = self.only.filter(|known| values.iter().all(|v| v == known || v.is_nan()));
    }

    /// Adds what is known from the rows that follow.
    fn merge(&mut self, next: Self) {
        if next.most.0 > self.most.0 {
            self.most = next.most;
        }
        self.some.extend(next.some);
        self.range.join(next.range);
        self.only = self.only.filter(|&known| next.only == Some(known));
    }
}

/// The spans of the channels of inputs, if they are known. They follow from the inputs, so that data sets with equal inputs are
/// equal, whether the spans are known or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Option<Vec<Span>>);

impl PartialEq for Spans {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Spans {
    /// The spans of these inputs, which are not looked at again where their spans are known.
    ///
    /// # Errors
    /// As [`collect`].
    pub fn of(&self, x: &Array) -> Result<Cow<'_, [Span]>, DataError> {
        match &self.0 {
            Some(spans) => Ok(Cow::Borrowed(spans)),
            None => Ok(Cow::Owned(collect(x, Wanted { spans: true, ..Wanted::default() })?.spans)),
        }
    }
}

impl Statistics {
    /// The spans, if they were wanted.
    pub fn take_spans(&mut self) -> Spans {
        Spans(Some(std::mem::take(&mut self.spans)).filter(|spans| !spans.is_empty()))
    }
}

/// Collects what is wanted of inputs or targets `[N, C, …]`.
///
/// # Errors
/// [`DataError::Gone`] if the rows are in a file that can no longer be read.
pub(crate) fn collect(x: &Array, wanted: Wanted) -> Result<Statistics, DataError> {
    let (rows, channels) = (x.rows(), x.shape.get(1).copied().unwrap_or(1));
    let step = if x.is_file_backed() { rows.div_ceil(ROWS_IN_FILE).max(1) } else { 1 };
    let pass = Pass {
        x,
        wanted,
        channels,
        plane: x.shape.iter().skip(2).product::<usize>().max(1),
        step,
        kept: step * (rows.div_ceil(step).saturating_mul(channels) / MAGNITUDES + 1),
        stride: if wanted.spans || wanted.digests { 1 } else { step },
    };
    let mut found = Statistics {
        spans: vec![Span::NONE; if wanted.spans { channels } else { 0 }],
        usual: vec![Usual::default(); if wanted.usual { channels } else { 0 }],
        digests: Vec::with_capacity(if wanted.digests { rows } else { 0 }),
    };
    let nothing = !wanted.spans && !wanted.usual && !wanted.digests;
    if nothing || x.row_len() == 0 {
        found.digests.resize(found.digests.capacity().min(rows), 0);
        return Ok(found);
    }
    let mut known = false;
    // The parts of some units are in memory at a time.
    for units in pass.units().chunks(8 * rayon::current_num_threads()) {
        let parts: Vec<Result<Vec<Part>, DataError>> = units.par_iter().map(|unit| pass.unit(unit)).collect();
        for parts in parts {
            for part in parts? {
                found.spans.iter_mut().zip(&part.spans).for_each(|(span, next)| span.merge(next));
                if part.looked > 0 && known {
                    found.usual.iter_mut().zip(part.usual).for_each(|(usual, next)| usual.merge(next));
                } else if part.looked > 0 {
                    (found.usual, known) = (part.usual, true);
                }
                found.digests.extend(part.digests);
            }
        }
    }
    Ok(found)
}

/// The spans of the channels of each split. Code that changes inputs forgets them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct InputSpans {
    pub train: Spans,
    pub val: Spans,
    pub test: Spans,
}

/// What is known of the inputs of all splits.
#[derive(Debug)]
pub(crate) struct OfSplits {
    /// What is usual in each channel of the training inputs.
    pub usual: Vec<Usual>,
    /// Numbers for the training inputs and for the test inputs that equal ones share; empty if they are in files.
    pub digests: [Vec<u64>; 2],
    /// The spans of the channels, as far as they were wanted.
    pub spans: InputSpans,
}

/// Collects what is known of the inputs of the splits. Of `numbers`, the spans of all splits are wanted; of other inputs those of
/// training inputs in memory. Digests are wanted where samples may be `rows` of a table.
///
/// # Errors
/// As [`collect`].
pub(crate) fn of_splits(
    [train, val, test]: [Option<&Split>; 3],
    numbers: bool,
    rows: bool,
) -> Result<OfSplits, DataError> {
    let digests = rows && [train, test].into_iter().flatten().all(|split| !split.x.is_file_backed());
    let of = |split: Option<&Split>, training: bool, digests: bool| {
        let Some(Split { x, .. }) = split else { return Ok(Statistics::default()) };
        // Rows in a file are all read only where it must be.
        let spans = numbers || (training && !x.is_file_backed());
        collect(x, Wanted { spans, usual: training, digests })
    };
    let (mut train, mut val, mut test) = (of(train, true, digests)?, of(val, false, false)?, of(test, false, digests)?);
    let spans = InputSpans { train: train.take_spans(), val: val.take_spans(), test: test.take_spans() };
    Ok(OfSplits { usual: train.usual, digests: [train.digests, test.digests], spans })
}

/// A pass over an array.
struct Pass<'a> {
    x: &'a Array,
    wanted: Wanted,
    channels: usize,
    /// Values of a channel in a row.
    plane: usize,
    /// The distance of rows that tell what is usual.
    step: usize,
    /// The distance of rows whose magnitudes are kept.
    kept: usize,
    /// The distance of rows that are read.
    stride: usize,
}

/// Parts that one thread goes through: the first of the rows that are read, their number in each part, and the number of parts.
struct Unit {
    first: usize,
    rows: usize,
    parts: usize,
}

/// What is known of the rows of a part.
#[derive(Debug, Clone)]
struct Part {
    spans: Vec<Span>,
    usual: Vec<Usual>,
    /// Rows that tell what is usual.
    looked: usize,
    digests: Vec<u64>,
}

impl Pass<'_> {
    /// Divides the rows that are read.
    fn units(&self) -> Vec<Unit> {
        let all = self.x.rows().div_ceil(self.stride);
        let whole = all / ROWS;
        // A few parts are better divided among the threads, and a file is better read in order.
        let side = if self.x.is_file_backed() || whole < 4 * SIDE * rayon::current_num_threads() { 1 } else { SIDE };
        let mut units: Vec<Unit> =
            (0..whole / side).map(|i| Unit { first: i * side * ROWS, rows: ROWS, parts: side }).collect();
        let left = whole - whole % side..all.div_ceil(ROWS);
        units.extend(left.map(|i| Unit { first: i * ROWS, rows: ROWS.min(all - i * ROWS), parts: 1 }));
        units
    }

    /// Goes through the parts of a unit.
    fn unit(&self, unit: &Unit) -> Result<Vec<Part>, DataError> {
        match unit.parts {
            SIDE => self.side_by_side::<SIDE>(unit),
            _ => self.side_by_side::<1>(unit),
        }
    }

    /// Goes through `N` parts of as many rows, a row of each at a time.
    fn side_by_side<const N: usize>(&self, unit: &Unit) -> Result<Vec<Part>, DataError> {
        let Wanted { spans, usual, digests } = self.wanted;
        let part = Part {
            spans: vec![Span::NONE; if spans { self.channels } else { 0 }],
            usual: vec![Usual::default(); if usual { self.channels } else { 0 }],
            looked: 0,
            digests: Vec::with_capacity(if digests { unit.rows } else { 0 }),
        };
        let mut parts = vec![part; N];
        for r in 0..unit.rows {
            let at: [usize; N] = std::array::from_fn(|k| (unit.first + k * unit.rows + r) * self.stride);
            let mut rows: [Cow<'_, [f32]>; N] = std::array::from_fn(|_| Cow::Borrowed(&[][..]));
            for (row, &i) in rows.iter_mut().zip(&at) {
                *row = self.x.fetch(i)?;
            }
            let rows: [&[f32]; N] = std::array::from_fn(|k| &rows[k][..]);
            if digests {
                parts.iter_mut().zip(digest(rows)).for_each(|(part, digest)| part.digests.push(digest));
            }
            if !spans && !usual {
                continue;
            }
            for c in 0..self.channels {
                let values = rows.map(|row| &row[c * self.plane..(c + 1) * self.plane]);
                let ranges = values.map(Range::of);
                if spans {
                    let sums = sums(std::array::from_fn(|k| parts[k].spans[c].sum), values);
                    for k in 0..N {
                        parts[k].spans[c].add_with(values[k], ranges[k], sums[k]);
                    }
                }
                for k in (0..N).filter(|&k| usual && at[k].is_multiple_of(self.step)) {
                    let (first, keep) = (parts[k].looked == 0, at[k].is_multiple_of(self.kept));
                    parts[k].usual[c].add(values[k], ranges[k], at[k], first, keep);
                }
            }
            let looked = parts.iter_mut().zip(at).filter(|(_, at)| usual && at.is_multiple_of(self.step));
            looked.for_each(|(part, _)| part.looked += 1);
        }
        Ok(parts)
    }
}

/// Sums that so many values are added to, in their order.
#[allow(clippy::needless_range_loop)] // several arrays, indexed alike
fn sums<const N: usize>(mut sums: [f64; N], values: [&[f32]; N]) -> [f64; N] {
    let len = values[0].len();
    let values = values.map(|values| &values[..len]);
    for i in 0..len {
        for k in 0..N {
            sums[k] += f64::from(values[k][i]);
        }
    }
    sums
}

/// A number for each row that equal rows share.
fn digest<const N: usize>(rows: [&[f32]; N]) -> [u64; N] {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    // Zeros are equal, whatever their sign.
    let bits = |v: f32| u64::from(if v == 0.0 { 0 } else { v.to_bits() });
    let mix = |hash: u64, bits: u64| {
        let product = u128::from(hash ^ bits) * u128::from(FACTOR);
        (product ^ (product >> 64)) as u64
    };
    let mut found = [FACTOR; N];
    let len = rows[0].len();
    let rows = rows.map(|row| row[..len].as_chunks::<2>());
    for i in 0..len / 2 {
        for k in 0..N {
            let [a, b] = rows[k].0[i];
            found[k] = mix(found[k], bits(a) | bits(b) << 32);
        }
    }
    for (found, (_, last)) in found.iter_mut().zip(rows) {
        last.iter().for_each(|&v| *found = mix(*found, bits(v)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::rng::Seed;
    use rand::RngExt;

    /// The sums of parts, by adding one value after another.
    fn naive(x: &Array) -> Vec<(u32, u32, u64, usize)> {
        let plane = x.shape[2..].iter().product::<usize>();
        let of = |c: usize| {
            let (mut low, mut high, mut all, mut n) = (f32::INFINITY, f32::NEG_INFINITY, 0.0f64, 0);
            for rows in (0..x.rows()).collect::<Vec<_>>().chunks(ROWS) {
                let mut sum = 0.0f64;
                for &i in rows {
                    for &v in x.row(i)[c * plane..][..plane].iter().filter(|v| !v.is_nan()) {
                        (low, high, sum, n) = (low.min(v), high.max(v), sum + f64::from(v), n + 1);
                    }
                }
                all += sum;
            }
            (low.to_bits(), high.to_bits(), all.to_bits(), n)
        };
        (0..x.shape[1]).map(of).collect()
    }

    #[test]
    fn one_pass_finds_what_several_do() {
        let mut random = Seed(1).stream("statistics", &[]);
        // Some of these have so many rows that parts are gone through side by side, with and without some that are left.
        let side = 4 * SIDE * rayon::current_num_threads();
        for shape in [[1, 1, 1], [3, 2, 37], [300, 3, 5], [256 * side, 2, 17], [256 * (side + 1) + 77, 1, 6]] {
            let [rows, channels, plane] = shape;
            let all = Wanted { spans: true, usual: true, digests: true };
            let mut data: Vec<f32> =
                (0..rows * channels * plane).map(|_| 100.0 * (random.random::<f32>() - 0.3)).collect();
            // The end of some samples, and a channel of one value.
            for (i, row) in data.chunks_mut(channels * plane).enumerate() {
                if i % 5 == 3 && plane > 1 {
                    row.chunks_mut(plane).for_each(|values| values[plane - 1] = f32::NAN);
                }
                if channels == 3 {
                    row[..plane].fill(7.0);
                }
            }
            let x = Array::new(shape.into(), data);
            let found = collect(&x, all).expect("in memory");
            let bits = |span: &Span| (span.range.min.to_bits(), span.range.max.to_bits(), span.sum.to_bits(), span.n);
            assert_eq!(found.spans.iter().map(bits).collect::<Vec<_>>(), naive(&x), "{shape:?}");
            for (c, usual) in found.usual.iter().enumerate() {
                let values = |i: usize| &x.row(i)[c * plane..][..plane];
                let magnitude = |i: usize| values(i).iter().fold(0.0f32, |most, v| most.max(v.abs()));
                let first = |most: usize, i: usize| if magnitude(i) > magnitude(most) { i } else { most };
                let most = (0..rows).fold(0, first);
                assert_eq!(usual.most, (magnitude(most), most), "{shape:?} {c}");
                assert_eq!(
                    usual.only,
                    (channels == 3 && c == 0 || rows * plane == 1).then(|| x.data[0]),
                    "{shape:?} {c}"
                );
                assert_eq!(usual.range, found.spans[c].range);
                assert_eq!(usual.some, (0..rows).map(magnitude).collect::<Vec<_>>(), "{shape:?} {c}");
            }
            let alone = collect(&x, Wanted { digests: true, ..Wanted::default() }).expect("in memory");
            assert_eq!((alone.digests.len(), &alone.digests), (rows, &found.digests));
        }
    }

    #[test]
    fn equal_rows_share_a_number() {
        let row =
            |i: usize| [[0.0, 1.0, 2.0], [-0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [0.0, 1.0, 3.0], [0.0, 2.0, 1.0]][i % 5];
        let x = Array::new(vec![25, 1, 3], (0..25).flat_map(row).collect());
        let digests = collect(&x, Wanted { digests: true, ..Wanted::default() }).expect("in memory").digests;
        let distinct: std::collections::HashSet<u64> = digests[..5].iter().copied().collect();
        assert_eq!((distinct.len(), digests[0] == digests[1], digests[..5] == digests[20..]), (4, true, true));
        let empty = Array::new(vec![3, 1, 0], Vec::new());
        let all = Wanted { spans: true, usual: true, digests: true };
        assert_eq!(collect(&empty, all).expect("in memory").digests, [0; 3]);
    }
}
