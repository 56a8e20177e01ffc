//! `dashnas config`.

use crate::args::ConfigArgs;
use crate::failure::Failure;
use crate::output;

/// Prints the layered configuration.
pub fn config(args: &ConfigArgs) -> Result<(), Failure> {
    let config = args.settings.load()?;
    if args.json { output::print_json(&config) } else { output::print(&config.to_toml()) }
}
