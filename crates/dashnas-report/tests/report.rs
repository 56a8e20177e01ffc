//! The report and status of runs: finished, unfinished, of every kind of task, and with names that would be markup.

mod common;

use common::check_nesting;
use dashnas::config::Config;
use dashnas::evaluation::Evaluation;
use dashnas::evaluation::details::Details;
use dashnas::record::event::{Event, Observer};
use dashnas::record::outcome::Outcome;
use dashnas::record::race::RaceRecord;
use dashnas::run::pipeline::Run;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::names::{Preset, SearchStrategy};
use dashnas_core::stage::Stage;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_report::page;
use dashnas_report::status::{State, Status, StatusWriter};
use dashnas_report::wording::kernels_in_short;
use std::fs;
use std::path::Path;

/// Names that are markup, an attribute's end, a template, and no ASCII.
const NAMES: [&str; 3] = ["<script>alert(1)</script>", "\" onload=\"x", "{{ 7 * 6 }} größe"];

/// A small run with the search of the paper.
fn small() -> Config {
    let mut c = Config::preset(Preset::Quick);
    c.search.strategy = SearchStrategy::Paper;
    c.space.kernel_sizes = Some(vec![3, 5]);
    c.space.dilations = Some(vec![1, 3]);
    (c.search.epochs, c.search.min_steps, c.search.max_steps) = (2, 0, 2);
    (c.tune.epochs, c.tune.min_steps, c.tune.max_steps) = (1, 0, 1);
    c.tune.learning_rates = vec![0.1];
    (c.retrain.epochs, c.retrain.min_steps, c.retrain.max_steps) = (2, 0, 2);
    c.backbone.channels = Some(4);
    c
}

/// A small run whose search is a race: trials of 10 steps in the first round, and of 30 in the second.
fn small_race() -> Config {
    let mut c = Config { search: Config::preset(Preset::Quick).search, ..small() };
    (c.race.steps, c.race.contestants) = (Some(120), 6);
    (c.retrain.epochs, c.retrain.max_steps) = (20, 40);
    c
}

fn inputs(shape: &[usize], n: usize) -> Array {
    let shape = [&[n], shape].concat();
    let count: usize = shape.iter().product();
    Array::new(shape, (0..count).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect())
}

fn dataset(name: &str, task: TaskKind, input: &[usize], target: impl Fn(&Array) -> Targets) -> Dataset {
    let split = |n| {
        let x = inputs(input, n);
        Split { y: target(&x), x }
    };
    Dataset::new(name, task, split(24), None, split(9)).expect("sound")
}

fn classes() -> Dataset {
    let task = TaskKind::Classification { classes: 3 };
    let set = dataset(NAMES[0], task, &[1, 16], |x| Targets::Classes((0..x.rows() as u32).map(|i| i % 3).collect()));
    set.with_classes(NAMES.map(String::from).to_vec()).expect("a name a class")
}

fn values(shape: &[usize], f: impl Fn(usize) -> f32) -> Targets {
    let n = shape.iter().product();
    Targets::Values(Array::new(shape.to_vec(), (0..n).map(f).collect()))
}

fn finished(data: &Dataset, config: &Config, out: &Path) -> (RunDir, String) {
    let mut events: Vec<Event> = Vec::new();
    let mut status = StatusWriter::default();
    let mut observers = (&mut events, &mut status);
    Run::start(config, "made here", data, out, &mut observers).expect("it starts").all().expect("it finishes");
    let warnings: Vec<_> = events.iter().filter(|e| matches!(e, Event::Warning { .. })).collect();
    assert!(warnings.is_empty(), "{warnings:?}");
    let dir = RunDir::open(out).expect("a run directory");
    page::write_into(&dir).expect("a report of the finished run");
    let html = fs::read_to_string(dir.file(names::REPORT)).expect("written");
    (dir, html)
}

#[test]
fn the_report_of_a_run_has_every_part_and_no_markup_from_the_data() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (dir, html) = finished(&classes(), &small(), &temp.path().join("run"));
    for part in [
        "result",
        "what",
        "architecture",
        "alpha",
        "data",
        "curves",
        "trials",
        "test",
        "plain",
        "times",
        "commands",
        "environment",
    ] {
        assert!(html.contains(&format!("<section id=\"{part}\"")), "no section {part}");
    }
    assert!(!html.contains("<script") && !html.contains("\" onload="), "a class name became markup");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;") && html.contains("{{ 7 * 6 }} größe"));
    assert!(html.contains("read once"));
    // Nine layers: their taps and their weights; and what they reach.
    assert_eq!(html.matches("Kernel of size").count(), 9);
    assert_eq!(html.matches("over the epochs\"").count(), 9 + 1);
    assert!(!html.contains("http://") && !html.contains("https://"), "a page that loads nothing");
    check_nesting(&html);
    assert_eq!(page::report(&dir).expect("it can be made again"), html);
    // What limits changed is said.
    let mut outcome: Outcome = dir.read_json(names::METRICS).expect("readable");
    outcome.notes = vec!["search skipped: <no time>".into()];
    dir.write_json(names::METRICS, &outcome).expect("writable");
    let noted = page::report(&dir).expect("a report");
    assert!(noted.contains("<section id=\"notes\">") && noted.contains("search skipped: &lt;no time&gt;"));
    let (_, figure) = html.split_once("<figcaption>Training metric</figcaption>").expect("a metric over the epochs");
    let (figure, _) = figure.split_once("</figure>").expect("its end");
    assert!(figure.contains("↑ error rate"), "which metric it is");
    for series in ["supernet in the search", "searched network", "plain network"] {
        assert!(figure.contains(&format!("<title>{series}</title>")), "no metric of the {series}");
    }
    assert!(!html.contains("Validation metric"), "the data set has no validation split");

    let seen: Evaluation = dir.read_json(names::EVALUATION).expect("readable");
    let Details::Classes { confusion } = &seen.searched.details else { panic!("classes") };
    assert_eq!(confusion.iter().flatten().sum::<u64>(), 9);
    let right: u64 = (0..3).map(|i| confusion[i][i]).sum();
    assert!((seen.searched.metric - (1.0 - right as f64 / 9.0)).abs() < 1e-12, "the matrix is that of the metric");
    assert!(seen.baseline.is_some());

    let status = Status::read(&dir).expect("readable");
    assert_eq!((status.state, status.test), (State::Finished, Some(seen.searched.metric)));
    assert!(status.stages.iter().all(|s| s.seconds.is_some()) && status.stages.len() == 5);
    assert_eq!((status.alpha.len(), status.alpha_epochs, status.trials.0), (9, 1, 1));
}

#[test]
fn the_report_of_a_race_shows_its_contestants_and_no_probabilities() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (dir, html) = finished(&classes(), &small_race(), &temp.path().join("run"));
    check_nesting(&html);
    assert!(html.contains("<section id=\"race\"") && !html.contains("<section id=\"alpha\""));
    // The configuration explains both strategies.
    let (shown, _) = html.split_once("The whole configuration").expect("the configuration");
    for absent in ["supernet", "Weights of layer", "sampled kernels", "ntropy of the weights"] {
        assert!(!shown.contains(absent), "{absent}");
    }
    let race: RaceRecord = dir.read_json(names::RACE).expect("readable");
    let (_, section) = html.split_once("<section id=\"race\"").expect("a race");
    let (section, _) = section.split_once("</section>").expect("its end");
    assert!(section.contains(&race.conclusion) && section.contains("round 1 (") && section.contains("Validation loss"));
    assert_eq!(section.matches("<tr").count(), 1 + race.contestants.len());
    assert_eq!(section.matches("<tr class=\"best\"").count(), 1, "the chosen one");
    for contestant in &race.contestants {
        assert!(
            section.contains(contestant.origin.title()) && section.contains(&kernels_in_short(&contestant.kernels))
        );
        assert!(section.contains(&contestant.verdict));
    }
    assert!(html.contains("After the race, before the test:"), "the conclusion is beside the result");
    // The configuration leaves the steps of the race to the run.
    let outcome: Outcome = dir.read_json(names::METRICS).expect("readable");
    let steps = outcome.resolved.get("race.steps").and_then(|steps| steps.as_integer());
    assert!(steps.is_some_and(|steps| steps > 0) || small_race().race.steps.is_some(), "{:?}", outcome.resolved);
    assert!(outcome.resolved.is_empty() || html.contains("Values that the run decided"));

    // One trial of tuning, and those of the race apart from it.
    let trials: usize = race.contestants.iter().map(|c| c.trials.len()).sum();
    let status = Status::read(&dir).expect("readable");
    let of_race = status.race.expect("a race");
    assert_eq!((status.trials.0, of_race.finished, of_race.trials), (1, trials, trials));
    assert_eq!(of_race.better_than_plain, race.better_than_plain);
    assert!(status.alpha.is_empty() && of_race.best_loss.is_some_and(f64::is_finite));
    let text = status.to_string();
    assert!(text.contains(&format!("race: {trials} trials finished, best loss ")), "{text}");
    assert!(text.contains(&race.conclusion) && !text.contains("Leading kernels"), "{text}");
    let (_, scores) = html.split_once("<figcaption>Tuning: score of the trials</figcaption>").expect("a trial");
    let (scores, _) = scores.split_once("</figure>").expect("its end");
    assert_eq!(scores.matches("<circle").count(), 2, "one trial of each network, none of the race");

    // The directory of the paper's search beside it is another method.
    let (paper, _) = finished(&classes(), &small(), &temp.path().join("paper"));
    let compared = page::comparison(&[dir, paper], temp.path()).expect("they can be compared");
    assert!(compared.contains("search.strategy paper"), "the strategies are told apart");
}

#[test]
fn a_race_in_progress_is_shown_with_its_trials_so_far() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let out = temp.path().join("run");
    let (mut stop, mut status) = (StopAfter(75), StatusWriter::default());
    let mut observers = (&mut stop, &mut status);
    let stopped = Run::start(&small_race(), "made here", &classes(), &out, &mut observers).expect("it starts").all();
    assert!(stopped.is_err(), "the race has more events");
    let dir = RunDir::open(&out).expect("a run directory");
    let status = Status::read(&dir).expect("readable");
    let race = status.race.expect("some trials are finished");
    assert!(0 < race.finished && race.finished < race.trials, "{race:?}");
    assert_eq!((race.better_than_plain, status.trials.0), (None, 0));
    let text = status.to_string();
    let said = format!("race: {} of {} trials finished, best loss ", race.finished, race.trials);
    assert!(text.contains(&said) && !text.contains("epoch 1 of"), "{text}");
    let html = page::report(&dir).expect("a report of what there is");
    check_nesting(&html);
    assert!(html.contains("Race: validation loss of the trials") && !html.contains("<section id=\"race\""));
}

#[test]
fn every_kind_of_target_has_its_pictures() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut config = small();
    config.baseline.enabled = false;
    config.tune.enabled = false;
    let bit = |i: usize| (i * 7).is_multiple_of(3) as u8 as f32;
    let sets = [
        dataset("labels", TaskKind::MultiLabel { labels: 2 }, &[1, 16], |x| values(&[x.rows(), 2], bit)),
        dataset("numbers", TaskKind::Regression { outputs: 1 }, &[2, 16], |x| values(&[x.rows(), 1], |i| i as f32)),
        dataset("series", TaskKind::DenseRegression { channels: 1 }, &[1, 16], |x| {
            values(&[x.rows(), 1, 16], |i| 1.0 + (i % 5) as f32)
        }),
        dataset("masks", TaskKind::DenseBinary { channels: 1 }, &[1, 6, 8], |x| values(&[x.rows(), 1, 6, 8], bit)),
    ];
    let parts: [&[&str]; 4] = [
        &["average precision", "The samples with the largest errors"],
        &["RMSE", "Predicted against true values"],
        &["True and predicted", "Difference", "the best"],
        &["alt=\"True field\"", "alt=\"Predicted field\"", "alt=\"Difference\"", "data:image/png;base64,"],
    ];
    let mut runs = Vec::new();
    for (set, parts) in sets.iter().zip(parts) {
        let (dir, html) = finished(set, &config, &temp.path().join(&set.name));
        for part in parts {
            assert!(html.contains(part), "{}: no {part}", set.name);
        }
        check_nesting(&html);
        assert!(!html.contains("id=\"plain\"") && !html.contains("id=\"trials\""), "no such stage was run");
        runs.push(dir);
    }
    let html = page::comparison(&runs, temp.path()).expect("they can be compared");
    check_nesting(&html);
    assert!(html.contains("4 runs compared") && html.contains("Error against time"));
    assert!(html.contains("<a href=\"labels&#x2f;report.html\">"), "it links to the reports");
}

#[test]
fn what_is_not_known_of_the_targets_is_left_blank() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut config = small();
    config.tune.enabled = false;
    // A corner of each field is not known, and nothing of the first.
    let gaps = |shape: Vec<usize>, value: fn(usize) -> f32| {
        let row: usize = shape[1..].iter().product();
        values(&shape, move |i| if i < row || i % row < row / 3 { f32::NAN } else { value(i) })
    };
    let set = |name: &str, task, input: &[usize], value: fn(usize) -> f32| {
        let split = |n| {
            let x = inputs(input, n);
            Split { y: gaps([&[n, 1], &input[1..]].concat(), value), x }
        };
        Dataset::with_unknown(name, task, split(24), None, split(9)).expect("sound")
    };
    let sets = [
        set("masks", TaskKind::DenseBinary { channels: 1 }, &[1, 6, 9], |i| f32::from(i % 3 == 0)),
        set("fields", TaskKind::DenseRegression { channels: 1 }, &[1, 6, 9], |i| 1.0 + (i % 5) as f32),
        set("series", TaskKind::DenseRegression { channels: 1 }, &[1, 18], |i| 1.0 + (i % 5) as f32),
    ];
    for data in &sets {
        let (dir, html) = finished(data, &config, &temp.path().join(&data.name));
        check_nesting(&html);
        let (_, body) = html.split_once("</style>").expect("a style");
        // Pictures are letters too.
        let text: Vec<&str> = body.split("base64,").map(|part| part.split_once("\">").map_or(part, |p| p.1)).collect();
        assert!(!text.concat().contains("NaN") && body.contains("id=\"test\""), "{}", data.name);
        let seen: Evaluation = dir.read_json(names::EVALUATION).expect("what was written can be read");
        assert!(seen.searched.examples.iter().all(|e| e.row != 0 && e.error.is_finite()), "sample 0 has no error");
        match &seen.searched.details {
            Details::Labels { labels } => {
                let truth = data.test.y.values().expect("values");
                assert_eq!(labels[0].positives, truth.data.iter().filter(|&&t| t == 1.0).count() as u64);
            }
            Details::Values { outputs, pairs } => {
                assert!(outputs[0].mae.is_some_and(f64::is_finite) && pairs.iter().flatten().all(|v| v.is_finite()));
            }
            Details::Classes { .. } => panic!("there are no classes"),
        }
        assert_eq!(page::report(&dir).expect("it can be made again"), html);
    }
}

/// Stops a run at its n-th event.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn event(&mut self, _: &Event) {
        self.0 = self.0.saturating_sub(1);
    }

    fn cancelled(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn unfinished_runs_have_a_report_and_a_status_too() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = classes();
    let mut dirs = Vec::new();
    for events in [1, 4, 8, 16, 24] {
        let out = temp.path().join(events.to_string());
        let (mut stop, mut status) = (StopAfter(events), StatusWriter::default());
        let mut observers = (&mut stop, &mut status);
        let stopped = Run::start(&small(), "made here", &data, &out, &mut observers).expect("it starts").all();
        assert!(stopped.is_err(), "{events} events are fewer than a run has");
        let dir = RunDir::open(&out).expect("a run directory");
        // A line that another process is in the middle of writing.
        let log = dir.file(names::EVENTS);
        let text = fs::read_to_string(&log).unwrap_or_default();
        fs::write(&log, text + "{\"event\":\"epo").expect("writable");
        let html = page::report(&dir).expect("a report of what there is");
        check_nesting(&html);
        assert!(html.contains("Not finished") && !html.contains("id=\"result\""));
        let status = Status::read(&dir).expect("readable");
        assert_ne!(status.state, State::Finished);
        assert_eq!(status.stages.iter().find(|s| s.stage == Stage::Evaluate).and_then(|s| s.seconds), None);
        assert!(status.to_string().contains("search"), "{status}");
        dirs.push(dir);
    }
    assert!(page::comparison(&dirs, temp.path()).expect("a table at least").contains("not finished"));
    fs::write(dirs[0].file(names::EVENTS), "{}\n").expect("writable");
    let error = page::report(&dirs[0]).expect_err("not an event").to_string();
    assert!(error.contains("events.jsonl") && error.contains("line 1"), "{error}");
}
