//! The state of a run under its limits: what they decided so far, and the configuration that follows from it.

use crate::budget::clock::{Clock, WallClock};
use crate::budget::memory_fit::MemoryFit;
use crate::budget::pace::{FollowingEvaluation, TrainingLength};
use crate::budget::plan::{Deadlines, EvaluationPlan, TimePlan, TunePlan};
use crate::config::sections::Config;
use dashnas_core::stage::Stage;
use std::time::Instant;

/// The largest number of samples that an evaluation takes at once.
pub const EVALUATION_BATCH: usize = 128;

/// The part of a run that changes: the clock, the plan under a time limit, the micro-batches under a memory limit, and
/// the configuration in force. Without limits, nothing in it is bounded.
///
/// The configuration in force starts as that of the setup. Only [`BudgetState::adopt_plan`] and
/// [`BudgetState::adopt_memory_fit`] change it.
#[derive(Debug, Clone)]
pub struct BudgetState {
    config: Config,
    clock: WallClock,
    plan: Option<TimePlan>,
    search_micro_batch: Option<usize>,
    train_micro_batch: Option<usize>,
    evaluation_batch: usize,
    memory_headroom: Option<u64>,
}

impl BudgetState {
    /// The state of a run that has decided nothing, under a configuration.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            clock: WallClock::new(Instant::now(), 0.0),
            plan: None,
            search_micro_batch: None,
            train_micro_batch: None,
            evaluation_batch: EVALUATION_BATCH,
            memory_headroom: None,
        }
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Sets the clock of the run.
    pub fn set_clock(&mut self, clock: WallClock) {
        self.clock = clock;
    }

    /// Counts time that passed before the clock was set.
    pub fn add_seconds(&mut self, seconds: f64) {
        self.clock = self.clock.ahead(seconds);
    }

    /// The clock of the run.
    pub fn clock(&self) -> &WallClock {
        &self.clock
    }

    /// The plan under a time limit.
    pub fn plan(&self) -> Option<&TimePlan> {
        self.plan.as_ref()
    }

    /// Puts a plan into force: it decides the width, batch sizes, and whether the run tunes and trains the plain
    /// backbone.
    pub fn adopt_plan(&mut self, plan: TimePlan) {
        plan.apply(&mut self.config);
        self.plan = Some(plan);
    }

    /// Puts the decisions of a memory limit into force: it decides the formulation of the search and the micro-batches.
    pub fn adopt_memory_fit(&mut self, fit: &MemoryFit) {
        self.search_micro_batch = fit.search_micro_batch;
        self.train_micro_batch = fit.train_micro_batch;
        self.evaluation_batch = fit.evaluation_batch;
        self.memory_headroom = Some(fit.headroom);
        if let Some(formulation) = fit.formulation {
            self.config.search.formulation = formulation;
        }
    }

    /// The number of samples in a micro-batch of the search; `None`: the whole batch at once.
    pub fn search_micro_batch(&self) -> Option<usize> {
        self.search_micro_batch
    }

    /// The number of samples in a micro-batch of the other trainings; `None`: the whole batch at once.
    pub fn train_micro_batch(&self) -> Option<usize> {
        self.train_micro_batch
    }

    /// The number of samples that an evaluation takes at once.
    pub fn evaluation_batch(&self) -> usize {
        self.evaluation_batch
    }

    /// The bytes for trainings under a memory limit; `None` without a limit.
    pub fn memory_headroom(&self) -> Option<u64> {
        self.memory_headroom
    }

    /// Sets the bytes for trainings.
    #[cfg(test)]
    pub(crate) fn set_memory_headroom(&mut self, bytes: u64) {
        self.memory_headroom = Some(bytes);
    }

    /// The steps of the search under a plan; `None`: those of the configuration.
    pub fn search_steps(&self) -> Option<u64> {
        Some(self.plan.as_ref()?.search?.steps)
    }

    /// The length of the search under a plan; `None`: its configured epochs.
    pub fn search_length(&self) -> Option<TrainingLength<'_>> {
        let search = self.plan.as_ref()?.search?;
        Some(TrainingLength::Until {
            clock: &self.clock,
            deadline: search.until,
            planned: search.steps,
            most: (!self.plan.as_ref()?.requested.use_all).then_some(search.steps),
            step_seconds: search.step_seconds,
            following: None,
        })
    }

    /// The length of retraining in a stage under a plan; `None`: its configured epochs.
    pub fn retrain_length(&self, stage: Stage) -> Option<TrainingLength<'_>> {
        let plan = self.plan.as_ref()?;
        let training = &plan.training;
        let deadline = self.deadlines(stage)?.retrain;
        Some(TrainingLength::Until {
            clock: &self.clock,
            deadline,
            planned: training.steps,
            most: training.most,
            step_seconds: training.step_seconds,
            following: FollowingEvaluation::of(plan, stage == Stage::Baseline),
        })
    }

    /// The length of a tuning trial of `steps` steps in a stage.
    pub fn trial_length(&self, stage: Stage, steps: u64) -> TrainingLength<'_> {
        match self.deadlines(stage) {
            Some(deadlines) => TrainingLength::StepsBefore(steps, &self.clock, deadlines.latest_tune),
            None => TrainingLength::Steps(steps),
        }
    }

    /// The tuning under a plan, if there is one.
    pub fn tuning(&self) -> Option<TunePlan> {
        self.plan.as_ref().map(|plan| plan.training.tune)
    }

    /// Whether a stage has time for another trial of `steps` steps after `done` trials. `seconds` is the time of a step
    /// as measured last.
    pub fn has_time_for_trial(&self, stage: Stage, steps: u64, seconds: Option<f64>, done: usize) -> bool {
        let (Some(plan), Some(deadlines)) = (&self.plan, self.deadlines(stage)) else { return true };
        let step = seconds.unwrap_or(plan.training.step_seconds);
        deadlines.has_time_for_trial(self.clock.seconds(), steps as f64 * step, done)
    }

    /// The deadlines of the trials of a stage, and of the training after them.
    fn deadlines(&self, stage: Stage) -> Option<Deadlines> {
        let plan = self.plan.as_ref()?;
        if stage == Stage::Search {
            // The trials of a race are all that the search does.
            let until = plan.search?.until;
            return Some(Deadlines { tune: until, latest_tune: until, retrain: until });
        }
        Some(plan.training.deadlines(stage == Stage::Baseline))
    }
}

impl FollowingEvaluation {
    /// The evaluation that follows the training of the searched network or of the plain backbone, if its cost is known.
    pub fn of(plan: &TimePlan, baseline: bool) -> Option<Self> {
        let EvaluationPlan { seconds, searched, plain } = plan.evaluation;
        // The first of two networks leaves half of the evaluation time, and the second all that remains.
        let (cost, share) = match plain {
            Some(plain) if baseline => (plain, 1.0),
            Some(_) => (searched, 0.5),
            None => (searched, 1.0),
        };
        let following = Self { seconds: share * seconds, batch: cost.batch, batch_seconds: cost.seconds };
        (following.batch > 0 && following.batch_seconds > 0.0).then_some(following)
    }
}
