//! Solves `−∇·(a∇u) = f` on the unit square with `u = 0` on its boundary.
//!
//! Second-order finite differences, and conjugate gradients preconditioned by one multigrid
//! V-cycle. The cycle smooths by red–black Gauss–Seidel, red first on the way down and black first
//! on the way up, and restricts by the adjoint of its interpolation: it is a symmetric positive
//! definite operator, as conjugate gradients require. The number of iterations hardly depends on
//! the grid.

use crate::darcy::error::DarcyError;
use crate::darcy::grid::Grid;

/// A solver for one coefficient field.
#[derive(Debug, Clone)]
pub struct Solver {
    /// The grids, the finest first.
    levels: Vec<Grid>,
}

/// A solution, with the number of iterations and the residual.
#[derive(Debug, Clone)]
pub struct Solution {
    /// `u` at the nodes, row-major, boundary included.
    pub u: Vec<f64>,
    /// Iterations of conjugate gradients.
    pub iterations: usize,
    /// `‖f − Au‖₂ / ‖f‖₂` over the interior nodes.
    pub residual: f64,
}

/// Scratch arrays of one level of the cycle.
struct Scratch {
    u: Vec<f64>,
    f: Vec<f64>,
    r: Vec<f64>,
}

impl Solver {
    /// Prepares a solver for the coefficient `a`, given at `nodes` × `nodes` points, boundary included,
    /// row-major.
    ///
    /// # Errors
    /// [`DarcyError::Grid`] for fewer than 3 nodes a side or another number of values than
    /// `nodes²`, [`DarcyError::Coefficient`] unless all values are positive and finite.
    pub fn new(a: &[f64], nodes: usize) -> Result<Self, DarcyError> {
        if nodes < 3 || a.len() != nodes * nodes {
            return Err(DarcyError::Grid { nodes, values: a.len() });
        }
        if let Some(at) = a.iter().position(|v| !(v.is_finite() && *v > 0.0)) {
            return Err(DarcyError::Coefficient { row: at / nodes, column: at % nodes, value: a[at] });
        }
        let mut levels = vec![Grid::from_nodes(a, nodes - 1)];
        while let Some(next) = levels.last().and_then(Grid::coarser) {
            levels.push(next);
        }
        Ok(Self { levels })
    }

    /// Solves for the source `f`, given at the nodes (its boundary values do not matter), until the
    /// residual is at most `tolerance` relative to `f`.
    ///
    /// # Errors
    /// [`DarcyError::Grid`] if `f` is not as large as the grid, [`DarcyError::NotConverged`] if
    /// `max_iterations` do not suffice.
    pub fn solve(&self, f: &[f64], tolerance: f64, max_iterations: usize) -> Result<Solution, DarcyError> {
        let fine = &self.levels[0];
        let (m, w) = (fine.m, fine.m + 1);
        if f.len() != w * w {
            return Err(DarcyError::Grid { nodes: w, values: f.len() });
        }
        let h2 = 1.0 / (m * m) as f64;
        let mut r = vec![0.0; w * w];
        for row in 1..m {
            for p in row * w + 1..row * w + m {
                r[p] = f[p] * h2;
            }
        }
        let norm = dot(&r, &r).sqrt();
        let mut u = vec![0.0; w * w];
        if norm == 0.0 {
            return Ok(Solution { u, iterations: 0, residual: 0.0 });
        }
        let mut scratch: Vec<Scratch> = self.levels.iter().map(Scratch::new).collect();
        let (mut z, mut ap) = (vec![0.0; w * w], vec![0.0; w * w]);
        self.precondition(&r, &mut z, &mut scratch);
        let mut p = z.clone();
        let mut rz = dot(&r, &z);
        let mut residual = 1.0;
        for iterations in 1..=max_iterations {
            fine.apply(&p, &mut ap);
            let step = rz / dot(&p, &ap);
            axpy(&mut u, step, &p);
            axpy(&mut r, -step, &ap);
            residual = dot(&r, &r).sqrt() / norm;
            if residual <= tolerance {
                return Ok(Solution { u, iterations, residual });
            }
            self.precondition(&r, &mut z, &mut scratch);
            let next = dot(&r, &z);
            let ratio = next / rz;
            rz = next;
            p.iter_mut().zip(&z).for_each(|(p, z)| *p = z + ratio * *p);
        }
        Err(DarcyError::NotConverged { iterations: max_iterations, residual })
    }

    /// `z = B r`, one V-cycle from zero.
    #[cfg(test)]
    pub(super) fn apply_cycle(&self, r: &[f64]) -> Vec<f64> {
        let mut scratch: Vec<Scratch> = self.levels.iter().map(Scratch::new).collect();
        let mut z = vec![0.0; r.len()];
        self.precondition(r, &mut z, &mut scratch);
        z
    }

    fn precondition(&self, r: &[f64], z: &mut [f64], scratch: &mut [Scratch]) {
        scratch[0].f.copy_from_slice(r);
        cycle(&self.levels, scratch);
        z.copy_from_slice(&scratch[0].u);
    }
}

impl Scratch {
    fn new(grid: &Grid) -> Self {
        let zeros = || vec![0.0; (grid.m + 1) * (grid.m + 1)];
        Self { u: zeros(), f: zeros(), r: zeros() }
    }
}

/// `scratch[0].u` from `scratch[0].f`; the same on every level below.
fn cycle(levels: &[Grid], scratch: &mut [Scratch]) {
    let ([grid, ..], [here, below @ ..]) = (levels, scratch) else { return };
    here.u.fill(0.0);
    grid.smooth(&mut here.u, &here.f, 0);
    let Some(next) = below.first_mut() else {
        // The only unknown has the color of the last pass, which has solved for it exactly.
        return;
    };
    grid.smooth(&mut here.u, &here.f, 1);
    grid.residual(&here.u, &here.f, &mut here.r);
    grid.restrict(&mut here.r, &mut next.f);
    cycle(&levels[1..], below);
    grid.add_interpolated(&below[0].u, &mut here.r, &mut here.u);
    grid.smooth(&mut here.u, &here.f, 1);
    grid.smooth(&mut here.u, &here.f, 0);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Eight partial sums in a fixed order, which the compiler can keep in vector registers.
    let mut sums = [0.0; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (x, y) in a8.iter().zip(b8) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

fn axpy(y: &mut [f64], a: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}
