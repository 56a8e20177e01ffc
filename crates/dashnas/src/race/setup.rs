//! The race of a problem, from its configuration and its limits.

use crate::error::Error;
use crate::problem::build;
use crate::problem::state::Problem;
use crate::race::features::Geometry;
use crate::race::prior::knowledge;
use crate::race::schedule::{MAX_HELD_OUT, rounds};
use crate::race::size::SizeBound;
use crate::race::state::{Generations, Race, RaceSettings};
use crate::train::retraining;
use aggconv::KernelSpace;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use dashnas_core::stage::Stage;
use dashnas_nn::graph::topology::Graph;

/// The training steps of all trials of the race by the configuration: five quarters of those of retraining, which have
/// larger batches and do not run side by side.
pub(crate) fn configured_steps(problem: &Problem) -> u64 {
    let retraining = || retraining::size(problem, Stage::Retrain).1 * 5 / 4;
    problem.config().race.steps.map_or_else(retraining, |steps| steps as u64).max(1)
}

/// The race of a problem before its first trial.
///
/// # Errors
/// [`Error::Space`] if the configured kernel space is not valid.
pub(crate) fn new_race(problem: &Problem) -> Result<Race, Error> {
    let graph = build::graph(problem, problem.config().backbone.search_width);
    Ok(Race::new(settings(problem, &graph)?))
}

/// The settings of the race of a problem, for the given network.
pub(crate) fn settings(problem: &Problem, graph: &Graph) -> Result<RaceSettings, Error> {
    let config = problem.config();
    let dims = problem.setup.dims();
    let space = KernelSpace::new(config.kernel_sizes(dims), config.dilations())?;
    let [_, h, w] = problem.setup.train.input();
    let untuned = config.untuned(problem.setup.task);
    let tried = config.tune.learning_rates.iter().take(2).map(|&lr| Hyperparameters { lr, ..untuned });
    let hyperparameters: Vec<_> = if config.tune.enabled { tried.collect() } else { vec![untuned] };
    let retrain_steps = retraining::size(problem, Stage::Retrain).1;
    let steps = problem.budget.search_steps().unwrap_or_else(|| configured_steps(problem));
    let (contestants, reduction) = (config.race.contestants, config.race.reduction);
    let most = config.budget.max_params;
    let bound = (most > 0).then(|| SizeBound::new(most, build::graph(problem, config.backbone.width), &space));
    let knowledge = knowledge(dims, problem.setup.task.is_dense());
    let noise = knowledge.noise_with(problem.setup.fold(0).1.rows.len());
    let generations = Generations::new(contestants, noise);
    let extra = hyperparameters.len() - 1;
    let rounds_with = |extra| rounds(contestants, reduction, extra, steps, retrain_steps);
    let with_new = rounds_with(extra + generations.networks());
    // Where the trials would be too short, nothing new is tried.
    let room = with_new.first().is_some_and(|round| round.networks == contestants);
    let (rounds, generations) =
        if room { (with_new, generations) } else { (rounds_with(extra), Generations::default()) };
    Ok(RaceSettings {
        geometry: Geometry::new(graph, [h, w], &space),
        plain: graph.plain_kernels(),
        knowledge,
        bound,
        noise,
        held_out: problem.setup.fold(0).1.rows.len().min(MAX_HELD_OUT),
        generations,
        rounds,
        space,
        hyperparameters,
        retrain_steps,
        seed: Seed(config.seed),
    })
}
