//! Losses, metrics and learning rates over the epochs.

use crate::chart::{Axis, Series, Style, chart};
use dashnas::record::event::Event;
use dashnas_core::stage::Stage;
use dashnas_core::task::Metric;
use serde::Serialize;
use std::collections::BTreeMap;

/// A plot with its caption.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The caption.
    pub title: String,
    /// The name of the vertical axis, unless it is in the title.
    pub up: Option<String>,
    /// The drawing.
    pub svg: String,
    /// `(color, label)` of each series.
    pub legend: Vec<(String, String)>,
    /// An explanation; may be empty.
    pub note: String,
}

impl Figure {
    /// Draws series; none if they are empty.
    pub fn new(title: &str, x: &Axis, y: &Axis, series: &[Series], note: &str) -> Option<Self> {
        let mut legend: Vec<(String, String)> = Vec::new();
        for s in series.iter().filter(|s| s.style != Style::Faint && !s.label.is_empty() && !s.points.is_empty()) {
            if !legend.iter().any(|(_, label)| *label == s.label) {
                legend.push((s.color.clone(), s.label.clone()));
            }
        }
        let up = (!title.to_lowercase().contains(&y.title.to_lowercase())).then(|| y.title.clone());
        Some(Self { title: title.into(), up, svg: chart(title, x, y, series)?, legend, note: note.into() })
    }
}

type Points = Vec<(f64, f64)>;

/// The largest number of trials whose curves are in a legend.
const NAMED_TRIALS: usize = 12;

/// The numbers of each epoch of one training. An epoch that is logged again, by a process that resumed from a
/// checkpoint, replaces the first record.
#[derive(Default)]
struct TrainingCurve {
    epochs: BTreeMap<usize, [f64; 4]>,
}

impl TrainingCurve {
    fn column(&self, column: usize) -> Points {
        let point = |(&epoch, row): (&usize, &[f64; 4])| ((epoch + 1) as f64, row[column]);
        self.epochs.iter().map(point).filter(|p| p.1.is_finite()).collect()
    }
}

fn series(label: &str, color: &str, points: Points, style: Style) -> Series {
    Series { label: label.into(), color: color.into(), points, style }
}

/// The curves of all stages that there are.
pub fn curves(events: &[Event], metric: Option<Metric>, network: &str) -> Vec<Figure> {
    let mut trainings: BTreeMap<(Stage, Option<usize>), TrainingCurve> = BTreeMap::new();
    let mut scores = BTreeMap::new();
    // Trials in the logs of versions that did not say which are the baseline's follow the start of its stage.
    let mut baseline = false;
    for event in events {
        match event {
            Event::StageStarted { stage, .. } | Event::StageResumed { stage, .. } => {
                baseline = *stage == Stage::Baseline
            }
            Event::Epoch { stage, trial, epoch, train_loss, train_metric, val_metric, lr, .. } => {
                let metric = |m: &Option<f64>| m.unwrap_or(f64::NAN);
                let row = [*train_loss, metric(train_metric), metric(val_metric), *lr];
                trainings.entry((*stage, *trial)).or_default().epochs.insert(*epoch, row);
            }
            // The trials of a race are no tuning.
            Event::TrialFinished { stage, trial, score: Some(score), .. } if *stage != Stage::Search => {
                scores.insert((baseline || *stage == Stage::Baseline, *trial), *score);
            }
            _ => {}
        }
    }
    let of = |stage: Stage, column: usize| trainings.get(&(stage, None)).map_or(vec![], |t| t.column(column));
    let epoch = Axis::counting("epoch");
    let loss_axis = |s: &[Series]| Axis::fitting("loss", s.iter().flat_map(|s| &s.points).map(|p| p.1));
    let mut figures = Vec::new();

    let search = [series("supernet", "var(--s0)", of(Stage::Search, 0), Style::Line)];
    figures.extend(Figure::new("Search: training loss", &epoch, &loss_axis(&search), &search, ""));

    let retrain = [
        series(network, "var(--s0)", of(Stage::Retrain, 0), Style::Line),
        series("plain network", "var(--s1)", of(Stage::Baseline, 0), Style::Line),
    ];
    figures.extend(Figure::new("Retraining: training loss", &epoch, &loss_axis(&retrain), &retrain, ""));

    let title = metric.map_or("metric", Metric::title);
    let measured = |column: usize| {
        [
            series("supernet in the search", "var(--s2)", of(Stage::Search, column), Style::Line),
            series(network, "var(--s0)", of(Stage::Retrain, column), Style::Line),
            series("plain network", "var(--s1)", of(Stage::Baseline, column), Style::Line),
        ]
    };
    let supernet = !of(Stage::Search, 0).is_empty();
    let note = format!(
        "On the last samples of each epoch (up to 512), as its training steps saw them: {}with dropout and \
         augmentation. Lower is better.",
        if supernet { "with sampled kernels in the search, " } else { "" }
    );
    figures.extend(Figure::new("Training metric", &epoch, &Axis::new(title).showing_zero(), &measured(1), &note));
    let note = "On the data set's own validation split. Lower is better.";
    figures.extend(Figure::new("Validation metric", &epoch, &Axis::new(title).showing_zero(), &measured(2), note));

    let of_trials: Vec<(usize, &TrainingCurve)> = trainings
        .iter()
        .filter(|((stage, _), _)| *stage == Stage::Tune)
        .filter_map(|((_, trial), curve)| Some(((*trial)?, curve)))
        .collect();
    let few = of_trials.len() <= NAMED_TRIALS;
    let trials: Vec<Series> = of_trials
        .iter()
        .enumerate()
        .map(|(i, (trial, curve))| {
            let style = if few { Style::Line } else { Style::Faint };
            series(&format!("trial {}", trial + 1), &color(i), curve.column(0), style)
        })
        .collect();
    figures.extend(Figure::new("Tuning: training loss of the trials", &epoch, &loss_axis(&trials), &trials, ""));

    let points = |baseline: bool| -> Points {
        scores.iter().filter(|((b, _), _)| *b == baseline).map(|((_, t), &s)| ((t + 1) as f64, s)).collect()
    };
    let scored = [
        series(network, "var(--s0)", points(false), Style::Dots),
        series("plain network", "var(--s1)", points(true), Style::Dots),
    ];
    let title = format!("validation {title}");
    figures.extend(Figure::new(
        "Tuning: score of the trials",
        &Axis::counting("trial"),
        &Axis::new(&title).showing_zero(),
        &scored,
        "Lower is better.",
    ));

    let rates = [
        ("Learning rate of the search", "var(--s2)", Stage::Search),
        ("Learning rate of retraining", "var(--s0)", Stage::Retrain),
        ("Learning rate of the plain network", "var(--s1)", Stage::Baseline),
    ];
    for (title, color, stage) in rates {
        let rate = [series("learning rate", color, of(stage, 3), Style::Steps)];
        figures.extend(Figure::new(title, &epoch, &Axis::new("learning rate").log(), &rate, ""));
    }
    figures
}

/// The color of the i-th of several curves: the six of the page, then the same ones mixed more and more with the text's
/// color.
pub fn color(i: usize) -> String {
    let own = format!("var(--s{})", i % 6);
    match i / 6 {
        0 => own,
        round => format!("color-mix(in oklab, {own} {}%, var(--ink))", 100 / (round + 1)),
    }
}
