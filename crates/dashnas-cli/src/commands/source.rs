//! Where data sets come from.

use crate::failure::Failure;
use dashnas::config::{Config, TaskName};
use dashnas::data::npz::{self, LoadOptions};
use dashnas::data::{Dataset, TaskOverride};
use std::path::Path;

/// Reads the data set that an argument names.
///
/// # Errors
/// Exit code 3 with the data set's own error.
pub fn load(source: &str, config: &Config) -> Result<Dataset, Failure> {
    let options = LoadOptions { task: config.task.kind.map(task_override), ..LoadOptions::default() };
    Ok(npz::load(Path::new(source), &options)?)
}

fn task_override(name: TaskName) -> TaskOverride {
    match name {
        TaskName::Classification => TaskOverride::Classification,
        TaskName::MultiLabel => TaskOverride::MultiLabel,
        TaskName::Regression => TaskOverride::Regression,
        TaskName::DenseRegression => TaskOverride::DenseRegression,
        TaskName::DenseBinary => TaskOverride::DenseBinary,
    }
}
