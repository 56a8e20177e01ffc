//! A bench of the search on small data made here: what it leaves behind, that it continues where it was interrupted, and
//! that networks trained side by side give the same results.

use dashnas::bench::search::document::Document;
use dashnas::bench::search::error::SearchBenchError;
use dashnas::bench::search::runner::{BenchObserver, BenchProgress, DOCUMENT, SearchBench};
use dashnas::bench::search::settings::BenchSettings;
use dashnas::{Config, Dataset, Error};
use dashnas_core::names::Preset;
use dashnas_core::task::TaskKind;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

/// Two classes: the sign of a number.
fn signs() -> Dataset {
    let split = |n: usize| {
        let x: Vec<f32> = (0..n * 16).map(|i| ((i * 7919 % 97) as f32 / 97.0) - 0.5).collect();
        let y = x.chunks(16).map(|row| u32::from(row[3] > 0.0)).collect();
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
    };
    let task = TaskKind::Classification { classes: 2 };
    Dataset::new("signs", task, split(40), None, split(11)).expect("the data is sound")
}

/// Settings under which a run takes moments.
fn tiny() -> Config {
    let mut c = Config::preset(Preset::Quick);
    c.space.kernel_sizes = Some(vec![3, 5]);
    c.space.dilations = Some(vec![1, 3]);
    c.backbone.channels = Some(4);
    (c.search.epochs, c.search.min_steps, c.search.max_steps) = (1, 0, 3);
    (c.tune.epochs, c.tune.min_steps, c.tune.max_steps) = (8, 0, 0);
    c.tune.learning_rates = vec![0.1, 0.01];
    (c.retrain.epochs, c.retrain.min_steps, c.retrain.max_steps) = (1, 0, 4);
    c
}

const SIZE: BenchSettings = BenchSettings { random: 3, uniform: 2, seeds: 2 };

/// Counts the entries that are run, and stops after some of them.
#[derive(Default)]
struct Watch {
    run: Mutex<Vec<String>>,
    stop_after: Option<usize>,
}

impl BenchObserver for Watch {
    fn cancelled(&self) -> bool {
        self.stop_after.is_some_and(|most| self.run.lock().expect("no panic").len() >= most)
    }

    fn finished(&self, progress: &BenchProgress<'_>, _: &Document) -> Result<(), Error> {
        self.run.lock().expect("no panic").extend(progress.entry.map(|(name, _)| name.to_owned()));
        Ok(())
    }
}

fn bench(
    config: &Config,
    out: &Path,
    workers: usize,
    stop_after: Option<usize>,
) -> (Result<Document, SearchBenchError>, Vec<String>) {
    let data = signs();
    let bench = SearchBench { config, source: "made here", data: &data, out, settings: SIZE, workers };
    let watch = Watch { stop_after, ..Watch::default() };
    let result = bench.run(&watch);
    (result, watch.run.into_inner().expect("no panic"))
}

/// A document without its times.
fn timeless(document: &Document) -> Document {
    let mut document = document.clone();
    document.seconds = 0.0;
    let Document { random, searched, whole, plain, uniform, paper, paper_searches, .. } = &mut document;
    for network in [random, searched, whole, plain, uniform, paper, paper_searches].into_iter().flatten() {
        (network.seconds, network.trial_seconds) = (0.0, 0.0);
        network.stages.clear();
    }
    document
}

#[test]
fn a_bench_continues_and_does_not_depend_on_the_number_of_workers() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("bench");
    // Interrupted after four networks, and continued.
    let (stopped, first) = bench(&tiny(), &out, 1, Some(4));
    assert!(matches!(stopped, Err(SearchBenchError::Run(Error::Interrupted))), "{stopped:?}");
    assert_eq!(first.len(), 4);
    let part: Document = serde_json::from_slice(&fs::read(out.join(DOCUMENT)).expect("it is there")).expect("JSON");
    assert_eq!((part.finished[0], part.percentile.searched.metric), (4, None));
    let (document, rest) = bench(&tiny(), &out, 1, None);
    let document = document.expect("it finishes");
    assert!(rest.iter().all(|name| !first.contains(name)), "{first:?} and {rest:?}");
    check(&document);
    let written = fs::read_to_string(out.join(DOCUMENT)).expect("it is there");
    assert_eq!(written.trim_end(), serde_json::to_string_pretty(&document).expect("it can be written"));

    // Nothing is left to do; and after an entry is removed, only that one.
    let (again, run) = bench(&tiny(), &out, 1, None);
    assert_eq!((again.expect("it finishes"), run.len()), (document.clone(), 0));
    fs::remove_dir_all(out.join("runs/random-1")).expect("it is there");
    fs::remove_dir_all(out.join("trials/random-1-1-2")).expect("it is there");
    let (again, run) = bench(&tiny(), &out, 1, None);
    assert_eq!((timeless(&again.expect("it finishes")), run), (timeless(&document), vec!["random-1".to_owned()]));

    // Networks that are no longer asked for are named.
    let data = signs();
    let settings = BenchSettings { random: 2, ..SIZE };
    let bench_of = SearchBench { config: &tiny(), source: "made here", data: &data, out: &out, settings, workers: 1 };
    let fewer = bench_of.run(&()).expect("it finishes");
    assert!(document.notes.is_empty() && fewer.notes[0].ends_with(": random-2"), "{:?}", fewer.notes);
    assert_eq!((fewer.finished, fewer.random.len()), ([13, 13], 2));

    // A damaged result is named with the folder to delete.
    let record = out.join("runs/random-1/bench.json");
    let whole = fs::read(&record).expect("it is there");
    fs::write(&record, &whole[..whole.len() / 2]).expect("writable");
    let damaged = bench(&tiny(), &out, 1, None).0.expect_err("it is damaged");
    let hint = damaged.hint().expect("advice");
    let run = out.join("runs/random-1").display().to_string();
    assert!(damaged.to_string().contains("random-1/bench.json is damaged") && hint.contains(&run), "{damaged} {hint}");
    fs::write(&record, &whole).expect("writable");

    // Other settings are refused, and nothing is run.
    let mut other = tiny();
    other.search.epochs = 2;
    let (refused, run) = bench(&other, &out, 1, None);
    assert!(matches!(refused, Err(SearchBenchError::Changed { ref key, .. }) if key == "search.epochs"), "{refused:?}");
    assert!(run.is_empty());

    // Side by side.
    let (both, _) = bench(&tiny(), &temp.path().join("both"), 2, None);
    assert_eq!(timeless(&both.expect("it finishes")), timeless(&document));
}

/// Checks that a finished document has everything.
fn check(document: &Document) {
    let Document { random, searched, whole, plain, uniform, paper, paper_searches, .. } = document;
    let numbers = [random, searched, whole, plain, uniform, paper, paper_searches].map(Vec::len);
    assert_eq!(numbers, [3, 2, 2, 1, 2, 2, 2]);
    assert_eq!(document.finished, [14, 14]);
    for network in [random, searched, whole, plain, uniform, paper].into_iter().flatten() {
        assert!(network.reason.is_none(), "{network:?}");
        for value in [network.test, network.test_loss, network.validation, network.validation_loss] {
            assert!(value.is_some_and(f64::is_finite), "{network:?}");
        }
    }
    // The retrained network has the kernels of the whole run.
    assert!(searched.iter().zip(whole).all(|(a, b)| a.kernels == b.kernels));
    let signals: Vec<&str> = document.kendall.iter().map(|found| found.signal.as_str()).collect();
    for signal in
        ["validation metric", "validation loss", "trial of 1/4 of the length: loss", "alpha", "masked supernet"]
    {
        assert!(signals.contains(&signal), "{signal} in {signals:?}");
    }
    assert!(document.percentile.whole.loss.is_some() && document.percentile_interval.paper.metric.is_some());
    assert!(document.ratio_to_plain.uniform.metric.is_some() && document.ratio_to_random.plain.loss.is_some());
    assert!(document.agreement.paper.is_some() && document.entropy.paper.is_some());
}

#[test]
fn a_folder_in_which_another_process_works_is_refused() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    // A process was killed before the bench had a configuration.
    let lock = fs::File::create(temp.path().join("bench.lock")).expect("writable");
    lock.lock().expect("it is free");
    let (refused, _) = bench(&tiny(), temp.path(), 1, None);
    let locked = |error: &SearchBenchError| {
        matches!(error, SearchBenchError::Run(Error::RunDir(dashnas::run_dir::error::RunDirError::Locked { .. })))
    };
    assert!(refused.as_ref().is_err_and(locked), "{refused:?}");
    drop(lock);
    let (stopped, _) = bench(&tiny(), temp.path(), 1, Some(0));
    assert!(matches!(stopped, Err(SearchBenchError::Run(Error::Interrupted))), "{stopped:?}");
}

#[test]
fn a_folder_with_something_else_is_left_alone() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    fs::write(temp.path().join("precious"), "x").expect("writable");
    let (refused, _) = bench(&tiny(), temp.path(), 1, None);
    assert!(matches!(refused, Err(SearchBenchError::Run(Error::RunDir(_)))), "{refused:?}");
    assert_eq!(fs::read_dir(temp.path()).expect("readable").count(), 1);
    let mut limited = tiny();
    limited.budget.time_limit = 60.0;
    let out = temp.path().join("bench");
    assert!(matches!(bench(&limited, &out, 1, None).0, Err(SearchBenchError::Unsuitable { .. })));
    assert!(!out.exists());
}
