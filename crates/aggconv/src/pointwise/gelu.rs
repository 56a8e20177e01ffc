//! The Gaussian error linear unit `x·Φ(x)`, where Φ is the distribution function of the normal distribution: the exact
//! one, not the approximation by a hyperbolic tangent.

use super::TASK_VALUES;
use crate::kernels::simd::vectorized;
use rayon::prelude::*;

/// Beyond this magnitude Φ is 0 or 1 in `f32`, and its exponential stays a normal number.
const LIMIT: f32 = 13.0;

/// The coefficients of a polynomial in `1/(1 + 0.4·t)`, the highest power first, that is `Φ(−t)·exp(t²/2)` for t from 0 to
/// [`LIMIT`], with a relative error of 7e-8. They were fitted by weighted least squares.
const TAIL: [f32; 9] = [
    -4.007_528_6e-2,
    2.026_483e-1,
    -3.773_976e-1,
    2.546_603e-1,
    -1.456_737_2e-2,
    1.592_017_7e-1,
    1.556_192_4e-1,
    1.599_234_6e-1,
    -1.290_534_5e-5,
];

/// The coefficients of `2^f` for |f| ≤ 1/2, the highest power first: `ln(2)ⁿ/n!`.
const POWER: [f32; 7] =
    [1.540_353e-4, 1.333_355_8e-3, 9.618_129e-3, 5.550_411e-2, 2.402_265e-1, std::f32::consts::LN_2, 1.0];

/// `1/√(2π)`, the density of the normal distribution at 0.
const DENSITY: f32 = 0.398_942_3;

#[inline(always)]
fn polynomial<const N: usize>(coefficients: [f32; N], x: f32) -> f32 {
    let mut value = coefficients[0];
    for &c in &coefficients[1..] {
        value = value * x + c;
    }
    value
}

/// Φ(x), and `exp(−x²/2)`. The absolute error is about 1e-7. It has no branches, so that loops over it are vectorized.
#[inline(always)]
fn distribution(x: f32) -> (f32, f32) {
    /// Adding and subtracting it rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    let t = x.abs().min(LIMIT);
    let power = t * t * (-0.5 * std::f32::consts::LOG2_E);
    let whole = (power + ROUND) - ROUND;
    let scale = f32::from_bits(((whole as i32 + 127) << 23) as u32);
    let exponential = polynomial(POWER, power - whole) * scale;
    let tail = exponential * polynomial(TAIL, 1.0 / (1.0 + 0.4 * t));
    (if x > 0.0 { 1.0 - tail } else { tail }, exponential)
}

/// Writes `x·Φ(x)` into `y`, which is overwritten.
///
/// # Panics
/// If the lengths differ: the callers check them.
pub fn gelu(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    y.par_chunks_mut(TASK_VALUES).zip(x.par_chunks(TASK_VALUES)).for_each(|(y, x)| {
        vectorized(
            #[inline(always)]
            || y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * distribution(x).0),
        );
    });
}

/// Computes the gradient of the input of [`gelu`] from that of the output: writes `dy·(Φ(x) + x·φ(x))` into `dx`, which is
/// overwritten; φ is the density of the normal distribution.
///
/// # Panics
/// If the lengths differ.
pub fn gelu_backward(x: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert!(x.len() == dx.len() && dy.len() == dx.len());
    let chunks = (dx.par_chunks_mut(TASK_VALUES), x.par_chunks(TASK_VALUES), dy.par_chunks(TASK_VALUES));
    chunks.into_par_iter().for_each(|(dx, x, dy)| {
        vectorized(
            #[inline(always)]
            || {
                for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
                    let (cumulative, exponential) = distribution(x);
                    *dx = dy * (cumulative + x * (DENSITY * exponential));
                }
            },
        );
    });
}
