//! A problem made to fit into a memory limit.

use super::keep::EVALUATION_BATCH;
use super::memory::{Trained, least_micro_batch, micro_batch, resident};
use crate::architecture::plan;
use crate::config::SearchMethod;
use crate::error::Error;
use crate::problem::Problem;
use aggconv::KernelSpace;
use serde::{Deserialize, Serialize};

/// Bytes that a process takes beside its data: what the allocator has freed but kept, and the
/// working memory that the kernels keep.
const OVERHEAD: u64 = 96 << 20;

/// How a problem is fitted into a memory limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemoryFit {
    /// The method of the search, if it had to be another.
    method: Option<SearchMethod>,
    /// Samples of a micro-batch in the search.
    search: Option<usize>,
    /// Samples of a micro-batch in the other trainings.
    train: Option<usize>,
    /// Samples that an evaluation takes at once.
    evaluation: usize,
    /// What was changed, in words.
    pub notes: Vec<String>,
}

impl MemoryFit {
    /// Makes a problem what was decided.
    pub fn apply(&self, problem: &mut Problem) {
        problem.budget.search_micro_batch = self.search;
        problem.budget.train_micro_batch = self.train;
        problem.budget.evaluation_batch = self.evaluation;
        if let Some(method) = self.method {
            problem.config.search.method = method;
        }
    }
}

/// Fits a problem into a memory limit: by the method of the search, then by micro-batches.
/// `to_come` are bytes that the data will take later.
///
/// # Errors
/// [`Error::Memory`] with the least limit that would do.
pub fn fit(problem: &Problem, limit: u64, to_come: u64) -> Result<MemoryFit, Error> {
    let mut notes = Vec::new();
    let facts = problem.facts();
    let config = &problem.config;
    let held = resident().map_or(0, |[now, _]| now) + OVERHEAD + to_come;
    let space = KernelSpace::new(config.kernel_sizes(problem.dims()), config.dilations())?;
    let (narrow, wide) = (plan(problem, config.backbone.search_width), plan(problem, config.backbone.width));
    let dense = problem.task.is_dense();
    let trained =
        |plan, dropout| Trained { plan, input: problem.train.input(), outputs: problem.task.outputs(), dense, dropout };
    let search = trained(&narrow, false);
    let footprint = search.searching(&space, config.backbone.depthwise);
    let batch = config.search_batch_size(&facts);
    let mut method = None;
    if config.search.method != SearchMethod::Auto {
        // Only Eq. 2 keeps more than its inputs, and only `auto` never makes the dense kernel.
        let extra = if config.search.method == SearchMethod::MixedResults { search.mixed_results(&space) } else { 0 };
        let dense_kernel =
            4 * 3 * 16 * (space.support().pow(problem.dims() as u32)) as u64 * problem.train.len() as u64;
        let needs = footprint.bytes(batch) + extra * batch as u64 + dense_kernel.min(footprint.fixed);
        if held + needs > limit {
            method = Some(SearchMethod::Auto);
            notes.push(format!(
                "the search is computed by auto instead of {}, which agrees",
                config.search.method.name()
            ));
        }
    }
    let least = least_micro_batch(dense);
    let search_part = micro_batch(footprint, batch, least, held, limit)?;
    let dropouts = config.tune.dropouts.iter().chain([&config.retrain.dropout, &config.asha.dropouts[1]]);
    let largest = config.kernel_sizes(problem.dims()).into_iter().max().unwrap_or(1);
    let training = trained(&wide, dropouts.into_iter().any(|d| *d > 0.0));
    let footprint = training.retraining(largest);
    let train_batch = config.retrain_batch_size(&facts);
    let train_part = micro_batch(footprint, train_batch, least, held, limit)?;
    let evaluating = training.evaluating(footprint.fixed / 16);
    let evaluation = evaluating.samples(limit.saturating_sub(held)).clamp(1, EVALUATION_BATCH);
    for (name, part, batch) in [("the search", search_part, batch), ("training", train_part, train_batch)] {
        if part < batch {
            notes.push(format!(
                "{name} computes its batches of {batch} in parts of {part} to save memory; batch normalization sees \
                 the parts, so that results differ from those without a limit"
            ));
        }
    }
    let parts = |part: usize, batch: usize| (part < batch).then_some(part);
    Ok(MemoryFit {
        method,
        search: parts(search_part, batch),
        train: parts(train_part, train_batch),
        evaluation,
        notes,
    })
}
