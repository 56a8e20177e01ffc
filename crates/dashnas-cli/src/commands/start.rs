//! What the commands that start a run share: their arguments, checks before the data is read, and failures.

use crate::args::common::CommonArgs;
use crate::args::settings::{Contradiction, Settings};
use crate::exit_code::Code;
use crate::failure::Failure;
use clap::Args;
use dashnas::run::kernels::KernelSource;
use dashnas::run_dir::dir::RunDir;
use std::path::{Path, PathBuf};

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What `search` takes, too.
    #[command(flatten)]
    pub start: StartArgs,
    /// Do not search: take the kernels of a run directory, of a JSON file with a list of [kernel size, dilation] such as
    /// its architecture.json, or random ones of the space with `random:SEED`.
    #[arg(long, value_name = "RUN|FILE|random:SEED", conflicts_with = "resume", help_heading = "Configuration")]
    pub architecture: Option<KernelSource>,
}

/// What `run` and `search` have in common.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// A file or folder with a data set, or a task that `dashnas tasks` lists; `dashnas inspect` describes it. With
    /// --resume, it is only needed if the data set has moved.
    #[arg(required_unless_present = "resume")]
    pub data: Option<String>,
    /// Resume a run that was stopped from its last checkpoint, with the configuration in its directory: options that
    /// contradict it are refused.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// The run directory to create for the results [default: runs/NAME-N].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// Where run directories are made unless `--out` says otherwise.
pub const RUNS: &str = "runs";

/// Checks what can be checked before the data set is read or made, which may take a while.
pub fn check_before_reading(args: &StartArgs, kernels: Option<&KernelSource>) -> Result<(), Failure> {
    if let Some(kernels) = kernels {
        if args.settings.sets("search.kernels") {
            return Err(twice());
        }
        kernels.check()?;
    }
    match &args.out {
        Some(out) => RunDir::probe(out)?,
        None => RunDir::probe(&default_out(Path::new(RUNS), "probe"))?,
    }
    Ok(())
}

/// Refuses options that contradict the configuration of a run that is to be resumed, which is in `file`.
pub fn check_resumed(args: &StartArgs, dir: &Path, file: &str) -> Result<(), Failure> {
    contradicted(&args.settings, dir, file, &format!("dashnas run --resume {}", dir.display()))
}

/// As [`check_resumed`], for the settings of any command; `command` is what resumes it.
pub fn contradicted(settings: &Settings, dir: &Path, file: &str, command: &str) -> Result<(), Failure> {
    let Some(Contradiction { option, recorded }) = settings.contradiction(&dir.join(file))? else {
        return Ok(());
    };
    let dir = dir.display();
    let message = match recorded {
        Some((key, value)) => {
            format!("{option} has no effect on a run that is resumed: its configuration has `{key} = {value}`")
        }
        None => format!("{option} has no effect on a run that is resumed: its configuration is in {dir}/{file}"),
    };
    let hint = format!("leave out {option}, or start a new run; `{command}` takes no other settings");
    Err(Failure::new(Code::Usage, message, Some(hint)))
}

/// The failure of a command that gives the kernels twice.
fn twice() -> Failure {
    let hint = "leave out one of them".to_owned();
    Failure::new(Code::Config, "both --architecture and `--set search.kernels` give the kernels", Some(hint))
}

/// The failure of a run, with the command that resumes it where that is possible.
pub fn stopped(error: dashnas::Error, dir: &Path) -> Failure {
    match error {
        dashnas::Error::Interrupted => {
            let hint = format!("resume it with `dashnas run --resume {}`", dir.display());
            Failure::new(Code::Interrupted, error, Some(hint))
        }
        dashnas::Error::Bound { key, ref least, .. } | dashnas::Error::GivenBound { key, ref least, .. } => {
            let dir = dir.display();
            let hint = format!(
                "set {key} to {least} in {dir}/config.toml and resume with `dashnas run --resume {dir}`; the search is kept"
            );
            Failure::new(Code::Config, error, Some(hint))
        }
        error => error.into(),
    }
}

/// `runs/NAME-N` with the first N from 1 that is free.
pub fn default_out(parent: &Path, name: &str) -> PathBuf {
    // The name may come from inside a file: it must not lead elsewhere.
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.trim_start_matches('.').chars().map(plain).collect();
    let free = (1u32..).map(|n| parent.join(format!("{name}-{n}"))).find(|path| !path.exists());
    free.unwrap_or_else(|| parent.join(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_directory_is_the_first_that_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        assert_eq!(default_out(&runs, "set"), runs.join("set-1"));
        std::fs::create_dir_all(runs.join("set-1")).unwrap();
        std::fs::write(runs.join("set-2"), "").unwrap();
        assert_eq!(default_out(&runs, "set"), runs.join("set-3"));
        assert_eq!(default_out(&runs, "../../etc/x y"), runs.join("-..-etc-x-y-1"));
    }
}
