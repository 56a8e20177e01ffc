//! Cutting a long series into pieces of one size.

/// Where windows of `size` points begin in a series of `length` points, `stride` apart.
///
/// As published for the ECG task, a window that would end exactly at the end is left out
/// (`range(0, length − size, stride)`), so a series of just `size` points gives none.
///
/// # Panics
/// If `stride` is 0.
pub fn starts(length: usize, size: usize, stride: usize) -> impl Iterator<Item = usize> {
    (0..length.saturating_sub(size)).step_by(stride)
}
