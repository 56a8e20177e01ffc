//! The smallest and the largest value of a channel.

use serde::{Deserialize, Serialize};

/// The smallest and the largest value of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Range {
    /// The smallest value; infinite if there is none.
    pub min: f32,
    /// The largest value.
    pub max: f32,
}

impl Default for Range {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl From<[f32; 2]> for Range {
    fn from([min, max]: [f32; 2]) -> Self {
        Self { min, max }
    }
}

impl From<Range> for [f32; 2] {
    fn from(range: Range) -> Self {
        [range.min, range.max]
    }
}

impl Range {
    /// The range of no value.
    pub const EMPTY: Self = Self { min: f32::INFINITY, max: f32::NEG_INFINITY };

    /// The range of some values. NaN is passed over.
    pub fn of(values: &[f32]) -> Self {
        let mut range = Self::EMPTY;
        range.extend(values);
        range
    }

    /// Adds some values. NaN is passed over.
    pub fn extend(&mut self, values: &[f32]) {
        /// Values that are compared side by side.
        const LANES: usize = 16;
        // Comparisons with NaN are false, so that these keep what they have. Unlike `f32::min`, they are one instruction.
        let less = |a: f32, b: f32| if b < a { b } else { a };
        let more = |a: f32, b: f32| if b > a { b } else { a };
        let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (parts, rest) = values.as_chunks::<LANES>();
        for part in parts {
            for i in 0..LANES {
                low[i] = less(low[i], part[i]);
                high[i] = more(high[i], part[i]);
            }
        }
        self.min = low.iter().chain(rest).copied().fold(self.min, less);
        self.max = high.iter().chain(rest).copied().fold(self.max, more);
    }

    /// The largest magnitude; 0 if there is no value.
    pub fn magnitude(self) -> f32 {
        if self.min > self.max { 0.0 } else { self.min.abs().max(self.max.abs()) }
    }

    /// Adds the values of another range.
    pub fn join(&mut self, other: Self) {
        *self = Self { min: self.min.min(other.min), max: self.max.max(other.max) };
    }
}
