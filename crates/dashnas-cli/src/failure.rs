//! Failures of the command: the message, the hint and the exit code.

use crate::args::flags::translate;
use crate::exit_code::Code;
use crate::hints;
use crate::label::line;
use anstyle::AnsiColor;
use dashnas::bench::search::error::SearchBenchError;
use dashnas::config::error::ConfigError;
use dashnas::run_dir::error::RunDirError;
use dashnas_formats::error::DataError;
use dashnas_methods::comparison::error::ComparisonError;
use dashnas_nn::error::ModelError;
use dashnas_tasks::darcy::DarcyError;
use dashnas_tasks::fetch::FetchError;
use dashnas_tasks::recipes::error::TaskError;
use dashnas_tasks::source::SourceError;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

/// An error as the user sees it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// The fact and its cause.
    message: String,
    /// Advice.
    hint: Option<String>,
}

impl Failure {
    /// A failure with or without a hint.
    pub fn new(code: Code, message: impl Display, hint: Option<String>) -> Self {
        Self { code, message: message.to_string(), hint }
    }

    /// The same failure with other advice.
    pub fn with_hint(self, hint: String) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// A file that could not be worked on.
    pub fn file(action: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(Code::Files, format!("cannot {action} {}: {error}", path.display()), None)
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

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let code = if matches!(error, ConfigError::Io { .. }) { Code::Files } else { Code::Config };
        Self::new(code, &error, hints::of_config(&error))
    }
}

impl From<dashnas::Error> for Failure {
    fn from(error: dashnas::Error) -> Self {
        use dashnas::Error;
        match error {
            Error::Config(error) => error.into(),
            Error::Data(error) => error.into(),
            Error::Source(error) => match *error {
                SourceError::Task(error) => error.into(),
                SourceError::Darcy(error) => error.into(),
                SourceError::Data(error) => error.into(),
                error @ SourceError::Interrupted => Self::new(Code::Interrupted, error, None),
            },
            error => {
                let code = match &error {
                    Error::Space(_)
                    | Error::LossMismatch { .. }
                    | Error::MetricMismatch { .. }
                    | Error::Memory(_)
                    | Error::TimeLimit(_)
                    | Error::Bound { .. }
                    | Error::GivenBound { .. }
                    | Error::ConfigChanged { .. } => Code::Config,
                    Error::OtherData { .. }
                    | Error::Model(ModelError::Input(_))
                    | Error::Metric(_)
                    | Error::MetricUndefined { .. } => Code::Data,
                    Error::RunDir(_)
                    | Error::MissingStage { .. }
                    | Error::KernelFile { .. }
                    | Error::Model(ModelError::Output(_) | ModelError::NotAModel { .. })
                    | Error::File(_) => Code::Files,
                    Error::Interrupted => Code::Interrupted,
                    _ => Code::Other,
                };
                let hint = hints::of_pipeline(&error);
                Self::new(code, &error, hint)
            }
        }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        dashnas::Error::from(error).into()
    }
}

impl From<SearchBenchError> for Failure {
    fn from(error: SearchBenchError) -> Self {
        let hint = error.hint().map(|hint| translate(&hint));
        match error {
            SearchBenchError::Run(error) => error.into(),
            SearchBenchError::Changed { .. } => {
                let hint = "restore the setting, or choose another --out for the other configuration";
                Self::new(Code::Config, error, Some(hint.to_owned()))
            }
            SearchBenchError::Unsuitable { .. } => Self::new(Code::Config, translate(&error.to_string()), hint),
            SearchBenchError::Damaged { .. } => Self::new(Code::Files, error, hint),
        }
    }
}

impl From<ComparisonError> for Failure {
    fn from(error: ComparisonError) -> Self {
        let hint = error.hint().map(|hint| translate(&hint));
        match error {
            ComparisonError::Run(error) => error.into(),
            ComparisonError::Unknown { .. } | ComparisonError::Empty { .. } => Self::new(Code::Usage, error, hint),
            error => Self::new(Code::Config, translate(&error.to_string()), hint),
        }
    }
}

impl From<RunDirError> for Failure {
    fn from(error: RunDirError) -> Self {
        dashnas::Error::from(error).into()
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::new(Code::Data, &error, hints::of_data(&error))
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self::new(Code::Data, &error, hints::of_task(&error))
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let code = match error {
            FetchError::Interrupted => Code::Interrupted,
            FetchError::Connection { .. } | FetchError::Status { .. } => Code::Other,
            _ => Code::Files,
        };
        Self::new(code, &error, hints::of_fetch(&error))
    }
}

impl From<DarcyError> for Failure {
    fn from(error: DarcyError) -> Self {
        match error {
            DarcyError::Data(error) => error.into(),
            DarcyError::Cache { .. } => Self::new(
                Code::Files,
                error,
                Some("set the environment variable DASHNAS_CACHE to a folder that can be written".to_owned()),
            ),
            DarcyError::Config { .. } => Self::new(Code::Config, error, None),
            _ => Self::new(Code::Other, error, None),
        }
    }
}
