//! The status for people.

use super::{Now, StageStatus, State, Status};
use crate::report::{duration, short};
use std::fmt;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process = self.process.map_or(String::new(), |p| format!(" (process {p})"));
        let state = match self.state {
            State::Running => format!("running{process}"),
            State::Stopped => "stopped before it was finished; no process works on it".into(),
            State::Finished => "finished".into(),
        };
        writeln!(f, "{} in {}: {state}\n", self.data, self.run_dir.display())?;
        for stage in &self.stages {
            writeln!(f, "  {:<9} {}", stage.stage.name(), self.stage(stage))?;
        }
        if let Some(now) = &self.now {
            let l = &now.live;
            let mut words = vec![format!("step {} of {}", l.step, l.steps_total)];
            words.extend(match &l.trials[..] {
                [] | [_] => l.trial.map(|t| format!("trial {}", t + 1)),
                all => {
                    let all: Vec<String> = all.iter().map(|t| (t + 1).to_string()).collect();
                    Some(format!("trials {} side by side", all.join(", ")))
                }
            });
            words.push(format!("epoch {}", l.epoch + 1));
            words.extend(l.loss.map(|v| format!("loss {}", short(v))));
            words.extend(l.lr.map(|v| format!("learning rate {}", short(v))));
            words.extend(now.seconds_left.map(|s| format!("about {} left in this stage", duration(s))));
            writeln!(f, "\n{}: {}, {} s ago", l.stage, words.join(", "), now.age)?;
            if let Some(left) = in_all(now, self.limit) {
                writeln!(f, "{left}")?;
            }
        }
        if !self.alpha.is_empty() {
            writeln!(f, "\nLeading kernels after {} epoch(s) of search:", self.alpha_epochs)?;
            for (i, l) in self.alpha.iter().enumerate() {
                let (k, d, percent) = (l.kernel_size, l.dilation, 100.0 * l.weight);
                writeln!(f, "  layer {:>2}: k {k:>2}, d {d:>2}, {percent:>3.0} %, entropy {:.2}", i + 1, l.entropy)?;
            }
        }
        if let Some(test) = self.test {
            let plain = self.baseline_test.map_or(String::new(), |b| format!(", plain backbone {}", short(b)));
            writeln!(f, "\nTest metric: {}{plain}", short(test))?;
        }
        if let Some(warning) = &self.warning {
            writeln!(f, "\nLast warning: {warning}")?;
        }
        Ok(())
    }
}

/// What is left of the whole run, as far as it can be told.
pub(super) fn in_all(now: &Now, limit: Option<f64>) -> Option<String> {
    match (now.run_seconds_left, limit) {
        (Some(left), Some(limit)) => Some(format!("{} left of {}", duration(left), duration(limit))),
        (Some(left), None) => Some(format!("about {} left in all", duration(left))),
        // In the search: its steps say nothing of those of the network that it will find.
        (None, _) => {
            let (left, after) = (duration(now.seconds_left?), now.live.steps_after);
            (after > 0)
                .then(|| format!("at least {left} left in all: {after} steps after this stage are not yet timed"))
        }
    }
}

impl Status {
    fn stage(&self, s: &StageStatus) -> String {
        let mut words = match (s.seconds, s.begun) {
            (Some(seconds), _) => vec![format!("done in {}", duration(seconds))],
            (None, true) if self.state == State::Running => vec!["under way".to_owned()],
            (None, true) => vec!["begun".to_owned()],
            (None, false) => return "–".into(),
        };
        if s.stage == crate::event::Stage::Tune && self.trials.0 > 0 {
            words.push(format!("{} trial(s)", self.trials.0));
            words.extend(self.trials.1.map(|best| format!("best score {}", short(best))));
        } else if s.epochs[1] > 0 {
            words.push(format!("epoch {} of {}", s.epochs[0], s.epochs[1]));
        }
        words.extend(s.train_loss.map(|v| format!("training loss {}", short(v))));
        words.extend(s.train_metric.map(|v| format!("training metric {}", short(v))));
        words.extend(s.val_metric.map(|v| format!("validation metric {}", short(v))));
        words.join(", ")
    }
}
