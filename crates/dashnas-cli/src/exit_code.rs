//! The exit codes of the command.

/// Exit codes, as documented under `--help`; 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Any error without a code of its own.
    Other = 1,
    /// Options that do not go together. What clap refuses has the same code.
    Usage = 2,
    /// The data set cannot be read or used.
    Data = 3,
    /// The configuration is wrong or does not go with the data.
    Config = 4,
    /// A file or run directory cannot be read or written.
    Files = 5,
    /// Interrupted by Ctrl-C or SIGTERM.
    Interrupted = 130,
}
