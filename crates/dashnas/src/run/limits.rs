//! Applies the limits of a configuration on time, memory, size and speed to a run. Every decision is kept in the
//! ledger, so that a resumed run does not decide again.

use crate::budget::clock::Clock;
use crate::budget::memory_fit::MemoryFit;
use crate::budget::plan::{RequestedSteps, RequestedTuning, RequestedWork, SampleCounts, TimePlan};
use crate::budget::too_short::MEASURING_SHARE;
use crate::error::Error;
use crate::problem::memory;
use crate::problem::state::Problem;
use crate::race::setup::configured_steps;
use crate::record::event::{Event, Observer};
use crate::run::journal::RunJournal;
use crate::run::probe::Probe;
use crate::run_dir::dir::RunDir;
use crate::run_dir::names;
use crate::stages::select;
use crate::train::retraining;
use crate::tune::size::TuningSize;
use aggconv::KernelSpace;
use burn::tensor::Device;
use dashnas_core::names::SearchStrategy;
use dashnas_core::stage::Stage;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_nn::architecture::Architecture;
use dashnas_nn::network::training_device;

/// The fraction of the time limit for measuring before the search; the rest of [`MEASURING_SHARE`] is for measuring after
/// it.
const FIRST_MEASURING: f64 = 0.06;

/// Names of the decisions in the ledger.
const PLAN: &str = "plan";
const REPLANNED: &str = "replanned";
const MEMORY: &str = "memory";

/// Decides how to fit a problem into its memory limit, if it has one.
///
/// # Errors
/// [`Error::Memory`] with the smallest sufficient limit.
pub(crate) fn decide_memory(problem: &Problem, data: &Dataset) -> Result<Option<MemoryFit>, Error> {
    let limit = problem.config().budget.memory_limit;
    if limit == 0 {
        return Ok(None);
    }
    // The test split is normalized into a copy (unless it stays in its file), and its predictions are kept.
    let inputs = if data.test.x.is_file_backed() { 0 } else { data.test.x.row_len() };
    let test = 4 * data.test.len() as u64 * (inputs + 2 * problem.setup.task.outputs()) as u64;
    let splits = [Some(&data.train), data.val.as_ref(), Some(&data.test)];
    let bytes = |split: &Split| {
        let inputs = if split.x.is_file_backed() { 0 } else { split.x.row_len() };
        let targets = if let Targets::Values(values) = &split.y { values.row_len() } else { 1 };
        4 * split.len() as u64 * (inputs + targets) as u64
    };
    // The splits as they were read, and normalized copies of all but the test split.
    let held: u64 = splits.into_iter().flatten().map(|split| 2 * bytes(split)).sum::<u64>() - bytes(&data.test);
    memory::fit(problem, limit, held, test).map(Some)
}

/// Fits a problem into its memory limit: as an earlier process did, or as was decided just now.
///
/// # Errors
/// As [`decide_memory`], if nothing was decided yet.
pub(crate) fn fit_memory(
    problem: &mut Problem,
    data: &Dataset,
    decided: Option<MemoryFit>,
    journal: &mut RunJournal<'_>,
) -> Result<(), Error> {
    let fit = match journal.ledger.decision(MEMORY) {
        Some(fit) => fit,
        None => {
            let fit = match decided {
                Some(fit) => Some(fit),
                None => decide_memory(problem, data)?,
            };
            let Some(fit) = fit else { return Ok(()) };
            for message in &fit.notes {
                journal.event(&Event::Warning { message: message.clone() });
            }
            journal.ledger.decide(MEMORY, &fit);
            journal.save_progress()?;
            fit
        }
    };
    problem.budget.adopt_memory_fit(&fit);
    Ok(())
}

/// Checks that some network is within the bounds on size and speed: one of the configured width or, under a time
/// limit, of the narrowest width that a plan may choose.
///
/// # Errors
/// [`Error::Bound`] with the smallest bound that can be met.
pub(crate) fn check_bounds(problem: &Problem) -> Result<(), Error> {
    let widths = widths(problem);
    let width = if problem.config().budget.time_limit > 0.0 { widths.last() } else { widths.first() };
    select::check_possible(problem, width.copied().unwrap_or(1), &training_device(problem.setup.dims()))
}

/// The widths that a network may have: the configured one first, then narrower ones.
fn widths(problem: &Problem) -> Vec<usize> {
    let mut widths = vec![problem.config().backbone.width];
    if problem.setup.dims() == 2 {
        while let Some(&width) = widths.last()
            && width > 1
        {
            widths.push(width / 2);
        }
    }
    widths
}

/// Applies the plan that an earlier process made, if there is one.
pub(crate) fn restore_plan(problem: &mut Problem, journal: &RunJournal<'_>) {
    if let Some(plan) = journal.ledger.decision::<TimePlan>(PLAN) {
        problem.budget.adopt_plan(plan);
    }
}

/// A plan, and the seconds that measuring took.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) plan: TimePlan,
    seconds: f64,
}

/// Measures, and plans a run to fit its time limit, if it has one and no plan yet. Nothing is written.
///
/// # Errors
/// [`Error::TimeLimit`] with a limit that is enough.
pub(crate) fn first_plan(problem: &Problem, data: &Dataset, device: &Device) -> Result<Option<Planned>, Error> {
    let limit = problem.config().budget.time_limit;
    if limit == 0.0 || problem.budget.plan().is_some() {
        return Ok(None);
    }
    let began = problem.budget.clock().seconds();
    let requested = requested_work(problem, data, device)?;
    let mut probe = Probe::new(problem, device, FIRST_MEASURING * limit)?;
    if let Some(kernels) = &problem.config().search.kernels {
        probe = probe.with_kernels(kernels.clone());
    }
    let mut plan = TimePlan::new(&requested, limit, problem.budget.clock(), &mut probe)?;
    let (wanted, widest) = (problem.config().backbone.width, requested.widths.first().copied());
    if let Some(widest) = widest.filter(|&widest| widest != wanted) {
        plan.notes.insert(
            0,
            format!("the network has width {widest} instead of {wanted}: no wider one is within the bounds"),
        );
    }
    Ok(Some(Planned { plan, seconds: problem.budget.clock().seconds() - began }))
}

/// Puts the first plan of a run into force: the one that was made before its directory existed, or one that is made now.
///
/// # Errors
/// Those of [`first_plan`] and of writing `plan.json`.
pub(crate) fn plan(
    problem: &mut Problem,
    data: &Dataset,
    planned: Option<Planned>,
    dir: &RunDir,
    device: &Device,
    journal: &mut RunJournal<'_>,
) -> Result<(), Error> {
    if problem.budget.plan().is_some() {
        return Ok(());
    }
    let planned = match planned {
        Some(planned) => Some(planned),
        None => first_plan(problem, data, device)?,
    };
    let Some(Planned { plan, seconds }) = planned else { return Ok(()) };
    adopt(problem, plan, seconds, dir, journal)
}

/// Plans the stages after the search once more, by the measured cost of the network that was found.
///
/// # Errors
/// Those of measuring and of writing `plan.json`.
pub(crate) fn replan(
    problem: &mut Problem,
    architecture: &Architecture,
    dir: &RunDir,
    device: &Device,
    journal: &mut RunJournal<'_>,
) -> Result<(), Error> {
    let Some(mut plan) = problem.budget.plan().cloned() else { return Ok(()) };
    if journal.ledger.notes.contains_key(REPLANNED) {
        return Ok(());
    }
    let began = problem.budget.clock().seconds();
    let requested = plan.requested.clone();
    {
        let seconds = (MEASURING_SHARE - FIRST_MEASURING) * plan.limit;
        let mut probe = Probe::new(problem, device, seconds)?.with_kernels(architecture.kernels.clone());
        plan.after_search(&requested, problem.budget.clock(), &mut probe);
    }
    journal.ledger.decide(REPLANNED, &true);
    let seconds = problem.budget.clock().seconds() - began;
    adopt(problem, plan, seconds, dir, journal)
}

/// Applies a plan, keeps it in the ledger and reports it.
fn adopt(
    problem: &mut Problem,
    plan: TimePlan,
    measured: f64,
    dir: &RunDir,
    journal: &mut RunJournal<'_>,
) -> Result<(), Error> {
    journal.ledger.decide(PLAN, &plan);
    *journal.ledger.seconds.entry(Stage::Data).or_default() += measured;
    dir.write_json(names::PLAN, &plan)?;
    journal.event(&Event::Planned { plan: Box::new(plan.clone()) });
    problem.budget.adopt_plan(plan);
    // If the process is killed from here on, a resumed run must not decide again.
    journal.save_progress()
}

/// The work that the configuration asks for without a limit.
fn requested_work(problem: &Problem, data: &Dataset, device: &Device) -> Result<RequestedWork, Error> {
    let config = problem.config();
    let space = KernelSpace::new(config.kernel_sizes(problem.setup.dims()), config.dilations())?;
    let search = match config.search.strategy {
        _ if config.search.kernels.is_some() => {
            RequestedSteps { steps: 0, batch: config.search_batch_size(&problem.setup.facts()) }
        }
        SearchStrategy::Race => {
            RequestedSteps { steps: configured_steps(problem), batch: config.search_batch_size(&problem.setup.facts()) }
        }
        SearchStrategy::Paper => {
            let plan = crate::stages::search::fit_plan(problem, &space);
            RequestedSteps { steps: plan.steps(problem.setup.train.len()), batch: plan.batch_size }
        }
    };
    let facts = problem.setup.facts();
    let tuning = TuningSize::new(problem);
    let tune = config.tune.enabled.then(|| RequestedTuning {
        trials: tuning.grid_trials(),
        steps: tuning.trial_steps(),
        tuner: config.tune.tuner,
        asha: config.asha.settings(tuning.trial_steps()),
    });
    let all = widths(problem);
    let mut widths = all.clone();
    widths.retain(|&width| select::check_possible(problem, width, device).is_ok());
    if widths.is_empty() {
        // The narrowest network was within the bounds when that was checked; measured times vary.
        widths.extend(all.last());
    }
    Ok(RequestedWork {
        search,
        tune,
        retrain: RequestedSteps {
            steps: retraining::size(problem, Stage::Retrain).1,
            batch: config.retrain_batch_size(&facts),
        },
        baseline: config.baseline.enabled,
        widths,
        samples: SampleCounts {
            train: problem.setup.train.len(),
            validation: problem.setup.predictions_per_score() * tuning.validation_samples(),
            test: data.test.len(),
        },
        subsample: if config.search.strategy == SearchStrategy::Race { 1.0 } else { config.search.subsample },
        use_all: config.budget.use_all_the_time,
    })
}

/// The changes that limits made to a run, and the tunings that ended early, in words.
pub(crate) fn notes(problem: &Problem, journal: &RunJournal<'_>) -> Vec<String> {
    let memory = journal.ledger.decision::<MemoryFit>(MEMORY).map(|fit| fit.notes).unwrap_or_default();
    let time = problem.budget.plan().map(|plan| plan.notes.clone()).unwrap_or_default();
    let tuning =
        [Stage::Search, Stage::Tune, Stage::Baseline].into_iter().filter_map(|stage| journal.ledger.tuning_end(stage));
    memory.into_iter().chain(time).chain(tuning).collect()
}
