//! The search by a race of networks.

use crate::error::Error;
use crate::problem::build::racing_network;
use crate::problem::memory::max_concurrent_trials;
use crate::problem::state::Problem;
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
        recorder.event(&Event::Note { message: record.conclusion.clone() });
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
    use crate::config::Config;
    use crate::race::setup::settings;
    use crate::train::recorder::DetachedRecorder;
    use dashnas_core::names::Preset;
    use dashnas_core::rng::{Seed, Stream};
    use dashnas_core::task::TaskKind;
    use dashnas_data::dataset::Dataset;
    use dashnas_data::split::Split;
    use dashnas_data::targets::Targets;
    use dashnas_formats::array::Array;
    use dashnas_nn::graph::build::GraphBuilder;
    use dashnas_nn::graph::topology::Graph;
    use dashnas_nn::network::{Kernels, Network, training_device};
    use rand::RngExt;

    /// Random signs of 64 positions. The class says whether the signs 21 positions apart mostly agree, which no two
    /// other positions tell.
    fn pairs(samples: usize, stream: &mut Stream) -> Split {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for i in 0..samples {
            let class = (i % 2) as u32;
            let mut series: Vec<f32> = (0..64).map(|_| if stream.random::<bool>() { 1.0 } else { -1.0 }).collect();
            for t in 21..64 {
                if stream.random::<f64>() < 0.8 {
                    series[t] = if class == 0 { series[t - 21] } else { -series[t - 21] };
                }
            }
            x.extend(series);
            y.push(class);
        }
        Split { x: Array::new(vec![samples, 1, 64], x), y: Targets::Classes(y) }
    }

    /// One searched layer, a normalization, a ReLU and the mean over all positions.
    fn one_layer() -> Graph {
        let mut net = GraphBuilder::new(1);
        let input = net.input(1);
        let features = net.after(input).conv(8, 3, 1).norm().relu().end();
        net.finish(features, 2, false)
    }

    #[test]
    fn the_only_reach_that_solves_a_task_is_found_at_every_seed() {
        let mut stream = Seed(5).stream("pairs", &[]);
        let (train, test) = (pairs(240, &mut stream), pairs(20, &mut stream));
        let task = TaskKind::Classification { classes: 2 };
        let data = Dataset::new("pairs", task, train, None, test).expect("the data is sound");
        let device = training_device(1);
        for seed in 0..3 {
            let mut config = Config::preset(Preset::Quick);
            (config.seed, config.race.steps) = (seed, Some(1600));
            config.space.kernel_sizes = Some(vec![3]);
            config.space.dilations = Some(vec![1, 5, 7, 9, 15, 21, 27]);
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
