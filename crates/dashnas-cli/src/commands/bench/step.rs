//! `dashnas bench step`: one training step, measured on this machine.

use crate::args::common::CommonArgs;
use crate::args::numbers::{between, positive};
use crate::commands::setup::uninterruptible;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use aggconv::Formulation;
use clap::Args;
use clap::builder::PossibleValuesParser;
use dashnas::bench::cases;
use dashnas::bench::cases::Case;
use dashnas::bench::{Mode, StepBench, StepReport};
use dashnas_core::text::plural;
use std::fmt::Write;

/// `bench step`.
#[derive(Debug, Args)]
pub struct BenchStepArgs {
    /// The case: seqmnist, seqmnist1, seqmnist49, ecg, satellite, deepsea, cifar, ninapro, darcy or darcy29.
    #[arg(long)]
    pub case: String,
    /// The network: the supernet by its fastest formulation (dash), by Eq. 3 or Eq. 2 of the paper, the plain
    /// backbone, or a network of wide, dilated kernels (retrain).
    #[arg(long, default_value = "dash", value_parser = PossibleValuesParser::new(Mode::ALL.map(Mode::name)))]
    pub mode: String,
    /// The formulation of the mixture in mode dash [default: the fastest].
    #[arg(long, value_parser = PossibleValuesParser::new(Formulation::ALL.iter().map(|m| m.name())))]
    pub formulation: Option<String>,
    /// Use depthwise convolutions where the numbers of input and output channels are equal.
    #[arg(long)]
    pub depthwise: bool,
    /// The width factor of 2-D networks [default: 1 in search modes, 4 otherwise].
    #[arg(long, allow_negative_numbers = true, value_parser = between::<u16>(1, 64))]
    pub width: Option<u16>,
    /// Samples in each step [default: those of the case].
    #[arg(long, allow_negative_numbers = true, value_parser = between::<u32>(1, 65536))]
    pub batch: Option<u32>,
    /// The number of measured steps, after one that is not measured.
    #[arg(long, default_value_t = 3, allow_negative_numbers = true, value_parser = positive::<u16>())]
    pub steps: u16,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Measures one training step.
pub fn step(args: &BenchStepArgs, verbosity: Verbosity) -> Result<(), Failure> {
    uninterruptible(args.common.threads, verbosity)?;
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
        "{} {}{depthwise}, batch {}, {}: {:.4} s per step (median of {}), peak {memory}, {} parameters",
        r.case,
        r.mode.name(),
        r.batch,
        plural(r.threads, "thread"),
        r.seconds,
        r.all_seconds.len(),
        r.params,
    );
    let _ = writeln!(
        out,
        "{:.2} Gflop of convolutions per step: {:.0} % of the {:.0} Gflop/s that matrix products reach on this machine",
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
