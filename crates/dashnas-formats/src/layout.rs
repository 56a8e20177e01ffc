//! The order of the elements of one sample: channels last in many files, channels first in every data set.

/// Rearranges a row whose last axis is `channels` channels so that one channel follows another.
pub(crate) fn channels_first(row: &[f32], channels: usize) -> Vec<f32> {
    let plane = row.len() / channels.max(1);
    (0..channels).flat_map(|channel| (0..plane).map(move |p| row[p * channels + channel])).collect()
}

/// Rearranges the column-major elements of an array of this shape into row-major order.
pub(crate) fn row_major(shape: &[usize], data: &[f32]) -> Vec<f32> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &n in shape {
        strides.push(stride);
        stride *= n;
    }
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    let mut out = Vec::with_capacity(data.len());
    for _ in 0..data.len() {
        out.push(data[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    out
}

/// Returns the row-major position of each element of an array, in column-major order.
pub(crate) fn row_major_positions(axes: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; axes.len()];
    for axis in (1..axes.len()).rev() {
        strides[axis - 1] = strides[axis] * axes[axis];
    }
    let count = axes.iter().product::<usize>();
    let position = |i: usize| {
        let (mut left, mut position) = (i, 0);
        for (&n, &stride) in axes.iter().zip(&strides) {
            position += left % n * stride;
            left /= n;
        }
        position
    };
    (0..count).map(position).collect()
}
