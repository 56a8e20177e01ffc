//! Several runs beside each other.

use super::chart::{Axis, Series, Style, short};
use super::curves::Figure;
use super::load::Loaded;
use super::profile::{Method, profiles};
use super::view::{color, dots, duration, seconds_axis, thousands};
use crate::config::BackboneName;
use crate::event::Stage;
use crate::outcome::Outcome;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Runs as their comparison shows them.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// A row for each run.
    pub rows: Vec<Row>,
    /// Performance profiles and error against time, as far as there is something to compare.
    pub figures: Vec<Figure>,
    /// The mean error ratio to the best of each method: `(method, tasks, best on, mean ratio)`.
    pub methods: Vec<(String, usize, usize, String)>,
}

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The run directory.
    pub run: String,
    /// The data set.
    pub data: String,
    /// Backbone, preset and seed.
    pub how: String,
    /// The metric's name.
    pub metric: String,
    /// The searched network's error.
    pub test: String,
    /// The plain backbone's.
    pub plain: String,
    /// How much lower, in percent.
    pub gain: String,
    /// Whether it is lower.
    pub better: bool,
    /// Parameters of both.
    pub params: [String; 2],
    /// Time for everything but the plain backbone.
    pub time: String,
}

/// One network of one run.
struct Point {
    method: String,
    task: String,
    error: f64,
    seconds: f64,
}

impl Comparison {
    /// Compares runs. A method is the backbone, searched or plain, under a preset; runs that differ only in their seed
    /// are averaged.
    pub fn new(runs: &[Loaded]) -> Self {
        let points: Vec<Point> = runs.iter().filter_map(|r| Some((r, r.outcome.as_ref()?))).flat_map(points).collect();
        let mut errors: BTreeMap<&str, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
        for p in &points {
            errors.entry(&p.method).or_default().entry(p.task.clone()).or_default().push(p.error);
        }
        let mean = |(task, all): (String, Vec<f64>)| (task, all.iter().sum::<f64>() / all.len() as f64);
        let methods: Vec<Method> = errors
            .into_iter()
            .map(|(name, errors)| Method { name: name.into(), errors: errors.into_iter().map(mean).collect() })
            .collect();
        let figures = [profile(&methods), scatter(&methods, &points)].into_iter().flatten().collect();
        Self { rows: runs.iter().map(Row::new).collect(), figures, methods: standings(&methods) }
    }
}

fn points((run, o): (&Loaded, &Outcome)) -> Vec<Point> {
    // Series and images have different backbones of their own, which are one method.
    let usual = run.data.input.as_ref().map(|i| BackboneName::for_dims(i.len().saturating_sub(1)));
    let backbone = if usual == Some(o.backbone) { String::new() } else { format!(" {}", o.backbone.name()) };
    let searched: f64 = o.seconds.iter().filter(|(s, _)| **s != Stage::Baseline).map(|(_, t)| t).sum();
    let task = format!("{} ({})", o.dataset, o.metric.name());
    let point = |kind: &str, error: f64, seconds: f64| Point {
        method: format!("{kind}{backbone}, {}", o.preset.name()),
        task: task.clone(),
        error,
        seconds,
    };
    let plain = o.baseline_test.zip(o.seconds.get(&Stage::Baseline));
    let plain = plain.map(|(error, &seconds)| point("plain", error, seconds));
    o.test.map(|error| point("searched", error, searched)).into_iter().chain(plain).collect()
}

fn best(methods: &[Method]) -> BTreeMap<&str, f64> {
    let mut best: BTreeMap<&str, f64> = BTreeMap::new();
    for (task, &error) in methods.iter().flat_map(|m| &m.errors) {
        best.entry(task).and_modify(|b| *b = b.min(error)).or_insert(error);
    }
    best
}

fn profile(methods: &[Method]) -> Option<Figure> {
    if methods.len() < 2 {
        return None;
    }
    let tasks: BTreeSet<&String> = methods.iter().flat_map(|m| m.errors.keys()).collect();
    let profiles = profiles(methods);
    let last = profiles.iter().flatten().map(|p| p.0).fold(1.2, f64::max) * 1.05;
    let series: Vec<Series> = methods
        .iter()
        .zip(profiles)
        .enumerate()
        .map(|(i, (m, mut points))| {
            points.extend(points.last().map(|p| (last, p.1)));
            Series { label: m.name.clone(), color: color(i), points, style: Style::Steps }
        })
        .collect();
    let note = format!(
        "The share of {} task(s) on which a method's test error is at most τ times the lowest of all. Higher is better.",
        tasks.len()
    );
    let (x, y) = (Axis::new("τ").spanning(1.0, last), Axis::new("share of tasks").spanning(0.0, 1.0));
    Figure::new("Performance profiles", &x, &y, &series, &note)
}

fn scatter(methods: &[Method], points: &[Point]) -> Option<Figure> {
    let best = best(methods);
    // Errors of different data sets are only comparable as ratios.
    let several = best.len() > 1;
    let series: Vec<Series> = methods
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let of = points.iter().filter(|p| p.method == m.name);
            let y = |p: &Point| match best.get(p.task.as_str()) {
                Some(&b) if several => {
                    if p.error == b {
                        1.0
                    } else {
                        p.error / b
                    }
                }
                _ => p.error,
            };
            dots(&m.name, i, of.map(|p| (p.seconds, y(p))).filter(|p| p.1.is_finite()).collect())
        })
        .collect();
    let title = if several { "test error / lowest" } else { "test error" };
    let y = Axis::fitting(title, series.iter().flat_map(|s| &s.points).map(|p| p.1));
    Figure::new(
        "Error against time",
        &seconds_axis(),
        &y,
        &series,
        "One point a network. The searched one's time includes the search. Lower and further left is better.",
    )
}

fn standings(methods: &[Method]) -> Vec<(String, usize, usize, String)> {
    let best = best(methods);
    methods
        .iter()
        .map(|m| {
            let lowest = m.errors.iter().filter(|(t, e)| best.get(t.as_str()) == Some(e)).count();
            let ratios: Vec<f64> = (m.errors.iter())
                .filter_map(|(t, e)| best.get(t.as_str()).map(|b| if e == b { 1.0 } else { e / b }))
                .filter(|r| r.is_finite())
                .collect();
            let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
            (m.name.clone(), m.errors.len(), lowest, short(mean))
        })
        .collect()
}

impl Row {
    fn new(run: &Loaded) -> Self {
        let o = run.outcome.as_ref();
        let dash = || "–".to_owned();
        let error = |e: Option<f64>| o.zip(e).map_or_else(dash, |(o, e)| o.metric.format(e));
        let gain = o.and_then(Outcome::improvement);
        let params = |n: Option<u64>| n.map_or_else(dash, thousands);
        let seconds = |o: &Outcome| o.seconds.iter().filter(|(s, _)| **s != Stage::Baseline).map(|(_, t)| t).sum();
        Self {
            run: run.dir.path().display().to_string(),
            data: run.data.name.clone(),
            how: match o {
                Some(o) => format!("{}, {}, seed {}", o.backbone.name(), o.preset.name(), o.seed),
                None => format!("{}, seed {}, not finished", run.config.preset.name(), run.config.seed),
            },
            metric: o.map_or_else(dash, |o| o.metric.title().into()),
            test: error(o.and_then(|o| o.test)),
            plain: error(o.and_then(|o| o.baseline_test)),
            gain: gain.map_or_else(dash, |g| format!("{} %", short((1000.0 * g).round() / 10.0))),
            better: gain.is_some_and(|g| g >= 0.0),
            params: [params(o.map(|o| o.params)), params(o.and_then(|o| o.baseline_params))],
            time: o.map_or_else(dash, |o| duration(seconds(o))),
        }
    }
}
