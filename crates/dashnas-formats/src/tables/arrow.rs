//! Arrow arrays of any type as numbers, texts or lists.

use crate::centers::{less, whole_less};
use crate::tables::batches::Numeric;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field, TimeUnit};
use std::borrow::Cow;

/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// A column of a batch, by the kind of its values.
pub(crate) enum Kind<'a> {
    /// Numbers: whole or not, decimals, dates in days since 1970, times in seconds.
    Numbers(Numbers<'a>),
    /// Truth values.
    Bools(&'a arrow_array::BooleanArray),
    /// Texts.
    Texts(Texts<'a>),
    /// Lists.
    Lists(Lists<'a>),
    /// Nothing but missing values.
    Null,
    /// Something else.
    Other,
}

/// The number at an index, and the unit that it is multiplied by.
pub(crate) struct Numbers<'a> {
    get: Box<dyn Fn(usize) -> f64 + 'a>,
    array: &'a dyn Array,
}

impl Numbers<'_> {
    /// The number at `i`; `None` if it is missing.
    pub fn get(&self, i: usize) -> Option<f64> {
        self.array.is_valid(i).then(|| (self.get)(i))
    }

    /// The number `value` at `i` less another one; exactly if both are whole, however large.
    pub fn less(&self, i: usize, value: f64, center: f64) -> f32 {
        match self.array.data_type() {
            DataType::Int64 if center != 0.0 => {
                whole_less(self.array.as_primitive::<Int64Type>().value(i).into(), center)
            }
            DataType::UInt64 if center != 0.0 => {
                whole_less(self.array.as_primitive::<UInt64Type>().value(i).into(), center)
            }
            _ => less(value, center),
        }
    }
}

/// The text at an index.
pub(crate) struct Texts<'a> {
    get: Box<dyn Fn(usize) -> Option<Cow<'a, str>> + 'a>,
}

impl<'a> Texts<'a> {
    /// The text at `i`; `None` if it is missing.
    pub fn get(&self, i: usize) -> Option<Cow<'a, str>> {
        (self.get)(i)
    }
}

/// The list at an index.
pub(crate) struct Lists<'a> {
    get: Box<dyn Fn(usize) -> Option<ArrayRef> + 'a>,
}

impl Lists<'_> {
    /// The list at `i`; `None` if it is missing.
    pub fn get(&self, i: usize) -> Option<ArrayRef> {
        (self.get)(i)
    }
}

/// Returns whether values of this type are points in time.
pub(crate) fn is_temporal(kind: &DataType) -> bool {
    matches!(kind, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// Returns whether values of this type can be numbers.
pub(crate) fn numeric(data_type: &DataType) -> Numeric {
    match kind(arrow_array::new_empty_array(data_type).as_ref()) {
        Kind::Lists(_) | Kind::Other => Numeric::No,
        Kind::Texts(_) => Numeric::AsTexts,
        _ => Numeric::Yes,
    }
}

/// The shape of the tensors that the lists of a column are, if its type says so. It is empty if their axes are not in the
/// order of the values.
pub(crate) fn tensor_shape(field: &Field) -> Option<Vec<usize>> {
    let metadata = field.metadata();
    if metadata.get("ARROW:extension:name")? != "arrow.fixed_shape_tensor" {
        return None;
    }
    let text = metadata.get("ARROW:extension:metadata").map_or("", String::as_str);
    let found: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let list = |key: &str| -> Option<Vec<usize>> {
        found.get(key)?.as_array()?.iter().map(|v| usize::try_from(v.as_u64()?).ok()).collect()
    };
    let in_order = list("permutation").is_none_or(|order| order.iter().enumerate().all(|(i, &axis)| i == axis));
    Some(list("shape").filter(|_| in_order).unwrap_or_default())
}

/// Ticks of a unit in a second.
fn per_second(unit: TimeUnit) -> f64 {
    match unit {
        TimeUnit::Second => 1.0,
        TimeUnit::Millisecond => 1e3,
        TimeUnit::Microsecond => 1e6,
        TimeUnit::Nanosecond => 1e9,
    }
}

/// Looks at a column.
pub(crate) fn kind(array: &dyn Array) -> Kind<'_> {
    macro_rules! primitive {
        ($t:ty, $convert:expr) => {{
            let values = array.as_primitive::<$t>().values();
            let convert = $convert;
            Kind::Numbers(Numbers { get: Box::new(move |i| convert(values[i])), array })
        }};
    }
    match array.data_type() {
        DataType::Int8 => primitive!(Int8Type, f64::from),
        DataType::Int16 => primitive!(Int16Type, f64::from),
        DataType::Int32 => primitive!(Int32Type, f64::from),
        DataType::Int64 => primitive!(Int64Type, |v| v as f64),
        DataType::UInt8 => primitive!(UInt8Type, f64::from),
        DataType::UInt16 => primitive!(UInt16Type, f64::from),
        DataType::UInt32 => primitive!(UInt32Type, f64::from),
        DataType::UInt64 => primitive!(UInt64Type, |v| v as f64),
        DataType::Float16 => primitive!(Float16Type, f64::from),
        DataType::Float32 => primitive!(Float32Type, f64::from),
        DataType::Float64 => primitive!(Float64Type, |v| v),
        DataType::Date32 => primitive!(Date32Type, f64::from),
        DataType::Date64 => primitive!(Date64Type, |v| v as f64 / (1e3 * DAY)),
        DataType::Time32(TimeUnit::Second) => primitive!(Time32SecondType, f64::from),
        DataType::Time32(_) => primitive!(Time32MillisecondType, |v| f64::from(v) / 1e3),
        DataType::Time64(TimeUnit::Microsecond) => primitive!(Time64MicrosecondType, |v| v as f64 / 1e6),
        DataType::Time64(_) => primitive!(Time64NanosecondType, |v| v as f64 / 1e9),
        DataType::Timestamp(unit, _) => {
            let ticks = per_second(*unit) * DAY;
            let days = move |v: i64| v as f64 / ticks;
            match unit {
                TimeUnit::Second => primitive!(TimestampSecondType, days),
                TimeUnit::Millisecond => primitive!(TimestampMillisecondType, days),
                TimeUnit::Microsecond => primitive!(TimestampMicrosecondType, days),
                TimeUnit::Nanosecond => primitive!(TimestampNanosecondType, days),
            }
        }
        DataType::Decimal32(_, scale) => {
            let unit = 10f64.powi(-i32::from(*scale));
            primitive!(Decimal32Type, move |v| f64::from(v) * unit)
        }
        DataType::Decimal64(_, scale) => {
            let unit = 10f64.powi(-i32::from(*scale));
            primitive!(Decimal64Type, move |v| v as f64 * unit)
        }
        DataType::Decimal128(_, scale) => {
            let unit = 10f64.powi(-i32::from(*scale));
            primitive!(Decimal128Type, move |v| v as f64 * unit)
        }
        DataType::Decimal256(_, scale) => {
            let unit = 10f64.powi(-i32::from(*scale));
            primitive!(Decimal256Type, move |v: arrow_buffer::i256| {
                let (low, high) = v.to_parts();
                (high as f64 * 2f64.powi(128) + low as f64) * unit
            })
        }
        DataType::Boolean => Kind::Bools(array.as_boolean()),
        DataType::Null => Kind::Null,
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            Kind::Lists(Lists { get: Box::new(move |i| lists.is_valid(i).then(|| lists.value(i))) })
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            Kind::Lists(Lists { get: Box::new(move |i| lists.is_valid(i).then(|| lists.value(i))) })
        }
        DataType::FixedSizeList(..) => {
            let lists = array.as_fixed_size_list();
            Kind::Lists(Lists { get: Box::new(move |i| lists.is_valid(i).then(|| lists.value(i))) })
        }
        _ => texts(array).map_or(Kind::Other, Kind::Texts),
    }
}

/// The texts of a column of texts or bytes, possibly by a dictionary.
fn texts(array: &dyn Array) -> Option<Texts<'_>> {
    macro_rules! plain {
        ($values:expr) => {{
            let values = $values;
            Texts { get: Box::new(move |i| values.is_valid(i).then(|| Cow::Borrowed(values.value(i)))) }
        }};
    }
    macro_rules! bytes {
        ($values:expr) => {{
            let values = $values;
            Texts { get: Box::new(move |i| values.is_valid(i).then(|| String::from_utf8_lossy(values.value(i)))) }
        }};
    }
    Some(match array.data_type() {
        DataType::Utf8 => plain!(array.as_string::<i32>()),
        DataType::LargeUtf8 => plain!(array.as_string::<i64>()),
        DataType::Utf8View => plain!(array.as_string_view()),
        DataType::Binary => bytes!(array.as_binary::<i32>()),
        DataType::LargeBinary => bytes!(array.as_binary::<i64>()),
        DataType::BinaryView => bytes!(array.as_binary_view()),
        DataType::FixedSizeBinary(_) => bytes!(array.as_fixed_size_binary()),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.normalized_keys();
            let values = dictionary.values();
            let names: Vec<Option<Cow<'_, str>>> = (0..values.len()).map(|i| text(values.as_ref(), i)).collect();
            Texts {
                get: Box::new(move |i| {
                    let key = array.is_valid(i).then(|| keys.get(i).copied()).flatten()?;
                    names.get(key).cloned().flatten()
                }),
            }
        }
        _ => return None,
    })
}

/// A list as JSON.
fn list_text(list: &dyn Array) -> String {
    let plain = matches!(kind(list), Kind::Numbers(_) | Kind::Bools(_) | Kind::Lists(_));
    let one = |i: usize| match text(list, i) {
        Some(text) if plain => text.into_owned(),
        Some(text) => serde_json::Value::from(text.as_ref()).to_string(),
        None => "null".to_owned(),
    };
    format!("[{}]", (0..list.len()).map(one).collect::<Vec<_>>().join(","))
}

/// The text of one value, as it is written in the table; `None` if it is missing.
pub(crate) fn text(array: &dyn Array, i: usize) -> Option<Cow<'_, str>> {
    if array.is_null(i) {
        return None;
    }
    macro_rules! whole {
        ($t:ty) => {
            Some(Cow::Owned(array.as_primitive::<$t>().value(i).to_string()))
        };
    }
    match array.data_type() {
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt64 => whole!(UInt64Type),
        DataType::Float16 => whole!(Float16Type),
        DataType::Float32 => whole!(Float32Type),
        DataType::Float64 => whole!(Float64Type),
        DataType::Decimal32(..) => Some(Cow::Owned(array.as_primitive::<Decimal32Type>().value_as_string(i))),
        DataType::Decimal64(..) => Some(Cow::Owned(array.as_primitive::<Decimal64Type>().value_as_string(i))),
        DataType::Decimal128(..) => Some(Cow::Owned(array.as_primitive::<Decimal128Type>().value_as_string(i))),
        DataType::Decimal256(..) => Some(Cow::Owned(array.as_primitive::<Decimal256Type>().value_as_string(i))),
        DataType::Boolean => Some(Cow::Borrowed(if array.as_boolean().value(i) { "true" } else { "false" })),
        _ => match kind(array) {
            Kind::Numbers(numbers) => numbers.get(i).map(|v| Cow::Owned(v.to_string())),
            Kind::Texts(texts) => texts.get(i).map(|text| Cow::Owned(text.into_owned())),
            Kind::Lists(lists) => lists.get(i).map(|list| Cow::Owned(list_text(list.as_ref()))),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn tensors_have_the_shape_that_their_type_says() {
        let field = |name: &str, text: &str| {
            let metadata = [("ARROW:extension:name", name), ("ARROW:extension:metadata", text)];
            let metadata: HashMap<String, String> = metadata.map(|(k, v)| (k.into(), v.into())).into();
            Field::new("x", DataType::Float32, true).with_metadata(metadata)
        };
        let tensor = "arrow.fixed_shape_tensor";
        let cases = [
            (tensor, r#"{"shape":[3,64]}"#, Some(vec![3, 64])),
            (tensor, r#"{"shape":[3,64],"permutation":[0,1]}"#, Some(vec![3, 64])),
            (tensor, r#"{"shape":[3,64],"permutation":[1,0]}"#, Some(Vec::new())),
            (tensor, r#"{"shape":[-3]}"#, Some(Vec::new())),
            (tensor, "no JSON", Some(Vec::new())),
            ("other", r#"{"shape":[3]}"#, None),
        ];
        for (name, text, expected) in cases {
            assert_eq!(tensor_shape(&field(name, text)), expected, "{name} {text}");
        }
    }
}
