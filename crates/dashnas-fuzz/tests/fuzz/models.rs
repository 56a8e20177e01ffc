//! Small model files, made without training.

use burn::tensor::Device;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::{BackboneName, Preset};
use dashnas_core::rng::Seed;
use dashnas_core::task::TaskKind;
use dashnas_data::normalize::{InputNormalizer, Scheme, TargetNormalizer};
use dashnas_formats::array::Array;
use dashnas_formats::options::ReadOptions;
use dashnas_nn::architecture::Architecture;
use dashnas_nn::artifact::{Artifact, ModelCard, TrainingSummary};
use dashnas_nn::backbone::spec::NetworkSpec;
use dashnas_nn::graph::build::GraphBuilder;
use dashnas_nn::graph::topology::Graph;
use dashnas_nn::network::{Kernels, Network};

/// A model for series, one for fields, one for series whose network has a concatenation and a sum of three, and one for
/// images with groups of channels, patches and layer normalization.
pub(super) fn files() -> Vec<Vec<u8>> {
    let classes = TaskKind::Classification { classes: 2 };
    let series = file(BackboneName::Wrn1d, None, classes, [2, 1, 12], vec![2, 12]);
    let field = TaskKind::DenseRegression { channels: 1 };
    let fields = file(BackboneName::Wrn2d, None, field, [1, 4, 5], vec![1, 4, 5]);
    let branched = file(BackboneName::Wrn1d, Some(branched()), classes, [2, 1, 12], vec![2, 12]);
    let images = file(BackboneName::ConvNextAtto, None, classes, [1, 4, 5], vec![1, 4, 5]);
    vec![series, fields, branched, images]
}

fn branched() -> Graph {
    let mut net = GraphBuilder::new(1);
    let input = net.input(2);
    let near = net.after(input).conv(3, 3, 2).norm().relu().end();
    let far = net.after(input).unsearched_conv(3, 5, 2).end();
    let both = net.concat(&[near, far]);
    let narrow = net.after(both).pointwise(3, 1).end();
    let sum = net.sum(&[narrow, near, far]);
    net.finish(sum, 2, false)
}

/// A model of a backbone, or of another graph.
fn file(
    backbone: BackboneName,
    graph: Option<Graph>,
    task: TaskKind,
    input: [usize; 3],
    read_as: Vec<usize>,
) -> Vec<u8> {
    let [channels, ..] = input;
    let (outputs, dense) = (task.outputs(), task.is_dense());
    let shape =
        NetworkSpec { channels, outputs, dense, width: 1, base: Some(1), extent: 32, plain_kernels: &[3, 3, 3] };
    let graph = graph.unwrap_or_else(|| dashnas_nn::backbone::by_name(backbone).graph(shape));
    let kernels = vec![[3, 1]; graph.searched().len()];
    let fixed = Kernels::Fixed(kernels.clone());
    let network = Network::new(&graph, &fixed, &mut Seed(1).stream("weights", &[]), &Device::flex());
    let x = Array::new(
        [&[3], &read_as[..]].concat(),
        (0..3 * read_as.iter().product::<usize>()).map(|v| v as f32).collect(),
    );
    let card = ModelCard {
        data: "made \"here\"".into(),
        task,
        loss: task.default_loss(),
        metric: task.default_metric(),
        classes: None,
        labels: None,
        unknown: None,
        input,
        architecture: Architecture { backbone, probabilities: vec![0.5; kernels.len()], kernels },
        graph,
        reading: ReadOptions::default(),
        read_as,
        transforms: Vec::new(),
        inputs: InputNormalizer::fit(&x, &vec![Scheme::PerChannel; channels]).expect("inputs in memory"),
        targets: TargetNormalizer::identity(),
        training: TrainingSummary {
            version: "0.0.0".into(),
            preset: Preset::Quick,
            seed: 1,
            samples: 3,
            hyperparameters: Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.05 },
            validation: Some(0.25),
        },
    };
    Artifact { card, parameters: dashnas_nn::model::parameters(&network) }.to_bytes().expect("finite numbers")
}
