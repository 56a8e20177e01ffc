//! The paper's dense mixed kernel, with side `D̄ = max (k−1)·d + 1`, in Burn tensor operations.

use crate::{KernelSpace, TapSet};
use burn::tensor::ops::PadMode;
use burn::tensor::{Slice, Tensor};
use serde::{Deserialize, Serialize};

/// The way in which a kernel is dilated before the kernels are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dilation {
    /// Zeros are inserted between the taps.
    Zeropad,
    /// Technique 3 (Eq. 5): the Kronecker product with the d×d matrix whose upper left entry is 1 and whose other
    /// entries are 0.
    Kronecker,
}

/// Computes the dense kernel `Σ c_{k,d}·w'_{k,d}: [c_out, c_in / groups, D̄^dims]`, row-major, where w' is w dilated
/// and padded with zeros on all sides, or before it if it is causal, to D̄ on each axis (Eq. 3).
///
/// `w` holds the flat weights `[c_out, c_in / groups, T]`, and `c` is `[|K|·|D|]`. The result is differentiable in
/// both.
///
/// # Panics
/// If a shape does not fit the space: the callers check the shapes.
pub fn dense_kernel(w: Tensor<3>, c: Tensor<1>, space: &KernelSpace, dims: usize, dilation: Dilation) -> Tensor<3> {
    let [c_out, c_in, _] = w.dims();
    let side = space.support();
    let height = if dims == 2 { side } else { 1 };
    let mut sum: Option<Tensor<4>> = None;
    let mut start = 0;
    for (i, candidate) in space.candidates().iter().enumerate() {
        let (k, d) = (candidate.k, candidate.d);
        let [kh, dh] = if dims == 2 { [k, d] } else { [1, 1] };
        let taps = candidate.taps(dims);
        // The kernel is weighted before it is dilated: k taps are multiplied instead of the whole support.
        let kernel = (w.clone().narrow(2, start, taps) * c.clone().narrow(0, i, 1).reshape([1, 1, 1]))
            .reshape([c_out, c_in, kh, k]);
        start += taps;
        let field = [(kh - 1) * dh + 1, candidate.receptive_field()];
        // The zeros before and after the kernel: causal kernels end at the last position.
        let before = [(height - field[0]) / 2, if space.is_causal() { side - field[1] } else { (side - field[1]) / 2 }];
        let after = [height - field[0] - before[0], side - field[1] - before[1]];
        let padded = match dilation {
            Dilation::Zeropad => {
                let rows = Slice::with_step(before[0] as isize, Some((before[0] + field[0]) as isize), dh as isize);
                let cols = Slice::with_step(before[1] as isize, Some((before[1] + field[1]) as isize), d as isize);
                Tensor::zeros([c_out, c_in, height, side], (&kernel.device(), kernel.dtype()))
                    .slice_assign([Slice::full(), Slice::full(), rows, cols], kernel)
            }
            Dilation::Kronecker => kronecker(kernel, [dh, d])
                .narrow(2, 0, field[0])
                .narrow(3, 0, field[1])
                .pad([(before[0], after[0]), (before[1], after[1])], PadMode::Constant(0.0)),
        };
        sum = Some(match sum {
            Some(sum) => sum + padded,
            None => padded,
        });
    }
    // A space has at least one candidate.
    sum.expect("a kernel space is never empty").reshape([c_out, c_in, height * side])
}

/// Computes `w ⊗ P` on the last two axes: `[.., kh, kw]` becomes `[.., kh·dh, kw·dw]`, where P is the dh×dw matrix
/// whose upper left entry is 1 and whose other entries are 0 (Eq. 5).
fn kronecker(w: Tensor<4>, [dh, dw]: [usize; 2]) -> Tensor<4> {
    let [c_out, c_in, kh, kw] = w.dims();
    let mut p = vec![0.0f32; dh * dw];
    p[0] = 1.0;
    let options = (&w.device(), w.dtype());
    let p = Tensor::<1>::from_data(burn::tensor::TensorData::new(p, [dh * dw]), options);
    let w = w.reshape([c_out * c_in, kh, 1, kw, 1]);
    (w * p.reshape([1, 1, dh, 1, dw])).reshape([c_out, c_in, kh * dh, kw * dw])
}

/// The taps of [`dense_kernel`], in its order: every offset up to `(D̄−1)/2` on each axis, or of a causal space from
/// `−(D̄−1)` to 0.
pub fn dense_taps(space: &KernelSpace, dims: usize) -> TapSet {
    if space.is_causal() { TapSet::causal(space.support(), 1) } else { TapSet::lattice(space.support(), 1, dims) }
}
