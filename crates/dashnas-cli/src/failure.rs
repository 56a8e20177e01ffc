//! How the command fails: what went wrong, what to do, and the exit code.

use anstyle::{AnsiColor, Style};
use dashnas::config::ConfigError;
use dashnas::darcy::DarcyError;
use dashnas::data::DataError;
use dashnas::fetch::FetchError;
use dashnas::tasks::TaskError;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

/// Exit codes, as documented under `--help`; 0 is success and 2, wrong usage, is clap's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Anything without a code of its own.
    Other = 1,
    /// The data set cannot be read or used.
    Data = 3,
    /// The configuration is wrong or does not go with the data.
    Config = 4,
    /// A file or run directory cannot be read or written.
    Files = 5,
    /// Ctrl-C.
    Interrupted = 130,
}

/// An error on its way to the user.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// What went wrong, and where.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

impl Failure {
    /// A failure with a hint.
    pub fn new(code: Code, message: impl Display, hint: Option<String>) -> Self {
        Self { code, message: message.to_string(), hint }
    }

    /// A file that could not be worked on.
    pub fn file(action: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(Code::Files, format!("cannot {action} {}: {error}", path.display()), None)
    }

    /// What went wrong, and where.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Prints it to standard error.
    pub fn print(&self) {
        let mut text = line(AnsiColor::Red, "error", &self.message);
        if let Some(hint) = &self.hint {
            text += &line(AnsiColor::Cyan, "hint", hint);
        }
        // There is nowhere left to report that standard error is closed.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }
}

/// `label: text` with the label in colour. The streams of `anstream` drop the colour where it is not
/// wanted: `NO_COLOR`, files and pipes.
pub fn line(color: AnsiColor, label: &str, text: &str) -> String {
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{label}:{style:#} {text}\n")
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let code = if matches!(error, ConfigError::Io { .. }) { Code::Files } else { Code::Config };
        Self::new(code, &error, error.hint())
    }
}

impl From<dashnas::Error> for Failure {
    fn from(error: dashnas::Error) -> Self {
        use dashnas::Error;
        match error {
            Error::Config(error) => error.into(),
            Error::Data(error) => error.into(),
            error => {
                let code = match &error {
                    Error::Space(_)
                    | Error::LossMismatch { .. }
                    | Error::MetricMismatch { .. }
                    | Error::Memory { .. }
                    | Error::Bound { .. }
                    | Error::ConfigChanged { .. } => Code::Config,
                    Error::OtherData { .. } | Error::Input(_) | Error::Metric(_) | Error::Unjudgeable { .. } => {
                        Code::Data
                    }
                    Error::RunDirExists { .. }
                    | Error::NotARunDir { .. }
                    | Error::MissingStage { .. }
                    | Error::Corrupt { .. }
                    | Error::Checkpoints { .. }
                    | Error::CheckpointVersion { .. }
                    | Error::Locked { .. }
                    | Error::Output(_)
                    | Error::Io { .. } => Code::Files,
                    Error::Interrupted => Code::Interrupted,
                    _ => Code::Other,
                };
                Self::new(code, &error, error.hint())
            }
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::new(Code::Data, &error, error.hint())
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self::new(Code::Data, &error, error.hint())
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let code = match error {
            FetchError::Interrupted => Code::Interrupted,
            FetchError::Connection { .. } | FetchError::Status { .. } => Code::Other,
            _ => Code::Files,
        };
        Self::new(code, &error, error.hint())
    }
}

impl From<DarcyError> for Failure {
    fn from(error: DarcyError) -> Self {
        match error {
            DarcyError::Data(error) => error.into(),
            DarcyError::Cache { .. } => {
                Self::new(Code::Files, error, Some("set DASHNAS_CACHE to a folder that can be written".to_owned()))
            }
            DarcyError::Config { .. } => Self::new(Code::Config, error, None),
            _ => Self::new(Code::Other, error, None),
        }
    }
}
