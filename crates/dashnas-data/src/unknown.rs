//! Targets of fields that are not known: `task.unknown` says which value stands for them.

use crate::check;
use dashnas_core::names::TaskName;
use dashnas_formats::error::DataError;
use dashnas_formats::found::{Labels, UnassembledData};

/// Makes NaN of the targets of fields that have the value for unknown ones. Returns whether there are some.
///
/// # Errors
/// [`DataError::NonFinite`] if a target is not finite in the file.
pub(crate) fn mark(origin: &str, raw: &mut UnassembledData) -> Result<bool, DataError> {
    let Some(value) = raw.reading.unknown else { return Ok(false) };
    let dense = matches!(raw.reading.task, Some(TaskName::DenseBinary | TaskName::DenseRegression));
    let (mut fields, mut marked) = (false, false);
    for part in &mut raw.parts {
        let Some(Labels::Numbers(y)) = &mut part.y else { continue };
        if y.array.shape.len() < 3 && !dense {
            continue;
        }
        fields = true;
        check::finite(origin, &y.name, &y.array)?;
        for target in y.array.data.iter_mut().filter(|target| **target == value as f32) {
            *target = f32::NAN;
            marked = true;
        }
    }
    if fields && !marked {
        raw.warn(format!("no target has the value {value}, which stands for unknown ones (`task.unknown`)"));
    }
    Ok(marked)
}
