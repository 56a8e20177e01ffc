//! The implementation for Flex by this module's kernels, in `f32`.

use super::ext::{PointwiseGrads, PointwiseOps};
use crate::flex::{Contiguous, pooled, tensor};
use crate::kernels::scratch::Scratch;
use crate::norm::NormShape;
use burn::backend::{Flex, tensor::FloatTensor};

fn shape_of(x: &Contiguous) -> NormShape {
    let dims: &[usize] = x.shape();
    NormShape { batch: dims[0], channels: dims[1], plane: dims[2..].iter().product() }
}

/// A tensor of the shape of x whose elements a function writes.
fn like(x: &Contiguous, write: impl FnOnce(&mut [f32])) -> FloatTensor<Flex> {
    let mut y = Scratch::take_long_lived(x.shape().num_elements());
    write(&mut y);
    pooled(y, x.shape().clone())
}

impl PointwiseOps for Flex {
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let x = Contiguous::new(x);
        like(&x, |y| super::gelu(x.as_slice(), y))
    }

    fn channel_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [x, gamma, beta] = [x, gamma, beta].map(Contiguous::new);
        let affine = [gamma.as_slice(), beta.as_slice()];
        like(&x, |y| super::layer_norm(shape_of(&x), x.as_slice(), affine, epsilon, y))
    }

    fn channel_scale(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self> {
        let [x, factor] = [x, factor].map(Contiguous::new);
        like(&x, |y| super::scale(shape_of(&x), x.as_slice(), factor.as_slice(), y))
    }
}

impl PointwiseGrads for Flex {
    fn exact_gelu_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        let [x, dy] = [x, dy].map(Contiguous::new);
        like(&x, |dx| super::gelu_backward(x.as_slice(), dy.as_slice(), dx))
    }

    fn channel_layer_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3] {
        let [x, gamma, dy] = [x, gamma, dy].map(Contiguous::new);
        let shape = shape_of(&x);
        let [mut d_gamma, mut d_beta] = [shape.channels; 2].map(|n| vec![0.0; n]);
        let dx = like(&x, |dx| {
            let values = [x.as_slice(), dy.as_slice()];
            super::layer_norm_backward(shape, values, gamma.as_slice(), epsilon, dx, [&mut d_gamma, &mut d_beta]);
        });
        [dx, tensor(d_gamma, [shape.channels]), tensor(d_beta, [shape.channels])]
    }

    fn channel_scale_backward(
        x: FloatTensor<Self>,
        factor: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 2] {
        let [x, factor, dy] = [x, factor, dy].map(Contiguous::new);
        let shape = shape_of(&x);
        let mut d_factor = vec![0.0; shape.channels];
        let dx = like(&x, |dx| {
            super::scale_backward(shape, [x.as_slice(), dy.as_slice()], factor.as_slice(), dx, &mut d_factor);
        });
        [dx, tensor(d_factor, [shape.channels])]
    }
}
