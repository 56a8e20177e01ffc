//! Windows of one size in a long series.

/// The first points of windows of `size` points in a series of `length` points, `stride` apart.
///
/// As in the published code of the ECG task, a window that would end exactly at the end is left out
/// (`range(0, length − size, stride)`), so a series of `size` points has none.
///
/// # Panics
/// If `stride` is 0.
pub fn starts(length: usize, size: usize, stride: usize) -> impl Iterator<Item = usize> {
    (0..length.saturating_sub(size)).step_by(stride)
}
