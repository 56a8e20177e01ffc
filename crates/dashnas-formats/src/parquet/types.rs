//! The types of Parquet columns: how values are stored, and what they mean.

use crate::parquet::thrift::ThriftValue;
use crate::parquet::values::PageValues;

/// The physical type: how values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Physical {
    Bool,
    Int32,
    Int64,
    /// Old timestamps: nanoseconds of the day and the Julian day number.
    Int96,
    Float,
    Double,
    /// Bytes with their length before them.
    Bytes,
    /// This many bytes.
    Fixed(usize),
}

impl Physical {
    /// Returns the type of a leaf of the schema.
    pub fn of(element: &ThriftValue<'_>) -> Option<Self> {
        Some(match element.int(1)? {
            0 => Physical::Bool,
            1 => Physical::Int32,
            2 => Physical::Int64,
            3 => Physical::Int96,
            4 => Physical::Float,
            5 => Physical::Double,
            6 => Physical::Bytes,
            7 => Physical::Fixed(usize::try_from(element.int(2)?).ok().filter(|&n| n <= 1 << 16)?),
            _ => return None,
        })
    }

    /// Returns the size of a value in bytes, if all values have the same.
    pub fn size(self) -> Option<usize> {
        match self {
            Physical::Bool | Physical::Bytes => None,
            Physical::Int32 | Physical::Float => Some(4),
            Physical::Int64 | Physical::Double => Some(8),
            Physical::Int96 => Some(12),
            Physical::Fixed(size) => Some(size),
        }
    }
}

/// The logical type: what the values mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Logical {
    /// Numbers as they are, times a unit: 10⁻² for decimals of two digits, 1/86 400 000 for times in milliseconds.
    Number(f64),
    /// Unsigned whole numbers of this many bits.
    Unsigned(u32),
    /// Floating-point numbers of two bytes.
    Half,
    Text,
}

/// Units of time per second: milli-, micro- and nanoseconds.
const PER_SECOND: [f64; 3] = [1e3, 1e6, 1e9];
const DAY: f64 = 86_400.0;

impl Logical {
    /// Returns the type of a leaf of the schema, by its logical type or the older converted type.
    pub fn of(element: &ThriftValue<'_>, physical: Physical) -> Self {
        let logical = match element.field(10) {
            Some(ThriftValue::Struct(fields)) => fields.first().map(|(id, value)| (*id, value)),
            _ => None,
        };
        // TIME and TIMESTAMP: {1: adjusted to UTC, 2: {1, 2 or 3: unit}}.
        let unit = |value: &ThriftValue<'_>| match value.field(2) {
            Some(ThriftValue::Struct(fields)) => {
                fields.first().and_then(|(id, _)| PER_SECOND.get(usize::try_from(*id).ok()?.checked_sub(1)?).copied())
            }
            _ => None,
        };
        let decimal = |scale: i64| Logical::Number(10f64.powi(-(scale.clamp(0, 300) as i32)));
        let converted = element.int(6);
        match (logical, converted) {
            (Some((5, value)), _) => decimal(value.int(1).unwrap_or(0)),
            (_, Some(5)) => decimal(element.int(7).unwrap_or(0)),
            (Some((7, value)), _) => Logical::Number(1.0 / unit(value).unwrap_or(1.0)),
            (Some((8, value)), _) => Logical::Number(1.0 / (unit(value).unwrap_or(1.0) * DAY)),
            (_, Some(7)) => Logical::Number(1.0 / PER_SECOND[0]),
            (_, Some(8)) => Logical::Number(1.0 / PER_SECOND[1]),
            (_, Some(9)) => Logical::Number(1.0 / (PER_SECOND[0] * DAY)),
            (_, Some(10)) => Logical::Number(1.0 / (PER_SECOND[1] * DAY)),
            (_, Some(bits @ 11..=14)) => Logical::Unsigned(8u32 << (bits - 11)),
            (Some((10, value)), _) if value.field(2) == Some(&ThriftValue::Bool(false)) => {
                Logical::Unsigned(value.int(1).and_then(|bits| u32::try_from(bits).ok()).unwrap_or(32))
            }
            (Some((15, _)), _) if physical == Physical::Fixed(2) => Logical::Half,
            _ if matches!(physical, Physical::Bytes | Physical::Fixed(_)) => Logical::Text,
            _ => Logical::Number(1.0),
        }
    }

    /// Converts a whole number.
    pub fn whole(self, value: i64) -> f32 {
        match self {
            Logical::Unsigned(64..) => value as u64 as f32,
            Logical::Unsigned(_) => value as u32 as f32,
            Logical::Number(unit) => (value as f64 * unit) as f32,
            Logical::Half | Logical::Text => value as f32,
        }
    }

    /// Converts values that are bytes.
    pub fn values<'a>(self, values: impl Iterator<Item = &'a [u8]>) -> PageValues {
        match self {
            Logical::Text => PageValues::Text(values.map(|text| String::from_utf8_lossy(text).into_owned()).collect()),
            Logical::Half => PageValues::Numbers(values.map(|b| b.try_into().map_or(f32::NAN, half)).collect()),
            _ => PageValues::Numbers(values.map(|bytes| self.big_endian(bytes)).collect()),
        }
    }

    /// Converts a decimal: a signed big-endian whole number of any length.
    fn big_endian(self, bytes: &[u8]) -> f32 {
        let Logical::Number(unit) = self else { return f32::NAN };
        let sign = bytes.first().map_or(0.0, |&b| f64::from(b as i8 >> 7));
        let value = bytes.iter().fold(sign, |value, &b| value * 256.0 + f64::from(b));
        (value * unit) as f32
    }
}

fn half(bytes: [u8; 2]) -> f32 {
    crate::npy::half_to_f32(u16::from_le_bytes(bytes))
}

/// Decodes `n` plain values.
pub(super) fn plain(physical: Physical, sense: Logical, bytes: &[u8], n: usize) -> Result<PageValues, String> {
    macro_rules! numbers {
        ($t:ty, $read:expr) => {{
            let (values, _) = bytes.as_chunks::<{ size_of::<$t>() }>();
            let values = values.get(..n).ok_or("it is cut short")?;
            let read: fn(Logical, $t) -> f32 = $read;
            Ok(PageValues::Numbers(values.iter().map(|&b| read(sense, <$t>::from_le_bytes(b))).collect()))
        }};
    }
    match physical {
        Physical::Bool => {
            let bits = bytes.get(..n.div_ceil(8)).ok_or("it is cut short")?;
            Ok(PageValues::Numbers((0..n).map(|i| f32::from(bits[i / 8] >> (i % 8) & 1)).collect()))
        }
        Physical::Int32 => numbers!(i32, |sense, v| sense.whole(i64::from(v))),
        Physical::Int64 => numbers!(i64, Logical::whole),
        Physical::Float => numbers!(f32, |_, v| v),
        Physical::Double => numbers!(f64, |_, v| v as f32),
        Physical::Int96 => {
            let values = bytes.as_chunks::<12>().0.get(..n).ok_or("it is cut short")?;
            // The first of January 1970 is the Julian day 2 440 588.
            let days = |b: &[u8; 12]| {
                let [n0, n1, n2, n3, n4, n5, n6, n7, d0, d1, d2, d3] = *b;
                let nanoseconds = i64::from_le_bytes([n0, n1, n2, n3, n4, n5, n6, n7]) as f64;
                f64::from(i32::from_le_bytes([d0, d1, d2, d3])) - 2_440_588.0 + nanoseconds / 1e9 / DAY
            };
            Ok(PageValues::Numbers(values.iter().map(|b| days(b) as f32).collect()))
        }
        Physical::Bytes => {
            let mut rest = bytes;
            let mut values = Vec::new();
            for _ in 0..n {
                let (&head, tail) = rest.split_first_chunk::<4>().ok_or("it is cut short")?;
                let (value, tail) =
                    tail.split_at_checked(u32::from_le_bytes(head) as usize).ok_or("it is cut short")?;
                values.push(value);
                rest = tail;
            }
            Ok(sense.values(values.into_iter()))
        }
        // Values without bytes would make the number of values unbounded.
        Physical::Fixed(0) => Err("its values have no bytes".into()),
        Physical::Fixed(size) => {
            let bytes = n.checked_mul(size).and_then(|end| bytes.get(..end)).ok_or("it is cut short")?;
            Ok(sense.values(bytes.chunks_exact(size)))
        }
    }
}
