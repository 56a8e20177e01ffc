//! `dashnas compare`: the methods of the paper's tables, and others, on one data set.

use crate::args::common::CommonArgs;
use crate::args::flags::translate;
use crate::args::numbers::positive;
use crate::args::settings::Settings;
use crate::commands::compare_text;
use crate::commands::opened::summary;
use crate::commands::setup::interruptible;
use crate::commands::start::{RUNS, contradicted, default_out};
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::observers::Observers;
use crate::output;
use crate::verbosity::Verbosity;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use dashnas::Error;
use dashnas::record::event::{Event, Observer, RunStart};
use dashnas::run::source;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::error::RunDirError;
use dashnas::run_dir::names;
use dashnas_core::task::Metric;
use dashnas_core::text::{duration, plural};
use dashnas_methods::comparison::folder::ComparisonFolder;
use dashnas_methods::comparison::method_result::RunResult;
use dashnas_methods::comparison::request::{self, ALL, Request};
use dashnas_methods::comparison::results::Results;
use dashnas_methods::comparison::runner::{Comparison, ComparisonObserver, ComparisonRun};
use dashnas_methods::list;
use dashnas_report::page;
use dashnas_tasks::source::record;
use std::path::{Path, PathBuf};

/// The number of seeds unless another one is given.
const SEEDS: u32 = 3;

/// `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A file or folder with a data set, or a task that `dashnas tasks` lists. With --resume, it is only needed if the data
    /// set has moved.
    #[arg(required_unless_present = "resume")]
    pub data: Option<String>,
    /// The methods, as in dash,wrn,random [default: all]. A method that does not suit the data is left out, with the reason.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = methods())]
    pub methods: Vec<String>,
    /// The number of seeds of each method, from --seed on [default: 3]. The test split is the same for all of them.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive::<u16>())]
    pub seeds: Option<u16>,
    /// Continue a comparison that was interrupted: finished runs are kept, and the one in progress is resumed.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// The folder to create for the results, with a run directory for each method and seed [default: runs/compare-NAME-N].
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// The names of the methods with their titles, and `all`.
fn methods() -> PossibleValuesParser {
    let value =
        |method: &&'static dyn dashnas_methods::method::Method| PossibleValue::new(method.name()).help(method.title());
    let all = PossibleValue::new(ALL).help("every method that suits the data");
    PossibleValuesParser::new(list::all().iter().map(value).chain([all]).collect::<Vec<_>>())
}

/// Begins or resumes a comparison, runs it and prints its results.
pub fn compare(args: &CompareArgs, verbosity: Verbosity) -> Result<(), Failure> {
    match &args.resume {
        Some(folder) => resume(args, folder, verbosity),
        None => start(args, verbosity),
    }
}

fn start(args: &CompareArgs, verbosity: Verbosity) -> Result<(), Failure> {
    // clap requires the data set unless there is a comparison to resume.
    let given = args.data.as_deref().unwrap_or_default();
    let config = args.settings.load_for(given)?;
    let seeds = args.seeds.map_or(SEEDS, u32::from);
    // Before the data set is read or made, which may take a while.
    request::check(&config, seeds)?;
    let wanted = match args.methods.as_slice() {
        [] => request::methods(&[ALL])?,
        names => request::methods(names)?,
    };
    let probe = args.out.clone().unwrap_or_else(|| default_out(Path::new(RUNS), "probe"));
    RunDir::probe(&probe).map_err(|error| occupied(error, &probe))?;
    let mut observers = Observers::new(interruptible(args.common.threads, verbosity)?);
    let data = source::load(given, &config, &mut observers)?;
    observers.progress.print(&translate(&summary(&data, &config).to_string()));
    observers.progress.set_metric(config.metric(data.task));
    let source = record(given);
    let request = Request::new(&config, &source, &data, &wanted, seeds)?;
    for left in &request.left_out {
        let message = format!("{} is left out: {}", left.method, translate(&left.reason));
        observers.event(&Event::Warning { message });
    }
    let runs = request.methods.len() * seeds as usize;
    let limit = match config.budget.time_limit {
        limit if limit > 0.0 => {
            format!(" of at most {} each, {} in all", duration(limit), duration(limit * runs as f64))
        }
        _ => String::new(),
    };
    let [methods, seeds] = [plural(request.methods.len(), "method"), plural(seeds as usize, "seed")];
    observers.progress.print(&format!("{methods} with {seeds}: {}{limit}", plural(runs, "run")));
    let folder = args.out.clone().unwrap_or_else(|| default_out(Path::new(RUNS), &format!("compare-{}", data.name)));
    let comparison = Comparison::create(&folder, &request)?;
    finish(&comparison, observers, config.metric(data.task), args.common.json)
}

fn resume(args: &CompareArgs, path: &Path, verbosity: Verbosity) -> Result<(), Failure> {
    let folder = ComparisonFolder::open(path)?;
    check_resumed(args, &folder)?;
    let mut observers = Observers::new(interruptible(args.common.threads, verbosity)?);
    let config = folder.config.clone();
    let data = source::load(args.data.as_deref().unwrap_or(&folder.record.source), &config, &mut observers)?;
    let metric = config.metric(data.task);
    observers.progress.set_metric(metric);
    let comparison = Comparison::resume(folder, &data)?;
    finish(&comparison, observers, metric, args.common.json)
}

/// Refuses options that contradict what the comparison began with.
fn check_resumed(args: &CompareArgs, folder: &ComparisonFolder) -> Result<(), Failure> {
    let dir = folder.dir().path();
    let command = format!("dashnas compare --resume {}", dir.display());
    let refuse = |option: &str, recorded: String| {
        let message = format!("{option} has no effect on a comparison that is resumed: it was begun with {recorded}");
        let hint = format!("leave out {option}, or begin a new comparison; `{command}` takes no other settings");
        Err(Failure::new(Code::Usage, message, Some(hint)))
    };
    let (record, asked) = (&folder.record, &args.methods);
    if !asked.is_empty() {
        let mut begun: Vec<&str> = record.methods.iter().map(String::as_str).collect();
        begun.extend(record.left_out.iter().map(|left| left.method.as_str()));
        let mut wanted: Vec<&str> = request::methods(asked)?.iter().map(|method| method.name()).collect();
        begun.sort_unstable();
        wanted.sort_unstable();
        if begun != wanted {
            return refuse("--methods", format!("the methods {}", record.methods.join(", ")));
        }
    }
    match args.seeds {
        Some(seeds) if u32::from(seeds) != record.seeds => refuse("--seeds", plural(record.seeds as usize, "seed")),
        _ => contradicted(&args.settings, dir, names::COMPARISON_CONFIG, &command),
    }
}

/// Runs what is left and prints the results.
fn finish(comparison: &Comparison<'_>, observers: Observers, metric: Metric, json: bool) -> Result<(), Failure> {
    let dir = comparison.dir().path().to_owned();
    let mut watch = Watch { observers, metric };
    let results = comparison.run(&mut watch).map_err(|error| stopped(error, &dir))?;
    // The comparison has succeeded without its page.
    let page = dir.join(names::COMPARISON_REPORT);
    if let Err(e) = page::methods(&results).and_then(|html| page::write(&page, &html)) {
        watch.event(&Event::Warning { message: format!("could not write the page: {e}") });
    }
    drop(watch);
    if json {
        output::print_json(&results)?;
    } else {
        output::print(&compare_text::text(&results, &dir))?;
    }
    match results.methods.is_empty() {
        true => Err(none_finished(&results)),
        false => Ok(()),
    }
}

/// The failure of a comparison without a result.
fn none_finished(results: &Results) -> Failure {
    let first = results.failed().next().map_or_else(String::new, |(run, error)| format!(" ({}: {error})", run.run));
    Failure::new(Code::Other, format!("no run of the comparison has finished{first}"), None)
}

/// The failure of a comparison, with the command that resumes it where that is possible.
fn stopped(error: Error, dir: &Path) -> Failure {
    match error {
        Error::Interrupted => {
            let hint = format!("resume it with `dashnas compare --resume {}`", dir.display());
            Failure::new(Code::Interrupted, error, Some(hint))
        }
        error => error.into(),
    }
}

/// The failure of creating a folder, with the command that resumes a comparison that is there.
fn occupied(error: RunDirError, path: &Path) -> Failure {
    match ComparisonFolder::is_at(path) {
        true => Failure::from(error).with_hint(format!(
            "continue the comparison there with `dashnas compare --resume {}`, or choose another --out",
            path.display()
        )),
        false => error.into(),
    }
}

/// Shows the runs as `dashnas run` does, with a line before and after each, and writes their reports.
struct Watch {
    observers: Observers,
    metric: Metric,
}

impl Observer for Watch {
    fn attached(&mut self, run: &RunStart<'_>) {
        if let Ok(dir) = RunDir::open(run.dir) {
            crate::logging::into(&dir);
        }
        self.observers.attached(run);
    }

    fn time_added(&mut self, seconds: f64) {
        self.observers.time_added(seconds);
    }

    fn event(&mut self, event: &Event) {
        self.observers.event(event);
    }

    fn cancelled(&self) -> bool {
        self.observers.cancelled()
    }
}

impl ComparisonObserver for Watch {
    fn of_runs(&mut self) -> &mut dyn Observer {
        self
    }

    fn begins(&mut self, run: &ComparisonRun<'_>) {
        let [number, of] = run.number;
        self.observers.progress.print(&format!("Run {number} of {of}: {} with seed {}\n", run.method, run.seed));
    }

    fn ended(&mut self, run: &ComparisonRun<'_>, result: &RunResult, dir: Option<&RunDir>) {
        if let Some(dir) = dir.filter(|dir| dir.has(names::METRICS) && !dir.has(names::REPORT)) {
            self.observers.report(dir);
        }
        let of = format!("{} with seed {}", run.method, run.seed);
        match (&result.error, result.test) {
            (Some(error), _) => self.observers.event(&Event::Warning { message: format!("{of} failed: {error}") }),
            (None, Some(test)) => {
                let taken = duration(result.seconds.values().sum());
                let test = format!("test {} {}", self.metric.title(), self.metric.format(test));
                self.observers.progress.print(&format!("{of}: {test} in {taken}\n"));
            }
            (None, None) => {}
        }
    }
}
