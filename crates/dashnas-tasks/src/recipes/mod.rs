//! The ten tasks of the paper (NAS-Bench-360; appendix A.4 and A.5.2) as recipes. A [`Recipe`] says which files a task
//! consists of and where they are published, reads, prepares and splits them, and gives the loss, the metric and the
//! hyperparameters of the paper.
//!
//! The settings of a recipe lie between the preset and the user's own settings.

mod cifar100;
mod cosmic;
mod darcy_flow;
mod deepsea;
mod ecg;
pub mod error;
mod files;
mod fsd50k;
mod legacy_random;
mod ninapro;
mod psicov;
pub mod recipe;
mod satellite;
mod spherical;

pub use crate::recipes::error::TaskError;
pub use crate::recipes::recipe::Recipe;

/// Every task, in the order of the paper's Table 4.
pub const ALL: [&Recipe; 10] = [
    &cifar100::RECIPE,
    &spherical::RECIPE,
    &ninapro::RECIPE,
    &fsd50k::RECIPE,
    &darcy_flow::RECIPE,
    &psicov::RECIPE,
    &cosmic::RECIPE,
    &ecg::RECIPE,
    &satellite::RECIPE,
    &deepsea::RECIPE,
];

/// The task of that name.
pub fn find(name: &str) -> Option<&'static Recipe> {
    ALL.into_iter().find(|recipe| recipe.name == name)
}

#[cfg(test)]
mod tests;
