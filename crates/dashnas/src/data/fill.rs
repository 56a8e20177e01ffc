//! Missing values of inputs that come as arrays: NaN, as NumPy and MATLAB have it.

use super::readers::series::fill_channel;
use super::{Array, DataError, Fill};

/// Fills the missing values of inputs `[N, C, …]`, each channel of each sample by itself.
pub(crate) fn fill(x: &mut Array, how: Fill) {
    if x.fill_outside(how) {
        return;
    }
    let plane = x.shape.iter().skip(2).product::<usize>().max(1);
    x.data.chunks_mut(plane).filter(|channel| channel.iter().any(|v| v.is_nan())).for_each(|c| fill_channel(c, how));
}

/// Whether inputs of this shape can be filled so.
///
/// # Errors
/// If values are to be interpolated along an axis where there are two.
pub(crate) fn suits(origin: &str, shape: &[usize], how: Fill) -> Result<(), DataError> {
    if how == Fill::Linear && shape.len() != 3 {
        let reason = "missing values of images cannot be interpolated along one axis";
        return Err(DataError::file(origin.as_ref(), reason).with_hint("use --fill-missing zero or mean"));
    }
    Ok(())
}
