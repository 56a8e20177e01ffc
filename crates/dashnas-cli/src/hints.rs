//! Advice to a user of the command.
//!
//! The libraries name a setting by its key in the configuration; here keys become options, and what only the command has
//! (its subcommands, `--out`, `--resume` and the like) is added.

use crate::args::flags::{flag, translate};
use dashnas::Error;
use dashnas::config::error::ConfigError;
use dashnas::run_dir::error::{Holds, RunDirError};
use dashnas_core::files::FileError;
use dashnas_formats::error::DataError;
use dashnas_nn::error::ExportError;
use dashnas_nn::error::ModelError;
use dashnas_tasks::fetch::FetchError;
use dashnas_tasks::recipes;
use dashnas_tasks::recipes::error::TaskError;
use std::io::ErrorKind;
use std::path::Path;

/// Advice on an error of the pipeline.
pub fn of_pipeline(error: &Error) -> Option<String> {
    let own = match error {
        Error::Data(error) => return of_data(error),
        Error::RunDir(error) => of_run_dir(error),
        Error::Model(error) => of_model(error),
        Error::MissingStage { path, needs: "search", .. } => {
            Some(format!("run `dashnas search --resume {}` first", path.display()))
        }
        Error::MissingStage { path, needs, .. } => Some(format!("run `dashnas {needs} {}` first", path.display())),
        Error::Memory(error) => Some(format!(
            "set {} to at least {}M, or make the network narrower (`backbone.width`)",
            flag("budget.memory-limit"),
            error.least.div_ceil(1 << 20)
        )),
        Error::TimeLimit(short) => Some(format!(
            "set {} to {}, which is enough by these times with some to spare, or make a step cheaper: shorter series, \
             smaller images, a narrower network (`backbone.channels`, `backbone.width`), fewer test samples",
            flag("budget.time-limit"),
            short.least_text(1.0)
        )),
        Error::Bound { key, least, .. } => Some(format!(
            "raise {} to {least}, or make the network smaller: `backbone.width`, `backbone.channels`, {}",
            flag(key),
            flag("space.kernel-sizes")
        )),
        Error::File(error) => of_file(error),
        _ => None,
    };
    own.or_else(|| error.hint().map(|hint| translate(&hint)))
}

/// Advice on an error in the configuration, whose keys keep their names: the user may have written them.
pub fn of_config(error: &ConfigError) -> Option<String> {
    match error {
        ConfigError::UnknownKey { suggestion: None, .. }
        | ConfigError::WrongType { .. }
        | ConfigError::Invalid { .. } => {
            Some("`dashnas config` prints every key with its meaning and a valid value".to_owned())
        }
        ConfigError::Preset { value, .. } => Some(format!("use {} {value}", flag("preset"))),
        error => error.hint(),
    }
}

/// Advice on an error of a data set.
pub fn of_data(error: &DataError) -> Option<String> {
    match error {
        DataError::Missing { path } => Some(match near_task(path) {
            Some(task) => format!("did you mean the task {task}? `dashnas tasks` lists all of them"),
            None => "check the path; `dashnas tasks` lists the data sets that have a name".to_owned(),
        }),
        DataError::Gone { .. } => Some(
            "the file was changed while it was in use: restore it, and resume the run with `dashnas run --resume`"
                .to_owned(),
        ),
        error => error.hint().map(|hint| translate(&hint)),
    }
}

/// Advice on an error of a task's files.
pub fn of_task(error: &TaskError) -> Option<String> {
    match error {
        TaskError::NoFolder { task, .. } => {
            Some(format!("download the files with `dashnas fetch {task}`, or give their folder with --data-dir"))
        }
        TaskError::NoFile { task, .. } => Some(format!(
            "`dashnas tasks {task}` lists the files of the task; `dashnas fetch {task}` downloads those that can be downloaded"
        )),
        TaskError::Data(error) => of_data(error),
        error => error.hint().map(|hint| translate(&hint)),
    }
}

/// Advice on a failed download.
pub fn of_fetch(error: &FetchError) -> Option<String> {
    match error {
        FetchError::Connection { .. } => {
            Some("check the network connection, and run the same command again to resume the download".to_owned())
        }
        FetchError::Status { .. } => Some(
            "the file may have moved: give another address with --from, or put the file into the folder yourself"
                .to_owned(),
        ),
        FetchError::Size { .. } | FetchError::Checksum { .. } => {
            Some("the file was renamed to end in .bad; run the same command again to download it anew".to_owned())
        }
        FetchError::Interrupted => Some("run the same command again to resume the download".to_owned()),
        error => error.hint(),
    }
}

fn of_run_dir(error: &RunDirError) -> Option<String> {
    Some(match error {
        RunDirError::Exists { path, run: true } => {
            format!("resume it with `dashnas run --resume {}`, or choose another --out", path.display())
        }
        RunDirError::Exists { .. } => "choose another --out".to_owned(),
        RunDirError::NotARun { path, holds: Some(Holds::Comparison) } => {
            let path = path.display();
            format!(
                "give one of the run directories in it, or continue the comparison with `dashnas compare --resume {path}`"
            )
        }
        RunDirError::NotARun { holds: Some(Holds::Folds), .. } => return error.hint(),
        RunDirError::NotARun { .. } => not_a_run(),
        RunDirError::Locked { .. } => "wait until the process has ended, or choose another --out".to_owned(),
        _ => return None,
    })
}

fn of_model(error: &ModelError) -> Option<String> {
    Some(match error {
        ModelError::Untrained { path, .. } => format!("run `dashnas train {}` first", path.display()),
        ModelError::NotARun { .. } => not_a_run(),
        ModelError::Export(ExportError::UnknownOpset { .. }) => "leave out --opset for the default".to_owned(),
        ModelError::Export(ExportError::Opset { needs, .. }) => format!("use --opset {needs} or a later version"),
        ModelError::Export(ExportError::Transform { .. }) => {
            "use --raw, and transform and normalize the inputs of the exported model beforehand".to_owned()
        }
        ModelError::Export(ExportError::TooLarge { .. }) => "use --format safetensors".to_owned(),
        _ => return None,
    })
}

fn not_a_run() -> String {
    "give the directory that `dashnas run` or `dashnas search` printed. If the run stopped before config.toml was written, \
     start it again"
        .to_owned()
}

fn of_file(error: &FileError) -> Option<String> {
    let FileError::Io { source, action, .. } = error else { return None };
    Some(
        match source.kind() {
            ErrorKind::PermissionDenied => "check the permissions, or choose another --out",
            ErrorKind::NotADirectory => "a part of the path is a file, not a folder: choose another --out",
            ErrorKind::InvalidFilename => "choose a shorter --out",
            ErrorKind::ReadOnlyFilesystem => "choose an --out on a file system that can be written",
            // The library's own hint.
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => return None,
            _ if action.ends_with("the run directory") => "choose another --out",
            _ => return None,
        }
        .to_owned(),
    )
}

/// The task whose name a missing path resembles: one begins with the other, as `darcy` does.
fn near_task(path: &Path) -> Option<&'static str> {
    if path.extension().is_some() {
        return None;
    }
    let written = path.to_str()?.to_lowercase().replace('_', "-");
    let near = |name: &str| written.len() >= 3 && (name.starts_with(&written) || written.starts_with(name));
    recipes::ALL.iter().map(|recipe| recipe.name).find(|name| near(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_path_like_a_task_leads_to_the_task() {
        let hint = |path: &str| of_data(&DataError::Missing { path: path.into() }).expect("a hint");
        assert!(hint("darcy").contains("did you mean the task darcy-flow?"));
        assert!(hint("Darcy_Flow").contains("did you mean the task darcy-flow?"));
        assert!(hint("windows.csv").starts_with("check the path"));
        assert!(hint("satellite.csv").starts_with("check the path"), "a file, not the task");
    }
}
