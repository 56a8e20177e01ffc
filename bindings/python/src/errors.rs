//! Errors as Python exceptions: the classes of `dashnas.errors`, with a message and a hint.

use dashnas::Error;
use dashnas::config::error::ConfigError;
use dashnas::config::keys::KEYS;
use dashnas::run_dir::error::RunDirError;
use dashnas_core::files::FileError;
use dashnas_formats::error::DataError;
use dashnas_nn::error::{ExportError, ModelError};
use dashnas_tasks::recipes::error::TaskError;
use dashnas_tasks::source::SourceError;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use std::fmt::Display;
use std::io;

/// A class of `dashnas.errors`.
#[derive(Clone, Copy)]
pub enum Class {
    /// Arrays that cannot be used.
    Data,
    /// Settings that are invalid or do not fit the data.
    Config,
    /// A model file that cannot be used, or a model that cannot be exported.
    Model,
    /// Training that failed.
    Training,
    /// Operands of the operator that do not fit together.
    Operator,
}

impl Class {
    fn import<'py>(self, py: Python<'py>) -> PyResult<&'py Bound<'py, PyType>> {
        static CLASSES: [PyOnceLock<Py<PyType>>; 5] = [const { PyOnceLock::new() }; 5];
        let name = match self {
            Class::Data => "DataError",
            Class::Config => "ConfigError",
            Class::Model => "ModelError",
            Class::Training => "TrainingError",
            Class::Operator => "OperatorError",
        };
        CLASSES[self as usize].import(py, "dashnas.errors", name)
    }
}

/// An exception of a class, with a hint.
pub fn raise(py: Python<'_>, class: Class, message: &dyn Display, hint: Option<String>) -> PyErr {
    match class.import(py) {
        Ok(class) => PyErr::from_type(class.clone(), (message.to_string(), hint)),
        Err(error) => error,
    }
}

/// An error of the pipeline as an exception: one of Python's own where there is one, else a class of `dashnas.errors`.
pub fn from_pipeline(py: Python<'_>, error: impl Into<Error>) -> PyErr {
    let error = error.into();
    let class = match &error {
        Error::Interrupted => return PyKeyboardInterrupt::new_err(()),
        Error::File(FileError::Io { source, .. }) | Error::Config(ConfigError::Io { source, .. }) => {
            return io::Error::new(source.kind(), error.to_string()).into();
        }
        Error::RunDir(RunDirError::Exists { .. }) => {
            return io::Error::new(io::ErrorKind::AlreadyExists, error.to_string()).into();
        }
        Error::Data(_)
        | Error::Source(_)
        | Error::Model(ModelError::Input(_))
        | Error::OtherData { .. }
        | Error::Metric(_)
        | Error::MetricUndefined { .. } => Class::Data,
        Error::Config(_)
        | Error::Space(_)
        | Error::LossMismatch { .. }
        | Error::MetricMismatch { .. }
        | Error::Memory(_)
        | Error::TimeLimit(_)
        | Error::Bound { .. }
        | Error::GivenBound { .. }
        | Error::KernelFile { .. } => Class::Config,
        Error::Model(_) | Error::File(_) | Error::RunDir(RunDirError::NotARun { .. }) | Error::MissingStage { .. } => {
            Class::Model
        }
        _ => Class::Training,
    };
    raise(py, class, &error, hint(&error))
}

/// The parameters of the estimators that stand for keys of the configuration.
const PARAMETERS: [(&str, &str); 3] = [("preset", "preset"), ("seed", "seed"), ("budget.time-limit", "time_limit")];

/// A hint of the libraries, which name a setting by its key in backticks, with the names that an estimator has for some.
fn in_python(hint: &str) -> String {
    PARAMETERS.iter().fold(hint.to_owned(), |text, (key, name)| text.replace(&format!("`{key}`"), &format!("`{name}`")))
}

/// Advice in terms of Python: the estimators' own parameters by their names, other settings by their key in `config`.
fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Model(ModelError::Export(ExportError::UnknownOpset { .. })) => {
            Some("leave out `opset` for the default".to_owned())
        }
        Error::Model(ModelError::Export(ExportError::Opset { needs, .. })) => {
            Some(format!("use opset={needs} or a later version"))
        }
        Error::Model(ModelError::Export(ExportError::Transform { .. })) => {
            Some("use raw=True, and transform and normalize the inputs of the exported model beforehand".to_owned())
        }
        Error::MissingStage { .. } => Some("give the directory of a finished run, or a model.dashnas file".to_owned()),
        Error::Data(DataError::NonFinite { .. }) => Some("fill or drop the missing values before fitting".to_owned()),
        Error::Source(source) => match &**source {
            SourceError::Task(TaskError::NoFolder { task, .. } | TaskError::NoFile { task, .. }) => Some(format!(
                "give the folder of the files as `data_dir`, or download them with `dashnas fetch {task}`"
            )),
            _ => error.hint().map(|hint| in_python(&hint)),
        },
        Error::Config(ConfigError::UnknownKey { key, .. }) if KEYS.iter().any(|k| k.section == *key) => {
            let name = KEYS.iter().find(|k| k.section == *key).map_or("key", |k| k.name);
            Some(format!("`{key}` is a section: {{\"{key}\": {{\"{name}\": …}}}}"))
        }
        Error::Config(
            ConfigError::UnknownKey { suggestion: None, .. }
            | ConfigError::WrongType { .. }
            | ConfigError::Invalid { .. },
        ) => Some("docs/reference/config.md describes every key with its values".to_owned()),
        Error::Config(error) => error.hint(),
        error => error.hint().map(|hint| in_python(&hint)),
    }
}
