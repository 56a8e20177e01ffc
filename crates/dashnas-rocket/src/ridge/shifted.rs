//! The factorization of a block tridiagonal matrix plus a multiple of the identity.

use crate::ridge::reduction::Reduction;
use ndarray::{Array2, ArrayView2, s};

/// The Cholesky factor `L` of `B + αI`, whose blocks lie on and just below the diagonal, and `L⁻¹·F` for the right-hand
/// sides `F`.
#[derive(Debug)]
pub(crate) struct Shifted {
    /// The inverses of the blocks on the diagonal of `L`.
    inverses: Vec<Array2<f64>>,
    /// The blocks below the diagonal of `L`.
    below: Vec<Array2<f64>>,
    /// `L⁻¹·F`: rows × outputs.
    forward: Array2<f64>,
}

impl Shifted {
    /// Factors `B + αI`. Returns `None` if it is not positive definite, which rounding errors can cause where `α` is
    /// smaller than they are.
    pub fn of(reduction: &Reduction, alpha: f64, right: &Array2<f64>) -> Option<Self> {
        let (diagonal, sides) = reduction.blocks();
        let mut inverses: Vec<Array2<f64>> = Vec::with_capacity(diagonal.len());
        let mut below = Vec::with_capacity(sides.len());
        let mut forward = right.clone();
        let mut start = 0;
        for (at, block) in diagonal.iter().enumerate() {
            let mut block = block.clone();
            block.diag_mut().mapv_inplace(|value| value + alpha);
            let end = start + block.nrows();
            let mut rows = forward.slice(s![start..end, ..]).to_owned();
            if at > 0 {
                let side = sides[at - 1].dot(&inverses[at - 1].t());
                block -= &side.dot(&side.t());
                rows -= &side.dot(&forward.slice(s![start - side.ncols()..start, ..]));
                below.push(side);
            }
            let inverse = inverse_of_factor(block.view())?;
            forward.slice_mut(s![start..end, ..]).assign(&inverse.dot(&rows));
            inverses.push(inverse);
            start = end;
        }
        Some(Self { inverses, below, forward })
    }

    /// Returns `(B + αI)⁻¹·F`.
    pub fn solution(&self) -> Array2<f64> {
        let mut solution = self.forward.clone();
        let mut end = solution.nrows();
        for (at, inverse) in self.inverses.iter().enumerate().rev() {
            let start = end - inverse.nrows();
            let mut rows = solution.slice(s![start..end, ..]).to_owned();
            if let Some(side) = self.below.get(at) {
                rows -= &side.t().dot(&solution.slice(s![end..end + side.nrows(), ..]));
            }
            solution.slice_mut(s![start..end, ..]).assign(&inverse.t().dot(&rows));
            end = start;
        }
        solution
    }

    /// Returns `rᵀ(B + αI)⁻¹r` and `rᵀ(B + αI)⁻¹F` for each row `r`.
    pub fn leverages(&self, rows: ArrayView2<'_, f64>) -> (Vec<f64>, Array2<f64>) {
        let mut norms = vec![0.0; rows.nrows()];
        let mut fitted = Array2::zeros((rows.nrows(), self.forward.ncols()));
        let mut previous = Array2::zeros((0, 0));
        let mut start = 0;
        for (at, inverse) in self.inverses.iter().enumerate() {
            let end = start + inverse.nrows();
            let mut part = rows.slice(s![.., start..end]).to_owned();
            if at > 0 {
                ndarray::linalg::general_mat_mul(-1.0, &previous, &self.below[at - 1].t(), 1.0, &mut part);
            }
            previous = part.dot(&inverse.t());
            for (norm, row) in norms.iter_mut().zip(previous.rows()) {
                *norm += row.dot(&row);
            }
            let forward = self.forward.slice(s![start..end, ..]);
            ndarray::linalg::general_mat_mul(1.0, &previous, &forward, 1.0, &mut fitted);
            start = end;
        }
        (norms, fitted)
    }
}

/// Returns the sum of the squares of `errors / divisor`, with a divisor for each row.
pub(crate) fn squared_errors(errors: &Array2<f64>, divisor: impl Fn(usize) -> f64) -> f64 {
    errors
        .rows()
        .into_iter()
        .enumerate()
        .map(|(at, row)| {
            let divisor = divisor(at);
            row.iter().map(|error| (error / divisor).powi(2)).sum::<f64>()
        })
        .sum()
}

/// Returns the inverse of the Cholesky factor of a small matrix, or `None` if the matrix is not positive definite.
fn inverse_of_factor(matrix: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let size = matrix.nrows();
    let mut factor = Array2::<f64>::zeros((size, size));
    for row in 0..size {
        for column in 0..=row {
            let known: f64 = factor.slice(s![row, ..column]).dot(&factor.slice(s![column, ..column]));
            let rest = matrix[[row, column]] - known;
            if column < row {
                factor[[row, column]] = rest / factor[[column, column]];
            } else if rest > 0.0 && rest.is_finite() {
                factor[[row, row]] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    // The transposed inverse, so that both factors of each sum are contiguous: the row j holds L⁻¹e_j.
    let mut transposed = Array2::<f64>::zeros((size, size));
    for column in 0..size {
        transposed[[column, column]] = 1.0 / factor[[column, column]];
        for row in column + 1..size {
            let known = factor.slice(s![row, column..row]).dot(&transposed.slice(s![column, column..row]));
            transposed[[column, row]] = -known / factor[[row, row]];
        }
    }
    Some(transposed.reversed_axes())
}
