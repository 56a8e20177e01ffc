//! The methods of the paper's tables, as far as the project has them, and others; and their comparison on one data set.
//!
//! | module | contents |
//! |---|---|
//! | [`method`] | the trait [`method::Method`] |
//! | [`list`] | all methods, by name |
//! | `settings` | methods that are a run of the pipeline under settings of their own, one entry of a table each |
//! | [`run`] | an ordinary run that is begun or resumed, with which most methods train |
//! | [`comparison`] | every method under several seeds, in a folder of run directories |

pub mod comparison;
pub mod list;
pub mod method;
pub mod run;
mod settings;
