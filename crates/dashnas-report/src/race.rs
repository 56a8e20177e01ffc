//! The race of networks that was the search: its contestants round by round, and what is believed of them.

use crate::chart::{Axis, Series, Style};
use crate::curves::Figure;
use crate::wording::kernels_in_short;
use dashnas::record::event::Event;
use dashnas::record::race::{Contestant, Origin, RaceRecord, RaceTrial};
use dashnas::run::load::Loaded;
use dashnas_core::stage::Stage;
use dashnas_core::task::Metric;
use dashnas_core::text::{plural, short};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A race as the report shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Race {
    /// How sure the choice is, as a sentence.
    pub conclusion: String,
    /// What was done, as sentences.
    pub about: String,
    /// The headings of the rounds.
    pub rounds: Vec<String>,
    /// The contestants in the order in which they entered.
    pub contestants: Vec<Row>,
    /// The losses by round, and what is believed of the contestants.
    pub figures: Vec<Figure>,
}

/// A contestant in the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its number, from 1.
    pub number: usize,
    /// Where its kernels come from.
    pub origin: &'static str,
    /// Its kernels.
    pub kernels: String,
    /// The scores of its trials, round by round.
    pub rounds: Vec<Vec<String>>,
    /// The mean and the deviation of what is believed of it.
    pub belief: String,
    /// Why it was chosen or not.
    pub verdict: String,
    /// Whether it was chosen.
    pub chosen: bool,
}

impl Race {
    /// The race of a run; `None` if there was none, or if it is not finished.
    pub fn new(run: &Loaded, metric: Option<Metric>) -> Option<Self> {
        let record = run.race.as_ref()?;
        let last = record.contestants.iter().flat_map(|c| &c.trials).map(|t| t.round + 1).max().unwrap_or(0);
        let row = |(number, contestant): (usize, &Contestant)| Row {
            number: number + 1,
            origin: contestant.origin.title(),
            kernels: kernels_in_short(&contestant.kernels),
            rounds: (0..last).map(|round| cell(contestant, round, record.lr, metric)).collect(),
            belief: format!("{:.2} ± {:.2}", contestant.belief.mean, contestant.belief.deviation).replace('-', "−"),
            verdict: contestant.verdict.clone(),
            chosen: number == record.chosen,
        };
        Some(Self {
            conclusion: record.conclusion.clone(),
            about: about(run, record),
            rounds: (0..last).map(|round| heading(record, round, metric)).collect(),
            contestants: record.contestants.iter().enumerate().map(row).collect(),
            figures: [losses(record), beliefs(record)].into_iter().flatten().collect(),
        })
    }
}

/// What was done, and whether its result was kept.
fn about(run: &Loaded, record: &RaceRecord) -> String {
    let trials: usize = record.contestants.iter().map(|c| c.trials.len()).sum();
    if trials == 0 {
        return "No network could be compared: the choice is that of other data sets.".to_owned();
    }
    let mut text = format!(
        "{} with different kernels were compared in {}: each was trained for some steps and scored on held-out training \
         data. Those of the highest estimated quality, and in any case the plain network, entered the next round, which is \
         longer. The learning rate is {} unless a trial names another one. Kernels from the portfolio did best on other data sets, random ones were drawn from the space, and a \
         change of the best replaces kernels in one of the two best networks so far. Neither \
         that nor the choice goes by the loss of one round: the estimated quality weighs all rounds and other data sets.",
        plural(record.contestants.len(), "network"),
        plural(trials, "trial"),
        short(record.lr)
    );
    let chosen = record.contestants.get(record.chosen).map(|c| &c.kernels);
    if run.architecture.as_ref().is_some_and(|a| Some(&a.kernels) != chosen) {
        text += " The chosen kernels exceed the bounds on the network: it has the nearest allowed ones instead.";
    }
    text
}

/// `round 1 (50 steps): loss, error rate`.
fn heading(record: &RaceRecord, round: usize, metric: Option<Metric>) -> String {
    let trials = record.contestants.iter().flat_map(|c| &c.trials).filter(|t| t.round == round);
    let steps: BTreeSet<u64> = trials.map(|t| t.steps).collect();
    let steps = match (steps.first(), steps.last()) {
        (Some(&low), Some(&high)) if low < high => format!(" ({low} to {high} steps)"),
        (Some(&steps), _) => format!(" ({})", plural(usize::try_from(steps).unwrap_or(usize::MAX), "step")),
        _ => String::new(),
    };
    let metric = metric.map_or_else(String::new, |metric| format!(", {}", metric.title()));
    format!("round {}{steps}: loss{metric}", round + 1)
}

/// The scores of a contestant in a round: one, or none, or several with different learning rates.
fn cell(contestant: &Contestant, round: usize, lr: f64, metric: Option<Metric>) -> Vec<String> {
    let score = |trial: &RaceTrial| {
        let result = match (trial.score, &trial.reason) {
            (Some(score), _) => {
                let value = score.metric.zip(metric);
                let value = value.map_or_else(String::new, |(v, metric)| format!(", {}", metric.format(v)));
                format!("{}{value}", short(score.loss))
            }
            (None, reason) => reason.clone().unwrap_or_else(|| "no score".to_owned()),
        };
        if trial.lr == lr { result } else { format!("{result} (learning rate {})", short(trial.lr)) }
    };
    contestant.trials.iter().filter(|t| t.round == round).map(score).collect()
}

/// The name and the color of a contestant in the legend of a chart.
fn group(record: &RaceRecord, number: usize) -> (&'static str, &'static str) {
    if number == record.chosen {
        let chosen_is_plain = record.contestants[number].origin == Origin::Plain;
        (if chosen_is_plain { "chosen: the plain network" } else { "chosen" }, "var(--s0)")
    } else if record.contestants[number].origin == Origin::Plain {
        ("plain network", "var(--s1)")
    } else {
        ("other contestant", "var(--dim)")
    }
}

/// The contestants in the order in which they are drawn: the chosen one above all others.
fn drawn(record: &RaceRecord) -> Vec<usize> {
    let mut order: Vec<usize> = (0..record.contestants.len()).collect();
    order.sort_by_key(|&c| (c == record.chosen, record.contestants[c].origin == Origin::Plain));
    order
}

/// The losses of all contestants by round.
fn losses(record: &RaceRecord) -> Option<Figure> {
    let mut all = Vec::new();
    for number in drawn(record) {
        let contestant = &record.contestants[number];
        let trials = contestant.trials.iter().filter(|t| t.lr == record.lr);
        let points: Vec<(f64, f64)> =
            trials.filter_map(|t| Some(((t.round + 1) as f64, t.score?.loss))).filter(|p| p.1.is_finite()).collect();
        let (label, color) = group(record, number);
        let color = color.to_owned();
        if points.len() > 1 {
            let label = format!("contestant {} ({})", number + 1, contestant.origin.title());
            all.push(Series { label, color: color.clone(), points: points.clone(), style: Style::Faint });
        }
        all.push(Series { label: label.to_owned(), color, points, style: Style::Dots });
    }
    let note = "On held-out training data. Only losses of one round are comparable: they have the same data, initial \
                weights and number of steps. Lower is better.";
    let axis = Axis::fitting("loss", all.iter().flat_map(|s| &s.points).map(|p| p.1));
    Figure::new("Validation loss by round", &Axis::counting("round"), &axis, &all, note)
}

/// What is believed of the contestants after all trials.
fn beliefs(record: &RaceRecord) -> Option<Figure> {
    if record.contestants.iter().all(|c| c.trials.is_empty()) {
        return None;
    }
    let mut all = Vec::new();
    for number in drawn(record) {
        let contestant = &record.contestants[number];
        let (mean, deviation, at) = (contestant.belief.mean, contestant.belief.deviation, (number + 1) as f64);
        let (label, color) = group(record, number);
        let name = format!("contestant {} ({})", number + 1, contestant.origin.title());
        let bar = vec![(at, mean - deviation), (at, mean + deviation)];
        all.push(Series { label: name, color: color.into(), points: bar, style: Style::Faint });
        all.push(Series { label: label.into(), color: color.into(), points: vec![(at, mean)], style: Style::Dots });
    }
    let note = "Mean and standard deviation by the model of the race, in units of the spread of random architectures, \
                whose mean is 0. Lower is better.";
    let (x, y) = (Axis::counting("contestant"), Axis::new("estimated quality"));
    Figure::new("Estimated quality of each contestant", &x, &y, &all, note)
}

/// The losses of the trials of a race in progress.
pub fn trials_so_far(events: &[Event]) -> Option<Figure> {
    let losses: BTreeMap<usize, f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::TrialFinished { stage: Stage::Search, trial, loss, .. } => Some((*trial, (*loss)?)),
            _ => None,
        })
        .collect();
    let points = losses.into_iter().map(|(trial, loss)| ((trial + 1) as f64, loss)).collect();
    let dots = Series { label: "trial".into(), color: "var(--s0)".into(), points, style: Style::Dots };
    let axis = Axis::fitting("validation loss", dots.points.iter().map(|p| p.1));
    let note = "On held-out training data. Later rounds have more steps. Lower is better.";
    Figure::new("Race: validation loss of the trials", &Axis::counting("trial"), &axis, &[dots], note)
}
