//! The log of the libraries: warnings on standard error, everything in the run directory.

use crate::verbosity::Verbosity;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Mutex;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of the detailed log: memory until the run directory is known, then a file in it.
enum Sink {
    Memory(Vec<u8>),
    File(File),
}

static SINK: Mutex<Sink> = Mutex::new(Sink::Memory(Vec::new()));

/// The most bytes that are kept in memory.
const KEPT: usize = 1 << 20;

/// Writes lines to the sink. A log that cannot be written stops nothing.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &mut *sink() {
            Sink::Memory(kept) if kept.len() + line.len() <= KEPT => kept.extend(line),
            Sink::Memory(_) => {}
            Sink::File(file) => drop(file.write_all(line)),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sink() -> std::sync::MutexGuard<'static, Sink> {
    // A panic between two lines leaves the sink intact.
    SINK.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// This project's crates at a level.
fn ours(level: Level) -> Targets {
    Targets::new().with_default(LevelFilter::OFF).with_target("dashnas", level).with_target("aggconv", level)
}

/// Starts to print the warnings of this project's crates, and more in verbose mode.
pub fn start(verbosity: Verbosity) {
    let level = if verbosity == Verbosity::Verbose { Level::DEBUG } else { Level::WARN };
    let printed = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_filter(ours(level));
    let kept = tracing_subscriber::fmt::layer()
        .with_writer(|| Lines)
        .with_ansi(false)
        .with_target(false)
        .with_filter(ours(Level::DEBUG));
    // A logger that is already there is left in place.
    let _ = tracing_subscriber::registry().with(printed).with(kept).try_init();
}

/// Writes the detailed log into a run directory from here on, beginning with the lines kept so far.
pub fn into(dir: &RunDir) {
    match dir.append_to(names::PROGRAM_LOG) {
        Ok(mut file) => {
            let mut sink = sink();
            if let Sink::Memory(kept) = &*sink {
                // As above.
                let _ = file.write_all(kept);
            }
            *sink = Sink::File(file);
        }
        Err(error) => tracing::warn!("{error}"),
    }
}
