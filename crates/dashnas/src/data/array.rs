//! Dense arrays and targets.

/// A dense row-major array of `f32`.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Size of each axis, slowest first.
    pub shape: Vec<usize>,
    /// The elements; as many as the product of `shape`.
    pub data: Vec<f32>,
}

impl Array {
    /// An array of the given shape.
    ///
    /// # Panics
    /// If `data` does not hold as many elements as `shape` says.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?} does not fit the data");
        Self { shape, data }
    }

    /// Size of the first axis (samples); 0 for an array without axes.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Elements of one row: the product of all axes but the first.
    pub fn row_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Row `i`, `row_len()` elements.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, i: usize) -> &[f32] {
        let n = self.row_len();
        &self.data[i * n..(i + 1) * n]
    }

    /// The rows at `indices`, in that order; an index may come more than once.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut data = Vec::with_capacity(indices.len() * self.row_len());
        for &i in indices {
            data.extend_from_slice(self.row(i));
        }
        let mut shape = self.shape.clone();
        if let Some(n) = shape.first_mut() {
            *n = indices.len();
        }
        Self { shape, data }
    }

    /// The multi-dimensional index of the element at `flat`.
    pub(crate) fn unravel(&self, mut flat: usize) -> Vec<usize> {
        let mut index = vec![0; self.shape.len()];
        for (slot, &n) in index.iter_mut().zip(&self.shape).rev() {
            *slot = flat % n.max(1);
            flat /= n.max(1);
        }
        index
    }
}

/// What the network is to predict, one row a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A class for each sample, from 0.
    Classes(Vec<u32>),
    /// Numbers: `[N, outputs]` for regression, `[N, labels]` of 0/1 for multi-label tasks,
    /// `[N, C, L]` or `[N, C, H, W]` for dense ones (0/1 where they are masks).
    Values(Array),
}

impl Targets {
    /// Number of samples.
    pub fn rows(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values(values) => values.rows(),
        }
    }

    /// The shape: `[N]` for classes, the array's own otherwise.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Targets::Classes(labels) => vec![labels.len()],
            Targets::Values(values) => values.shape.clone(),
        }
    }

    /// The targets of the samples at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn select(&self, indices: &[usize]) -> Self {
        match self {
            Targets::Classes(labels) => Targets::Classes(indices.iter().map(|&i| labels[i]).collect()),
            Targets::Values(values) => Targets::Values(values.select(indices)),
        }
    }

    /// The class labels, if these are classes.
    pub fn classes(&self) -> Option<&[u32]> {
        match self {
            Targets::Classes(labels) => Some(labels),
            Targets::Values(_) => None,
        }
    }

    /// The values, if these are values.
    pub fn values(&self) -> Option<&Array> {
        match self {
            Targets::Classes(_) => None,
            Targets::Values(values) => Some(values),
        }
    }
}
