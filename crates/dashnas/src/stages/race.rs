//! The search by a race of networks.

use crate::error::Error;
use crate::problem::build::racing_network;
use crate::problem::memory::max_concurrent_trials;
use crate::problem::state::Problem;
use crate::race::conclusion::first_sentence;
use crate::race::runner::{Build, RaceRunner};
use crate::race::setup::new_race;
use crate::race::state::Race;
use crate::race::trials::RaceTrials;
use crate::record::event::Event;
use crate::record::race::RaceRecord;
use crate::run_dir::dir::RunDir;
use crate::run_dir::names;
use crate::stages::search::fallback_architecture;
use crate::stages::select::{Bounds, nearest_kernels};
use crate::train::compute_slot::ComputeSlot;
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::tune::recorder::TuningRecorder;
use crate::tune::source::TrialSpec;
use crate::tune::trial_pool::{PoolSettings, TrialPool};
use burn::tensor::Device;
use dashnas_core::stage::Stage;
use dashnas_nn::architecture::Architecture;

/// Runs the race and writes `race.json` and `architecture.json`.
///
/// # Errors
/// Those of the trial pool, [`Error::Bound`] if no architecture is within the bounds, and [`Error::File`] if a file
/// cannot be written.
pub(crate) fn race(
    problem: &Problem,
    dir: &RunDir,
    device: &Device,
    recorder: &mut dyn TuningRecorder,
) -> Result<Architecture, Error> {
    let race = new_race(problem)?;
    if race.networks() == 0 {
        // No network is small enough: this says so.
        return fallback_architecture(problem, dir, device, recorder);
    }
    recorder.event(&Event::StageStarted { stage: Stage::Search, steps_total: race.size().1, epochs: 0 });
    dir.log(names::ALPHA)?;
    let build = |kernels: &[[usize; 2]], round: usize| racing_network(problem, kernels, round, device);
    let mut record = run(race, problem, &build, device, recorder)?;
    let architecture = architecture(problem, &record, device)?;
    if architecture.kernels != record.contestants[record.chosen].kernels {
        record.better_than_plain = None;
        record.conclusion = "The network that won the race exceeds the bound on its latency: it is replaced by the \
                             nearest network within the bound, which did not take part."
            .to_owned();
        recorder.event(&Event::Warning { message: record.conclusion.clone() });
    } else {
        // The result of the run has all of it.
        recorder.event(&Event::Note { message: first_sentence(&record.conclusion).to_owned() });
    }
    dir.write_json(names::RACE, &record)?;
    dir.write_json(names::ARCHITECTURE, &architecture)?;
    Ok(architecture)
}

/// Runs the trials of a race.
///
/// # Errors
/// Those of the trial pool.
fn run(
    race: Race,
    problem: &Problem,
    build: &Build<'_>,
    device: &Device,
    recorder: &mut dyn TuningRecorder,
) -> Result<RaceRecord, Error> {
    let (total, steps) = race.size();
    let runner = RaceRunner::new(problem, build, race.rounds(), device);
    let mut source = RaceTrials::new(race);
    if !runner.can_score() {
        let message = "no sample can be held out to compare networks".to_owned();
        recorder.event(&Event::Warning { message });
        return Ok(source.race.record(&[]));
    }
    let settings = PoolSettings { total, trial_steps: 1, workers: max_concurrent_trials(problem) };
    let run_trial = |spec: &TrialSpec, progress: StageProgress, slot: &ComputeSlot<'_>, to: &mut dyn Recorder| {
        runner.run(spec, progress, slot, to)
    };
    let mut progress = StageProgress { stage: Stage::Search, done: 0, total: steps };
    let trials = TrialPool::new(settings, &run_trial, &problem.budget, &mut progress, recorder).run(&mut source)?;
    if let Some(reason) = trials.iter().all(|t| t.score.is_none()).then(|| trials.last()?.reason.clone()).flatten() {
        let message = format!("all trials of the race failed, the last one because {reason}");
        recorder.event(&Event::Warning { message });
    }
    Ok(source.race.record(&trials))
}

/// The architecture that a race chose, or the nearest one within the bounds on size and speed.
fn architecture(problem: &Problem, record: &RaceRecord, device: &Device) -> Result<Architecture, Error> {
    let chosen = &record.contestants[record.chosen].kernels;
    let kernels = nearest_kernels(problem, chosen, Bounds::of(&problem.config().budget), device)?;
    let backbone = problem.config().backbone_name(problem.setup.dims());
    Ok(Architecture { backbone, probabilities: vec![1.0; kernels.len()], kernels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::example::{one_layer, task};
    use crate::race::setup::settings;
    use crate::train::recorder::DetachedRecorder;
    use dashnas_core::rng::Seed;
    use dashnas_nn::network::{Kernels, Network, training_device};

    #[test]
    fn the_only_reach_that_solves_a_task_is_found_at_every_seed() {
        let device = training_device(1);
        for seed in 0..3 {
            let (data, config) = task(seed);
            let problem = Problem::new(&config, &data).expect("sound");
            let graph = one_layer();
            let race = settings(&problem, &graph).expect("a space");
            let build = |kernels: &[[usize; 2]], round: usize| {
                let mut init = Seed(seed).stream("init", &[round as u64]);
                Network::new(&graph, &Kernels::Fixed(kernels.to_vec()), &mut init, &device)
            };
            let mut events = Vec::new();
            let record = run(Race::new(race), &problem, &build, &device, &mut DetachedRecorder::new(&mut events));
            let record = record.expect("nothing stops it");
            assert_eq!(record.contestants[record.chosen].kernels, [[3, 21]], "{record:#?}");
            // The others could not be told from guessing.
            let error = |of: usize| record.contestants[of].trials.last().and_then(|t| t.score?.metric);
            assert!(error(record.chosen).is_some_and(|e| e < 0.15), "{record:#?}");
            let others = (0..record.contestants.len()).filter(|&c| c != record.chosen);
            assert!(others.filter_map(error).all(|e| e > 0.25), "{record:#?}");
        }
    }
}
