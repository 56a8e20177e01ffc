//! NumPy arrays of Python objects that are texts, numbers, or series of numbers, as `numpy.array(labels, dtype=object)` and
//! pandas make them. Their pickles are read without executing anything.

use crate::array::Array;
use crate::centers::less;
use crate::error::{DataError, Location};
use crate::info::ArrayInfo;
use crate::options::ReadOptions;
use crate::pickle::{Item, Pickle};
use crate::ragged::Ragged;
use crate::subtract::Subtract;
use std::path::Path;

/// Most bytes of a pickle that is looked at. Others hold more than labels.
const BYTES: u64 = 256 << 20;
/// Most bytes of memory that a byte of a pickle takes on average.
const MEMORY: u64 = 8;

/// An array of texts, numbers or series.
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
    Numbers { data: Vec<f64>, whole: Option<Vec<i128>> },
    /// Series of unequal lengths.
    Series(Ragged),
}

/// Returns whether a file of this size may be an array of labels as objects.
pub(crate) fn may_be_read(size: u64, options: &ReadOptions) -> bool {
    size <= BYTES.min(options.whole_file() / MEMORY)
}

impl Objects {
    /// Reads the bytes of a `.npy` file; `path` names it. Returns `None` if it holds other objects.
    pub fn read(path: &Path, bytes: Vec<u8>) -> Option<Self> {
        let pickle = Pickle::parse_npy(path, bytes).ok()?;
        let (shape, items) = pickle.root().objects()?;
        let single = shape.iter().filter(|&&n| n != 1).count() <= 1 && !shape.is_empty();
        let Some(values) = values(&items) else { return if single { Self::of_arrays(&items) } else { None } };
        (single || matches!(values, Values::Numbers { .. })).then_some(Self { shape, values })
    }

    /// Arrays or lists of numbers: series of unequal lengths, or one array if all have the same shape.
    fn of_arrays(items: &[Item<'_>]) -> Option<Self> {
        let arrays: Vec<Array> = items.iter().map(|item| item.array().ok()).collect::<Option<_>>()?;
        let first = arrays.first()?.shape.clone();
        if arrays.iter().all(|array| array.shape == first) {
            let shape = [&[arrays.len()], &first[..]].concat();
            let data = arrays.into_iter().flat_map(|array| array.data).map(f64::from).collect();
            return Some(Self { shape, values: Values::Numbers { data, whole: None } });
        }
        let ragged = Ragged::new(arrays)?;
        Some(Self { shape: ragged.shape().0, values: Values::Series(ragged) })
    }

    /// Summarizes the array under a name.
    pub fn info(&self, name: &str) -> ArrayInfo {
        let text = matches!(self.values, Values::Texts(_));
        let dtype = match &self.values {
            Values::Texts(_) => "text".into(),
            Values::Numbers { .. } => "object".into(),
            Values::Series(ragged) => {
                let [least, most] = ragged.shape().1;
                format!("series of {least} to {most} values")
            }
        };
        // Arrays inside the objects became `f32` as they were read.
        let single = self.shape.iter().filter(|&&n| n != 1).count() <= 1;
        let wide = single && matches!(self.values, Values::Numbers { .. });
        ArrayInfo { name: name.into(), shape: self.shape.clone(), dtype, text, wide, ..ArrayInfo::default() }
    }

    /// The numbers after a subtraction, if one is given, and whether all are truth values or integers; `None` if they are
    /// texts.
    ///
    /// # Errors
    /// [`DataError::File`] with the name of the array if it holds series of unequal lengths.
    pub fn numbers(
        &self,
        path: &Path,
        name: &str,
        subtract: Option<&Subtract>,
    ) -> Result<Option<(Array, bool)>, DataError> {
        match &self.values {
            Values::Numbers { data, whole } => {
                let shift = subtract.map(|subtract| subtract.by_position(&self.shape, false));
                let center = |at: usize| shift.as_ref().map_or(0.0, |shift| shift.at(at));
                let data = data.iter().enumerate().map(|(at, &v)| less(v, center(at))).collect();
                Ok(Some((Array::new(self.shape.clone(), data), whole.is_some())))
            }
            Values::Texts(_) => Ok(None),
            Values::Series(_) => {
                let reason = "it holds series of unequal lengths, which can only be inputs";
                Err(DataError::at(path, Location::Entry(name.into()), reason)
                    .with_hint("give one number or text for each sample, or fill the series up to one length"))
            }
        }
    }

    /// The series of unequal lengths, if it holds some.
    pub fn ragged(&self) -> Option<Ragged> {
        match &self.values {
            Values::Series(ragged) => Some(ragged.clone()),
            _ => None,
        }
    }

    /// The numbers exactly, if all are whole.
    pub fn whole(&self) -> Option<Vec<i128>> {
        match &self.values {
            Values::Numbers { whole, .. } => whole.clone(),
            _ => None,
        }
    }

    /// The texts; `None` if they are numbers.
    pub fn texts(&self) -> Option<Vec<String>> {
        match &self.values {
            Values::Texts(texts) => Some(texts.clone()),
            _ => None,
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
    let data: Vec<f64> = items.iter().map(number).collect::<Option<_>>()?;
    let whole = items.iter().map(|item| item.whole().map(i128::from)).collect();
    data.iter().any(|v| !v.is_nan()).then_some(Values::Numbers { data, whole })
}
