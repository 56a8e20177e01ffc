//! How much the command prints besides its results.

/// How much to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings only.
    Quiet,
    /// A bar, or a line now and then; a line for each stage and trial.
    Normal,
    /// Also a line for each epoch.
    Verbose,
}
