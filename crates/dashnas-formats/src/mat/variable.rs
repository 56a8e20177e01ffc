//! The variables of a MATLAB file.

use crate::centers::{less, whole_less};
use crate::info::ArrayInfo;

/// The value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Numbers in column-major order.
    Numbers {
        data: Vec<f32>,
        /// Whether all are whole.
        integral: bool,
        /// The numbers themselves, if `f32` may not hold them: those of a vector of whole numbers.
        whole: Option<Vec<i128>>,
        /// The numbers as they are in the file, where these have more digits and something is to be subtracted.
        wide: Option<Wide>,
    },
    /// One text for each row or cell.
    Text(Vec<String>),
    /// A kind of variable that cannot be read.
    Nothing,
}

/// Numbers with all the digits of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wide {
    /// Numbers that `f64` holds.
    Doubles(Vec<f64>),
    /// Integers of 64 bits.
    Whole(Vec<i128>),
}

impl Wide {
    /// The numbers less the one of each position.
    pub fn less(&self, center: impl Fn(usize) -> f64) -> Vec<f32> {
        match self {
            Self::Doubles(values) => values.iter().enumerate().map(|(at, &v)| less(v, center(at))).collect(),
            Self::Whole(values) => values.iter().enumerate().map(|(at, &v)| whole_less(v, center(at))).collect(),
        }
    }
}

/// A variable: its summary and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variable {
    pub info: ArrayInfo,
    pub value: Value,
}

impl Variable {
    /// A variable of numbers.
    pub fn numbers(name: String, shape: Vec<usize>, data: Vec<f32>, integral: bool, whole: Option<Vec<i128>>) -> Self {
        let dtype = if integral { "whole numbers" } else { "real numbers" };
        let info = ArrayInfo { name, shape, dtype: dtype.into(), ..ArrayInfo::default() };
        Self { info, value: Value::Numbers { data, integral, whole, wide: None } }
    }

    /// The same variable of values of a type of the format, whose digits are kept where they are asked for.
    pub fn with_digits(mut self, kind: u32, bytes: &[u8], big: bool, keep: bool) -> Self {
        self.info.wide = is_wide(kind);
        if let (Value::Numbers { wide, .. }, true) = (&mut self.value, keep && self.info.wide) {
            *wide = match kind {
                12 | 13 => integers(kind, bytes, big).map(Wide::Whole),
                _ => doubles(kind, bytes, big).map(Wide::Doubles),
            };
        }
        self
    }

    /// A variable of one text for each row or cell.
    pub fn text(name: String, text: Vec<String>) -> Self {
        let info =
            ArrayInfo { name, shape: vec![text.len()], dtype: "text".into(), text: true, ..ArrayInfo::default() };
        Self { info, value: Value::Text(text) }
    }

    /// A variable that cannot be read: `what` it is, with its article, and the way to save it.
    pub fn refused(name: String, what: &str, hint: impl Into<String>) -> Self {
        let reason = format!("it is {what}, which is not supported");
        Self { info: ArrayInfo::refused(&name, what, reason, hint), value: Value::Nothing }
    }
}

/// Returns whether values of a numeric type of the format may have more digits than `f32`.
fn is_wide(kind: u32) -> bool {
    matches!(kind, 5 | 6 | 9 | 12 | 13)
}

macro_rules! decode {
    ($name:ident, $number:ty, $what:literal) => {
        #[doc = $what]
        pub(super) fn $name(kind: u32, bytes: &[u8], big: bool) -> Option<Vec<$number>> {
            macro_rules! read {
                ($t:ty) => {{
                    let (values, rest) = bytes.as_chunks::<{ size_of::<$t>() }>();
                    let number = |&b: &[u8; size_of::<$t>()]| {
                        (if big { <$t>::from_be_bytes(b) } else { <$t>::from_le_bytes(b) }) as $number
                    };
                    rest.is_empty().then(|| values.iter().map(number).collect())
                }};
            }
            match kind {
                1 => read!(i8),
                2 | 16 => read!(u8),
                3 => read!(i16),
                4 | 17 => read!(u16),
                5 => read!(i32),
                6 | 18 => read!(u32),
                7 => read!(f32),
                9 => read!(f64),
                12 => read!(i64),
                13 => read!(u64),
                _ => None,
            }
        }
    };
}
decode!(numbers, f32, "Decodes values of a numeric type of the format.");
decode!(doubles, f64, "Decodes values of a numeric type of the format without loss, but for integers beyond 2⁵³.");
decode!(integers, i128, "Decodes integers of the format without loss.");

/// The whole numbers up to which `f32` holds every one.
const EXACT: f32 = 16_777_216.0;

/// Decodes the whole numbers of a vector exactly, if `f32` (in `data`) may not hold them.
pub(super) fn whole(kind: u32, bytes: &[u8], big: bool, shape: &[usize], data: &[f32]) -> Option<Vec<i128>> {
    if shape.iter().filter(|&&n| n != 1).count() > 1 || data.iter().all(|v| v.abs() < EXACT) {
        return None;
    }
    macro_rules! read {
        ($t:ty) => {{
            let values = bytes.as_chunks::<{ size_of::<$t>() }>().0.iter();
            let number = |&b: &[u8; size_of::<$t>()]| if big { <$t>::from_be_bytes(b) } else { <$t>::from_le_bytes(b) };
            Some(values.map(|b| number(b) as i128).collect())
        }};
    }
    match kind {
        5 => read!(i32),
        6 => read!(u32),
        7 => read!(f32),
        9 => read!(f64),
        12 => read!(i64),
        13 => read!(u64),
        _ => None,
    }
}
