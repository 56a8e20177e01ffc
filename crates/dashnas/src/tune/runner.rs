//! One tuning trial: its training and its score.

use crate::error::Error;
use crate::problem::build::fresh_network;
use crate::problem::memory::{memory_headroom, training_bytes};
use crate::train::compute_slot::ComputeSlot;
use crate::train::fit::Fit;
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::tune::channel::{TrialResult, TrialScore};
use crate::tune::size::TuningSize;
use crate::tune::source::TrialSpec;
use burn::module::Module;
use burn::tensor::Device;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use dashnas_core::score::Score;

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

    /// Why a trial would need more memory than is available, if it would: starting it all the same could end the
    /// whole run.
    fn too_large(&self, hyperparameters: Hyperparameters) -> Option<String> {
        let problem = self.size.problem;
        let (needs, room) = (training_bytes(problem, hyperparameters.dropout), memory_headroom(problem)?);
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        (needs > room).then(|| {
            format!("out of memory: a step takes about {} MiB, and {} MiB are available", mib(needs), room >> 20)
        })
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
        if let Some(reason) = self.too_large(hyperparameters) {
            return Ok(Err(reason));
        }
        let problem = self.size.problem;
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
            slot.run(|| problem.score(&network, &self.size.validation, &inner))
        });
        match score {
            Ok(score) if score.is_finite() => Ok(Ok(TrialScore { score, parts: Vec::new() })),
            Ok(Score { metric, loss }) => {
                let metric = metric.map_or_else(String::new, |metric| format!("{metric} with "));
                Ok(Err(format!("its score is not finite ({metric}loss {loss})")))
            }
            Err(e @ (Error::Diverged { .. } | Error::OutOfTime { .. } | Error::Metric(_))) => Ok(Err(e.to_string())),
            Err(e) => Err(e),
        }
    }
}
