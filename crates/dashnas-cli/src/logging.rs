//! The libraries' log, on standard error.

use crate::progress::Verbosity;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts to print warnings of this project's crates, and more if asked to.
pub fn start(verbosity: Verbosity) {
    let level = if verbosity == Verbosity::Verbose { Level::DEBUG } else { Level::WARN };
    let ours =
        Targets::new().with_default(LevelFilter::OFF).with_target("dashnas", level).with_target("aggconv", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .with_target(false);
    // A logger that is already there is left in place.
    let _ = tracing_subscriber::registry().with(lines).with(ours).try_init();
}
