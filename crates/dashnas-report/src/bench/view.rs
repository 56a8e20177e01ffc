//! Everything that the report shows of a bench of the search, as texts and drawings that the template lays out.

use crate::bench::conclusion::{Conclusion, conclusion};
use crate::bench::spread::errors;
use crate::bench::wording::{Group, agreement, entropy, error, groups, number};
use crate::curves::Figure;
use crate::wording::kernels_in_short;
use dashnas::bench::search::document::{Document, NetworkResult};
use dashnas::bench::search::load::LoadedBench;
use dashnas::bench::search::statistics::mean;
use dashnas_core::stage::Stage;
use dashnas_core::text::{duration, plural, plural_of};
use serde::Serialize;

/// A bench as its report shows it.
#[derive(Debug, Clone, Serialize)]
pub struct BenchView {
    /// The name of the data set.
    pub name: String,
    /// The task and the numbers of samples.
    pub summary: String,
    /// How much is finished, if not all is.
    pub unfinished: Option<String>,
    /// What must be known besides the figures.
    pub notes: Vec<String>,
    /// Whether the search finds better kernels than random ones.
    pub conclusion: String,
    /// Whether it does.
    pub better: bool,
    /// The percentile of the networks that were found, with its interval, if there is one.
    pub percentile: Option<[String; 2]>,
    /// Data and settings.
    pub facts: Vec<(&'static str, String)>,
    /// The errors of all networks.
    pub figures: Vec<Figure>,
    /// The figures of each group.
    pub groups: Vec<GroupRow>,
    /// The name of the metric.
    pub metric: &'static str,
    /// What the loss on the test split is.
    pub loss: String,
    /// The networks.
    pub networks: Vec<NetworkRow>,
    /// `(signal, τ with the metric, τ with the loss, networks)`.
    pub signals: Vec<(String, String, String, usize)>,
    /// Sentences on the agreement of the seeds and on the entropy of α.
    pub searches: Vec<String>,
    /// The stages whose times are shown.
    pub stages: Vec<&'static str>,
    /// The time of each group.
    pub times: Vec<TimeRow>,
    /// The time of all entries.
    pub time: String,
    /// The version of the program that made the results.
    pub version: String,
    /// The configuration in TOML.
    pub config: String,
}

/// A group of networks in the table of figures.
#[derive(Debug, Clone, Serialize)]
pub struct GroupRow {
    /// Its title.
    pub title: &'static str,
    /// The number of networks with a test result.
    pub number: usize,
    /// The least, the mean and the largest test error.
    pub errors: [String; 3],
    /// Percentiles and ratios, each by the metric and by the loss; none of the random networks.
    pub figures: Option<[String; 6]>,
    /// Whether it is the group that the conclusion is about.
    pub judged: bool,
}

/// A network in the table.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkRow {
    /// Its name.
    pub name: String,
    /// Its kernels.
    pub kernels: String,
    /// The metric on the validation split and on the test split, and the loss on the test split.
    pub results: [String; 3],
    /// The time of its run and of its short trials.
    pub time: String,
    /// Why there is no result.
    pub reason: Option<String>,
}

/// The time of a group.
#[derive(Debug, Clone, Serialize)]
pub struct TimeRow {
    /// The title of the group.
    pub title: &'static str,
    /// The number of its networks.
    pub number: usize,
    /// The mean time of each stage.
    pub stages: Vec<String>,
    /// The mean time of the short trials.
    pub trials: String,
    /// The time of all its networks, short trials included.
    pub total: String,
}

/// The stages that a network of a bench may have.
const STAGES: [Stage; 4] = [Stage::Search, Stage::Tune, Stage::Retrain, Stage::Evaluate];

impl BenchView {
    /// Gathers what the folder of a bench holds, of a finished bench or not.
    pub fn new(bench: &LoadedBench) -> Self {
        let document = &bench.document;
        let Conclusion { text, better } = conclusion(document);
        let [train, test] = document.samples;
        let [finished, planned] = document.finished;
        let judged = (document.percentile.searched.metric, document.percentile_interval.searched.metric);
        let percentile = judged.0.zip(judged.1);
        Self {
            name: document.dataset.clone(),
            summary: format!("{}, {} to train on, {test} to test on", document.task, plural(train, "sample")),
            unfinished: (finished < planned).then(|| {
                format!(
                    "{finished} of {} have a result. The figures are those of the networks that are finished.",
                    plural_of(planned, "entry", "entries")
                )
            }),
            notes: document.notes.clone(),
            conclusion: text,
            better,
            percentile: percentile
                .map(|(value, [low, high])| [format!("{value:.1}"), format!("{low:.1} to {high:.1}")]),
            facts: facts(bench),
            figures: errors(document),
            groups: group_rows(document),
            metric: document.metric.title(),
            loss: document.loss.clone(),
            networks: network_rows(document),
            signals: signals(document),
            searches: [agreement(document), entropy(document)].concat(),
            stages: STAGES.map(Stage::name).to_vec(),
            times: times(document),
            time: duration(document.seconds),
            version: document.version.clone(),
            config: document.settings.config.to_toml(),
        }
    }
}

/// What was compared, and how.
fn facts(bench: &LoadedBench) -> Vec<(&'static str, String)> {
    let (document, data) = (&bench.document, &bench.data);
    let config = &document.settings.config;
    let size = document.settings.size;
    let list = |values: &[usize]| values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let mut facts = vec![("data", data.source.clone())];
    let dims = data.input.as_ref().map(|input| input.len().saturating_sub(1).clamp(1, 2));
    if let Some((dims, input)) = dims.zip(data.input.as_ref()) {
        let axes = input.iter().skip(1).map(usize::to_string).collect::<Vec<_>>().join(" × ");
        facts.push(("one input", format!("{} of {axes} points", plural(input[0], "channel"))));
        facts.push(("backbone", config.backbone_name(dims).name().into()));
        facts.push(("kernel sizes K", list(&config.kernel_sizes(dims))));
    }
    facts.push(("dilations D", list(&config.dilations())));
    facts.push(("metric", format!("{} (lower is better)", document.metric.title())));
    facts.push(("loss on the test split", document.loss.clone()));
    facts.push(("preset", document.preset.name().into()));
    facts.push(("search that is judged", config.search.strategy.name().into()));
    facts.push(("random networks", size.random.to_string()));
    facts.push(("networks of uniform kernels", size.uniform.to_string()));
    let last = document.seed.saturating_add(size.seeds.saturating_sub(1) as u64);
    facts.push((
        "seeds of each search",
        match size.seeds {
            0 => "none".into(),
            1 => document.seed.to_string(),
            seeds => format!("{seeds}: {} to {last}", document.seed),
        },
    ));
    facts.push(("seed of the other trainings", document.seed.to_string()));
    facts
}

fn group_rows(document: &Document) -> Vec<GroupRow> {
    let row = |group: Group<'_>| GroupRow {
        title: group.title,
        number: group.values(|n| n.test).len(),
        errors: group.errors(document.metric),
        figures: group.figures.map(|figures| figures.texts()),
        judged: group.title == "searched, retrained",
    };
    groups(document).into_iter().map(row).collect()
}

/// The networks of each group with a title, those of the searches alone last.
fn listed(document: &Document) -> Vec<(&'static str, &[NetworkResult])> {
    let mut all: Vec<_> = groups(document).into_iter().map(|group| (group.title, group.networks)).collect();
    all.push(("paper, search only", &document.paper_searches));
    all
}

fn network_rows(document: &Document) -> Vec<NetworkRow> {
    let metric = |value| error(document.metric, value);
    let row = |network: &NetworkResult| NetworkRow {
        name: network.name.clone(),
        kernels: network.kernels.as_deref().map_or_else(|| "-".to_owned(), kernels_in_short),
        results: [metric(network.validation), metric(network.test), number(network.test_loss, 4)],
        time: duration(network.seconds + network.trial_seconds),
        reason: network.reason.clone(),
    };
    listed(document).into_iter().flat_map(|(_, networks)| networks).map(row).collect()
}

fn signals(document: &Document) -> Vec<(String, String, String, usize)> {
    let tau = |value: Option<f64>| number(value, 2).replace('-', if value.is_some() { "−" } else { "-" });
    document.kendall.iter().map(|c| (c.signal.clone(), tau(c.tau), tau(c.tau_loss), c.networks)).collect()
}

fn times(document: &Document) -> Vec<TimeRow> {
    let row = |(title, networks): (&'static str, &[NetworkResult])| {
        let average = |of: &dyn Fn(&NetworkResult) -> Option<f64>| {
            mean(&networks.iter().filter_map(of).collect::<Vec<_>>()).map_or_else(|| "-".to_owned(), duration)
        };
        TimeRow {
            title,
            number: networks.len(),
            stages: STAGES.iter().map(|stage| average(&|n| n.stages.get(stage).copied())).collect(),
            trials: average(&|n| Some(n.trial_seconds).filter(|&seconds| seconds > 0.0)),
            total: duration(networks.iter().map(|n| n.seconds + n.trial_seconds).sum()),
        }
    };
    listed(document).into_iter().filter(|(_, networks)| !networks.is_empty()).map(row).collect()
}
