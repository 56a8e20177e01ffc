//! Arrays whose last axis is the sample, as MATLAB users keep them.

use crate::array::Array;
use crate::found::Labels;
use crate::layout;

/// Returns whether the samples are the last axis of inputs of this shape, by the number of the labels.
pub(crate) fn samples_are_last(x: &[usize], y: &Labels) -> bool {
    let (Some(&first), Some(&last)) = (x.first(), x.last()) else { return false };
    let (rows, columns) = match y {
        Labels::Names(names) => (names.len(), names.len()),
        Labels::Numbers(y) => {
            let shape = &y.array.shape;
            // A vector, which MATLAB saves as a row or a column.
            match shape.iter().filter(|&&n| n != 1).collect::<Vec<_>>()[..] {
                [&n] => (n, n),
                _ => (shape.first().copied().unwrap_or(0), shape.last().copied().unwrap_or(0)),
            }
        }
    };
    x.len() >= 2 && !x.contains(&0) && first != rows && last == columns && last > 1
}

/// Moves the samples from the last axis to the first.
pub(crate) fn samples_first(array: &mut Array) {
    if array.is_file_backed() || array.shape.len() < 2 {
        return;
    }
    let mut shape = array.shape.clone();
    shape.rotate_right(1);
    *array = Array::new(shape.clone(), layout::channels_first(&array.data, shape[0]));
}

/// Brings targets whose samples are the last axis (MATLAB has no vectors, only rows and columns) to the first.
pub(crate) fn columns_to_rows(y: &mut Array, samples: usize) {
    if y.shape == [1, samples] && samples > 1 {
        y.shape = vec![samples];
    } else if y.shape.len() >= 2 && y.shape.first() != Some(&samples) && y.shape.last() == Some(&samples) {
        samples_first(y);
    }
}
