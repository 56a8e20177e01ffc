//! Runs whose kernels are given instead of searched, and runs on the first training samples only.

use dashnas::config::Config;
use dashnas::config::error::ConfigError;
use dashnas::error::Error;
use dashnas::record::event::Event;
use dashnas::record::outcome::Outcome;
use dashnas::run::kernels::KernelSource;
use dashnas::run::pipeline::Run;
use dashnas::run::preview::Preview;
use dashnas::run::results::read_architecture;
use dashnas::run::source;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::names::Preset;
use dashnas_core::stage::Stage;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use std::path::Path;

/// The searched layers of the 1-D backbone.
const LAYERS: usize = 9;

fn series() -> Dataset {
    let split = |n: usize| {
        let x = (0..n * 16).map(|i| (i * 7919 % 97) as f32 / 97.0 - 0.5).collect();
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()) }
    };
    Dataset::new("series", TaskKind::Classification { classes: 2 }, split(24), None, split(8)).expect("sound")
}

fn small() -> Config {
    let mut c = Config::preset(Preset::Quick);
    c.backbone.channels = Some(4);
    (c.search.epochs, c.search.min_steps, c.search.max_steps) = (1, 0, 2);
    (c.tune.epochs, c.tune.min_steps, c.tune.max_steps) = (1, 0, 1);
    c.tune.learning_rates = vec![0.1];
    (c.retrain.epochs, c.retrain.min_steps, c.retrain.max_steps) = (1, 0, 2);
    c.baseline.enabled = false;
    c
}

fn given(kernels: Vec<[usize; 2]>) -> Config {
    let mut config = small();
    config.search.kernels = Some(kernels);
    config
}

/// Kernels of which some are neither in K nor in D.
fn mixed() -> Vec<[usize; 2]> {
    (0..LAYERS).map(|layer| [[5, 1], [1, 2], [7, 3]][layer % 3]).collect()
}

fn run(config: &Config, out: &Path) -> (Outcome, Vec<Event>) {
    let (data, mut events) = (series(), Vec::new());
    let outcome = Run::start(config, "made here", &data, out, &mut events).expect("it starts").all();
    (outcome.expect("it finishes"), events)
}

#[test]
fn a_run_with_given_kernels_takes_no_search_steps() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("run");
    let (outcome, events) = run(&given(mixed()), &out);
    assert_eq!(outcome.architecture, mixed());
    assert!(outcome.kernels_given && outcome.test.is_some() && outcome.notes.is_empty(), "{outcome:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::Step { stage: Stage::Search, .. })));
    let note = |event: &Event| matches!(event, Event::Note { message } if message.contains("kernels are given"));
    assert_eq!(events.iter().filter(|event| note(event)).count(), 1);
    let dir = RunDir::open(&out).expect("a run directory");
    let architecture = read_architecture(&dir).expect("readable");
    assert_eq!((architecture.kernels, architecture.probabilities), (mixed(), vec![1.0; LAYERS]));
    assert_eq!(dir.read(names::ALPHA).expect("it is there"), b"");
    // The configuration in the directory says so, too, so that the run can be resumed.
    let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[]).expect("valid");
    assert_eq!(config.search.kernels, Some(mixed()));

    // A searched run does not have any of this.
    let (outcome, events) = run(&small(), &temp.path().join("searched"));
    assert!(!outcome.kernels_given && !events.iter().any(note));
    assert!(!serde_json::to_string(&outcome).expect("it is JSON").contains("kernels_given"));
}

#[test]
fn a_time_limit_plans_no_search_for_given_kernels() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut config = given(mixed());
    config.budget.time_limit = 20.0;
    let (outcome, events) = run(&config, &temp.path().join("run"));
    assert_eq!(outcome.architecture, mixed());
    assert!(!outcome.notes.iter().any(|note| note.contains("search")), "{:?}", outcome.notes);
    let plans = events.iter().filter_map(|event| match event {
        Event::Planned { plan } => Some(plan.search),
        _ => None,
    });
    assert!(plans.clone().count() > 0 && plans.flatten().count() == 0);
}

#[test]
fn given_kernels_that_do_not_fit_are_refused_before_anything_is_done() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (data, out) = (series(), temp.path().join("run"));
    let refused = |config: &Config| match Run::start(config, "made here", &data, &out, &mut ()) {
        Ok(_) => panic!("it was started"),
        Err(error) => {
            assert!(!out.exists());
            error
        }
    };
    let error = refused(&given(vec![[3, 1]; 4]));
    assert!(matches!(error, Error::Config(ConfigError::Mismatch { key: "search.kernels", .. })), "{error}");
    let text = error.to_string();
    assert!(text.contains("4 kernels") && text.contains("9 searched layers"), "{text}");

    let mut bounded = given(mixed());
    bounded.budget.max_params = 100;
    let error = refused(&bounded);
    let Error::GivenBound { key: "budget.max-params", least, .. } = &error else { panic!("{error}") };
    assert!(error.hint().is_some_and(|hint| hint.contains(least)));
    bounded.budget.max_params = least.trim_end_matches(" parameters").parse().expect("a number");
    let (outcome, _) = run(&bounded, &temp.path().join("least"));
    assert_eq!(outcome.params, bounded.budget.max_params);
    bounded.budget = small().budget;
    bounded.budget.max_latency = 1e-9;
    assert!(matches!(refused(&bounded), Error::GivenBound { key: "budget.max-latency", .. }));
}

#[test]
fn random_kernels_depend_on_their_own_seed_alone() {
    let data = series();
    let resolve = |seed: u64, config: &Config| KernelSource::Random(seed).resolve(config, &data).expect("it resolves");
    let first = resolve(1, &small());
    let mut other = small();
    other.seed = 5;
    assert_eq!(resolve(1, &other), first);
    assert_ne!(resolve(2, &small()), first);
    assert_eq!(first.len(), LAYERS);
    let (sizes, dilations) = (small().kernel_sizes(1), small().dilations());
    assert!(first.iter().all(|[k, d]| sizes.contains(k) && dilations.contains(d)), "{first:?}");
    // Changing the stream would change the results of everyone who has named a seed.
    assert_eq!(first[..3], [[3, 7], [7, 15], [15, 7]]);
}

#[test]
fn kernels_are_taken_from_runs_and_files() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (data, out) = (series(), temp.path().join("run"));
    run(&given(mixed()), &out);
    let resolve = |path: &Path| KernelSource::Path(path.into()).resolve(&small(), &data);
    for path in [out.clone(), out.join(names::ARCHITECTURE), out.join(names::METRICS)] {
        assert_eq!(resolve(&path).expect("it resolves"), mixed(), "{}", path.display());
    }
    let file = temp.path().join("own.json");
    let written = |text: &str| {
        std::fs::write(&file, text).expect("writable");
        resolve(&file).expect_err("it is refused")
    };
    let few = written("{\"kernels\": [[3, 1]]}").to_string();
    assert!(few.contains("1 kernel from") && few.contains("own.json") && few.contains("9 searched layers"), "{few}");
    let even = written(&format!("{{\"kernels\": {:?}}}", vec![[4, 1]; LAYERS])).to_string();
    assert!(even.contains("own.json") && even.contains("odd"), "{even}");
    for text in ["{}", "[]", "no JSON", "{\"kernels\": [[3]]}", "{\"kernels\": [[3, 1]], \"architecture\": [[5, 1]]}"] {
        let error = written(text);
        assert!(matches!(error, Error::KernelFile { .. }), "{error}");
        assert!(KernelSource::Path(file.clone()).check().is_err());
    }
    std::fs::write(&file, serde_json::to_string(&mixed()).expect("numbers")).expect("writable");
    assert_eq!(resolve(&file).expect("a list alone"), mixed());
    assert!(matches!(KernelSource::Path(temp.path().join("none")).check(), Err(Error::File(_))));
    assert!(matches!(KernelSource::Path(temp.path().into()).check(), Err(Error::RunDir(_))));
}

#[test]
fn the_preview_says_that_the_kernels_are_given() {
    let preview = Preview::new(&given(mixed()), &series()).expect("it would run");
    assert_eq!((preview.search.steps, preview.given.clone()), (0, Some(mixed())));
    let text = preview.to_string();
    assert!(text.contains("9 layers with given kernels") && text.contains("given: (5, 1) (1, 2)"), "{text}");
}

#[test]
fn only_the_first_training_samples_are_used() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let file = temp.path().join("series.npz");
    npz::save(&series(), &file).expect("writable");
    let name = file.display().to_string();
    let mut config = small();
    config.task.train_samples = 10;
    let data = source::load(&name, &config, &mut ()).expect("readable");
    assert_eq!((data.train.len(), data.test.len()), (10, 8));
    assert_eq!(data.train, series().train.select(&(0..10).collect::<Vec<_>>()));
    assert!(data.summary().to_string().contains("only the first 10 of 24 training samples are used"));
    let out = temp.path().join("run");
    let outcome = Run::start(&config, &name, &data, &out, &mut ()).expect("it starts").all().expect("it finishes");
    assert_eq!(outcome.samples, [10, 8]);
    // The configuration in the directory leads to the same data, and another number to other data.
    let dir = RunDir::open(&out).expect("a run directory");
    let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[]).expect("valid");
    let again = source::load(&name, &config, &mut ()).expect("readable");
    Run::open(dir.clone(), &config, &again, &mut ()).expect("the same data");
    let whole = source::load(&name, &small(), &mut ()).expect("readable");
    assert!(matches!(Run::open(dir, &config, &whole, &mut ()), Err(Error::OtherData { .. })));

    // More than there are: all of them, with a warning.
    let mut config = small();
    config.task.train_samples = 100;
    let data = source::load(&name, &config, &mut ()).expect("readable");
    let notes = Preview::new(&config, &data).expect("it would run").notes;
    assert_eq!(data.train.len(), 24);
    assert!(notes.iter().any(|note| note.contains("only 24 training samples")), "{notes:?}");
}
