//! What a run of dashnas leaves for people to look at: the report, the state of a running run, TensorBoard's event files.
//!
//! The library crate `dashnas` runs; this crate observes and describes. It knows nothing of the command or of Python: they
//! attach a [`StatusWriter`] to a run, and write the report with [`page::write_into`] once the run has finished.
//!
//! | module | contents |
//! |---|---|
//! | [`page`] | the report of a run, the comparison of several, of methods, and the report of a bench, as one HTML file each |
//! | [`mod@bench`] | a bench of the search in words |
//! | [`methods`] | a comparison of methods in words |
//! | [`status`] | `status.json`, and the state of a run as another process reads it |
//! | [`tensorboard`] | the scalars of a run as TensorBoard's event files |
//! | [`wording`] | results in words, shared by the report and the command |
//!
//! The report is built from `view` (a run), `folds` (a cross-validation), `comparison` (several runs), `methods` (a comparison of methods) and `bench::view`, which draw with `chart` (lines and points),
//! `heat` (fields and images), `division` (how the data was divided), `alpha` (the weights of the search of the paper), `race` (the search by a race) and
//! `kernels` (the network), and is laid out by the templates in `render`.

mod alpha;
pub mod bench;
mod chart;
mod choices;
mod comparison;
mod curves;
mod division;
mod folds;
mod heat;
mod kernels;
pub mod methods;
pub mod page;
mod profile;
mod race;
mod render;
pub mod status;
pub mod tensorboard;
mod test_split;
#[cfg(test)]
mod tests;
mod view;
pub mod wording;

pub use status::{Status, StatusWriter};
