//! The mixed kernel, built in every way, against results computed by hand.

mod common;

use aggconv::mix::{Dilation, dense_kernel, dense_taps};
use aggconv::ops::agg_mix;
use aggconv::{Engine, KernelSpace, MixPlan};
use common::{device, noise, tensor, values};
use std::sync::Arc;

/// K = {1, 3}, D = {1, 2}, weights 1 | 2 | 3 4 5 | 6 7 8 with coefficients 1/2, 1/4, 2, 10:
/// ½·[1] + ¼·[2] + 2·[3 4 5] + 10·[6 0 7 0 8].
#[test]
fn in_one_dimension() {
    let device = device();
    let space = KernelSpace::new([1, 3], [1, 2]).unwrap();
    let w = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1, 1, 8], &device);
    let c = tensor(&[0.5, 0.25, 2.0, 10.0], [4], &device);
    let expected = [60.0, 6.0, 79.0, 10.0, 80.0];
    for dilation in [Dilation::Zeropad, Dilation::Kronecker] {
        let kernel = dense_kernel(w.clone(), c.clone(), &space, 1, dilation);
        assert_eq!(kernel.dims(), [1, 1, 5]);
        assert_eq!(values(kernel), expected, "{dilation:?}");
    }
    let plan = |n| Arc::new(MixPlan::new(&space, 1, [1, n]));
    for engine in [Engine::Native, Engine::Composed] {
        let mix = |n| values(agg_mix(w.clone(), c.clone(), &plan(n), engine).unwrap());
        assert_eq!(mix(3), expected, "{engine:?}");
        // On two elements the taps at ±2 read only padding and are left out.
        assert_eq!(mix(2), expected[1..4], "{engine:?}");
    }
}

/// K = {3}, D = {1, 2} in two dimensions: a 5×5 kernel whose odd rows and columns contain only the candidate without
/// dilation.
#[test]
fn in_two_dimensions() {
    let device = device();
    let space = KernelSpace::new([3], [1, 2]).unwrap();
    let w: Vec<f32> = (1..=18).map(|v| v as f32).collect();
    let w = tensor(&w, [1, 1, 18], &device);
    let c = tensor(&[1.0, 100.0], [2], &device);
    #[rustfmt::skip]
    let expected = [
        1000.0, 0.0, 1100.0, 0.0, 1200.0,
           0.0, 1.0,    2.0, 3.0,    0.0,
        1300.0, 4.0, 1405.0, 6.0, 1500.0,
           0.0, 7.0,    8.0, 9.0,    0.0,
        1600.0, 0.0, 1700.0, 0.0, 1800.0,
    ];
    for dilation in [Dilation::Zeropad, Dilation::Kronecker] {
        assert_eq!(values(dense_kernel(w.clone(), c.clone(), &space, 2, dilation)), expected, "{dilation:?}");
    }
    for engine in [Engine::Native, Engine::Composed] {
        let plan = Arc::new(MixPlan::new(&space, 2, [9, 9]));
        let kernel = agg_mix(w.clone(), c.clone(), &plan, engine).unwrap();
        assert_eq!(values(kernel), expected.into_iter().filter(|&v| v != 0.0).collect::<Vec<_>>(), "{engine:?}");
    }
}

/// The union kernel equals the dense kernel without its zeros, for each pair of channels.
#[test]
fn union_and_dense_kernels_agree() {
    let device = device();
    for (space, dims) in [(KernelSpace::for_1d(), 1), (KernelSpace::baby(), 2)] {
        let t = space.weights_per_channel_pair(dims);
        let w = tensor(&noise(3 * 2 * t, 1), [3, 2, t], &device);
        let c = tensor(&noise(space.len(), 2), [space.len()], &device);
        let plan = Arc::new(MixPlan::new(&space, dims, [if dims == 1 { 1 } else { 1000 }, 1000]));
        let union = values(agg_mix(w.clone(), c.clone(), &plan, Engine::Native).unwrap());
        let dense = values(dense_kernel(w, c, &space, dims, Dilation::Zeropad));
        let box_taps = dense_taps(&space, dims);
        for pair in 0..6 {
            let mut rest = dense[pair * box_taps.len()..][..box_taps.len()].to_vec();
            for (u, &offset) in plan.taps().offsets().iter().enumerate() {
                let at = box_taps.position(offset).unwrap();
                let (a, b) = (union[pair * plan.taps().len() + u], std::mem::take(&mut rest[at]));
                assert!((a - b).abs() < 1e-5, "pair {pair}, offset {offset:?}: {a} {b}");
            }
            assert!(rest.iter().all(|&v| v == 0.0));
        }
    }
}
