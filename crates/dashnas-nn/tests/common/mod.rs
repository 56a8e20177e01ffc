//! Small networks with random weights and statistics, made without training.

use burn::tensor::Device;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::{BackboneName, Preset};
use dashnas_core::rng::{Seed, Stream};
use dashnas_core::task::TaskKind;
use dashnas_data::normalize::{InputNormalizer, Scheme, TargetNormalizer};
use dashnas_data::targets::Targets;
use dashnas_data::transform::kind::Transform;
use dashnas_formats::array::Array;
use dashnas_formats::options::ReadOptions;
use dashnas_nn::architecture::Architecture;
use dashnas_nn::artifact::{Artifact, ModelCard, TrainingSummary};
use dashnas_nn::backbone::by_name;
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::graph::build::GraphBuilder;
use dashnas_nn::graph::topology::Graph;
use dashnas_nn::model::Model;
use dashnas_nn::network::{Kernels, Network};
use rand::RngExt;

/// The properties of a random model.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub backbone: BackboneName,
    /// Whether the network has a concatenation and a sum of three instead of the topology of the backbone.
    pub branched: bool,
    pub task: TaskKind,
    /// `[channels, height, width]`; height 1 in one dimension.
    pub input: [usize; 3],
    /// The kernels, used again and again until every layer has one.
    pub kernels: Vec<[usize; 2]>,
    /// The scheme of every channel, inputs and targets.
    pub scheme: Scheme,
    pub seed: u64,
    /// The transforms of the inputs. Flattened images go into a network for series.
    pub transforms: Vec<Transform>,
    /// The offset of the targets of regression.
    pub offset: f32,
    /// Whether the samples have lengths of their own: every second one is shorter.
    pub masked: bool,
}

impl Recipe {
    pub fn new(backbone: BackboneName, task: TaskKind, input: [usize; 3]) -> Self {
        Self {
            backbone,
            branched: false,
            task,
            input,
            kernels: vec![[3, 1], [5, 3]],
            scheme: Scheme::PerChannel,
            seed: 1,
            transforms: Vec::new(),
            offset: 10.0,
            masked: false,
        }
    }

    fn one_dimensional(&self) -> bool {
        self.input[1] == 1
    }

    fn stream(&self, what: &str) -> Stream {
        Seed(self.seed).stream(what, &[])
    }

    /// Raw inputs for the model, of the sizes it was made for.
    pub fn inputs(&self, n: usize) -> Array {
        let [_, h, w] = self.input;
        self.inputs_of(n, h, w)
    }

    /// Raw inputs of other sizes.
    pub fn inputs_of(&self, n: usize, h: usize, w: usize) -> Array {
        let c = self.input[0];
        let shape = if self.one_dimensional() { vec![n, c, w] } else { vec![n, c, h, w] };
        let mut rng = self.stream("inputs");
        let mut data: Vec<f32> = (0..n * c * h * w).map(|_| 3.0 + 5.0 * (rng.random::<f32>() - 0.5)).collect();
        if self.masked {
            for (i, sample) in data.chunks_mut(c * h * w).enumerate().skip(1).step_by(2) {
                let length = (w * (i % 5 + 1) / 7).max(1);
                sample.chunks_mut(w).for_each(|line| line[length..].fill(f32::NAN));
            }
        }
        Array::new(shape, data)
    }

    pub fn model(&self) -> Model {
        let raw = if self.one_dimensional() { vec![self.input[0], self.input[2]] } else { self.input.to_vec() };
        let flat = self.transforms.contains(&Transform::Flatten);
        let input = if flat { [self.input[0], 1, self.input[1] * self.input[2]] } else { self.input };
        let [channels, h, w] = input;
        let outputs = self.task.outputs();
        let shape = NetworkSpec {
            channels,
            outputs,
            dense: self.task.is_dense(),
            width: 1,
            base: Some(4),
            extent: h.min(w),
            plain_kernels: &[7, 5, 3],
        };
        let graph = if self.branched { branched(self.backbone, shape) } else { by_name(self.backbone).graph(shape) };
        let graph = graph.with_mask(self.masked);
        let layers = graph.searched().len();
        let kernels: Vec<[usize; 2]> = self.kernels.iter().copied().cycle().take(layers).collect();
        let spatial = if h == 1 { vec![w] } else { vec![h, w] };
        let x = Array::new([&[9, channels], &spatial[..]].concat(), self.inputs(9).data);
        let inputs = InputNormalizer::fit(&x, &vec![self.scheme; channels]).expect("it is in memory");
        let mut rng = self.stream("targets");
        let targets = match self.task {
            TaskKind::Regression { .. } | TaskKind::DenseRegression { .. } => {
                let dense: &[usize] = if self.task.is_dense() { &spatial } else { &[] };
                let shape = [&[9, outputs], dense].concat();
                let n = shape.iter().product();
                let y = Array::new(shape, (0..n).map(|_| self.offset + 4.0 * rng.random::<f32>()).collect());
                TargetNormalizer::fit(&Targets::Values(y), self.scheme)
            }
            _ => TargetNormalizer::identity(),
        };
        let fixed = Kernels::Fixed(kernels.clone());
        let device = Device::flex();
        let network = Network::new(&graph, &fixed, &mut self.stream("weights"), &device);
        let mut parameters = dashnas_nn::model::parameters(&network);
        // Fresh statistics and γ, β are 0 and 1: nothing would notice if they were mixed up.
        let mut rng = self.stream("norms");
        for (name, p) in &mut parameters {
            let draw: fn(f32) -> f32 = match name.rsplit('.').next() {
                Some("gamma") => |u| 0.5 + u,
                Some("beta") => |u| u - 0.5,
                Some("factor") => |u| 0.5 + u,
                Some("running_mean") => |u| 0.4 * (u - 0.5),
                Some("running_var") => |u| 0.1 + u,
                _ => continue,
            };
            p.values.iter_mut().for_each(|v| *v = draw(rng.random()));
        }
        let architecture = Architecture { backbone: self.backbone, probabilities: vec![0.5; kernels.len()], kernels };
        let card = ModelCard {
            data: "made \"here\"".into(),
            task: self.task,
            loss: self.task.default_loss(),
            metric: self.task.default_metric(),
            classes: None,
            labels: None,
            unknown: None,
            input,
            architecture,
            graph,
            reading: ReadOptions::default(),
            read_as: raw,
            transforms: self.transforms.clone(),
            inputs,
            targets,
            training: TrainingSummary {
                version: "0.0.0".into(),
                preset: Preset::Quick,
                seed: self.seed,
                samples: 9,
                hyperparameters: Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.05 },
                validation: Some(0.25),
            },
        };
        Model::from_artifact(Artifact { card, parameters }, &device).expect("the parts fit")
    }
}

/// A network with a concatenation, a sum of three and normalizations before and after them.
fn branched(backbone: BackboneName, shape: NetworkSpec<'_>) -> Graph {
    let stride = if shape.dense { 1 } else { 2 };
    let mut net = GraphBuilder::new(backbone.dims());
    let input = net.input(shape.channels);
    let stem = net.after(input).conv(4, 3, 1).norm().relu().end();
    let near = net.after(stem).conv(3, 3, stride).dropout().norm().relu().end();
    let far = net.after(stem).unsearched_conv(3, 5, stride).norm().end();
    let both = net.concat(&[far, near, near]);
    let all = net.after(both).norm().relu().pointwise(3, 1).end();
    let sum = net.sum(&[near, all, far]);
    let end = net.after(sum).norm().end();
    let both = net.concat(&[end, sum]);
    net.finish(both, shape.outputs, shape.dense)
}
