//! A problem made to fit into a memory limit.

use super::keep::EVALUATION_BATCH;
use super::memory::{Footprint, Trained, available, least_micro_batch, micro_batch, resident};
use crate::architecture::graph;
use crate::config::Formulation;
use crate::error::Error;
use crate::problem::Problem;
use aggconv::KernelSpace;
use serde::{Deserialize, Serialize};

/// Bytes that a process takes beside its data: what the allocator has freed but kept, and the
/// working memory that the kernels keep.
pub(crate) const OVERHEAD: u64 = 96 << 20;

/// How a problem is fitted into a memory limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemoryFit {
    /// The formulation of the search, if it had to be another.
    formulation: Option<Formulation>,
    /// Samples of a micro-batch in the search.
    search: Option<usize>,
    /// Samples of a micro-batch in the other trainings.
    train: Option<usize>,
    /// Samples that an evaluation takes at once.
    evaluation: usize,
    /// Bytes for a training, beside the data and the process.
    #[serde(default)]
    room: u64,
    /// What was changed, in words.
    pub notes: Vec<String>,
}

impl MemoryFit {
    /// Makes a problem what was decided.
    pub fn apply(&self, problem: &mut Problem) {
        problem.budget.search_micro_batch = self.search;
        problem.budget.train_micro_batch = self.train;
        problem.budget.evaluation_batch = self.evaluation;
        problem.budget.room = Some(self.room);
        if let Some(formulation) = self.formulation {
            problem.config.search.formulation = formulation;
        }
    }
}

/// Bytes that the program takes before it has read anything, rounded up.
const PROGRAM: u64 = 64 << 20;
/// What is measured is rounded up to a multiple of this.
const COARSE: u64 = 64 << 20;

/// Bytes that are taken before anything is trained: reckoned from those of the data, so that the same limit leads to
/// the same micro-batches every time. Only a process that has grown beyond that, since it does other things too or
/// read the data from a format that takes much memory, is measured, in coarse steps.
fn held(data: u64, resident: Option<u64>) -> u64 {
    let reckoned = data + PROGRAM;
    match resident {
        Some(resident) if resident > reckoned => resident.next_multiple_of(COARSE),
        _ => reckoned,
    }
}

/// What a problem's training after the search takes, with dropout or without.
fn training(problem: &Problem, dropout: bool) -> Footprint {
    let config = &problem.config;
    let wide = graph(problem, config.backbone.width);
    let trained = Trained { graph: &wide, input: problem.train.input(), dropout };
    trained.retraining(config.kernel_sizes(problem.dims()).into_iter().max().unwrap_or(1))
}

/// Bytes that a training with a dropout rate takes, in the parts of batches that were decided on.
pub(crate) fn bytes_of_training(problem: &Problem, dropout: f64) -> u64 {
    let batch = problem.config.retrain_batch_size(&problem.facts()).min(problem.train.len());
    let part = problem.budget.train_micro_batch.map_or(batch, |part| part.min(batch));
    training(problem, dropout > 0.0).bytes(part)
}

/// Bytes that there are for trainings: within the limit, or in the machine as it stands. `None` if that is not known.
pub(crate) fn room(problem: &Problem) -> Option<u64> {
    problem.budget.room.or_else(available)
}

/// Fits a problem into a memory limit: by the formulation of the search, then by micro-batches.
/// `data` are the bytes that the data takes now, and `to_come` those that it will take later.
///
/// # Errors
/// [`Error::Memory`] with the least limit that would do.
pub fn fit(problem: &Problem, limit: u64, data: u64, to_come: u64) -> Result<MemoryFit, Error> {
    let mut notes = Vec::new();
    let facts = problem.facts();
    let config = &problem.config;
    let held = held(data, resident().map(|[now, _]| now)) + OVERHEAD + to_come;
    let space = KernelSpace::new(config.kernel_sizes(problem.dims()), config.dilations())?;
    let (narrow, wide) = (graph(problem, config.backbone.search_width), graph(problem, config.backbone.width));
    let dense = problem.task.is_dense();
    let trained = |graph, dropout| Trained { graph, input: problem.train.input(), dropout };
    let search = trained(&narrow, false);
    let footprint = search.searching(&space, config.backbone.depthwise);
    let batch = config.search_batch_size(&facts);
    let mut formulation = None;
    if config.search.formulation != Formulation::Auto {
        // Only Eq. 2 keeps more than its inputs, and only `auto` never makes the dense kernel.
        let extra =
            if config.search.formulation == Formulation::MixedResults { search.mixed_results(&space) } else { 0 };
        let dense_kernel =
            4 * 3 * 16 * (space.support().pow(problem.dims() as u32)) as u64 * problem.train.len() as u64;
        let needs = footprint.bytes(batch) + extra * batch as u64 + dense_kernel.min(footprint.fixed);
        if held + needs > limit {
            formulation = Some(Formulation::Auto);
            notes.push(format!(
                "the search is computed by auto instead of {}, which agrees",
                config.search.formulation.name()
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
        formulation,
        search: parts(search_part, batch),
        train: parts(train_part, train_batch),
        evaluation,
        room: limit.saturating_sub(held),
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_does_not_follow_every_page() {
        let data = 100 << 20;
        let reckoned = data + PROGRAM;
        assert_eq!(held(data, None), reckoned);
        for resident in [0, 90 << 20, (120 << 20) + 4096, reckoned] {
            assert_eq!(held(data, Some(resident)), reckoned);
        }
        // A process that holds more: the same for all that is alike.
        let grown = held(data, Some(reckoned + 4096));
        assert_eq!(grown, held(data, Some(reckoned + (5 << 20))));
        assert!(grown > reckoned && grown.is_multiple_of(COARSE));
    }
}
