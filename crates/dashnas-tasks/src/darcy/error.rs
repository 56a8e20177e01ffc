//! Failures to generate Darcy flow data.

use dashnas_formats::error::DataError;
use std::path::PathBuf;
use thiserror::Error;

/// A failure to generate Darcy flow data.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DarcyError {
    /// A value of the configuration is out of its range.
    #[error("`{key}` is {value}: {reason}")]
    Config {
        /// The configuration key.
        key: &'static str,
        /// Its value.
        value: usize,
        /// The range.
        reason: &'static str,
    },
    /// The number of values does not fit the grid, or the grid is too small.
    #[error("there are {values} values for a grid of {nodes}×{nodes} nodes, which must be at least 3×3")]
    Grid {
        /// Nodes on a side.
        nodes: usize,
        /// Number of values.
        values: usize,
    },
    /// A coefficient is not positive and finite.
    #[error("the coefficient at node ({row}, {column}) is {value}, but it must be positive and finite")]
    Coefficient {
        /// Row of the node.
        row: usize,
        /// Column of the node.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The solver ran out of iterations.
    #[error("the solver did not converge in {iterations} iterations: the relative residual is {residual:.1e}")]
    NotConverged {
        /// Number of iterations.
        iterations: usize,
        /// The relative residual.
        residual: f64,
    },
    /// The cache cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The generated data do not form a data set.
    #[error(transparent)]
    Data(#[from] DataError),
}
