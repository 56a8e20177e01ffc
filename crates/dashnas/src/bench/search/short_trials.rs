//! Trials of a fraction of the length, with the first hyperparameters of the grid: how early a training shows how good
//! the network will be.

use crate::bench::search::record::ShortTrial;
use crate::config::sections::Config;
use crate::problem::state::Problem;
use crate::record::trial::Tuning;
use crate::tune::size::TuningSize;
use dashnas_core::names::Tuner;

/// The lengths of the additional trials, as fractions of that of a tuning trial.
pub(crate) const LENGTHS: [[u64; 2]; 2] = [[1, 4], [1, 2]];

/// One additional trial: its length, its steps, and the configuration of a tuning of that trial alone.
pub(crate) struct ShortTrialPlan {
    /// The length as a fraction.
    pub length: [u64; 2],
    /// Its steps.
    pub steps: u64,
    /// The configuration.
    pub config: Config,
}

/// The additional trials of a network with the configuration of a problem. A trial that would be as long as another one
/// is left out, and so are all if nothing is tuned.
pub(crate) fn plans(problem: &Problem) -> Vec<ShortTrialPlan> {
    let config = problem.config();
    let size = TuningSize::new(problem);
    if !config.tune.enabled || size.validation_samples() == 0 {
        return Vec::new();
    }
    let fit = size.fit_plan(config.untuned(problem.setup.task));
    let per_epoch = fit.steps_per_epoch(size.samples()) as u64;
    let epochs = |[part, whole]: [u64; 2]| ((fit.epochs as u64 * part + whole / 2) / whole).max(1);
    // Rounding may make two lengths equal.
    let mut shorter = LENGTHS.to_vec();
    shorter.retain(|&length| epochs(length) < fit.epochs as u64);
    shorter.dedup_by_key(|length| epochs(*length));
    let plan = |length| {
        let steps = epochs(length) * per_epoch;
        let mut config = config.clone();
        let tune = &mut config.tune;
        // The smallest and the largest number of steps fix the number of epochs.
        (tune.min_steps, tune.max_steps) = (steps as usize, steps as usize);
        tune.tuner = Some(Tuner::Grid);
        for values in [&mut tune.learning_rates, &mut tune.weight_decays, &mut tune.momentums, &mut tune.dropouts] {
            values.truncate(1);
        }
        ShortTrialPlan { length, steps, config }
    };
    shorter.into_iter().map(plan).collect()
}

/// The trial of the full length, which is the first one of a tuning over the grid.
pub(crate) fn full(tuning: &Tuning, problem: &Problem) -> Option<ShortTrial> {
    let first = tuning.trials.first().filter(|trial| trial.rung.is_none())?;
    let steps = TuningSize::new(problem).trial_steps();
    let metric = first.score.and_then(|score| score.metric);
    Some(ShortTrial { length: [1, 1], steps, metric, loss: first.score.map(|score| score.loss), seconds: 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::names::Preset;
    use dashnas_core::task::TaskKind;
    use dashnas_data::dataset::Dataset;
    use dashnas_data::split::Split;
    use dashnas_data::targets::Targets;
    use dashnas_formats::array::Array;

    #[test]
    fn trials_have_fractions_of_the_epochs() {
        let split = |n: usize| {
            let x = (0..n * 16).map(|i| (i * 7919 % 97) as f32).collect();
            let y = (0..n).map(|i| (i % 2) as u32).collect();
            Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
        };
        let task = TaskKind::Classification { classes: 2 };
        let data = Dataset::new("made", task, split(40), None, split(10)).expect("the data is sound");
        let mut config = Config::preset(Preset::Quick);
        (config.tune.epochs, config.tune.min_steps, config.tune.max_steps) = (8, 0, 0);
        config.tune.subset = Some(1.0);
        let problem = Problem::new(&config, &data).expect("the configuration fits");
        let whole = TuningSize::new(&problem).trial_steps();
        let found = plans(&problem);
        assert_eq!(found.iter().map(|plan| plan.length).collect::<Vec<_>>(), LENGTHS);
        for ShortTrialPlan { length: [part, of], steps, config } in found {
            assert_eq!(steps * of, whole * part);
            let alone = Problem::new(&config, &data).expect("the configuration fits");
            let size = TuningSize::new(&alone);
            assert_eq!(size.total(), (1, steps));
        }
        // Of two epochs only one is shorter, and one epoch has no shorter trial.
        config.tune.epochs = 2;
        assert_eq!(plans(&Problem::new(&config, &data).expect("the configuration fits")).len(), 1);
        config.tune.epochs = 1;
        assert!(plans(&Problem::new(&config, &data).expect("the configuration fits")).is_empty());
        config.tune.enabled = false;
        assert!(plans(&Problem::new(&config, &data).expect("the configuration fits")).is_empty());
    }
}
