//! The state of a run as text for people.

use crate::status::summary::{Now, RaceStatus, StageStatus, State, Status};
use crate::wording::with_accuracy;
use dashnas_core::stage::Stage;
use dashnas_core::task::Metric;
use dashnas_core::text::{duration, plural, short};
use std::fmt;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process = self.process.map_or(String::new(), |p| format!(" (process {p})"));
        let state = match self.state {
            State::Running => format!("running{process}"),
            State::Stopped => "stopped before it was finished; no process works on it".into(),
            State::Trained => "finished (trained from Python; not evaluated)".into(),
            State::Finished => "finished".into(),
        };
        writeln!(f, "{} in {}: {state}\n", self.data, self.run_dir.display())?;
        for stage in &self.stages {
            writeln!(f, "  {:<9} {}", stage.stage.name(), self.stage(stage))?;
        }
        if let Some(now) = &self.now {
            let words = now_in_words(now);
            writeln!(f, "\n{}: {}, written {} s ago", now.live.stage, words.join(", "), now.age)?;
            if let Some(left) = time_left(now, self.limit) {
                writeln!(f, "{left}")?;
            }
        }
        if !self.alpha.is_empty() {
            writeln!(f, "\nLeading kernels after {} of the search:", plural(self.alpha_epochs, "epoch"))?;
            for (i, l) in self.alpha.iter().enumerate() {
                let (k, d, percent) = (l.kernel_size, l.dilation, 100.0 * l.weight);
                writeln!(
                    f,
                    "  layer {:>2}: kernel size {k:>2}, dilation {d:>2}, weight {percent:>3.0} %, entropy {:.2}",
                    i + 1,
                    l.entropy
                )?;
            }
        }
        if let Some(conclusion) = &self.conclusion {
            writeln!(f, "\nThe race: {conclusion}")?;
        }
        if let Some(test) = self.test {
            let value = |v: f64| self.metric.map_or_else(|| short(v), |metric| with_accuracy(metric, v));
            let network = match self.kernels_given {
                true => "network with the given kernels",
                false if self.not_searched => "network with plain kernels (not searched)",
                false => "searched network",
            };
            writeln!(f, "\nTest {}: {network} {}", self.metric_name(), value(test))?;
            if let Some(plain) = self.baseline_test {
                writeln!(f, "Test {}: plain network {}", self.metric_name(), value(plain))?;
            }
        }
        if let Some(warning) = &self.warning {
            writeln!(f, "\nLast warning: {warning}")?;
        }
        Ok(())
    }
}

/// The step in progress, part by part.
pub(super) fn now_in_words(now: &Now) -> Vec<String> {
    let l = &now.live;
    let mut words = vec![match l.steps_total {
        0 => format!("step {}", l.step),
        total => format!("step {} of {total}", l.step),
    }];
    words.extend(match &l.trials[..] {
        [] | [_] => l.trial.map(|t| format!("trial {}", t + 1)),
        all => {
            let all: Vec<String> = all.iter().map(|t| (t + 1).to_string()).collect();
            Some(format!("trials {} in parallel", all.join(", ")))
        }
    });
    words.push(format!("epoch {}", l.epoch + 1));
    words.extend(l.loss.map(|v| format!("loss {}", short(v))));
    words.extend(l.lr.map(|v| format!("learning rate {}", short(v))));
    words.extend(now.seconds_left.map(|s| format!("about {} left in this stage", duration(s))));
    words
}

/// `race: 4 of 13 trials finished, best loss 0.51`.
fn race_in_words(race: RaceStatus) -> String {
    let trials = match race.finished == race.trials {
        true => plural(race.trials, "trial"),
        false => format!("{} of {}", race.finished, plural(race.trials, "trial")),
    };
    let best = race.best_loss.map_or_else(String::new, |loss| format!(", best loss {}", short(loss)));
    format!("race: {trials} finished{best}")
}

/// The time left for the whole run, as far as it is known.
pub(super) fn time_left(now: &Now, limit: Option<f64>) -> Option<String> {
    match (now.run_seconds_left, limit) {
        (Some(left), Some(limit)) => Some(format!("{} left of the time limit of {}", duration(left), duration(limit))),
        (Some(left), None) => Some(format!("about {} left for the whole run", duration(left))),
        // In the search: the steps of the network that it will find take another time than its own.
        (None, _) => {
            let (left, after) = (duration(now.seconds_left?), now.live.steps_after);
            let steps = plural(usize::try_from(after).unwrap_or(usize::MAX), "step");
            (after > 0).then(|| {
                format!(
                    "at least {left} left for the whole run, and {steps} in later stages, whose time is not known yet"
                )
            })
        }
    }
}

impl Status {
    fn metric_name(&self) -> &'static str {
        self.metric.map_or("metric", Metric::title)
    }

    fn metric_value(&self, value: f64) -> String {
        self.metric.map_or_else(|| short(value), |metric| metric.format(value))
    }

    fn stage(&self, s: &StageStatus) -> String {
        let mut words = match (s.seconds, s.begun) {
            _ if s.stage == Stage::Search && self.kernels_given => return "none: the kernels are given".into(),
            _ if s.stage == Stage::Search && self.not_searched => {
                return "none: the kernels are those of the plain network".into();
            }
            (Some(seconds), _) => vec![format!("finished in {}", duration(seconds))],
            (None, true) if self.state == State::Running => vec!["in progress".to_owned()],
            (None, true) => vec!["started".to_owned()],
            (None, false) => return "not started".into(),
        };
        let name = self.metric_name();
        if let Some(race) = self.race.filter(|_| s.stage == Stage::Search) {
            words.push(race_in_words(race));
        } else if s.stage == Stage::Tune && self.trials.0 > 0 {
            let done = self.trials.0;
            words.push(match self.trials_planned > done && s.seconds.is_none() {
                true => format!("{done} of {} finished", plural(self.trials_planned, "trial")),
                false => plural(done, "trial"),
            });
            words.extend(self.trials.1.map(|best| format!("best validation {name} {}", self.metric_value(best))));
        } else if s.epochs[1] > 0 {
            words.push(format!("epoch {} of {}", s.epochs[0], s.epochs[1]));
        }
        words.extend(s.train_loss.map(|v| format!("training loss {}", short(v))));
        words.extend(s.train_metric.map(|v| format!("training {name} {}", self.metric_value(v))));
        words.extend(s.val_metric.map(|v| format!("validation {name} {}", self.metric_value(v))));
        words.join(", ")
    }
}
