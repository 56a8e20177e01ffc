//! Errors of networks, models and their files.

mod export;
mod input;
mod model;
mod output;

pub use crate::error::export::ExportError;
pub use crate::error::input::InputError;
pub use crate::error::model::ModelError;
pub use crate::error::output::OutputError;
