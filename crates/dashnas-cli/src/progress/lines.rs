//! The lines for the events of a run.

use crate::verbosity::Verbosity;
use dashnas::record::event::Event;
use dashnas::record::race::{Contestant, RaceRecord, RaceTrial};
use dashnas_core::stage::Stage;
use dashnas_core::task::Metric;
use dashnas_core::text::{duration, plural};
use dashnas_report::wording::kernels_in_short;
use std::time::{Duration, Instant};

/// Turns events into lines.
pub struct Lines {
    verbosity: Verbosity,
    /// The shortest time between two lines about steps; `None` for no such lines.
    pause: Option<Duration>,
    last: Option<Instant>,
    /// The metric of the run, once it is known.
    metric: Option<Metric>,
}

impl Lines {
    /// Lines of the given verbosity.
    pub fn new(verbosity: Verbosity, pause: Option<Duration>) -> Self {
        Self { verbosity, pause, last: None, metric: None }
    }

    /// Sets the metric of the values in the events.
    pub fn set_metric(&mut self, metric: Metric) {
        self.metric = Some(metric);
    }

    /// A value of the metric with its name: `error rate 12.50 %`.
    fn value(&self, value: f64) -> String {
        match self.metric {
            Some(metric) => format!("{} {}", metric.title(), metric.format(value)),
            None => format!("metric {value:.4}"),
        }
    }

    /// The result of a trial of a race: `loss 0.5120, error rate 12.50 %`.
    fn race_result(&self, loss: Option<f64>, metric: Option<f64>, reason: Option<&str>) -> String {
        match loss {
            Some(loss) => {
                let metric = metric.map_or_else(String::new, |metric| format!(", {}", self.value(metric)));
                format!("loss {loss:.4}{metric}")
            }
            None => reason.unwrap_or("no score").to_owned(),
        }
    }

    /// The lines for the trials of a finished race with their contestants; none unless verbose lines are wanted.
    pub fn race(&self, race: &RaceRecord) -> Vec<String> {
        let mut trials: Vec<_> =
            race.contestants.iter().enumerate().flat_map(|c| c.1.trials.iter().map(move |t| (c, t))).collect();
        trials.retain(|_| self.verbosity >= Verbosity::Verbose);
        trials.sort_by_key(|(_, trial)| trial.trial);
        let line = |((number, contestant), trial): ((usize, &Contestant), &RaceTrial)| {
            let (loss, metric) = (trial.score.map(|s| s.loss), trial.score.and_then(|s| s.metric));
            format!(
                "race: round {}, trial {}, contestant {} ({}), kernels {}, {}, learning rate {}: {}",
                trial.round + 1,
                trial.trial + 1,
                number + 1,
                contestant.origin.title(),
                kernels_in_short(&contestant.kernels),
                plural(usize::try_from(trial.steps).unwrap_or(usize::MAX), "step"),
                rate(trial.lr),
                self.race_result(loss, metric, trial.reason.as_deref())
            )
        };
        trials.into_iter().map(line).collect()
    }

    /// The line for an event, if it has one.
    pub fn event(&mut self, event: &Event, now: Instant) -> Option<String> {
        let verbose = self.verbosity >= Verbosity::Verbose;
        match event {
            Event::StageStarted { stage, steps_total, epochs } => {
                self.last = Some(now);
                // On a terminal the bar shows it.
                self.pause.is_some().then(|| started(*stage, *steps_total, *epochs))
            }
            Event::Planned { plan } => Some(plan.to_string()),
            Event::StageResumed { stage, steps_done } => Some(format!("{stage}: resuming after step {steps_done}")),
            Event::Step { stage, trial, step, steps_total, .. } => {
                let stage = heading(*stage, *trial);
                let due = self.last.is_none_or(|last| self.pause.is_some_and(|pause| now - last >= pause));
                (self.pause.is_some() && due).then(|| {
                    self.last = Some(now);
                    let total = if *steps_total > 0 { format!("/{steps_total}") } else { String::new() };
                    format!("{stage}: step {step}{total}  {}", self::step(event))
                })
            }
            Event::Epoch { stage, trial, epoch, epochs, train_loss, train_metric, val_metric, lr, seconds } => verbose
                .then(|| {
                    let named =
                        |on: &str, m: Option<f64>| m.map_or_else(String::new, |m| format!("  {on} {}", self.value(m)));
                    let metrics = named("training", *train_metric) + &named("validation", *val_metric);
                    let (stage, trial) = (heading(*stage, *trial), trial.filter(|_| is_race(*stage, *trial)));
                    let trial = trial.map_or_else(String::new, |trial| format!("trial {}  ", trial + 1));
                    format!(
                        "{stage}: {trial}epoch {}/{epochs}  loss {train_loss:.4}{metrics}  learning rate {}  {seconds:.1} s",
                        epoch + 1,
                        rate(*lr)
                    )
                }),
            Event::Alpha { epoch, layers } => verbose.then(|| {
                let choices = layers.iter().map(|l| format!("({}, {})", l.kernel_size, l.dilation));
                format!(
                    "search: epoch {}  leading kernel sizes and dilations: {}",
                    epoch + 1,
                    choices.collect::<Vec<_>>().join("  ")
                )
            }),
            Event::TrialFinished { stage: Stage::Search, trial, trials, score, loss, reason, .. } => {
                let result = self.race_result(*loss, *score, reason.as_deref());
                Some(format!("race: trial {} of {trials}, {result}", trial + 1))
            }
            Event::TrialFinished { stage, trial, trials, lr, weight_decay, momentum, dropout, score, loss, reason } => {
                let result = match (score, loss, reason) {
                    (Some(score), ..) => format!("validation {}", self.value(*score)),
                    (None, _, Some(reason)) => reason.clone(),
                    (None, Some(loss), None) => format!("validation loss {loss:.4}"),
                    (None, None, None) => "no score".to_owned(),
                };
                Some(format!(
                    "{stage}: trial {}/{trials}  learning rate {lr}, weight decay {weight_decay}, momentum {momentum}, dropout \
                     {dropout}: {result}",
                    trial + 1
                ))
            }
            Event::StageFinished { stage, seconds } => Some(format!("{stage}: finished in {}", duration(*seconds))),
            Event::Note { message } => Some(message.clone()),
            Event::Warning { .. } | Event::Finished { .. } => None,
        }
    }
}

/// Whether an event with this stage and trial is one of a race: the search of the paper has no trials.
fn is_race(stage: Stage, trial: Option<usize>) -> bool {
    stage == Stage::Search && trial.is_some()
}

/// What a line about a training begins with: the stage, or `race`.
fn heading(stage: Stage, trial: Option<usize>) -> &'static str {
    if is_race(stage, trial) { "race" } else { stage.name() }
}

/// The line for the start of a stage.
fn started(stage: Stage, steps: u64, epochs: usize) -> String {
    let count = usize::try_from(steps).unwrap_or(usize::MAX);
    let (steps, passes) = (plural(count, "step"), plural(epochs, "epoch"));
    match (stage, count, epochs) {
        (_, 0, _) => stage.to_string(),
        (Stage::Data, ..) => format!("{stage}: solving {}", plural(count, "flow problem")),
        (Stage::Tune, ..) => format!("{stage}: trials of {passes} each, up to {steps} in total"),
        // The search of the paper has epochs.
        (Stage::Search, _, 0) => format!("{stage}: race of networks, up to {steps} in total"),
        // Its steps include those of its own tuning, unlike those of retraining.
        (Stage::Baseline, ..) => format!("{stage}: the plain network, up to {steps}, those of its own tuning included"),
        (_, _, 0) => format!("{stage}: {steps}"),
        _ => format!("{stage}: {passes}, up to {steps}"),
    }
}

/// Trial, epoch, loss and learning rate of a step.
pub fn step(event: &Event) -> String {
    let Event::Step { trial, epoch, loss, lr, .. } = event else { return String::new() };
    let mut parts = Vec::new();
    parts.extend(trial.map(|trial| format!("trial {}", trial + 1)));
    parts.extend(loss.map(|loss| format!("epoch {}  loss {loss:.4}", epoch + 1)));
    parts.extend(lr.map(|lr| format!("learning rate {}", rate(lr))));
    parts.join("  ")
}

/// A learning rate in few digits: products of decimal fractions are not short otherwise.
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
    use dashnas::record::event::LayerChoice;
    use dashnas::record::race::{Belief, Origin};
    use dashnas_core::score::Score;

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
    fn steps_get_a_line_only_now_and_then() {
        let mut lines = Lines::new(Verbosity::Normal, Some(Duration::from_secs(10)));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let started = Event::StageStarted { stage: Stage::Search, steps_total: 40, epochs: 8 };
        assert_eq!(lines.event(&started, start).unwrap(), "search: 8 epochs, up to 40 steps");
        assert_eq!(lines.event(&a_step(1), after(1)), None);
        assert_eq!(
            lines.event(&a_step(9), after(10)).unwrap(),
            "search: step 9/40  epoch 2  loss 0.5000  learning rate 0.02"
        );
        assert_eq!(lines.event(&a_step(10), after(19)), None);
        assert!(lines.event(&a_step(11), after(20)).is_some());
        let done = Event::StageFinished { stage: Stage::Search, seconds: 20.04 };
        assert_eq!(lines.event(&done, after(20)).unwrap(), "search: finished in 20.0 s");
    }

    #[test]
    fn a_terminal_gets_no_lines_about_steps() {
        let mut lines = Lines::new(Verbosity::Normal, None);
        assert_eq!(lines.event(&a_step(1), Instant::now()), None);
        let started = Event::StageStarted { stage: Stage::Search, steps_total: 40, epochs: 8 };
        assert_eq!(lines.event(&started, Instant::now()), None);
    }

    #[test]
    fn epochs_and_kernels_get_lines_only_in_verbose_mode() {
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
            "retrain: epoch 1/15  loss 0.2500  training metric 0.7500  validation metric 0.5000  learning rate 1.6e-4  1.0 s"
        );
        assert_eq!(
            verbose.event(&alpha, now).unwrap(),
            "search: epoch 3  leading kernel sizes and dilations: (9, 7)  (9, 7)"
        );
    }

    #[test]
    fn trials_without_a_score_show_the_reason() {
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
        let head = "tune: trial 1/24  learning rate 0.1, weight decay 0.000005, momentum 0.9, dropout 0.05: ";
        let now = Instant::now();
        assert_eq!(lines.event(&trial(Some(0.25), None), now).unwrap(), format!("{head}validation metric 0.2500"));
        lines.set_metric(Metric::ZeroOneError);
        assert_eq!(lines.event(&trial(Some(0.25), None), now).unwrap(), format!("{head}validation error rate 25.00 %"));
        let failed = lines.event(&trial(None, Some("the loss is not finite".into())), now).unwrap();
        assert_eq!(failed, format!("{head}the loss is not finite"));
    }

    #[test]
    fn trials_of_a_race_are_not_those_of_tuning() {
        let trial = |loss, reason| Event::TrialFinished {
            stage: Stage::Search,
            trial: 3,
            trials: 13,
            lr: 0.1,
            weight_decay: 5e-6,
            momentum: 0.9,
            dropout: 0.05,
            score: loss,
            loss,
            reason,
        };
        let mut lines = Lines::new(Verbosity::Normal, Some(Duration::from_secs(10)));
        let now = Instant::now();
        lines.set_metric(Metric::ZeroOneError);
        assert_eq!(
            lines.event(&trial(Some(0.512), None), now).unwrap(),
            "race: trial 4 of 13, loss 0.5120, error rate 51.20 %"
        );
        let failed = lines.event(&trial(None, Some("out of memory".into())), now).unwrap();
        assert_eq!(failed, "race: trial 4 of 13, out of memory");
        let Event::Step { stage, epoch, step, steps_total, loss, lr, .. } = a_step(9) else { panic!("a step") };
        let step = Event::Step { stage, trial: Some(1), epoch, step, steps_total, loss, lr };
        assert_eq!(
            lines.event(&step, now).unwrap(),
            "race: step 9/40  trial 2  epoch 2  loss 0.5000  learning rate 0.02"
        );
    }

    #[test]
    fn the_trials_of_a_race_are_listed_with_their_contestants_in_verbose_mode() {
        let trial = |trial, round, loss| RaceTrial {
            trial,
            round,
            steps: 50,
            lr: 0.1,
            score: Some(Score { metric: None, loss }),
            reason: None,
        };
        let contestant = |origin, trials| Contestant {
            origin,
            kernels: vec![[7, 3], [3, 1], [3, 1]],
            trials,
            belief: Belief { mean: 0.0, deviation: 1.0 },
            verdict: String::new(),
        };
        let first = contestant(Origin::Portfolio, vec![trial(0, 0, 0.5), trial(2, 1, 0.25)]);
        let (better_than_plain, better_than_random, conclusion) = (None, 0.5, String::new());
        let contestants = vec![first, contestant(Origin::Plain, vec![trial(1, 0, 0.75)])];
        let race = RaceRecord { contestants, chosen: 0, lr: 0.1, better_than_plain, better_than_random, conclusion };
        assert_eq!(Lines::new(Verbosity::Normal, None).race(&race), [""; 0]);
        insta::assert_snapshot!(Lines::new(Verbosity::Verbose, None).race(&race).join("\n"));
    }

    #[test]
    fn stages_start_with_their_size() {
        assert_eq!(started(Stage::Search, 450, 0), "search: race of networks, up to 450 steps in total");
        assert_eq!(started(Stage::Search, 0, 0), "search");
        assert_eq!(started(Stage::Data, 500, 0), "data: solving 500 flow problems");
        assert_eq!(started(Stage::Tune, 1848, 22), "tune: trials of 22 epochs each, up to 1848 steps in total");
        assert_eq!(started(Stage::Retrain, 1, 1), "retrain: 1 epoch, up to 1 step");
        assert_eq!(started(Stage::Evaluate, 0, 0), "evaluate");
    }
}
