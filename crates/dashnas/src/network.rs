//! The network itself: a [`Plan`] with its parameters, either a supernet (every convolution an
//! `AggConv` over the kernel space) or a discretized network (every convolution one `Conv_{k,d}`).
//!
//! Data is `[N, C, H, W]` throughout; series have H = 1.

use crate::backbone::{Op, Plan, Residual};
use crate::rng::{self, Stream};
use aggconv::maps::ops as maps;
use aggconv::nn::{AggConv, AggConvConfig, KernelConv, KernelConvConfig};
use aggconv::norm::NormAct;
use aggconv::{Formulation, KernelSpace};
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand::Rng;

/// The device to train networks for data of so many axes on: the CPU, with autodiff.
///
/// Grids make large activations, so there a normalization's output is made again in the backward
/// pass instead of being kept: to the same bits, for a few percent of a step's time and a third
/// less memory.
pub fn training_device(dims: usize) -> Device {
    let device = Device::flex().autodiff();
    if dims == 2 { device.gradient_checkpointing() } else { device }
}

/// What the searched convolutions of a network are.
#[derive(Debug, Clone)]
pub enum Kernels {
    /// The mixed operation over a kernel space: the supernet of the search.
    Searched {
        /// The kernel sizes and dilations mixed.
        space: KernelSpace,
        /// How the mixture is computed; all formulations give the same function.
        formulation: Formulation,
        /// Convolve each channel by itself where input and output channels agree.
        depthwise: bool,
        /// Standard deviation of the initial weights w_{k,d}.
        weight_std: f64,
        /// Standard deviation of the initial architecture parameters α.
        alpha_std: f64,
    },
    /// One kernel size and dilation for each searched layer, in order.
    Fixed(Vec<[usize; 2]>),
}

/// One searched convolution.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // A dozen a network: indirection would only add a pointer.
pub enum ConvLayer {
    /// `AggConv_{K,D}`.
    Mixed(AggConv),
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
    norms: Vec<NormAct>,
    /// `[features, outputs]`.
    head_weight: Param<Tensor<2>>,
    /// `[outputs]`.
    head_bias: Param<Tensor<1>>,
    #[module(skip)]
    plan: Plan,
    #[module(skip)]
    dense: bool,
}

/// What one forward pass needs besides the data.
#[derive(Debug)]
pub struct Pass<'a> {
    /// Randomness of this training step; `None` evaluates: no Gumbel noise, no dropout.
    pub noise: Option<&'a mut Stream>,
    /// Softmax temperature τ of the mixture.
    pub temperature: f64,
    /// Dropout rate in training.
    pub dropout: f64,
}

impl Pass<'_> {
    /// A pass of evaluation.
    pub fn evaluation(temperature: f64) -> Self {
        Pass { noise: None, temperature, dropout: 0.0 }
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
    /// If `Kernels::Fixed` does not have one kernel for each searched layer, or holds an even
    /// kernel: architectures are validated when they are read.
    pub fn new(
        plan: &Plan,
        outputs: usize,
        dense: bool,
        kernels: &Kernels,
        stream: &mut Stream,
        device: &Device,
    ) -> Self {
        let (mut convs, mut pointwise, mut norms) = (Vec::new(), Vec::new(), Vec::new());
        for stage in &plan.stages {
            let shortcut = match &stage.residual {
                Residual::Project { ops } => ops.as_slice(),
                Residual::None | Residual::Identity => &[],
            };
            for op in stage.body.iter().chain(shortcut) {
                match *op {
                    Op::Conv { c_in, c_out, stride, .. } => {
                        convs.push(conv(plan.dims, [c_in, c_out], stride, kernels, convs.len(), stream, device));
                    }
                    Op::Pointwise { c_in, c_out, stride } => {
                        pointwise.push(fixed(plan.dims, [c_in, c_out], stride, [1, 1], stream, device));
                    }
                    Op::Norm { channels } => norms.push(NormAct::new(channels, device)),
                    Op::Relu | Op::Dropout => {}
                }
            }
        }
        if let Kernels::Fixed(list) = kernels {
            assert_eq!(list.len(), convs.len(), "one kernel for each searched layer");
        }
        let bound = 1.0 / (plan.features as f64).sqrt();
        let weight = rng::uniform(plan.features * outputs, bound, stream);
        let bias = rng::uniform(outputs, bound, stream);
        Self {
            convs,
            pointwise,
            norms,
            head_weight: Param::from_data(TensorData::new(weight, [plan.features, outputs]), device),
            head_bias: Param::from_data(TensorData::new(bias, [outputs]), device),
            plan: plan.clone(),
            dense,
        }
    }

    /// The topology.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The searched convolutions, in the order of the forward pass.
    pub fn convs(&self) -> &[ConvLayer] {
        &self.convs
    }

    /// Runs the network.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, outputs, positions]`; `positions` is 1 for a point head and H·W
    /// for a dense one.
    ///
    /// # Panics
    /// If x has not the plan's channels, or no position; if the plan's parts do not fit together, which is checked
    /// where one is made or read.
    pub fn forward(&self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<3> {
        let mut at = Cursor::default();
        let mut x = x;
        for stage in &self.plan.stages {
            let input = x.clone();
            x = self.run(&stage.body, x, pass, &mut at);
            x = match &stage.residual {
                Residual::None => x,
                Residual::Identity => residual(x, input),
                Residual::Project { ops } => residual(x, self.run(ops, input, pass, &mut at)),
            };
        }
        self.head(x)
    }

    fn run(&self, ops: &[Op], mut x: Tensor<4>, pass: &mut Pass<'_>, at: &mut Cursor) -> Tensor<4> {
        let mut ops = ops.iter().peekable();
        while let Some(op) = ops.next() {
            x = match op {
                Op::Conv { .. } => self.convs[next(&mut at.conv)].forward(x, pass),
                Op::Pointwise { .. } => self.pointwise[next(&mut at.pointwise)].forward(x),
                // A ReLU right after a normalization is taken in the same pass.
                Op::Norm { .. } => {
                    let relu = ops.next_if(|op| matches!(op, Op::Relu)).is_some();
                    self.norms[next(&mut at.norm)].forward(x, relu)
                }
                Op::Relu => activation::relu(x),
                Op::Dropout => dropout(x, pass),
            };
        }
        x
    }

    fn head(&self, x: Tensor<4>) -> Tensor<3> {
        let [n, c, h, w] = x.dims();
        let outputs = self.head_bias.val().dims()[0];
        if self.dense {
            // A linear map at every position.
            let y = x.reshape([n, c, h * w]).swap_dims(1, 2).reshape([n * h * w, c]).matmul(self.head_weight.val());
            let y = y + self.head_bias.val().reshape([1, outputs]);
            y.reshape([n, h * w, outputs]).swap_dims(1, 2)
        } else {
            let pooled = maps::mean_positions(x).unwrap_or_else(|error| panic!("{error}"));
            let y = pooled.matmul(self.head_weight.val()) + self.head_bias.val().reshape([1, outputs]);
            y.reshape([n, outputs, 1])
        }
    }
}

/// Which parameter of each kind the forward pass uses next.
#[derive(Default)]
struct Cursor {
    conv: usize,
    pointwise: usize,
    norm: usize,
}

fn next(i: &mut usize) -> usize {
    *i += 1;
    *i - 1
}

impl ConvLayer {
    fn forward(&self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        match self {
            ConvLayer::Fixed(conv) => conv.forward(x),
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

/// What a stage's body made of its input, plus the shortcut.
fn residual(body: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4> {
    maps::add(body, shortcut).unwrap_or_else(|error| panic!("{error}"))
}

/// Inverted dropout: zeros with probability p, the rest scaled by 1/(1 − p).
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
    channels: [usize; 2],
    stride: usize,
    kernels: &Kernels,
    index: usize,
    stream: &mut Stream,
    device: &Device,
) -> ConvLayer {
    match kernels {
        Kernels::Fixed(list) => ConvLayer::Fixed(fixed(dims, channels, stride, list[index], stream, device)),
        Kernels::Searched { space, formulation, depthwise, weight_std, alpha_std } => {
            let groups = if *depthwise && channels[0] == channels[1] { channels[0] } else { 1 };
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
    channels: [usize; 2],
    stride: usize,
    [k, d]: [usize; 2],
    stream: &mut Stream,
    device: &Device,
) -> KernelConv {
    let mut conv = KernelConvConfig::new(channels, k).with_dims(dims).with_dilation(d).with_stride(stride).init(device);
    let shape = conv.weight.dims();
    let bound = 1.0 / ((shape[1] * shape[2]) as f64).sqrt();
    let n = shape.iter().product();
    conv.weight = Param::from_data(TensorData::new(rng::uniform(n, bound, stream), shape), device);
    conv.bias =
        Some(Param::from_data(TensorData::new(rng::uniform(channels[1], bound, stream), [channels[1]]), device));
    conv
}
