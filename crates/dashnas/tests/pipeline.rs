//! The whole pipeline on small data made here: what it leaves behind, that the same seed gives
//! the same bits at any number of threads, and how it fails.

use dashnas::config::Config;
use dashnas::error::Error;
use dashnas::record::event::{Event, Observer};
use dashnas::record::race::{Origin, RaceRecord};
use dashnas::run::pipeline::Run;
use dashnas::run::results::{read_architecture, read_tuning};
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::error::RunDirError;
use dashnas::run_dir::names;
use dashnas_core::names::{Preset, SearchStrategy};
use dashnas_core::stage::Stage;
use dashnas_core::task::{Loss, TaskKind};
use dashnas_data::dataset::Dataset;
use dashnas_data::groups::{GroupKind, Groups};
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::model::Model;
use rand::RngExt;
use std::fs;
use std::path::Path;

/// Series of two pulses: the class says whether they are 6 or 9 samples apart, so a kernel has to
/// reach that far.
fn pulses(n: usize, seed: u64) -> Split {
    let mut rng = dashnas_core::rng::Seed(seed).stream("pulses", &[]);
    let (length, mut x, mut y) = (32, Vec::new(), Vec::new());
    for i in 0..n {
        let class = (i % 2) as u32;
        let gap = if class == 0 { 6 } else { 9 };
        let start = rng.random_range(0..length - gap);
        let mut row: Vec<f32> = (0..length).map(|_| 0.1 * rng.random::<f32>()).collect();
        row[start] += 1.0;
        row[start + gap] += 1.0;
        x.extend(row);
        y.push(class);
    }
    Split { x: Array::new(vec![n, 1, length], x), y: Targets::Classes(y) }
}

fn series() -> Dataset {
    let task = TaskKind::Classification { classes: 2 };
    Dataset::new("pulses", task, pulses(48, 1), None, pulses(24, 2)).expect("the data is sound")
}

/// Fields whose target is the input shifted by three columns.
fn fields() -> Dataset {
    let split = |n: usize, seed: u64| {
        let mut rng = dashnas_core::rng::Seed(seed).stream("fields", &[]);
        let (h, w) = (6, 9);
        let x: Vec<f32> = (0..n * h * w).map(|_| rng.random::<f32>()).collect();
        let y = (0..n * h * w).map(|i| if i % w >= 3 { x[i - 3] } else { 0.5 }).collect();
        Split { x: Array::new(vec![n, 1, h, w], x), y: Targets::Values(Array::new(vec![n, 1, h, w], y)) }
    };
    let task = TaskKind::DenseRegression { channels: 1 };
    Dataset::new("fields", task, split(12, 3), None, split(6, 4)).expect("the data is sound")
}

fn small() -> Config {
    let mut c = Config::preset(Preset::Quick);
    c.space.kernel_sizes = Some(vec![3, 5]);
    c.space.dilations = Some(vec![1, 3]);
    c.backbone.width = 1;
    (c.search.epochs, c.search.min_steps, c.search.max_steps) = (2, 0, 4);
    (c.tune.epochs, c.tune.min_steps, c.tune.max_steps) = (1, 0, 2);
    c.tune.learning_rates = vec![0.1, 0.01];
    c.tune.dropouts = vec![0.05];
    (c.retrain.epochs, c.retrain.min_steps, c.retrain.max_steps) = (2, 0, 6);
    c
}

fn run(config: &Config, data: &Dataset, out: &Path) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    Run::start(config, "made here", data, out, &mut events).expect("it starts").all().expect("it finishes");
    events
}

#[test]
fn a_run_leaves_everything_behind_in_one_and_two_dimensions() {
    for data in [series(), fields()] {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let out = temp.path().join("run");
        let events = run(&small(), &data, &out);
        let dir = RunDir::open(&out).expect("a run directory");
        for file in [
            names::CONFIG,
            names::DATA,
            names::EVENTS,
            names::ALPHA,
            names::ARCHITECTURE,
            names::TUNING,
            names::MODEL,
            names::METRICS,
        ] {
            assert!(dir.has(file), "{file} is missing");
        }
        let architecture = read_architecture(&dir).expect("readable");
        let race: RaceRecord = dir.read_json(names::RACE).expect("the record of the race");
        assert_eq!(race.contestants[race.chosen].kernels, architecture.kernels);
        for contestant in race.contestants.iter().filter(|c| c.origin != Origin::Plain) {
            assert!(contestant.kernels.iter().all(|&[k, d]| [3, 5].contains(&k) && [1, 3].contains(&d)));
        }
        assert_eq!(read_tuning(&dir).expect("readable").trials.len(), 2);
        let Some(Event::Finished { outcome }) = events.last() else { panic!("the last event is Finished") };
        assert_eq!(outcome.architecture, architecture.kernels);
        let test = outcome.test.expect("tested");
        assert!(test.is_finite() && outcome.baseline_test.is_some_and(f64::is_finite));
        for stage in [Stage::Search, Stage::Tune, Stage::Retrain, Stage::Baseline, Stage::Evaluate] {
            assert!(outcome.seconds.contains_key(&stage), "{stage} is not timed");
            let starts = events.iter().filter(|e| matches!(e, Event::StageStarted { stage: s, .. } if *s == stage));
            assert_eq!(starts.count(), 1);
        }
        // Steps are counted without gaps within a stage, up to what was announced.
        let searched: Vec<(u64, u64)> = events
            .iter()
            .filter_map(|e| match e {
                Event::Step { stage: Stage::Search, step, steps_total, .. } => Some((*step, *steps_total)),
                _ => None,
            })
            .collect();
        let total = searched.len() as u64;
        assert_eq!(searched, (1..=total).map(|s| (s, total)).collect::<Vec<_>>());
        let log = String::from_utf8(dir.read(names::EVENTS).expect("readable")).expect("text");
        assert!(log.lines().all(|l| serde_json::from_str::<Event>(l).is_ok()));
    }
}

/// The warnings of the tuning of a run, and its trials.
fn tuned(config: &Config, data: &Dataset) -> (Vec<String>, Vec<Option<f64>>) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let events = run(config, data, &temp.path().join("run"));
    // The small configuration is for both strategies of the search.
    let warnings = events.iter().filter_map(|e| match e {
        Event::Warning { message } if !message.contains("search.strategy") => Some(message.clone()),
        _ => None,
    });
    let trials = events.iter().filter_map(|e| match e {
        Event::TrialFinished { stage: Stage::Tune | Stage::Baseline, score, .. } => Some(*score),
        _ => None,
    });
    (warnings.collect(), trials.collect())
}

#[test]
fn tuning_finds_samples_to_judge_by_or_is_left_out() {
    let mut data = series();
    let n = data.train.len() as u32;
    // Two equal groups: one of them.
    let grouped = |of: &dyn Fn(u32) -> u32| {
        let names: Vec<String> = (0..n).map(|i| of(i).to_string()).collect();
        Some(Groups::new(GroupKind::Groups, [Some(&names), None, None]))
    };
    data.groups = grouped(&|i| u32::from(i >= n / 2));
    let (warnings, trials) = tuned(&small(), &data);
    assert!(warnings.is_empty() && trials.len() == 4 && trials.iter().all(Option::is_some), "{warnings:?} {trials:?}");
    // A group for each class, and one for all: groups are divided, and that is said.
    for groups in [grouped(&|i| i % 2), grouped(&|_| 0)] {
        data.groups = groups;
        let (warnings, trials) = tuned(&small(), &data);
        assert!(warnings.len() == 1 && warnings[0].contains("validation shares groups"), "{warnings:?}");
        assert!(trials.len() == 4 && trials.iter().all(Option::is_some), "{trials:?}");
    }
    // One sample a class: none can be spared.
    let task = TaskKind::Classification { classes: 2 };
    let data = Dataset::new("two", task, pulses(2, 1), None, pulses(6, 2)).expect("the data is sound");
    for limit in [0.0, 60.0] {
        let mut config = small();
        config.budget.time_limit = limit;
        let (warnings, trials) = tuned(&config, &data);
        assert!(warnings.iter().any(|w| w.contains("tuning skipped")), "{warnings:?}");
        assert_eq!(trials, []);
    }
}

#[test]
fn trials_are_ranked_by_their_loss_where_the_metric_is_undefined() {
    let split = |n: usize, seed: u64, on: f32| {
        let Split { x, y } = pulses(n, seed);
        let labels = y.classes().expect("classes").iter().map(|&class| on * class as f32).collect();
        Split { x, y: Targets::Values(Array::new(vec![n, 1], labels)) }
    };
    let task = TaskKind::MultiLabel { labels: 1 };
    // No label is true in validation.
    let data = Dataset::new("labels", task, split(24, 1, 1.0), Some(split(8, 2, 0.0)), split(8, 3, 1.0));
    let (warnings, trials) = tuned(&small(), &data.expect("the data is sound"));
    assert!(warnings.len() == 1 && warnings[0].contains("by their loss"), "{warnings:?}");
    assert_eq!(trials, [None; 4]);
}

#[test]
fn the_saved_model_predicts_as_the_trained_one_did() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("run");
    let (config, data) = (small(), fields());
    let events = run(&config, &data, &out);
    let Some(Event::Finished { outcome }) = events.last() else { panic!("the last event is Finished") };
    let dir = RunDir::open(&out).expect("a run directory");
    let model = Model::load(&out).expect("loadable");
    let card = model.card();
    assert_eq!(card.architecture.kernels, outcome.architecture);
    let mut unit = ();
    let mut again = Run::open(dir, &config, &data, &mut unit).expect("opens");
    let repeated =
        again.evaluate(&card.architecture, outcome.hyperparameters, model.network(), None).expect("evaluates");
    assert_eq!(repeated.test, outcome.test);
    assert_eq!(repeated.params, outcome.params);
}

#[test]
fn the_same_seed_gives_the_same_bits_at_any_number_of_threads() {
    for data in [series(), fields()] {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let with = |threads: usize, seed: u64, name: &str| {
            let out = temp.path().join(name);
            let config = Config { seed, ..small() };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            pool.install(|| run(&config, &data, &out));
            [names::MODEL, names::ALPHA, names::ARCHITECTURE].map(|f| fs::read(out.join(f)).expect("readable"))
        };
        let one = with(1, 5, "one");
        assert!(one == with(2, 5, "two"), "two threads gave other bits than one");
        assert!(one == with(1, 5, "again"), "a second run gave other bits");
        assert!(one[0] != with(1, 6, "other")[0], "another seed gave the same weights");
    }
}

#[test]
fn what_cannot_start_leaves_nothing_behind() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("run");
    let data = series();
    let mut config = small();
    config.task.loss = Some(Loss::Mse);
    let mut unit = ();
    let refused = Run::start(&config, "made here", &data, &out, &mut unit);
    assert!(matches!(refused.err(), Some(Error::LossMismatch { .. })));
    assert!(!out.exists());

    fs::create_dir(&out).expect("writable");
    fs::write(out.join("precious"), "x").expect("writable");
    let refused = Run::start(&small(), "made here", &data, &out, &mut unit);
    assert!(matches!(refused.err(), Some(Error::RunDir(RunDirError::Exists { .. }))));
    assert_eq!(fs::read_dir(&out).expect("readable").count(), 1);
}

#[test]
fn a_later_stage_refuses_other_data_and_missing_stages() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("run");
    let data = series();
    let mut unit = ();
    Run::start(&small(), "made here", &data, &out, &mut unit).expect("it starts").search().expect("it finishes");
    let dir = RunDir::open(&out).expect("a run directory");
    assert!(matches!(read_tuning(&dir), Err(Error::MissingStage { needs: "tune", .. })));
    let mut other = series();
    other.train.x.data[0] += 1.0;
    assert!(matches!(Run::open(dir, &small(), &other, &mut unit).err(), Some(Error::OtherData { .. })));
}

#[test]
fn cancelling_stops_at_the_next_step() {
    struct StopAt(u64, u64);
    impl Observer for StopAt {
        fn event(&mut self, event: &Event) {
            if matches!(event, Event::Step { .. }) {
                self.1 += 1;
            }
        }
        fn cancelled(&self) -> bool {
            self.1 >= self.0
        }
    }
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = series();
    for strategy in SearchStrategy::ALL {
        let mut config = small();
        config.search.strategy = strategy;
        config.tune.workers = Some(2);
        let mut observer = StopAt(3, 0);
        let out = temp.path().join(strategy.name());
        let run = Run::start(&config, "made here", &data, &out, &mut observer).expect("it starts");
        assert!(matches!(run.all(), Err(Error::Interrupted)));
        // The other of two trials that run side by side may just have taken a step.
        let allowed = if strategy == SearchStrategy::Race { 3..=4 } else { 3..=3 };
        assert!(allowed.contains(&observer.1), "{}: {}", strategy.name(), observer.1);
    }
}

/// Every pulse twice, the second time with the other label.
fn contradictory() -> Dataset {
    let Split { x, y } = pulses(48, 1);
    let labels = y.classes().expect("classes");
    let data = [&x.data[..], &x.data].concat();
    let train = Split {
        x: Array::new(vec![96, 1, 32], data),
        y: Targets::Classes(labels.iter().copied().chain(labels.iter().map(|&label| 1 - label)).collect()),
    };
    let task = TaskKind::Classification { classes: 2 };
    Dataset::new("pulses", task, train, None, pulses(24, 2)).expect("the data is sound")
}

#[test]
fn weights_of_samples_decide_what_is_learnt_and_equal_ones_change_no_bit() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let metrics = |config: &Config, data: &Dataset, name: &str| {
        run(config, data, &temp.path().join(name));
        let mut metrics: serde_json::Value =
            RunDir::open(&temp.path().join(name)).and_then(|dir| dir.read_json(names::METRICS)).expect("metrics");
        // Whether there were weights is said, even if they are equal.
        for key in ["seconds", "run_dir", "weighted"] {
            metrics.as_object_mut().expect("an object").remove(key);
        }
        metrics
    };
    let plain = metrics(&small(), &series(), "plain");
    let mut equal = series();
    equal.facts.train.weights = Some(vec![2.5; 48]);
    equal.facts.test.weights = Some(vec![0.5; 24]);
    assert_eq!(metrics(&small(), &equal, "equal"), plain);
    let file = |name: &str| fs::read(temp.path().join(name).join(names::MODEL)).expect("a model");
    assert!(file("equal") == file("plain"), "the models differ");

    let mut config = small();
    config.tune.enabled = false;
    config.baseline.enabled = false;
    (config.retrain.epochs, config.retrain.max_steps) = (30, 0);
    let mut errors = Vec::new();
    for right in [1.0, 0.01] {
        let mut data = contradictory();
        data.facts.train.weights = Some([vec![right; 48], vec![1.01 - right; 48]].concat());
        let found = metrics(&config, &data, &format!("right-{right}"));
        errors.push(found["test"].as_f64().expect("a metric"));
    }
    assert!(errors[0] < 0.3 && errors[1] > 0.7, "{errors:?}");
    // Nearly all weight on one test sample: it is right or wrong.
    let mut one = series();
    one.facts.test.weights = Some((0..24).map(|i| if i == 5 { 1e6 } else { 1e-3 }).collect());
    let found = metrics(&small(), &one, "one")["test"].as_f64().expect("a metric");
    assert!((found - found.round()).abs() < 1e-6, "{found}");
}

#[test]
fn the_samples_of_each_split_are_written_down() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("run");
    run(&small(), &series(), &out);
    let split: serde_json::Value =
        RunDir::open(&out).and_then(|dir| dir.read_json(names::SPLIT)).expect("a record of the splits");
    let indices = |name: &str| split[name][0]["indices"].as_array().expect("indices").len();
    assert_eq!((indices("train"), indices("test")), (48, 24));
    assert!((1..48).contains(&indices("validation")), "{split}");
    assert_eq!(split["test_is"], "given with the data");
}

#[test]
fn a_network_that_does_not_carry_over_is_said() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut config = small();
    (config.tune.enabled, config.baseline.enabled) = (false, false);
    (config.retrain.epochs, config.retrain.max_steps) = (60, 0);
    let notes = |data: &Dataset, name: &str| -> (f64, Vec<String>) {
        let out = temp.path().join(name);
        run(&config, data, &out);
        let found: serde_json::Value =
            RunDir::open(&out).and_then(|dir| dir.read_json(names::METRICS)).expect("metrics");
        let notes = found["notes"].as_array().into_iter().flatten();
        let notes = notes.map(|note| note.as_str().expect("a text").to_owned()).collect();
        (found["test"].as_f64().expect("a metric"), notes)
    };
    let (error, said) = notes(&series(), "alike");
    assert!(error < 0.2 && said.is_empty(), "{error} {said:?}");
    // What is one class in training is the other one in the test split.
    let mut other = series();
    if let Targets::Classes(labels) = &mut other.test.y {
        labels.iter_mut().for_each(|label| *label = 1 - *label);
    }
    let (error, said) = notes(&other, "other");
    assert!(error > 0.8, "{error}");
    let [said] = &said[..] else { panic!("{said:?}") };
    assert!(said.starts_with("the network fits the training samples (error rate ") && said.contains(" on 48 of them)"));
    assert!(said.contains("does not carry over to the test samples (") && said.contains("`data.group`"), "{said}");
}
