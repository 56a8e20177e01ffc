//! The random field.

use crate::darcy::grf::{Grf, coefficient_std};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::PI;

fn draw(nodes: usize, seed: u64) -> Vec<f64> {
    Grf::new(nodes).sample(&mut ChaCha8Rng::seed_from_u64(seed))
}

#[test]
fn the_transform_is_the_cosine_sum() {
    for n in [2, 3, 8, 9, 16, 29] {
        let coefficients: Vec<f64> = (0..n * n).map(|p| ((p * 37 % 101) as f64 - 50.0) / 10.0).collect();
        let mut fast = coefficients.clone();
        Grf::new(n).synthesize(&mut fast);
        for (p, value) in fast.iter().enumerate() {
            let (x, y) = ((p / n) as f64 / (n - 1) as f64, (p % n) as f64 / (n - 1) as f64);
            let cosine = |k: usize, t: f64| (PI * k as f64 * t).cos();
            let terms = coefficients.iter().enumerate().map(|(q, c)| c * cosine(q / n, x) * cosine(q % n, y));
            let slow: f64 = terms.sum();
            assert!((value - slow).abs() < 1e-9, "n = {n}, node {p}: {value} against {slow}");
        }
    }
}

#[test]
fn coefficients_have_the_covariance_of_the_paper() {
    // (−Δ + 9)^(−2) on cos(πix)cos(πjy) is (π²(i² + j²) + 9)^(−2).
    assert_eq!(coefficient_std(0, 0), 0.0);
    assert!((coefficient_std(1, 0) - 1.0 / (PI * PI + 9.0)).abs() < 1e-15);
    assert!((coefficient_std(3, 4) - 1.0 / (25.0 * PI * PI + 9.0)).abs() < 1e-15);
}

#[test]
fn the_variance_at_each_point_is_the_exact_sum() {
    let (n, draws) = (17, 4000);
    let grf = Grf::new(n);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut sum, mut square) = (vec![0.0; n * n], vec![0.0; n * n]);
    for _ in 0..draws {
        for (p, v) in grf.sample(&mut rng).into_iter().enumerate() {
            sum[p] += v;
            square[p] += v * v;
        }
    }
    for p in 0..n * n {
        let (x, y) = ((p / n) as f64 / (n - 1) as f64, (p % n) as f64 / (n - 1) as f64);
        let term = |k: usize, t: f64| if k == 0 { 1.0 } else { 2.0 * (PI * k as f64 * t).cos().powi(2) };
        let exact: f64 =
            (0..n * n).map(|q| coefficient_std(q / n, q % n).powi(2) * term(q / n, x) * term(q % n, y)).sum();
        // A sample variance of Gaussian numbers has relative deviation √(2/draws) = 0.022; five of them.
        let ratio = square[p] / draws as f64 / exact;
        assert!((ratio - 1.0).abs() < 0.112, "node {p}: ratio {ratio}");
        let z = sum[p] / draws as f64 / (exact / draws as f64).sqrt();
        assert!(z.abs() < 5.0, "node {p}: mean {z} deviations from 0");
    }
}

#[test]
fn the_mean_over_the_square_and_the_derivative_across_the_boundary_are_zero() {
    let n = 129;
    let field = draw(n, 3);
    let scale = field.iter().fold(0f64, |m, v| m.max(v.abs()));
    // The trapezoidal rule integrates every cosine of the grid but the last exactly.
    let weight = |k: usize| if k == 0 || k == n - 1 { 0.5 } else { 1.0 };
    let sum: f64 = field.iter().enumerate().map(|(p, v)| v * weight(p / n) * weight(p % n)).sum();
    assert!((sum / (n * n) as f64).abs() < 1e-12 * scale.max(1.0), "mean {sum}");
    // With zero derivative, the first difference at the boundary is of second order: on smooth
    // fields it is a half of h times the curvature, while inside it is the slope.
    let smooth = {
        let mut c = vec![0.0; n * n];
        for i in 0..6 {
            for j in 0..6 {
                c[i * n + j] = coefficient_std(i, j) * ((i * 7 + j * 3) % 5) as f64;
            }
        }
        Grf::new(n).synthesize(&mut c);
        c
    };
    let h = 1.0 / (n - 1) as f64;
    // One-sided second-order difference at x = 0 and x = 1; |u'''| ≤ Σ|c|(5π)³.
    let bound: f64 = (0..36).map(|q| coefficient_std(q / 6, q % 6) * 4.0).sum::<f64>() * (5.0 * PI).powi(3) * h * h;
    for k in 0..n {
        let at = |r: usize| smooth[r * n + k];
        let first = (-3.0 * at(0) + 4.0 * at(1) - at(2)) / (2.0 * h);
        let last = (3.0 * at(n - 1) - 4.0 * at(n - 2) + at(n - 3)) / (2.0 * h);
        assert!(first.abs() < bound && last.abs() < bound, "{first} {last} {bound}");
    }
}

#[test]
fn one_seed_is_one_field_at_every_resolution() {
    let (coarse, fine) = (draw(33, 8), draw(65, 8));
    let differences = (0..33 * 33).map(|p| coarse[p] - fine[(p / 33) * 2 * 65 + (p % 33) * 2]);
    let rms = (differences.map(|d| d * d).sum::<f64>() / 1089.0).sqrt();
    let size = (coarse.iter().map(|v| v * v).sum::<f64>() / 1089.0).sqrt();
    // The frequencies from 33 to 64 hold about 5e-4 of the variance, 0.022 of the deviation.
    assert!(rms < 0.03 * size, "{rms} of {size}");
}
