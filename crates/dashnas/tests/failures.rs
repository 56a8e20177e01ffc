//! Trainings that go wrong, and what a run makes of them.

use dashnas::config::Config;
use dashnas::error::Error;
use dashnas::record::event::Event;
use dashnas::run::pipeline::Run;
use dashnas_core::names::{Preset, SearchStrategy};
use dashnas_core::stage::Stage;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use std::path::Path;

fn data() -> Dataset {
    let split = |n: usize, seed: usize| {
        let x: Vec<f32> = (0..n * 16).map(|i| (((i + seed) * 7919 % 97) as f32 / 97.0) - 0.5).collect();
        let y = x.chunks(16).map(|row| u32::from(row[3] > row[8])).collect();
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
    };
    let task = TaskKind::Classification { classes: 2 };
    Dataset::new("made", task, split(48, 1), None, split(16, 5)).expect("the data is sound")
}

fn config() -> Config {
    let mut c = Config::preset(Preset::Quick);
    c.space.kernel_sizes = Some(vec![3]);
    c.space.dilations = Some(vec![1]);
    (c.search.epochs, c.search.min_steps, c.search.max_steps) = (2, 0, 0);
    c.search.batch_size = Some(8);
    c.retrain.batch_size = Some(8);
    (c.tune.epochs, c.tune.min_steps, c.tune.max_steps) = (3, 0, 0);
    (c.retrain.epochs, c.retrain.min_steps, c.retrain.max_steps) = (1, 0, 0);
    c.baseline.enabled = false;
    c
}

/// What a search came to, and its warnings.
fn search(lr: f64, out: &Path) -> (Result<(), Error>, Vec<String>) {
    let (data, mut events, mut config) = (data(), Vec::new(), config());
    (config.search.strategy, config.search.lr) = (SearchStrategy::Paper, Some(lr));
    let result = Run::start(&config, "made here", &data, out, &mut events).and_then(|mut run| run.search());
    let warnings =
        events.into_iter().filter_map(|e| if let Event::Warning { message } = e { Some(message) } else { None });
    (result.map(drop), warnings.collect())
}

#[test]
fn a_search_that_diverges_is_taken_back_three_times_with_half_the_learning_rate() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (result, warnings) = search(1e30, &temp.path().join("hopeless"));
    let error = result.expect_err("no half of it is small enough");
    assert!(matches!(error, Error::Diverged { .. }) && error.hint().is_some(), "{error}");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for (restart, warning) in warnings.iter().enumerate() {
        let told = format!("learning rate halved, restart {} of 3", restart + 1);
        assert!(warning.contains(&told), "{warning}");
    }
    // Between the rates that are too large and those that are not there are some that a half, a fourth or an eighth
    // of brings back.
    let saved = (0..40).map(|i| 1e12 * 4f64.powi(i)).find(|lr| {
        let (result, warnings) = search(*lr, &temp.path().join(format!("{lr:e}")));
        result.is_ok() && (1..=3).contains(&warnings.len())
    });
    assert!(saved.is_some(), "no learning rate was saved by halving it");
}

#[test]
fn a_trial_that_fails_is_recorded_and_the_tuning_goes_on() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (data, mut events, mut config) = (data(), Vec::new(), config());
    config.tune.learning_rates = vec![1e30, 0.1];
    config.tune.dropouts = vec![0.0];
    config.tune.stop_early = false;
    let outcome = Run::start(&config, "made here", &data, &temp.path().join("one"), &mut events)
        .and_then(Run::all)
        .expect("it runs");
    assert_eq!(outcome.hyperparameters.lr, 0.1);
    let ends = |events: &[Event]| -> Vec<(f64, Option<f64>, Option<String>)> {
        let end = |e: &Event| match e {
            Event::TrialFinished { stage: Stage::Tune, lr, score, reason, .. } => Some((*lr, *score, reason.clone())),
            _ => None,
        };
        events.iter().filter_map(end).collect()
    };
    for (lr, score, reason) in ends(&events) {
        assert_eq!(score.is_none(), lr == 1e30);
        assert_eq!(reason.is_some_and(|r| r.contains("finite")), lr == 1e30);
    }

    config.tune.learning_rates = vec![1e30, 1e29];
    let mut events = Vec::new();
    let error = Run::start(&config, "made here", &data, &temp.path().join("all"), &mut events)
        .and_then(Run::all)
        .expect_err("no trial is left");
    assert!(matches!(error, Error::AllTrialsFailed { .. }) && error.to_string().contains("finite"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("tune.learning-rates")));
    assert!(ends(&events).len() >= 2);
}
