//! The limits of a configuration put into force in a run: what is decided is noted in the ledger, so
//! that a resumed run does not decide again.

use super::Clock;
use super::fit::{self, MemoryFit};
use super::plan::{StepWish, TimePlan, TuneWish, Wish};
use super::probe::Probe;
use crate::architecture::Architecture;
use crate::checkpoint::Ledger;
use crate::data::{Dataset, Split, Targets};
use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::journal::Journal;
use crate::network::training_device;
use crate::problem::Problem;
use crate::run_dir::{RunDir, names};
use crate::select;
use crate::tune::Trials;
use aggconv::KernelSpace;
use burn::tensor::Device;
use serde::{Serialize, de::DeserializeOwned};

/// Names of the ledger's notes.
const PLAN: &str = "plan";
const REPLANNED: &str = "replanned";
const MEMORY: &str = "memory";
const TUNED: &str = "tuned";

fn note<T: Serialize>(ledger: &mut Ledger, name: &str, value: &T) {
    // Plain data always has a JSON form.
    if let Ok(text) = serde_json::to_string(value) {
        ledger.notes.insert(name.into(), text);
    }
}

fn noted<T: DeserializeOwned>(ledger: &Ledger, name: &str) -> Option<T> {
    serde_json::from_str(ledger.notes.get(name)?).ok()
}

/// How the problem fits into its memory limit, if it has one.
///
/// # Errors
/// [`Error::Memory`] with the least limit that would do.
pub(crate) fn decide_memory(problem: &Problem, data: &Dataset) -> Result<Option<MemoryFit>, Error> {
    let limit = problem.config.budget.memory_limit;
    if limit == 0 {
        return Ok(None);
    }
    // The test split is normalized into a copy (unless it stays in its file), and predicted.
    let inputs = if data.test.x.is_outside() { 0 } else { data.test.x.row_len() };
    let test = 4 * data.test.len() as u64 * (inputs + 2 * problem.task.outputs()) as u64;
    let splits = [Some(&data.train), data.val.as_ref(), Some(&data.test)];
    let bytes = |split: &Split| {
        let inputs = if split.x.is_outside() { 0 } else { split.x.row_len() };
        let targets = if let Targets::Values(values) = &split.y { values.row_len() } else { 1 };
        4 * split.len() as u64 * (inputs + targets) as u64
    };
    // As they were read, and all but the test split normalized.
    let held: u64 = splits.into_iter().flatten().map(|split| 2 * bytes(split)).sum::<u64>() - bytes(&data.test);
    fit::fit(problem, limit, held, test).map(Some)
}

/// Fits the problem into its memory limit: as an earlier process did, or as was just decided.
///
/// # Errors
/// As [`decide_memory`], if nothing was decided yet.
pub(crate) fn fit_memory(
    problem: &mut Problem,
    data: &Dataset,
    decided: Option<MemoryFit>,
    journal: &mut Journal<'_>,
) -> Result<(), Error> {
    let fit = match noted(&journal.ledger, MEMORY) {
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
            note(&mut journal.ledger, MEMORY, &fit);
            journal.save(None)?;
            fit
        }
    };
    fit.apply(problem);
    Ok(())
}

/// Checks that some network is within the bounds on size and speed: of the width that the configuration says, or,
/// under a time limit, of the narrowest that a plan may choose.
///
/// # Errors
/// [`Error::Bound`] with the least that can be met.
pub(crate) fn check_bounds(problem: &Problem) -> Result<(), Error> {
    let widths = widths(problem);
    let width = if problem.config.budget.time_limit > 0.0 { widths.last() } else { widths.first() };
    select::possible(problem, width.copied().unwrap_or(1), &training_device(problem.dims()))
}

/// The widths that a network may have, the one wanted first, then narrower ones.
fn widths(problem: &Problem) -> Vec<usize> {
    let mut widths = vec![problem.config.backbone.width];
    if problem.dims() == 2 {
        while let Some(&width) = widths.last()
            && width > 1
        {
            widths.push(width / 2);
        }
    }
    widths
}

/// Takes up the plan that an earlier process made.
pub(crate) fn take_up(problem: &mut Problem, journal: &Journal<'_>) {
    if let Some(plan) = noted::<TimePlan>(&journal.ledger, PLAN) {
        plan.apply(&mut problem.config);
        problem.budget.set_plan(plan);
    }
}

/// Plans the run to fit its time limit, if it has one and is not planned yet.
///
/// # Errors
/// Those of measuring and of writing `plan.json`.
pub(crate) fn plan(
    problem: &mut Problem,
    data: &Dataset,
    dir: &RunDir,
    device: &Device,
    journal: &mut Journal<'_>,
) -> Result<(), Error> {
    let limit = problem.config.budget.time_limit;
    if limit == 0.0 || problem.budget.plan().is_some() {
        return Ok(());
    }
    let began = problem.budget.clock().seconds();
    let wish = wish(problem, data, device)?;
    let mut plan = {
        let mut probe = Probe::new(problem, device)?;
        TimePlan::new(&wish, limit, problem.budget.clock(), &mut probe)
    };
    let (wanted, widest) = (problem.config.backbone.width, wish.widths.first().copied());
    if let Some(widest) = widest.filter(|&widest| widest != wanted) {
        plan.notes.insert(0, format!("no network wider than {widest} is within the bounds, of {wanted} wanted"));
    }
    announce(problem, plan, began, dir, journal)
}

/// Plans again what follows the search, once, by the cost of the network that was found.
///
/// # Errors
/// Those of measuring and of writing `plan.json`.
pub(crate) fn replan(
    problem: &mut Problem,
    architecture: &Architecture,
    dir: &RunDir,
    device: &Device,
    journal: &mut Journal<'_>,
) -> Result<(), Error> {
    let Some(mut plan) = problem.budget.plan().cloned() else { return Ok(()) };
    if journal.ledger.notes.contains_key(REPLANNED) {
        return Ok(());
    }
    let began = problem.budget.clock().seconds();
    let wish = plan.wish.clone();
    {
        let mut probe = Probe::new(problem, device)?.of(architecture.kernels.clone());
        plan.after_search(&wish, problem.budget.clock(), &mut probe);
    }
    note(&mut journal.ledger, REPLANNED, &true);
    announce(problem, plan, began, dir, journal)
}

/// Puts a plan into force and on record.
fn announce(
    problem: &mut Problem,
    plan: TimePlan,
    began: f64,
    dir: &RunDir,
    journal: &mut Journal<'_>,
) -> Result<(), Error> {
    plan.apply(&mut problem.config);
    note(&mut journal.ledger, PLAN, &plan);
    let measured = problem.budget.clock().seconds() - began;
    *journal.ledger.seconds.entry(Stage::Data).or_default() += measured;
    dir.write_json(names::PLAN, &plan)?;
    journal.event(&Event::Planned { plan: Box::new(plan.clone()) });
    problem.budget.set_plan(plan);
    // A process killed from here on must not decide again.
    journal.save(None)
}

/// What the configuration would do without a limit.
fn wish(problem: &Problem, data: &Dataset, device: &Device) -> Result<Wish, Error> {
    let config = &problem.config;
    let space = KernelSpace::new(config.kernel_sizes(problem.dims()), config.dilations())?;
    let search = crate::search::fit_plan(problem, &space);
    let facts = problem.facts();
    let kernels: Vec<[usize; 2]> = vec![];
    let trials = Trials::new(problem, &kernels, device);
    let tune = config.tune.enabled.then(|| TuneWish {
        trials: trials.grid(),
        steps: trials.steps(),
        tuner: config.tune.tuner,
        asha: config.asha.tournament(trials.steps()),
    });
    let all = widths(problem);
    let mut widths = all.clone();
    widths.retain(|&width| select::possible(problem, width, device).is_ok());
    if widths.is_empty() {
        // The narrowest was within the bounds when that was checked: its time varies.
        widths.extend(all.last());
    }
    Ok(Wish {
        search: StepWish { steps: search.steps(problem.train.len()), batch: search.batch_size },
        tune,
        retrain: StepWish {
            steps: crate::retrain::size(problem, Stage::Retrain).1,
            batch: config.retrain_batch_size(&facts),
        },
        baseline: config.baseline.enabled,
        widths,
        samples: [problem.train.len(), problem.passes() * trials.held(), data.test.len()],
        subsample: config.search.subsample,
    })
}

/// Notes why a stage ran fewer tuning trials than it could have.
pub(crate) fn tuning_ended(ledger: &mut Ledger, stage: Stage, why: &str) {
    note(ledger, &format!("{TUNED}-{stage}"), &why);
}

/// What limits changed about a run, and what else was cut short, in words.
pub(crate) fn notes(problem: &Problem, journal: &Journal<'_>) -> Vec<String> {
    let memory = noted::<MemoryFit>(&journal.ledger, MEMORY).map(|fit| fit.notes).unwrap_or_default();
    let time = problem.budget.plan().map(|plan| plan.notes.clone()).unwrap_or_default();
    let tuned = [Stage::Tune, Stage::Baseline];
    let tuned = tuned.into_iter().filter_map(|stage| noted(&journal.ledger, &format!("{TUNED}-{stage}")));
    memory.into_iter().chain(time).chain(tuned).collect()
}
