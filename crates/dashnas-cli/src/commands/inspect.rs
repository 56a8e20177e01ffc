//! `dashnas inspect`.

use super::{prepare, source};
use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::output;
use crate::progress::Verbosity;
use dashnas::data::{self, DataError};
use dashnas::preview::Preview;
use dashnas::transform;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

/// Prints what a data set holds and what would be run on it, or what is there if it is not whole.
pub fn inspect(args: &InspectArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let config = args.settings.load_for(&args.data)?;
    if !source::is_built_in(&args.data) {
        match data::open(Path::new(&args.data), &config.read_options()) {
            Err(error @ DataError::Incomplete { .. }) => return incomplete(&error, args.json),
            Err(error) => return Err(error.into()),
            Ok(data) => return summary(&config, &transform::apply(&config, data)?, args.json),
        }
    }
    let data = source::load(&args.data, &config, &mut prepare(None, verbosity)?)?;
    summary(&config, &data, args.json)
}

fn summary(config: &dashnas::config::Config, data: &data::Dataset, json: bool) -> Result<(), Failure> {
    let mut summary = data.summary()?;
    summary.understood = summary.understood.under(config);
    // What the data are is said even where a run on them would be refused; why comes after it.
    let run = Preview::new(config, data);
    if json {
        output::print_json(&Inspected { summary, run: run.as_ref().ok() })?;
    } else {
        let run = run.as_ref().map(Preview::to_string).unwrap_or_default();
        output::print(&format!("{summary}{run}"))?;
    }
    run.map(|_| ()).map_err(Failure::from)
}

/// What `--json` prints of a data set.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    summary: data::Summary,
    /// What would be run; null if that would be refused.
    run: Option<&'a Preview>,
}

/// What `--json` prints of files that are no whole data set.
#[derive(Serialize)]
struct Contents<'a> {
    format: &'a str,
    contents: &'a [String],
    missing: &'a str,
}

/// Prints what is there and what a data set would need besides.
fn incomplete(error: &DataError, json: bool) -> Result<(), Failure> {
    // Only called for this one error.
    let DataError::Incomplete { path, format, contents, missing } = error else { return Ok(()) };
    if json {
        return output::print_json(&Contents { format, contents, missing });
    }
    let mut text = format!("{}: {format}, not a whole data set\n", path.display());
    for line in contents {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  holds     {line}");
    }
    let _ = writeln!(text, "  missing   {missing}");
    if let Some(hint) = error.hint() {
        let _ = writeln!(text, "  hint      {hint}");
    }
    output::print(&text)
}
