//! `dashnas bench search`: the search against random kernels of the same space.

use crate::args::common::CommonArgs;
use crate::args::flags::translate;
use crate::args::numbers::{between, positive, whole};
use crate::args::settings::Settings;
use crate::arguments;
use crate::commands::bench::{search_plot, search_text};
use crate::commands::opened::summary;
use crate::commands::setup::interruptible;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::observers::Observers;
use crate::output;
use crate::progress::Progress;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::Error;
use dashnas::bench::search::document::Document;
use dashnas::bench::search::error::SearchBenchError;
use dashnas::bench::search::runner::{BenchObserver, BenchProgress, SearchBench};
use dashnas::bench::search::settings::{BenchSettings, check};
use dashnas::record::event::{Event, Observer, RunStart};
use dashnas::run::source;
use dashnas_core::files::write_atomic;
use dashnas_core::text::duration;
use dashnas_report::{StatusWriter, page};
use dashnas_tasks::source::record;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// `bench search`.
#[derive(Debug, Args)]
pub struct BenchSearchArgs {
    /// A file or folder with a data set, or a task that `dashnas tasks` lists.
    pub data: String,
    /// The number of networks with random kernels.
    #[arg(long, value_name = "N", default_value_t = 8, allow_negative_numbers = true, value_parser = positive::<u16>())]
    pub random: u16,
    /// The number of networks with the same kernel in every layer.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true, value_parser = whole::<u16>())]
    pub uniform: u16,
    /// The number of searches, with seeds from --seed on.
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true, value_parser = whole::<u16>())]
    pub seeds: u16,
    /// The number of networks that are trained side by side; the results do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = between::<u16>(1, 1024))]
    pub workers: u16,
    /// The folder of the results; a bench that was begun there is continued [default: runs/bench-search-NAME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// The name of the drawing in the folder.
const DRAWING: &str = "bench.svg";

/// Runs the bench, or the rest of it.
pub fn search(args: &BenchSearchArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let config = args.settings.load_for(&args.data)?;
    let settings = BenchSettings { random: args.random.into(), uniform: args.uniform.into(), seeds: args.seeds.into() };
    // Before the data set is read or made, which may take a while.
    check(&config, settings).map_err(failure)?;
    let mut observers = Observers::new(interruptible(args.common.threads, verbosity)?);
    let data = source::load(&args.data, &config, &mut observers)?;
    let progress = observers.progress;
    progress.print(&translate(&summary(&data, &config).to_string()));
    let out = args.out.clone().unwrap_or_else(|| default_out(&data.name));
    let watch = Watch { progress: Mutex::new(progress), verbosity, out: &out };
    let bench = SearchBench {
        config: &config,
        source: &record(&args.data),
        data: &data,
        out: &out,
        settings,
        workers: args.workers.into(),
    };
    let document = bench.run(&watch).map_err(failure)?;
    drop(watch);
    // The bench has succeeded without its report.
    if let Err(e) = page::write_bench_into(&out) {
        tracing::warn!("could not write the report: {e}");
    }
    match args.common.json {
        true => output::print_json(&document),
        false => output::print(&search_text::text(&document, &out)),
    }
}

/// The failure of a bench, with the command that continues it where that is possible.
fn failure(error: SearchBenchError) -> Failure {
    match error {
        SearchBenchError::Run(Error::Interrupted) => {
            let hint = format!("continue with the same command: `{}`", command(arguments::given()));
            Failure::new(Code::Interrupted, "interrupted", Some(hint))
        }
        error => error.into(),
    }
}

/// A command line as it is typed into a shell. The program is named without its folder.
fn command(args: impl Iterator<Item = String>) -> String {
    let quoted = |arg: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
        if !arg.is_empty() && arg.chars().all(plain) { arg } else { format!("'{}'", arg.replace('\'', r"'\''")) }
    };
    std::iter::once("dashnas".to_owned()).chain(args.skip(1).map(quoted)).collect::<Vec<_>>().join(" ")
}

/// `runs/bench-search-NAME`: the same for every call, so that a bench is continued.
fn default_out(name: &str) -> PathBuf {
    // The name may come from inside a file: it must not lead elsewhere.
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    Path::new("runs").join(format!("bench-search-{}", name.chars().map(plain).collect::<String>()))
}

/// Shows a line for every finished entry and draws the results.
struct Watch<'a> {
    progress: Mutex<Progress>,
    verbosity: Verbosity,
    out: &'a Path,
}

impl Watch<'_> {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        // A panic between two lines leaves the progress intact.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BenchObserver for Watch<'_> {
    fn cancelled(&self) -> bool {
        self.progress().cancelled()
    }

    fn of_run(&self, entry: &str) -> Box<dyn Observer + '_> {
        Box::new(WatchedRun { entry: entry.to_owned(), watch: self, status: StatusWriter::default() })
    }

    fn finished(&self, progress: &BenchProgress<'_>, document: &Document) -> Result<(), Error> {
        if progress.entry.is_none() {
            for note in &document.notes {
                self.progress().event(&Event::Warning { message: note.clone() });
            }
        }
        self.progress().print(&line(progress, document));
        match search_plot::svg(document) {
            Ok(None) => Ok(()),
            Ok(Some(drawing)) => {
                let path = self.out.join(DRAWING);
                write_atomic(&path, drawing.as_bytes()).map_err(|e| Error::io("write", &path, e))
            }
            Err(reason) => {
                // The numbers are in the document all the same.
                tracing::warn!("cannot draw {DRAWING}: {reason}");
                Ok(())
            }
        }
    }
}

/// The line for an entry that has just finished.
fn line(progress: &BenchProgress<'_>, document: &Document) -> String {
    let remaining = match progress.remaining {
        Some(seconds) if progress.done < progress.of => format!("; about {} left", duration(seconds)),
        _ => String::new(),
    };
    let Some((name, record)) = progress.entry else {
        return format!("bench: {} of {} entries have a result{remaining}", progress.done, progress.of);
    };
    let result = match (&record.reason, record.test) {
        (Some(reason), _) => format!("failed: {reason}"),
        (None, Some(test)) => format!("test {} {}", document.metric.title(), document.metric.format(test)),
        (None, None) => "searched".to_owned(),
    };
    let taken = duration(record.seconds);
    format!("bench: {}/{}  {name}: {result} in {taken}{remaining}", progress.done, progress.of)
}

/// The observer of one run: it keeps the run's `status.json`, and in verbose mode shows the lines of its events.
struct WatchedRun<'a> {
    entry: String,
    watch: &'a Watch<'a>,
    status: StatusWriter,
}

impl Observer for WatchedRun<'_> {
    fn attached(&mut self, run: &RunStart<'_>) {
        self.status.attached(run);
    }

    fn time_added(&mut self, seconds: f64) {
        self.status.time_added(seconds);
    }

    fn event(&mut self, event: &Event) {
        self.status.event(event);
        match event {
            Event::StageFinished { stage, seconds } if self.watch.verbosity == Verbosity::Verbose => {
                let text = format!("{}: {stage} finished in {}", self.entry, duration(*seconds));
                self.watch.progress().print(&text);
            }
            Event::Warning { message } if self.watch.verbosity == Verbosity::Verbose => {
                self.watch.progress().print(&format!("{}: {message}", self.entry));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_folder_stays_in_runs() {
        assert_eq!(default_out("waves"), Path::new("runs/bench-search-waves"));
        assert_eq!(default_out("../x y"), Path::new("runs/bench-search-..-x-y"));
    }

    #[test]
    fn commands_can_be_typed_again() {
        let args = ["/usr/bin/dashnas", "bench", "search", "my data.csv", "--set", "tune.dropouts=[0.0]", "it's"];
        let expected = r"dashnas bench search 'my data.csv' --set 'tune.dropouts=[0.0]' 'it'\''s'";
        assert_eq!(command(args.into_iter().map(str::to_owned)), expected);
    }
}
