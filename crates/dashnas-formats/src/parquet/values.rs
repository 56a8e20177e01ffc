//! The decoded values of a dictionary or a page.

/// Values of a dictionary or a page.
pub(super) enum PageValues {
    /// Numbers of any type.
    Numbers(Vec<f32>),
    /// Texts.
    Text(Vec<String>),
}

impl PageValues {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            PageValues::Numbers(v) => v.len(),
            PageValues::Text(v) => v.len(),
        }
    }
}
