//! Reduction of a symmetric matrix to a block tridiagonal one by Householder reflections.
//!
//! `A = Q·B·Qᵀ` with an orthogonal `Q` and blocks of a few dozen rows on and beside the diagonal of `B`. The leave-one-out
//! errors need the diagonal of `(A + αI)⁻¹` for several α. With `B`, each α costs only a factorization of its few blocks
//! and one substitution for each row of `Q`, so that the reduction, which does not depend on α, is nearly the whole cost.
//! It takes 8/3·m³ multiplications and additions for `m` rows, `Q` included, nearly all in products of matrices. A Cholesky
//! factorization and the diagonal of the inverse would take 2/3·m³ for each α, and an eigendecomposition would take more
//! than the reduction, half of its own reduction in products with vectors, which memory limits.

use crate::ridge::symmetric::{STRIP, add_products, multiply, multiply_into, multiply_symmetric};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;

/// The number of rows of a block; strips consist of whole blocks.
const BLOCK: usize = 48;
const _: () = assert!(STRIP.is_multiple_of(BLOCK));

/// A block tridiagonal matrix with the basis in which it equals the original one.
#[derive(Debug)]
pub(crate) struct Reduction {
    /// The blocks on the diagonal.
    diagonal: Vec<Array2<f64>>,
    /// The blocks below the diagonal: the first is that of the second row of blocks.
    below: Vec<Array2<f64>>,
    basis: Array2<f64>,
}

/// The reflections of a block of columns: `Q = I − V·T·Vᵀ` with a unit lower trapezoidal `V` (rows × block) and an upper
/// triangular `T`, from the row `first` on.
struct Reflections {
    first: usize,
    vectors: Array2<f64>,
    triangle: Array2<f64>,
}

impl Reduction {
    /// Reduces a symmetric matrix of which the strips up to the diagonal are given.
    pub fn of(mut matrix: Array2<f64>) -> Self {
        let size = matrix.nrows();
        let (mut diagonal, mut below, mut reflections) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        while start + BLOCK < size {
            let first = start + BLOCK;
            diagonal.push(matrix.slice(s![start..first, start..first]).to_owned());
            let panel = matrix.slice(s![first.., start..first]);
            if size - first <= BLOCK {
                below.push(panel.to_owned());
            } else {
                let (reflection, upper) = triangularize(panel, first);
                below.push(upper);
                apply_on_both_sides(&mut matrix, &reflection);
                reflections.push(reflection);
            }
            start = first;
        }
        diagonal.push(matrix.slice(s![start.., start..]).to_owned());
        drop(matrix);
        Self { diagonal, below, basis: basis(size, &reflections) }
    }

    /// Returns the blocks on the diagonal and below it.
    pub fn blocks(&self) -> (&[Array2<f64>], &[Array2<f64>]) {
        (&self.diagonal, &self.below)
    }

    /// Returns `Q`.
    pub fn basis(&self) -> ArrayView2<'_, f64> {
        self.basis.view()
    }
}

/// Returns reflections whose product, transposed, makes a panel upper triangular, and the triangle. The panel has more
/// rows than columns.
fn triangularize(panel: ArrayView2<'_, f64>, first: usize) -> (Reflections, Array2<f64>) {
    let (rows, count) = panel.dim();
    // One column of the panel in each row, so that columns are contiguous.
    let mut work = Array2::zeros((count, rows));
    work.assign(&panel.t());
    let mut scales: Vec<f64> = Vec::with_capacity(count);
    for at in 0..count {
        let mut column = work.slice_mut(s![at, at..]);
        let (head, tail) = (column[0], column.slice(s![1..]).dot(&column.slice(s![1..])).sqrt());
        if tail == 0.0 {
            // The column is triangular already; the reflection is the identity.
            scales.push(0.0);
            continue;
        }
        let length = -head.hypot(tail).copysign(head);
        let scale = (length - head) / length;
        scales.push(scale);
        column.slice_mut(s![1..]).mapv_inplace(|value| value / (head - length));
        column[0] = length;
        let vector: Array1<f64> = std::iter::once(1.0).chain(column.iter().skip(1).copied()).collect();
        let rest: Vec<_> = work.axis_iter_mut(Axis(0)).skip(at + 1).collect();
        rest.into_par_iter().for_each(|mut other| {
            let mut other = other.slice_mut(s![at..]);
            let factor = scale * other.dot(&vector);
            other.scaled_add(-factor, &vector);
        });
    }
    let upper =
        Array2::from_shape_fn((count, count), |(row, column)| if row <= column { work[[column, row]] } else { 0.0 });
    for at in 0..count {
        work.slice_mut(s![at, ..at]).fill(0.0);
        work[[at, at]] = 1.0;
    }
    let products = multiply(work.view(), work.t());
    let mut triangle = Array2::<f64>::zeros((count, count));
    for at in 0..count {
        for row in 0..at {
            let sum: f64 = (row..at).map(|k| triangle[[row, k]] * products[[k, at]]).sum();
            triangle[[row, at]] = -scales[at] * sum;
        }
        triangle[[at, at]] = scales[at];
    }
    let mut vectors = Array2::zeros((rows, count));
    vectors.assign(&work.t());
    (Reflections { first, vectors, triangle }, upper)
}

/// Replaces `A` by `QᵀAQ` from the first row of the reflections on.
fn apply_on_both_sides(matrix: &mut Array2<f64>, reflections: &Reflections) {
    let Reflections { first, vectors, triangle } = reflections;
    // With Y = A·V·T and W = Y − ½·V·Tᵀ·VᵀY, the result is A − V·Wᵀ − W·Vᵀ.
    let scaled = multiply(vectors.view(), triangle.view());
    let mut change = multiply_symmetric(matrix, *first, scaled.view());
    let inner = triangle.t().dot(&vectors.t().dot(&change));
    multiply_into(-0.5, vectors.view(), inner.view(), 1.0, change.view_mut());
    let left = side_by_side(vectors, &change);
    let right = side_by_side(&change, vectors);
    add_products(matrix, *first, -1.0, left.view(), right.view());
}

/// Returns two matrices beside each other.
fn side_by_side(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    concatenate(Axis(1), &[a.view(), b.view()]).expect("the matrices have the same number of rows")
}

/// Multiplies all reflections together, from the last one on, since each changes only the rows and columns from its first
/// row on.
fn basis(size: usize, reflections: &[Reflections]) -> Array2<f64> {
    let mut basis = Array2::eye(size);
    for Reflections { first, vectors, triangle } in reflections.iter().rev() {
        let scaled = multiply(vectors.view(), triangle.view());
        let mut part = basis.slice_mut(s![*first.., *first..]);
        let chunks: Vec<_> = part.axis_chunks_iter_mut(Axis(1), STRIP).collect();
        chunks.into_par_iter().for_each(|chunk| {
            let inner = vectors.t().dot(&chunk);
            multiply_into(-1.0, scaled.view(), inner.view(), 1.0, chunk);
        });
    }
    basis
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::Seed;
    use dashnas_core::rng::normal;

    #[test]
    fn the_basis_is_orthogonal_and_gives_the_matrix_back() {
        for size in [1, 2, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 211, 3 * STRIP - 7] {
            let values = normal(size * size, 1.0, &mut Seed(5).stream("matrix", &[size as u64]));
            let half = Array2::from_shape_fn((size, size), |(row, column)| f64::from(values[row * size + column]));
            let matrix = &half + &half.t();
            let reduction = Reduction::of(matrix.clone());
            let mut blocks = Array2::<f64>::zeros((size, size));
            for (at, block) in reduction.diagonal.iter().enumerate() {
                let start = at * BLOCK;
                blocks.slice_mut(s![start..start + block.nrows(), start..start + block.nrows()]).assign(block);
            }
            for (at, block) in reduction.below.iter().enumerate() {
                let (row, column) = ((at + 1) * BLOCK, at * BLOCK);
                blocks.slice_mut(s![row..row + block.nrows(), column..column + BLOCK]).assign(block);
                blocks.slice_mut(s![column..column + BLOCK, row..row + block.nrows()]).assign(&block.t());
            }
            let basis = reduction.basis();
            let largest = |difference: Array2<f64>| difference.iter().fold(0.0f64, |most, value| most.max(value.abs()));
            // Rounding errors grow with the size at most; the entries of the matrix are of the order of 1.
            let tolerance = 1e-14 * (size + 10) as f64;
            assert!(largest(basis.dot(&basis.t()) - Array2::<f64>::eye(size)) < tolerance, "size {size}");
            assert!(largest(basis.dot(&blocks).dot(&basis.t()) - matrix) < 10.0 * tolerance, "size {size}");
        }
    }
}
