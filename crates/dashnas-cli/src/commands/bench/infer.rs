//! `dashnas bench infer`: the latency and throughput of a trained model.

use crate::args::common::CommonArgs;
use crate::args::numbers::{between, positive};
use crate::commands::setup::uninterruptible;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::bench::infer::{InferBench, InferReport};
use dashnas_core::text::plural;
use dashnas_nn::model::Model;
use std::path::PathBuf;
use std::time::Duration;

/// `bench infer`.
#[derive(Debug, Args)]
pub struct BenchInferArgs {
    /// A run directory, or a model.dashnas file.
    pub model: PathBuf,
    /// The number of single samples to measure.
    #[arg(long, value_name = "N", default_value_t = 200, allow_negative_numbers = true, value_parser = positive::<u32>())]
    pub repeats: u32,
    /// The number of samples in a batch, for the throughput.
    #[arg(long, value_name = "N", default_value_t = 64, allow_negative_numbers = true, value_parser = between::<u32>(1, 65536))]
    pub batch: u32,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// The longest time of each of the two measurements.
const LIMIT: Duration = Duration::from_secs(20);

/// Measures predictions.
pub fn infer(args: &BenchInferArgs, verbosity: Verbosity) -> Result<(), Failure> {
    uninterruptible(args.common.threads, verbosity)?;
    let model = Model::load(&args.model)?;
    let bench = InferBench { repeats: args.repeats as usize, batch: args.batch as usize, limit: LIMIT };
    let report = bench.run(&model)?;
    if args.common.json { output::print_json(&report) } else { output::print(&text(&report)) }
}

fn text(r: &InferReport) -> String {
    format!(
        "{}: {} parameters, input {:?}, {}\n\
         single samples: median {:.3} ms, 95th percentile {:.3} ms, of {}\n\
         batches of {}: {:.0} samples per second\n",
        r.data,
        r.params,
        r.input,
        plural(r.threads, "thread"),
        r.latency_ms,
        r.latency_p95_ms,
        r.repeats,
        r.batch,
        r.throughput,
    )
}
