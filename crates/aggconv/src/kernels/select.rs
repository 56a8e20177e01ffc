//! Which algorithm for which shape.

use super::{Algorithm, fourier};
use crate::ConvGeometry;

/// The algorithm to use for a geometry: the cheaper by a model of the machine's time.
pub fn select(g: &ConvGeometry) -> Algorithm {
    if direct_cost(g) <= fourier_cost(g) { Algorithm::Direct } else { Algorithm::Fourier }
}

/// Multiply-adds of the definition that touch the input.
fn products(g: &ConvGeometry) -> f64 {
    let [oh, ow] = g.output();
    let inside = |n: usize, out: usize, s: usize, o: i32| super::direct::overlap(n, out, s, o).len() as f64;
    let per_plane: f64 = g
        .taps
        .offsets()
        .iter()
        .map(|&[r, c]| inside(g.input[0], oh, g.stride[0], r) * inside(g.input[1], ow, g.stride[1], c))
        .sum();
    per_plane * (g.batch * g.c_out * g.c_in_per_group()) as f64
}

/// Vector operations of the direct path.
fn direct_cost(g: &ConvGeometry) -> f64 {
    // Short rows fill vectors badly.
    let row = g.output()[1] as f64;
    products(g) / 16.0 * 2.0 * (1.0 + 12.0 / row) * if g.stride[1] > 1 { 4.0 } else { 1.0 }
}

/// Vector operations of the Fourier path.
fn fourier_cost(g: &ConvGeometry) -> f64 {
    let taps = g.taps.reachable(g.input);
    let [nh, nw] = fourier::size(g, taps.radius());
    let points = (nh * nw) as f64 / 2.0;
    let planes = (g.batch * (g.c_in + g.c_out)) as f64;
    let transforms = planes * points * ((nh * nw) as f64).log2() * 6.0;
    let products = points * (g.batch * g.c_out * g.c_in_per_group()) as f64 * 4.0;
    let weights = (g.c_out * g.c_in_per_group()) as f64;
    let kernel = weights * (nw as f64 * taps.len() as f64 + points * (nh as f64).log2() * 6.0);
    (transforms + products + kernel) / 16.0 + 20_000.0
}
