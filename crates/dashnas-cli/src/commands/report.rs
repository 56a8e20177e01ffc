//! `dashnas report`: the report of a run, or a comparison of several, as an HTML page.

use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_report::page;
use std::path::PathBuf;

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The directory of a run, finished or not; several of them for a comparison.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The file to write [default: report.html in the run directory, or comparison.html in the current folder].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Writes the report and prints its path.
pub fn report(args: &ReportArgs, verbosity: Verbosity) -> Result<(), Failure> {
    crate::logging::start(verbosity);
    let runs = args.runs.iter().map(|run| RunDir::open(run)).collect::<Result<Vec<_>, _>>()?;
    let (html, default) = match runs.as_slice() {
        [run] => (page::report(run)?, run.file(names::REPORT)),
        runs => (page::comparison(runs)?, PathBuf::from("comparison.html")),
    };
    let out = args.out.clone().unwrap_or(default);
    if out.is_dir() {
        let hint = Some("give a file, as in -o report.html".to_owned());
        return Err(Failure::new(Code::Files, format!("{} is a folder", out.display()), hint));
    }
    page::write(&out, &html)?;
    output::print(&format!("Report: {}\n", out.display()))
}
