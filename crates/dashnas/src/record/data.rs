//! The record of a run's data: enough to read it again and to notice if it changed.

use crate::error::Error;
use crate::record::division::Division;
use crate::record::guess::guess;
use dashnas_core::digest::hex;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::error::DataError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The source of the data of a run on arrays of a Python process, which cannot be read again.
pub const ARRAYS: &str = "arrays in Python";

/// What a run keeps about its data, in `data.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// A path, or the name of a built-in data set.
    pub source: String,
    /// The name in reports.
    pub name: String,
    /// SHA-256 over all arrays.
    pub fingerprint: String,
    /// Samples for training, validation (if given) and testing.
    pub samples: [usize; 3],
    /// The task; `None` in the directories of versions that did not record it.
    #[serde(default)]
    pub task: Option<TaskKind>,
    /// `[channels, L]` or `[channels, H, W]` of one input; `None` as above.
    #[serde(default)]
    pub input: Option<Vec<usize>>,
    /// What the training targets suggest to guess for every sample, as scores of a model, relative to the centers of the
    /// targets; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guess: Option<Vec<f32>>,
    /// How the samples were cut and divided; `None` as above, and for a bench.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<Division>,
}

impl DataRecord {
    /// Describes a data set read from `source`.
    ///
    /// # Errors
    /// [`DataError::Gone`] if the inputs are in a file that can no longer be read.
    pub fn new(source: &str, data: &Dataset) -> Result<Self, DataError> {
        let mut hash = Sha256::new();
        let mut add = |split: &Split| -> Result<(), DataError> {
            for i in 0..split.x.rows() {
                hash.update(bytemuck::cast_slice(&split.x.fetch(i)?));
            }
            match &split.y {
                Targets::Classes(labels) => hash.update(bytemuck::cast_slice(labels)),
                Targets::Values(values) => hash.update(bytemuck::cast_slice(&values.data)),
            }
            Ok(())
        };
        add(&data.train)?;
        data.val.iter().try_for_each(&mut add)?;
        add(&data.test)?;
        // Data without weights has the digest that earlier versions computed.
        for facts in [&data.facts.train, &data.facts.val, &data.facts.test] {
            facts.weights.iter().for_each(|weights| hash.update(bytemuck::cast_slice(weights)));
        }
        let fingerprint = hex(hash.finalize());
        let samples = [data.train.len(), data.val.as_ref().map_or(0, Split::len), data.test.len()];
        let (task, input) = (Some(data.task), Some(data.train.x.shape[1..].to_vec()));
        let (name, guess) = (data.name.clone(), Some(guess(data.task, &data.train.y)));
        Ok(Self { source: source.into(), name, fingerprint, samples, task, input, guess, division: None })
    }

    /// Whether the data were arrays of a Python process. Such a run ends with the trained model: it has no test split.
    pub fn is_of_arrays(&self) -> bool {
        self.source == ARRAYS
    }

    /// Checks that a data set is the one that was recorded.
    ///
    /// # Errors
    /// [`Error::OtherData`] if it is another one, and those of [`DataRecord::new`].
    pub fn check_same(&self, data: &Dataset) -> Result<(), Error> {
        let given = Self::new(&self.source, data)?;
        if given.fingerprint == self.fingerprint {
            return Ok(());
        }
        let reason = if given.samples == self.samples {
            "its contents differ".into()
        } else {
            format!("it has {:?} samples for training, validation and testing, not {:?}", given.samples, self.samples)
        };
        Err(Error::OtherData { given: data.name.clone(), expected: self.name.clone(), reason })
    }
}
