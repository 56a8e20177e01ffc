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
        let (min, max) = values.iter().fold((self.min, self.max), |(min, max), &v| (min.min(v), max.max(v)));
        *self = Self { min, max };
    }

    /// Adds the values of another range.
    pub fn join(&mut self, other: Self) {
        *self = Self { min: self.min.min(other.min), max: self.max.max(other.max) };
    }
}
