//! Layer normalization, GELU and factors of channels: cases by hand, slices against their definition in `f64`, gradients
//! against finite differences of the definition, and Burn tensors against compositions of Burn's operations.

mod common;

use aggconv::nn::KernelConvConfig;
use aggconv::norm::NormShape;
use aggconv::norm::ops::NormError;
use aggconv::pointwise;
use aggconv::pointwise::ops::{gelu, layer_norm, scale};
use aggconv::pointwise::{LayerNorm, LayerScale};
use burn::module::Param;
use burn::tensor::{DType, Device, Tensor, TensorData};
use common::{assert_close, assert_close_at, noise, tensor, values, wide};
use proptest::prelude::*;

const EPSILON: f64 = 1e-6;

/// The distribution function of the normal distribution: an integral as a series of positive terms, and where it is close
/// to 0 a continued fraction.
fn cumulative(x: f64) -> f64 {
    if x > 0.0 {
        return 1.0 - cumulative(-x);
    }
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let t = -x;
    if t < 3.0 {
        let (mut term, mut sum) = (t, 0.0);
        for n in 0..200 {
            sum += term;
            term *= t * t / f64::from(2 * n + 3);
        }
        return 0.5 - density * sum;
    }
    let fraction = (1..200).rev().fold(t, |fraction, n| t + f64::from(n) / fraction);
    density / fraction
}

fn gelu_by_definition(x: f64) -> f64 {
    x * cumulative(x)
}

/// The normalized values of `[n, c, plane]`, by the formulas.
fn layer_norm_by_definition([n, c, plane]: [usize; 3], x: &[f64], gamma: &[f64], beta: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    for sample in 0..n {
        for q in 0..plane {
            let at = |channel: usize| (sample * c + channel) * plane + q;
            let mean = (0..c).map(|i| x[at(i)]).sum::<f64>() / c as f64;
            let variance = (0..c).map(|i| (x[at(i)] - mean).powi(2)).sum::<f64>() / c as f64;
            for i in 0..c {
                y[at(i)] = gamma[i] * (x[at(i)] - mean) / (variance + EPSILON).sqrt() + beta[i];
            }
        }
    }
    y
}

/// The derivative of a function in each variable, by central differences.
fn differences(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let moved = |i: usize, by: f64| {
        let mut x = x.to_vec();
        x[i] += by;
        f(&x)
    };
    (0..x.len()).map(|i| (moved(i, step) - moved(i, -step)) / (2.0 * step)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn cases_by_hand() {
    // Values of the normal distribution from a table.
    let mut y = [f32::NAN; 5];
    pointwise::gelu(&[0.0, 1.0, -1.0, 2.0, -3.0], &mut y);
    assert_close("GELU", &y, &[0.0, 0.841_344_75, -0.158_655_25, 1.954_499_74, -0.004_049_69], 1e-7);
    // One sample of two channels and two positions: (1, 3) at the first, (5, 5) at the second.
    let shape = NormShape { batch: 1, channels: 2, plane: 2 };
    let mut y = [f32::NAN; 4];
    pointwise::layer_norm(shape, &[1.0, 5.0, 3.0, 5.0], [&[2.0, 3.0], &[10.0, 20.0]], 0.0, &mut y);
    assert_eq!(y[..1], [8.0], "2·(1 − 2)/1 + 10");
    assert_eq!(y[2..3], [23.0], "3·(3 − 2)/1 + 20");
    pointwise::layer_norm(shape, &[1.0, 5.0, 3.0, 5.0], [&[2.0, 3.0], &[10.0, 20.0]], EPSILON, &mut y);
    assert_eq!([y[1], y[3]], [10.0, 20.0], "equal channels are at their mean");
    pointwise::scale(shape, &[1.0, 5.0, 3.0, 5.0], &[2.0, -1.0], &mut y);
    assert_eq!(y, [2.0, 10.0, -3.0, -5.0]);
}

/// Over the whole range, also where the result is close to zero, and far beyond the range of the exponential.
#[test]
fn gelu_agrees_with_the_definition_everywhere() {
    let x: Vec<f32> = (-140_000..140_000).map(|i| i as f32 / 10_000.0).collect();
    let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    pointwise::gelu(&x, &mut y);
    pointwise::gelu_backward(&x, &vec![1.0; x.len()], &mut dx);
    for ((&x, y), dx) in x.iter().zip(y).zip(dx) {
        let wide = f64::from(x);
        let want = gelu_by_definition(wide);
        assert!((f64::from(y) - want).abs() <= 2e-7 * wide.abs().max(1.0), "{x}: {y} is not {want}");
        // In the tail the relative error is that of the exponent.
        if (-12.0..0.0).contains(&x) {
            assert!((f64::from(y) - want).abs() <= 2e-5 * want.abs(), "{x}: {y} is not {want}");
        }
        let slope = cumulative(wide) + wide * (-wide * wide / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        assert!((f64::from(dx) - slope).abs() <= 4e-7, "{x}: the slope {dx} is not {slope}");
    }
    let mut y = [0.0; 5];
    pointwise::gelu(&[1e30, -1e30, f32::MIN_POSITIVE, f32::NAN, f32::INFINITY], &mut y);
    assert_eq!(y[0], 1e30);
    assert!((y[2] / f32::MIN_POSITIVE - 0.5).abs() < 1e-6, "{y:?}");
    assert!(y[1].abs() < 1e-5 && y[3].is_nan() && y[4] == f32::INFINITY, "{y:?}");
}

fn check_slices([n, c, plane]: [usize; 3], seed: u64) {
    let shape = NormShape { batch: n, channels: c, plane };
    let x: Vec<f32> = noise(shape.len(), seed).iter().map(|x| 3.0 * x + 1.0).collect();
    let [gamma, beta] = [1, 2].map(|i| noise(c, seed + i));
    let mut y = vec![f32::NAN; x.len()];
    pointwise::layer_norm(shape, &x, [&gamma, &beta], EPSILON, &mut y);
    let want = layer_norm_by_definition([n, c, plane], &wide(&x), &wide(&gamma), &wide(&beta));
    // Positions whose channels are nearly equal magnify rounding errors by their inverse deviation.
    assert_close_at("layer normalization", &y, &want, 1.0, 2e-3);
    let far = y.iter().zip(&want).filter(|(y, want)| (f64::from(**y) - **want).abs() > 1e-5).count();
    assert!(far * 100 <= y.len() || c == 2, "{far} of {} values in {n}, {c}, {plane}", y.len());
    pointwise::scale(shape, &x, &gamma, &mut y);
    assert!(y.iter().enumerate().all(|(i, y)| *y == x[i] * gamma[i / plane % c]));
}

/// Planes shorter and longer than a tile, by one and by many.
const SHAPES: [[usize; 3]; 8] =
    [[1, 1, 1], [5, 40, 1], [2, 7, 49], [3, 5, 63], [3, 2, 64], [2, 3, 65], [1, 96, 130], [4, 3, 1000]];

#[test]
fn slices_agree_with_the_definition() {
    SHAPES.into_iter().for_each(|shape| check_slices(shape, 3));
}

#[test]
fn gradients_agree_with_differences_of_the_definition() {
    for [n, c, plane] in [[1, 3, 5], [2, 4, 70], [3, 6, 1]] {
        let shape = NormShape { batch: n, channels: c, plane };
        let (x, dy) = (noise(shape.len(), 1), noise(shape.len(), 2));
        let [gamma, beta] = [3, 4].map(|seed| noise(c, seed));
        let [wide_x, wide_dy, wide_gamma, wide_beta] = [&x, &dy, &gamma, &beta].map(|v| wide(v));
        let (mut dx, mut d_gamma, mut d_beta) = (vec![f32::NAN; x.len()], vec![f32::NAN; c], vec![f32::NAN; c]);
        pointwise::layer_norm_backward(shape, [&x, &dy], &gamma, EPSILON, &mut dx, [&mut d_gamma, &mut d_beta]);
        let loss = |x: &[f64], gamma: &[f64], beta: &[f64]| {
            dot(&layer_norm_by_definition([n, c, plane], x, gamma, beta), &wide_dy)
        };
        let of_x = differences(&wide_x, |x| loss(x, &wide_gamma, &wide_beta));
        assert_close("layer normalization, x", &dx, &of_x, 2e-4);
        let of_gamma = differences(&wide_gamma, |gamma| loss(&wide_x, gamma, &wide_beta));
        assert_close("layer normalization, γ", &d_gamma, &of_gamma, 1e-5);
        let of_beta = differences(&wide_beta, |beta| loss(&wide_x, &wide_gamma, beta));
        assert_close("layer normalization, β", &d_beta, &of_beta, 1e-5);

        pointwise::scale_backward(shape, [&x, &dy], &gamma, &mut dx, &mut d_gamma);
        let scaled = |x: &[f64], factor: &[f64]| -> f64 {
            x.iter().zip(&wide_dy).enumerate().map(|(i, (x, dy))| x * factor[i / plane % c] * dy).sum()
        };
        assert_close("factors, x", &dx, &differences(&wide_x, |x| scaled(x, &wide_gamma)), 1e-5);
        assert_close("factors", &d_gamma, &differences(&wide_gamma, |factor| scaled(&wide_x, factor)), 1e-5);

        pointwise::gelu_backward(&x, &dy, &mut dx);
        let sum = |x: &[f64]| x.iter().zip(&wide_dy).map(|(x, dy)| gelu_by_definition(*x) * dy).sum();
        assert_close("GELU", &dx, &differences(&wide_x, sum), 1e-5);
    }
}

#[test]
fn bit_identical_at_any_thread_count() {
    let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    for [n, c, plane] in [[7, 40, 81], [1, 3, 20_000], [65, 5, 1]] {
        let shape = NormShape { batch: n, channels: c, plane };
        let (x, dy, gamma, beta) = (noise(shape.len(), 1), noise(shape.len(), 2), noise(c, 3), noise(c, 4));
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let [mut y, mut dx, mut g, mut dg] = [0; 4].map(|_| vec![0.0; x.len()]);
                let [mut d_gamma, mut d_beta, mut d_factor] = [0; 3].map(|_| vec![0.0; c]);
                pointwise::layer_norm(shape, &x, [&gamma, &beta], EPSILON, &mut y);
                let sums = [&mut d_gamma[..], &mut d_beta];
                pointwise::layer_norm_backward(shape, [&x, &dy], &gamma, EPSILON, &mut dx, sums);
                pointwise::gelu(&x, &mut g);
                pointwise::scale_backward(shape, [&x, &dy], &gamma, &mut dg, &mut d_factor);
                [y, dx, g, dg, d_gamma, d_beta, d_factor].map(|v| bits(&v))
            })
        };
        let one = with(1);
        assert!([2, 3].into_iter().all(|threads| one == with(threads)), "{n}, {c}, {plane}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_slices_agree_with_the_definition(n in 1usize..5, c in 3usize..40, plane in 1usize..200, seed in 0u64..1000) {
        check_slices([n, c, plane], seed);
    }
}

/// Both training devices: one that keeps what the backward pass needs, and one that recomputes some of it.
fn devices() -> [Device; 2] {
    let device = common::device();
    [device.clone(), device.gradient_checkpointing()]
}

/// Two ConvNeXt blocks, by this crate's operations or by compositions of Burn's.
fn blocks(device: &Device, ours: bool) -> Vec<Vec<f32>> {
    let convs = [[4, 4, 4], [4, 8, 1], [8, 4, 1], [4, 4, 4], [4, 8, 1], [8, 4, 1]];
    let convs: Vec<_> = (0u64..)
        .zip(convs)
        .map(|(seed, [c_in, c_out, groups])| {
            let kernel = if groups == 1 { 1 } else { 3 };
            let mut conv = KernelConvConfig::new([c_in, c_out], kernel).with_groups(groups).init(device);
            let dims = conv.weight.dims();
            conv.weight = Param::from_data(TensorData::new(noise(dims.iter().product(), seed), dims), device);
            conv.bias = Some(Param::from_data(TensorData::new(noise(c_out, seed), [c_out]), device));
            conv
        })
        .collect();
    let parameter = |seed| Param::from_data(TensorData::new(noise(4, seed), [4]), device);
    let norms = [10, 20].map(|seed| {
        let mut norm = LayerNorm::new(4, device);
        (norm.gamma, norm.beta) = (parameter(seed), parameter(seed + 1));
        norm
    });
    let scales = [30, 40].map(|seed| {
        let mut scale = LayerScale::new(4, 0.1, device);
        scale.factor = parameter(seed);
        scale
    });
    let x = tensor(&noise(360, 3), [3, 4, 6, 5], device).require_grad();
    let mut y = x.clone();
    let channels = |v: &Param<Tensor<1>>| v.val().reshape([1, 4, 1, 1]);
    for (i, (norm, scale)) in norms.iter().zip(&scales).enumerate() {
        let body = convs[3 * i].forward(y.clone());
        let body = if ours {
            norm.forward(body)
        } else {
            let centered = body.clone() - body.mean_dim(1);
            let variance = centered.clone().powi_scalar(2).mean_dim(1);
            centered / (variance + EPSILON).sqrt() * channels(&norm.gamma) + channels(&norm.beta)
        };
        let body = convs[3 * i + 1].forward(body);
        let body = if ours { gelu(body) } else { burn::tensor::activation::gelu(body) };
        let body = convs[3 * i + 2].forward(body);
        let body = if ours { scale.forward(body) } else { body * channels(&scale.factor) };
        y = y + body;
    }
    let grads = (y.clone() * tensor(&noise(360, 4), [3, 4, 6, 5], device)).sum().backward();
    let weights = convs.iter().map(|c| values(c.weight.grad(&grads).unwrap()));
    let affine = norms.iter().flat_map(|n| [&n.gamma, &n.beta]).chain(scales.iter().map(|s| &s.factor));
    let affine = affine.map(|p| values(p.grad(&grads).unwrap()));
    weights.chain(affine).chain([values(x.grad(&grads).unwrap()), values(y)]).collect()
}

#[test]
fn blocks_have_the_outputs_and_gradients_of_burn_on_every_device() {
    let [kept, again] = devices();
    let ours = blocks(&kept, true);
    assert_eq!(ours, blocks(&again, true), "checkpointed gradients differ");
    for (i, (ours, theirs)) in ours.iter().zip(blocks(&kept, false)).enumerate() {
        assert_close(&format!("gradient {i}"), ours, &wide(&theirs), 2e-5);
    }
}

#[test]
fn other_types_and_ranks_are_composed() {
    let x = tensor(&noise(60, 1), [3, 4, 5], &common::device());
    let (gamma, beta) = (tensor(&noise(4, 2), [4], &common::device()), tensor(&noise(4, 3), [4], &common::device()));
    let long = |x: Tensor<1>| x.cast(DType::F64);
    let wide_x = x.clone().cast(DType::F64);
    let normalized = layer_norm(wide_x.clone(), long(gamma.clone()), long(beta.clone()), EPSILON).unwrap();
    assert_eq!(normalized.dtype(), DType::F64);
    let ours = values(layer_norm(x.clone(), gamma.clone(), beta.clone(), EPSILON).unwrap());
    assert_close("layer normalization", &ours, &wide(&values(normalized)), 1e-5);
    let scaled = values(scale(wide_x.clone(), long(gamma.clone())).unwrap());
    assert_close("factors", &values(scale(x.clone(), gamma.clone()).unwrap()), &wide(&scaled), 1e-6);
    assert_close("GELU", &values(gelu(x.clone())), &wide(&values(gelu(wide_x))), 1e-6);
    // Means of channels have no positions: the same as one position.
    let means = tensor(&noise(12, 1), [3, 4], &common::device());
    let flat = values(layer_norm(means.clone(), gamma.clone(), beta.clone(), EPSILON).unwrap());
    let one = values(layer_norm(means.reshape([3, 4, 1, 1]), gamma.clone(), beta.clone(), EPSILON).unwrap());
    assert_eq!(flat, one);
    let error = layer_norm(x.clone(), tensor(&noise(5, 1), [5], &common::device()), beta, EPSILON).unwrap_err();
    let expected = NormError::Channels { name: "gamma", got: 5, expected: 4, x: vec![3, 4, 5] };
    assert_eq!(error, expected);
    assert_eq!(scale(Tensor::<1>::ones([3], &Device::flex()), gamma).unwrap_err(), NormError::Rank(1));
}

/// A convolution of patches against its definition, also where the last patch extends beyond the input.
#[test]
fn patches_are_convolved_by_the_definition() {
    let device = common::device();
    for (k, [h, w], dims) in [(2, [4, 6], 2), (2, [5, 3], 2), (4, [9, 8], 2), (3, [1, 7], 1), (1, [2, 2], 2)] {
        let config = KernelConvConfig::new([3, 5], k).with_dims(dims).with_stride(k).with_patches(true);
        let conv = config.init(&device);
        let (weight, bias) = (values(conv.weight.val()), values(conv.bias.as_ref().unwrap().val()));
        let data = noise(2 * 3 * h * w, 1);
        let y = conv.forward(tensor(&data, [2, 3, h, w], &device));
        let (rows, taps) = (if dims == 2 { k } else { 1 }, weight.len() / 15);
        let [oh, ow] = [h.div_ceil(rows), w.div_ceil(k)];
        assert_eq!(y.dims(), [2, 5, oh, ow]);
        let mut expected = Vec::new();
        for (n, o, r, q) in (0..2 * 5 * oh * ow).map(|i| (i / (5 * oh * ow), i / (oh * ow) % 5, i / ow % oh, i % ow)) {
            let mut sum = f64::from(bias[o]);
            for (c, tap) in (0..3).flat_map(|c| (0..taps).map(move |tap| (c, tap))) {
                let [y, x] = [r * rows + tap / k, q * k + tap % k];
                if y < h && x < w {
                    let at = ((n * 3 + c) * h + y) * w + x;
                    sum += f64::from(weight[(o * 3 + c) * taps + tap]) * f64::from(data[at]);
                }
            }
            expected.push(sum);
        }
        assert_close(&format!("patches of {k} on {h}×{w}"), &values(y), &expected, 1e-6);
    }
    assert!(KernelConvConfig::new([1, 1], 0).with_patches(true).try_init(&device).is_err());
}
