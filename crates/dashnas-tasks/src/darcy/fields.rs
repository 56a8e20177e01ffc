//! Coefficients and solutions as a data set.

use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::normalize::{Normalization, Scheme};
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;

/// The data set of a training and a test split. Coefficient and solution are normalized pointwise, and the coordinates
/// are left alone, as in the Fourier Neural Operator.
///
/// # Errors
/// Those of [`Dataset::new`].
pub(crate) fn dataset(name: String, train: Fields, test: Fields) -> Result<Dataset, DataError> {
    let task = TaskKind::DenseRegression { channels: 1 };
    let mut set = Dataset::new(name, task, train.with_coordinates(), None, test.with_coordinates())?;
    set.normalization =
        Normalization { input: vec![Scheme::Pointwise, Scheme::Identity, Scheme::Identity], target: Scheme::Pointwise };
    Ok(set)
}

/// The coefficients and solutions of a split, on at least 2×2 points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields {
    /// Coefficients, `[N, 1, n, n]`.
    pub a: Array,
    /// Solutions, `[N, 1, n, n]`.
    pub u: Array,
}

impl Fields {
    /// Inputs `[N, 3, n, n]` of the coefficient, the coordinate along the rows and the one along the columns, each from
    /// 0 to 1, and targets of the solution.
    fn with_coordinates(self) -> Split {
        let (count, n) = (self.a.rows(), self.a.shape[2]);
        let at = |k: usize| k as f32 / (n - 1) as f32;
        let rows: Vec<f32> = (0..n * n).map(|p| at(p / n)).collect();
        let columns: Vec<f32> = (0..n * n).map(|p| at(p % n)).collect();
        let mut x = Vec::with_capacity(3 * self.a.data.len());
        for i in 0..count {
            x.extend_from_slice(self.a.row(i));
            x.extend_from_slice(&rows);
            x.extend_from_slice(&columns);
        }
        Split { x: Array::new(vec![count, 3, n, n], x), y: Targets::Values(self.u) }
    }
}
