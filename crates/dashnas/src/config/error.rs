//! What can be wrong with a configuration.

use std::path::PathBuf;

/// An error in a configuration, naming the key and where it was set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's message.
        message: String,
    },
    /// A key that does not exist.
    #[error("{origin}: there is no key `{key}`")]
    UnknownKey {
        /// `file:line` or the command-line flag.
        origin: String,
        /// The key as written, with its section.
        key: String,
        /// The nearest key that does exist.
        suggestion: Option<String>,
    },
    /// A value of the wrong type or an unknown name.
    #[error("{origin}: `{key}`: {message}")]
    WrongType {
        /// `file:line` or the command-line flag.
        origin: String,
        /// The key.
        key: String,
        /// What was found and expected.
        message: String,
    },
    /// A value out of its range.
    #[error("{}`{key}` is {value}, but {reason}", origin.as_ref().map_or_else(String::new, |origin| format!("{origin}: ")))]
    Invalid {
        /// `file:line` or the command-line flag, where the value was set there.
        origin: Option<String>,
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// What is required of it.
        reason: &'static str,
    },
    /// A value that does not go with the data set.
    #[error("`{key}` is {value}, which {reason}")]
    Mismatch {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// Why not.
        reason: String,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ConfigError::Io { .. } => "check the path and its permissions".to_owned(),
            ConfigError::Syntax { .. } => "the file is TOML: `key = value` lines under `[section]` headings".to_owned(),
            ConfigError::UnknownKey { suggestion: Some(near), .. } => format!("did you mean `{near}`?"),
            ConfigError::UnknownKey { suggestion: None, .. } => {
                "`dashnas config` prints every key with its meaning".to_owned()
            }
            ConfigError::WrongType { .. } | ConfigError::Invalid { .. } => {
                "`dashnas config` prints every key with its meaning and a valid value".to_owned()
            }
            ConfigError::Mismatch { key, .. } => format!("set `{key}` to \"auto\" to let the data decide"),
        })
    }
}
