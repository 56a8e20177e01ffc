//! The limits of a run under way.

use super::pace::Length;
use super::plan::{Deadlines, TimePlan, TunePlan};
use super::{Clock, WallClock};
use crate::config::Config;
use crate::event::Stage;
use std::time::Instant;

/// What the stages ask about the limits. Without any, nothing is bounded.
#[derive(Debug, Clone)]
pub struct Budget {
    clock: WallClock,
    plan: Option<TimePlan>,
    /// Samples of a micro-batch in the search; `None`: the whole batch.
    pub search_micro_batch: Option<usize>,
    /// Samples of a micro-batch in the other trainings; `None`: the whole batch.
    pub train_micro_batch: Option<usize>,
    /// Samples that an evaluation takes at once.
    pub evaluation_batch: usize,
    /// Bytes for trainings under a memory limit; `None`: what the machine has.
    pub room: Option<u64>,
}

/// Samples that an evaluation takes at once, if memory is no matter.
pub(super) const EVALUATION_BATCH: usize = 128;

impl Default for Budget {
    fn default() -> Self {
        Self {
            clock: WallClock::new(Instant::now(), 0.0),
            plan: None,
            search_micro_batch: None,
            train_micro_batch: None,
            evaluation_batch: EVALUATION_BATCH,
            room: None,
        }
    }
}

impl Budget {
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

    /// Takes on a plan.
    pub fn set_plan(&mut self, plan: TimePlan) {
        self.plan = Some(plan);
    }

    /// How long the search is, if not its configured epochs.
    pub fn search_length(&self) -> Option<Length<'_>> {
        let search = self.plan.as_ref()?.search?;
        Some(Length::Until {
            clock: &self.clock,
            deadline: search.until,
            planned: search.steps,
            step_seconds: search.step_seconds,
            after: None,
        })
    }

    /// How long retraining is in a stage, if not its configured epochs.
    pub fn retrain_length(&self, stage: Stage) -> Option<Length<'_>> {
        let plan = self.plan.as_ref()?;
        let training = &plan.training;
        let deadline = self.deadlines(stage)?.retrain;
        Some(Length::Until {
            clock: &self.clock,
            deadline,
            planned: training.steps,
            step_seconds: training.step_seconds,
            after: plan.after(stage == Stage::Baseline),
        })
    }

    /// A tuning trial of so many steps in a stage.
    pub fn trial_length(&self, stage: Stage, steps: u64) -> Length<'_> {
        match self.deadlines(stage) {
            Some(deadlines) => Length::Within(steps, &self.clock, deadlines.last_call),
            None => Length::Steps(steps),
        }
    }

    /// How to tune under the plan, if there is one.
    pub fn tuning(&self) -> Option<TunePlan> {
        self.plan.as_ref().map(|plan| plan.training.tune)
    }

    /// Whether a stage has time for another trial of so many steps after so many trials, a step
    /// having taken `seconds` of late.
    pub fn room_for_trial(&self, stage: Stage, steps: u64, seconds: Option<f64>, done: usize) -> bool {
        let (Some(plan), Some(deadlines)) = (&self.plan, self.deadlines(stage)) else { return true };
        let step = seconds.unwrap_or(plan.training.step_seconds);
        deadlines.room_for_trial(self.clock.seconds(), steps as f64 * step, done)
    }

    fn deadlines(&self, stage: Stage) -> Option<Deadlines> {
        self.plan.as_ref().map(|plan| plan.training.deadlines(stage == Stage::Baseline))
    }
}

impl TimePlan {
    /// Makes a configuration what the plan decided.
    pub fn apply(&self, config: &mut Config) {
        config.backbone.width = self.width;
        if let Some(search) = &self.search {
            config.search.batch_size = Some(search.batch);
            config.search.subsample = search.subsample;
        }
        config.retrain.batch_size = Some(self.training.batch);
        config.baseline.enabled &= self.training.baseline_until.is_some();
        // It may have seemed before the search that there would be no time for it.
        config.tune.enabled = self.wish.tune.is_some() && self.training.tune != TunePlan::None;
    }
}
