//! Everything that the report shows of a run, as texts and drawings that the template lays out.

use crate::alpha::{self, Layer};
use crate::curves::{Figure, curves};
use crate::division::DivisionView;
use crate::kernels::{Block, all_multiply_adds, blocks, receptive_fields};
use crate::race::{Race, trials_so_far};
use crate::test_split::{NetworkOnTest, networks_on_test};
use crate::wording::{
    accuracy, by_group, capital, guess, in_full, interval, network_name, no_better_than_guessing, no_interval,
    same_kernels, undecided, verdict, wrong_of_all,
};
use dashnas::record::choice::KernelChoice;
use dashnas::record::event::Event;
use dashnas::record::outcome::Outcome;
use dashnas::record::paired::Interval;
use dashnas::run::load::Loaded;
use dashnas::run_dir::names;
use dashnas_core::score::Score;
use dashnas_core::stage::Stage;
use dashnas_core::text::{duration, plural, short, thousands, utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// A run as its report shows it.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// Name of the data set.
    pub name: String,
    /// The task and the numbers of samples.
    pub summary: String,
    /// The finished stages, if the run is not finished.
    pub unfinished: Option<String>,
    /// The test results.
    pub result: Option<Headline>,
    /// Data and settings.
    pub facts: Vec<(&'static str, String)>,
    /// How the data was cut and divided; `None` for runs of older versions.
    pub division: Option<DivisionView>,
    /// Loss and metric curves.
    pub curves: Vec<Figure>,
    /// The race, if it was the search.
    pub race: Option<Race>,
    /// The weights of the search of the paper, layer by layer.
    pub layers: Vec<Layer>,
    /// The dilations, in the order of their rows.
    pub dilations: String,
    /// The weights of the lightest and the darkest shade, and equal weights.
    pub shades: Option<String>,
    /// The chart of the entropy over the epochs.
    pub entropy: Option<String>,
    /// The blocks of the network.
    pub blocks: Vec<Block>,
    /// The parameters and the multiply-adds of the whole network.
    pub work: Option<[String; 2]>,
    /// `(what it does, command)` of commands that use the run.
    pub commands: Vec<(&'static str, String)>,
    /// The end of the heading of the network, and a sentence, if its kernels were not searched or the search is undecided.
    pub kernels: Option<(&'static str, String)>,
    /// The network in the paper's notation.
    pub notation: String,
    /// The layers after the blocks.
    pub head: &'static str,
    /// The chart of each layer's receptive field.
    pub fields: Option<String>,
    /// The tuning trials.
    pub trials: Vec<TrialRow>,
    /// The metric's name.
    pub metric: &'static str,
    /// The networks on the test split.
    pub seen: Vec<NetworkOnTest>,
    /// Whether the test samples have weights.
    pub weighted: bool,
    /// `(stage, duration, percent of the total)`, and the total.
    pub times: Vec<(&'static str, String, f64)>,
    /// A sentence on how often the test split was read, from the log.
    pub reads: String,
    /// The warnings of the run.
    pub warnings: Vec<String>,
    /// What limits changed about the run, and why a tuning ended early.
    pub notes: Vec<String>,
    /// The program and the machine.
    pub environment: Vec<(&'static str, String)>,
    /// The configuration in TOML.
    pub config: String,
    /// `(key, value)` of what was decided where the configuration does not say it, or where a limit changed it.
    pub resolved: Vec<(String, String)>,
}

/// The test results of both networks.
#[derive(Debug, Clone, Serialize)]
pub struct Headline {
    /// The value of the metric of the network, and the number of wrong samples and the accuracy where there are those.
    pub value: (String, String),
    /// `(network, value of the metric, percent of the larger one, parameters)`.
    pub networks: Vec<(String, String, f64, String)>,
    /// A sentence that compares the two.
    pub verdict: Option<String>,
    /// A sentence for networks that have the same kernels.
    pub same: Option<&'static str>,
    /// Whether the searched network's error is lower.
    pub better: bool,
}

/// A tuning trial.
#[derive(Debug, Clone, Serialize)]
pub struct TrialRow {
    /// The number of the trial, from 1.
    pub trial: usize,
    /// Learning rate, weight decay, momentum, dropout.
    pub values: [String; 4],
    /// The value of the metric, or the reason for its absence.
    pub score: String,
    /// The score in percent of the worst one, for a bar.
    pub bar: Option<f64>,
    /// Whether it was chosen.
    pub best: bool,
}

impl View {
    /// Gathers what a run directory holds, of a finished run or not.
    pub fn new(run: &Loaded) -> Self {
        let task = run.data.task;
        let metric = run.outcome.as_ref().map(|o| o.metric).or(task.map(|t| run.config.metric(t)));
        let dims = run.data.input.as_ref().map_or(2, |i| i.len().saturating_sub(1).clamp(1, 2));
        let (kernel_sizes, dilations) = (run.config.kernel_sizes(dims), run.config.dilations());
        let architecture = run.architecture.as_ref();
        let axes = run.data.input.as_ref().map_or(&[][..], |input| input.get(1..).unwrap_or_default());
        let (blocks, work) = match (run.graph(), architecture) {
            (Some(graph), Some(a)) if a.check(&graph).is_ok() => {
                let all = all_multiply_adds(&graph, &a.kernels, axes);
                (blocks(&graph, &a.kernels, axes), Some([graph.params(&a.kernels), all].map(thousands)))
            }
            _ => (vec![], None),
        };
        // Afterwards the losses are shown with the contestants.
        let so_far = run.race.is_none().then(|| trials_so_far(&run.events)).flatten();
        let extent = run.data.input.as_ref().and_then(|i| i[1..].iter().copied().max());
        Self {
            name: run.data.name.clone(),
            summary: summary(run),
            unfinished: unfinished(run),
            result: run.outcome.as_ref().and_then(|o| headline(o, run)),
            facts: facts(run, &kernel_sizes, &dilations),
            division: run.data.division.as_ref().map(DivisionView::new),
            curves: so_far
                .into_iter()
                .chain(curves(&run.events, metric, run.outcome.as_ref().map_or("searched network", network_name)))
                .collect(),
            race: Race::new(run, metric),
            layers: alpha::layers(&run.alpha, &kernel_sizes, &dilations),
            dilations: dilations.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
            shades: alpha::darkest(&run.alpha, kernel_sizes.len() * dilations.len()).map(|darkest| {
                let equal = 100.0 / (kernel_sizes.len() * dilations.len()).max(1) as f64;
                format!("from 0 % (lightest) to {:.1} % (darkest); equal weights are {equal:.1} %", 100.0 * darkest)
            }),
            entropy: alpha::entropies(&run.alpha, kernel_sizes.len() * dilations.len()),
            kernels: run.choice().and_then(|choice| kernels_in_words(&choice)),
            notation: notation(&blocks),
            head: match task {
                Some(t) if t.is_dense() => "1×1 convolution to the output's channels",
                _ => "global average pooling, linear layer",
            },
            fields: extent.and_then(|n| receptive_fields(&blocks, n)),
            blocks,
            work,
            commands: commands(run),
            trials: trials(run),
            metric: metric.map_or("metric", |m| m.title()),
            seen: run.evaluation.as_ref().map_or(vec![], |seen| {
                networks_on_test(seen, run.outcome.as_ref().map_or("searched network", network_name))
            }),
            weighted: run.outcome.as_ref().is_some_and(|outcome| outcome.weighted),
            times: times(run),
            reads: reads(run),
            warnings: warnings(run),
            notes: run.outcome.as_ref().map_or(vec![], |outcome| outcome.notes.clone()),
            environment: environment(run),
            config: run.config.to_toml(),
            resolved: resolved(run),
        }
    }
}

/// The end of the heading of the network and a sentence on its kernels, if there is something to say.
fn kernels_in_words(choice: &KernelChoice) -> Option<(&'static str, String)> {
    match choice {
        KernelChoice::Given => {
            Some((", with given kernels", "The kernels were given by the configuration; nothing was searched.".into()))
        }
        KernelChoice::NotSearched => {
            Some((", not searched", "Nothing was searched: these are the kernels of the plain network.".into()))
        }
        choice => undecided(choice).map(|sentence| ("", sentence)),
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
    // Arrays of Python come without a test split.
    let test = if run.data.is_of_arrays() { String::new() } else { format!(", {test} to test on") };
    format!("{task}{} to train on{val}{test}", plural(train, "sample"))
}

/// The stages finished so far, of a run that is not finished.
fn unfinished(run: &Loaded) -> Option<String> {
    let done =
        |stage: Stage| run.events.iter().any(|e| matches!(e, Event::StageFinished { stage: s, .. } if *s == stage));
    if run.outcome.is_some() || (run.data.is_of_arrays() && done(Stage::Retrain)) {
        return None;
    }
    let done: Vec<&str> = Stage::ALL.into_iter().filter(|s| *s != Stage::Data && done(*s)).map(Stage::name).collect();
    Some(if done.is_empty() {
        "No stage is finished yet.".into()
    } else {
        format!("Finished so far: {}. The test split has not been read.", done.join(", "))
    })
}

fn headline(outcome: &Outcome, run: &Loaded) -> Option<Headline> {
    let test = outcome.test?;
    let most = test.max(outcome.baseline_test.unwrap_or(0.0)).max(f64::MIN_POSITIVE);
    let judged = outcome.judgement.unwrap_or_default();
    let guessing = judged.guessing;
    let most = most.max(guessing.unwrap_or(0.0));
    let network = |name: String, error: f64, of: Option<Interval>, params: Option<u64>| {
        let of = of.map(|of| interval(outcome.metric, of));
        let params = params.map(|n| format!("{} parameters", thousands(n)));
        let params = of.into_iter().chain(params).collect::<Vec<_>>().join("; ");
        (name, in_full(outcome, error), 100.0 * error / most, params)
    };
    let mut networks = vec![network(network_name(outcome).to_owned(), test, judged.interval, Some(outcome.params))];
    if let Some(plain) = outcome.baseline_test {
        let name = format!("plain {}", outcome.backbone.name());
        networks.push(network(name, plain, judged.plain_interval, outcome.baseline_params));
    }
    if let Some(guessing) = guessing {
        networks.push(network(format!("guessing: {}", guess(outcome.task)), guessing, None, None));
    }
    let shown = judged.too_few_groups().is_none() && judged.plain.is_none_or(|paired| paired.shows_difference());
    let better = shown && outcome.baseline_test.is_some_and(|plain| test < plain);
    let same = run.race.as_ref().and_then(|race| same_kernels(outcome, race));
    let without = no_interval(&judged).map(|reason| capital(&reason) + ".");
    let sentences = [verdict(outcome), no_better_than_guessing(outcome), without, by_group(&judged)];
    let sentences = sentences.into_iter().flatten().collect::<Vec<_>>();
    let verdict = Some(sentences.join(" ")).filter(|text| !text.is_empty());
    let wrong = wrong_of_all(outcome, test).map(|wrong| format!("{wrong} wrong"));
    let accuracy = accuracy(outcome.metric, test).map(|accuracy| format!("accuracy {accuracy}"));
    let beside = wrong.into_iter().chain(accuracy).collect::<Vec<_>>().join("; ");
    let value = (outcome.metric.format(test), beside);
    Some(Headline { value, networks, verdict, same, better })
}

fn facts(run: &Loaded, kernel_sizes: &[usize], dilations: &[usize]) -> Vec<(&'static str, String)> {
    let c = &run.config;
    let list = |v: &[usize]| v.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let mut facts = vec![("data", run.data.source.clone())];
    if let Some(input) = &run.data.input {
        let axes = input[1..].iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        facts.push(("one input", format!("{} of {axes} points", plural(input[0], "channel"))));
        facts.push(("backbone", c.backbone_name(input.len() - 1).name().into()));
    }
    if let Some(task) = run.data.task {
        facts.push(("loss", c.loss(task).name().into()));
        facts.push(("metric", format!("{} (lower is better)", c.metric(task).title())));
    }
    if c.search.kernels.is_some() {
        facts.push(("kernels", "given by the configuration, not searched".into()));
    } else if run.choice() == Some(KernelChoice::NotSearched) {
        facts.push(("kernels", "those of the plain network, not searched".into()));
    } else {
        // What was done is in the files: the configuration of an older version does not name the strategy.
        if run.race.is_some() {
            facts.push(("search", "race of networks".into()));
        } else if !run.alpha.is_empty() {
            facts.push(("search", "supernet (Algorithm 1 of the paper)".into()));
        }
        facts.push(("kernel sizes K", list(kernel_sizes)));
        facts.push(("dilations D", list(dilations)));
    }
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

/// The duration of each stage: from the outcome, or from the events as long as there is no outcome.
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
        rows.push(("total", duration(all), 100.0));
    }
    rows
}

/// How often the test split was read according to the log: more than once if a process was stopped in the middle of it.
fn reads(run: &Loaded) -> String {
    let begins = |e: &&Event| matches!(e, Event::StageStarted { stage: Stage::Evaluate, .. });
    match run.events.iter().filter(begins).count() {
        0 => "The log does not show how often the test split was read.".into(),
        1 => "The test split was read once, after all training and tuning; nothing was chosen by it.".into(),
        n => format!(
            "According to the log, reading the test split was started {n} times, after all training and tuning."
        ),
    }
}

/// Commands that predict with the network and that make the run again.
fn commands(run: &Loaded) -> Vec<(&'static str, String)> {
    let dir = shell_word(&run.dir.path().display().to_string());
    let mut commands = Vec::new();
    if run.dir.has(names::MODEL) {
        commands.push(("Predict on new data", format!("dashnas predict {dir} NEW_DATA -o predictions.csv")));
        commands.push(("Export the network", format!("dashnas export {dir} -o network.onnx")));
    }
    let config = shell_word(&run.dir.file(names::CONFIG).display().to_string());
    let data = shell_word(&run.data.source);
    commands.push(("Make the run again", format!("dashnas run {data} --config {config} --out NEW_RUN")));
    commands
}

/// A text as one word of a shell.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', "'\\''")) }
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

/// What was decided where the configuration has `"auto"`, or where a limit changed a value.
fn resolved(run: &Loaded) -> Vec<(String, String)> {
    let decided = run.outcome.iter().flat_map(|outcome| &outcome.resolved);
    decided.map(|(key, value)| (key.clone(), value.to_string())).collect()
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
