//! `dashnas inspect`.

use super::{prepare, source};
use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::output;
use crate::progress::Verbosity;

/// Prints what a data set holds and what would be run on it.
pub fn inspect(args: &InspectArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let config = args.settings.load_for(&args.data)?;
    let data = source::load(&args.data, &config, &mut prepare(None, verbosity)?)?;
    let mut summary = data.summary();
    summary.loss = config.loss(data.task);
    summary.metric = config.metric(data.task);
    if args.json { output::print_json(&summary) } else { output::print(&summary.to_string()) }
}
