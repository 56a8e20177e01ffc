//! The number of floating-point operations of a convolution, for comparing its speed with the peak of the machine.

use super::{Algorithm, fourier};
use crate::ConvGeometry;

/// Returns the number of floating-point operations of a forward pass by an algorithm; a multiply-add counts as two. A
/// backward pass to the input and the weights takes about twice as many.
///
/// For direct convolution, the products that touch the input are counted. For the Fourier path, the products over the
/// channels are counted (8 operations for each complex multiply-add, or 6 where it consists of three real products),
/// and `2.5·n·log₂ n` operations for each real transform.
pub fn arithmetic(algorithm: Algorithm, g: &ConvGeometry) -> f64 {
    let pairs = g.c_out as f64 * g.c_in_per_group() as f64;
    match algorithm {
        Algorithm::Fourier => {
            let [h, w] = fourier::sizes(g).transform;
            let (points, bins) = ((h * w) as f64, (h * (w / 2 + 1)) as f64);
            let planes = (g.batch * (g.c_in + g.c_out)) as f64 + pairs;
            fourier::operations(g) as f64 * bins * g.batch as f64 * pairs + planes * 2.5 * points * points.log2()
        }
        _ => {
            let out = g.output();
            let products: usize = g
                .taps
                .offsets()
                .iter()
                .map(|o| (0..2).map(|a| inside(g.input[a], out[a], g.stride[a], o[a])).product::<usize>())
                .sum();
            2.0 * g.batch as f64 * pairs * products as f64
        }
    }
}

/// The number of output positions on one axis whose tap at `offset` lies inside the input.
fn inside(n: usize, out: usize, stride: usize, offset: i32) -> usize {
    (0..out).filter(|p| (0..n as i64).contains(&((p * stride) as i64 + i64::from(offset)))).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TapSet;
    use std::sync::Arc;

    #[test]
    fn direct_arithmetic_counts_the_products_inside() {
        let taps = Arc::new(TapSet::lattice(3, 2, 1));
        let g = ConvGeometry { batch: 2, c_in: 4, c_out: 6, groups: 2, input: [1, 5], stride: [1, 1], taps };
        // The taps at −2, 0 and 2 of 5 positions give 3 + 5 + 3 products for each of 6·2 channel pairs.
        assert_eq!(arithmetic(Algorithm::Direct, &g), 2.0 * 2.0 * 12.0 * 11.0);
        let strided = ConvGeometry { stride: [1, 2], ..g };
        assert_eq!(arithmetic(Algorithm::Direct, &strided), 2.0 * 2.0 * 12.0 * 7.0, "positions 0, 2, 4");
    }
}
