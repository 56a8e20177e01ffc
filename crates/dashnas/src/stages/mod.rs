//! The stages of the pipeline that train the searched network: the search with the choice of its kernels, and
//! retraining. Tuning, which lies between them, is in the module `tune`.

pub(crate) mod race;
pub(crate) mod retrain;
pub(crate) mod search;
pub mod select;
