//! A trained model as data, and its file.

use crate::artifact::card::ModelCard;
use crate::artifact::check::check;
use crate::error::ModelError;
use crate::parameters::{Parameter, Parameters, encode};
use dashnas_core::digest::hex;
use dashnas_core::files::{FileError, write_atomic};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The version of the files that are written; a reader refuses other versions.
pub const FORMAT: u32 = 4;

/// The name of the model file in a run directory.
pub const MODEL: &str = "model.dashnas";
/// The file that every run directory has.
const RUN_CONFIG: &str = "config.toml";

/// The key of the file's metadata.
const KEY: &str = "dashnas";

/// A trained model as data, as in a `model.dashnas` file.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// The model card: everything besides the weights that is needed to run the model.
    pub card: ModelCard,
    /// The weights and running statistics.
    pub parameters: Parameters,
}

/// The metadata of a file.
#[derive(Serialize, Deserialize)]
struct FileHeader<Card> {
    format: u32,
    /// The SHA-256 of this header, with [`NO_DIGEST`] in this field, and of the weights.
    sha256: String,
    card: Card,
}

/// The fields that the metadata of every version have.
#[derive(Deserialize)]
struct Version {
    format: u32,
    sha256: String,
}

/// The placeholder of the digest while the digest is computed.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Artifact {
    /// Checks that the card makes sense, and that every weight is there and has its shape.
    pub(crate) fn check(&self) -> Result<(), String> {
        check(&self.card, &self.parameters)
    }

    /// Encodes the file. The same model always gives the same bytes.
    ///
    /// # Errors
    /// [`ModelError::Inconsistent`] if the card cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let unwritable =
            |e: &dyn std::fmt::Display| ModelError::Inconsistent { reason: format!("its card cannot be encoded: {e}") };
        let header = FileHeader { format: FORMAT, sha256: NO_DIGEST.into(), card: &self.card };
        let header = serde_json::to_string(&header).map_err(|e| unwritable(&e))?;
        let header = header.replacen(NO_DIGEST, &digest(&header, &self.parameters), 1);
        // One key only: the order of several would change from file to file.
        encode(&self.parameters, Some(HashMap::from([(KEY.to_owned(), header)]))).map_err(|e| unwritable(&e))
    }

    /// Decodes a file; `path` names it in errors.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] if the file is cut short, was changed or has another version, and [`ModelError::NotAModel`]
    /// if it is something else.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, ModelError> {
        let corrupt = |reason: String| FileError::corrupt(path, reason).into();
        let not_a_model = |reason: String| ModelError::NotAModel { path: path.to_owned(), reason };
        let damaged = |e: safetensors::SafeTensorError| match e {
            safetensors::SafeTensorError::MetadataIncompleteBuffer
            | safetensors::SafeTensorError::InvalidHeaderLength
            | safetensors::SafeTensorError::HeaderTooSmall => corrupt(format!("it is cut short ({e})")),
            _ => not_a_model(format!("it does not begin like one ({e})")),
        };
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| {
            not_a_model("it is a safetensors file, but its metadata have no model card of dashnas".into())
        })?;
        let unreadable = |e: serde_json::Error| corrupt(format!("its model card cannot be read: {e}"));
        let Version { format, sha256 } = serde_json::from_str(header).map_err(unreadable)?;
        if format != FORMAT {
            return Err(corrupt(other_version(format)));
        }
        let mut parameters = Parameters::new();
        for (name, view) in tensors.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(corrupt(format!("tensor {name} has the type {:?}, but must have F32", view.dtype())));
            }
            // The file's bytes need not be aligned for f32.
            let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
            parameters.insert(name.to_owned(), Parameter { shape: view.shape().to_vec(), values });
        }
        if digest(&header.replacen(&sha256, NO_DIGEST, 1), &parameters) != sha256 {
            return Err(corrupt("its checksum is wrong: the file was changed after it was written".into()));
        }
        let FileHeader { mut card, .. } = serde_json::from_str::<FileHeader<ModelCard>>(header).map_err(unreadable)?;
        card.take_centers();
        let artifact = Self { card, parameters };
        artifact.check().map_err(corrupt)?;
        Ok(artifact)
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        Ok(write_atomic(path, &self.to_bytes()?).map_err(|e| FileError::io("write", path, e))?)
    }

    /// Reads a model file, or the model file of a run directory.
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be read, and those of [`Artifact::from_bytes`].
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let file = locate(path)?;
        let bytes = fs::read(&file).map_err(|e| FileError::io("read", &file, e))?;
        Self::from_bytes(&bytes, &file)
    }
}

/// The message about a file of another version.
fn other_version(found: u32) -> String {
    let than = if found > FORMAT { "a newer" } else { "an older" };
    format!("it was written by {than} version of dashnas (format {found}; this one reads format {FORMAT})")
}

/// Returns the model file at a path: the path itself, or the file in a run directory.
fn locate(path: &Path) -> Result<PathBuf, ModelError> {
    if !path.is_dir() {
        return Ok(path.into());
    }
    let file = path.join(MODEL);
    if file.is_file() {
        return Ok(file);
    }
    if path.join("model.json").is_file() {
        return Err(FileError::corrupt(path, other_version(1)).into());
    }
    if path.join(RUN_CONFIG).is_file() {
        return Err(ModelError::Untrained { path: path.into(), file: MODEL });
    }
    Err(ModelError::NotARun { path: path.into(), file: RUN_CONFIG })
}

/// Returns the same model file with a correct checksum, for fuzzing the code behind that check.
#[doc(hidden)]
pub fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
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

/// Computes the SHA-256 of the text of the header and of the parameters, in the order of their names.
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
