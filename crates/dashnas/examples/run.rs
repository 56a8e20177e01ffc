//! Searches, tunes, trains and evaluates a network on a small data set that is made up here, and prints the result.
//!
//! ```console
//! $ cargo run --release --example run -- runs/pulses
//! ```
//!
//! Each sample is a noisy series with two pulses. The class says how far apart they are: 6 or 13 positions. The search
//! chooses a kernel size and a dilation for each layer. The run directory (here `runs/pulses`) must not exist yet; the
//! example `predict` loads the model from it.

use dashnas::{Config, Dataset, Event, Observer, Run};
use dashnas_core::names::Preset;
use dashnas_core::rng::Seed;
use dashnas_core::task::TaskKind;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use rand::RngExt;
use std::path::PathBuf;

/// The length of a series.
const LENGTH: usize = 48;
/// The distance of the two pulses in each class.
const DISTANCES: [usize; 2] = [6, 13];

/// Makes `samples` series `[samples, 1 channel, LENGTH]` with their classes.
fn pulses(samples: usize, seed: u64) -> Split {
    let mut random = Seed(seed).stream("pulses", &[]);
    let mut series = Vec::with_capacity(samples * LENGTH);
    let mut classes = Vec::with_capacity(samples);
    for sample in 0..samples {
        let class = sample % DISTANCES.len();
        let start = random.random_range(0..LENGTH - DISTANCES[class]);
        let first = series.len();
        series.extend((0..LENGTH).map(|_| 0.3 * random.random::<f32>()));
        series[first + start] += 1.0;
        series[first + start + DISTANCES[class]] += 1.0;
        classes.push(class as u32);
    }
    Split { x: Array::new(vec![samples, 1, LENGTH], series), y: Targets::Classes(classes) }
}

/// The preset `quick` with fewer steps, so that the example takes less than a minute.
fn config() -> Config {
    let mut config = Config::preset(Preset::Quick);
    config.search.max_steps = 60;
    config.search.min_steps = 60;
    (config.tune.min_steps, config.tune.max_steps) = (20, 20);
    config.tune.learning_rates = vec![0.1, 0.01];
    (config.retrain.min_steps, config.retrain.max_steps) = (120, 120);
    config.search.batch_size = Some(32);
    config.retrain.batch_size = Some(32);
    config
}

/// Prints the progress of a run.
struct Progress;

impl Observer for Progress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::StageStarted { stage, steps_total, .. } => println!("{stage}: {steps_total} steps"),
            Event::TrialFinished { lr, score: Some(score), .. } => {
                println!("  learning rate {lr}: validation error {score:.3}");
            }
            Event::Warning { message } => println!("  warning: {message}"),
            _ => {}
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "runs/pulses".to_owned()));
    let task = TaskKind::Classification { classes: DISTANCES.len() };
    // Without a validation split, a part of the training split is held out for tuning.
    let data = Dataset::new("pulses", task, pulses(320, 1), None, pulses(160, 2))?;
    let mut progress = Progress;
    let outcome = Run::start(&config(), "pulses", &data, &directory, &mut progress)?.all()?;

    println!("\nkernel size and dilation of each layer: {:?}", outcome.architecture);
    println!("hyperparameters: {:?}", outcome.hyperparameters);
    println!("parameters: {}", outcome.params);
    for (network, error) in [("searched network", outcome.test), ("plain backbone", outcome.baseline_test)] {
        if let Some(error) = error {
            println!("test error of the {network}: {:.1} %", 100.0 * error);
        }
    }
    println!("seconds: {:.1}", outcome.seconds.values().sum::<f64>());
    println!("run directory: {}", directory.display());
    Ok(())
}
