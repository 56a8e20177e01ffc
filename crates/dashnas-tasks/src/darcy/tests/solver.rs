//! The elliptic solver.

use crate::darcy::error::DarcyError;
use crate::darcy::generate::{A_HIGH, A_LOW};
use crate::darcy::grf::Grf;
use crate::darcy::grid::Grid;
use crate::darcy::solve::{Solution, Solver};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::PI;

fn solve(a: &[f64], f: &[f64], nodes: usize) -> Solution {
    Solver::new(a, nodes).unwrap().solve(f, 1e-10, 60).unwrap()
}

fn nodes(n: usize, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let at = |k: usize| k as f64 / (n - 1) as f64;
    (0..n * n).map(|p| f(at(p / n), at(p % n))).collect()
}

fn jumping(n: usize, seed: u64) -> Vec<f64> {
    let field = Grf::new(n).sample(&mut ChaCha8Rng::seed_from_u64(seed));
    field.into_iter().map(|v| if v >= 0.0 { A_HIGH } else { A_LOW }).collect()
}

/// u = sin(πx) sin(2πy) e^x, a = 2 + sin(3x + 2y), f = −∇·(a∇u) by hand.
fn manufactured(x: f64, y: f64) -> (f64, f64, f64) {
    let (sx, cx, e) = ((PI * x).sin(), (PI * x).cos(), x.exp());
    let (sy, cy) = ((2.0 * PI * y).sin(), (2.0 * PI * y).cos());
    let u = sx * sy * e;
    let (ux, uy) = ((PI * cx + sx) * e * sy, 2.0 * PI * sx * cy * e);
    let uxx = (2.0 * PI * cx + (1.0 - PI * PI) * sx) * e * sy;
    let uyy = -4.0 * PI * PI * u;
    let (a, slope) = (2.0 + (3.0 * x + 2.0 * y).sin(), (3.0 * x + 2.0 * y).cos());
    (u, a, -(a * (uxx + uyy) + 3.0 * slope * ux + 2.0 * slope * uy))
}

#[test]
fn the_error_is_of_second_order() {
    let error = |n: usize| {
        let found = solve(&nodes(n, |x, y| manufactured(x, y).1), &nodes(n, |x, y| manufactured(x, y).2), n);
        let exact = nodes(n, |x, y| manufactured(x, y).0);
        found.u.iter().zip(&exact).fold(0f64, |m, (a, b)| m.max((a - b).abs()))
    };
    let errors = [17, 33, 65, 129].map(error);
    assert!(errors[3] < 1e-3, "{errors:?}");
    for pair in errors.windows(2) {
        let ratio = pair[0] / pair[1];
        assert!((3.8..4.2).contains(&ratio), "{errors:?}: ratio {ratio}");
    }
}

/// The matrix written out from the equation, solved by elimination.
fn direct(a: &[f64], f: &[f64], n: usize) -> Vec<f64> {
    let unknown = |r: usize, c: usize| (r - 1) * (n - 2) + c - 1;
    let size = (n - 2) * (n - 2);
    let h2 = 1.0 / ((n - 1) * (n - 1)) as f64;
    let mut rows = vec![vec![0.0; size + 1]; size];
    for r in 1..n - 1 {
        for c in 1..n - 1 {
            let here = unknown(r, c);
            rows[here][size] = f[r * n + c];
            for (nr, nc) in [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)] {
                let face = (a[r * n + c] + a[nr * n + nc]) / 2.0 / h2;
                rows[here][here] += face;
                if (1..n - 1).contains(&nr) && (1..n - 1).contains(&nc) {
                    rows[here][unknown(nr, nc)] -= face;
                }
            }
        }
    }
    // Diagonally dominant: no pivoting needed.
    for k in 0..size {
        let (above, below) = rows.split_at_mut(k + 1);
        let pivot = &above[k];
        for row in below {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(pivot).skip(k).for_each(|(v, p)| *v -= factor * p);
        }
    }
    let mut x = vec![0.0; size];
    for i in (0..size).rev() {
        let rest: f64 = (i + 1..size).map(|j| rows[i][j] * x[j]).sum();
        x[i] = (rows[i][size] - rest) / rows[i][i];
    }
    let inside = |k: usize| (1..n - 1).contains(&k);
    let value = |p: usize| if inside(p / n) && inside(p % n) { x[unknown(p / n, p % n)] } else { 0.0 };
    (0..n * n).map(value).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_direct_solver_agrees(n in 3usize..15, contrast in 1f64..1000.0, seed in any::<u64>()) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let a: Vec<f64> = (0..n * n).map(|_| if rng.random_bool(0.5) { 1.0 } else { contrast }).collect();
        let f: Vec<f64> = (0..n * n).map(|_| rng.random_range(-1.0..1.0)).collect();
        let (found, exact) = (solve(&a, &f, n).u, direct(&a, &f, n));
        let size = exact.iter().fold(0f64, |m, v| m.max(v.abs()));
        for (x, y) in found.iter().zip(&exact) {
            prop_assert!((x - y).abs() <= 1e-7 * size, "{} {}", x, y);
        }
    }

    #[test]
    fn the_cycle_is_symmetric_and_positive(n in 3usize..40, seed in any::<u64>()) {
        let solver = Solver::new(&jumping(n, seed), n).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let inside = |k: usize| (1..n - 1).contains(&k);
        let mut vector = || -> Vec<f64> {
            let value = |p: usize| if inside(p / n) && inside(p % n) { rng.random_range(-1.0..1.0) } else { 0.0 };
            (0..n * n).map(value).collect()
        };
        let (x, y) = (vector(), vector());
        let (bx, by) = (solver.apply_cycle(&x), solver.apply_cycle(&y));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (left, right, size) = (dot(&y, &bx), dot(&x, &by), (dot(&x, &bx) * dot(&y, &by)).sqrt());
        prop_assert!((left - right).abs() <= 1e-12 * size, "{} {}", left, right);
        prop_assert!(dot(&x, &bx) > 0.0);
    }

    #[test]
    fn coarse_grids_keep_the_flow_of_linear_fields(m in 3usize..40) {
        // A constant coefficient coarsens to itself wherever all intervals are whole.
        let fine = Grid::from_nodes(&vec![2.0; (m + 1) * (m + 1)], m);
        let coarse = fine.coarser().unwrap();
        let w = coarse.m + 1;
        let u: Vec<f64> = (0..w * w).map(|p| (p / w * 3 + p % w) as f64).collect();
        let mut flow = vec![0.0; w * w];
        coarse.apply(&u, &mut flow);
        for r in 1..coarse.m - 1 {
            for c in 1..coarse.m - 1 {
                prop_assert!(flow[r * w + c].abs() < 1e-9, "({}, {}): {}", r, c, flow[r * w + c]);
            }
        }
    }
}

#[test]
fn a_symmetric_problem_has_a_symmetric_solution() {
    let n = 43;
    // Symmetric under the exchange of axes and under reflection.
    let a = nodes(n, |x, y| if (x - 0.5).abs().max((y - 0.5).abs()) < 0.3 { 12.0 } else { 3.0 });
    let u = solve(&a, &vec![1.0; n * n], n).u;
    let top = u.iter().fold(0f64, |m, v| m.max(*v));
    for r in 0..n {
        for c in 0..n {
            assert!((u[r * n + c] - u[c * n + r]).abs() < 1e-9 * top);
            assert!((u[r * n + c] - u[(n - 1 - r) * n + c]).abs() < 1e-9 * top);
        }
    }
    assert!(
        u.iter().enumerate().all(|(p, &v)| v > 0.0 || [0, n - 1].contains(&(p / n)) || [0, n - 1].contains(&(p % n)))
    );
}

#[test]
fn iterations_hardly_depend_on_the_grid() {
    // Even, odd, prime and paper-like numbers of intervals.
    for n in [3, 4, 6, 12, 30, 54, 57, 85, 113, 128, 129, 212] {
        let solver = Solver::new(&jumping(n, 1), n).unwrap();
        let solution = solver.solve(&vec![1.0; n * n], 1e-8, 100).unwrap();
        assert!(solution.residual <= 1e-8);
        assert!(solution.iterations <= 16, "{n} nodes: {} iterations", solution.iterations);
    }
}

#[test]
fn bad_input_is_refused() {
    assert!(matches!(Solver::new(&[1.0; 4], 2), Err(DarcyError::Grid { nodes: 2, values: 4 })));
    assert!(matches!(Solver::new(&[1.0; 10], 3), Err(DarcyError::Grid { .. })));
    let mut a = vec![1.0; 9];
    a[5] = -1.0;
    let error = Solver::new(&a, 3).unwrap_err();
    assert_eq!(error.to_string(), "the coefficient at node (1, 2) is -1, but it must be positive and finite");
    let solver = Solver::new(&jumping(30, 0), 30).unwrap();
    assert!(matches!(solver.solve(&[1.0; 3], 1e-8, 10), Err(DarcyError::Grid { .. })));
    assert!(matches!(solver.solve(&[1.0; 900], 1e-30, 2), Err(DarcyError::NotConverged { iterations: 2, .. })));
    assert_eq!(solver.solve(&[0.0; 900], 1e-8, 2).unwrap().iterations, 0);
}
