//! A small model file, made without training.

use crate::architecture::Architecture;
use crate::artefact::{Artefact, ModelCard, Training};
use crate::backbone::Shape;
use crate::config::{BackboneName, Preset};
use crate::data::{Array, InputNormalizer, ReadOptions, Scheme, TargetNormalizer};
use crate::network::{Kernels, Network};
use crate::outcome::Hyperparameters;
use crate::rng::Seed;
use crate::task::TaskKind;
use burn::tensor::Device;

/// One of series, one of fields.
pub(super) fn files() -> Vec<Vec<u8>> {
    let classes = TaskKind::Classification { classes: 2 };
    let series = file(BackboneName::Wrn1d, classes, [2, 1, 12], vec![2, 12]);
    let fields = file(BackboneName::Wrn2d, TaskKind::DenseRegression { channels: 1 }, [1, 4, 5], vec![1, 4, 5]);
    vec![series, fields]
}

fn file(backbone: BackboneName, task: TaskKind, input: [usize; 3], read_as: Vec<usize>) -> Vec<u8> {
    let [channels, ..] = input;
    let (outputs, dense) = (task.outputs(), task.is_dense());
    let shape = Shape { channels, outputs, dense, width: 1, base: Some(1), plain_kernels: &[3, 3, 3] };
    let plan = backbone.resolve().plan(shape);
    let kernels = vec![[3, 1]; plan.searched().len()];
    let fixed = Kernels::Fixed(kernels.clone());
    let network = Network::new(&plan, outputs, dense, &fixed, &mut Seed(1).stream("weights", &[]), &Device::flex());
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
        input,
        architecture: Architecture { backbone, probabilities: vec![0.5; kernels.len()], kernels },
        plan,
        reading: ReadOptions::default(),
        read_as,
        transforms: Vec::new(),
        inputs: InputNormalizer::fit(&x, &vec![Scheme::PerChannel; channels]).expect("inputs in memory"),
        targets: TargetNormalizer::identity(),
        training: Training {
            version: "0.0.0".into(),
            preset: Preset::Quick,
            seed: 1,
            samples: 3,
            hyperparameters: Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.05 },
            validation: Some(0.25),
        },
    };
    Artefact { card, parameters: crate::model::parameters(&network) }.to_bytes().expect("finite numbers")
}
