//! Everything that a report says of a run, ready to be laid out.

use super::alpha::{self, Layer};
use super::chart::{Axis, Series, Style, short};
use super::curves::{Figure, curves};
use super::kernels::{Block, blocks, receptive_fields};
use super::load::Loaded;
use super::outcome::{Seen, seen};
use crate::event::{Event, Stage};
use crate::outcome::Outcome;
use crate::problem::Score;
use serde::Serialize;
use std::collections::BTreeMap;

/// A run as its report shows it.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// Name of the data set.
    pub name: String,
    /// What was run on what.
    pub summary: String,
    /// What is missing, if the run is not finished.
    pub unfinished: Option<String>,
    /// The result.
    pub result: Option<Headline>,
    /// Facts of the run.
    pub facts: Vec<(&'static str, String)>,
    /// Loss and metric curves.
    pub curves: Vec<Figure>,
    /// The search, layer by layer.
    pub layers: Vec<Layer>,
    /// The dilations, in the order of their rows.
    pub dilations: String,
    /// The weights that the lightest and the darkest shade stand for.
    pub shades: Option<String>,
    /// Entropy over the epochs.
    pub entropy: Option<String>,
    /// The network.
    pub blocks: Vec<Block>,
    /// The network in the paper's notation.
    pub notation: String,
    /// What follows the blocks.
    pub head: &'static str,
    /// Receptive field of each layer.
    pub fields: Option<String>,
    /// The trials.
    pub trials: Vec<TrialRow>,
    /// The metric's name.
    pub metric: &'static str,
    /// What was seen on the test split.
    pub seen: Vec<Seen>,
    /// `(stage, seconds in words, percent)`.
    pub times: Vec<(&'static str, String, f64)>,
    /// How often the test split was read, as the log has it.
    pub reads: String,
    /// What went wrong without stopping the run.
    pub warnings: Vec<String>,
    /// Program and machine.
    pub environment: Vec<(&'static str, String)>,
    /// The configuration file.
    pub config: String,
}

/// The test result of both networks.
#[derive(Debug, Clone, Serialize)]
pub struct Headline {
    /// `(network, metric in words, percent of the larger one, parameters)`.
    pub networks: Vec<(String, String, f64, String)>,
    /// How much lower than the plain backbone's.
    pub verdict: Option<String>,
    /// Whether it is lower.
    pub better: bool,
}

/// A trial.
#[derive(Debug, Clone, Serialize)]
pub struct TrialRow {
    /// Its number from 1.
    pub trial: usize,
    /// Learning rate, weight decay, momentum, dropout.
    pub values: [String; 4],
    /// The score in words, or why there is none.
    pub score: String,
    /// Percent of the worst score, for a bar.
    pub bar: Option<f64>,
    /// Whether it was chosen.
    pub best: bool,
}

impl View {
    /// Gathers what there is.
    pub fn new(run: &Loaded) -> Self {
        let task = run.data.task;
        let metric = run.outcome.as_ref().map(|o| o.metric).or(task.map(|t| run.config.metric(t)));
        let dims = run.data.input.as_ref().map_or(2, |i| i.len().saturating_sub(1).clamp(1, 2));
        let (kernel_sizes, dilations) = (run.config.kernel_sizes(dims), run.config.dilations());
        let architecture = run.architecture.as_ref();
        let blocks = match (run.graph(), architecture) {
            (Some(graph), Some(a)) if a.check(&graph).is_ok() => blocks(&graph, &a.kernels, &a.probabilities),
            _ => vec![],
        };
        let extent = run.data.input.as_ref().and_then(|i| i[1..].iter().copied().max());
        Self {
            name: run.data.name.clone(),
            summary: summary(run),
            unfinished: unfinished(run),
            result: run.outcome.as_ref().and_then(headline),
            facts: facts(run, &kernel_sizes, &dilations),
            curves: curves(&run.events, metric),
            layers: alpha::layers(&run.alpha, &kernel_sizes, &dilations),
            dilations: dilations.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
            shades: alpha::range(&run.alpha)
                .map(|[low, high]| format!("from {:.1} % (lightest) to {:.1} % (darkest)", 100.0 * low, 100.0 * high)),
            entropy: alpha::entropies(&run.alpha, kernel_sizes.len() * dilations.len()),
            notation: notation(&blocks),
            head: match task {
                Some(t) if t.is_dense() => "1×1 convolution to the output's channels",
                _ => "global average pooling, linear layer",
            },
            fields: extent.and_then(|n| receptive_fields(&blocks, n)),
            blocks,
            trials: trials(run),
            metric: metric.map_or("metric", |m| m.title()),
            seen: run.evaluation.as_ref().map_or(vec![], seen),
            times: times(run),
            reads: reads(run),
            warnings: warnings(run),
            environment: environment(run),
            config: run.config.to_toml(),
        }
    }
}

fn summary(run: &Loaded) -> String {
    let task = run.data.task.map_or(String::new(), |t| format!("{t}, "));
    let [train, val, test] = run.data.samples;
    let val = match run.config.retrain.with_validation {
        _ if val == 0 => String::new(),
        true => format!(", {val} for validation and then for retraining"),
        false => format!(", {val} for validation"),
    };
    format!("{task}{train} samples to train on{val}, {test} to test on")
}

/// The stages that are missing, in words.
fn unfinished(run: &Loaded) -> Option<String> {
    if run.outcome.is_some() {
        return None;
    }
    let done =
        |stage: Stage| run.events.iter().any(|e| matches!(e, Event::StageFinished { stage: s, .. } if *s == stage));
    let done: Vec<&str> = Stage::ALL.into_iter().filter(|s| *s != Stage::Data && done(*s)).map(Stage::name).collect();
    Some(if done.is_empty() {
        "No stage is finished yet.".into()
    } else {
        format!("Finished so far: {}. The test split has not been read.", done.join(", "))
    })
}

fn headline(outcome: &Outcome) -> Option<Headline> {
    let test = outcome.test?;
    let most = test.max(outcome.baseline_test.unwrap_or(0.0)).max(f64::MIN_POSITIVE);
    let network = |name: String, error: f64, params: Option<u64>| {
        let params = params.map_or(String::new(), |n| format!("{} parameters", thousands(n)));
        (name, outcome.metric.format(error), 100.0 * error / most, params)
    };
    let mut networks = vec![network("searched network".into(), test, Some(outcome.params))];
    if let Some(plain) = outcome.baseline_test {
        networks.push(network(format!("plain {}", outcome.backbone.name()), plain, outcome.baseline_params));
    }
    let gain = outcome.improvement();
    Some(Headline {
        networks,
        verdict: gain.map(|gain| {
            let title = outcome.metric.title();
            match gain {
                0.0 => format!("the same test {title} as the plain backbone"),
                _ => {
                    let way = if gain > 0.0 { "lower" } else { "higher" };
                    format!("{:.1} % {way} test {title} than the plain backbone", 100.0 * gain.abs())
                }
            }
        }),
        better: gain.is_some_and(|gain| gain >= 0.0),
    })
}

fn facts(run: &Loaded, kernel_sizes: &[usize], dilations: &[usize]) -> Vec<(&'static str, String)> {
    let c = &run.config;
    let list = |v: &[usize]| v.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let mut facts = vec![("data", run.data.source.clone())];
    if let Some(input) = &run.data.input {
        let axes = input[1..].iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        let channels = if input[0] == 1 { "1 channel".to_owned() } else { format!("{} channels", input[0]) };
        facts.push(("one input", format!("{channels} of {axes} points")));
        facts.push(("backbone", c.backbone_name(input.len() - 1).name().into()));
    }
    if let Some(task) = run.data.task {
        facts.push(("loss", c.loss(task).name().into()));
        facts.push(("metric", format!("{} (lower is better)", c.metric(task).title())));
    }
    facts.push(("kernel sizes K", list(kernel_sizes)));
    facts.push(("dilations D", list(dilations)));
    facts.push(("preset", c.preset.name().into()));
    facts.push(("seed", c.seed.to_string()));
    facts.push(("data fingerprint", run.data.fingerprint.chars().take(16).collect()));
    facts
}

/// `Block64,(7,1),(9,3) → …`
fn notation(blocks: &[Block]) -> String {
    let block = |b: &Block| {
        let kernels: String = b.convs.iter().map(|c| format!(", ({}, {})", c.kernel_size, c.dilation)).collect();
        format!("{}{kernels}", b.title)
    };
    blocks.iter().map(block).collect::<Vec<_>>().join(" → ")
}

fn trials(run: &Loaded) -> Vec<TrialRow> {
    let Some(tuning) = &run.tuning else { return vec![] };
    let metric = run.data.task.map(|t| run.config.metric(t));
    // Where the metric is undefined the loss ranks trials.
    let value = |score: Score| score.metric.unwrap_or(score.loss);
    let worst = tuning.trials.iter().filter_map(|t| t.score).map(value).fold(0.0, f64::max);
    let best = tuning.best_score();
    tuning
        .trials
        .iter()
        .map(|t| {
            let h = t.hyperparameters;
            TrialRow {
                trial: t.trial + 1,
                values: [h.lr, h.weight_decay, h.momentum, h.dropout].map(short),
                score: match (&t.score, metric) {
                    (Some(s), metric) => match (s.metric, metric) {
                        (Some(value), Some(metric)) => metric.format(value),
                        (Some(value), None) => short(value),
                        (None, _) => format!("loss {}", short(s.loss)),
                    },
                    (None, _) => t.reason.clone().unwrap_or_else(|| "no score".into()),
                },
                bar: t.score.filter(|_| worst > 0.0).map(|s| 100.0 * value(s) / worst),
                best: t.score.is_some() && t.score == best && h == tuning.best,
            }
        })
        .collect()
}

/// Seconds by stage: those of the result, or those of the events while there is none.
fn times(run: &Loaded) -> Vec<(&'static str, String, f64)> {
    let mut seconds: BTreeMap<Stage, f64> = BTreeMap::new();
    for event in &run.events {
        if let Event::StageFinished { stage, seconds: s } = event {
            seconds.insert(*stage, *s);
        }
    }
    if let Some(outcome) = &run.outcome {
        seconds.extend(&outcome.seconds);
    }
    let all: f64 = seconds.values().sum();
    let mut rows: Vec<_> = seconds.iter().map(|(s, &t)| (s.name(), duration(t), 100.0 * t / all.max(1e-9))).collect();
    if rows.len() > 1 {
        rows.push(("in all", duration(all), 100.0));
    }
    rows
}

/// How often the log says that the test split was read: more than once if a process was stopped in the middle of it.
fn reads(run: &Loaded) -> String {
    let begins = |e: &&Event| matches!(e, Event::StageStarted { stage: Stage::Evaluate, .. });
    match run.events.iter().filter(begins).count() {
        0 => "The log does not say how often the test split was read.".into(),
        1 => "The test split was read once, after all training and tuning; nothing was chosen by it.".into(),
        n => format!("The log says that reading the test split was begun {n} times, after all training and tuning."),
    }
}

/// Warnings of the log, each once.
fn warnings(run: &Loaded) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for event in &run.events {
        if let Event::Warning { message } = event
            && !found.contains(message)
        {
            found.push(message.clone());
        }
    }
    found
}

fn environment(run: &Loaded) -> Vec<(&'static str, String)> {
    let mut rows = vec![("run directory", run.dir.path().display().to_string())];
    if let Some(e) = &run.environment {
        rows.push(("dashnas", e.version.clone()));
        rows.push(("system", format!("{} on {}", e.os, e.arch)));
        rows.extend(e.cpu.clone().map(|cpu| ("processor", cpu)));
        rows.push(("threads", format!("{} of {}", e.threads, e.cores)));
        rows.push(("started", utc(e.started)));
    }
    rows.push(("seed", run.config.seed.to_string()));
    rows
}

/// `1 h 2 min`, `3 min 4 s`, `5.6 s`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A number with narrow spaces between the thousands.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// `2026-01-31 12:34 UTC` of seconds since 1970, in the proleptic Gregorian calendar.
pub fn utc(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86400, seconds % 86400);
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02} {:02}:{:02} UTC", month + 1, days + 1, rest / 3600, rest % 3600 / 60)
}

/// A colour for each of several methods: the six of the page, then the same nearer and nearer to the text's.
pub fn color(i: usize) -> String {
    let own = format!("var(--s{})", i % 6);
    match i / 6 {
        0 => own,
        round => format!("color-mix(in oklab, {own} {}%, var(--ink))", 100 / (round + 1)),
    }
}

/// Points of one method, for a scatter plot.
pub fn dots(label: &str, i: usize, points: Vec<(f64, f64)>) -> Series {
    Series { label: label.into(), color: color(i), points, style: Style::Dots }
}

/// An axis of seconds.
pub fn seconds_axis() -> Axis {
    Axis::new("seconds for everything").log()
}
