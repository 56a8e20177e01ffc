//! A network: a [`Graph`] with its parameters, either a supernet (every convolution an `AggConv` over the kernel space,
//! or a `SharedConv` of which one kernel is used at a time) or a discretized network (every convolution one
//! `Conv_{k,d}`).
//!
//! Data is `[N, C, H, W]` throughout; series have H = 1.

use crate::graph::node::{Convolution, MaxPool, Node, NodeId, Operation, ParameterKind};
use crate::graph::topology::Graph;
use crate::mask::Mask;
use aggconv::maps::ops as maps;
use aggconv::nn::{AggConv, AggConvConfig, KernelConv, KernelConvConfig, SharedConv, SharedConvConfig};
use aggconv::norm::NormAct;
use aggconv::pointwise;
use aggconv::pointwise::{LayerNorm, LayerScale};
use aggconv::{Candidate, Formulation, KernelSpace};
use burn::module::{Module, Param};
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, TensorData, activation, module};
use dashnas_core::rng;
use dashnas_core::rng::Stream;
use rand::{Rng, RngExt};

/// Returns the device on which networks for data of `dims` axes are trained: the CPU, with automatic differentiation.
///
/// In two dimensions activations are large, so the outputs of normalizations are recomputed in the backward pass
/// instead of kept. The results are bit-identical; a step takes a few percent longer and a third less memory.
pub fn training_device(dims: usize) -> Device {
    let device = Device::flex().autodiff();
    if dims == 2 { device.gradient_checkpointing() } else { device }
}

/// The initial factors of [`Operation::LayerScale`]. ConvNeXt begins with 1e-6, from which the short trainings of a search
/// by stochastic gradient descent would hardly move: the gradients of a branch are as small as its factors.
const INITIAL_SCALE: f64 = 0.1;

/// The searched convolutions of a network: mixtures or fixed kernels.
#[derive(Debug, Clone)]
pub enum Kernels {
    /// The mixed operation over a kernel space: the supernet of the search.
    Searched {
        /// The kernel sizes and dilations mixed.
        space: KernelSpace,
        /// The formulation in which the mixture is computed; all of them give the same function.
        formulation: Formulation,
        /// Whether each channel is convolved separately where input and output channels agree.
        depthwise: bool,
        /// Standard deviation of the initial weights w_{k,d}.
        weight_std: f64,
        /// Standard deviation of the initial architecture parameters α.
        alpha_std: f64,
    },
    /// All kernels of a space with shared weights, one of which is used in a pass: a supernet of single paths.
    Shared {
        /// The kernel sizes and dilations.
        space: KernelSpace,
    },
    /// One kernel size and dilation for each searched layer, in order.
    Fixed(Vec<[usize; 2]>),
}

/// One searched convolution.
#[derive(Module, Debug)]
// A network has about a dozen: boxing would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum ConvLayer {
    /// `AggConv_{K,D}`.
    Mixed(AggConv),
    /// One `Conv_{k,d}` at a time, with shared weights.
    Shared(SharedConv),
    /// `Conv_{k,d}`.
    Fixed(KernelConv),
}

/// A network with its parameters.
///
/// Parameters are kept by kind and in the order of the forward pass, so that a file of weights
/// has stable names: `convs.3.weight`, `pointwise.0.bias`, `norms.5.gamma`, `head_weight`.
#[derive(Module, Debug)]
pub struct Network {
    convs: Vec<ConvLayer>,
    pointwise: Vec<KernelConv>,
    unsearched: Vec<KernelConv>,
    norms: Vec<NormAct>,
    layer_norms: Vec<LayerNorm>,
    layer_scales: Vec<LayerScale>,
    /// `[features, outputs]`.
    head_weight: Param<Tensor<2>>,
    /// `[outputs]`.
    head_bias: Param<Tensor<1>>,
    #[module(skip)]
    graph: Graph,
}

/// The settings of a forward pass.
#[derive(Debug)]
pub struct Pass<'a> {
    /// The random numbers of a training step; `None` for an evaluation, without Gumbel noise and dropout.
    pub noise: Option<&'a mut Stream>,
    /// Softmax temperature τ of the mixture.
    pub temperature: f64,
    /// Dropout rate in training.
    pub dropout: f64,
    /// The kernels of a supernet of single paths, one for each searched layer. `None` draws each uniformly from the
    /// space with `noise`.
    pub path: Option<&'a [Candidate]>,
}

impl<'a> Pass<'a> {
    /// Returns the settings of an evaluation.
    pub fn evaluation(temperature: f64) -> Self {
        Pass { noise: None, temperature, dropout: 0.0, path: None }
    }

    /// Returns the settings of an evaluation of one path of a supernet.
    pub fn of_path(path: &'a [Candidate]) -> Self {
        Pass { path: Some(path), ..Pass::evaluation(1.0) }
    }
}

impl Network {
    /// Builds a network on a device, its initial weights drawn from `stream`.
    ///
    /// Convolutions of a discretized network, 1×1 convolutions and the head start at
    /// U(−1/√fan_in, 1/√fan_in); mixed convolutions at N(0, weight_std²) with α at
    /// N(0, alpha_std²).
    ///
    /// # Panics
    /// Panics if `Kernels::Fixed` does not have one kernel for each searched layer, or an even kernel size.
    /// Architectures are checked when they are read.
    pub fn new(graph: &Graph, kernels: &Kernels, stream: &mut Stream, device: &Device) -> Self {
        let (mut convs, mut pointwise, mut unsearched) = (vec![], vec![], vec![]);
        let (mut norms, mut layer_norms, mut layer_scales) = (vec![], vec![], vec![]);
        let dims = graph.dims();
        for (_, node) in graph.nodes() {
            let kind = node.operation.kind();
            match node.operation {
                Operation::Conv(layer) if kind == ParameterKind::Searched => {
                    convs.push(conv(dims, layer, kernels, convs.len(), stream, device));
                }
                Operation::Conv(layer) => {
                    let list = if kind == ParameterKind::Pointwise { &mut pointwise } else { &mut unsearched };
                    list.push(fixed(dims, layer, [layer.kernel, layer.dilation], stream, device));
                }
                Operation::Norm { channels } => norms.push(NormAct::new(channels, device)),
                Operation::LayerNorm { channels } => layer_norms.push(LayerNorm::new(channels, device)),
                Operation::LayerScale { channels } => {
                    layer_scales.push(LayerScale::new(channels, INITIAL_SCALE, device));
                }
                _ => {}
            }
        }
        if let Kernels::Fixed(list) = kernels {
            assert_eq!(list.len(), convs.len(), "one kernel for each searched layer");
        }
        let [features, outputs] = graph.head();
        let bound = 1.0 / (features as f64).sqrt();
        let weight = rng::uniform(features * outputs, bound, stream);
        let bias = rng::uniform(outputs, bound, stream);
        Self {
            convs,
            pointwise,
            unsearched,
            norms,
            layer_norms,
            layer_scales,
            head_weight: Param::from_data(TensorData::new(weight, [features, outputs]), device),
            head_bias: Param::from_data(TensorData::new(bias, [outputs]), device),
            graph: graph.clone(),
        }
    }

    /// Returns the graph of the network.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Returns the searched convolutions, in the order of the forward pass.
    pub fn convs(&self) -> &[ConvLayer] {
        &self.convs
    }

    /// Runs the network.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, outputs, positions]`; `positions` is 1 for a point head and H·W
    /// for a dense one. If the graph has a mask, shorter samples are NaN after their ends, along W.
    ///
    /// # Panics
    /// Panics if `x` does not have the channels of the graph, or has no position; and in a supernet of single paths, if
    /// a kernel of the path is not a part of its layer, or if the pass has neither a path nor noise.
    pub fn forward(&self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<3> {
        let dims = self.graph.dims();
        let mut values = NodeValues::new(&self.graph);
        let (x, mask) = if self.graph.is_masked() { Mask::of(x, self.graph.is_dense()) } else { (x, None) };
        let mask = mask.as_ref();
        let mut input = Some(x);
        for (id, node) in self.graph.nodes() {
            let mut take = |input: usize| values.take(id, node, input);
            let value = match &node.operation {
                Operation::Input { .. } => input.take().unwrap_or_else(|| unreachable!("a graph has one input")),
                Operation::Conv(_) => {
                    let value = self.convolve(id, take(0), pass);
                    match mask {
                        Some(mask) if self.graph.is_masked_after(id) => mask.cleared(value, self.graph.stride(id)),
                        _ => value,
                    }
                }
                // A ReLU that is the only user of a normalization is computed with it, in one pass.
                Operation::Norm { .. } => {
                    let relu = self.graph.fused_relu(id).is_some();
                    let norm = &self.norms[self.graph.index(id)];
                    match mask {
                        Some(mask) => mask.within(take(0), self.graph.stride(id), |x| norm.forward(x, relu)),
                        None => norm.forward(take(0), relu),
                    }
                }
                Operation::LayerNorm { .. } => {
                    let value = self.layer_norms[self.graph.index(id)].forward(take(0));
                    match mask {
                        Some(mask) if self.graph.is_masked_after(id) => mask.cleared(value, self.graph.stride(id)),
                        _ => value,
                    }
                }
                Operation::LayerScale { .. } => self.layer_scales[self.graph.index(id)].forward(take(0)),
                Operation::Gelu => pointwise::ops::gelu(take(0)),
                Operation::Relu if self.graph.fused_relu(node.inputs[0]).is_some() => take(0),
                Operation::Relu => activation::relu(take(0)),
                Operation::Dropout => dropout(take(0), pass),
                Operation::Sum => (1..node.inputs.len()).fold(take(0), |sum, i| add(sum, take(i))),
                Operation::Concat => Tensor::cat((0..node.inputs.len()).map(take).collect(), 1),
                Operation::MaxPool(pool) => match mask {
                    Some(mask) => {
                        let pooled = max_pool(mask.lowered(take(0), self.graph.stride(node.inputs[0])), *pool, dims);
                        mask.cleared(pooled, self.graph.stride(id))
                    }
                    None => max_pool(take(0), *pool, dims),
                },
                Operation::Resize => {
                    let times = self.graph.stride(node.inputs[0]) / self.graph.stride(id);
                    let value = take(0);
                    let resized = resize(value, times, take(1).dims(), dims);
                    match mask {
                        Some(mask) if self.graph.is_masked_after(id) => mask.cleared(resized, self.graph.stride(id)),
                        _ => resized,
                    }
                }
                Operation::Mean => match mask {
                    Some(mask) => mask.mean(take(0), self.graph.stride(node.inputs[0])),
                    None => mean(take(0)),
                },
                Operation::Last => match mask {
                    Some(mask) => mask.last(take(0), self.graph.stride(node.inputs[0])),
                    None => {
                        let value = take(0);
                        let [n, c, h, w] = value.dims();
                        value.slice([0..n, 0..c, 0..h, w - 1..w])
                    }
                },
                Operation::Linear { .. } => return self.head(take(0)),
            };
            values.put(id, value);
        }
        unreachable!("a graph ends with a linear map")
    }

    fn convolve(&self, id: NodeId, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let index = self.graph.index(id);
        match self.graph.node(id).operation.kind() {
            ParameterKind::Searched => self.convs[index].forward(x, index, pass),
            ParameterKind::Pointwise => self.pointwise[index].forward(x),
            _ => self.unsearched[index].forward(x),
        }
    }

    fn head(&self, x: Tensor<4>) -> Tensor<3> {
        let [n, c, h, w] = x.dims();
        let outputs = self.head_bias.val().dims()[0];
        if self.graph.is_dense() {
            // A linear map at every position.
            let y = x.reshape([n, c, h * w]).swap_dims(1, 2).reshape([n * h * w, c]).matmul(self.head_weight.val());
            let y = y + self.head_bias.val().reshape([1, outputs]);
            y.reshape([n, h * w, outputs]).swap_dims(1, 2)
        } else {
            let y = x.reshape([n, c]).matmul(self.head_weight.val()) + self.head_bias.val().reshape([1, outputs]);
            y.reshape([n, outputs, 1])
        }
    }
}

/// The values of the nodes evaluated so far, each kept until its last use.
struct NodeValues<'a> {
    graph: &'a Graph,
    values: Vec<Option<Tensor<4>>>,
}

impl<'a> NodeValues<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self { graph, values: vec![None; graph.nodes().len()] }
    }

    fn put(&mut self, id: NodeId, value: Tensor<4>) {
        self.values[id.0] = Some(value);
    }

    /// Returns the value of one of a node's inputs. After its last use the value is no longer kept here, so that its
    /// memory can be reused.
    fn take(&mut self, node: NodeId, Node { inputs, .. }: &Node, input: usize) -> Tensor<4> {
        let id = inputs[input];
        let last = self.graph.last_use(id) == node && !inputs[input + 1..].contains(&id);
        let value = &mut self.values[id.0];
        let value = if last { value.take() } else { value.clone() };
        value.unwrap_or_else(|| unreachable!("a value is kept until its last use"))
    }
}

impl ConvLayer {
    /// Runs the layer, which is the searched one of number `index`.
    fn forward(&self, x: Tensor<4>, index: usize, pass: &mut Pass<'_>) -> Tensor<4> {
        match self {
            ConvLayer::Fixed(conv) => conv.forward(x),
            ConvLayer::Shared(conv) => {
                let candidate = match (pass.path, pass.noise.as_deref_mut()) {
                    (Some(path), _) => path[index],
                    (None, Some(stream)) => conv.space.candidates()[stream.random_range(0..conv.space.len())],
                    (None, None) => panic!("an evaluation of a supernet of single paths needs a path"),
                };
                conv.forward(x, candidate)
            }
            ConvLayer::Mixed(conv) => {
                let noise = pass.noise.as_deref_mut().map(|stream| {
                    let candidates = conv.space.len();
                    Tensor::from_data(TensorData::new(rng::gumbel(candidates, stream), [candidates]), &x.device())
                });
                let mixing = conv.mixing(noise, pass.temperature);
                conv.forward_mixed(x, mixing)
            }
        }
    }
}

fn add(x: Tensor<4>, y: Tensor<4>) -> Tensor<4> {
    maps::add(x, y).unwrap_or_else(|error| panic!("{error}"))
}

/// Computes the maximum over windows, on the last axis only if the data has one axis.
fn max_pool(x: Tensor<4>, pool: MaxPool, dims: usize) -> Tensor<4> {
    let [before, after] = pool.padding();
    let axis = |size: usize, of_one: usize| if dims == 1 { [of_one, size] } else { [size, size] };
    let mut options = MaxPoolOptions::new(axis(pool.kernel, 1)).with_stride(axis(pool.stride, 1));
    options.padding = [if dims == 1 { (0, 0) } else { (before, after) }, (before, after)];
    module::max_pool2d(x, options)
}

/// Repeats each position `times` times on each axis of the data, and cuts off what is beyond the positions of `like`.
fn resize(x: Tensor<4>, times: usize, like: [usize; 4], dims: usize) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let [_, _, to_h, to_w] = like;
    // A grid that is coarser than the whole input has one position.
    let (rows, columns) = (if dims == 1 { 1 } else { times.min(to_h) }, times.min(to_w));
    let repeated = x.reshape([n, c, h, 1, w, 1]).expand([n, c, h, rows, w, columns]);
    repeated.reshape([n, c, h * rows, w * columns]).slice([0..n, 0..c, 0..to_h, 0..to_w])
}

/// Computes the mean over all positions, `[N, C, H, W]` to `[N, C, 1, 1]`.
fn mean(x: Tensor<4>) -> Tensor<4> {
    let means = maps::mean_positions(x).unwrap_or_else(|error| panic!("{error}"));
    let [n, c] = means.dims();
    means.reshape([n, c, 1, 1])
}

/// Applies inverted dropout: elements become zero with probability p, and the others are scaled by 1/(1 − p).
fn dropout(x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
    let (p, Some(stream)) = (pass.dropout, pass.noise.as_deref_mut()) else { return x };
    if p <= 0.0 {
        return x;
    }
    let shape = x.dims();
    let threshold = (p * 4_294_967_296.0) as u32;
    let keep = (1.0 / (1.0 - p)) as f32;
    let mask: Vec<f32> =
        (0..shape.iter().product::<usize>()).map(|_| if stream.next_u32() < threshold { 0.0 } else { keep }).collect();
    let mask = Tensor::<4>::from_data(TensorData::new(mask, shape), &x.device());
    x * mask
}

fn conv(
    dims: usize,
    layer: Convolution,
    kernels: &Kernels,
    index: usize,
    stream: &mut Stream,
    device: &Device,
) -> ConvLayer {
    let Convolution { channels, stride, groups, .. } = layer;
    // The offsets of a configuration's kernels are far below the limit of a causal space.
    let of = |space: &KernelSpace| match layer.causal {
        true => space.clone().causal().unwrap_or_else(|error| panic!("the kernels of a causal network: {error}")),
        false => space.clone(),
    };
    match kernels {
        Kernels::Fixed(list) => ConvLayer::Fixed(fixed(dims, layer, list[index], stream, device)),
        Kernels::Shared { space } => {
            let space = of(space);
            let config = SharedConvConfig::new(channels, space).with_dims(dims).with_stride(stride);
            let mut conv = config.with_groups(groups).init(device);
            let shape = conv.weight.dims();
            let bound = 1.0 / ((shape[2] * shape[3]) as f64).sqrt();
            let weights = rng::uniform(shape.iter().product(), bound, stream);
            conv.weight = Param::from_data(TensorData::new(weights, shape), device);
            let bias = rng::uniform(channels[1], bound, stream);
            conv.bias = Some(Param::from_data(TensorData::new(bias, [channels[1]]), device));
            ConvLayer::Shared(conv)
        }
        Kernels::Searched { space, formulation, depthwise, weight_std, alpha_std } => {
            let groups = if *depthwise && channels[0] == channels[1] { channels[0] } else { groups };
            let space = of(space);
            let mut conv = AggConvConfig::new(channels, space.clone())
                .with_dims(dims)
                .with_stride(stride)
                .with_groups(groups)
                .with_formulation(*formulation)
                .init(device);
            let shape = conv.weight.dims();
            let n = shape.iter().product();
            conv.weight = Param::from_data(TensorData::new(rng::normal(n, *weight_std, stream), shape), device);
            conv.alpha =
                Param::from_data(TensorData::new(rng::normal(space.len(), *alpha_std, stream), [space.len()]), device);
            ConvLayer::Mixed(conv)
        }
    }
}

fn fixed(
    dims: usize,
    Convolution { channels, stride, causal, groups, patches, .. }: Convolution,
    [k, d]: [usize; 2],
    stream: &mut Stream,
    device: &Device,
) -> KernelConv {
    let config = KernelConvConfig::new(channels, k).with_dims(dims).with_dilation(d).with_stride(stride);
    let mut conv = config.with_causal(causal).with_groups(groups).with_patches(patches).init(device);
    let shape = conv.weight.dims();
    let bound = 1.0 / ((shape[1] * shape[2]) as f64).sqrt();
    let n = shape.iter().product();
    conv.weight = Param::from_data(TensorData::new(rng::uniform(n, bound, stream), shape), device);
    conv.bias =
        Some(Param::from_data(TensorData::new(rng::uniform(channels[1], bound, stream), [channels[1]]), device));
    conv
}
