//! One tuning trial: its training and its score.

use crate::problem::build::fresh_network;
use crate::problem::memory::too_large;
use crate::train::compute_slot::ComputeSlot;
use crate::train::fit::Fit;
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::tune::channel::{TrialResult, TrialScore, outcome};
use crate::tune::size::TuningSize;
use crate::tune::source::TrialSpec;
use burn::module::Module;
use burn::tensor::Device;
use dashnas_core::rng::Seed;

/// Trains and scores the trials of one network.
pub(crate) struct TrialRunner<'a> {
    /// The samples and the length of the trials.
    pub size: TuningSize<'a>,
    kernels: &'a [[usize; 2]],
    device: &'a Device,
}

impl<'a> TrialRunner<'a> {
    /// A runner for the network with the given kernels, on a device that records gradients.
    pub fn new(size: TuningSize<'a>, kernels: &'a [[usize; 2]], device: &'a Device) -> Self {
        Self { size, kernels, device }
    }

    /// Trains and scores one trial. The failure of a trial does not leave it: the inner error says why it has no
    /// score.
    ///
    /// # Errors
    /// Errors that are not the failure of the trial: an interruption, a file that cannot be read or written.
    pub fn run(
        &self,
        spec: &TrialSpec,
        progress: StageProgress,
        slot: &ComputeSlot<'_>,
        recorder: &mut dyn Recorder,
    ) -> TrialResult {
        let TrialSpec { trial, hyperparameters, steps, .. } = *spec;
        let problem = self.size.problem;
        if let Some(reason) = too_large(problem, hyperparameters) {
            return Ok(Err(reason));
        }
        // Trials share no tensors: the gradients of two trials made from one tensor would be linked.
        let loss = problem.setup.loss(self.device);
        let fit = Fit {
            progress,
            trial: Some(trial),
            streams: "tune",
            draw: None,
            problem,
            indices: &self.size.rows,
            loss: &loss,
            plan: &self.size.fit_plan(hyperparameters),
            length: steps.map(|steps| problem.budget.trial_length(progress.stage, steps)),
            seed: Seed(problem.config().seed),
            restarts: 0,
            device: self.device,
            slot: Some(slot),
        };
        let inner = self.device.clone().inner();
        let network = fresh_network(problem, self.kernels, self.device);
        let score = fit.run(network, recorder, &mut ()).and_then(|network| {
            let network = network.valid();
            let score = slot.run(|| problem.score(&network, &self.size.validation, &inner))?;
            Ok(TrialScore { score, parts: Vec::new() })
        });
        outcome(score)
    }
}
