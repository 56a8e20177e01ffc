//! Versions of ONNX, and the options of a file.

use std::ops::RangeInclusive;

/// The supported versions of the operators. Some networks need a later version than the first.
pub const OPSETS: RangeInclusive<i64> = 1..=23;

/// The default version of the operators: it is of 2022, and all runtimes since then read it.
pub const DEFAULT_OPSET: i64 = 17;

/// The options of an ONNX file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnnxOptions {
    /// The version of the operators.
    pub opset: i64,
    /// Whether to leave out the transforms and the normalization of the inputs, and the softmax, sigmoid or decoding of
    /// the outputs.
    pub raw: bool,
}

impl Default for OnnxOptions {
    fn default() -> Self {
        Self { opset: DEFAULT_OPSET, raw: false }
    }
}

/// Returns the version of the file format that belongs to a version of the operators.
pub(super) fn ir_version(opset: i64) -> i64 {
    match opset {
        ..=8 => 3,
        9 => 4,
        10 => 5,
        11 => 6,
        12..=14 => 7,
        15..=18 => 8,
        19..=20 => 9,
        21..=22 => 10,
        _ => 11,
    }
}
