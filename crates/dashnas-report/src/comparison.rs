//! A comparison of several runs.

use crate::chart::{Axis, Series, Style};
use crate::choices::{Choices, choices, differing, words};
use crate::curves::{Figure, color};
use crate::profile::{Method, profiles};
use dashnas::record::data::DataRecord;
use dashnas::record::outcome::Outcome;
use dashnas::run::load::Loaded;
use dashnas::run_dir::names;
use dashnas_core::names::BackboneName;
use dashnas_core::stage::Stage;
use dashnas_core::text::{duration, plural, short, thousands};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Runs as their comparison shows them.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// A row for each run.
    pub rows: Vec<Row>,
    /// Performance profiles and error against time, as far as there is something to compare.
    pub figures: Vec<Figure>,
    /// A sentence on the tasks that the methods are compared on.
    pub common: String,
    /// For each method `(method, tasks, tasks on which it is best, mean ratio of its error to the lowest)`.
    pub methods: Vec<(String, usize, usize, String)>,
}

/// A run in the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The run directory.
    pub run: String,
    /// The address of its report, if there is one.
    pub link: Option<String>,
    /// The data set, with the start of its fingerprint where two data sets have the same name.
    pub data: String,
    /// The backbone, the preset, the settings in which the runs differ, and the seed.
    pub how: String,
    /// The metric's name.
    pub metric: String,
    /// The searched network's error.
    pub test: String,
    /// The plain network's error.
    pub plain: String,
    /// The difference of the errors in percent of the plain network's; negative if the searched network's is higher. Words
    /// where the test set shows none.
    pub gain: String,
    /// Whether the searched network's error is lower.
    pub better: bool,
    /// The numbers of parameters of both networks.
    pub params: [String; 2],
    /// The time of all stages but that of the plain network.
    pub time: String,
}

/// One network of one run.
struct Point {
    method: String,
    task: String,
    error: f64,
    seconds: f64,
}

impl Comparison {
    /// Compares runs. A method is the backbone, searched or plain, under a preset and the values chosen in which the
    /// runs differ; runs that differ only in their seed are averaged. A task is data with its metric.
    /// Methods are compared on the tasks that all of them have. The page links to the reports of the runs as seen from the
    /// folder it is in.
    pub fn new(runs: &[Loaded], folder: &Path) -> Self {
        let all: Vec<Choices> = runs.iter().map(choices).collect();
        let differing = differing(&all);
        let finished = runs.iter().zip(&all).filter_map(|(r, c)| Some((r, r.outcome.as_ref()?, c)));
        let mut points: Vec<Point> = finished
            .flat_map(|(run, outcome, choices)| points(run, outcome, |plain| words(choices, &differing, plain)))
            .collect();
        let mut errors: BTreeMap<&str, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
        for p in &points {
            errors.entry(&p.method).or_default().entry(p.task.clone()).or_default().push(p.error);
        }
        let mean = |(task, all): (String, Vec<f64>)| (task, all.iter().sum::<f64>() / all.len() as f64);
        let several = averaged(&errors);
        let mut methods: Vec<Method> = errors
            .into_iter()
            .map(|(name, errors)| Method { name: name.into(), errors: errors.into_iter().map(mean).collect() })
            .collect();
        let tasks: BTreeSet<String> = methods.iter().flat_map(|m| m.errors.keys().cloned()).collect();
        let shared = |task: &String| methods.iter().all(|m| m.errors.contains_key(task));
        let (shared, others): (BTreeSet<String>, BTreeSet<String>) = tasks.into_iter().partition(shared);
        points.retain(|p| shared.contains(&p.task));
        methods.iter_mut().for_each(|m| m.errors.retain(|task, _| shared.contains(task)));
        let common = common(methods.len(), shared.len(), others.len()) + &several;
        let figures = [profile(&methods), scatter(&methods, &points)].into_iter().flatten();
        let figures = figures.filter(|_| !shared.is_empty()).collect();
        // Data sets of one name are told apart by their fingerprints.
        let ambiguous =
            |data: &DataRecord| runs.iter().any(|r| r.data.name == data.name && r.data.fingerprint != data.fingerprint);
        let rows = runs.iter().zip(&all).map(|(run, choices)| {
            let chosen = words(choices, &differing, false);
            Row::new(run, &chosen, ambiguous(&run.data), folder)
        });
        let methods = if shared.is_empty() { Vec::new() } else { standings(&methods) };
        Self { rows: rows.collect(), figures, common, methods }
    }
}

/// A sentence on the methods whose errors are means over several runs; empty if there is none.
fn averaged(errors: &BTreeMap<&str, BTreeMap<String, Vec<f64>>>) -> String {
    let counts = errors.iter().filter_map(|(name, tasks)| {
        let counts = || tasks.values().map(Vec::len);
        let (least, most) = (counts().min()?, counts().max()?);
        match (least, most) {
            (_, 1) => None,
            (a, b) if a == b => Some(format!("“{name}” has the mean of {b} runs on each task")),
            (a, b) => Some(format!("“{name}” has the mean of {a} to {b} runs on each task")),
        }
    });
    let counts: Vec<String> = counts.collect();
    match counts.len() {
        0 => String::new(),
        n if n == errors.len() => format!(" {}.", counts.join("; ")),
        _ => format!(" {}; the others have one run.", counts.join("; ")),
    }
}

/// A sentence on the tasks that methods are compared on, and on those that not all of them have.
fn common(methods: usize, shared: usize, others: usize) -> String {
    let left_out = match others {
        0 => String::new(),
        n => format!(" {} that only some of them have are left out.", plural(n, "task")),
    };
    match (methods, shared) {
        (0, _) => "No run is finished.".into(),
        (_, 0) => "There is no task that all methods have, so that they are not compared.".into(),
        (1, n) => format!("There is one method, with {}.", plural(n, "task")),
        (_, n) => format!("Compared on {} that all methods have.{left_out}", plural(n, "task")),
    }
}

/// The address of a file as seen from a folder, for a link.
fn link(folder: &Path, file: &Path) -> Option<String> {
    // The current folder has an empty path as the parent of a file.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let [folder, file] = [std::path::absolute(folder).ok()?, std::path::absolute(file).ok()?];
    let alike = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(alike).map(|_| "..".to_owned());
    let down = file.components().skip(alike).map(|part| escaped(&part.as_os_str().to_string_lossy()));
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}

/// A part of a path in an address.
fn escaped(part: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    part.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The networks of a run; `chosen` returns the settings that concern the searched (`false`) or the plain (`true`) one.
fn points(run: &Loaded, o: &Outcome, chosen: impl Fn(bool) -> String) -> Vec<Point> {
    // Series and images have different backbones of their own, which are one method.
    let usual = run.data.input.as_ref().map(|i| BackboneName::for_dims(i.len().saturating_sub(1)));
    let backbone = if usual == Some(o.backbone) { String::new() } else { format!(" {}", o.backbone.name()) };
    let searched: f64 = o.seconds.iter().filter(|(s, _)| **s != Stage::Baseline).map(|(_, t)| t).sum();
    let task = format!("{} {}", run.data.fingerprint, o.metric.name());
    let point = |kind: &str, error: f64, seconds: f64| Point {
        method: format!("{kind}{backbone}, {}{}", o.preset.name(), chosen(kind == "plain")),
        task: task.clone(),
        error,
        seconds,
    };
    let plain = o.baseline_test.zip(o.seconds.get(&Stage::Baseline));
    let plain = plain.map(|(error, &seconds)| point("plain", error, seconds));
    let kind = match o.kernels_given {
        true => "given kernels",
        false if o.not_searched() => "not searched",
        false => "searched",
    };
    o.test.map(|error| point(kind, error, searched)).into_iter().chain(plain).collect()
}

fn best(methods: &[Method]) -> BTreeMap<&str, f64> {
    let mut best: BTreeMap<&str, f64> = BTreeMap::new();
    for (task, &error) in methods.iter().flat_map(|m| &m.errors) {
        best.entry(task).and_modify(|b| *b = b.min(error)).or_insert(error);
    }
    best
}

fn profile(methods: &[Method]) -> Option<Figure> {
    let tasks: BTreeSet<&String> = methods.iter().flat_map(|m| m.errors.keys()).collect();
    // On one task the profiles repeat the errors, which are in the table.
    if methods.len() < 2 || tasks.len() < 2 {
        return None;
    }
    let profiles = profiles(methods);
    let last = profiles.iter().flatten().map(|p| p.0).fold(1.2, f64::max) * 1.05;
    let series: Vec<Series> = methods
        .iter()
        .zip(profiles)
        .enumerate()
        .map(|(i, (m, mut points))| {
            points.extend(points.last().map(|p| (last, p.1)));
            Series { label: m.name.clone(), color: color(i), points, style: Style::Steps }
        })
        .collect();
    let note = format!(
        "The share of {} on which a method's test error is at most τ times the lowest error of all methods. Higher is better.",
        plural(tasks.len(), "task")
    );
    let (x, y) = (Axis::new("τ").spanning(1.0, last), Axis::new("share of tasks").spanning(0.0, 1.0));
    Figure::new("Performance profiles", &x, &y, &series, &note)
}

fn scatter(methods: &[Method], points: &[Point]) -> Option<Figure> {
    let best = best(methods);
    // Errors of different data sets are only comparable as ratios.
    let several = best.len() > 1;
    let series: Vec<Series> = methods
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let of = points.iter().filter(|p| p.method == m.name);
            let y = |p: &Point| match best.get(p.task.as_str()) {
                Some(&b) if several => {
                    if p.error == b {
                        1.0
                    } else {
                        p.error / b
                    }
                }
                _ => p.error,
            };
            dots(&m.name, i, of.map(|p| (p.seconds, y(p))).filter(|p| p.1.is_finite()).collect())
        })
        .collect();
    let title = if several { "test error / lowest" } else { "test error" };
    let y = Axis::fitting(title, series.iter().flat_map(|s| &s.points).map(|p| p.1));
    Figure::new(
        "Error against time",
        &seconds_axis(),
        &y,
        &series,
        "One point for each network. The time of a searched network includes the search. Lower and further left is better.",
    )
}

fn standings(methods: &[Method]) -> Vec<(String, usize, usize, String)> {
    let best = best(methods);
    methods
        .iter()
        .map(|m| {
            let lowest = m.errors.iter().filter(|(t, e)| best.get(t.as_str()) == Some(e)).count();
            let ratios: Vec<f64> = (m.errors.iter())
                .filter_map(|(t, e)| best.get(t.as_str()).map(|b| if e == b { 1.0 } else { e / b }))
                .filter(|r| r.is_finite())
                .collect();
            let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
            (m.name.clone(), m.errors.len(), lowest, short(mean))
        })
        .collect()
}

impl Row {
    fn new(run: &Loaded, chosen: &str, ambiguous: bool, folder: &Path) -> Self {
        let o = run.outcome.as_ref();
        let dash = || "–".to_owned();
        let error = |e: Option<f64>| o.zip(e).map_or_else(dash, |(o, e)| o.metric.format(e));
        let gain = o.and_then(Outcome::improvement);
        let judged = o.and_then(|o| o.judgement).unwrap_or_default();
        let chance = judged.too_few_groups().is_some() || judged.plain.is_some_and(|paired| !paired.shows_difference());
        let params = |n: Option<u64>| n.map_or_else(dash, thousands);
        let seconds = |o: &Outcome| o.seconds.iter().filter(|(s, _)| **s != Stage::Baseline).map(|(_, t)| t).sum();
        Self {
            run: run.dir.path().display().to_string(),
            link: run.dir.has(names::REPORT).then(|| link(folder, &run.dir.file(names::REPORT))).flatten(),
            data: match ambiguous {
                true => format!("{} ({:.8})", run.data.name, run.data.fingerprint),
                false => run.data.name.clone(),
            },
            how: match o {
                Some(o) => {
                    let not = if o.not_searched() { ", not searched (plain kernels)" } else { "" };
                    format!("{}, {}{chosen}{not}, seed {}", o.backbone.name(), o.preset.name(), o.seed)
                }
                None => format!("{}{chosen}, seed {}, not finished", run.config.preset.name(), run.config.seed),
            },
            metric: o.map_or_else(dash, |o| o.metric.title().into()),
            test: error(o.and_then(|o| o.test)),
            plain: error(o.and_then(|o| o.baseline_test)),
            gain: match gain {
                Some(_) if chance => "no difference shown".into(),
                gain => gain.map_or_else(dash, |g| format!("{} %", short((1000.0 * g).round() / 10.0))),
            },
            better: gain.is_some_and(|g| g > 0.0) && !chance,
            params: [params(o.map(|o| o.params)), params(o.and_then(|o| o.baseline_params))],
            time: o.map_or_else(dash, |o| duration(seconds(o))),
        }
    }
}

/// The points of one method in a scatter plot.
pub(crate) fn dots(label: &str, i: usize, points: Vec<(f64, f64)>) -> Series {
    Series { label: label.into(), color: color(i), points, style: Style::Dots }
}

/// A logarithmic axis of seconds.
pub(crate) fn seconds_axis() -> Axis {
    Axis::new("total seconds").log()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::config::Config;
    use dashnas::config::rules::Facts;
    use dashnas::run_dir::dir::RunDir;
    use dashnas_core::hyperparameters::Hyperparameters;
    use dashnas_core::names::Preset;
    use dashnas_core::task::{Loss, Metric, TaskKind};

    /// A finished run on series of 100 samples, with an error of the searched network and one of the plain one.
    fn run(fingerprint: &str, seed: u64, errors: [f64; 2], set: impl Fn(&mut Config)) -> Loaded {
        let task = TaskKind::Classification { classes: 2 };
        let mut config = Config::preset(Preset::Quick);
        config.seed = seed;
        set(&mut config);
        let config = config.resolve(&Facts { dims: 1, task, train_samples: 100 }).expect("sound");
        let outcome = Outcome {
            version: "0".into(),
            dataset: "data".into(),
            task,
            loss: Loss::CrossEntropy,
            metric: Metric::ZeroOneError,
            test: Some(errors[0]),
            baseline_test: Some(errors[1]),
            validation: None,
            backbone: config.backbone_name(1),
            architecture: vec![],
            kernels_given: false,
            choice: None,
            judgement: None,
            weighted: false,
            hyperparameters: Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.0 },
            params: 1,
            baseline_params: Some(1),
            preset: config.preset,
            seed,
            samples: [100, 10],
            seconds: [(Stage::Search, 1.0), (Stage::Baseline, 1.0)].into(),
            notes: vec![],
            resolved: Default::default(),
            run_dir: "run".into(),
        };
        let data = DataRecord {
            source: "data.npz".into(),
            name: "data".into(),
            fingerprint: fingerprint.into(),
            samples: [100, 0, 10],
            task: Some(task),
            input: Some(vec![1, 64]),
            guess: None,
            division: None,
        };
        let temp = tempfile::tempdir().expect("a temporary directory");
        let (events, alpha) = (vec![], vec![]);
        let (environment, race, architecture, tuning, evaluation) = (None, None, None, None, None);
        let dir = RunDir::create(temp.path()).expect("writable");
        let outcome = Some(outcome);
        Loaded { dir, config, data, environment, events, alpha, race, architecture, tuning, evaluation, outcome }
    }

    /// `(method, tasks, lowest on)`.
    fn methods(runs: &[Loaded]) -> Vec<(String, usize, usize)> {
        Comparison::new(runs, Path::new("."))
            .methods
            .into_iter()
            .map(|(name, tasks, lowest, _)| (name, tasks, lowest))
            .collect()
    }

    #[test]
    fn seeds_are_averaged_and_nothing_else_is() {
        let same = |_: &mut Config| ();
        let seeds = [run("a", 1, [0.1, 0.2], same), run("a", 2, [0.4, 0.2], same)];
        let expected = [("plain, quick".to_owned(), 1, 1), ("searched, quick".to_owned(), 1, 0)];
        assert_eq!(methods(&seeds), expected, "0.25 on average against 0.2");
        let common = |runs: &[Loaded]| Comparison::new(runs, Path::new(".")).common;
        assert!(common(&seeds).ends_with(
            "“plain, quick” has the mean of 2 runs on each task; “searched, quick” has the mean of 2 runs on each task."
        ));
        let other = |c: &mut Config| c.space.kernel_sizes = Some(vec![3, 5]);
        let uneven = [run("a", 1, [0.1, 0.2], same), run("a", 2, [0.4, 0.2], same), run("a", 1, [0.3, 0.2], other)];
        let found = common(&uneven);
        assert!(
            found.contains("“searched, quick” has the mean of 2 runs") && found.ends_with("the others have one run.")
        );
        assert!(!common(&uneven[1..]).contains("mean of 2 runs on each task; “searched"));

        let smaller = |c: &mut Config| c.space.kernel_sizes = Some(vec![3, 5]);
        let longer = |c: &mut Config| c.budget.time_limit = 60.0;
        let runs = [run("a", 1, [0.1, 0.2], same), run("a", 1, [0.4, 0.2], smaller), run("a", 1, [0.3, 0.1], longer)];
        let names: Vec<String> = methods(&runs).into_iter().map(|m| m.0).collect();
        let limit = "budget.time-limit 60.0, tune.tuner auto";
        assert_eq!(
            names,
            [
                "plain, quick".to_owned(),
                format!("plain, quick, {limit}"),
                "searched, quick".to_owned(),
                format!("searched, quick, {limit}"),
                "searched, quick, space.kernel-sizes [3, 5]".to_owned(),
            ],
            "the kernel sizes are nothing to the plain backbone, the time is"
        );
        assert!(Comparison::new(&runs, Path::new(".")).rows[1].how.contains("space.kernel-sizes [3, 5], seed 1"));
        let alike = [run("a", 1, [0.1, 0.2], smaller), run("a", 2, [0.4, 0.2], smaller)];
        assert_eq!(methods(&alike), expected, "what all have in common goes without saying");
    }

    #[test]
    fn methods_are_compared_on_the_tasks_that_all_have() {
        let same = |_: &mut Config| ();
        let smaller = |c: &mut Config| c.space.kernel_sizes = Some(vec![3, 5]);
        let mut runs = vec![run("a", 1, [0.1, 0.2], same), run("b", 1, [0.4, 0.2], same)];
        runs.push(run("a", 1, [0.05, 0.2], smaller));
        let compared = Comparison::new(&runs, Path::new("."));
        assert!(compared.common.contains("Compared on 1 task that") && compared.common.contains("1 task that only"));
        assert!(compared.methods.iter().all(|(_, tasks, ..)| *tasks == 1), "{:?}", compared.methods);
        let titles = |found: &Comparison| found.figures.iter().map(|figure| figure.title.clone()).collect::<Vec<_>>();
        assert_eq!(titles(&compared), ["Error against time"], "a profile on one task shows nothing");
        let both = [run("a", 1, [0.1, 0.2], same), run("b", 1, [0.4, 0.2], same)];
        assert_eq!(titles(&Comparison::new(&both, Path::new("."))), ["Performance profiles", "Error against time"]);
        let apart = [run("a", 1, [0.1, 0.2], smaller), run("b", 1, [0.4, 0.2], same)];
        let apart = Comparison::new(&apart, Path::new("."));
        assert!(apart.methods.is_empty() && apart.figures.is_empty() && apart.common.contains("no task"));
    }

    #[test]
    fn links_lead_from_the_page_to_the_reports() {
        let cases = [
            (".", "runs/a 1/report.html", "runs/a%201/report.html"),
            ("", "runs/a/report.html", "runs/a/report.html"),
            ("x/y", "x/runs/b#2/report.html", "../runs/b%232/report.html"),
            ("/x", "/runs/ä/report.html", "../runs/%C3%A4/report.html"),
        ];
        for (folder, file, expected) in cases {
            assert_eq!(link(Path::new(folder), Path::new(file)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn data_sets_of_one_name_are_not_one_task() {
        let same = |_: &mut Config| ();
        let runs = [run("0123456789", 1, [0.1, 0.2], same), run("9876543210", 1, [0.4, 0.2], same)];
        assert_eq!(methods(&runs), [("plain, quick".to_owned(), 2, 1), ("searched, quick".to_owned(), 2, 1)]);
        let rows = Comparison::new(&runs, Path::new(".")).rows;
        assert_eq!([&rows[0].data, &rows[1].data], ["data (01234567)", "data (98765432)"]);
    }

    #[test]
    fn the_seventh_method_is_in_the_legend_in_a_color_of_its_own() {
        let runs: Vec<Loaded> = (0..7)
            .map(|i| {
                let mut run = run("a", 1, [0.1 + f64::from(i), 0.2], |c| c.search.epochs = 3 + i as usize);
                run.outcome.as_mut().expect("finished").baseline_test = None;
                run
            })
            .collect();
        for figure in &Comparison::new(&runs, Path::new(".")).figures {
            let colors: BTreeSet<&String> = figure.legend.iter().map(|(color, _)| color).collect();
            assert_eq!((figure.legend.len(), colors.len()), (7, 7), "{}", figure.title);
        }
    }
}
