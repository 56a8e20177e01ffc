//! The run directory: the files of a run.
//!
//! | module | contents |
//! |---|---|
//! | [`dir`] | the directory, its files, its logs and its lock |
//! | [`environment`] | the program and the machine, as `environment.json` keeps them |
//! | [`names`] | the names of the files |
//! | [`error`] | the errors of all of these |

pub mod dir;
pub mod environment;
pub mod error;
pub mod names;
