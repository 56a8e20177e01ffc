//! `dashnas bench`: training steps and the paper's figures, timed on this machine.

use super::start;
use crate::args::{BenchFiguresArgs, BenchStepArgs};
use crate::failure::{Code, Failure};
use crate::output;
use crate::plot::{self, Series};
use crate::progress::Verbosity;
use dashnas::bench::cases::{self, Case};
use dashnas::bench::{Mode, StepBench, StepReport};
use dashnas::config::Formulation;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Times one training step.
pub fn step(args: &BenchStepArgs, verbosity: Verbosity) -> Result<(), Failure> {
    start(args.common.threads, verbosity)?;
    let mut case = Case::named(&args.case).ok_or_else(|| {
        let names: Vec<String> = cases::cases().into_iter().map(|c| c.name).collect();
        Failure::new(
            Code::Other,
            format!("there is no case {}", args.case),
            Some(format!("one of {}", names.join(", "))),
        )
    })?;
    case.batch = args.batch.map_or(case.batch, |n| n as usize);
    // clap has checked both names against the same lists.
    let mode = Mode::ALL.into_iter().find(|m| m.name() == args.mode).unwrap_or(Mode::Dash);
    let formulation =
        args.formulation.as_deref().and_then(|name| Formulation::ALL.iter().copied().find(|m| m.name() == name));
    let bench = StepBench {
        case,
        mode,
        formulation,
        depthwise: args.depthwise,
        width: args.width.map_or(mode.default_width(), usize::from),
        steps: args.steps.into(),
    };
    let report = bench.run()?;
    if args.common.json { output::print_json(&report) } else { output::print(&text(&report)) }
}

fn text(r: &StepReport) -> String {
    let mut out = String::new();
    let depthwise = if r.depthwise { ", depthwise" } else { "" };
    let memory = r.peak_mib.map_or_else(|| "unknown".to_owned(), |m| format!("{m} MiB"));
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{} {}{depthwise}, batch {}, {} threads: {:.4} s/step (median of {}), peak {memory}, {} parameters",
        r.case,
        r.mode.name(),
        r.batch,
        r.threads,
        r.seconds,
        r.all_seconds.len(),
        r.params,
    );
    let _ = writeln!(
        out,
        "{:.2} Gflop of convolution a step: {:.0} % of the {:.0} Gflop/s that matrix products reach here",
        r.gflop,
        100.0 * r.fraction_of_peak,
        r.peak_gflops,
    );
    for (i, l) in r.layers.iter().enumerate() {
        let convolutions = if l.convolutions == 1 { String::new() } else { format!(" x {}", l.convolutions) };
        let _ = writeln!(
            out,
            "{:>3}  {:>4} -> {:<4} {:>4} x {:<4} stride {} groups {:<4} {:>4} taps  {:<8}{convolutions} {:.3} Gflop",
            i + 1,
            l.channels[0],
            l.channels[1],
            l.input[0],
            l.input[1],
            l.stride,
            l.groups,
            l.taps,
            format!("{:?}", l.algorithm).to_lowercase(),
            l.gflop,
        );
    }
    out
}

/// The formulations of the figures, the paper's five and ours, with how they are labelled.
const FORMULATIONS: [(Formulation, &str); 6] = [
    (Formulation::MixedResults, "mixed-results"),
    (Formulation::MixedWeights, "mixed-weights"),
    (Formulation::MixedWeightsKronecker, "mixed-weights (Kronecker)"),
    (Formulation::Fourier, "DASH"),
    (Formulation::FourierKronecker, "DASH (Kronecker)"),
    (Formulation::Auto, "ours (auto)"),
];

/// Times the figures and writes them.
pub fn figures(args: &BenchFiguresArgs, verbosity: Verbosity) -> Result<(), Failure> {
    start(args.common.threads, verbosity)?;
    fs::create_dir_all(&args.out).map_err(|e| Failure::file("make", &args.out, &e))?;
    let figures =
        [("fig2", "operations in the search space", cases::figure_2()), ("fig3", "input length", cases::figure_3())];
    let mut written = Vec::new();
    for (name, axis, points) in figures {
        let series = measure(args, &points)?;
        let csv = args.out.join(format!("{name}.csv"));
        write(&csv, &plot::csv(axis, &series))?;
        let svg = args.out.join(format!("{name}.svg"));
        let drawn = plot::svg(&format!("Seconds a training step against {axis}"), axis, &series)
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

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| Failure::file("write", path, &e))
}
