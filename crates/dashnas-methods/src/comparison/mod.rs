//! A comparison of methods on one data set: a folder with a run directory for each method and seed.
//!
//! | module | contents |
//! |---|---|
//! | [`runner`] | [`runner::Comparison`]: checks, begins, resumes and runs it |
//! | [`request`] | what is compared, and what is refused before anything is made |
//! | [`record`] | what `comparison.json` keeps |
//! | [`folder`] | the files of its folder |
//! | [`method_result`] | the result of a run, and those of a method together |
//! | [`results`] | the results, as `results.json` keeps them |
//! | [`verdict`] | whether the seeds show a difference between the best two methods |

pub mod error;
pub mod folder;
pub mod method_result;
pub mod record;
pub mod request;
pub mod results;
pub mod runner;
pub mod verdict;
