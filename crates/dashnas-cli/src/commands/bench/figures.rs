//! `dashnas bench figures`: the paper's figures 2 and 3, measured on this machine.

use crate::args::common::CommonArgs;
use crate::args::numbers::{between, decimal, positive};
use crate::commands::bench::plot::{self, Series};
use crate::commands::setup::uninterruptible;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use aggconv::Formulation;
use clap::Args;
use dashnas::bench::cases::{self, Case};
use dashnas::bench::{Mode, StepBench};
use dashnas_core::files::write_atomic;
use std::fs;
use std::path::{Path, PathBuf};

/// `bench figures`.
#[derive(Debug, Args)]
pub struct BenchFiguresArgs {
    /// The folder for the CSV and SVG files, which is created if necessary.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Samples in each step [default: 128, as in the paper].
    #[arg(long, allow_negative_numbers = true, value_parser = between::<u32>(1, 65536))]
    pub batch: Option<u32>,
    /// The number of measured steps at each point, after one that is not measured.
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = positive::<u16>())]
    pub steps: u16,
    /// The longest time of a step: once a formulation takes longer, its larger points are skipped.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = decimal)]
    pub limit: f64,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// The formulations of the figures with their labels: the five of the paper and the fastest here.
const FORMULATIONS: [(Formulation, &str); 6] = [
    (Formulation::MixedResults, "mixed-results"),
    (Formulation::MixedWeights, "mixed-weights"),
    (Formulation::MixedWeightsKronecker, "mixed-weights (Kronecker)"),
    (Formulation::Fourier, "DASH"),
    (Formulation::FourierKronecker, "DASH (Kronecker)"),
    (Formulation::Auto, "ours (auto)"),
];

/// Measures the figures and writes them.
pub fn figures(args: &BenchFiguresArgs, verbosity: Verbosity) -> Result<(), Failure> {
    uninterruptible(args.common.threads, verbosity)?;
    let figures =
        [("fig2", "operations in the search space", cases::figure_2()), ("fig3", "input length", cases::figure_3())];
    for (name, axis, _) in &figures {
        spare(&args.out, name, axis)?;
    }
    fs::create_dir_all(&args.out).map_err(|e| Failure::file("make", &args.out, &e))?;
    let mut written = Vec::new();
    for (name, axis, points) in figures {
        let series = measure(args, &points)?;
        let csv = args.out.join(format!("{name}.csv"));
        write(&csv, &plot::csv(axis, &series))?;
        let svg = args.out.join(format!("{name}.svg"));
        let drawn = plot::svg(&format!("Seconds per training step against {axis}"), axis, &series)
            .map_err(|reason| Failure::new(Code::Other, format!("cannot draw {}: {reason}", svg.display()), None))?;
        write(&svg, &drawn)?;
        written.extend([csv, svg]);
    }
    if args.common.json {
        return output::print_json(&written);
    }
    output::print(&written.iter().map(|p| format!("{}\n", p.display())).collect::<String>())
}

fn measure(args: &BenchFiguresArgs, points: &[(usize, Case)]) -> Result<Vec<Series>, Failure> {
    let mut all = Vec::new();
    for (formulation, label) in FORMULATIONS {
        let mut series = Series { label: label.into(), points: Vec::new() };
        for (x, case) in points {
            let mut case = case.clone();
            case.batch = args.batch.map_or(case.batch, |n| n as usize);
            let (mode, depthwise, width) = (Mode::Dash, false, 1);
            let bench =
                StepBench { case, mode, formulation: Some(formulation), depthwise, width, steps: args.steps.into() };
            let seconds = bench.run()?.seconds;
            tracing::info!("{label}, {x}: {seconds:.4} s");
            series.points.push((*x as f64, seconds));
            if seconds > args.limit {
                break;
            }
        }
        all.push(series);
    }
    Ok(all)
}

/// Checks that no file would be replaced but the table of this figure, which begins with its axis, and the drawing beside it.
fn spare(folder: &Path, name: &str, axis: &str) -> Result<(), Failure> {
    let (csv, svg) = (folder.join(format!("{name}.csv")), folder.join(format!("{name}.svg")));
    let own = fs::read(&csv).is_ok_and(|table| table.starts_with(axis.as_bytes()));
    match [csv, svg].into_iter().find(|path| path.exists()) {
        Some(path) if !own => {
            let message = format!(
                "the figure cannot be written to {}: there is a file that was not written by this command before",
                path.display()
            );
            Err(Failure::new(Code::Usage, message, Some("give another folder with --out".to_owned())))
        }
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    write_atomic(path, text.as_bytes()).map_err(|e| Failure::file("write", path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_only_figures() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let spared = || spare(folder.path(), "fig2", "length");
        assert!(spared().is_ok(), "nothing is there");
        fs::write(at("fig2.svg"), "<svg>mine</svg>").expect("writable");
        assert!(spared().is_err(), "the drawing is not ours");
        fs::write(at("fig2.csv"), "length,DASH\n1,2").expect("writable");
        assert!(spared().is_ok(), "both are of an earlier measurement");
        fs::write(at("fig2.csv"), "name,age\nx,1").expect("writable");
        assert!(spared().is_err(), "the table is not ours");
    }
}
