//! Numbers that are subtracted in `f64` from inputs and targets before they become `f32`, which has too few digits for
//! values that are large and vary little, such as Unix times and pressures in pascals.
//!
//! A reader subtracts [`Centers`] where it converts numbers, so that all code behind it works with small numbers. What an
//! element of an array belongs to follows from its position in the file (`subtract`).

use serde::{Deserialize, Serialize};

/// Values that differ by fewer steps of `f32` than this lose digits that matter: the steps are then more than a thousandth
/// of the deviation, which is about a quarter of the range, and rounding is half a step.
const FINE: f64 = 2000.0;
/// Whole numbers up to this one are exact in `f32`.
pub const EXACT: f64 = 16_777_216.0;

/// What is subtracted from the channels of the inputs and from the outputs: a number for each, or none at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Centers {
    /// One number for each channel of the inputs as they are read; empty if nothing is subtracted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<f64>,
    /// One number for each output; empty if nothing is subtracted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<f64>,
}

impl Centers {
    /// Returns whether nothing is subtracted.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.targets.is_empty()
    }

    /// What is subtracted from the values of input column `column` of `columns`, which make channels of equal length.
    pub(crate) fn of_column(&self, column: usize, columns: usize) -> f64 {
        let length = columns / self.inputs.len().max(1);
        column.checked_div(length).and_then(|channel| self.inputs.get(channel)).copied().unwrap_or(0.0)
    }

    /// What is subtracted from the values of an output.
    pub(crate) fn of_target(&self, output: usize) -> f64 {
        self.targets.get(output).copied().unwrap_or(0.0)
    }
}

/// The distance of neighboring `f32` numbers near the largest magnitude of values in this range.
pub fn step(min: f64, max: f64) -> f64 {
    (min.abs().max(max.abs()).log2().floor() - 23.0).exp2()
}

/// Returns whether values in this range lose digits that matter when they become `f32`. Whole numbers below 2²⁴ do not,
/// whatever their range: the caller knows whether all are whole.
pub fn loses_digits(min: f64, max: f64) -> bool {
    let (most, spread) = (min.abs().max(max.abs()), max - min);
    if !most.is_finite() || most <= 0.0 || spread < 0.0 || (spread == 0.0 && most < EXACT) {
        return false;
    }
    step(min, max) * FINE > spread
}

/// A number to subtract from values in this range: about its middle, with as few digits as the range allows, so that it is
/// easily read.
pub fn reference(min: f64, max: f64) -> f64 {
    let (middle, spread) = (f64::midpoint(min, max), max - min);
    if spread <= 0.0 {
        return middle;
    }
    let exponent = spread.log10().floor() as i32;
    let unit = 10f64.powi(exponent.abs());
    // Division by a power of ten gives the number that is nearest to the decimal one.
    let found = if exponent < 0 { (middle * unit).round() / unit } else { (middle / unit).round() * unit };
    if found.is_finite() { found } else { middle }
}

/// Subtracts a number in `f64`.
pub(crate) fn less(value: f64, center: f64) -> f32 {
    (value - center) as f32
}

/// Subtracts a number from a whole number; exactly if it is whole as well, so that times in nanoseconds keep all digits.
pub(crate) fn whole_less(value: i128, center: f64) -> f32 {
    if center.fract() == 0.0 && center.abs() < 1e30 {
        (value - center as i128) as f32
    } else {
        less(value as f64, center)
    }
}

/// Subtracts a number from the one that a text stands for; exactly if both are whole, because `value` may have lost digits of
/// a long integer.
pub(crate) fn text_less(text: &str, value: f64, center: f64) -> f32 {
    /// Whole numbers up to this one are exact in `f64`.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.abs() >= EXACT
        && center != 0.0
        && let Ok(whole) = text.parse::<i128>()
    {
        return whole_less(whole, center);
    }
    less(value, center)
}

/// What is subtracted from the elements of an array by their positions in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    row: Vec<f64>,
    /// The number of neighboring elements from which the same number is subtracted.
    block: usize,
}

impl Shift {
    /// From each of the `block` neighboring elements the next of these numbers is subtracted, over and over.
    pub(crate) fn new(row: Vec<f64>, block: usize) -> Self {
        Self { row, block }
    }

    /// What is subtracted from the element at a position.
    pub(crate) fn at(&self, position: usize) -> f64 {
        self.row[position / self.block % self.row.len()]
    }

    /// Subtracts from elements from position `first` on that have no more digits.
    pub(crate) fn apply(&self, values: &mut [f32], first: usize) {
        values.iter_mut().zip(first..).for_each(|(v, at)| *v = less(f64::from(*v), self.at(at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_few_digits_and_are_in_the_middle() {
        let cases = [
            (1.7e9, 1.7e9 + 1.0, 1.7e9),
            (1_700_000_000.0, 1_700_086_400.0, 1_700_040_000.0),
            (101_325.12, 101_325.14, 101_325.13),
            (-48.8512, -48.8510, -48.8511),
            (5.0, 5.0, 5.0),
        ];
        for (min, max, expected) in cases {
            let found = reference(min, max);
            assert!((found - expected).abs() <= max - min, "{min} {max} {found}");
            assert!(found.to_string().len() <= expected.to_string().len() + 1, "{min} {max} {found}");
        }
    }

    #[test]
    fn large_values_that_vary_little_lose_digits() {
        let losing = [(1.7e9, 1.7e9 + 100.0), (1.7e9, 1.7e9), (101_325.0, 101_326.0), (-1e9, -1e9 + 1.0)];
        let usual = [(0.0, 1.0), (-1e9, 1e9), (1000.0, 1020.0), (0.1, 0.1), (0.0, 0.0), (f64::INFINITY, f64::INFINITY)];
        assert!(losing.iter().all(|&(min, max)| loses_digits(min, max)));
        assert!(!usual.iter().any(|&(min, max)| loses_digits(min, max)));
    }

    #[test]
    fn whole_numbers_keep_all_digits() {
        assert_eq!(whole_less(1_700_000_000_000_000_123, 1.7e18), 123.0);
        assert_eq!(whole_less(5, 0.5), 4.5);
        let text = "1700000000000000123";
        assert_eq!(text_less(text, text.parse().unwrap(), 1.7e18), 123.0);
        assert_eq!((text_less("1e18", 1e18, 9e17), text_less("5.5", 5.5, 0.5)), (1e17, 5.0));
    }
}
