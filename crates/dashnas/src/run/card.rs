//! The card of a trained model: how it was made, and how data must be read for it.

use crate::problem::build::graph;
use crate::problem::state::Problem;
use crate::train::retraining;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_data::dataset::Dataset;
use dashnas_nn::architecture::Architecture;
use dashnas_nn::artifact::{ModelCard, TrainingSummary};

/// The card of a network trained on a problem. `validation` is the validation metric of the best trial, if the
/// hyperparameters were tuned.
pub(super) fn card(
    problem: &Problem,
    data: &Dataset,
    architecture: Architecture,
    hyperparameters: Hyperparameters,
    validation: Option<f64>,
) -> ModelCard {
    ModelCard {
        data: data.name.clone(),
        task: problem.setup.task,
        loss: problem.config().loss(problem.setup.task),
        metric: problem.setup.metric,
        classes: data.classes.clone(),
        labels: None,
        unknown: problem.config().task.unknown,
        input: problem.setup.train.input(),
        graph: graph(problem, problem.config().backbone.width),
        architecture,
        reading: data.reading.of_model(&data.read_as),
        read_as: data.read_as.clone(),
        transforms: data.transforms.clone(),
        inputs: problem.setup.inputs.clone(),
        targets: problem.setup.targets.clone(),
        training: TrainingSummary {
            version: env!("CARGO_PKG_VERSION").into(),
            preset: problem.config().preset,
            seed: problem.config().seed,
            samples: retraining::samples(problem),
            hyperparameters,
            validation,
        },
    }
}
