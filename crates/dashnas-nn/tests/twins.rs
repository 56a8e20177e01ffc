//! Backbones against the networks of public libraries with the same weights: the numbers of parameters and the outputs.
//! `twins/make.py` wrote the expected outputs.

use burn::tensor::{Device, Tensor, TensorData};
use dashnas_core::names::BackboneName;
use dashnas_core::rng::Seed;
use dashnas_nn::backbone::by_name;
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::model::{count_parameters, fill, parameters};
use dashnas_nn::network::{Kernels, Network, Pass};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The network of a library.
#[derive(Deserialize)]
struct Twin {
    parameters: u64,
    input: [usize; 4],
    outputs: Vec<Vec<f64>>,
}

/// Numbers from −1 to 1, as in `make.py`.
fn numbers(name: &str, count: usize) -> Vec<f64> {
    let seed = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let number = |i: usize| {
        let mut h = seed.wrapping_add((i as u32).wrapping_mul(0x9e37_79b1));
        h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
        h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
        f64::from(h ^ (h >> 16)) / f64::from(1u32 << 31) - 1.0
    };
    (0..count).map(number).collect()
}

/// The values of a parameter, as in `make.py`.
fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let fan_in = |axes: &[usize]| (3.0 / axes.iter().product::<usize>() as f64).sqrt();
    let [shift, factor] = match name.rsplit('.').next().unwrap_or(name) {
        "gamma" | "running_var" => [1.0, 0.5],
        "factor" => [0.5, 0.25],
        "head_weight" => [0.0, fan_in(&shape[..1])],
        "weight" => [0.0, fan_in(&shape[1..])],
        _ => [0.0, 0.2],
    };
    numbers(name, shape.iter().product()).into_iter().map(|u| (shift + factor * u) as f32).collect()
}

#[test]
fn backbones_agree_with_their_twins() {
    let twins: BTreeMap<String, Twin> =
        serde_json::from_str(include_str!("twins/twins.json")).expect("written by make.py");
    let device = Device::flex();
    for (name, twin) in twins {
        let backbone = BackboneName::ALL.into_iter().find(|b| b.name() == name).expect("a backbone");
        let [n, channels, h, w] = twin.input;
        let spec = NetworkSpec {
            channels,
            outputs: twin.outputs[0].len(),
            dense: false,
            width: 1,
            base: None,
            extent: h.min(w),
            plain_kernels: backbone.plain_kernels(),
        };
        let graph = by_name(backbone).graph(spec);
        let kernels = Kernels::Fixed(graph.plain_kernels());
        let network = Network::new(&graph, &kernels, &mut Seed(1).stream("twins", &[]), &device);
        assert_eq!(count_parameters(&network), twin.parameters, "{name}");
        let mut all = parameters(&network);
        all.iter_mut().for_each(|(name, parameter)| parameter.values = values(name, &parameter.shape));
        let network = fill(network, all).expect("the same shapes");
        let x = numbers("input", n * channels * h * w).into_iter().map(|u| u as f32).collect();
        let x = Tensor::<4>::from_data(TensorData::new(x, twin.input), &device);
        let y = network.forward(x, &mut Pass::evaluation(1.0)).into_data().try_to_vec::<f32>().expect("floats");
        let expected = twin.outputs.concat();
        let largest = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        let worst = expected.iter().zip(&y).map(|(a, &b)| (a - f64::from(b)).abs()).fold(0.0, f64::max);
        println!("{name}: {worst:.1e} of {largest:.2}");
        assert!(y.len() == expected.len() && worst <= 1e-4 * largest, "{name}: {y:?} is not {expected:?}");
    }
}
