//! The implementation for Flex by this module's kernels, in `f32`.

use super::ext::{NormContext, NormGrads, NormOps};
use super::{Affine, AffineGradients, InputGradient, NormShape, Statistics, StatisticsMut};
use crate::flex::{Contiguous, pooled, tensor};
use crate::kernels::scratch::Scratch;
use burn::backend::{Flex, tensor::FloatTensor};

fn shape_of(x: &Contiguous) -> NormShape {
    let dims: &[usize] = x.shape();
    NormShape { batch: dims[0], channels: dims[1], plane: dims[2..].iter().product() }
}

impl NormOps for Flex {
    fn norm_act_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [x, gamma, beta] = [x, gamma, beta].map(Contiguous::new);
        let shape = shape_of(&x);
        let affine = Affine { gamma: gamma.as_slice(), beta: beta.as_slice(), epsilon, relu };
        let mut y = Scratch::take_long_lived(shape.len());
        let [mut mean, mut variance] = [shape.channels; 2].map(|n| vec![0.0; n]);
        super::train(shape, x.as_slice(), affine, &mut y, StatisticsMut { mean: &mut mean, variance: &mut variance });
        let per_channel = [shape.channels];
        (pooled(y, x.shape().clone()), tensor(mean, per_channel), tensor(variance, per_channel))
    }

    fn norm_act(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> FloatTensor<Self> {
        let [x, gamma, beta, mean, variance] = [x, gamma, beta, mean, variance].map(Contiguous::new);
        let shape = shape_of(&x);
        let affine = Affine { gamma: gamma.as_slice(), beta: beta.as_slice(), epsilon, relu };
        let statistics = Statistics { mean: mean.as_slice(), variance: variance.as_slice() };
        let mut y = Scratch::take_long_lived(shape.len());
        super::evaluate(shape, x.as_slice(), affine, statistics, &mut y);
        pooled(y, x.shape().clone())
    }
}

impl NormGrads for Flex {
    fn norm_act_train_backward(
        context: NormContext<FloatTensor<Self>>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3] {
        let NormContext { x, gamma, beta, mean, variance, epsilon, relu } = context;
        let [x, gamma, beta, mean, variance] = [x, gamma, beta, mean, variance].map(Contiguous::new);
        let mut dy = Contiguous::new(dy);
        let shape = shape_of(&x);
        let affine = Affine { gamma: gamma.as_slice(), beta: beta.as_slice(), epsilon, relu };
        let statistics = Statistics { mean: mean.as_slice(), variance: variance.as_slice() };
        let [mut d_gamma, mut d_beta] = [shape.channels; 2].map(|n| vec![0.0; n]);
        let out = AffineGradients { gamma: &mut d_gamma, beta: &mut d_beta };
        let dx = match dy.exclusive_mut() {
            // Nothing else owns this gradient, so the gradient of the input overwrites it.
            Some(gradient) => {
                super::backward(shape, x.as_slice(), affine, statistics, InputGradient::InPlace(gradient), out);
                dy.0
            }
            None => {
                let mut dx = Scratch::take_long_lived(shape.len());
                let input = InputGradient::Separate { dy: dy.as_slice(), dx: &mut dx };
                super::backward(shape, x.as_slice(), affine, statistics, input, out);
                pooled(dx, x.shape().clone())
            }
        };
        let per_channel = [shape.channels];
        [dx, tensor(d_gamma, per_channel), tensor(d_beta, per_channel)]
    }
}
