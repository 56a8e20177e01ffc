//! All results of a bench with their statistics, as `bench.json` keeps them. Statistics that have no value yet are null.

use crate::bench::search::notes::all_failed;
use crate::bench::search::plan::{Entry, Group};
use crate::bench::search::record::EntryRecord;
use crate::bench::search::settings::BenchSettings;
use crate::bench::search::signals::{Correlation, correlations};
use crate::bench::search::statistics::{Agreement, mean, percentile, percentile_interval, ratio};
use crate::config::sections::Config;
use aggconv::KernelSpace;
use dashnas_core::names::Preset;
use dashnas_core::stage::Stage;
use dashnas_core::task::{Loss, Metric, TaskKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of a bench before its first run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    /// The name of the data set.
    pub dataset: String,
    /// The task.
    pub task: TaskKind,
    /// The metric.
    pub metric: Metric,
    /// The training loss.
    pub loss: Loss,
    /// Samples for training.
    pub train_samples: usize,
    /// Samples that the test metric counts.
    pub test_samples: usize,
    /// K×D.
    pub space: KernelSpace,
    /// The size of the bench.
    pub settings: BenchSettings,
    /// The configuration of all runs.
    pub config: Config,
    /// What must be known besides the figures.
    pub notes: Vec<String>,
}

/// The results of a bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the program.
    pub version: String,
    /// The name of the data set.
    pub dataset: String,
    /// The task.
    pub task: TaskKind,
    /// The metric of `validation` and `test`, an error: lower is better.
    pub metric: Metric,
    /// What `test_loss` is.
    pub loss: String,
    /// The preset.
    pub preset: Preset,
    /// The seed of the configuration.
    pub seed: u64,
    /// Samples in the training split, and those of the test split that the metric counts.
    pub samples: [usize; 2],
    /// The number of entries with a result, and of all entries.
    pub finished: [usize; 2],
    /// The random networks.
    pub random: Vec<NetworkResult>,
    /// The networks of the configured search, trained as the random ones.
    pub searched: Vec<NetworkResult>,
    /// The networks of the configured search as whole runs give them.
    pub whole: Vec<NetworkResult>,
    /// The plain backbone.
    pub plain: Vec<NetworkResult>,
    /// The networks with the same kernel in every layer.
    pub uniform: Vec<NetworkResult>,
    /// The networks of the search of the paper, trained as the random ones.
    pub paper: Vec<NetworkResult>,
    /// The searches of the paper alone.
    pub paper_searches: Vec<NetworkResult>,
    /// The mean percentage of random networks that are worse, ties counting half.
    pub percentile: ByGroup<f64>,
    /// The 95 % bootstrap intervals of the percentiles.
    pub percentile_interval: ByGroup<[f64; 2]>,
    /// The rank correlation of each signal with the final results.
    pub kendall: Vec<Correlation>,
    /// How often searches with different seeds choose alike.
    pub agreement: Agreements,
    /// The mean entropy of α at the end of the searches.
    pub entropy: Entropies,
    /// The ratio of the mean error to that of the random networks.
    pub ratio_to_random: ByGroup<f64>,
    /// The ratio of the mean error to that of the plain backbone.
    pub ratio_to_plain: ByGroup<f64>,
    /// What must be known besides the figures, as sentences without a capital letter and a full stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Seconds of all entries; equal networks of the control were trained once.
    pub seconds: f64,
    /// The size of the bench, with the configuration of all runs.
    pub settings: DocumentSettings,
}

/// The result of one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkResult {
    /// The name of the entry.
    pub name: String,
    /// The seed of the random kernels or of the search; of other networks that of their training.
    pub seed: u64,
    /// `[k, d]` of every searched layer.
    pub kernels: Option<Vec<[usize; 2]>>,
    /// The metric of the best tuning trial on the validation split.
    pub validation: Option<f64>,
    /// The loss of the best tuning trial.
    pub validation_loss: Option<f64>,
    /// The metric on the test split.
    pub test: Option<f64>,
    /// The loss on the test split.
    pub test_loss: Option<f64>,
    /// Seconds of all stages.
    pub seconds: f64,
    /// Seconds of each stage.
    pub stages: BTreeMap<Stage, f64>,
    /// Seconds of the additional short trials.
    pub trial_seconds: f64,
    /// Why there is no result, if the training failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A statistic by the test metric and by the test loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ByMeasure<T> {
    /// By the metric.
    pub metric: Option<T>,
    /// By the loss.
    pub loss: Option<T>,
}

/// A statistic of each group of networks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ByGroup<T> {
    /// The networks of the configured search, trained as the random ones.
    pub searched: ByMeasure<T>,
    /// The whole runs.
    pub whole: ByMeasure<T>,
    /// The networks of the search of the paper.
    pub paper: ByMeasure<T>,
    /// The plain backbone.
    pub plain: ByMeasure<T>,
    /// The networks with the same kernel in every layer.
    pub uniform: ByMeasure<T>,
}

/// The agreement of the seeds of each search, and that of random kernels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreements {
    /// Of the configured search.
    pub searched: Option<Agreement>,
    /// Of the search of the paper.
    pub paper: Option<Agreement>,
    /// The expectation for random kernels.
    pub chance: Agreement,
}

/// The entropy of α, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Entropies {
    /// Of the configured search, if it trains α.
    pub searched: Option<f64>,
    /// Of the search of the paper.
    pub paper: Option<f64>,
    /// That of an undecided search: `ln(|K|·|D|)`.
    pub undecided: f64,
}

/// The size and the configuration of a bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentSettings {
    /// The numbers of networks.
    #[serde(flatten)]
    pub size: BenchSettings,
    /// The configuration of all runs.
    pub config: Config,
}

/// The entries that have a result, in the order of the plan.
pub(crate) type Results<'a> = [(&'a Entry, EntryRecord)];

impl Document {
    /// The document of the results so far; `planned` is the number of all entries.
    pub(crate) fn new(facts: &Facts, results: &Results<'_>, planned: usize) -> Self {
        let of = |group: Group| results.iter().filter(move |(entry, _)| entry.group == group);
        let list = |group| of(group).map(|(entry, record)| network_result(facts, entry, record)).collect();
        let groups = Groups::new(facts, results);
        let kernels =
            |group| -> Vec<&[[usize; 2]]> { of(group).filter_map(|(_, record)| record.kernels.as_deref()).collect() };
        let entropy = |group| mean(&of(group).filter_map(|(_, record)| record.entropy()).collect::<Vec<_>>());
        let (k, d) = (facts.space.kernel_sizes().len(), facts.space.dilations().len());
        let searches: Vec<&EntryRecord> = of(Group::PaperSearch).map(|(_, record)| record).collect();
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: facts.dataset.clone(),
            task: facts.task,
            metric: facts.metric,
            loss: match facts.task {
                TaskKind::Classification { .. } => "cross-entropy after temperature scaling".into(),
                _ => facts.loss.name().into(),
            },
            preset: facts.config.preset,
            seed: facts.config.seed,
            samples: [facts.train_samples, facts.test_samples],
            finished: [results.len(), planned],
            random: list(Group::Random),
            searched: list(Group::Searched),
            whole: list(Group::Whole),
            plain: list(Group::Plain),
            uniform: list(Group::Uniform),
            paper: list(Group::Paper),
            paper_searches: list(Group::PaperSearch),
            percentile: groups.by_group(|group, random, _| percentile(group, random)),
            percentile_interval: groups.by_group(|group, random, _| percentile_interval(group, random)),
            kendall: correlations(&distinct(results), &searches, &facts.space),
            agreement: Agreements {
                searched: Agreement::of(&kernels(Group::Whole)),
                paper: Agreement::of(&kernels(Group::PaperSearch)),
                chance: Agreement::by_chance(k, d),
            },
            entropy: Entropies {
                searched: entropy(Group::Whole),
                paper: entropy(Group::PaperSearch),
                undecided: (facts.space.len() as f64).ln(),
            },
            ratio_to_random: groups.ratios(Group::Random),
            ratio_to_plain: groups.ratios(Group::Plain),
            notes: facts.notes.iter().cloned().chain(all_failed(results)).collect(),
            seconds: total_seconds(results),
            settings: DocumentSettings { size: facts.settings, config: facts.config.clone() },
        }
    }
}

/// Seconds of an entry with its short trials.
pub(crate) fn seconds(record: &EntryRecord) -> f64 {
    record.seconds + record.trial_seconds()
}

/// Seconds of all entries. Equal networks of the control were trained once.
fn total_seconds(results: &Results<'_>) -> f64 {
    let others = results.iter().filter(|(entry, _)| !entry.group.is_control()).map(|(_, record)| record);
    distinct(results).into_iter().chain(others).fold(0.0, |sum, record| sum + seconds(record))
}

/// The networks of the control, each architecture once.
fn distinct<'a>(results: &'a Results<'_>) -> Vec<&'a EntryRecord> {
    let mut found: Vec<&EntryRecord> = Vec::new();
    for (_, record) in results.iter().filter(|(entry, _)| entry.group.is_control()) {
        if record.kernels.is_some() && !found.iter().any(|other| other.kernels == record.kernels) {
            found.push(record);
        }
    }
    found
}

fn network_result(facts: &Facts, entry: &Entry, record: &EntryRecord) -> NetworkResult {
    NetworkResult {
        name: entry.name.clone(),
        seed: entry.seed(&facts.config),
        kernels: record.kernels.clone(),
        validation: record.validation,
        validation_loss: record.validation_loss,
        test: record.test,
        test_loss: record.test_loss,
        seconds: record.seconds,
        trial_seconds: record.trial_seconds(),
        stages: record.stages.clone(),
        reason: record.reason.clone(),
    }
}

/// The test errors and losses of each group of networks.
struct Groups {
    errors: BTreeMap<Group, Vec<f64>>,
    losses: BTreeMap<Group, Vec<f64>>,
    /// The number of test samples, where the metric counts those with an error.
    counted: Option<usize>,
}

impl Groups {
    fn new(facts: &Facts, results: &Results<'_>) -> Self {
        let counts = facts.metric == Metric::ZeroOneError && matches!(facts.task, TaskKind::Classification { .. });
        let (mut errors, mut losses): (BTreeMap<_, Vec<f64>>, BTreeMap<_, Vec<f64>>) = Default::default();
        for (entry, record) in results {
            errors.entry(entry.group).or_default().extend(record.error());
            losses.entry(entry.group).or_default().extend(record.loss());
        }
        Self { errors, losses, counted: counts.then_some(facts.test_samples) }
    }

    /// A statistic of each group and the random networks; it also takes the number of samples whose errors are counted.
    fn by_group<T>(&self, statistic: impl Fn(&[f64], &[f64], Option<usize>) -> Option<T>) -> ByGroup<T> {
        self.compared(Group::Random, statistic)
    }

    fn ratios(&self, to: Group) -> ByGroup<f64> {
        self.compared(to, ratio)
    }

    fn compared<T>(&self, to: Group, statistic: impl Fn(&[f64], &[f64], Option<usize>) -> Option<T>) -> ByGroup<T> {
        let values = |of: &BTreeMap<Group, Vec<f64>>, group| of.get(&group).cloned().unwrap_or_default();
        let measure = |group| ByMeasure {
            metric: statistic(&values(&self.errors, group), &values(&self.errors, to), self.counted),
            loss: statistic(&values(&self.losses, group), &values(&self.losses, to), None),
        };
        ByGroup {
            searched: measure(Group::Searched),
            whole: measure(Group::Whole),
            paper: measure(Group::Paper),
            plain: measure(Group::Plain),
            uniform: measure(Group::Uniform),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::search::plan::{GivenKernels, entries};

    fn facts(settings: BenchSettings) -> Facts {
        Facts {
            dataset: "made".into(),
            task: TaskKind::Classification { classes: 2 },
            metric: Metric::ZeroOneError,
            loss: Loss::CrossEntropy,
            train_samples: 20,
            test_samples: 9,
            space: KernelSpace::new([3, 5], [1, 3]).expect("a space"),
            settings,
            config: Config::preset(Preset::Quick),
            notes: vec![],
        }
    }

    #[test]
    fn there_are_no_figures_if_every_training_failed() {
        let settings = BenchSettings { random: 2, uniform: 0, seeds: 1 };
        let facts = facts(settings);
        let given = GivenKernels { random: vec![vec![[3, 1]], vec![[5, 1]]], plain: vec![[3, 3]], uniform: vec![] };
        let plan = entries(&given, settings);
        let failed = |entry: &Entry| EntryRecord {
            kernels: Some(entry.kernels.clone().unwrap_or_else(|| vec![[5, 3]])),
            reason: entry.group.is_trained().then(|| "it diverged".to_owned()),
            ..EntryRecord::default()
        };
        let mut all: Vec<(&Entry, EntryRecord)> = plan.iter().map(|entry| (entry, failed(entry))).collect();
        let document = Document::new(&facts, &all, plan.len());
        let none = ByMeasure { metric: None, loss: None };
        assert_eq!((document.percentile.searched, document.percentile.plain), (none, none));
        assert_eq!(document.percentile_interval.whole, ByMeasure { metric: None, loss: None });
        assert_eq!((document.ratio_to_random.searched, document.ratio_to_plain.paper), (none, none));
        assert!(document.notes[0].contains("every training failed; the first one: it diverged"), "{document:?}");
        // One that did not fail is something to compare.
        all[0].1 = EntryRecord { reason: None, test: Some(0.5), ..all[0].1.clone() };
        let document = Document::new(&facts, &all, plan.len());
        assert_eq!((document.percentile.searched.metric, document.notes.len()), (Some(25.0), 0));
    }

    #[test]
    fn a_document_grows_with_its_results() {
        let settings = BenchSettings { random: 2, uniform: 0, seeds: 2 };
        let facts = facts(settings);
        let given = GivenKernels { random: vec![vec![[3, 1]], vec![[5, 1]]], plain: vec![[3, 3]], uniform: vec![] };
        let plan = entries(&given, settings);
        let record = |entry: &Entry| EntryRecord {
            kernels: Some(entry.kernels.clone().unwrap_or_else(|| vec![[5, 3 - 2 * entry.number]])),
            test: (entry.group != Group::PaperSearch).then_some([3.0 / 9.0, 1.0 / 9.0][entry.number]),
            seconds: 2.0,
            ..EntryRecord::default()
        };
        let all: Vec<(&Entry, EntryRecord)> = plan.iter().map(|entry| (entry, record(entry))).collect();

        let none = Document::new(&facts, &[], plan.len());
        assert_eq!(none.finished, [0, plan.len()]);
        assert_eq!((none.percentile.searched.metric, none.ratio_to_plain.searched.metric), (None, None));
        assert!(none.kendall.is_empty() && none.agreement.paper.is_none());

        let whole = Document::new(&facts, &all, plan.len());
        assert_eq!(whole.random.len() + whole.plain.len() + whole.searched.len() + whole.whole.len(), 7);
        // Both groups have the same two errors, and plain the larger of them.
        assert_eq!(whole.percentile.searched.metric, Some(50.0));
        assert_eq!(whole.percentile.plain.metric, Some(25.0));
        assert_eq!(whole.percentile.searched.loss, None, "no network has a loss");
        assert_eq!(whole.ratio_to_random.searched.metric, Some(1.0));
        // (3.5 + 1.5) / 2 against 3.5.
        assert!(whole.ratio_to_plain.searched.metric.is_some_and(|r| (r - 2.5 / 3.5).abs() < 1e-12));
        let agreement = whole.agreement.searched.expect("two seeds");
        assert_eq!((agreement.kernel, agreement.size, agreement.dilation), (0.0, 1.0, 0.0));
        assert_eq!(whole.seconds, 2.0 * 8.0, "two searches and two whole runs beside four distinct networks");
        // [3, 1], [5, 1], [3, 3] and [5, 3]; [5, 1] is found again.
        let reach = whole.kendall.iter().find(|c| c.signal.starts_with("reach")).expect("it has values");
        assert_eq!(reach.networks, 4);
        assert_eq!(whole.random[1].seed, 1001);
        assert_eq!(whole.searched[1].seed, facts.config.seed + 1);

        let text = serde_json::to_string(&whole).expect("it can be written");
        assert_eq!(serde_json::from_str::<Document>(&text).expect("it can be read"), whole);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            (value["settings"]["random"].as_u64(), value["percentile"]["searched"]["loss"].is_null()),
            (Some(2), true)
        );
    }
}
