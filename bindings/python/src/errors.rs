//! Errors on their way to Python: the exception classes of `dashnas.errors`, with the message and the hint.

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
    /// Settings that are wrong or do not go with the data.
    Config,
    /// A model file that cannot be used, or a model that cannot be exported.
    Model,
    /// Training that came to nothing.
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

/// An exception of a class, with what the user can do about it.
pub fn raise(py: Python<'_>, class: Class, message: &dyn Display, hint: Option<String>) -> PyErr {
    match class.import(py) {
        Ok(class) => PyErr::from_type(class.clone(), (message.to_string(), hint)),
        Err(error) => error,
    }
}

/// What the pipeline reports, as Python's own kind of exception where there is one.
pub fn from_pipeline(py: Python<'_>, error: dashnas::Error) -> PyErr {
    use dashnas::Error;
    use dashnas::config::ConfigError;
    let hint = error.hint();
    let class = match &error {
        Error::Interrupted => return PyKeyboardInterrupt::new_err(()),
        Error::Io { source, .. } | Error::Config(ConfigError::Io { source, .. }) => {
            return io::Error::new(source.kind(), error.to_string()).into();
        }
        Error::RunDirExists { .. } => {
            return io::Error::new(io::ErrorKind::AlreadyExists, error.to_string()).into();
        }
        Error::Data(_) | Error::Input(_) | Error::OtherData { .. } | Error::Metric(_) | Error::Unjudgeable { .. } => {
            Class::Data
        }
        Error::Config(_)
        | Error::Space(_)
        | Error::LossMismatch { .. }
        | Error::MetricMismatch { .. }
        | Error::Memory { .. }
        | Error::Bound { .. } => Class::Config,
        Error::Model { .. }
        | Error::Export(_)
        | Error::Corrupt { .. }
        | Error::NotARunDir { .. }
        | Error::MissingStage { .. } => Class::Model,
        _ => Class::Training,
    };
    raise(py, class, &error, hint)
}
