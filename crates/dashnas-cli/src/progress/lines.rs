//! Which events become a line, and how it reads.

use super::Verbosity;
use dashnas::event::Event;
use std::time::{Duration, Instant};

/// Turns events into lines.
pub struct Lines {
    verbosity: Verbosity,
    /// Least time between lines about steps; none: no such lines.
    pause: Option<Duration>,
    last: Option<Instant>,
}

impl Lines {
    /// Lines of the given verbosity.
    pub fn new(verbosity: Verbosity, pause: Option<Duration>) -> Self {
        Self { verbosity, pause, last: None }
    }

    /// The line for an event, if it gets one.
    pub fn event(&mut self, event: &Event, now: Instant) -> Option<String> {
        let verbose = self.verbosity >= Verbosity::Verbose;
        match event {
            Event::StageStarted { stage, steps_total, epochs } => {
                self.last = Some(now);
                let size = match (steps_total, epochs) {
                    (0, _) => String::new(),
                    (steps, 0) => format!(": {steps} steps"),
                    (steps, epochs) => format!(": {epochs} epochs, at most {steps} steps"),
                };
                // On a terminal the bar says it.
                self.pause.is_some().then(|| format!("{stage}{size}"))
            }
            Event::Planned { plan } => Some(plan.to_string()),
            Event::StageResumed { stage, steps_done } => Some(format!("{stage}: resuming after step {steps_done}")),
            Event::Step { stage, step, steps_total, .. } => {
                let due = self.last.is_none_or(|last| self.pause.is_some_and(|pause| now - last >= pause));
                (self.pause.is_some() && due).then(|| {
                    self.last = Some(now);
                    let total = if *steps_total > 0 { format!("/{steps_total}") } else { String::new() };
                    format!("{stage}: step {step}{total}  {}", self::step(event))
                })
            }
            Event::Epoch { stage, epoch, epochs, train_loss, train_metric, val_metric, lr, seconds, .. } => verbose
                .then(|| {
                    let named = |name: &str, m: Option<f64>| m.map_or_else(String::new, |m| format!("  {name} {m:.4}"));
                    let metrics = named("training metric", *train_metric) + &named("validation metric", *val_metric);
                    format!(
                        "{stage}: epoch {}/{epochs}  loss {train_loss:.4}{metrics}  lr {}  {seconds:.1} s",
                        epoch + 1,
                        rate(*lr)
                    )
                }),
            Event::Alpha { epoch, layers } => verbose.then(|| {
                let choices = layers.iter().map(|l| format!("{},{}", l.kernel_size, l.dilation));
                format!("search: epoch {}  leading k,d: {}", epoch + 1, choices.collect::<Vec<_>>().join("  "))
            }),
            Event::TrialFinished { stage, trial, trials, lr, weight_decay, momentum, dropout, score, loss, reason } => {
                let result = match (score, loss, reason) {
                    (Some(score), ..) => format!("validation {score:.4}"),
                    (None, _, Some(reason)) => reason.clone(),
                    (None, Some(loss), None) => format!("validation loss {loss:.4}"),
                    (None, None, None) => "no score".to_owned(),
                };
                Some(format!(
                    "{stage}: trial {}/{trials}  lr {lr}, weight decay {weight_decay}, momentum {momentum}, dropout \
                     {dropout}: {result}",
                    trial + 1
                ))
            }
            Event::StageFinished { stage, seconds } => Some(format!("{stage}: done in {seconds:.1} s")),
            Event::Note { message } => Some(message.clone()),
            Event::Warning { .. } | Event::Finished { .. } => None,
        }
    }
}

/// Trial, epoch, loss and learning rate of a step.
pub fn step(event: &Event) -> String {
    let Event::Step { trial, epoch, loss, lr, .. } = event else { return String::new() };
    let mut parts = Vec::new();
    parts.extend(trial.map(|trial| format!("trial {}", trial + 1)));
    parts.extend(loss.map(|loss| format!("epoch {}  loss {loss:.4}", epoch + 1)));
    parts.extend(lr.map(|lr| format!("lr {}", rate(lr))));
    parts.join("  ")
}

/// A learning rate to three digits: products of decimals are not short otherwise.
fn rate(lr: f64) -> String {
    if lr >= 1e-3 || lr == 0.0 {
        let text = format!("{lr:.5}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{lr:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::event::{LayerChoice, Stage};

    fn a_step(step: u64) -> Event {
        Event::Step {
            stage: Stage::Search,
            trial: None,
            epoch: 1,
            step,
            steps_total: 40,
            loss: Some(0.5),
            lr: Some(0.1 * 0.2),
        }
    }

    #[test]
    fn steps_are_spoken_of_only_now_and_then() {
        let mut lines = Lines::new(Verbosity::Normal, Some(Duration::from_secs(10)));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let started = Event::StageStarted { stage: Stage::Search, steps_total: 40, epochs: 8 };
        assert_eq!(lines.event(&started, start).unwrap(), "search: 8 epochs, at most 40 steps");
        assert_eq!(lines.event(&a_step(1), after(1)), None);
        assert_eq!(lines.event(&a_step(9), after(10)).unwrap(), "search: step 9/40  epoch 2  loss 0.5000  lr 0.02");
        assert_eq!(lines.event(&a_step(10), after(19)), None);
        assert!(lines.event(&a_step(11), after(20)).is_some());
        let done = Event::StageFinished { stage: Stage::Search, seconds: 20.04 };
        assert_eq!(lines.event(&done, after(20)).unwrap(), "search: done in 20.0 s");
    }

    #[test]
    fn a_terminal_gets_no_lines_about_steps() {
        let mut lines = Lines::new(Verbosity::Normal, None);
        assert_eq!(lines.event(&a_step(1), Instant::now()), None);
        let started = Event::StageStarted { stage: Stage::Search, steps_total: 40, epochs: 8 };
        assert_eq!(lines.event(&started, Instant::now()), None);
    }

    #[test]
    fn epochs_and_choices_are_for_the_verbose() {
        let epoch = Event::Epoch {
            stage: Stage::Retrain,
            trial: None,
            epoch: 0,
            epochs: 15,
            train_loss: 0.25,
            train_metric: Some(0.75),
            val_metric: Some(0.5),
            lr: 0.00016,
            seconds: 1.0,
        };
        let layer = LayerChoice { kernel_size: 9, dilation: 7, weight: 0.5, entropy: 1.0 };
        let alpha = Event::Alpha { epoch: 2, layers: vec![layer, layer] };
        let now = Instant::now();
        let mut normal = Lines::new(Verbosity::Normal, None);
        assert_eq!((normal.event(&epoch, now), normal.event(&alpha, now)), (None, None));
        let mut verbose = Lines::new(Verbosity::Verbose, None);
        assert_eq!(
            verbose.event(&epoch, now).unwrap(),
            "retrain: epoch 1/15  loss 0.2500  training metric 0.7500  validation metric 0.5000  lr 1.6e-4  1.0 s"
        );
        assert_eq!(verbose.event(&alpha, now).unwrap(), "search: epoch 3  leading k,d: 9,7  9,7");
    }

    #[test]
    fn trials_say_why_they_have_no_score() {
        let trial = |score, reason| Event::TrialFinished {
            stage: Stage::Tune,
            trial: 0,
            trials: 24,
            lr: 0.1,
            weight_decay: 5e-6,
            momentum: 0.9,
            dropout: 0.05,
            score,
            loss: score,
            reason,
        };
        let mut lines = Lines::new(Verbosity::Normal, None);
        let head = "tune: trial 1/24  lr 0.1, weight decay 0.000005, momentum 0.9, dropout 0.05: ";
        let now = Instant::now();
        assert_eq!(lines.event(&trial(Some(0.25), None), now).unwrap(), format!("{head}validation 0.2500"));
        let failed = lines.event(&trial(None, Some("the loss is not finite".into())), now).unwrap();
        assert_eq!(failed, format!("{head}the loss is not finite"));
    }
}
