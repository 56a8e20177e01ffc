//! `dashnas inspect`: a description of a data set and of the run that it would lead to.

use crate::args::flags::translate;
use crate::args::settings::Settings;
use crate::commands::opened::with_run_settings;
use crate::commands::setup::interruptible;
use crate::failure::Failure;
use crate::output;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::config::Config;
use dashnas::run::preview::Preview;
use dashnas::run::source;
use dashnas_data::dataset::Dataset;
use dashnas_data::inspect::Inspection;
use dashnas_formats::error::DataError;
use serde::Serialize;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A file or folder with a data set, or a task that `dashnas tasks` lists.
    pub data: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// Prints a description of a data set and of the run on it; of an incomplete data set, what is there and what is missing,
/// before it is refused as a run would refuse it.
pub fn inspect(args: &InspectArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let config = args.settings.load_for(&args.data)?;
    let since = Instant::now();
    let data = source::load(&args.data, &config, &mut interruptible(None, verbosity)?);
    match data {
        Err(dashnas::Error::Data(error @ DataError::Incomplete { .. })) => {
            incomplete(&error, args.json)?;
            Err(error.into())
        }
        data => summary(&config, &data?, since.elapsed(), args.json),
    }
}

fn summary(config: &Config, data: &Dataset, read_in: Duration, json: bool) -> Result<(), Failure> {
    let mut summary = data.inspect()?;
    summary.summary = with_run_settings(summary.summary, data, config);
    // The data set is described even where a run on it would be refused; the reason comes after it.
    let run = Preview::after(read_in, config, data);
    if json {
        output::print_json(&Inspected { summary, run: run.as_ref().ok() })?;
    } else {
        let run = run.as_ref().map(Preview::to_string).unwrap_or_default();
        output::print(&translate(&format!("{summary}{run}")))?;
    }
    run.map(|_| ()).map_err(Failure::from)
}

/// What `--json` prints of a data set.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    summary: Inspection,
    /// The run; null if it would be refused.
    run: Option<&'a Preview>,
}

/// What `--json` prints of an incomplete data set.
#[derive(Serialize)]
struct Contents<'a> {
    format: &'a str,
    contents: &'a [String],
    missing: &'a str,
}

/// Prints what is there and what is missing for a data set.
fn incomplete(error: &DataError, json: bool) -> Result<(), Failure> {
    // The caller checked that it is this error.
    let DataError::Incomplete { path, format, contents, missing } = error else { return Ok(()) };
    if json {
        return output::print_json(&Contents { format, contents, missing });
    }
    let mut text = format!("{}: {format}, not a complete data set\n", path.display());
    for line in contents {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  contains  {line}");
    }
    let _ = writeln!(text, "  missing   {missing}");
    output::print(&text)
}
