//! `dashnas report`: the report of a run of a bench of the search or of a comparison of methods, or a comparison of several runs, as an HTML page.

use crate::commands::outputs::Output;
use crate::commands::written::Written;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::bench::search::load::LoadedBench;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_methods::comparison::folder::ComparisonFolder;
use dashnas_methods::comparison::results::Results;
use dashnas_report::page;
use std::path::{Path, PathBuf};

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The directory of a run, finished or not; several of them for a comparison; the folder of a
    /// comparison of methods; or that of a bench of the search.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The file to write [default: report.html in the run directory, or comparison.html in the current folder].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also replace a file that `report` did not write, or write into the directory of another run.
    #[arg(long)]
    pub force: bool,
}

/// The file of a comparison, unless another one is given.
const COMPARISON: &str = "comparison.html";

/// Writes the report and prints its path.
pub fn report(args: &ReportArgs, verbosity: Verbosity) -> Result<(), Failure> {
    crate::logging::start(verbosity);
    let default = PathBuf::from(COMPARISON);
    if let Some(path) = args.out.as_ref().or(Some(&default).filter(|_| args.runs.len() > 1)) {
        let output = Output { what: "the report", path, kind: Written::Page, force: args.force };
        output.check(args.runs.iter().map(PathBuf::as_path))?;
    }
    let (html, default) = match args.runs.as_slice() {
        [folder] if LoadedBench::is_at(folder) => (page::bench(folder)?, folder.join(names::REPORT)),
        [folder] if ComparisonFolder::is_at(folder) => {
            let path = folder.join(names::RESULTS);
            (page::methods(&Results::read(&path)?)?, folder.join(names::COMPARISON_REPORT))
        }
        [run] => {
            let run = RunDir::open(run)?;
            (page::report(&run)?, run.file(names::REPORT))
        }
        paths => {
            if let Some(bench) = paths.iter().find(|path| LoadedBench::is_at(path)) {
                let (message, bench) = (format!("{} is a bench, not a run", bench.display()), bench.join("runs"));
                let hint = format!("give the folder of a bench alone, or compare runs in {}", bench.display());
                return Err(Failure::new(Code::Files, message, Some(hint)));
            }
            let runs = paths.iter().map(|run| RunDir::open(run)).collect::<Result<Vec<_>, _>>()?;
            let folder = args.out.as_ref().unwrap_or(&default).parent().unwrap_or(Path::new(""));
            (page::comparison(&runs, folder)?, default)
        }
    };
    let out = args.out.clone().unwrap_or(default);
    if out.is_dir() {
        let hint = Some("give a file, as in -o report.html".to_owned());
        return Err(Failure::new(Code::Files, format!("{} is a folder", out.display()), hint));
    }
    page::write(&out, &html)?;
    output::print(&format!("Report: {}\n", out.display()))
}
