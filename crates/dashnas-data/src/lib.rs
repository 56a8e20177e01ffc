//! Data sets of dashnas: opened from files, assembled, checked, split, normalized, transformed and summarized. This crate
//! knows the formats below it, but nothing of tasks, networks or runs.
//!
//! | module | contents |
//! |---|---|
//! | [`open`] | opens a data set, or samples to predict from, by its path |
//! | `assemble` | decides the layout, the classes and the splits of what a reader found |
//! | [`labeled`] | new samples with labels, on which a trained model is scored |
//! | `draw`, `weights` | the test split of data without one; the weights of samples |
//! | [`centering`] | numbers that are subtracted from large values that vary little |
//! | `class_numbers` | labels that are numbers of listed classes |
//! | `infer` | infers the kind of task from the arrays |
//! | `check`, `in_files` | the checks that every data set passes, and the places of samples in their messages |
//! | `unknown` | targets of fields that are not known |
//! | `statistics` | what is known of all values from one pass over them |
//! | `suspect`, `unusual`, `levels` | warnings about what is probably a mistake |
//! | [`dataset`] | [`Dataset`], the splits with everything that is known about them |
//! | [`split`] | [`Split`], and dividing samples into splits |
//! | [`targets`] | [`Targets`], classes or values |
//! | [`segments`] | samples that are scored together, such as the seconds of a clip |
//! | [`normalize`] | normalization of inputs and targets |
//! | [`range`] | the smallest and the largest value of a channel |
//! | [`transform`] | transforms of samples |
//! | [`unlike`] | warnings about new inputs that do not look like the training data |
//! | [`preprocess`] | transforms of whole data sets |
//! | [`inspect`] | summaries for people and as JSON |
//! | [`npz`] | data sets as NumPy archives |
//!
//! ```
//! use dashnas_data::{Dataset, Split, Targets};
//! use dashnas_core::task::TaskKind;
//! use dashnas_formats::array::Array;
//!
//! // Four series of one channel and two points, in two classes; two more for the test.
//! let train = Split {
//!     x: Array::new(vec![4, 1, 2], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]),
//!     y: Targets::Classes(vec![0, 1, 0, 1]),
//! };
//! let test = train.select(&[0, 1]);
//! let set = Dataset::new("toy", TaskKind::Classification { classes: 2 }, train, None, test)?;
//! assert_eq!((set.dims(), set.channels(), set.spatial()), (1, 1, [1, 2]));
//! # Ok::<(), dashnas_formats::error::DataError>(())
//! ```

mod assemble;
pub mod centering;
mod check;
mod class_numbers;
pub mod dataset;
mod digits;
mod draw;
pub mod groups;
mod in_files;
mod infer;
pub mod inspect;
pub mod labeled;
mod levels;
pub mod normalize;
pub mod npz;
pub mod open;
pub mod preprocess;
pub mod range;
pub mod segments;
pub mod split;
mod statistics;
mod suspect;
pub mod targets;
#[cfg(test)]
mod tests;
pub mod transform;
mod unknown;
pub mod unlike;
mod unusual;
mod weights;

pub use crate::assemble::Inputs;
pub use crate::dataset::Dataset;
pub use crate::inspect::DataSummary;
pub use crate::split::Split;
pub use crate::targets::Targets;
pub use crate::transform::Transform;
