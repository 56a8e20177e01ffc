//! Fits a problem into a memory limit, and estimates the memory of its trainings.

use crate::budget::memory::{Footprint, Trained, least_micro_batch, micro_batch};
use crate::budget::memory_fit::MemoryFit;
use crate::budget::state::EVALUATION_BATCH;
use crate::error::Error;
use crate::problem::build::graph;
use crate::problem::state::Problem;
use aggconv::Formulation;
use aggconv::KernelSpace;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::memory::{available, resident};

/// Bytes of a process beside its data: memory that the allocator keeps after it is freed, and the working memory of the
/// kernels.
pub(crate) const OVERHEAD: u64 = 96 << 20;

/// Bytes of the program before it has read anything, rounded up.
const PROGRAM: u64 = 64 << 20;
/// Measured memory is rounded up to a multiple of this.
const ROUNDING: u64 = 64 << 20;

/// Bytes in use before anything is trained. They are estimated from the bytes of the data, so that the same limit
/// always leads to the same micro-batches. Only if the process has grown beyond the estimate (it does other work as
/// well, or the format of the data takes much memory to read) is its memory measured, in coarse steps.
fn baseline_bytes(data: u64, resident: Option<u64>) -> u64 {
    let estimated = data + PROGRAM;
    match resident {
        Some(resident) if resident > estimated => resident.next_multiple_of(ROUNDING),
        _ => estimated,
    }
}

/// The largest kernel size that a network after the search can have.
fn largest_kernel(problem: &Problem) -> usize {
    let config = problem.config();
    let sizes = match &config.search.kernels {
        None => config.kernel_sizes(problem.setup.dims()),
        // The plain backbone may have larger ones.
        Some(given) => {
            let plain = graph(problem, config.backbone.width).plain_kernels();
            given.iter().chain(&plain).map(|&[k, _]| k).collect()
        }
    };
    sizes.into_iter().max().unwrap_or(1)
}

/// The memory of a training after the search, with dropout or without.
fn training(problem: &Problem, dropout: bool) -> Footprint {
    let config = problem.config();
    let wide = graph(problem, config.backbone.width);
    let trained = Trained { graph: &wide, input: problem.setup.train.input(), dropout };
    trained.retraining(largest_kernel(problem))
}

/// Bytes of a training with a dropout rate, in the micro-batches that were decided.
pub(crate) fn training_bytes(problem: &Problem, dropout: f64) -> u64 {
    let batch = problem.config().retrain_batch_size(&problem.setup.facts()).min(problem.setup.train.len());
    let part = problem.budget.train_micro_batch().map_or(batch, |part| part.min(batch));
    training(problem, dropout > 0.0).bytes(part)
}

/// Bytes that trainings may use: within the limit or, without one, of the available memory of the machine. `None` if
/// that is unknown.
pub(crate) fn memory_headroom(problem: &Problem) -> Option<u64> {
    problem.budget.memory_headroom().or_else(available)
}

/// Fits the search into `limit` bytes, of which `baseline` are in use: the formulation that replaces the configured
/// one, if any, and the samples in a micro-batch.
fn fit_search(
    problem: &Problem,
    search: &Trained<'_>,
    space: &KernelSpace,
    [baseline, limit]: [u64; 2],
    notes: &mut Vec<String>,
) -> Result<(Option<Formulation>, usize), Error> {
    let config = problem.config();
    let batch = config.search_batch_size(&problem.setup.facts());
    let footprint = search.searching(space, config.backbone.depthwise);
    let mut formulation = None;
    if config.search.formulation != Formulation::Auto {
        // Only Eq. 2 keeps more than its inputs, and only `auto` never builds the dense kernel.
        let extra =
            if config.search.formulation == Formulation::MixedResults { search.mixed_results(space) } else { 0 };
        let dense_kernel =
            4 * 3 * 16 * (space.support().pow(problem.setup.dims() as u32)) as u64 * problem.setup.train.len() as u64;
        let needs = footprint.bytes(batch) + extra * batch as u64 + dense_kernel.min(footprint.fixed);
        if baseline + needs > limit {
            formulation = Some(Formulation::Auto);
            notes.push(format!(
                "search formulation changed from {} to auto, which needs less memory and agrees within rounding",
                config.search.formulation.name()
            ));
        }
    }
    let least = least_micro_batch(problem.setup.task.is_dense());
    Ok((formulation, micro_batch(footprint, batch, least, baseline, limit)?))
}

/// Fits a problem into a memory limit: by the formulation of the search, then by micro-batches. `data` are the bytes
/// that the data takes now, and `later` those that it will take in addition.
///
/// # Errors
/// [`Error::Memory`] with the smallest limit that suffices.
pub fn fit(problem: &Problem, limit: u64, data: u64, later: u64) -> Result<MemoryFit, Error> {
    let mut notes = Vec::new();
    let facts = problem.setup.facts();
    let config = problem.config();
    let baseline = baseline_bytes(data, resident().map(|[now, _]| now)) + OVERHEAD + later;
    let space = KernelSpace::new(config.kernel_sizes(problem.setup.dims()), config.dilations())?;
    let (narrow, wide) = (graph(problem, config.backbone.search_width), graph(problem, config.backbone.width));
    let dense = problem.setup.task.is_dense();
    let trained = |graph, dropout| Trained { graph, input: problem.setup.train.input(), dropout };
    let batch = config.search_batch_size(&facts);
    let (formulation, search_part) = match config.search.kernels {
        Some(_) => (None, batch),
        None => fit_search(problem, &trained(&narrow, false), &space, [baseline, limit], &mut notes)?,
    };
    let least = least_micro_batch(dense);
    let dropouts = config.tune.dropouts.iter().chain([&config.retrain.dropout, &config.asha.dropouts[1]]);
    let training = trained(&wide, dropouts.into_iter().any(|d| *d > 0.0));
    let footprint = training.retraining(largest_kernel(problem));
    let train_batch = config.retrain_batch_size(&facts);
    let train_part = micro_batch(footprint, train_batch, least, baseline, limit)?;
    let evaluating = training.evaluating(footprint.fixed / 16);
    let evaluation_batch = evaluating.samples(limit.saturating_sub(baseline)).clamp(1, EVALUATION_BATCH);
    for (name, part, batch) in [("search", search_part, batch), ("training", train_part, train_batch)] {
        if part < batch {
            notes.push(format!(
                "{name} computes batches of {batch} samples in micro-batches of {part} to save memory; batch normalization \
                 works on micro-batches, so that results differ from those without a limit"
            ));
        }
    }
    let smaller = |part: usize, batch: usize| (part < batch).then_some(part);
    Ok(MemoryFit {
        formulation,
        search_micro_batch: smaller(search_part, batch),
        train_micro_batch: smaller(train_part, train_batch),
        evaluation_batch,
        headroom: limit.saturating_sub(baseline),
        notes,
    })
}

/// Why a trial would need more memory than is available, if it would: starting it all the same could end the whole run.
pub(crate) fn too_large(problem: &Problem, hyperparameters: Hyperparameters) -> Option<String> {
    let (needs, room) = (training_bytes(problem, hyperparameters.dropout), memory_headroom(problem)?);
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    (needs > room)
        .then(|| format!("out of memory: a step takes about {} MiB, and {} MiB are available", mib(needs), room >> 20))
}

/// The largest number of concurrent trials: the configured number, or one for each thread. Threads that share a trial
/// wait for each other at the end of every operation; threads with trials of their own do not. The available memory
/// bounds the number in both cases.
pub(crate) fn max_concurrent_trials(problem: &Problem) -> usize {
    let workers = problem.config().tune.workers.unwrap_or_else(rayon::current_num_threads);
    let in_memory = memory_headroom(problem).map_or(usize::MAX, |bytes| {
        // Half of the available memory is left to other processes; of a limit, all of it is used.
        let ours = if problem.budget.memory_headroom().is_some() { bytes } else { bytes / 2 };
        // Each further trial also has memory that the allocator and the kernels keep for it.
        let one = training_bytes(problem, 1.0);
        usize::try_from(ours.saturating_sub(one) / (one + OVERHEAD)).map_or(usize::MAX, |n| n.saturating_add(1))
    });
    workers.min(in_memory).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_does_not_depend_on_single_pages() {
        let data = 100 << 20;
        let estimated = data + PROGRAM;
        assert_eq!(baseline_bytes(data, None), estimated);
        for resident in [0, 90 << 20, (120 << 20) + 4096, estimated] {
            assert_eq!(baseline_bytes(data, Some(resident)), estimated);
        }
        // A process with more memory: similar amounts lead to the same number.
        let grown = baseline_bytes(data, Some(estimated + 4096));
        assert_eq!(grown, baseline_bytes(data, Some(estimated + (5 << 20))));
        assert!(grown > estimated && grown.is_multiple_of(ROUNDING));
    }
}
