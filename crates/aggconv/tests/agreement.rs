//! Every formulation on every engine computes the function, and the gradients, of the definition in `f64`.

mod common;

use aggconv::kernels::Algorithm;
use aggconv::ops::{AggConvOptions, Choice, TapConvOptions, agg_conv, tap_conv};
use aggconv::{Engine, Formulation, KernelSpace, OperatorError, TapSet};
use burn::tensor::{DType, Tensor, TensorData};
use common::{Case, assert_close, assert_close_at, device, largest, noise, tensor, values, wide};
use proptest::prelude::*;
use std::sync::Arc;

/// The tolerance relative to the largest sum of magnitudes, which accounts for the rounding of `f32` transforms and
/// sums of this size.
const TOLERANCE: f64 = 1e-5;

fn options(case: &Case, formulation: Formulation, engine: Engine) -> AggConvOptions {
    let mut options = AggConvOptions::new(case.space.clone(), case.dims);
    options.stride = case.stride;
    options.groups = case.groups;
    options.formulation = formulation;
    options.engine = engine;
    options
}

fn check(case: &Case, formulation: Formulation, engine: Engine) {
    let device = device();
    let x = tensor(&case.x(), case.x_shape(), &device).require_grad();
    let w = tensor(&case.w(), case.w_shape(), &device).require_grad();
    let c = tensor(&case.c(), [case.space.len()], &device).require_grad();
    let b = tensor(&case.bias(), [case.c_out], &device).require_grad();
    let dy = tensor(&case.dy(), case.y_shape(), &device);
    let y = agg_conv(x.clone(), w.clone(), c.clone(), Some(b.clone()), &options(case, formulation, engine)).unwrap();
    assert_eq!(y.dims(), case.y_shape());
    let grads = (y.clone() * dy).sum().backward();
    let (expected, scale) = (case.reference(), case.magnitudes());
    let close = |what: &str, got: &[f32], expected: &[f64], scale: &[f64]| {
        let what = format!("{what} of {formulation} ({engine:?}) in {case:?}");
        assert_close_at(&what, got, expected, largest(scale), TOLERANCE);
    };
    close("y", &values(y), &expected.y, &scale.y);
    close("dx", &values(x.grad(&grads).unwrap()), &expected.dx, &scale.dx);
    close("dw", &values(w.grad(&grads).unwrap()), &expected.dw, &scale.dw);
    close("dc", &values(c.grad(&grads).unwrap()), &expected.dc, &scale.dc);
    close("db", &values(b.grad(&grads).unwrap()), &expected.db, &scale.db);
}

fn check_all(case: &Case) {
    for &formulation in Formulation::ALL {
        for engine in [Engine::Native, Engine::Composed] {
            check(case, formulation, engine);
        }
    }
}

/// Spaces of up to two kernel sizes and two dilations, in any order.
fn space(kernels: &'static [usize], dilations: &'static [usize]) -> impl Strategy<Value = KernelSpace> {
    let some = |of: &'static [usize]| proptest::sample::subsequence(of, 1..=2).prop_shuffle();
    (some(kernels), some(dilations)).prop_map(|(k, d)| KernelSpace::new(k, d).unwrap())
}

/// Input channels, output channels and groups: one group, several groups, depthwise.
fn channels() -> impl Strategy<Value = (usize, usize, usize)> {
    prop_oneof![
        (1usize..=5, 1usize..=5).prop_map(|(i, o)| (i, o, 1)),
        (1usize..=3, 1usize..=3).prop_map(|(i, o)| (2 * i, 2 * o, 2)),
        (1usize..=19).prop_map(|c| (c, c, c)),
    ]
}

fn one_dimensional() -> impl Strategy<Value = Case> {
    let space = space(&[1, 3, 5, 7, 11], &[1, 2, 3, 7]);
    let space = (space, any::<bool>());
    let space = space.prop_map(|(space, causal)| if causal { space.causal().expect("narrow") } else { space });
    (space, channels(), 1usize..=3, 1usize..=40, 1usize..=3, 0u64..1000).prop_map(
        |(space, (c_in, c_out, groups), batch, n, stride, seed)| Case {
            space,
            dims: 1,
            batch,
            c_in,
            c_out,
            groups,
            input: [1, n],
            stride,
            seed,
        },
    )
}

fn two_dimensional() -> impl Strategy<Value = Case> {
    let space = space(&[1, 3, 5], &[1, 2, 3]);
    (space, channels(), 1usize..=2, 1usize..=11, 1usize..=11, 1usize..=2, 0u64..1000).prop_map(
        |(space, (c_in, c_out, groups), batch, h, w, stride, seed)| Case {
            space,
            dims: 2,
            batch,
            c_in,
            c_out,
            groups,
            input: [h, w],
            stride,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn formulations_agree_in_one_dimension(case in one_dimensional()) {
        check_all(&case);
    }

    #[test]
    fn formulations_agree_in_two_dimensions(case in two_dimensional()) {
        check_all(&case);
    }
}

#[test]
fn causal_kernels_are_refused_on_grids() {
    let device = device();
    let space = KernelSpace::baby().causal().expect("narrow");
    let (x, w) = (Tensor::<4>::zeros([1, 1, 4, 4], &device), Tensor::<3>::zeros([1, 1, 68], &device));
    let c = Tensor::<1>::zeros([4], &device);
    let options = AggConvOptions::new(space.clone(), 2);
    assert_eq!(agg_conv(x, w, c, None, &options).unwrap_err(), OperatorError::Causal);
    let wide = KernelSpace::new([3], [i32::MAX as usize]).expect("each half is narrow enough");
    assert!(wide.causal().is_err());
    let again: KernelSpace = serde_json::from_str(&serde_json::to_string(&space).unwrap()).unwrap();
    assert!(again.is_causal() && again == space);
}

#[test]
fn formulations_agree_on_the_papers_spaces() {
    let one = Case {
        space: KernelSpace::for_1d(),
        dims: 1,
        batch: 2,
        c_in: 3,
        c_out: 4,
        groups: 1,
        input: [1, 150],
        stride: 1,
        seed: 7,
    };
    check_all(&one);
    check_all(&Case { c_in: 4, groups: 4, stride: 2, ..one.clone() });
    // An input that is smaller than most kernels.
    check_all(&Case { input: [1, 9], ..one });
    // In two dimensions the dense kernel is 121×121, so only formulations without it are tested.
    let two = Case {
        space: KernelSpace::for_2d(),
        dims: 2,
        batch: 1,
        c_in: 2,
        c_out: 3,
        groups: 1,
        input: [20, 13],
        stride: 1,
        seed: 8,
    };
    for formulation in [Formulation::Auto, Formulation::MixedResults] {
        for engine in [Engine::Native, Engine::Composed] {
            check(&two, formulation, engine);
        }
    }
    check(&two, Formulation::FourierKronecker, Engine::Native);
}

#[test]
fn every_kernel_can_be_forced() {
    let case = Case {
        space: KernelSpace::new([5], [2]).unwrap(),
        dims: 2,
        batch: 2,
        c_in: 3,
        c_out: 2,
        groups: 1,
        input: [9, 6],
        stride: 1,
        seed: 3,
    };
    let mut expected = case.reference_of(&wide(&case.x()), &wide(&case.w()), &[1.0], &[0.0; 2], &wide(&case.dy())).y;
    for &algorithm in Algorithm::ALL {
        let mut options = TapConvOptions::new(Arc::new(TapSet::lattice(5, 2, 2)));
        options.choice = Choice::Kernel(algorithm);
        let device = device();
        let (x, w) = (tensor(&case.x(), case.x_shape(), &device), tensor(&case.w(), case.w_shape(), &device));
        let y = tap_conv(x, w, None, &options).unwrap();
        assert_close(&format!("{algorithm:?}"), &values(y), &expected, TOLERANCE);
    }
    expected[0] += 1.0;
    assert!(std::panic::catch_unwind(|| assert_close("", &[0.0; 216], &expected, TOLERANCE)).is_err());
}

#[test]
fn views_are_read_in_their_own_order() {
    let device = device();
    let space = KernelSpace::baby();
    let (x, w, c) = (noise(2 * 3 * 7 * 5, 1), noise(4 * 3 * 68, 2), noise(4, 3));
    let view = tensor(&x, [5, 2, 7, 3], &device).permute([1, 3, 2, 0]).slice([0..2, 0..3, 1..6, 0..5]);
    let w_view = tensor(&w, [68, 3, 4], &device).permute([2, 1, 0]);
    let copy = |t: Tensor<4>| tensor(&values(t.clone()), t.dims(), &device);
    let w_copy = tensor(&values(w_view.clone()), w_view.dims(), &device);
    let c = tensor(&c, [4], &device);
    let options = AggConvOptions::new(space, 2);
    let from_view = agg_conv(view.clone(), w_view, c.clone(), None, &options).unwrap();
    let from_copy = agg_conv(copy(view), w_copy, c, None, &options).unwrap();
    assert_eq!(values(from_view), values(from_copy));
}

#[test]
fn only_requested_gradients_are_computed_and_each_is_the_same() {
    let case = Case {
        space: KernelSpace::baby(),
        dims: 1,
        batch: 2,
        c_in: 2,
        c_out: 3,
        groups: 1,
        input: [1, 12],
        stride: 1,
        seed: 5,
    };
    let expected = case.reference();
    for wanted in 1u32..16 {
        let device = device();
        let want = |bit: u32| wanted & (1 << bit) != 0;
        let x = tensor(&case.x(), case.x_shape(), &device).set_require_grad(want(0));
        let w = tensor(&case.w(), case.w_shape(), &device).set_require_grad(want(1));
        let c = tensor(&case.c(), [4], &device).set_require_grad(want(2));
        let b = tensor(&case.bias(), [3], &device).set_require_grad(want(3));
        let dy = tensor(&case.dy(), case.y_shape(), &device);
        let y = agg_conv(
            x.clone(),
            w.clone(),
            c.clone(),
            Some(b.clone()),
            &options(&case, Formulation::Auto, Engine::Native),
        )
        .unwrap();
        let grads = (y * dy).sum().backward();
        let found = [
            x.grad(&grads).map(values),
            w.grad(&grads).map(values),
            c.grad(&grads).map(values),
            b.grad(&grads).map(values),
        ];
        for (bit, (found, expected)) in
            found.iter().zip([&expected.dx, &expected.dw, &expected.dc, &expected.db]).enumerate()
        {
            assert_eq!(found.is_some(), want(bit as u32), "gradient {bit} of {wanted:04b}");
            if let Some(found) = found {
                assert_close(&format!("gradient {bit} of {wanted:04b}"), found, expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn doubles_are_composed_and_rejected_by_the_kernels() {
    let case = Case {
        space: KernelSpace::baby(),
        dims: 2,
        batch: 1,
        c_in: 2,
        c_out: 2,
        groups: 1,
        input: [5, 6],
        stride: 1,
        seed: 11,
    };
    let device = device();
    let double = |v: Vec<f32>| wide(&v);
    let x = Tensor::<4>::from_data(TensorData::new(double(case.x()), case.x_shape()), (&device, DType::F64));
    let w = Tensor::<3>::from_data(TensorData::new(double(case.w()), case.w_shape()), (&device, DType::F64));
    let c = Tensor::<1>::from_data(TensorData::new(double(case.c()), [4]), (&device, DType::F64));
    let rejected = agg_conv(x.clone(), w.clone(), c.clone(), None, &options(&case, Formulation::Auto, Engine::Native));
    assert_eq!(rejected.unwrap_err(), OperatorError::NativeDType(DType::F64));
    for &formulation in Formulation::ALL {
        let y = agg_conv(x.clone(), w.clone(), c.clone(), None, &options(&case, formulation, Engine::Auto)).unwrap();
        assert_eq!(y.dtype(), DType::F64);
        let expected =
            case.reference_of(&double(case.x()), &double(case.w()), &double(case.c()), &[0.0; 2], &double(case.dy()));
        let y: Vec<f64> = y.into_data().try_to_vec().unwrap();
        // Flex computes FFTs of doubles with twiddle factors rounded to `f32`.
        let uses_fourier =
            matches!(formulation, Formulation::Auto | Formulation::Fourier | Formulation::FourierKronecker);
        let tolerance = if uses_fourier { 1e-5 } else { 1e-12 };
        for (y, expected) in y.iter().zip(&expected.y) {
            assert!((y - expected).abs() < tolerance, "{formulation}: {y} {expected}");
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_rejected() {
    let device = device();
    let x = |shape: [usize; 4]| Tensor::<4>::zeros(shape, &device);
    let w = |shape: [usize; 3]| Tensor::<3>::zeros(shape, &device);
    let c = |n: usize| Tensor::<1>::zeros([n], &device);
    let one = AggConvOptions::new(KernelSpace::baby(), 1);
    let rejected = |x, w, c, b, o: &AggConvOptions| agg_conv(x, w, c, b, o).unwrap_err();
    assert_eq!(
        rejected(x([1, 2, 2, 8]), w([3, 2, 16]), c(4), None, &one),
        OperatorError::NotOneDimensional([1, 2, 2, 8])
    );
    assert_eq!(
        rejected(x([1, 2, 1, 8]), w([3, 2, 15]), c(4), None, &one),
        OperatorError::Taps { w: [3, 2, 15], expected: 16 }
    );
    assert_eq!(
        rejected(x([1, 2, 1, 8]), w([3, 2, 16]), c(5), None, &one),
        OperatorError::Mixing { got: 5, expected: 4 }
    );
    for &formulation in Formulation::ALL {
        let options = AggConvOptions { formulation, ..one.clone() };
        assert_eq!(
            rejected(x([1, 2, 1, 8]), w([3, 2, 16]), c(4), Some(c(2)), &options),
            OperatorError::Bias { got: 2, expected: 3 }
        );
    }
    assert_eq!(
        rejected(x([1, 5, 1, 8]), w([3, 2, 16]), c(4), None, &one),
        OperatorError::Channels { x: [1, 5, 1, 8], w: [3, 2, 16], groups: 1, expected: 2 }
    );
    let grouped = AggConvOptions { groups: 2, ..one.clone() };
    assert_eq!(
        rejected(x([1, 4, 1, 8]), w([3, 2, 16]), c(4), None, &grouped),
        OperatorError::Groups { c_in: 4, c_out: 3, groups: 2 }
    );
    let still = AggConvOptions { stride: 0, ..one.clone() };
    assert_eq!(rejected(x([1, 2, 1, 8]), w([3, 2, 16]), c(4), None, &still), OperatorError::Stride([1, 0]));
    let three = AggConvOptions { dims: 3, ..one };
    assert_eq!(rejected(x([1, 2, 1, 8]), w([3, 2, 16]), c(4), None, &three), OperatorError::Dimensions(3));
}
