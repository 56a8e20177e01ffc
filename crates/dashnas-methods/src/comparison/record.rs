//! What `comparison.json` keeps: what is compared.

use dashnas::record::data::DataRecord;
use serde::{Deserialize, Serialize};

/// What `comparison.json` keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRecord {
    /// Version of the program that began it.
    pub version: String,
    /// A path, or the name of a built-in data set.
    pub source: String,
    /// The names of the methods, in the order in which they run.
    pub methods: Vec<String>,
    /// The methods that cannot be used on this data.
    pub left_out: Vec<LeftOut>,
    /// The number of seeds, from that of the configuration on.
    pub seeds: u32,
    /// The data.
    pub data: DataRecord,
}

/// A method that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub method: String,
    /// Why it cannot be used here.
    pub reason: String,
}

/// The name of the run directory of a method and a seed.
pub fn run_name(method: &str, seed: u64) -> String {
    format!("{method}-{seed}")
}
