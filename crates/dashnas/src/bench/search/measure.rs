//! The loss of a trained network on the test split. It is measured once for each network, and nothing is chosen by it.

use crate::bench::search::calibration::Scores;
use crate::error::Error;
use crate::problem::held_out::HeldOut;
use crate::problem::state::Problem;
use burn::tensor::Device;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_nn::network::Network;
use std::collections::BTreeSet;

/// The loss on the test split: of classes the cross entropy after temperature scaling, otherwise the training loss.
///
/// # Errors
/// Those of predicting.
pub(crate) fn test_loss(problem: &Problem, data: &Dataset, network: &Network, device: &Device) -> Result<f64, Error> {
    let samples = problem.setup.test_samples(data);
    let held = HeldOut {
        samples: &samples,
        truth: &data.test.y,
        rows: (0..samples.len()).collect(),
        segments: data.segments.test.as_deref(),
    };
    if let TaskKind::Classification { classes } = problem.setup.task {
        let predictions = problem.predict(network, held.samples, &held.rows, device)?;
        let (predictions, truth, _) = held.merge_segments(predictions);
        if let Some(labels) = truth.classes() {
            return Ok(Scores { logits: &predictions.data, classes, labels }.cross_fitted());
        }
    }
    Ok(problem.score(network, &held, device)?.loss)
}

/// The number of test samples that the metric counts: segments of one sample count once.
pub(crate) fn scored_samples(data: &Dataset) -> usize {
    match &data.segments.test {
        Some(segments) => segments.iter().collect::<BTreeSet<_>>().len(),
        None => data.test.len(),
    }
}
