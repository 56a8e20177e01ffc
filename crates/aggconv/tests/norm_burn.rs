//! Fused normalization on Burn tensors against Burn's own, forward and with every gradient.

use aggconv::nn::KernelConvConfig;
use aggconv::norm::{NormAct, ops};
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{DType, Device, Distribution, Tensor, TensorData, Tolerance, activation};

fn close<const D: usize>(got: Tensor<D>, want: Tensor<D>) {
    got.into_data().assert_approx_eq::<f32>(&want.into_data(), Tolerance::rel_abs(1e-4, 2e-5));
}

fn burn_forward<const D: usize>(norm: &BatchNorm, x: Tensor<D>, relu: bool) -> Tensor<D> {
    let y = norm.forward(x);
    if relu { activation::relu(y) } else { y }
}

/// Creates both layers with the same parameters, which differ from the initial ones.
fn layers(channels: usize, device: &Device) -> (NormAct, BatchNorm) {
    let mut ours = NormAct::new(channels, device);
    let mut theirs = BatchNormConfig::new(channels).init(device);
    let gamma = Tensor::<1>::random([channels], Distribution::Uniform(0.5, 2.0), device);
    let beta = Tensor::<1>::random([channels], Distribution::Uniform(-0.5, 0.5), device);
    let set = |_: Tensor<1>, to: &Tensor<1>| to.clone().detach().require_grad();
    ours.gamma = ours.gamma.map(|t| set(t, &gamma));
    theirs.gamma = theirs.gamma.map(|t| set(t, &gamma));
    ours.beta = ours.beta.map(|t| set(t, &beta));
    theirs.beta = theirs.beta.map(|t| set(t, &beta));
    (ours, theirs)
}

fn agrees_in<const D: usize>(shape: [usize; D], relu: bool) {
    let device = Device::default().autodiff();
    let (ours, theirs) = layers(shape[1], &device);
    let data = Tensor::<D>::random(shape, Distribution::Normal(0.7, 1.5), &device).into_data();
    let weights = Tensor::<D>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    for _ in 0..2 {
        let x = || Tensor::<D>::from_data(data.clone(), &device).require_grad();
        let (x_ours, x_theirs) = (x(), x());
        let y_ours = ours.forward(x_ours.clone(), relu);
        let y_theirs = burn_forward(&theirs, x_theirs.clone(), relu);
        close(y_ours.clone(), y_theirs.clone());
        // The weights give every output a different gradient, and the gradient of the product is not shared.
        let g_ours = (y_ours * weights.clone()).sum().backward();
        let g_theirs = (y_theirs * weights.clone()).sum().backward();
        close(x_ours.grad(&g_ours).unwrap(), x_theirs.grad(&g_theirs).unwrap());
        let scale = (data.num_elements() / shape[1]) as f32;
        for (a, b) in [
            (ours.gamma.grad(&g_ours), theirs.gamma.grad(&g_theirs)),
            (ours.beta.grad(&g_ours), theirs.beta.grad(&g_theirs)),
        ] {
            close(a.unwrap() / scale.sqrt(), b.unwrap() / scale.sqrt());
        }
        close(ours.running_mean.value_sync(), theirs.running_mean.value_sync());
        close(ours.running_var.value_sync(), theirs.running_var.value_sync());
    }
    // Evaluation with the running statistics of two batches.
    let x = Tensor::<D>::from_data(data, &Device::default());
    close(ours.valid().forward(x.clone(), relu), burn_forward(&theirs.valid(), x, relu));
}

#[test]
fn agrees_with_burn() {
    for relu in [false, true] {
        agrees_in([4, 3, 5, 7], relu);
        agrees_in([16, 2, 1, 1000], relu);
        agrees_in([5, 8], relu);
        agrees_in([3, 1, 11], relu);
    }
}

#[test]
fn shared_and_strided_gradients() {
    let device = Device::default().autodiff();
    let (ours, theirs) = layers(3, &device);
    let x = Tensor::<4>::random([2, 4, 5, 3], Distribution::Normal(0.0, 1.0), &device).require_grad();
    // The input is a strided view. The output is used several times, once transposed, so that its gradient is first
    // shared and then strided.
    let loss = |y: Tensor<4>| (y.clone() * y.clone().tanh()).sum() + (y.clone().swap_dims(2, 3) + 1.0).sum() + y.sum();
    let view = || x.clone().permute([0, 3, 1, 2]);
    let ours = x.grad(&loss(ours.forward(view(), true)).backward()).unwrap();
    let theirs = x.grad(&loss(burn_forward(&theirs, view(), true)).backward()).unwrap();
    close(ours, theirs);
}

#[test]
fn a_residual_gradient_is_not_overwritten() {
    // y = norm(x) + x: the gradient of the sum goes to both terms, and the backward pass of one must not overwrite the
    // gradient of the other.
    let device = Device::default().autodiff();
    let (ours, theirs) = layers(3, &device);
    let x = Tensor::<3>::random([4, 3, 9], Distribution::Normal(0.0, 1.0), &device).require_grad();
    let w = Tensor::<3>::random([4, 3, 9], Distribution::Normal(0.0, 1.0), &device);
    let a = x.grad(&((ours.forward(x.clone(), true) + x.clone()) * w.clone()).sum().backward()).unwrap();
    let b = x.grad(&((burn_forward(&theirs, x.clone(), true) + x.clone()) * w).sum().backward()).unwrap();
    close(a, b);
}

#[test]
fn frozen_layers_evaluate_and_pass_gradients() {
    let device = Device::default().autodiff();
    let (ours, theirs) = layers(3, &device);
    let (ours, theirs) = (ours.freeze(), theirs.freeze());
    let x = Tensor::<4>::random([2, 3, 4, 4], Distribution::Normal(0.3, 2.0), &device).require_grad();
    let y_ours = ours.forward(x.clone(), true);
    let y_theirs = burn_forward(&theirs, x.clone(), true);
    close(y_ours.clone(), y_theirs.clone());
    close(x.grad(&y_ours.sum().backward()).unwrap(), x.grad(&y_theirs.sum().backward()).unwrap());
    assert_eq!(ours.running_mean.value_sync().into_data(), TensorData::from([0.0f32; 3]));
}

#[test]
fn other_types_are_composed() {
    let device = Device::default();
    let x = Tensor::<3>::random([4, 3, 9], Distribution::Normal(0.0, 1.0), &device);
    let (gamma, beta) = (Tensor::<1>::ones([3], &device), Tensor::<1>::zeros([3], &device));
    let native = ops::train(x.clone(), gamma.clone(), beta.clone(), 1e-5, true).unwrap();
    let wide = ops::train(x.cast(DType::F64), gamma.cast(DType::F64), beta.cast(DType::F64), 1e-5, true).unwrap();
    assert_eq!(wide.output.dtype(), DType::F64);
    close(native.output, wide.output.cast(DType::F32));
    close(native.mean, wide.mean.cast(DType::F32));
    close(native.variance, wide.variance.cast(DType::F32));
}

#[test]
fn wrong_channels_are_rejected() {
    let device = Device::default();
    let x = Tensor::<3>::ones([2, 4, 5], &device);
    let (gamma, beta) = (Tensor::<1>::ones([4], &device), Tensor::<1>::ones([3], &device));
    let error = ops::train(x, gamma, beta, 1e-5, false).unwrap_err();
    assert_eq!(error.to_string(), "beta has 3 values, but the input [2, 4, 5] has 4 channels");
}

/// The output of a normalization is recomputed for the convolution that follows it, inside a residual sum.
#[test]
fn checkpointed_gradients_are_bit_identical() {
    // Fixed values, because other tests draw from the device's generator at the same time.
    let values = |n: usize| (0..n).map(|i| ((i * 37 % 101) as f32).sin()).collect::<Vec<_>>();
    let gradients = |device: &Device| {
        let norms = [NormAct::new(4, device), NormAct::new(4, device)];
        let convs = [(); 2].map(|()| {
            let mut conv = KernelConvConfig::new([4, 4], 3).with_bias(false).init(device);
            conv.weight = Param::from_data(TensorData::new(values(144), [4, 4, 9]), device);
            conv
        });
        let x = Tensor::<4>::from_data(TensorData::new(values(360), [3, 4, 6, 5]), device).require_grad();
        let mut y = x.clone();
        for (norm, conv) in norms.iter().zip(&convs) {
            y = conv.forward(norm.forward(y.clone(), true)) + y;
        }
        let grads = (y.clone() * y).sum().backward();
        let weights = convs.iter().map(|c| c.weight.grad(&grads).unwrap().into_data());
        let gammas = norms.iter().map(|n| n.gamma.grad(&grads).unwrap().into_data());
        let all: Vec<_> = weights.chain(gammas).chain([x.grad(&grads).unwrap().into_data()]).collect();
        all
    };
    let device = Device::default().autodiff();
    assert_eq!(gradients(&device), gradients(&device.clone().gradient_checkpointing()));
}

#[test]
fn a_batch_that_is_not_finite_leaves_the_running_statistics_of_its_channel() {
    let device = Device::default().autodiff();
    let norm = NormAct::new(2, &device);
    let batch = |spoilt: f32| {
        let x = vec![1.0, 2.0, 3.0, spoilt, 5.0, 9.0, 1.0, 7.0];
        Tensor::<3>::from_data(TensorData::new(x, [2, 2, 2]), &device)
    };
    norm.forward(batch(4.0), true);
    let kept = || [norm.running_mean.value_sync(), norm.running_var.value_sync()].map(|t| t.into_data());
    let before = kept();
    norm.forward(batch(f32::INFINITY), true);
    for (before, after) in before.iter().zip(kept()) {
        let (before, after) = (before.clone().convert::<f32>(), after.convert::<f32>());
        let values = |data: TensorData| data.try_to_vec::<f32>().unwrap();
        let (before, after) = (values(before), values(after));
        assert_ne!(before[0], after[0], "the sound channel moves on");
        assert!((before[1] - after[1]).abs() < 1e-6, "{} {}", before[1], after[1]);
    }
}
