//! A run to look at: one HTML file that needs no network and no script.
//!
//! `load` reads what is in a run directory, as much as there is of it; `view` turns it into numbers, texts
//! and plots; the template lays them out. `compare` does the same for several runs.

mod alpha;
mod chart;
mod choices;
mod compare;
mod curves;
mod heat;
mod kernels;
mod load;
mod outcome;
mod profile;
mod render;
mod view;

pub(crate) use chart::short;
pub use load::Loaded;
pub use profile::{Method, profiles};
pub(crate) use view::duration;

use crate::error::Error;
use crate::event::{Event, Observer};
use crate::run_dir::{RunDir, names};
use std::path::Path;

/// The report of a run as HTML, of as much of it as was done.
///
/// # Errors
/// [`Error::Io`] or [`Error::Corrupt`] with the file that cannot be read.
pub fn report(dir: &RunDir) -> Result<String, Error> {
    render::page("run.html", &view::View::new(&Loaded::read(dir)?))
}

/// A comparison of several runs as HTML: a table, performance profiles (Dolan and Moré 2002; the paper's figures 1a
/// and 4) and error against time (its figure 5). Runs that were not evaluated are listed only.
///
/// # Errors
/// As [`report`].
pub fn comparison(dirs: &[RunDir]) -> Result<String, Error> {
    let runs = dirs.iter().map(Loaded::read).collect::<Result<Vec<_>, _>>()?;
    render::page("compare.html", &compare::Comparison::new(&runs))
}

/// Writes HTML to a file, whole or not at all.
///
/// # Errors
/// [`Error::Io`] with the path.
pub fn write(path: &Path, html: &str) -> Result<(), Error> {
    crate::run_dir::write_atomic(path, html.as_bytes()).map_err(|e| Error::io("write", path, e))
}

/// Writes the report of a finished run into its directory. The run has succeeded without it, so a failure is a
/// warning.
pub(crate) fn at_the_end(dir: &RunDir, observer: &mut dyn Observer) {
    if let Err(e) = report(dir).and_then(|html| dir.write(names::REPORT, html.as_bytes())) {
        observer.event(&Event::Warning { message: format!("there is no report: {e}") });
    }
}

#[cfg(test)]
mod tests;
