//! The file a trained model travels in: `model.dashnas`.
//!
//! It is a [safetensors](https://huggingface.co/docs/safetensors) file, so that its weights can be read by many
//! programs. Everything else that is needed to run them on raw data, the [`ModelCard`], is JSON in the file's
//! metadata under the key `dashnas`, with the version of this format and a SHA-256 over card and weights.

mod check;

use crate::architecture::Architecture;
use crate::backbone::Graph;
use crate::config::Preset;
use crate::data::{InputNormalizer, ReadOptions, TargetNormalizer};
use crate::digest::hex;
use crate::error::Error;
use crate::outcome::Hyperparameters;
use crate::run_dir::{names, write_atomic};
use crate::task::{Loss, Metric, TaskKind};
use crate::transform::Transform;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// Version of the files written; a reader refuses others.
pub const FORMAT: u32 = 4;

/// The key of the file's metadata.
const KEY: &str = "dashnas";

/// What is needed, besides the weights, to run a model on raw data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name of the data set it was trained on.
    pub data: String,
    /// What it predicts.
    pub task: TaskKind,
    /// What it was trained with.
    pub loss: Loss,
    /// What it is judged by.
    pub metric: Metric,
    /// Names of the classes or labels.
    pub classes: Option<Vec<String>>,
    /// What the names were written from, where somebody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelType>,
    /// `[channels, height, width]` of what the network takes; height 1 for series.
    pub input: [usize; 3],
    /// The kernels of its layers.
    pub architecture: Architecture,
    /// Its topology.
    pub graph: Graph,
    /// How files of raw inputs are read.
    pub reading: ReadOptions,
    /// `[channels, L]` or `[channels, H, W]` of the training inputs as they were read.
    pub read_as: Vec<usize>,
    /// What is done to them first, in order.
    pub transforms: Vec<Transform>,
    /// How they are then normalized.
    pub inputs: InputNormalizer,
    /// How outputs are taken back to the data's units.
    pub targets: TargetNormalizer,
    /// How it was trained.
    pub training: Training,
}

/// What classes were before they had names, as in Python: `1`, `"1"` and `True` are not the same there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelType {
    /// `False` and `True`.
    Bool,
    /// Whole numbers.
    Int,
    /// Other numbers.
    Float,
    /// Text.
    Str,
}

/// How a model was trained, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Version of the program.
    pub version: String,
    /// The preset.
    pub preset: Preset,
    /// The seed.
    pub seed: u64,
    /// Samples it was trained on.
    pub samples: usize,
    /// The training hyperparameters.
    pub hyperparameters: Hyperparameters,
    /// The metric of its hyperparameters on the validation split, if they were tuned.
    pub validation: Option<f64>,
}

/// One array of weights or running statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Size of each axis, slowest first.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub values: Vec<f32>,
}

/// Every parameter of a network by name: `convs.3.weight`, `norms.5.running_mean`, `head_bias`.
pub type Parameters = BTreeMap<String, Parameter>;

/// A trained model as data: what a `model.dashnas` file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Artefact {
    /// What it is.
    pub card: ModelCard,
    /// Its weights.
    pub parameters: Parameters,
}

/// The metadata as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Header<Card> {
    format: u32,
    /// Of this header with [`NO_DIGEST`] here, and of the weights.
    sha256: String,
    card: Card,
}

/// What every version's header begins with.
#[derive(Deserialize)]
struct Version {
    format: u32,
    sha256: String,
}

/// Stands in the place of the digest while it is computed.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Artefact {
    /// The file's bytes. The same model always gives the same bytes.
    ///
    /// # Errors
    /// If the card cannot be written as JSON, as for statistics that are not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let unwritable = |e: &dyn std::fmt::Display| Error::Model { reason: format!("it cannot be encoded: {e}") };
        let header = Header { format: FORMAT, sha256: NO_DIGEST.into(), card: &self.card };
        let header = serde_json::to_string(&header).map_err(|e| unwritable(&e))?;
        let header = header.replacen(NO_DIGEST, &digest(&header, &self.parameters), 1);
        // One key only: the order of several would change from file to file.
        encode(&self.parameters, Some(HashMap::from([(KEY.to_owned(), header)]))).map_err(|e| unwritable(&e))
    }

    /// Reads a file's bytes; `path` names it in errors.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is cut short, changed, no model, or of another version.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let corrupt = |reason: String| Error::Corrupt { path: path.into(), reason };
        let damaged = |e: safetensors::SafeTensorError| match e {
            safetensors::SafeTensorError::MetadataIncompleteBuffer
            | safetensors::SafeTensorError::InvalidHeaderLength
            | safetensors::SafeTensorError::HeaderTooSmall => corrupt(format!("it is cut short ({e})")),
            _ => corrupt(format!("it is no model file ({e})")),
        };
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| {
            corrupt("it is a safetensors file, but not one of dashnas: its metadata have no model card".into())
        })?;
        let unreadable = |e: serde_json::Error| corrupt(format!("its model card cannot be read: {e}"));
        let Version { format, sha256 } = serde_json::from_str(header).map_err(unreadable)?;
        if format != FORMAT {
            return Err(corrupt(version(format)));
        }
        let mut parameters = Parameters::new();
        for (name, view) in tensors.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(corrupt(format!("tensor {name} is {:?} where F32 is needed", view.dtype())));
            }
            // The file's bytes need not be aligned for f32.
            let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
            parameters.insert(name.to_owned(), Parameter { shape: view.shape().to_vec(), values });
        }
        if digest(&header.replacen(&sha256, NO_DIGEST, 1), &parameters) != sha256 {
            return Err(corrupt("its checksum is wrong: it was changed after it was written".into()));
        }
        let Header { card, .. } = serde_json::from_str::<Header<ModelCard>>(header).map_err(unreadable)?;
        let artefact = Self { card, parameters };
        artefact.check().map_err(corrupt)?;
        Ok(artefact)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        write_atomic(path, &self.to_bytes()?).map_err(|e| Error::io("write", path, e))
    }

    /// Reads a model file, or that of a run directory.
    ///
    /// # Errors
    /// [`Error::Io`] if there is none, and those of [`Artefact::from_bytes`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = locate(path)?;
        let bytes = fs::read(&file).map_err(|e| Error::io("read", &file, e))?;
        Self::from_bytes(&bytes, &file)
    }
}

/// What is said of a file of another version.
fn version(found: u32) -> String {
    let than = if found > FORMAT { "a newer" } else { "an older" };
    format!("it was written by {than} version of dashnas (format {found}; this one reads format {FORMAT})")
}

/// The model file that a path names: itself, or the one in a run directory.
fn locate(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return Ok(path.into());
    }
    let file = path.join(names::MODEL);
    if file.is_file() {
        return Ok(file);
    }
    if path.join("model.json").is_file() {
        return Err(Error::Corrupt { path: path.into(), reason: version(1) });
    }
    if path.join(names::CONFIG).is_file() {
        return Err(Error::MissingStage { path: path.into(), file: names::MODEL, needs: "train" });
    }
    Err(Error::NotARunDir { path: path.into() })
}

/// Parameters as a safetensors file.
pub(crate) fn encode(
    parameters: &Parameters,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let mut views = Vec::with_capacity(parameters.len());
    for (name, p) in parameters {
        views.push((name, TensorView::new(Dtype::F32, p.shape.clone(), bytemuck::cast_slice(&p.values))?));
    }
    safetensors::serialize(views, metadata)
}

/// The same model file with the checksum that its contents call for, so that tests get behind it.
#[cfg(test)]
pub(crate) fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
    let tensors = SafeTensors::deserialize(bytes).ok()?;
    let header = SafeTensors::read_metadata(bytes).ok()?.1.metadata().as_ref()?.get(KEY)?.clone();
    let Version { sha256, .. } = serde_json::from_str(&header).ok()?;
    let parameter = |view: &TensorView<'_>| {
        let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect::<Vec<_>>();
        let fits = view.shape().iter().product::<usize>() == values.len();
        (view.dtype() == Dtype::F32 && fits).then(|| Parameter { shape: view.shape().to_vec(), values })
    };
    let parameters: Option<Parameters> =
        tensors.iter().map(|(n, view)| Some((n.to_owned(), parameter(&view)?))).collect();
    let (parameters, unsigned) = (parameters?, header.replacen(&sha256, NO_DIGEST, 1));
    let header = unsigned.replacen(NO_DIGEST, &digest(&unsigned, &parameters), 1);
    encode(&parameters, Some(HashMap::from([(KEY.to_owned(), header)]))).ok()
}

/// SHA-256 over the header's text and, in the order of their names, the parameters.
fn digest(header: &str, parameters: &Parameters) -> String {
    let mut hash = Sha256::new();
    hash.update(header);
    for (name, p) in parameters {
        hash.update(name);
        p.shape.iter().for_each(|&n| hash.update((n as u64).to_le_bytes()));
        hash.update(bytemuck::cast_slice(&p.values));
    }
    hex(hash.finalize())
}
