//! The report of a bench of the search, and its results in words, which the command shows too.
//!
//! | module | contents |
//! |---|---|
//! | [`conclusion`] | what follows from the interval of the percentile, as a sentence |
//! | [`wording`] | the groups of networks with their figures, and other results in words |
//! | `spread` | the errors of all networks as a drawing |
//! | `view` | everything that the report shows |

pub mod conclusion;
mod spread;
pub(crate) mod view;
pub mod wording;
