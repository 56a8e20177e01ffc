//! Gaussian random fields on the unit square with zero normal derivative on its boundary.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rustdct::{Dct1, DctPlanner};
use std::f64::consts::PI;
use std::sync::Arc;

/// τ² in the covariance (−Δ + τ²)^(−2).
pub const TAU_SQUARED: f64 = 9.0;

/// Standard deviation of the coefficient of the normalized eigenfunction
/// `c_i c_j cos(π i x) cos(π j y)` (`c_0 = 1`, otherwise `√2`): the square root of its eigenvalue
/// under `(−Δ + 9)^(−2)`, `1 / (π²(i² + j²) + 9)`. The constant, `i = j = 0`, has none: as in the
/// generator that the Fourier Neural Operator's data came from, each field has mean zero over the
/// square, so that the two phases of a sample take up comparable shares of it.
pub fn coefficient_std(i: usize, j: usize) -> f64 {
    if (i, j) == (0, 0) {
        return 0.0;
    }
    1.0 / (PI * PI * (i * i + j * j) as f64 + TAU_SQUARED)
}

/// Draws from N(0, (−Δ + 9 I)^(−2)) at the nodes of an even grid, the boundary included.
///
/// The sum over all `nodes²` cosines that the grid can tell apart is computed by two passes of the
/// type I cosine transform, whose points are the nodes.
#[derive(Clone)]
pub struct Grf {
    nodes: usize,
    dct: Arc<dyn Dct1<f64>>,
}

impl Grf {
    /// A generator for `nodes` × `nodes` points, `nodes` ≥ 2.
    ///
    /// # Panics
    /// If there are fewer than 2 nodes.
    pub fn new(nodes: usize) -> Self {
        assert!(nodes >= 2, "a grid has at least its two boundaries");
        Self { nodes, dct: DctPlanner::new().plan_dct1(nodes) }
    }

    /// One field, row-major: entry `r · nodes + c` is its value at `(r, c) / (nodes − 1)`.
    ///
    /// Coefficients are drawn from coarse to fine (by the larger of `i` and `j`), so that one seed
    /// gives the same field at every resolution, up to the frequencies that a coarser grid lacks.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Vec<f64> {
        let n = self.nodes;
        let mut field = vec![0.0; n * n];
        let mut draw = |i: usize, j: usize| {
            let z: f64 = StandardNormal.sample(rng);
            field[i * n + j] = z * coefficient_std(i, j) * amplitude(i) * amplitude(j);
        };
        for shell in 0..n {
            (0..shell).for_each(|j| draw(shell, j));
            (0..=shell).for_each(|i| draw(i, shell));
        }
        self.synthesize(&mut field);
        field
    }

    /// Coefficients of `cos(π i x) cos(π j y)` to values at the nodes, in place.
    pub(super) fn synthesize(&self, field: &mut [f64]) {
        let n = self.nodes;
        let mut scratch = vec![0.0; self.dct.get_scratch_len()];
        for _ in 0..2 {
            for row in field.chunks_exact_mut(n) {
                // The transform counts the first and last terms by half.
                row[0] *= 2.0;
                row[n - 1] *= 2.0;
                self.dct.process_dct1_with_scratch(row, &mut scratch);
            }
            transpose(field, n);
        }
    }
}

fn amplitude(k: usize) -> f64 {
    if k == 0 { 1.0 } else { std::f64::consts::SQRT_2 }
}

fn transpose(square: &mut [f64], n: usize) {
    for r in 0..n {
        for c in 0..r {
            square.swap(r * n + c, c * n + r);
        }
    }
}
