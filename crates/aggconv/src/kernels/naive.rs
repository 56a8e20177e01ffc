//! The definition of the convolution, written for clarity: the reference against which all fast algorithms are tested.
//! It is generic over the float type, so that its own gradients can be checked by finite differences in `f64`.

use crate::ConvGeometry;
use std::ops::{AddAssign, Mul};

/// The scalar types in which the definition can be computed.
pub trait Scalar: Copy + Default + AddAssign + Mul<Output = Self> {}
impl Scalar for f32 {}
impl Scalar for f64 {}

/// Calls `f(x index, w index, y index)` for every product of the convolution.
fn for_each_product(g: &ConvGeometry, mut f: impl FnMut(usize, usize, usize)) {
    let ([h, w], [oh, ow]) = (g.input, g.output());
    let (ci, co) = (g.c_in_per_group(), g.c_out_per_group());
    for n in 0..g.batch {
        for o in 0..g.c_out {
            for c in 0..ci {
                let channel = (o / co) * ci + c;
                for (t, &[dr, dc]) in g.taps.offsets().iter().enumerate() {
                    for r in 0..oh {
                        let row = (r * g.stride[0]) as i64 + i64::from(dr);
                        if row < 0 || row >= h as i64 {
                            continue;
                        }
                        for q in 0..ow {
                            let col = (q * g.stride[1]) as i64 + i64::from(dc);
                            if col < 0 || col >= w as i64 {
                                continue;
                            }
                            f(
                                ((n * g.c_in + channel) * h + row as usize) * w + col as usize,
                                (o * ci + c) * g.taps.len() + t,
                                ((n * g.c_out + o) * oh + r) * ow + q,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Computes `y = conv(x, w) + bias` by definition.
pub fn forward<T: Scalar>(g: &ConvGeometry, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let plane = g.output()[0] * g.output()[1];
    for (i, v) in y.iter_mut().enumerate() {
        *v = bias.map_or(T::default(), |b| b[(i / plane) % g.c_out]);
    }
    for_each_product(g, |xi, wi, yi| y[yi] += x[xi] * w[wi]);
}

/// Computes the gradients of [`forward`] by definition.
pub fn backward<T: Scalar>(
    g: &ConvGeometry,
    x: &[T],
    w: &[T],
    dy: &[T],
    dx: Option<&mut [T]>,
    dw: Option<&mut [T]>,
    db: Option<&mut [T]>,
) {
    if let Some(dx) = dx {
        dx.fill(T::default());
        for_each_product(g, |xi, wi, yi| dx[xi] += dy[yi] * w[wi]);
    }
    if let Some(dw) = dw {
        dw.fill(T::default());
        for_each_product(g, |xi, wi, yi| dw[wi] += dy[yi] * x[xi]);
    }
    if let Some(db) = db {
        db.fill(T::default());
        let plane = g.output()[0] * g.output()[1];
        for (i, &v) in dy.iter().enumerate() {
            db[(i / plane) % g.c_out] += v;
        }
    }
}
