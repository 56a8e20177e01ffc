//! A plan as its stages, and as text.

use crate::budget::plan::{TimePlan, TrainingPlan, TunePlan};
use dashnas_core::stage::Stage;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStage {
    /// The stage.
    pub stage: Stage,
    /// The seconds that it is expected to take.
    pub seconds: f64,
    /// What is done, in words.
    pub work: String,
}

impl TimePlan {
    /// The stages from the search on that the plan has, in their order.
    pub fn stages(&self) -> Vec<PlannedStage> {
        let mut stages = Vec::new();
        let mut from = self.made;
        if let Some(s) = &self.search {
            let mut work = format!("{} steps of {} samples", s.steps, s.batch);
            // The trials of a race draw from all samples.
            if self.requested.subsample < 1.0 {
                work += &format!(", each epoch over {:.0} % of the data", 100.0 * s.subsample);
            }
            stages.push(PlannedStage { stage: Stage::Search, seconds: s.until - from, work });
            from = s.until;
        }
        stages.extend(self.training.stages(from));
        let networks = if self.evaluation.plain.is_some() { "both networks" } else { "the network" };
        let work = format!("{networks} on {} test samples, and writing files", self.requested.samples.test);
        stages.push(PlannedStage { stage: Stage::Evaluate, seconds: self.reserve, work });
        stages
    }
}

impl fmt::Display for TimePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = if self.requested.use_all { "" } else { "at most " };
        write!(f, "plan for {most}{} ({} spent on reading and measuring):", seconds(self.limit), seconds(self.made))?;
        for PlannedStage { stage, seconds: time, work } in self.stages() {
            write!(f, "\n  {:<9} {:>8}  {work}", stage.name(), seconds(time))?;
        }
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        Ok(())
    }
}

impl TrainingPlan {
    /// Tuning, retraining and the plain backbone. `from` is the time at which tuning begins.
    fn stages(&self, from: f64) -> Vec<PlannedStage> {
        let mut stages = Vec::new();
        let tuning = match &self.tune {
            TunePlan::None => None,
            TunePlan::Grid { trials, steps } => Some(format!("grid, {trials} trials of {steps} steps")),
            TunePlan::Asha { size } => Some(format!(
                "ASHA, {} samples in about {} trials of {} to {} steps, one in {} promoted",
                size.samples,
                size.size().0,
                size.min_steps,
                size.max_steps,
                size.reduction
            )),
        };
        let tune = self.tune_until - from;
        stages.extend(tuning.map(|work| PlannedStage { stage: Stage::Tune, seconds: tune, work }));
        // A training of a given number of steps may be over long before it has to be.
        let span = self.retrain_until - self.tune_until;
        let retrain = if self.most.is_some() { span.min(self.steps as f64 * self.step_seconds) } else { span };
        let work = format!("{} steps of {} samples", self.steps, self.batch);
        stages.push(PlannedStage { stage: Stage::Retrain, seconds: retrain, work });
        stages.extend(self.baseline_until.map(|until| {
            let span = until - self.retrain_until;
            let seconds = if self.most.is_some() { span.min(tune + retrain) } else { span };
            let work = "the plain backbone, tuned and trained in the same way".to_owned();
            PlannedStage { stage: Stage::Baseline, seconds, work }
        }));
        stages
    }
}

fn seconds(s: f64) -> String {
    format!("{:.1} s", s.max(0.0))
}
