//! The results of a comparison, as `results.json` keeps them.

use crate::comparison::method_result::{MethodResult, RunResult};
use crate::comparison::record::{ComparisonRecord, LeftOut};
use crate::comparison::verdict::verdict;
use dashnas::config::sections::Config;
use dashnas::error::Error;
use dashnas_core::files::FileError;
use dashnas_core::names::Preset;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::dataset::Dataset;
use dashnas_tasks::paper_results::{self, PaperResult};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The results so far. All errors are on the test split; lower is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of the program.
    pub version: String,
    /// A path, or the name of a built-in data set.
    pub source: String,
    /// Name of the data set.
    pub dataset: String,
    /// The task.
    pub task: TaskKind,
    /// The metric.
    pub metric: Metric,
    /// Samples in the training and test splits.
    pub samples: [usize; 2],
    /// The preset.
    pub preset: Preset,
    /// Seconds that each run may take; `None` without a limit.
    pub time_limit: Option<f64>,
    /// The seeds of the runs of each method.
    pub seeds: Vec<u64>,
    /// The methods with a result, the lowest mean error first.
    pub methods: Vec<MethodResult>,
    /// The error of guessing the same for every sample, as the training targets suggest.
    pub guessing: Option<f64>,
    /// Whether the seeds show a difference between the best two methods, in words; `None` without a result.
    pub verdict: Option<String>,
    /// What the paper reports for the task, if the data is one of its tasks and the metric is that of the paper.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<PaperResult>,
    /// Every run that has ended, in the order in which they run.
    pub runs: Vec<RunResult>,
    /// The methods that cannot be used on this data.
    pub left_out: Vec<LeftOut>,
    /// The number of runs that have ended, and of all runs.
    pub ended: [usize; 2],
}

impl Results {
    /// The results of runs that have ended.
    pub(crate) fn new(config: &Config, record: &ComparisonRecord, data: &Dataset, runs: Vec<RunResult>) -> Self {
        let metric = config.metric(data.task);
        let mut methods: Vec<MethodResult> =
            record.methods.iter().filter_map(|method| MethodResult::new(method, &runs)).collect();
        methods.sort_by(|a, b| a.test.mean.total_cmp(&b.test.mean));
        let guessing = runs.iter().find_map(|run| run.guessing);
        let reported = paper_results::of_task(&record.source).filter(|(reported, _)| *reported == metric);
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            source: record.source.clone(),
            dataset: data.name.clone(),
            task: data.task,
            metric,
            samples: [data.train.len(), data.test.len()],
            preset: config.preset,
            time_limit: (config.budget.time_limit > 0.0).then_some(config.budget.time_limit),
            seeds: seeds(config, record.seeds),
            verdict: verdict(&methods, guessing, metric),
            methods,
            guessing,
            published: reported.map_or_else(Vec::new, |(_, results)| results),
            ended: [runs.len(), record.methods.len() * record.seeds as usize],
            runs,
            left_out: record.left_out.clone(),
        }
    }

    /// Reads the file of results.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or is damaged.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(|e| Error::io("read", path, e))?;
        serde_json::from_slice(&text).map_err(|e| FileError::corrupt(path, e.to_string()).into())
    }

    /// The runs that failed.
    pub fn failed(&self) -> impl Iterator<Item = (&RunResult, &str)> {
        self.runs.iter().filter_map(|run| Some((run, run.error.as_deref()?)))
    }
}

/// The seeds of the runs of each method.
pub(crate) fn seeds(config: &Config, number: u32) -> Vec<u64> {
    (0..u64::from(number)).map(|i| config.seed.saturating_add(i)).collect()
}
