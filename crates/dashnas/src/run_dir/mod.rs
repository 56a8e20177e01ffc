//! The run directory: the files of a run.
//!
//! | module | contents |
//! |---|---|
//! | [`dir`] | the directory, its files and its logs |
//! | [`lock`] | the lock of a directory |
//! | [`environment`] | the program and the machine, as `environment.json` keeps them |
//! | [`names`] | the names of the files |
//! | [`error`] | the errors of all of these |

pub mod dir;
pub mod environment;
pub mod error;
pub mod lock;
pub mod names;
