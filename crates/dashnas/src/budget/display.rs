//! A plan as text.

use crate::budget::plan::{TimePlan, TrainingPlan, TunePlan};
use std::fmt;

impl fmt::Display for TimePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = if self.requested.use_all { "" } else { "at most " };
        writeln!(f, "plan for {most}{} ({} spent on reading and measuring):", seconds(self.limit), seconds(self.made))?;
        let mut from = self.made;
        if let Some(s) = &self.search {
            write!(f, "  search    {:>8}  {} steps of {} samples", seconds(s.until - from), s.steps, s.batch)?;
            // The trials of a race draw from all samples.
            if self.requested.subsample < 1.0 {
                write!(f, ", each epoch over {:.0} % of the data", 100.0 * s.subsample)?;
            }
            writeln!(f)?;
            from = s.until;
        }
        writeln!(f, "{}", self.training.lines(from))?;
        write!(f, "  evaluate  {:>8}", seconds(self.reserve))?;
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        Ok(())
    }
}

impl TrainingPlan {
    /// Tuning, retraining and the plain backbone, each on one line. `from` is the time at which tuning begins.
    pub fn lines(&self, from: f64) -> String {
        let mut lines = Vec::new();
        let tuning = match &self.tune {
            TunePlan::None => None,
            TunePlan::Grid { trials, steps } => Some(format!("grid, {trials} trials of {steps} steps")),
            TunePlan::Asha { size } => Some(format!(
                "ASHA, {} samples, {} to {} steps, one in {} promoted",
                size.samples, size.min_steps, size.max_steps, size.reduction
            )),
        };
        lines.extend(tuning.map(|tuning| format!("  tune      {:>8}  {tuning}", seconds(self.tune_until - from))));
        // A training of a given number of steps may be over long before it has to be.
        let span = self.retrain_until - self.tune_until;
        let retrain = if self.most.is_some() { span.min(self.steps as f64 * self.step_seconds) } else { span };
        lines.push(format!("  retrain   {:>8}  {} steps of {} samples", seconds(retrain), self.steps, self.batch));
        lines.extend(self.baseline_until.map(|until| {
            let span = until - self.retrain_until;
            let time = if self.most.is_some() { span.min(self.tune_until - from + retrain) } else { span };
            let time = seconds(time);
            format!("  baseline  {time:>8}  the plain backbone, tuned and trained in the same way")
        }));
        lines.join("\n")
    }
}

fn seconds(s: f64) -> String {
    format!("{:.1} s", s.max(0.0))
}
