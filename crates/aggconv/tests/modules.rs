//! The modules: mixing, learning, determinism, shapes and errors.

mod common;

use aggconv::nn::{
    AggConv, AggConv1d, AggConv2d, AggConvConfig, KernelConv1d, KernelConv2d, KernelConvConfig, KernelConvError,
    SharedConv, SharedConvConfig,
};
use aggconv::{Candidate, Engine, Formulation, KernelSpace, OperatorError, SpaceError};
use burn::module::{Module, Param};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use common::{Case, assert_close, device, noise, tensor, values, wide};

/// Creates a module whose weights and α are fixed noise instead of draws from the device's generator.
fn module(config: AggConvConfig, device: &Device) -> AggConv {
    let mut conv = config.init(device);
    let shape = conv.weight.dims();
    let w: Vec<f32> = noise(shape.iter().product(), 21).iter().map(|v| 0.3 * v).collect();
    conv.weight = Param::from_tensor(tensor(&w, shape, device));
    conv.alpha = Param::from_tensor(tensor(&noise(conv.space.len(), 22), [conv.space.len()], device));
    conv
}

#[test]
fn mixing_is_the_tempered_softmax_of_log_probabilities_and_noise() {
    let device = device();
    let conv = module(AggConvConfig::new([1, 1], KernelSpace::baby()), &device);
    let (alpha, g, tau) = (wide(&noise(4, 22)), [0.3f64, -1.2, 0.7, 2.0], 0.5);
    let normalizer = alpha.iter().map(|a| a.exp()).sum::<f64>().ln();
    let logits: Vec<f64> = alpha.iter().zip(g).map(|(a, g)| (a - normalizer + g) / tau).collect();
    let total: f64 = logits.iter().map(|l| l.exp()).sum();
    let expected: Vec<f64> = logits.iter().map(|l| l.exp() / total).collect();
    let g: Vec<f32> = g.iter().map(|&g| g as f32).collect();
    let mixing = values(conv.mixing(Some(tensor(&g, [4], &device)), tau));
    assert_close("mixing", &mixing, &expected, 1e-6);
    // Without noise and at temperature 1, the mixing coefficients are the softmax of α.
    let expected: Vec<f64> = alpha.iter().map(|a| (a - normalizer).exp()).collect();
    assert_close("mixing", &values(conv.mixing(None, 1.0)), &expected, 1e-6);
}

#[test]
fn noise_is_drawn_in_training_only() {
    let device = device();
    device.seed(4);
    let conv = module(AggConvConfig::new([2, 3], KernelSpace::baby()).with_dims(1), &device);
    let x = tensor(&noise(2 * 2 * 9, 1), [2, 2, 1, 9], &device);
    let (first, second) = (values(conv.forward(x.clone())), values(conv.forward(x.clone())));
    assert_ne!(first, second, "training draws noise anew");
    let evaluated = conv.valid();
    let x = x.inner();
    let expected = values(evaluated.forward_mixed(x.clone(), evaluated.mixing(None, 1.0)));
    assert_eq!(values(evaluated.forward(x.clone())), expected);
    assert_eq!(values(evaluated.forward(x)), expected);
}

/// Compares the gradient of α through mixing and convolution with central differences of the definition in `f64`.
#[test]
fn gradient_of_alpha_by_finite_differences() {
    let case = Case {
        space: KernelSpace::new([3, 5], [1, 3]).unwrap(),
        dims: 1,
        batch: 2,
        c_in: 2,
        c_out: 3,
        groups: 1,
        input: [1, 11],
        stride: 2,
        seed: 31,
    };
    let (g, tau) = (noise(4, 40), 0.7);
    let alpha = wide(&noise(4, 22));
    let loss = |alpha: &[f64]| -> f64 {
        let normalizer = alpha.iter().map(|a| a.exp()).sum::<f64>().ln();
        let logits: Vec<f64> = alpha.iter().zip(&g).map(|(a, &g)| (a - normalizer + f64::from(g)) / tau).collect();
        let total: f64 = logits.iter().map(|l| l.exp()).sum();
        let c: Vec<f64> = logits.iter().map(|l| l.exp() / total).collect();
        let (x, w, bias, dy) = (wide(&case.x()), wide(&case.w()), wide(&case.bias()), wide(&case.dy()));
        case.reference_of(&x, &w, &c, &bias, &dy).y.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
    };
    let step = 1e-5;
    let expected: Vec<f64> = (0..4)
        .map(|i| {
            let moved = |by: f64| alpha.iter().enumerate().map(|(j, a)| if i == j { a + by } else { *a }).collect();
            let (up, down): (Vec<f64>, Vec<f64>) = (moved(step), moved(-step));
            (loss(&up) - loss(&down)) / (2.0 * step)
        })
        .collect();
    let device = device();
    for engine in [Engine::Native, Engine::Composed] {
        for &formulation in Formulation::ALL {
            let config = AggConvConfig::new([2, 3], case.space.clone()).with_dims(1).with_stride(2);
            let mut conv = module(config.with_formulation(formulation).with_engine(engine), &device);
            conv.weight = Param::from_tensor(tensor(&case.w(), case.w_shape(), &device));
            conv.bias = Some(Param::from_tensor(tensor(&case.bias(), [3], &device)));
            let mixing = conv.mixing(Some(tensor(&g, [4], &device)), tau);
            let y = conv.forward_mixed(tensor(&case.x(), case.x_shape(), &device), mixing);
            let grads = (y * tensor(&case.dy(), case.y_shape(), &device)).sum().backward();
            let found = values(conv.alpha.val().grad(&grads).unwrap());
            assert_close(&format!("dα of {formulation} ({engine:?})"), &found, &expected, 1e-4);
        }
    }
}

/// Performs steps of gradient descent towards `target` and returns the losses.
fn descend(conv: &mut AggConv, x: &Tensor<4>, target: &Tensor<4>, steps: usize, rate: f64) -> Vec<f32> {
    let mut losses = Vec::new();
    for _ in 0..steps {
        let y = conv.forward_mixed(x.clone(), conv.mixing(None, 1.0));
        let loss = (y - target.clone()).powi_scalar(2).mean();
        losses.push(loss.clone().into_scalar::<f32>());
        let grads = loss.backward();
        fn moved<const D: usize>(p: &Param<Tensor<D>>, grads: &burn::tensor::Gradients, rate: f64) -> Param<Tensor<D>> {
            let gradient = p.val().grad(grads).expect("every parameter takes part");
            Param::from_tensor(Tensor::from_inner(p.val().inner() - gradient.mul_scalar(rate)))
        }
        conv.weight = moved(&conv.weight, &grads, rate);
        conv.alpha = moved(&conv.alpha, &grads, rate);
        conv.bias = conv.bias.as_ref().map(|b| moved(b, &grads, rate));
    }
    losses
}

#[test]
fn a_tiny_aggconv_learns_a_dilated_convolution() {
    let device = device();
    let teacher = {
        let mut conv = KernelConvConfig::new([1, 1], 5).with_dims(1).with_dilation(3).init(&device.clone().inner());
        conv.weight = Param::from_tensor(tensor(&[1.0, -2.0, 0.5, 2.0, -1.0], [1, 1, 5], &device.clone().inner()));
        conv
    };
    let x = tensor(&noise(8 * 32, 50), [8, 1, 1, 32], &device);
    let target = Tensor::from_inner(teacher.forward(x.clone().inner()));
    let space = KernelSpace::new([3, 5], [1, 3]).unwrap();
    let mut conv = module(AggConvConfig::new([1, 1], space).with_dims(1), &device);
    let losses = descend(&mut conv, &x, &target, 150, 0.5);
    assert!(losses[149] < 1e-2 * losses[0], "{} to {}", losses[0], losses[149]);
    // Only Conv_{5,3} reaches ±6, the offsets of the teacher's outer taps.
    let alpha = values(conv.alpha.val());
    let best = (0..4).max_by(|&a, &b| alpha[a].total_cmp(&alpha[b])).unwrap();
    assert_eq!(conv.space.candidates()[best], Candidate { k: 5, d: 3 }, "{alpha:?}");
}

#[test]
fn one_seed_is_bit_identical_on_any_number_of_threads() {
    let run = |threads: usize, formulation: Formulation| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let device = device();
            let config = AggConvConfig::new([17, 20], KernelSpace::new([3, 5, 7], [1, 3]).unwrap())
                .with_formulation(formulation);
            let mut conv = module(config, &device);
            let x = tensor(&noise(4 * 17 * 12 * 15, 60), [4, 17, 12, 15], &device);
            let target = tensor(&noise(4 * 20 * 12 * 15, 61), [4, 20, 12, 15], &device);
            let losses = descend(&mut conv, &x, &target, 3, 0.1);
            (losses, values(conv.weight.val()), values(conv.alpha.val()))
        })
    };
    for formulation in [Formulation::Auto, Formulation::Fourier, Formulation::MixedResults] {
        assert_eq!(run(1, formulation), run(2, formulation), "{formulation}");
    }
}

#[test]
fn wrappers_take_the_shapes_of_burns_convolutions() {
    let device = Device::flex();
    let one = AggConv1d::new(AggConvConfig::new([4, 6], KernelSpace::baby()).with_stride(2), &device);
    assert_eq!(one.forward(Tensor::zeros([3, 4, 11], &device)).dims(), [3, 6, 6]);
    let two = AggConv2d::new(AggConvConfig::new([4, 4], KernelSpace::baby()).with_groups(4), &device);
    assert_eq!(two.forward(Tensor::zeros([3, 4, 7, 5], &device)).dims(), [3, 4, 7, 5]);
    let one = KernelConv1d::new(KernelConvConfig::new([4, 6], 15).with_dilation(7), &device);
    assert_eq!(one.forward(Tensor::zeros([3, 4, 11], &device)).dims(), [3, 6, 11]);
    let two = KernelConv2d::new(KernelConvConfig::new([4, 6], 1).with_stride(2).with_bias(false), &device);
    assert_eq!(two.forward(Tensor::zeros([3, 4, 7, 5], &device)).dims(), [3, 6, 4, 3]);
}

#[test]
fn kernel_conv_is_burns_convolution() {
    let device = Device::flex();
    for (k, d, stride) in [(1, 1, 1), (1, 1, 2), (3, 1, 1), (5, 2, 2), (3, 7, 1)] {
        let conv = KernelConvConfig::new([3, 4], k).with_dilation(d).with_stride(stride).init(&device);
        let x = tensor(&noise(2 * 3 * 10 * 13, 70), [2, 3, 10, 13], &device);
        let padding = (k - 1) / 2 * d;
        let options = ConvOptions::new([stride; 2], [padding; 2], [d; 2], 1);
        let bias = conv.bias.as_ref().unwrap().val();
        let expected = conv2d(x.clone(), conv.weight.val().reshape([4, 3, k, k]), Some(bias), options);
        assert_close(&format!("Conv_{{{k},{d}}}/{stride}"), &values(conv.forward(x)), &wide(&values(expected)), 1e-5);
    }
}

#[test]
fn invalid_layers_are_rejected() {
    let device = Device::flex();
    let agg = |channels| AggConvConfig::new(channels, KernelSpace::baby());
    let rejected = |config: AggConvConfig| config.try_init(&Device::flex()).unwrap_err();
    assert_eq!(rejected(agg([0, 2])), OperatorError::NoChannels { c_in: 0, c_out: 2 });
    assert_eq!(rejected(agg([4, 6]).with_groups(4)), OperatorError::Groups { c_in: 4, c_out: 6, groups: 4 });
    assert_eq!(rejected(agg([4, 6]).with_stride(0)), OperatorError::Stride([0, 0]));
    assert_eq!(rejected(agg([4, 6]).with_dims(3)), OperatorError::Dimensions(3));
    assert_eq!(
        KernelConvConfig::new([1, 1], 4).try_init(&device).unwrap_err(),
        KernelConvError::Kernel(SpaceError::EvenKernelSize(4))
    );
    assert_eq!(
        KernelConvConfig::new([1, 1], 3).with_dilation(0).try_init(&device).unwrap_err(),
        KernelConvError::Kernel(SpaceError::ZeroDilation)
    );
    let conv = agg([2, 2]).with_dims(1).init(&device);
    let rows = Tensor::zeros([1, 2, 3, 4], &device);
    assert_eq!(
        conv.try_forward_mixed(rows, conv.mixing(None, 1.0)).unwrap_err(),
        OperatorError::NotOneDimensional([1, 2, 3, 4])
    );
}

/// The weights of one kernel of a shared layer, by hand.
fn center(conv: &SharedConv, Candidate { k, d }: Candidate) -> Vec<f32> {
    let [_, c_out, c_in, taps] = conv.weight.dims();
    let all = values(conv.weight.val());
    let dilation = conv.space.dilations().iter().position(|&other| other == d).expect("a dilation of the space");
    let side = (conv.largest - k) / 2;
    let scale = ((taps as f64) / k.pow(conv.dims as u32) as f64).sqrt() as f32;
    let rows = if conv.dims == 2 { side..side + k } else { 0..1 };
    let own = |pair: usize| {
        let first = (dilation * c_out * c_in + pair) * taps;
        let row = move |r: usize| (side..side + k).map(move |c| first + r * conv.largest + c);
        rows.clone().flat_map(row)
    };
    (0..c_out * c_in).flat_map(own).map(|at| scale * all[at]).collect()
}

#[test]
fn a_shared_layer_is_the_layer_of_each_of_its_kernels() {
    let device = device();
    let space = KernelSpace::new([3, 7], [1, 3]).unwrap();
    for (dims, stride, input) in [(1, 1, [1, 23]), (1, 2, [1, 24]), (2, 1, [9, 8]), (2, 2, [10, 7])] {
        let shared = SharedConvConfig::new([2, 3], space.clone()).with_dims(dims).with_stride(stride).init(&device);
        for (k, d) in [(1, 1), (3, 1), (5, 3), (7, 3)] {
            let candidate = Candidate::new(k, d).unwrap();
            let config = KernelConvConfig::new([2, 3], k).with_dilation(d).with_dims(dims).with_stride(stride);
            let mut own = config.init(&device);
            let weight = center(&shared, candidate);
            own.weight = Param::from_tensor(tensor(&weight, own.weight.dims(), &device));
            own.bias = shared.bias.clone();
            let x: Tensor<4> = tensor(&noise(2 * 2 * input[0] * input[1], 1), [2, 2, input[0], input[1]], &device);
            let found = shared.forward(x.clone(), candidate);
            assert_close("outputs", &values(found.clone()), &wide(&values(own.forward(x.clone()))), 1e-6);
            // The gradient reaches the taps of the kernel alone, with the same scale.
            let gradients = (found.clone() * found).sum().backward();
            let all: Vec<f32> = values(shared.weight.val().grad(&gradients).expect("a gradient"));
            let mut of_gradient = shared.clone();
            of_gradient.weight = Param::from_tensor(tensor(&all, shared.weight.dims(), &device));
            let y = own.forward(x);
            let gradients = (y.clone() * y).sum().backward();
            let scale = (7.0 / k as f64).powi(dims as i32);
            let expected = values(own.weight.val().grad(&gradients).expect("a gradient"));
            let expected: Vec<f64> = expected.iter().map(|&g| f64::from(g) * scale).collect();
            assert_close("gradient", &center(&of_gradient, candidate), &expected, 1e-4);
            let others = all.iter().filter(|&&g| g != 0.0).count();
            assert!(others <= expected.len(), "{others} taps have a gradient");
        }
    }
    let one = SharedConvConfig::new([2, 3], space).with_dims(1).init(&device);
    let x = Tensor::<4>::ones([1, 2, 1, 9], &device);
    for (k, d) in [(9, 1), (3, 2)] {
        let candidate = Candidate::new(k, d).unwrap();
        assert!(!one.space.shares(candidate));
        assert!(matches!(one.try_forward(x.clone(), candidate), Err(OperatorError::Kernel(c)) if c == candidate));
    }
    assert!(one.space.shares(Candidate::new(5, 3).unwrap()));
    let rows = Tensor::ones([1, 2, 2, 9], &device);
    assert!(matches!(one.try_forward(rows, Candidate::new(3, 1).unwrap()), Err(OperatorError::NotOneDimensional(_))));
}

#[test]
fn the_outputs_of_all_kernels_of_a_shared_layer_have_equal_variance() {
    let device = device();
    let space = KernelSpace::new([3, 19], [1]).unwrap();
    let shared = SharedConvConfig::new([64, 64], space).with_dims(1).with_bias(false).init(&device);
    let x: Tensor<4> = tensor(&noise(8 * 64 * 200, 1), [8, 64, 1, 200], &device);
    let variance = |k| {
        let y = shared.forward(x.clone(), Candidate::new(k, 1).unwrap());
        let inner = values(y.slice([0..8, 0..64, 0..1, 10..190]));
        inner.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / inner.len() as f64
    };
    let ratio = variance(3) / variance(19);
    assert!((0.8..1.25).contains(&ratio), "{ratio}");
}
