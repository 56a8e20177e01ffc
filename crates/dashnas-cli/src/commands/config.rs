//! `dashnas config`: the configuration that options and files lead to.

use crate::args::settings::Settings;
use crate::failure::Failure;
use crate::output;
use clap::Args;

/// `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// Prints the configuration.
pub fn config(args: &ConfigArgs) -> Result<(), Failure> {
    let config = args.settings.load()?;
    if args.json { output::print_json(&config) } else { output::print(&config.to_toml()) }
}
