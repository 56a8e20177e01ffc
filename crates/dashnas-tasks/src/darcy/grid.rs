//! Five-point operators on the unit square and how they coarsen.
//!
//! A [`Grid`] is a network of conductances between the nodes of a square lattice of `m` intervals a
//! side; the unknowns are its interior nodes, and the boundary is held at 0. In this form, an edge
//! carries `g·(u_p − u_q)` and the equations are balances of these flows, so that coarsening is by
//! the rules for resistors: two fine edges in series make a coarse one, parallel rows add up. That
//! keeps the matrix symmetric with non-positive off-diagonal entries, follows jumps of the
//! coefficient, and needs no special case for odd `m`: the last coarse interval is then as long as
//! one fine interval instead of two.
//!
//! All arrays have `(m + 1)²` entries, node `(r, c)` at `r·(m + 1) + c`; boundary entries of
//! unknowns are 0.

/// One level of the multigrid hierarchy.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// Intervals on a side, at least 2.
    pub m: usize,
    /// Conductance from (r, c) to (r, c + 1).
    gx: Vec<f64>,
    /// Conductance from (r, c) to (r + 1, c).
    gy: Vec<f64>,
    /// Sum of the four conductances at each interior node, and its inverse.
    diagonal: Vec<f64>,
    inverse: Vec<f64>,
}

impl Grid {
    /// The operator −∇·(a∇·), times h², from `a` at the nodes. An edge has the mean of `a` at its
    /// ends: the arithmetic mean, as in the generator that the Fourier Neural Operator's data came
    /// from, so that the fields are of the same distribution. It is second-order accurate where
    /// `a` is smooth; the harmonic mean would differ along the jumps alone, by first order in h.
    pub fn from_nodes(a: &[f64], m: usize) -> Self {
        let w = m + 1;
        let (mut gx, mut gy) = (vec![0.0; w * w], vec![0.0; w * w]);
        for r in 0..w {
            for c in 0..w {
                let p = r * w + c;
                if c < m {
                    gx[p] = 0.5 * (a[p] + a[p + 1]);
                }
                if r < m {
                    gy[p] = 0.5 * (a[p] + a[p + w]);
                }
            }
        }
        Self::new(m, gx, gy)
    }

    fn new(m: usize, gx: Vec<f64>, gy: Vec<f64>) -> Self {
        let w = m + 1;
        let (mut diagonal, mut inverse) = (vec![0.0; w * w], vec![0.0; w * w]);
        for r in 1..m {
            for p in r * w + 1..r * w + m {
                diagonal[p] = gx[p - 1] + gx[p] + gy[p - w] + gy[p];
                inverse[p] = 1.0 / diagonal[p];
            }
        }
        Self { m, gx, gy, diagonal, inverse }
    }

    /// The grid of every other node, or `None` if there is only one unknown.
    pub fn coarser(&self) -> Option<Self> {
        if self.m <= 2 {
            return None;
        }
        let (m, w) = (self.m.div_ceil(2), self.m + 1);
        let wide = m + 1;
        // Conductance of the coarse edge that starts at fine position `p` and goes on by `step`:
        // one fine edge if the boundary comes next, two in series otherwise.
        let series = |g: &[f64], p: usize, step: usize, single: bool| {
            if single { g[p] } else { g[p] * g[p + step] / (g[p] + g[p + step]) }
        };
        let (mut gx, mut gy) = (vec![0.0; wide * wide], vec![0.0; wide * wide]);
        for line in 1..m {
            let at = 2 * line;
            for k in 0..m {
                let single = 2 * k + 1 == self.m;
                // A line and half of each of its neighbors inside the square.
                for (other, share) in [(at - 1, 0.5), (at, 1.0), (at + 1, 0.5)] {
                    if other < self.m {
                        gx[line * wide + k] += share * series(&self.gx, other * w + 2 * k, 1, single);
                        gy[k * wide + line] += share * series(&self.gy, 2 * k * w + other, w, single);
                    }
                }
            }
        }
        Some(Self::new(m, gx, gy))
    }

    /// `out = A u`.
    pub fn apply(&self, u: &[f64], out: &mut [f64]) {
        self.rows(out, |p, w, g| self.diagonal[p] * u[p] - neighbors(g, u, p, w));
    }

    /// `out = f − A u`.
    pub fn residual(&self, u: &[f64], f: &[f64], out: &mut [f64]) {
        self.rows(out, |p, w, g| f[p] - self.diagonal[p] * u[p] + neighbors(g, u, p, w));
    }

    fn rows(&self, out: &mut [f64], value: impl Fn(usize, usize, &Self) -> f64) {
        let w = self.m + 1;
        for r in 1..self.m {
            for (k, slot) in out[r * w + 1..r * w + self.m].iter_mut().enumerate() {
                *slot = value(r * w + 1 + k, w, self);
            }
        }
    }

    /// One Gauss–Seidel pass over the nodes with `(r + c) mod 2 = color`. Passes in the opposite
    /// order of colors are each other's adjoint.
    pub fn smooth(&self, u: &mut [f64], f: &[f64], color: usize) {
        let w = self.m + 1;
        for r in 1..self.m {
            let first = 1 + (r + 1 + color) % 2;
            for p in (r * w + first..r * w + self.m).step_by(2) {
                u[p] = (f[p] + neighbors(self, u, p, w)) * self.inverse[p];
            }
        }
    }

    /// Adds to `u` the interpolation of `coarse`, by way of `fine`, a scratch array of this grid.
    /// A node between two coarse ones gets their mean weighted by conductance, and a node amid
    /// four such nodes gets theirs.
    pub fn add_interpolated(&self, coarse: &[f64], fine: &mut [f64], u: &mut [f64]) {
        let (m, w, wide) = (self.m, self.m + 1, self.m.div_ceil(2) + 1);
        fine.fill(0.0);
        for r in (2..m).step_by(2) {
            for c in (2..m).step_by(2) {
                fine[r * w + c] = coarse[r / 2 * wide + c / 2];
            }
            for p in (r * w + 1..r * w + m).step_by(2) {
                fine[p] = (self.gx[p - 1] * fine[p - 1] + self.gx[p] * fine[p + 1]) / (self.gx[p - 1] + self.gx[p]);
            }
        }
        for r in (1..m).step_by(2) {
            for p in (r * w + 2..r * w + m).step_by(2) {
                fine[p] = (self.gy[p - w] * fine[p - w] + self.gy[p] * fine[p + w]) / (self.gy[p - w] + self.gy[p]);
            }
        }
        for r in (1..m).step_by(2) {
            for p in (r * w + 1..r * w + m).step_by(2) {
                fine[p] = neighbors(self, fine, p, w) * self.inverse[p];
            }
        }
        for r in 1..m {
            for p in r * w + 1..r * w + m {
                u[p] += fine[p];
            }
        }
    }

    /// The adjoint of the interpolation: gathers `fine`, which it overwrites, into `coarse`.
    pub fn restrict(&self, fine: &mut [f64], coarse: &mut [f64]) {
        let (m, w, wide) = (self.m, self.m + 1, self.m.div_ceil(2) + 1);
        for r in (1..m).step_by(2) {
            for p in (r * w + 1..r * w + m).step_by(2) {
                let v = fine[p] * self.inverse[p];
                fine[p - 1] += self.gx[p - 1] * v;
                fine[p + 1] += self.gx[p] * v;
                fine[p - w] += self.gy[p - w] * v;
                fine[p + w] += self.gy[p] * v;
            }
        }
        for r in (1..m).step_by(2) {
            for p in (r * w + 2..r * w + m).step_by(2) {
                let v = fine[p] / (self.gy[p - w] + self.gy[p]);
                fine[p - w] += self.gy[p - w] * v;
                fine[p + w] += self.gy[p] * v;
            }
        }
        coarse.fill(0.0);
        for r in (2..m).step_by(2) {
            for p in (r * w + 1..r * w + m).step_by(2) {
                let v = fine[p] / (self.gx[p - 1] + self.gx[p]);
                fine[p - 1] += self.gx[p - 1] * v;
                fine[p + 1] += self.gx[p] * v;
            }
            for c in (2..m).step_by(2) {
                coarse[r / 2 * wide + c / 2] = fine[r * w + c];
            }
        }
        // Values on the boundary are dropped, since those nodes are held at 0.
    }
}

/// Σ g·u over the four neighbors of node `p`.
#[inline(always)]
fn neighbors(grid: &Grid, u: &[f64], p: usize, w: usize) -> f64 {
    grid.gx[p - 1] * u[p - 1] + grid.gx[p] * u[p + 1] + grid.gy[p - w] * u[p - w] + grid.gy[p] * u[p + w]
}
