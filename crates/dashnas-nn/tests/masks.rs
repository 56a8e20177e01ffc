//! Networks for samples with lengths of their own: each sample gets what it would get alone, and the statistics of a
//! batch are those of the positions before the ends.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use dashnas_core::names::BackboneName;
use dashnas_core::names::BackboneName::{ConvNextAtto, InceptionTime, ResNet1d, Tcn, UNet, Wrn1d, Wrn2d};
use dashnas_core::rng::{Seed, uniform};
use dashnas_nn::backbone::by_name;
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::graph::Graph;
use dashnas_nn::model::{fill, parameters};
use dashnas_nn::network::{Kernels, Network, Pass, training_device};
use dashnas_nn::parameters::Parameters;

const CHANNELS: usize = 2;

fn graph(name: BackboneName, dense: bool) -> Graph {
    let spec = NetworkSpec {
        channels: CHANNELS,
        outputs: 3,
        dense,
        width: 1,
        base: Some(4),
        extent: 32,
        plain_kernels: &[7, 5, 3],
    };
    by_name(name).graph(spec)
}

/// A network for samples with lengths of their own, with kernels of several sizes and dilations.
fn network(graph: &Graph, device: &Device) -> Network {
    let kernels = (0..graph.searched().len()).map(|i| [[3, 1], [5, 3], [7, 1], [3, 7], [9, 1]][i % 5]).collect();
    Network::new(graph, &Kernels::Fixed(kernels), &mut Seed(5).stream("masks", &[]), device)
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec::<f32>().unwrap()
}

/// Samples of these lengths and this height, `[CHANNELS, height, length]` each.
fn samples(lengths: &[usize], height: usize) -> Vec<Vec<f32>> {
    let mut stream = Seed(7).stream("masks", &[1]);
    lengths.iter().map(|length| uniform(CHANNELS * height * length, 1.0, &mut stream)).collect()
}

/// A batch of samples of one width: shorter samples are followed by NaN.
fn batch(samples: &[Vec<f32>], height: usize, width: usize, device: &Device) -> Tensor<4> {
    let mut data = Vec::new();
    for sample in samples {
        for line in sample.chunks(sample.len() / (CHANNELS * height)) {
            data.extend_from_slice(line);
            data.extend(std::iter::repeat_n(f32::NAN, width - line.len()));
        }
    }
    Tensor::from_data(TensorData::new(data, [samples.len(), CHANNELS, height, width]), device)
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}, {i}: {a} is not {b}");
    }
}

/// The network with other running statistics than 0 and 1, so that they matter.
fn unlike_new(network: Network) -> Network {
    let mut parameters: Parameters = parameters(&network);
    for (i, (name, parameter)) in parameters.iter_mut().enumerate() {
        let of = |j: usize| ((i * 7 + j * 3) % 5) as f32 * 0.1;
        for (j, value) in parameter.values.iter_mut().enumerate() {
            match name.rsplit('.').next() {
                Some("running_mean" | "beta") => *value = of(j) - 0.3,
                Some("running_var" | "gamma") => *value = 0.7 + of(j),
                _ => {}
            }
        }
    }
    fill(network, parameters).unwrap()
}

#[test]
fn a_sample_in_a_batch_gets_what_it_would_get_alone() {
    let device = Device::flex();
    for (name, height) in
        [(Wrn1d, 1), (InceptionTime, 1), (Tcn, 1), (ResNet1d, 1), (Wrn2d, 5), (UNet, 5), (ConvNextAtto, 5)]
    {
        let whole = graph(name, false);
        let alone = unlike_new(network(&whole, &device));
        let masked = unlike_new(network(&whole.with_mask(true), &device));
        let samples = samples(&[33, 1, 16, 33, 7, 32], height);
        // The width may be that of the longest sample, or more.
        for width in [33, 50] {
            let x = batch(&samples, height, width, &device);
            let found = floats(masked.forward(x, &mut Pass::evaluation(1.0)));
            for (i, sample) in samples.iter().enumerate() {
                let x = batch(std::slice::from_ref(sample), height, sample.len() / (CHANNELS * height), &device);
                let expected = floats(alone.forward(x, &mut Pass::evaluation(1.0)));
                assert_close(&found[3 * i..3 * (i + 1)], &expected, 1e-5, &format!("{name:?}, sample {i} of {width}"));
            }
        }
    }
}

#[test]
fn a_dense_network_keeps_the_positions_of_the_input() {
    let device = Device::flex();
    let whole = graph(Wrn1d, true);
    let alone = unlike_new(network(&whole, &device));
    let masked = unlike_new(network(&whole.with_mask(true), &device));
    let samples = samples(&[20, 9], 1);
    let x = batch(&samples, 1, 24, &device);
    let found = masked.forward(x, &mut Pass::evaluation(1.0));
    assert_eq!(found.dims(), [2, 3, 24]);
    let found = floats(found);
    for (i, length) in [20, 9].into_iter().enumerate() {
        let x = batch(&samples[i..=i], 1, length, &device);
        let expected = floats(alone.forward(x, &mut Pass::evaluation(1.0)));
        for output in 0..3 {
            let line = &found[(i * 3 + output) * 24..][..length];
            assert_close(line, &expected[output * length..(output + 1) * length], 1e-5, "a position");
        }
    }
}

/// The outputs in training, the gradients of the sum of their squares, and the running statistics afterwards.
fn step(graph: &Graph, x: &dyn Fn(&Device) -> Tensor<4>) -> (Vec<f32>, Vec<f32>, Parameters) {
    let device = training_device(graph.dims());
    let network = network(graph, &device);
    let y = network.forward(x(&device), &mut Pass::evaluation(1.0));
    let outputs = floats(y.clone());
    let gradients = y.powi_scalar(2).sum().backward();
    let mut all = Vec::new();
    for conv in network.convs() {
        let dashnas_nn::network::ConvLayer::Fixed(conv) = conv else { panic!("the kernels are fixed") };
        all.extend(floats(conv.weight.val().grad(&gradients).unwrap()));
    }
    // `valid` brings the running statistics up to date.
    (outputs, all, parameters(&network.valid()))
}

#[test]
fn more_padding_changes_nothing_in_training() {
    for (name, height) in
        [(Wrn1d, 1), (InceptionTime, 1), (Tcn, 1), (ResNet1d, 1), (Wrn2d, 4), (UNet, 4), (ConvNextAtto, 4)]
    {
        let graph = graph(name, false).with_mask(true);
        let samples = samples(&[20, 3, 11], height);
        let (outputs, gradients, statistics) = step(&graph, &|device| batch(&samples, height, 20, device));
        let (other, others, again) = step(&graph, &|device| batch(&samples, height, 37, device));
        assert_close(&other, &outputs, 1e-6, "an output");
        assert_close(&others, &gradients, 1e-5, "a gradient");
        for (name, parameter) in &statistics {
            assert_close(&again[name].values, &parameter.values, 1e-6, name);
        }
    }
}

/// The first normalization sees the outputs of the first convolution at the positions before the ends, as many as there
/// are.
#[test]
fn the_statistics_leave_the_padding_out() {
    let graph = graph(Wrn1d, false);
    let samples = samples(&[20, 3, 11], 1);
    let (_, _, found) = step(&graph.clone().with_mask(true), &|device| batch(&samples, 1, 20, device));
    let device = Device::flex();
    let network = network(&graph, &device);
    let dashnas_nn::network::ConvLayer::Fixed(first) = &network.convs()[0] else { panic!("the kernels are fixed") };
    let mut by_channel = vec![Vec::new(); 4];
    for (sample, length) in samples.iter().zip([20, 3, 11]) {
        let values = floats(first.forward(batch(std::slice::from_ref(sample), 1, length, &device)));
        by_channel.iter_mut().zip(values.chunks(length)).for_each(|(all, line)| all.extend_from_slice(line));
    }
    for (c, values) in by_channel.iter().enumerate() {
        let n = values.len() as f64;
        assert_eq!(n, 34.0);
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        let momentum = 0.1;
        assert_close(&[found["norms.0.running_mean"].values[c]], &[(momentum * mean) as f32], 1e-6, "the mean");
        let expected = (1.0 - momentum + momentum * variance) as f32;
        assert_close(&[found["norms.0.running_var"].values[c]], &[expected], 1e-6, "the variance");
    }
}

/// The gradient in a direction of the weights of one layer, against a central difference.
#[test]
fn gradients_agree_with_differences() {
    let graph = graph(Wrn1d, false).with_mask(true);
    let samples = samples(&[12, 3, 9, 12], 1);
    let device = training_device(1);
    let start = network(&graph, &device);
    let loss = |network: &Network| {
        let y = network.forward(batch(&samples, 1, 12, &device), &mut Pass::evaluation(1.0));
        y.powi_scalar(2).sum()
    };
    for layer in [0, 4, 8] {
        let dashnas_nn::network::ConvLayer::Fixed(conv) = &start.convs()[layer] else {
            panic!("the kernels are fixed")
        };
        let gradient = floats(conv.weight.val().grad(&loss(&start).backward()).unwrap());
        // Along the gradient the difference is largest. The step is short because of the kinks of the rectified units;
        // the rounding error of the loss is about 1e-7 of it.
        let size = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let moved = |by: f32| {
            let mut all = parameters(&start);
            let weights = &mut all.get_mut(&format!("convs.{layer}.weight")).unwrap().values;
            weights.iter_mut().zip(&gradient).for_each(|(w, g)| *w += by * g / size);
            floats(loss(&fill(start.clone(), all).unwrap()))[0]
        };
        let difference = (moved(1e-4) - moved(-1e-4)) / 2e-4;
        assert!((difference - size).abs() < 0.005 * size, "layer {layer}: {difference} is not {size}");
    }
}

#[test]
fn a_mask_survives_a_file_and_is_left_out_where_there_is_none() {
    let plain = graph(Wrn1d, false);
    let text = serde_json::to_string(&plain).unwrap();
    assert!(!text.contains("masked"));
    let masked = plain.clone().with_mask(true);
    let again: Graph = serde_json::from_str(&serde_json::to_string(&masked).unwrap()).unwrap();
    assert_eq!(again, masked);
    assert_ne!(again, plain);
}
