//! `dashnas bench infer`: how long a trained model takes to predict.

use super::start;
use crate::args::CommonArgs;
use crate::failure::Failure;
use crate::output;
use crate::progress::Verbosity;
use clap::Args;
use dashnas::bench::{InferBench, InferReport};
use dashnas::model::Model;
use std::path::PathBuf;
use std::time::Duration;

/// `bench infer`.
#[derive(Debug, Args)]
pub struct BenchInferArgs {
    /// A run directory, or a model.dashnas file.
    pub model: PathBuf,
    /// Single samples to time.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: u32,
    /// Samples in a batch, for the throughput.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub batch: u32,
    /// How the result is printed and on how many threads it is computed.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Longest that each of the two measurements goes on.
const LIMIT: Duration = Duration::from_secs(20);

/// Times predictions.
pub fn infer(args: &BenchInferArgs, verbosity: Verbosity) -> Result<(), Failure> {
    start(args.common.threads, verbosity)?;
    let model = Model::load(&args.model)?;
    let bench = InferBench { repeats: args.repeats as usize, batch: args.batch as usize, limit: LIMIT };
    let report = bench.run(&model)?;
    if args.common.json { output::print_json(&report) } else { output::print(&text(&report)) }
}

fn text(r: &InferReport) -> String {
    format!(
        "{}: {} parameters, input {:?}, {} threads\n\
         one sample: {:.3} ms median, {:.3} ms 95th percentile, of {}\n\
         batches of {}: {:.0} samples a second\n",
        r.data, r.params, r.input, r.threads, r.latency_ms, r.latency_p95_ms, r.repeats, r.batch, r.throughput,
    )
}
