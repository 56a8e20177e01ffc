//! Flex: this module's kernels, in `f32`.

use super::ext::{NormContext, NormGrads, NormOps};
use super::{Affine, AffineGradients, InputGradient, NormShape, Statistics, StatisticsMut};
use burn::backend::{Flex, tensor::FloatTensor};
use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{FlexTensor, Layout};

/// The tensor with its elements in row-major order and, if it had them for itself, still so.
fn contiguous(tensor: FlexTensor) -> FlexTensor {
    // Not borrowed any longer than this, so that the result may be the only owner.
    tensor.to_contiguous()
}

fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("made contiguous, and `ops` lets no type but f32 through")
}

fn tensor(data: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(data), Layout::contiguous(shape), DType::F32)
}

fn shape_of(x: &FlexTensor) -> NormShape {
    let dims: &[usize] = x.layout().shape();
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
        let [x, gamma, beta] = [x, gamma, beta].map(contiguous);
        let shape = shape_of(&x);
        let affine = Affine { gamma: slice(&gamma), beta: slice(&beta), epsilon, relu };
        let [mut y, mut mean, mut variance] = [shape.len(), shape.channels, shape.channels].map(|n| vec![0.0; n]);
        super::train(shape, slice(&x), affine, &mut y, StatisticsMut { mean: &mut mean, variance: &mut variance });
        let per_channel = [shape.channels];
        (tensor(y, x.layout().shape().clone()), tensor(mean, per_channel.into()), tensor(variance, per_channel.into()))
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
        let [x, gamma, beta, mean, variance] = [x, gamma, beta, mean, variance].map(contiguous);
        let shape = shape_of(&x);
        let affine = Affine { gamma: slice(&gamma), beta: slice(&beta), epsilon, relu };
        let statistics = Statistics { mean: slice(&mean), variance: slice(&variance) };
        let mut y = vec![0.0; shape.len()];
        super::evaluate(shape, slice(&x), affine, statistics, &mut y);
        tensor(y, x.layout().shape().clone())
    }
}

impl NormGrads for Flex {
    fn norm_act_train_backward(
        context: NormContext<FloatTensor<Self>>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3] {
        let NormContext { x, gamma, beta, mean, variance, epsilon, relu } = context;
        let [x, gamma, beta, mean, variance] = [x, gamma, beta, mean, variance].map(contiguous);
        let mut dy = contiguous(dy);
        let shape = shape_of(&x);
        let affine = Affine { gamma: slice(&gamma), beta: slice(&beta), epsilon, relu };
        let statistics = Statistics { mean: slice(&mean), variance: slice(&variance) };
        let [mut d_gamma, mut d_beta] = [shape.channels; 2].map(|n| vec![0.0; n]);
        let out = AffineGradients { gamma: &mut d_gamma, beta: &mut d_beta };
        let whole = dy.layout().start_offset() == 0;
        let dx = match dy.try_storage_mut::<f32>() {
            // Ours alone and nothing but this gradient: the gradient of the input takes its place.
            Some(gradient) if whole && gradient.len() == shape.len() => {
                super::backward(shape, slice(&x), affine, statistics, InputGradient::InPlace(gradient), out);
                dy
            }
            _ => {
                let mut dx = vec![0.0; shape.len()];
                let input = InputGradient::Separate { dy: slice(&dy), dx: &mut dx };
                super::backward(shape, slice(&x), affine, statistics, input, out);
                tensor(dx, x.layout().shape().clone())
            }
        };
        let per_channel = [shape.channels];
        [dx, tensor(d_gamma, per_channel.into()), tensor(d_beta, per_channel.into())]
    }
}
