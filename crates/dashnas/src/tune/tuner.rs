//! The tuning of one network.

use crate::budget::plan::TunePlan;
use crate::error::Error;
use crate::problem::memory::max_concurrent_trials;
use crate::record::event::Event;
use crate::record::trial::Tuning;
use crate::train::compute_slot::ComputeSlot;
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::tune::asha_trials::AshaTrials;
use crate::tune::grid::GridTrials;
use crate::tune::recorder::TuningRecorder;
use crate::tune::runner::TrialRunner;
use crate::tune::size::TuningSize;
use crate::tune::source::{NoTrials, TrialSource, TrialSpec};
use crate::tune::trial_pool::{PoolSettings, TrialPool};
use burn::tensor::Device;

/// Tunes the hyperparameters of the network with the given kernels. Trials whose results the recorder has are not run
/// again.
///
/// # Errors
/// [`Error::AllTrialsFailed`] if no trial gave a score, [`Error::Interrupted`] if the observer
/// asked to stop.
pub(crate) fn tune(
    size: TuningSize<'_>,
    kernels: &[[usize; 2]],
    device: &Device,
    progress: &mut StageProgress,
    recorder: &mut dyn TuningRecorder,
) -> Result<Tuning, Error> {
    let (problem, total, validation) = (size.problem, size.total().0, size.validation_samples());
    let limited = problem.budget.plan().is_some();
    if validation == 0 {
        // Only where tuning was asked for by itself: a whole run has it switched off.
        let message = "no tuning: no sample can be spared for validation".to_owned();
        recorder.event(&Event::Warning { message });
    }
    let mut source: Box<dyn TrialSource> = match size.plan() {
        TunePlan::Grid { trials, steps } if validation > 0 => {
            Box::new(GridTrials::new(&problem.config().tune, trials, limited.then_some(steps)))
        }
        TunePlan::Asha { size } if validation > 0 => Box::new(AshaTrials::new(problem, size)),
        _ => Box::new(NoTrials),
    };
    let settings = PoolSettings { total, trial_steps: size.trial_steps(), workers: max_concurrent_trials(problem) };
    let runner = TrialRunner::new(size, kernels, device);
    let run_trial = |spec: &TrialSpec, progress: StageProgress, slot: &ComputeSlot<'_>, recorder: &mut dyn Recorder| {
        runner.run(spec, progress, slot, recorder)
    };
    let trials = TrialPool::new(settings, &run_trial, &problem.budget, progress, recorder).run(&mut *source)?;
    if (limited || validation == 0) && trials.iter().all(|t| t.score.is_none()) {
        // If a limit left no time for a trial, that is not a failure of the trials.
        return Ok(Tuning { trials, best: problem.config().untuned(problem.setup.task) });
    }
    Tuning::of(trials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::clock::WallClock;
    use crate::budget::cost::{CostModel, EvaluationCost};
    use crate::budget::plan::{RequestedSteps, RequestedTuning, RequestedWork, SampleCounts, TimePlan};
    use crate::config::Config;
    use crate::problem::build::graph;
    use crate::problem::memory::{OVERHEAD, training_bytes};
    use crate::problem::state::Problem;
    use crate::train::recorder::DetachedRecorder;
    use dashnas_core::names::{Preset, Tuner};
    use dashnas_core::stage::Stage;
    use dashnas_core::task::TaskKind;
    use dashnas_data::dataset::Dataset;
    use dashnas_data::split::Split;
    use dashnas_data::targets::Targets;
    use dashnas_formats::array::Array;

    /// Two classes: the sign of a number.
    fn data() -> Dataset {
        let split = |n: usize| {
            let x: Vec<f32> = (0..n * 16).map(|i| ((i * 7919 % 97) as f32 / 97.0) - 0.5).collect();
            let y = x.chunks(16).map(|row| u32::from(row[3] > 0.0)).collect();
            Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
        };
        let task = TaskKind::Classification { classes: 2 };
        Dataset::new("made", task, split(40), None, split(10)).expect("the data is sound")
    }

    /// Tunes the plain backbone of a problem; its result and its events.
    fn tuned(problem: &Problem) -> (Result<Tuning, Error>, Vec<Event>) {
        let device = dashnas_nn::network::training_device(1);
        let kernels = graph(problem, 1).plain_kernels();
        let size = TuningSize::new(problem);
        let mut events: Vec<Event> = Vec::new();
        let mut progress = StageProgress { stage: Stage::Tune, done: 0, total: size.total().1 };
        let result = tune(size, &kernels, &device, &mut progress, &mut DetachedRecorder::new(&mut events));
        (result, events)
    }

    #[test]
    fn a_trial_that_needs_too_much_memory_is_recorded_and_the_tuning_continues() {
        let mut config = Config::preset(Preset::Quick);
        (config.tune.epochs, config.tune.min_steps, config.tune.max_steps) = (1, 0, 2);
        (config.tune.learning_rates, config.tune.weight_decays) = (vec![0.1], vec![0.0, 0.001]);
        config.tune.dropouts = vec![0.0, 0.5];
        let mut problem = Problem::new(&config, &data()).expect("sound");
        let [less, more] = [0.0, 0.5].map(|dropout| training_bytes(&problem, dropout));
        assert!(more > less, "the mask of dropout is kept for the backward pass");
        problem.budget.set_memory_headroom((less + more) / 2);
        let tuning = tuned(&problem).0.expect("two trials are left");
        assert_eq!(tuning.trials.len(), 4);
        for trial in &tuning.trials {
            let too_large = trial.hyperparameters.dropout > 0.0;
            assert_eq!(trial.score.is_none(), too_large);
            assert_eq!(trial.reason.as_ref().is_some_and(|reason| reason.contains("out of memory")), too_large);
        }
        assert_eq!(tuning.best.dropout, 0.0);
        // Memory for less than one trial is memory for none.
        problem.budget.set_memory_headroom(less - 1);
        let failed = tuned(&problem).0;
        let Err(Error::AllTrialsFailed { trials: 4, reason }) = failed else { panic!("{failed:?}") };
        assert!(reason.contains("out of memory"), "{reason}");
    }

    /// The number of trials of a tuning, and the texts of its notes.
    fn trials_and_notes(problem: &Problem) -> (usize, Vec<String>) {
        let (tuning, events) = tuned(problem);
        let notes =
            events.into_iter().filter_map(|e| if let Event::Note { message } = e { Some(message) } else { None });
        (tuning.expect("sound").trials.len(), notes.collect())
    }

    #[test]
    fn a_tuning_without_time_says_why_it_ended() {
        let mut config = Config::preset(Preset::Quick);
        (config.tune.epochs, config.tune.min_steps, config.tune.max_steps) = (1, 0, 1);
        (config.tune.learning_rates, config.tune.weight_decays) = (vec![0.1, 0.01, 0.001], vec![0.0]);
        (config.tune.dropouts, config.tune.momentums, config.tune.stop_early) = (vec![0.0], vec![0.9], false);
        let mut problem = Problem::new(&config, &data()).expect("sound");
        assert_eq!(trials_and_notes(&problem), (3, vec![]));
        // Under a plan whose time is up.
        let asha = config.asha.settings(1);
        let requested = RequestedWork {
            search: RequestedSteps { steps: 1, batch: 8 },
            tune: Some(RequestedTuning { trials: 3, steps: 1, tuner: Some(Tuner::Grid), asha }),
            retrain: RequestedSteps { steps: 1, batch: 8 },
            baseline: false,
            widths: vec![1],
            samples: SampleCounts { train: 40, validation: 10, test: 10 },
            subsample: 1.0,
            use_all: false,
        };
        let plan = TimePlan::new(&requested, 60.0, problem.budget.clock(), &mut Free).expect("long enough");
        assert!(matches!(plan.training.tune, TunePlan::Grid { trials: 3, .. }), "{plan}");
        problem.budget.adopt_plan(plan);
        problem.budget.set_clock(WallClock::new(std::time::Instant::now(), 60.0));
        let (trials, notes) = trials_and_notes(&problem);
        assert_eq!(
            (trials, &notes[..]),
            (0, &["tuning stopped after 0 of 3 trials: no time was left for another one".to_owned()][..])
        );
    }

    #[test]
    fn successive_halving_never_counts_more_trials_than_it_says_there_are() {
        let mut config = Config::preset(Preset::Quick);
        (config.tune.epochs, config.tune.min_steps, config.tune.max_steps) = (4, 0, 8);
        config.tune.tuner = Some(Tuner::Asha);
        (config.asha.samples, config.asha.reduction, config.asha.min_steps, config.asha.workers) = (7, 2, 1, 3);
        let problem = Problem::new(&config, &data()).expect("sound");
        let (tuning, events) = tuned(&problem);
        let counts: Vec<(usize, usize)> = events
            .iter()
            .filter_map(
                |e| if let Event::TrialFinished { trial, trials, .. } = e { Some((*trial, *trials)) } else { None },
            )
            .collect();
        assert!(counts.len() > 7 && counts.iter().all(|(trial, trials)| trial < trials), "{counts:?}");
        // At the end, all that were run are counted.
        assert_eq!(tuning.expect("sound").trials.len(), counts.len());
        assert!(counts.iter().all(|(_, trials)| *trials >= TuningSize::new(&problem).total().0), "{counts:?}");
    }

    /// The costs of a machine on which everything is cheap.
    struct Free;

    impl CostModel for Free {
        fn search_step(&mut self, _: usize) -> f64 {
            1e-3
        }

        fn train_step(&mut self, _: usize, _: usize) -> f64 {
            1e-3
        }

        fn evaluation(&mut self, _: usize, _: bool) -> EvaluationCost {
            EvaluationCost::default()
        }
    }

    #[test]
    fn trials_side_by_side_share_the_memory() {
        let mut config = Config::preset(Preset::Quick);
        config.tune.workers = Some(4);
        let mut problem = Problem::new(&config, &data()).expect("sound");
        let one = training_bytes(&problem, 1.0);
        let with = |problem: &mut Problem, room: u64| {
            problem.budget.set_memory_headroom(room);
            max_concurrent_trials(problem)
        };
        assert_eq!(with(&mut problem, 3 * one + 2 * OVERHEAD), 3);
        assert_eq!(with(&mut problem, 3 * one + 2 * OVERHEAD - 1), 2);
        assert_eq!(with(&mut problem, one / 2), 1, "the trial itself is refused");
        assert_eq!(with(&mut problem, 100 * (one + OVERHEAD)), 4);
    }
}
