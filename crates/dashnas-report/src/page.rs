//! The report of a run, the comparison of several, and the report of a bench of the search, as one HTML file that needs no network and no script.
//!
//! `dashnas::run::load` reads what a run directory holds, of a finished run or not; `view` turns it into texts and
//! drawings, and the template lays them out. `comparison` does the same for several runs.

use dashnas::bench::search::error::SearchBenchError;
use dashnas::bench::search::load::LoadedBench;
use dashnas::error::Error;
use dashnas::record::folds::FoldsOutcome;
use dashnas::run::load::Loaded;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::files::FileError;
use dashnas_methods::comparison::results::Results;
use std::path::Path;

/// The report of a run as HTML; of a run that is not finished, with the parts that are there.
///
/// # Errors
/// [`Error::Config`] or [`Error::File`] with the file that cannot be read.
pub fn report(dir: &RunDir) -> Result<String, Error> {
    crate::render::page("run.html", &crate::view::View::new(&Loaded::read(dir)?))
}

/// The report of a cross-validation as HTML: its folds, and the mean with its spread.
///
/// # Errors
/// Those of filling the template.
pub fn folds(outcome: &FoldsOutcome) -> Result<String, Error> {
    crate::render::page("folds.html", &crate::folds::FoldsView::new(outcome))
}

/// A comparison of several runs as HTML: a table, performance profiles (Dolan and Moré 2002; the paper's figures 1a
/// and 4) and error against time (its figure 5). Runs that were not evaluated are listed only. The page is to lie in
/// `folder`, from which it links to the reports of the runs.
///
/// # Errors
/// As [`report`].
pub fn comparison(dirs: &[RunDir], folder: &Path) -> Result<String, Error> {
    let runs = dirs.iter().map(Loaded::read).collect::<Result<Vec<_>, _>>()?;
    crate::render::page("compare.html", &crate::comparison::Comparison::new(&runs, folder))
}

/// A comparison of methods on one data set as HTML: the errors (the paper's Table 2), the times (its Table 3) and error against
/// time (its figure 5). The page is to lie in the folder of the comparison, whose run directories it links to.
///
/// # Errors
/// Those of filling the template.
pub fn methods(results: &Results) -> Result<String, Error> {
    crate::render::page("methods.html", &crate::methods::MethodsPage::new(results))
}

/// The report of a bench of the search as HTML; of a bench that is not finished, with the figures that are there.
///
/// # Errors
/// Those of [`LoadedBench::read`].
pub fn bench(folder: &Path) -> Result<String, SearchBenchError> {
    Ok(crate::render::page("bench.html", &crate::bench::view::BenchView::new(&LoadedBench::read(folder)?))?)
}

/// Writes HTML to a file, whole or not at all.
///
/// # Errors
/// [`Error::File`] with the path.
pub fn write(path: &Path, html: &str) -> Result<(), Error> {
    dashnas_core::files::write_atomic(path, html.as_bytes()).map_err(|e| FileError::io("write", path, e).into())
}

/// Writes the report of a run into its directory.
///
/// # Errors
/// As [`report`], and those of writing the file.
pub fn write_into(dir: &RunDir) -> Result<(), Error> {
    Ok(dir.write(names::REPORT, report(dir)?.as_bytes())?)
}

/// Writes the report of a bench into its folder.
///
/// # Errors
/// As [`bench()`], and those of writing the file.
pub fn write_bench_into(folder: &Path) -> Result<(), SearchBenchError> {
    Ok(write(&folder.join(names::REPORT), &bench(folder)?)?)
}
