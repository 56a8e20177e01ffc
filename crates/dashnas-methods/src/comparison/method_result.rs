//! The result of a run of a comparison, and those of the runs of one method together.

use crate::comparison::record::run_name;
use crate::list::find;
use dashnas::record::folds::Spread;
use dashnas::record::paired::Judgement;
use dashnas_core::stage::Stage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The results of one method over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodResult {
    /// Its name.
    pub method: String,
    /// What it is.
    pub title: String,
    /// Where it is described.
    pub source: String,
    /// The test error of each finished run, in the order of the seeds.
    pub errors: Vec<f64>,
    /// Their mean and standard deviation.
    pub test: Spread,
    /// In how many of these runs a stage of the method was skipped, because a limit or the data left no room for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<Stage, usize>,
    /// The mean seconds of each stage; it counts as zero in a run without it.
    pub seconds: BTreeMap<Stage, f64>,
    /// The mean seconds of all stages.
    pub total_seconds: f64,
    /// The mean number of trainable parameters.
    pub params: f64,
    /// The largest peak of resident memory of a run in bytes, the data included, if it is known.
    pub peak_memory: Option<u64>,
    /// The mean of the median milliseconds for the prediction of one sample, if it is known.
    pub latency_ms: Option<f64>,
}

/// One run that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The method.
    pub method: String,
    /// The seed.
    pub seed: u64,
    /// Its run directory in the folder of the comparison.
    pub run: String,
    /// The error on the test split; `None` if the run failed.
    pub test: Option<f64>,
    /// Seconds of each stage.
    pub seconds: BTreeMap<Stage, f64>,
    /// The number of trainable parameters.
    pub params: Option<u64>,
    /// The peak of resident memory in bytes while the process that finished the run worked on it, the data included; `None`
    /// if the system does not tell.
    pub peak_memory: Option<u64>,
    /// The median milliseconds for the prediction of one sample on this machine.
    pub latency_ms: Option<f64>,
    /// The error of guessing.
    pub guessing: Option<f64>,
    /// What the test split shows of the network; `None` if the run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// The stages of the method that were skipped, because a limit or the data left no room for them. Without a search, the
    /// kernels are those of the plain network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Stage>,
    /// Why the run failed.
    pub error: Option<String>,
    /// Whether the failure is one of the training, which would happen again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
}

impl MethodResult {
    /// The results of a method; `None` if none of its runs has finished.
    pub(crate) fn new(method: &str, runs: &[RunResult]) -> Option<Self> {
        let of: Vec<&RunResult> = runs.iter().filter(|run| run.method == method && run.test.is_some()).collect();
        let errors: Vec<f64> = of.iter().filter_map(|run| run.test).collect();
        let test = Spread::of(&errors)?;
        let average = |values: Vec<f64>| Spread::of(&values).map(|spread| spread.mean);
        let seconds = |run: &&RunResult, stage| run.seconds.get(&stage).copied().unwrap_or(0.0);
        let stages = (Stage::ALL.into_iter())
            .filter(|stage| of.iter().any(|run| run.seconds.contains_key(stage)))
            .filter_map(|stage| Some((stage, average(of.iter().map(|run| seconds(run, stage)).collect())?)));
        let mut skipped = BTreeMap::new();
        of.iter().flat_map(|run| &run.skipped).for_each(|&stage| *skipped.entry(stage).or_insert(0) += 1);
        let known = find(method);
        Some(Self {
            method: method.into(),
            title: known.map_or_else(String::new, |method| method.title().into()),
            source: known.map_or_else(String::new, |method| method.source().into()),
            seconds: stages.collect(),
            total_seconds: average(of.iter().map(|run| run.seconds.values().sum()).collect()).unwrap_or(0.0),
            params: average(of.iter().filter_map(|run| run.params).map(|n| n as f64).collect()).unwrap_or(0.0),
            peak_memory: of.iter().filter_map(|run| run.peak_memory).max(),
            latency_ms: average(of.iter().filter_map(|run| run.latency_ms).collect()),
            errors,
            test,
            skipped,
        })
    }
}

impl RunResult {
    /// A run that has not ended in a result yet.
    pub(crate) fn new(method: &str, seed: u64) -> Self {
        Self {
            method: method.into(),
            seed,
            run: run_name(method, seed),
            test: None,
            seconds: BTreeMap::new(),
            params: None,
            peak_memory: None,
            latency_ms: None,
            guessing: None,
            judgement: None,
            skipped: Vec::new(),
            error: None,
            lasting: false,
        }
    }
}
