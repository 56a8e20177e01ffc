//! The networks of all backbones are compared with the same networks written out by hand, layer by layer: the initial
//! weights, and in training the outputs and gradients, are bit-identical.

use aggconv::maps::ops as maps;
use aggconv::nn::{KernelConv, KernelConvConfig};
use aggconv::norm::NormAct;
use aggconv::pointwise::ops::gelu;
use aggconv::pointwise::{LayerNorm, LayerScale};
use aggconv::{Candidate, KernelSpace};
use burn::module::Param;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, TensorData, activation, module};
use dashnas_core::names::BackboneName;
use dashnas_core::names::BackboneName::{ConvNextAtto, ConvNextT, InceptionTime, ResNet1d, Tcn, UNet, Wrn1d, Wrn2d};
use dashnas_core::rng::{Seed, Stream, normal, uniform};
use dashnas_nn::backbone::by_name;
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::graph::build::GraphBuilder;
use dashnas_nn::model::{count_parameters, fill, parameters};
use dashnas_nn::network::{Kernels, Network, Pass, training_device};
use dashnas_nn::parameters::{Parameter, Parameters};
use rand::Rng;

const DROPOUT: f64 = 0.25;

/// The layers of a network in the order in which they draw their weights.
struct ByHand {
    dims: usize,
    weights: Parameters,
    /// The numbers of convolutions, pointwise convolutions, normalizations, patches, layer normalizations and factors so
    /// far.
    counts: [usize; 6],
    kernels: Vec<[usize; 2]>,
    dropout: f64,
    /// Where the initial weights come from; `None` if they are only looked up.
    drawn: Option<Stream>,
    noise: Stream,
    device: Device,
}

impl ByHand {
    fn next(&mut self, kind: usize) -> usize {
        self.counts[kind] += 1;
        self.counts[kind] - 1
    }

    /// Returns the values of this parameter, which must be the next random numbers.
    fn draw(&mut self, name: &str, bound: f64) -> Vec<f32> {
        let parameter = &self.weights[name];
        let Some(drawn) = &mut self.drawn else { return parameter.values.clone() };
        let values = uniform(parameter.values.len(), bound, drawn);
        assert!(values == parameter.values, "{name} is drawn in another place");
        values
    }

    fn convolution(
        &mut self,
        name: &str,
        channels: [usize; 2],
        [k, d]: [usize; 2],
        [stride, groups]: [usize; 2],
    ) -> KernelConv {
        let config = KernelConvConfig::new(channels, k).with_dims(self.dims).with_dilation(d).with_stride(stride);
        self.initialized(name, config.with_groups(groups), channels[1])
    }

    fn initialized(&mut self, name: &str, config: KernelConvConfig, c_out: usize) -> KernelConv {
        let mut conv = config.init(&self.device);
        let shape = conv.weight.dims();
        let bound = 1.0 / ((shape[1] * shape[2]) as f64).sqrt();
        let weight = TensorData::new(self.draw(&format!("{name}.weight"), bound), shape);
        let bias = TensorData::new(self.draw(&format!("{name}.bias"), bound), [c_out]);
        conv.weight = Param::from_data(weight, &self.device);
        conv.bias = Some(Param::from_data(bias, &self.device));
        conv
    }

    fn conv(&mut self, x: Tensor<4>, c_out: usize, stride: usize) -> Tensor<4> {
        self.grouped(x, c_out, stride, 1)
    }

    fn grouped(&mut self, x: Tensor<4>, c_out: usize, stride: usize, groups: usize) -> Tensor<4> {
        let index = self.next(0);
        let kernel = self.kernels[index];
        self.convolution(&format!("convs.{index}"), [x.dims()[1], c_out], kernel, [stride, groups]).forward(x)
    }

    fn pointwise(&mut self, x: Tensor<4>, c_out: usize, stride: usize) -> Tensor<4> {
        let index = self.next(1);
        self.convolution(&format!("pointwise.{index}"), [x.dims()[1], c_out], [1, 1], [stride, 1]).forward(x)
    }

    fn norm(&mut self, x: Tensor<4>, relu: bool) -> Tensor<4> {
        let index = self.next(2);
        let channels = x.dims()[1];
        assert_eq!(self.weights[&format!("norms.{index}.gamma")].values, vec![1.0; channels]);
        NormAct::new(channels, &self.device).forward(x, relu)
    }

    fn patches(&mut self, x: Tensor<4>, c_out: usize, size: usize) -> Tensor<4> {
        let name = format!("unsearched.{}", self.next(3));
        let config = KernelConvConfig::new([x.dims()[1], c_out], size).with_stride(size).with_patches(true);
        self.initialized(&name, config, c_out).forward(x)
    }

    fn layer_norm(&mut self, x: Tensor<4>) -> Tensor<4> {
        let index = self.next(4);
        let channels = x.dims()[1];
        assert_eq!(self.weights[&format!("layer_norms.{index}.gamma")].values, vec![1.0; channels]);
        assert_eq!(self.weights[&format!("layer_norms.{index}.beta")].values, vec![0.0; channels]);
        LayerNorm::new(channels, &self.device).forward(x)
    }

    fn layer_scale(&mut self, x: Tensor<4>) -> Tensor<4> {
        let index = self.next(5);
        let channels = x.dims()[1];
        assert_eq!(self.weights[&format!("layer_scales.{index}.factor")].values, vec![0.1; channels]);
        LayerScale::new(channels, 0.1, &self.device).forward(x)
    }

    fn convnext_block(&mut self, x: Tensor<4>) -> Tensor<4> {
        let c = x.dims()[1];
        let input = x.clone();
        let x = self.grouped(x, c, 1, c);
        let x = self.layer_norm(x);
        let x = self.pointwise(x, 4 * c, 1);
        let x = gelu(x);
        let x = self.pointwise(x, c, 1);
        let x = self.layer_scale(x);
        let x = self.dropout(x);
        maps::add(x, input).expect("one shape")
    }

    /// A ConvNeXt for small images, whose stem leaves the grid as it is.
    fn convnext(&mut self, x: Tensor<4>, m: usize, depths: [usize; 4], dense: bool) -> Tensor<4> {
        let x = self.pointwise(x, m, 1);
        let mut x = self.layer_norm(x);
        let mut stages = Vec::new();
        for (stage, depth) in depths.into_iter().enumerate() {
            if stage > 0 {
                x = self.layer_norm(x);
                x = self.patches(x, m << stage, 2);
            }
            for _ in 0..depth {
                x = self.convnext_block(x);
            }
            stages.push(x.clone());
        }
        if dense {
            for stage in (0..3).rev() {
                let value = stages[stage].clone();
                x = finer(x, &value);
                x = self.pointwise(x, m << stage, 1);
                x = maps::add(x, value).expect("one shape");
                x = self.convnext_block(x);
            }
            self.layer_norm(x)
        } else {
            let [n, c, ..] = x.dims();
            let means = maps::mean_positions(x).expect("positions").reshape([n, c, 1, 1]);
            self.layer_norm(means)
        }
    }

    fn dropout(&mut self, x: Tensor<4>) -> Tensor<4> {
        if self.dropout == 0.0 {
            return x;
        }
        let shape = x.dims();
        let threshold = (self.dropout * 4_294_967_296.0) as u32;
        let keep = (1.0 / (1.0 - self.dropout)) as f32;
        let mask = |_| if self.noise.next_u32() < threshold { 0.0 } else { keep };
        let mask: Vec<f32> = (0..shape.iter().product::<usize>()).map(mask).collect();
        x * Tensor::<4>::from_data(TensorData::new(mask, shape), &self.device)
    }

    fn wrn_1d(&mut self, mut x: Tensor<4>, base: usize) -> Tensor<4> {
        for c in [base, 2 * base, 2 * base] {
            let input = x.clone();
            for _ in 0..3 {
                x = self.conv(x, c, 1);
                x = self.dropout(x);
                x = self.norm(x, true);
            }
            let shortcut = if input.dims()[1] == c {
                input
            } else {
                let y = self.pointwise(input, c, 1);
                self.norm(y, false)
            };
            x = maps::add(x, shortcut).expect("one shape");
        }
        x
    }

    fn wrn_2d(&mut self, x: Tensor<4>, width: usize, dense: bool) -> Tensor<4> {
        let mut x = self.conv(x, 16, 1);
        let strides = if dense { [1; 6] } else { [1, 1, 2, 1, 2, 1] };
        for (block, stride) in strides.into_iter().enumerate() {
            let c = (16 * width) << (block / 2);
            let input = x.clone();
            x = self.norm(x, true);
            x = self.conv(x, c, 1);
            x = self.dropout(x);
            x = self.norm(x, true);
            x = self.conv(x, c, stride);
            let same = stride == 1 && input.dims()[1] == c;
            let shortcut = if same { input } else { self.pointwise(input, c, stride) };
            x = maps::add(x, shortcut).expect("one shape");
        }
        self.norm(x, true)
    }

    /// A convolution with what follows it in most networks.
    fn conv_norm_relu(&mut self, x: Tensor<4>, c: usize) -> Tensor<4> {
        let x = self.conv(x, c, 1);
        let x = self.dropout(x);
        self.norm(x, true)
    }

    fn inception_time(&mut self, mut x: Tensor<4>, m: usize) -> Tensor<4> {
        for _ in 0..2 {
            let input = x.clone();
            for _ in 0..3 {
                let narrow = if x.dims()[1] > 1 { self.pointwise(x.clone(), m, 1) } else { x.clone() };
                let mut branches: Vec<_> = (0..3).map(|_| self.conv(narrow.clone(), m, 1)).collect();
                let pool = MaxPoolOptions::new([1, 3]).with_stride([1, 1]).with_padding([0, 1]);
                branches.push(self.pointwise(module::max_pool2d(x, pool), m, 1));
                x = self.dropout(Tensor::cat(branches, 1));
                x = self.norm(x, true);
            }
            let shortcut = self.pointwise(input, 4 * m, 1);
            let shortcut = self.norm(shortcut, false);
            x = activation::relu(maps::add(x, shortcut).expect("one shape"));
        }
        x
    }

    fn unet(&mut self, mut x: Tensor<4>, m: usize) -> Tensor<4> {
        let mut down = Vec::new();
        for level in 0..3 {
            x = self.conv_norm_relu(x, m << level);
            x = self.conv_norm_relu(x, m << level);
            down.push(x.clone());
            // Windows at an odd end have one position.
            x = x.pad([(0, 1), (0, 1)], burn::tensor::ops::PadMode::Constant(f32::NEG_INFINITY));
            x = module::max_pool2d(x, MaxPoolOptions::new([2, 2]));
        }
        x = self.conv_norm_relu(x, 8 * m);
        x = self.conv_norm_relu(x, 8 * m);
        for (level, skip) in down.into_iter().enumerate().rev() {
            x = finer(x, &skip);
            x = self.pointwise(x, m << level, 1);
            x = Tensor::cat(vec![skip, x], 1);
            x = self.conv_norm_relu(x, m << level);
            x = self.conv_norm_relu(x, m << level);
        }
        x
    }

    /// A causal convolution is a centered one of the input with zeros before it, without its last outputs.
    fn causal(&mut self, x: Tensor<4>, c: usize) -> Tensor<4> {
        let [k, d] = self.kernels[self.counts[0]];
        let [n, _, _, w] = x.dims();
        let padded = x.pad([((k - 1) / 2 * d, 0)], burn::tensor::ops::PadMode::Constant(0.0));
        let y = self.conv(padded, c, 1).slice([0..n, 0..c, 0..1, 0..w]);
        let y = self.dropout(y);
        self.norm(y, true)
    }

    fn tcn(&mut self, mut x: Tensor<4>, c: usize) -> Tensor<4> {
        for _ in 0..8 {
            let input = x.clone();
            x = self.causal(x, c);
            x = self.causal(x, c);
            let shortcut = if input.dims()[1] == c { input } else { self.pointwise(input, c, 1) };
            x = activation::relu(maps::add(x, shortcut).expect("one shape"));
        }
        x
    }

    fn resnet_1d(&mut self, x: Tensor<4>, m: usize, dense: bool) -> Tensor<4> {
        let x = self.conv(x, m, 1);
        let mut x = self.norm(x, true);
        for block in 0..16 {
            let (input, c) = (x.clone(), m << (block / 4));
            let halves = block % 2 == 1 && !dense;
            if block > 0 {
                x = self.norm(x, true);
                x = self.dropout(x);
            }
            x = self.grouped(x, c, if halves { 2 } else { 1 }, m / 2);
            x = self.norm(x, true);
            x = self.dropout(x);
            x = self.grouped(x, c, 1, m / 2);
            let mut shortcut = input;
            if halves {
                // A window at an odd end has one position.
                shortcut = shortcut.pad([(0, 1)], burn::tensor::ops::PadMode::Constant(f32::NEG_INFINITY));
                shortcut = module::max_pool2d(shortcut, MaxPoolOptions::new([1, 2]));
            }
            if shortcut.dims()[1] != c {
                shortcut = self.pointwise(shortcut, c, 1);
            }
            x = maps::add(x, shortcut).expect("one shape");
        }
        self.norm(x, true)
    }

    /// The network of a backbone without its head, with the smallest numbers of channels for the width.
    fn features(&mut self, backbone: BackboneName, x: Tensor<4>, width: usize, dense: bool) -> Tensor<4> {
        match backbone {
            Wrn1d => self.wrn_1d(x, 2 * width),
            Wrn2d => self.wrn_2d(x, width, dense),
            InceptionTime => self.inception_time(x, 2 * width),
            UNet => self.unet(x, 8 * width),
            ResNet1d => self.resnet_1d(x, 2 * width, dense),
            ConvNextAtto => self.convnext(x, 2 * width, [2, 2, 6, 2], dense),
            ConvNextT => self.convnext(x, 2 * width, [3, 3, 9, 3], dense),
            Tcn => {
                let x = self.tcn(x, 2 * width);
                let [n, c, h, w] = x.dims();
                if dense { x } else { x.slice([0..n, 0..c, 0..h, w - 1..w]) }
            }
        }
    }

    fn head(&mut self, x: Tensor<4>, dense: bool) -> Tensor<3> {
        let [n, c, h, w] = x.dims();
        let outputs = self.weights["head_bias"].values.len();
        let bound = 1.0 / (c as f64).sqrt();
        let weight = TensorData::new(self.draw("head_weight", bound), [c, outputs]);
        let bias = TensorData::new(self.draw("head_bias", bound), [1, outputs]);
        let (weight, bias) = (Tensor::from_data(weight, &self.device), Tensor::from_data(bias, &self.device));
        if dense {
            let y = x.reshape([n, c, h * w]).swap_dims(1, 2).reshape([n * h * w, c]).matmul(weight) + bias;
            y.reshape([n, h * w, outputs]).swap_dims(1, 2)
        } else {
            (maps::mean_positions(x).expect("positions").matmul(weight) + bias).reshape([n, outputs, 1])
        }
    }
}

/// Each position twice on both axes, up to the size of another value.
fn finer(x: Tensor<4>, like: &Tensor<4>) -> Tensor<4> {
    let [_, _, h, w] = like.dims();
    let [n, c, coarse_h, coarse_w] = x.dims();
    let [rows, columns] = [2.min(h), 2.min(w)];
    let repeated = x.reshape([n, c, coarse_h, 1, coarse_w, 1]).expand([n, c, coarse_h, rows, coarse_w, columns]);
    repeated.reshape([n, c, coarse_h * rows, coarse_w * columns]).slice([0..n, 0..c, 0..h, 0..w])
}

fn bits<const D: usize>(x: Tensor<D>) -> Vec<u32> {
    x.into_data().try_to_vec::<f32>().expect("floats").into_iter().map(f32::to_bits).collect()
}

/// The bits of a training pass: the outputs, and the gradient of the sum of their squares with respect to the inputs.
fn trained(x: Tensor<4>, forward: impl FnOnce(Tensor<4>) -> Tensor<3>) -> [Vec<u32>; 2] {
    let x = x.require_grad();
    let y = forward(x.clone());
    let gradients = (y.clone() * y.clone()).sum().backward();
    [bits(y), bits(x.grad(&gradients).expect("it was asked for"))]
}

fn compare(backbone: BackboneName, dense: bool, width: usize) {
    let (channels, outputs, [h, w]) = (3, 5, if backbone.dims() == 1 { [1, 23] } else { [9, 6] });
    let shape =
        NetworkSpec { channels, outputs, dense, width, base: Some(2 * width), extent: 32, plain_kernels: &[7, 5, 3] };
    let graph = by_name(backbone).graph(shape);
    let kernels: Vec<[usize; 2]> =
        [[3, 1], [5, 3], [7, 2], [1, 1]].into_iter().cycle().take(graph.plain_kernels().len()).collect();
    let device = training_device(backbone.dims());
    let [init, noise] = ["init", "noise"].map(|name| Seed(3).stream(name, &[]));
    let network = Network::new(&graph, &Kernels::Fixed(kernels.clone()), &mut init.clone(), &device);
    let x = normal(2 * channels * h * w, 1.0, &mut Seed(3).stream("x", &[]));
    let x = Tensor::<4>::from_data(TensorData::new(x, [2, channels, h, w]), &device);
    let found = trained(x.clone(), |x| {
        let mut noise = noise.clone();
        network.forward(x, &mut Pass { noise: Some(&mut noise), temperature: 1.0, dropout: DROPOUT, path: None })
    });
    let weights = parameters(&network);
    let mut by_hand = ByHand {
        dims: backbone.dims(),
        weights,
        counts: [0; 6],
        kernels,
        dropout: DROPOUT,
        drawn: Some(init),
        noise,
        device,
    };
    let expected = trained(x, |x| {
        let features = by_hand.features(backbone, x, width, dense);
        by_hand.head(features, dense)
    });
    assert!(found == expected, "{backbone:?}, dense {dense}, width {width}: other bits");
}

/// The weights of one path of a supernet: the center of the largest kernel of its dilation, scaled to equal variance.
fn path_weights(weights: &mut Parameters, kernels: &[[usize; 2]], space: &KernelSpace, dims: usize) {
    for (index, &[k, d]) in kernels.iter().enumerate() {
        let all = weights.get_mut(&format!("convs.{index}.weight")).expect("a searched layer");
        let (dilation, largest) = (space.dilations().iter().position(|&o| o == d).expect("in the space"), 7);
        let [c_out, c_in] = [all.shape[1], all.shape[2]];
        let side = (largest - k) / 2;
        let rows = if dims == 2 { side..side + k } else { 0..1 };
        let taps = if dims == 2 { largest * largest } else { largest };
        let scale = (largest as f32 / k as f32).powi(dims as i32).sqrt();
        let mut values = Vec::new();
        for pair in 0..c_out * c_in {
            for row in rows.clone() {
                for column in side..side + k {
                    let at = (dilation * c_out * c_in + pair) * taps + row * largest + column;
                    values.push(scale * all.values[at]);
                }
            }
        }
        *all = Parameter { shape: vec![c_out, c_in, k.pow(dims as u32)], values };
    }
}

#[test]
fn a_path_of_a_supernet_is_the_network_of_its_kernels() {
    let space = KernelSpace::new([3, 7], [1, 2, 3]).expect("a space");
    for backbone in BackboneName::ALL {
        let (channels, outputs, width, [h, w]) = (3, 5, 1, if backbone.dims() == 1 { [1, 23] } else { [9, 6] });
        let spec = NetworkSpec {
            channels,
            outputs,
            dense: false,
            width,
            base: Some(2),
            extent: 32,
            plain_kernels: &[7, 5, 3],
        };
        let graph = by_name(backbone).graph(spec);
        let device = training_device(backbone.dims());
        let shared = Kernels::Shared { space: space.clone() };
        let network = Network::new(&graph, &shared, &mut Seed(3).stream("init", &[]), &device);
        // The size 5 is not in the space, but smaller than its largest one.
        let kernels: Vec<[usize; 2]> =
            [[3, 1], [5, 3], [7, 2], [3, 3]].into_iter().cycle().take(graph.plain_kernels().len()).collect();
        let path: Vec<Candidate> = kernels.iter().map(|&[k, d]| Candidate::new(k, d).expect("odd")).collect();
        let x = normal(2 * channels * h * w, 1.0, &mut Seed(3).stream("x", &[]));
        let x = Tensor::<4>::from_data(TensorData::new(x, [2, channels, h, w]), &device);
        let found = trained(x.clone(), |x| network.forward(x, &mut Pass::of_path(&path)));
        let mut weights = parameters(&network);
        path_weights(&mut weights, &kernels, &space, backbone.dims());
        let noise = Seed(3).stream("noise", &[]);
        let mut by_hand = ByHand {
            dims: backbone.dims(),
            weights,
            counts: [0; 6],
            kernels,
            dropout: 0.0,
            drawn: None,
            noise,
            device,
        };
        let expected = trained(x, |x| {
            let features = by_hand.features(backbone, x, width, false);
            by_hand.head(features, false)
        });
        assert!(found == expected, "{backbone:?}: other bits");
        // Without a path, every layer draws one, the same from the same stream.
        let drawn = |seed| {
            let mut noise = Seed(seed).stream("noise", &[]);
            let x = normal(2 * channels * h * w, 1.0, &mut Seed(4).stream("x", &[]));
            let x = Tensor::<4>::from_data(TensorData::new(x, [2, channels, h, w]), &by_hand.device);
            bits(network.forward(x, &mut Pass { noise: Some(&mut noise), ..Pass::evaluation(1.0) }))
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}

#[test]
fn networks_are_those_written_out_by_hand() {
    for backbone in BackboneName::ALL {
        for dense in [false, true] {
            for width in [1, 2] {
                compare(backbone, dense, width);
            }
        }
    }
}

/// A maximum over windows and a value on a finer grid, against loops over positions.
#[test]
fn maxima_and_finer_grids_by_the_definition() {
    let device = Device::flex();
    for (kernel, stride) in [(2, 2), (3, 1), (3, 2), (4, 2), (5, 3), (1, 2)] {
        for [h, w] in [[1, 1], [5, 4], [8, 9], [3, 17]] {
            for dims in [1, 2] {
                let h = if dims == 1 { 1 } else { h };
                let mut net = GraphBuilder::new(dims);
                let input = net.input(2);
                let pooled = net.after(input).max_pool(kernel, stride).end();
                let finer = net.resize(pooled, input);
                let both = net.concat(&[finer, input]);
                // The head takes the pooled channels, each for itself.
                let graph = net.finish(both, 2, true);
                let network = Network::new(&graph, &Kernels::Fixed(vec![]), &mut Seed(1).stream("x", &[]), &device);
                let mut all = parameters(&network);
                all.get_mut("head_weight").expect("the head").values = vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
                all.get_mut("head_bias").expect("the head").values = vec![0.0; 2];
                let network = fill(network, all).expect("the same shapes");
                let x = normal(3 * 2 * h * w, 1.0, &mut Seed(2).stream("x", &[]));
                let at = |plane: usize, y: usize, z: usize| x[(plane * h + y) * w + z];
                let window = |p: usize, n: usize| {
                    let from = (p * stride) as isize - ((kernel - 1) / 2) as isize;
                    (from.max(0) as usize)..((from + kernel as isize) as usize).min(n)
                };
                let mut expected = Vec::new();
                for plane in 0..6 {
                    for y in 0..h {
                        for z in 0..w {
                            let rows = if dims == 1 { 0..1 } else { window(y / stride, h) };
                            let of = |y| window(z / stride, w).map(move |z| (y, z));
                            let all = rows.flat_map(of).map(|(y, z)| at(plane, y, z));
                            expected.push(all.fold(f32::NEG_INFINITY, f32::max));
                        }
                    }
                }
                let input = Tensor::<4>::from_data(TensorData::new(x.clone(), [3, 2, h, w]), &device);
                let found = network.forward(input, &mut Pass::evaluation(1.0));
                let found = found.into_data().try_to_vec::<f32>().expect("floats");
                assert_eq!(found, expected, "windows of {kernel} at stride {stride} on {h}×{w}, {dims} axes");
            }
        }
    }
}

#[test]
fn parameters_are_counted_without_a_network() {
    for backbone in BackboneName::ALL {
        for (outputs, k) in [(3, 5), (12, 9)] {
            let plain_kernels = &[7, 5, 3];
            let shape =
                NetworkSpec { channels: 2, outputs, dense: false, width: 2, base: None, extent: 32, plain_kernels };
            let graph = by_name(backbone).graph(shape);
            let kernels = Kernels::Fixed(vec![[k, 3]; graph.searched().len()]);
            let network = Network::new(&graph, &kernels, &mut Seed(0).stream("test", &[]), &Device::flex());
            let params = graph.fixed_params() + graph.searched_params(k);
            assert_eq!(params, count_parameters(&network), "{}", backbone.name());
        }
    }
}
