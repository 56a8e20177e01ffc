//! The errors of a comparison of methods.

use dashnas::error::Error;

/// An error of a comparison as a whole. The failure of one of its runs is a result.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// A setting that the methods decide, or that makes them incomparable.
    #[error("`{key}` is set, but {reason}")]
    Unsuitable {
        /// The key of the configuration.
        key: &'static str,
        /// Why it cannot be set.
        reason: &'static str,
    },
    /// There is no method or no seed to compare.
    #[error("{what} are compared")]
    Empty {
        /// What there is none of.
        what: &'static str,
    },
    /// There is no method of a name.
    #[error("there is no method `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// No method can be used on the data.
    #[error("no method suits this data: {}", reasons.join("; "))]
    NoneSuits {
        /// The name of each method with its reason.
        reasons: Vec<String>,
    },
    /// An error of the data, the configuration or the files.
    #[error(transparent)]
    Run(#[from] Error),
}

impl ComparisonError {
    /// Advice on how to solve the problem, if there is any. Settings are named by their configuration keys.
    pub fn hint(&self) -> Option<String> {
        match self {
            ComparisonError::Unsuitable { key, .. } => Some(format!("do not set `{key}`")),
            ComparisonError::Empty { .. } => Some("give at least one method and one seed".into()),
            ComparisonError::Unknown { .. } | ComparisonError::NoneSuits { .. } => {
                let names: Vec<&str> = crate::list::all().iter().map(|method| method.name()).collect();
                Some(format!("the methods are {}", names.join(", ")))
            }
            ComparisonError::Run(error) => error.hint(),
        }
    }
}
