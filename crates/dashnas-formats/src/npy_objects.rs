//! NumPy arrays of Python objects that are texts or numbers, as `numpy.array(labels, dtype=object)` and pandas make them.
//! Their pickles are read without executing anything.

use crate::array::Array;
use crate::info::ArrayInfo;
use crate::options::ReadOptions;
use crate::pickle::{Item, Pickle};
use std::path::Path;

/// Most bytes of a pickle that is looked at. Others hold more than labels.
const BYTES: u64 = 256 << 20;
/// Most bytes of memory that a byte of a pickle takes on average.
const MEMORY: u64 = 8;

/// An array of texts or numbers.
#[derive(Debug)]
pub(crate) struct Objects {
    shape: Vec<usize>,
    values: Values,
}

/// The values of the array, in row-major order.
#[derive(Debug)]
enum Values {
    /// Texts, empty where one is missing; numbers among them as they are written.
    Texts(Vec<String>),
    /// Numbers, NaN where one is missing, and the same exactly if all are whole.
    Numbers { data: Vec<f32>, whole: Option<Vec<i128>> },
}

/// Returns whether a file of this size may be an array of labels as objects.
pub(crate) fn may_be_read(size: u64, options: &ReadOptions) -> bool {
    size <= BYTES.min(options.whole_file() / MEMORY)
}

impl Objects {
    /// Reads the bytes of a `.npy` file; `path` names it. Returns `None` if it holds other objects than texts and numbers.
    pub fn read(path: &Path, bytes: Vec<u8>) -> Option<Self> {
        let pickle = Pickle::parse_npy(path, bytes).ok()?;
        let (shape, items) = pickle.root().objects()?;
        let values = values(&items)?;
        let single = shape.iter().filter(|&&n| n != 1).count() <= 1 && !shape.is_empty();
        (single || matches!(values, Values::Numbers { .. })).then_some(Self { shape, values })
    }

    /// Summarizes the array under a name.
    pub fn info(&self, name: &str) -> ArrayInfo {
        let text = matches!(self.values, Values::Texts(_));
        let dtype = if text { "text" } else { "object" };
        ArrayInfo { name: name.into(), shape: self.shape.clone(), dtype: dtype.into(), text, ..ArrayInfo::default() }
    }

    /// The numbers, and whether all are truth values or integers; `None` if they are texts.
    pub fn numbers(&self) -> Option<(Array, bool)> {
        match &self.values {
            Values::Numbers { data, whole } => Some((Array::new(self.shape.clone(), data.clone()), whole.is_some())),
            Values::Texts(_) => None,
        }
    }

    /// The numbers exactly, if all are whole.
    pub fn whole(&self) -> Option<Vec<i128>> {
        match &self.values {
            Values::Numbers { whole, .. } => whole.clone(),
            Values::Texts(_) => None,
        }
    }

    /// The texts; `None` if they are numbers.
    pub fn texts(&self) -> Option<Vec<String>> {
        match &self.values {
            Values::Texts(texts) => Some(texts.clone()),
            Values::Numbers { .. } => None,
        }
    }
}

/// The values of objects; `None` if one is neither a text nor a number nor missing, or if all are missing.
fn values(items: &[Item<'_>]) -> Option<Values> {
    if items.iter().any(|item| item.text().is_ok()) {
        let text = |item: &Item<'_>| match (item.text(), item.whole(), item.number()) {
            (Ok(text), ..) => Some(text),
            (_, Some(whole), _) => Some(whole.to_string()),
            (_, _, Ok(number)) => Some(if number.is_nan() { String::new() } else { number.to_string() }),
            _ => item.is_none().then(String::new),
        };
        return items.iter().map(text).collect::<Option<_>>().map(Values::Texts);
    }
    let number = |item: &Item<'_>| item.number().ok().or(item.is_none().then_some(f64::NAN));
    let data: Vec<f32> = items.iter().map(|item| number(item).map(|v| v as f32)).collect::<Option<_>>()?;
    let whole = items.iter().map(|item| item.whole().map(i128::from)).collect();
    data.iter().any(|v| !v.is_nan()).then_some(Values::Numbers { data, whole })
}
