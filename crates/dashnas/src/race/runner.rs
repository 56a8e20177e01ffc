//! One trial of a race: a training on the samples of its round, and its score on the held-out ones.

use crate::problem::held_out::HeldOut;
use crate::problem::memory::too_large;
use crate::problem::state::Problem;
use crate::race::schedule::MAX_HELD_OUT;
use crate::train::compute_slot::ComputeSlot;
use crate::train::fit::Fit;
use crate::train::plan::search_trial_plan;
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::tune::channel::{TrialResult, TrialScore, outcome};
use crate::tune::source::{RaceNetwork, TrialSpec};
use burn::module::Module;
use burn::tensor::Device;
use dashnas_core::rng::Seed;
use dashnas_nn::network::Network;

/// The parts that the held-out samples are divided into at most.
const PARTS: usize = 16;

/// Builds the network with the given kernels and the initial weights of a round.
pub(crate) type Build<'a> = dyn Fn(&[[usize; 2]], usize) -> Network + Sync + 'a;

/// Trains and scores the trials of a race.
pub(crate) struct RaceRunner<'a> {
    problem: &'a Problem,
    build: &'a Build<'a>,
    /// The samples of each round to train on, and those held out.
    folds: Vec<(Vec<usize>, HeldOut<'a>)>,
    device: &'a Device,
}

impl<'a> RaceRunner<'a> {
    /// A runner for a race of some rounds on a device that records gradients.
    pub fn new(problem: &'a Problem, build: &'a Build<'a>, rounds: usize, device: &'a Device) -> Self {
        let fold = |round| {
            let (fit, held) = problem.setup.fold(round);
            (fit, held.at_most(MAX_HELD_OUT))
        };
        Self { problem, build, folds: (0..rounds).map(fold).collect(), device }
    }

    /// Whether samples can be held out.
    pub fn can_score(&self) -> bool {
        self.folds.iter().all(|(fit, held)| !held.rows.is_empty() && !fit.is_empty())
    }

    /// Trains and scores one trial; the inner error says why a failed trial has no score.
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
        let Some(RaceNetwork { kernels, round }) = &spec.network else {
            return Ok(Err("the trial has no network".to_owned()));
        };
        let problem = self.problem;
        if let Some(reason) = too_large(problem, spec.hyperparameters) {
            return Ok(Err(reason));
        }
        let (rows, held) = &self.folds[*round];
        let steps = spec.steps.unwrap_or(1);
        // Trials share no tensors: the gradients of two trials made from one tensor would be linked.
        let loss = problem.setup.loss(self.device);
        let fit = Fit {
            progress,
            trial: Some(spec.trial),
            streams: "race",
            draw: Some(*round as u64),
            problem,
            indices: rows,
            loss: &loss,
            plan: &search_trial_plan(spec.hyperparameters, problem, rows.len(), steps),
            length: Some(problem.budget.trial_length(progress.stage, steps)),
            seed: Seed(problem.config().seed),
            restarts: 0,
            device: self.device,
            slot: Some(slot),
        };
        let inner = self.device.clone().inner();
        let network = (self.build)(kernels, *round);
        let scored = fit.run(network, recorder, &mut ()).and_then(|network| {
            let network = network.valid();
            slot.run(|| problem.score_with_parts(&network, held, PARTS, &inner))
        });
        let scored = scored.map(|(score, parts)| TrialScore { score, parts });
        outcome(scored)
    }
}
