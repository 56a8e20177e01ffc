//! Options that all commands that compute have in common.

use crate::args::numbers::positive;
use clap::Args;

/// Options of every command that computes.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
    /// The number of threads; the result does not depend on it [default: one for each core].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive::<u16>())]
    pub threads: Option<u16>,
}
