//! An ordinary run of the pipeline that is begun, or resumed where an earlier process was interrupted.

use crate::method::MethodInput;
use dashnas::config::sections::Config;
use dashnas::error::Error;
use dashnas::record::event::Observer;
use dashnas::record::outcome::Outcome;
use dashnas::run::pipeline::Run;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use std::path::Path;

/// Runs all stages under a configuration in the directory `out`, or the stages that are left there. The data is read once
/// for all runs, so that the time for it counts in none of them.
///
/// # Errors
/// Those of [`Run::start`], [`Run::open`] and [`Run::all`].
pub fn run(
    config: &Config,
    input: &MethodInput<'_>,
    out: &Path,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let run = match RunDir::started(out)? {
        Some(dir) => {
            let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
            Run::open(dir, &config, input.data, observer)?
        }
        None => Run::start(config, input.source, input.data, out, observer)?,
    };
    run.all()
}
