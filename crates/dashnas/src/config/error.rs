//! Errors in a configuration.

use std::path::PathBuf;

/// An error in a configuration, naming the key and where it was set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The message of the parser.
        message: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`")]
    UnknownKey {
        /// `file:line`, or the origin of the override.
        origin: String,
        /// The key as written, with its section.
        key: String,
        /// The most similar key that exists.
        suggestion: Option<String>,
    },
    /// A preset that is set like a value over another preset, of which only the name would change.
    #[error("{origin}: `preset` is what the other values start from, and not one of them")]
    Preset {
        /// The origin of the override.
        origin: String,
        /// The preset that was asked for.
        value: String,
    },
    /// A value of the wrong type or an unknown name.
    #[error("{origin}: `{key}`: {message}")]
    WrongType {
        /// `file:line`, or the origin of the override.
        origin: String,
        /// The key.
        key: String,
        /// The value that was found, and those that are allowed.
        message: String,
    },
    /// A value out of its range.
    #[error("{}`{key}` is {value}, but {reason}", origin.as_ref().map_or_else(String::new, |origin| format!("{origin}: ")))]
    Invalid {
        /// `file:line` or the origin of the override, if one of them set the value.
        origin: Option<String>,
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// The requirement.
        reason: &'static str,
    },
    /// A value that does not fit the data set.
    #[error("`{key}` is {value}, which {reason}")]
    Mismatch {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// The cause, as a clause after `which`.
        reason: String,
    },
}

impl ConfigError {
    /// Advice for the user, if there is some.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ConfigError::Io { .. } => "check the path and its permissions".to_owned(),
            ConfigError::Syntax { .. } => "the file is TOML: `key = value` lines under `[section]` headings".to_owned(),
            ConfigError::UnknownKey { suggestion: Some(near), .. } => format!("did you mean `{near}`?"),
            ConfigError::UnknownKey { suggestion: None, .. }
            | ConfigError::WrongType { .. }
            | ConfigError::Invalid { .. } => {
                "the configuration reference lists every key with its meaning and a valid value".to_owned()
            }
            ConfigError::Preset { value, .. } => {
                format!("choose the preset {value} itself, and set other values over it")
            }
            ConfigError::Mismatch { key: "search.kernels", .. } => {
                "give one `[k, d]` for each searched layer, or set `search.kernels` to \"auto\" to search them"
                    .to_owned()
            }
            ConfigError::Mismatch { key, .. } => format!("set `{key}` to \"auto\" to choose it by the data"),
        })
    }
}
