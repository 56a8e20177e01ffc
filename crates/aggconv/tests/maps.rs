//! Sums and means of activations: on slices against their definition in `f64`, and on Burn tensors against compositions
//! of Burn's operations, forward and with every gradient.

mod common;

use aggconv::maps;
use aggconv::maps::ops::{MapError, add, mean_positions};
use aggconv::nn::KernelConvConfig;
use aggconv::norm::NormAct;
use burn::module::Param;
use burn::tensor::{DType, Device, Tensor, TensorData};
use common::{assert_close, noise, tensor, values, wide};
use proptest::prelude::*;

/// Planes that are shorter and longer than a run and than a task, by one and by many.
const SHAPES: [[usize; 3]; 10] = [
    [1, 1, 1],
    [5, 3, 1],
    [1, 7, 46],
    [3, 5, 15],
    [3, 2, 17],
    [2, 3, 1023],
    [1, 2, 1025],
    [1, 1, 16384],
    [2, 1, 16385],
    [9, 40, 100],
];

fn bits(v: &[f32]) -> Vec<u32> {
    v.iter().map(|v| v.to_bits()).collect()
}

fn means(x: &[f32], plane: usize) -> Vec<f32> {
    let mut means = vec![f32::NAN; x.len() / plane];
    maps::mean(x, plane, &mut means);
    means
}

fn check_slices([n, c, plane]: [usize; 3], seed: u64) {
    let [x, y] = [0, 1].map(|i| noise(n * c * plane, 2 * seed + i));
    let want: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
    let mut sum = vec![f32::NAN; x.len()];
    maps::add(&x, &y, &mut sum);
    assert_eq!(bits(&sum), bits(&want), "sum of {n}, {c}, {plane}");
    let mut sum = x.clone();
    maps::add_assign(&mut sum, &y);
    assert_eq!(bits(&sum), bits(&want), "sum in place of {n}, {c}, {plane}");

    let want: Vec<f64> = wide(&x).chunks(plane).map(|x| x.iter().sum::<f64>() / plane as f64).collect();
    // The values are at most 1. A mean of signed values is small, but its rounding error is not.
    common::assert_close_at("mean", &means(&x, plane), &want, 1.0, 3e-7);

    let d_means = noise(n * c, seed);
    let mut dx = vec![f32::NAN; x.len()];
    maps::mean_backward(&d_means, plane, &mut dx);
    for (dx, d_mean) in dx.chunks(plane).zip(&d_means) {
        assert!(dx.iter().all(|dx| dx.to_bits() == (d_mean / plane as f32).to_bits()));
    }
}

#[test]
fn slices_agree_with_the_definition() {
    SHAPES.into_iter().for_each(|shape| check_slices(shape, 3));
}

#[test]
fn the_gradient_of_the_mean_is_its_derivative() {
    // The mean is linear: Σ g·mean(x) = Σ dx·x for every x.
    let plane = 37;
    let (x, g) = (noise(6 * plane, 1), noise(6, 2));
    let mut dx = vec![0.0; x.len()];
    maps::mean_backward(&g, plane, &mut dx);
    let dot = |a: &[f32], b: &[f32]| wide(a).iter().zip(wide(b)).map(|(a, b)| a * b).sum::<f64>();
    assert!((dot(&g, &means(&x, plane)) - dot(&dx, &x)).abs() < 1e-7);
}

#[test]
fn a_long_plane_does_not_lose_small_values() {
    // A large value at the start of each of the sixteen lanes would absorb all later values in `f32`.
    let mut x = vec![1e-3f32; 1 << 20];
    x[..16].fill(1e4);
    let want = (16.0 * 1e4 + ((1 << 20) - 16) as f64 * f64::from(1e-3f32)) / (1 << 20) as f64;
    let got = f64::from(means(&x, 1 << 20)[0]);
    assert!((got - want).abs() < 1e-6 * want, "{got} {want}");
}

#[test]
fn nan_stays_in_its_plane() {
    let mut x = noise(3 * 50, 5);
    x[70] = f32::NAN;
    let means = means(&x, 50);
    assert_eq!(means.iter().map(|m| m.is_nan()).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn bit_identical_at_any_thread_count() {
    for shape in SHAPES.into_iter().chain([[70, 3, 1000], [1, 3, 100_003]]) {
        let [n, c, plane] = shape;
        let (x, y, g) = (noise(n * c * plane, 1), noise(n * c * plane, 2), noise(n * c, 3));
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (mut sum, mut dx) = (x.clone(), x.clone());
                maps::add_assign(&mut sum, &y);
                maps::mean_backward(&g, plane, &mut dx);
                [sum, means(&x, plane), dx].map(|v| bits(&v))
            })
        };
        let one = with(1);
        for threads in [2, 3] {
            assert!(one == with(threads), "{shape:?} with {threads} threads");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_slices_agree_with_the_definition(n in 1usize..7, c in 1usize..6, plane in 1usize..3000, seed in 0u64..1000) {
        check_slices([n, c, plane], seed);
    }
}

/// Both training devices: one that keeps what the backward pass needs, and one that recomputes some of it.
fn devices() -> [Device; 2] {
    let device = common::device();
    [device.clone(), device.gradient_checkpointing()]
}

#[test]
fn means_and_their_gradients_agree_with_burn() {
    for device in devices() {
        for shape in [[4, 3, 5, 7], [1, 2, 1, 1000], [3, 4, 1, 1], [1, 1, 1, 1]] {
            let [n, c, h, w] = shape;
            let x = || tensor(&noise(n * c * h * w, 7), shape, &device).require_grad();
            let g = tensor(&noise(n * c, 8), [n, c], &device);
            let (ours, theirs) = (x(), x());
            let y = mean_positions(ours.clone()).unwrap();
            let want = theirs.clone().reshape([n, c, h * w]).mean_dim(2).reshape([n, c]);
            assert_close("mean", &values(y.clone()), &wide(&values(want.clone())), 1e-6);
            let dx = ours.grad(&(y * g.clone()).sum().backward()).unwrap();
            let want = theirs.grad(&(want * g).sum().backward()).unwrap();
            assert_eq!(dx.dims(), shape);
            assert_close("gradient of the mean", &values(dx), &wide(&values(want)), 1e-6);
        }
    }
}

#[test]
fn means_of_other_ranks_and_of_views() {
    let device = Device::flex();
    let data = noise(2 * 3 * 4 * 5, 1);
    let x = tensor(&data, [2, 3, 4, 5], &device);
    // Every value is its own mean.
    let flat = x.clone().reshape([6, 20]);
    assert_eq!(values(mean_positions(flat.clone()).unwrap()), data);
    let of_series = values(mean_positions(x.clone().reshape([2, 3, 20])).unwrap());
    assert_eq!(values(mean_positions(x.clone()).unwrap()), of_series);
    // A transposed view has the means of its channels, in its order.
    let transposed = values(mean_positions(x.clone().swap_dims(0, 1)).unwrap());
    let want: Vec<f32> = (0..6).map(|i| of_series[i % 2 * 3 + i / 2]).collect();
    assert_close("transposed", &transposed, &wide(&want), 1e-6);
    // A part of a tensor.
    let part = values(mean_positions(x.slice([1..2, 0..3, 0..4, 0..5])).unwrap());
    assert_eq!(part, of_series[3..]);
}

#[test]
fn sums_and_their_gradients_agree_with_burn() {
    for device in devices() {
        // An odd shape, a single value, and more values than a task.
        for shape in [[4, 3, 5, 7], [1, 1, 1, 1], [3, 2, 1, 9001]] {
            let len = shape.iter().product();
            let leaf = |seed| tensor(&noise(len, seed), shape, &device).require_grad();
            let g = tensor(&noise(len, 9), shape, &device);
            // Products whose memory the sum can reuse and whose operands are needed again.
            let run = |sum: &dyn Fn(Tensor<4>, Tensor<4>) -> Tensor<4>| {
                let (x, y) = (leaf(1), leaf(2));
                let s = sum(x.clone() * y.clone(), y.clone() * 0.5);
                let s = sum(s.clone() * s.clone(), x.clone());
                let grads = (s.clone() * g.clone()).sum().backward();
                [s, x.grad(&grads).unwrap(), y.grad(&grads).unwrap()].map(values)
            };
            assert_eq!(run(&|x, y| add(x, y).unwrap()), run(&|x, y| x + y), "{shape:?}");
        }
    }
}

#[test]
fn one_term_of_a_sum_may_have_no_gradient() {
    for device in devices() {
        let x = tensor(&noise(24, 1), [2, 3, 4], &device).require_grad();
        let constant = tensor(&noise(24, 2), [2, 3, 4], &device);
        for first in [true, false] {
            let (a, b) = (x.clone() * 2.0, constant.clone());
            let s = if first { add(a, b) } else { add(b, a) }.unwrap();
            let grads = (s.clone() * s.clone()).sum().backward();
            let want: Vec<f64> = wide(&values(s)).iter().map(|s| 4.0 * s).collect();
            assert_close("gradient", &values(x.grad(&grads).unwrap()), &want, 1e-6);
        }
        // Without any gradient there is nothing to record.
        assert!(!add(constant.clone(), constant.clone()).unwrap().is_require_grad());
    }
}

#[test]
fn a_term_that_is_used_again_keeps_its_values() {
    let device = Device::flex();
    let data = [noise(60, 1), noise(60, 2)];
    let sum: Vec<f32> = data[0].iter().zip(&data[1]).map(|(x, y)| x + y).collect();
    let fresh = || [0, 1].map(|i| tensor(&data[i], [3, 4, 5], &device));
    for kept in [[true, true], [true, false], [false, true], [false, false]] {
        let [x, y] = fresh();
        let copies = [kept[0].then(|| x.clone()), kept[1].then(|| y.clone())];
        assert_eq!(values(add(x, y).unwrap()), sum, "{kept:?}");
        for (copy, data) in copies.into_iter().zip(&data) {
            copy.into_iter().for_each(|copy| assert_eq!(&values(copy), data, "{kept:?}"));
        }
    }
    // A tensor plus itself, and views of a part.
    let [x, y] = fresh();
    assert_eq!(values(add(x.clone(), x).unwrap()), data[0].iter().map(|x| x + x).collect::<Vec<_>>());
    let [part, other] = [y.clone(), y].map(|y| y.slice([1..2, 0..4, 0..5]));
    assert_eq!(values(add(part, other).unwrap()), data[1][20..40].iter().map(|y| y + y).collect::<Vec<_>>());
    let [x, y] = fresh().map(|t| t.slice([2..3, 0..4, 0..5]).swap_dims(1, 2));
    let want = x.clone() + y.clone();
    assert_eq!(values(add(x, y).unwrap()), values(want));
}

/// Residual stages with a head, as in training.
#[test]
fn residual_stages_have_the_same_gradients_on_every_device() {
    let gradients = |device: &Device, ours: bool| {
        let norms = [NormAct::new(4, device), NormAct::new(4, device)];
        let convs = [1, 2].map(|seed| {
            let mut conv = KernelConvConfig::new([4, 4], 3).with_bias(false).init(device);
            conv.weight = Param::from_data(TensorData::new(noise(144, seed), [4, 4, 9]), device);
            conv
        });
        let x = tensor(&noise(360, 3), [3, 4, 6, 5], device).require_grad();
        let mut y = x.clone();
        for (norm, conv) in norms.iter().zip(&convs) {
            let body = conv.forward(norm.forward(y.clone(), true));
            y = if ours { add(body, y).unwrap() } else { body + y };
        }
        let pooled = if ours { mean_positions(y).unwrap() } else { y.reshape([3, 4, 30]).mean_dim(2).reshape([3, 4]) };
        let grads = (pooled * tensor(&noise(12, 4), [3, 4], device)).sum().backward();
        let weights = convs.iter().map(|c| values(c.weight.grad(&grads).unwrap()));
        let gammas = norms.iter().map(|n| values(n.gamma.grad(&grads).unwrap()));
        weights.chain(gammas).chain([values(x.grad(&grads).unwrap())]).collect::<Vec<_>>()
    };
    let [kept, again] = devices();
    let ours = gradients(&kept, true);
    assert_eq!(ours, gradients(&again, true), "checkpointed gradients differ");
    for (ours, theirs) in ours.iter().zip(gradients(&kept, false)) {
        assert_close("gradient", ours, &wide(&theirs), 1e-5);
    }
}

#[test]
fn other_types_are_composed() {
    let x = tensor(&noise(60, 1), [3, 4, 5], &common::device());
    let wide_x = x.clone().cast(DType::F64);
    let (sum, mean) = (add(wide_x.clone(), wide_x.clone()).unwrap(), mean_positions(wide_x).unwrap());
    assert_eq!([sum.dtype(), mean.dtype()], [DType::F64; 2]);
    assert_close("sum", &values(sum), &wide(&values(add(x.clone(), x.clone()).unwrap())), 1e-6);
    assert_close("mean", &values(mean), &wide(&values(mean_positions(x).unwrap())), 1e-6);
}

#[test]
fn shapes_are_checked() {
    let device = Device::flex();
    let ones = |shape: [usize; 3]| Tensor::<3>::ones(shape, &device);
    // Burn would broadcast.
    let error = add(ones([2, 3, 4]), ones([2, 3, 1])).unwrap_err();
    assert_eq!(error, MapError::Shapes { x: vec![2, 3, 4], y: vec![2, 3, 1] });
    assert_eq!(error.to_string(), "[2, 3, 4] and [2, 3, 1] cannot be added: the shapes must agree");
    assert_eq!(mean_positions(Tensor::<1>::ones([3], &device)).unwrap_err(), MapError::Rank(1));
    assert_eq!(mean_positions(ones([2, 3, 0])).unwrap_err(), MapError::NoPosition(vec![2, 3, 0]));
    // Sums and means without samples.
    assert_eq!(add(ones([0, 3, 4]), ones([0, 3, 4])).unwrap().dims(), [0, 3, 4]);
    assert_eq!(mean_positions(ones([0, 3, 4])).unwrap().dims(), [0, 3]);
}
