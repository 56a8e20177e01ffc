//! The file of a trained model: `model.dashnas`.
//!
//! It is a [safetensors](https://huggingface.co/docs/safetensors) file, so that its weights can be read by many
//! programs. Everything else that is needed to run them on raw data, the [`ModelCard`], is JSON in the file's
//! metadata under the key `dashnas`, with the version of this format and a SHA-256 over card and weights.

pub mod card;
mod check;
pub mod file;

pub use crate::artifact::card::{LabelType, ModelCard, TrainingSummary};
pub use crate::artifact::file::{Artifact, MODEL, signed};
