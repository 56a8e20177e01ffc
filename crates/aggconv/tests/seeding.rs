//! Initialization from a seeded device. Burn's generator belongs to the whole process, so this test has a process of
//! its own: another test that draws at the same time would change the results.

use aggconv::KernelSpace;
use aggconv::nn::AggConvConfig;
use burn::tensor::{Device, Tensor};

fn host<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_to_vec().expect("the engine computes in f32")
}

#[test]
fn a_seeded_device_initializes_the_same_layer() {
    let device = Device::flex().autodiff();
    let init = |seed: u64| {
        device.seed(seed);
        AggConvConfig::new([8, 8], KernelSpace::for_1d()).with_dims(1).init(&device)
    };
    let (a, b, c) = (init(9), init(9), init(10));
    assert_eq!(host(a.weight.val()), host(b.weight.val()));
    assert_ne!(host(a.weight.val()), host(c.weight.val()));
    assert_eq!(a.weight.dims(), [8, 8, 220]);
    // For 14080 draws of N(0, 0.01²), the relative deviation of their mean square is below 1 %.
    let w = host(a.weight.val());
    let std = (w.iter().map(|&w| f64::from(w) * f64::from(w)).sum::<f64>() / w.len() as f64).sqrt();
    assert!((std - 0.01).abs() < 5e-4, "{std}");
    assert!(host(a.alpha.val()).iter().all(|a| a.abs() < 6e-3));
    assert_eq!(host(a.bias.as_ref().unwrap().val()), [0.0; 8]);
}
