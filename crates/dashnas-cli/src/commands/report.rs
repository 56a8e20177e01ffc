//! `dashnas report`: a run as an HTML page, or several beside each other.

use crate::failure::{Code, Failure};
use crate::output;
use crate::progress::Verbosity;
use clap::Args;
use dashnas::report;
use dashnas::run_dir::{RunDir, names};
use std::path::PathBuf;

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A run directory, of a finished run or not; several to compare them.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Where to write it [default: report.html in the run directory; comparison.html here for several].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Writes the report and prints where it is.
pub fn report(args: &ReportArgs, verbosity: Verbosity) -> Result<(), Failure> {
    crate::logging::start(verbosity);
    let runs = args.runs.iter().map(|run| RunDir::open(run)).collect::<Result<Vec<_>, _>>()?;
    let (html, default) = match runs.as_slice() {
        [run] => (report::report(run)?, run.file(names::REPORT)),
        runs => (report::comparison(runs)?, PathBuf::from("comparison.html")),
    };
    let out = args.out.clone().unwrap_or(default);
    if out.is_dir() {
        let hint = Some("name a file, as in -o report.html".to_owned());
        return Err(Failure::new(Code::Files, format!("{} is a folder", out.display()), hint));
    }
    report::write(&out, &html)?;
    output::print(&format!("Report: {}\n", out.display()))
}
