//! Limits that a run keeps, on small data made here.

use aggconv::Formulation;
use dashnas::budget::memory::MemoryError;
use dashnas::checkpoint::Checkpoint;
use dashnas::checkpoint::cadence::Cadence;
use dashnas::config::Config;
use dashnas::error::Error;
use dashnas::record::event::{Event, Observer};
use dashnas::record::outcome::Outcome;
use dashnas::run::pipeline::Run;
use dashnas::run::preview::Preview;
use dashnas::run::results;
use dashnas::run::results::read_tuning;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::names::{Preset, SearchStrategy, Tuner};
use dashnas_core::stage::Stage;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::model;
use rand::RngExt;
use std::path::Path;

/// Noise with a class that is the sign of its mean.
fn noise(n: usize, seed: u64) -> Split {
    let mut rng = dashnas_core::rng::Seed(seed).stream("noise", &[]);
    let x: Vec<f32> = (0..n * 16).map(|_| rng.random::<f32>() - 0.5).collect();
    let y = x.chunks(16).map(|row| u32::from(row.iter().sum::<f32>() > 0.0)).collect();
    Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
}

fn data() -> Dataset {
    let task = TaskKind::Classification { classes: 2 };
    Dataset::new("noise", task, noise(40, 1), None, noise(20, 2)).expect("the data is sound")
}

fn config() -> Config {
    let mut c = Config::preset(Preset::Quick);
    c.space.kernel_sizes = Some(vec![3, 7, 11]);
    c.space.dilations = Some(vec![1, 3]);
    (c.search.epochs, c.search.min_steps, c.search.max_steps) = (1, 0, 3);
    (c.tune.epochs, c.tune.min_steps, c.tune.max_steps) = (1, 0, 1);
    (c.retrain.epochs, c.retrain.min_steps, c.retrain.max_steps) = (1, 0, 2);
    c.baseline.enabled = false;
    c
}

/// Parameters of the network that a configuration leads to.
fn parameters(config: &Config, out: &Path) -> Result<u64, Error> {
    let (data, mut events) = (data(), Vec::new());
    let mut run = Run::start(config, "made here", &data, out, &mut events)?;
    let architecture = run.search()?;
    let best =
        dashnas_core::hyperparameters::Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.0 };
    Ok(model::count_parameters(&run.train(&architecture, best)?))
}

#[test]
fn the_network_has_no_more_parameters_than_allowed() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = |name: &str| temp.path().join(name);
    let free = parameters(&config(), &out("free")).expect("it trains");
    let mut bounded = config();
    bounded.budget.max_params = free;
    assert_eq!(parameters(&bounded, &out("same")).expect("it trains"), free);
    bounded.budget.max_params = free - 1;
    let fewer = parameters(&bounded, &out("fewer")).expect("it trains");
    assert!(fewer < free, "{fewer} of {free}");

    bounded.budget.max_params = 100;
    let error = parameters(&bounded, &out("none")).expect_err("a hundred parameters are not enough");
    let Error::Bound { key: "budget.max-params", least, .. } = &error else { panic!("{error}") };
    assert!(error.hint().is_some_and(|hint| hint.contains(least)));
    assert!(!out("none").exists(), "it is refused before anything is done");
    bounded.budget.max_params = least.trim_end_matches(" parameters").parse().expect("a number");
    assert_eq!(parameters(&bounded, &out("least")).expect("it trains"), bounded.budget.max_params);
}

#[test]
fn the_network_is_as_fast_as_demanded_or_the_fastest_is_named() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut bounded = config();
    bounded.budget.max_latency = 1e4;
    parameters(&bounded, &temp.path().join("slow")).expect("ten seconds are enough");
    bounded.budget.max_latency = 1e-6;
    let error = parameters(&bounded, &temp.path().join("fast")).expect_err("a nanosecond is not");
    assert!(matches!(&error, Error::Bound { key: "budget.max-latency", .. }), "{error}");
    assert!(!temp.path().join("fast").exists(), "it is refused before anything is done");
}

#[test]
fn a_bound_may_be_changed_while_the_search_is_under_way_and_nothing_else() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let with = |strategy| {
        let mut config = config();
        config.search.strategy = strategy;
        config
    };
    let paper = with(SearchStrategy::Paper);
    let free = parameters(&paper, &temp.path().join("free")).expect("it trains");
    let (out, data) = (temp.path().join("run"), data());
    let mut bounded = paper;
    bounded.budget.max_params = free;
    let mut stop = StopAfter(1);
    let stopped = Run::start(&bounded, "made here", &data, &out, &mut stop).and_then(|mut run| run.search());
    assert!(matches!(stopped, Err(Error::Interrupted)));
    let go_on = |config: &Config| {
        let mut unit = ();
        let dir = RunDir::open(&out).expect("a run directory");
        Run::open(dir, config, &data, &mut unit).and_then(|mut run| run.search())
    };
    let mut other = bounded.clone();
    other.search.momentum = 0.5;
    assert!(matches!(go_on(&other), Err(Error::ConfigChanged { .. })));
    bounded.budget.max_params = 100;
    assert!(matches!(go_on(&bounded), Err(Error::Bound { key: "budget.max-params", .. })));
    bounded.budget.max_params = free - 1;
    let smaller = go_on(&bounded).expect("it goes on");
    let whole = parameters(&bounded, &temp.path().join("whole")).expect("it trains");
    assert!(whole < free);
    let architecture =
        RunDir::open(&temp.path().join("whole")).map_err(Error::from).and_then(|dir| results::read_architecture(&dir));
    assert_eq!(smaller, architecture.expect("readable"), "as if it had been the bound from the start");

    // The networks of a race are within the bound from its beginning.
    let (out, mut racing) = (temp.path().join("race"), with(SearchStrategy::Race));
    racing.budget.max_params = free;
    let mut stop = StopAfter(1);
    let stopped = Run::start(&racing, "made here", &data, &out, &mut stop).and_then(|mut run| run.search());
    assert!(matches!(stopped, Err(Error::Interrupted)));
    racing.budget.max_params = free - 1;
    let (mut unit, dir) = ((), RunDir::open(&out).expect("a run directory"));
    let changed = Run::open(dir, &racing, &data, &mut unit).and_then(|mut run| run.search());
    assert!(matches!(changed, Err(Error::ConfigChanged { .. })));
}

#[test]
fn a_network_that_is_not_searched_is_within_the_bounds_too() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut limited = config();
    // A supernet of many dilations is too slow for a limit in which a network can be trained.
    limited.search.strategy = SearchStrategy::Paper;
    limited.space.dilations = Some((0..96).map(|i| 2 * i + 1).collect());
    (limited.search.epochs, limited.search.max_steps) = (1000, 1000);
    limited.budget.time_limit = 1.0;
    let own = loop {
        match parameters(&limited, &temp.path().join("own")) {
            Err(Error::TimeLimit(short)) => limited.budget.time_limit = short.least,
            own => break own.expect("it trains"),
        }
    };
    limited.budget.max_params = own - 1;
    let (data, mut events) = (data(), Vec::new());
    let mut run =
        Run::start(&limited, "made here", &data, &temp.path().join("bounded"), &mut events).expect("it starts");
    let architecture = run.search().expect("it is planned");
    let best =
        dashnas_core::hyperparameters::Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.0 };
    let fewer = model::count_parameters(&run.train(&architecture, best).expect("it trains"));
    assert!(fewer < own, "{fewer} of {own}");
    drop(run);
    let told = |e: &Event| matches!(e, Event::Warning { message } if message.contains("nearest allowed sizes"));
    assert_eq!(events.iter().filter(|e| told(e)).count(), 1);
    // Seven, five and three in each block: as few as can be are smaller than that.
    let smaller = architecture.kernels.iter().enumerate().filter(|(i, k)| k[0] < [7, 5, 3][i % 3]).count();
    assert_eq!(smaller, 1, "{:?}", architecture.kernels);
}

/// A whole run, with its events.
fn whole(config: &Config, out: &Path) -> Result<(Outcome, Vec<Event>), Error> {
    let (data, mut events) = (data(), Vec::new());
    let outcome = Run::start(config, "made here", &data, out, &mut events)?.all()?;
    Ok((outcome, events))
}

fn asha() -> Config {
    let mut c = config();
    c.tune.tuner = Some(Tuner::Asha);
    (c.tune.epochs, c.tune.max_steps) = (9, 9);
    (c.asha.samples, c.asha.reduction, c.asha.min_steps) = (6, 3, 1);
    c
}

#[test]
fn a_tournament_tunes_the_same_twice_and_keeps_its_finalist() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let [a, b] = ["a", "b"].map(|name| temp.path().join(name));
    let (first, events) = whole(&asha(), &a).expect("it runs");
    let (second, _) = whole(&asha(), &b).expect("it runs");
    assert_eq!(first.hyperparameters, second.hyperparameters);
    let [a, b] = [a, b].map(|out| RunDir::open(&out).expect("a run directory"));
    assert_eq!(a.read(names::TUNING).expect("there"), b.read(names::TUNING).expect("there"));
    assert_eq!(a.read(names::MODEL).expect("there"), b.read(names::MODEL).expect("there"));
    let tuning = read_tuning(&a).expect("readable");
    let rungs: Vec<_> = tuning.trials.iter().map(|t| t.rung.expect("a tournament")).collect();
    assert_eq!(rungs.iter().filter(|r| r.rung == 0).count(), 6);
    assert!(rungs.iter().any(|r| r.rung == 1 && r.steps == 3));
    let top = rungs.iter().map(|r| r.rung).max();
    assert!(tuning.trials.iter().any(|t| t.hyperparameters == tuning.best && t.rung.map(|r| r.rung) == top));
    // Each trial took the steps of its rung.
    let steps =
        events.iter().filter(|e| matches!(e, Event::Step { stage: Stage::Tune, trial: Some(_), .. })).count() as u64;
    assert_eq!(steps, rungs.iter().map(|r| r.steps).sum::<u64>());
}

/// Stops a run after so many steps.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { .. }) {
            self.0 = self.0.saturating_sub(1);
        }
    }

    fn cancelled(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn a_tournament_that_is_interrupted_goes_on_to_the_same_bits() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (undisturbed, data) = (temp.path().join("undisturbed"), data());
    whole(&asha(), &undisturbed).expect("it runs");
    let expected = RunDir::open(&undisturbed).and_then(|dir| dir.read(names::MODEL)).expect("there");
    let out = temp.path().join("stopped");
    let mut stop = StopAfter(4);
    let mut result = Run::start(&asha(), "made here", &data, &out, &mut stop).and_then(Run::all);
    let mut interrupted = 0;
    while matches!(result, Err(Error::Interrupted)) {
        interrupted += 1;
        let dir = RunDir::open(&out).expect("a run directory");
        let mut stop = StopAfter(3);
        result = Run::open(dir, &asha(), &data, &mut stop).and_then(Run::all);
    }
    result.expect("it ends");
    assert!(interrupted >= 5, "{interrupted}");
    let dir = RunDir::open(&out).expect("a run directory");
    let found = dir.read(names::MODEL).expect("there");
    let header = |bytes: &[u8]| String::from_utf8_lossy(&bytes[8..bytes.len().min(6000)]).into_owned();
    assert!(found == expected, "{}\n{}", header(&found), header(&expected));
}

#[test]
fn neither_trials_side_by_side_nor_threads_change_what_tuning_comes_to() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = data();
    let mut grid = config();
    grid.tune.max_steps = 4;
    grid.tune.learning_rates = vec![0.1, 0.01, 0.001];
    grid.tune.dropouts = vec![0.0, 0.1];
    grid.tune.weight_decays = vec![0.0];
    for (tuner, config) in [("asha", asha()), ("grid", grid)] {
        let with = |workers: usize, threads: usize| {
            let out = temp.path().join(format!("{tuner}-{workers}-{threads}"));
            let mut config = config.clone();
            config.tune.workers = Some(workers);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            pool.install(|| Run::start(&config, "made here", &data, &out, &mut ()).and_then(Run::all))
                .expect("it runs");
            let dir = RunDir::open(&out).expect("a run directory");
            [names::TUNING, names::MODEL].map(|name| dir.read(name).expect("there"))
        };
        let alone = with(1, 1);
        for (workers, threads) in [(1, 2), (2, 1), (3, 2), (8, 3)] {
            assert!(with(workers, threads) == alone, "{tuner}: {workers} side by side on {threads} threads");
        }
    }
}

#[test]
fn trials_side_by_side_that_are_interrupted_go_on_to_the_same_bits() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (undisturbed, data) = (temp.path().join("undisturbed"), data());
    let with = |workers: usize| {
        let mut config = asha();
        config.tune.workers = Some(workers);
        config
    };
    let (_, events) = whole(&with(1), &undisturbed).expect("it runs");
    let undisturbed = RunDir::open(&undisturbed).expect("a run directory");
    let out = temp.path().join("stopped");
    let (mut together, mut sessions) = (0, 0);
    loop {
        // Other numbers of trials side by side, checkpoints in the middle of them and at the end.
        let config = with(1 + sessions % 4);
        let mut stop = StopAfter(3 + sessions % 3);
        let opened = match sessions {
            0 => Run::start(&config, "made here", &data, &out, &mut stop),
            _ => RunDir::open(&out).map_err(Error::from).and_then(|dir| Run::open(dir, &config, &data, &mut stop)),
        };
        let mut run = opened.expect("it goes on");
        if sessions % 2 == 1 {
            run.set_cadence(Cadence::always(std::time::Instant::now()));
        }
        match run.all() {
            Ok(_) => break,
            Err(Error::Interrupted) => sessions += 1,
            Err(e) => panic!("{e}"),
        }
        assert!(sessions < 100, "it does not get on");
        let left = RunDir::open(&out).and_then(|dir| Checkpoint::read(&dir)).expect("sound").expect("there").0;
        together = together.max(left.trainings.len());
    }
    assert!(together >= 2, "no checkpoint had trials side by side");
    let dir = RunDir::open(&out).expect("a run directory");
    for name in [names::TUNING, names::MODEL, names::ALPHA] {
        assert!(dir.read(name).expect("there") == undisturbed.read(name).expect("there"), "{name}");
    }
    // The log tells of each epoch and trial once.
    let told = |log: &[Event]| {
        let mut told: Vec<String> = log
            .iter()
            .filter_map(|event| match event {
                Event::Epoch { stage, trial, epoch, train_loss, .. } => {
                    Some(format!("{stage} {trial:?} {epoch} {train_loss:.12}"))
                }
                Event::TrialFinished { stage, trial, score, loss, .. } => {
                    Some(format!("{stage} {trial} {score:?} {loss:?}"))
                }
                _ => None,
            })
            .collect();
        told.sort_unstable();
        told
    };
    let text = String::from_utf8(dir.read(names::EVENTS).expect("there")).expect("text");
    let log: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert_eq!(told(&log), told(&events));
}

/// Ends the process' work at the first step, as a kill does.
struct Dies;

impl Observer for Dies {
    fn event(&mut self, event: &Event) {
        assert!(!matches!(event, Event::Step { .. }), "the end");
    }
}

#[test]
fn a_plan_is_kept_from_the_moment_it_is_made() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (out, data) = (temp.path().join("run"), data());
    let mut limited = config();
    limited.budget.time_limit = 20.0;
    let start = || Run::start(&limited, "made here", &data, &out, &mut Dies).and_then(Run::all);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(start));
    assert!(died.is_err());
    let dir = RunDir::open(&out).expect("a run directory");
    let plan = dir.read(names::PLAN).expect("planned");
    let (checkpoint, _) = Checkpoint::read(&dir).expect("sound").expect("there");
    assert!(checkpoint.ledger.notes.contains_key("plan") && checkpoint.trainings.is_empty());
    // It is gone on with, and not made anew.
    let mut events = Vec::new();
    Run::open(dir.clone(), &limited, &data, &mut events).and_then(|mut run| run.search()).expect("it goes on");
    assert!(dir.read(names::PLAN).expect("there") == plan);
    assert!(!events.iter().any(|e| matches!(e, Event::Planned { .. })));
}

#[test]
fn a_time_limit_is_planned_for_and_leaves_a_model() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut limited = config();
    limited.baseline.enabled = true;
    limited.budget.time_limit = 0.05;
    let out = temp.path().join("little");
    let Err(Error::TimeLimit(short)) = whole(&limited, &out) else { panic!("reading and writing take longer") };
    assert!(short.least > 0.05 && !out.exists(), "nothing is left behind: {short:?}");
    let error = Error::from(*short);
    assert!(error.to_string().starts_with("a time limit of 0.1 s is too short"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("set `budget.time-limit` to")), "{:?}", error.hint());

    limited.budget.time_limit = 10.0;
    let preview = Preview::new(&limited, &data()).expect("long enough").plan.expect("a plan");
    let stages: Vec<Stage> = preview.stages.iter().map(|planned| planned.stage).collect();
    assert!(stages.contains(&Stage::Retrain) && stages.last() == Some(&Stage::Evaluate), "{preview:?}");
    let total: f64 = preview.stages.iter().map(|planned| planned.seconds).sum();
    assert!(total + preview.spent <= 10.0 + 1e-6, "{preview:?}");

    let out = temp.path().join("some");
    let (outcome, events) = whole(&limited, &out).expect("it runs");
    assert!(outcome.test.is_some_and(f64::is_finite));
    let plans = events.iter().filter(|e| matches!(e, Event::Planned { .. }));
    assert_eq!(plans.count(), 2, "before the search and after it");
    let dir = RunDir::open(&out).expect("a run directory");
    assert!(dir.has(names::PLAN) && dir.has(names::MODEL));
}

#[test]
fn a_memory_limit_is_met_by_parts_of_batches_or_refused_with_the_least() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut limited = config();
    limited.retrain.batch_size = Some(20);
    limited.budget.memory_limit = 1;
    let out = temp.path().join("none");
    let Err(Error::Memory(MemoryError { least, .. })) = whole(&limited, &out) else { panic!("one byte") };
    assert!(!out.exists(), "nothing is left behind");
    // The process has grown since; a little more than the least, but not enough for whole batches.
    limited.backbone.channels = Some(64);
    limited.search.batch_size = Some(40);
    limited.retrain.batch_size = Some(40);
    let Err(Error::Memory(MemoryError { least: more, .. })) = whole(&limited, &temp.path().join("wide")) else {
        panic!("one byte")
    };
    assert!(more > least);
}

#[test]
fn a_memory_limit_changes_the_formulation_of_the_search_first() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut limited = config();
    limited.backbone.channels = Some(64);
    limited.search.formulation = Formulation::MixedResults;
    limited.search.batch_size = Some(40);
    limited.budget.memory_limit = 1;
    // The process grows meanwhile, and other tests with it: a little more than the least, until that is enough.
    for attempt in 0..20 {
        match whole(&limited, &temp.path().join(attempt.to_string())) {
            Err(Error::Memory(MemoryError { least, .. })) => limited.budget.memory_limit = least + (1 << 20),
            other => {
                let (outcome, events) = other.expect("it runs");
                let told = "search formulation changed from mixed-results to auto, which needs less memory and agrees within rounding";
                assert!(outcome.notes.first().is_some_and(|note| note == told), "{:?}", outcome.notes);
                let warned = |e: &Event| matches!(e, Event::Warning { message } if message == told);
                assert_eq!(events.iter().filter(|e| warned(e)).count(), 1);
                return;
            }
        }
    }
    panic!("no limit was enough");
}
