//! Kernels that are given instead of searched: those of another run or of a file, or random ones.

use crate::config::error::ConfigError;
use crate::config::rules::Facts;
use crate::config::sections::Config;
use crate::error::Error;
use crate::problem::backbone::{BackboneData, backbone_graph, check_kernel_count};
use crate::run::results::read_architecture;
use crate::run_dir::dir::RunDir;
use aggconv::KernelSpace;
use dashnas_core::rng::Seed;
use dashnas_data::dataset::Dataset;
use rand::RngExt;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The beginning of the text of a random source.
const RANDOM: &str = "random:";

/// A source of kernels for `search.kernels`. As text it is `random:SEED` or a path.
///
/// ```
/// use dashnas::run::kernels::KernelSource;
///
/// assert_eq!("random:3".parse(), Ok(KernelSource::Random(3)));
/// assert_eq!("runs/pulses-1".parse(), Ok(KernelSource::Path("runs/pulses-1".into())));
/// assert!("random:three".parse::<KernelSource>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KernelSource {
    /// A run directory with a finished search, or a JSON file with a list of `[k, d]` under `kernels`, as
    /// `architecture.json` has, or under `architecture`, as `metrics.json` has.
    Path(PathBuf),
    /// Every layer draws uniformly from K×D. The same seed gives the same kernels, whatever the seed of the run is.
    Random(u64),
}

/// A text that names no source of kernels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number after {RANDOM}, as in {RANDOM}1, not {seed:?}")]
pub struct KernelSourceError {
    /// The text in place of the seed.
    seed: String,
}

impl FromStr for KernelSource {
    type Err = KernelSourceError;

    fn from_str(text: &str) -> Result<Self, KernelSourceError> {
        match text.strip_prefix(RANDOM) {
            Some(seed) => seed.parse().map(KernelSource::Random).map_err(|_| KernelSourceError { seed: seed.into() }),
            None => Ok(KernelSource::Path(text.into())),
        }
    }
}

/// The keys under which JSON files have kernels.
const KEYS: [&str; 2] = ["kernels", "architecture"];

impl KernelSource {
    /// The kernels for a data set under a configuration: `[k, d]` of each searched layer, in the order of the network.
    ///
    /// # Errors
    /// [`Error::Config`] if they do not fit the backbone or are not valid, [`Error::Space`] if K or D is not valid, and
    /// those of [`KernelSource::check`].
    pub fn resolve(&self, config: &Config, data: &Dataset) -> Result<Vec<[usize; 2]>, Error> {
        let (dims, task) = (data.dims(), data.task);
        let config = config.resolve(&Facts { dims, task, train_samples: data.train.len() })?;
        let [h, w] = data.spatial();
        let shape = BackboneData::new(dims, [data.channels(), h, w], task);
        match self {
            KernelSource::Random(seed) => {
                let space = KernelSpace::new(config.kernel_sizes(dims), config.dilations())?;
                let layers = backbone_graph(&config, shape, config.backbone.width).searched().len();
                let mut stream = Seed(*seed).stream("architecture/random", &[]);
                let candidates = space.candidates();
                let draw = |_| &candidates[stream.random_range(0..candidates.len())];
                Ok((0..layers).map(draw).map(|c| [c.k, c.d]).collect())
            }
            KernelSource::Path(path) => {
                let kernels = read(path)?;
                check_kernel_count(&config, shape, kernels.len(), &format!(" from {}", path.display()))?;
                let mut checked = config;
                checked.search.kernels = Some(kernels.clone());
                checked.validate().map_err(|error| match error {
                    ConfigError::Invalid { key: key @ "search.kernels", value, reason, .. } => {
                        ConfigError::Invalid { origin: Some(path.display().to_string()), key, value, reason }
                    }
                    error => error,
                })?;
                Ok(kernels)
            }
        }
    }

    /// Checks that the kernels can be read, before the data set is.
    ///
    /// # Errors
    /// [`Error::File`] if a file cannot be read, [`Error::KernelFile`] if it has no kernels, [`Error::RunDir`] if a
    /// directory is not a run directory, and [`Error::MissingStage`] if no search has finished there.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            KernelSource::Random(_) => Ok(()),
            KernelSource::Path(path) => read(path).map(drop),
        }
    }
}

/// The original kernels of the backbone of a configuration for a data set: `[k, d]` of each searched layer, in the order of
/// the network.
///
/// # Errors
/// [`Error::Config`] if the backbone does not fit the data.
pub fn plain_kernels(config: &Config, data: &Dataset) -> Result<Vec<[usize; 2]>, Error> {
    let (dims, task) = (data.dims(), data.task);
    let config = config.resolve(&Facts { dims, task, train_samples: data.train.len() })?;
    let [h, w] = data.spatial();
    let shape = BackboneData::new(dims, [data.channels(), h, w], task);
    Ok(backbone_graph(&config, shape, config.backbone.width).plain_kernels())
}

/// Reads the kernels of a run directory or a JSON file.
fn read(path: &Path) -> Result<Vec<[usize; 2]>, Error> {
    if path.is_dir() {
        return Ok(read_architecture(&RunDir::open(path)?)?.kernels);
    }
    let text = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    let refuse = |reason: String| Error::KernelFile { path: path.into(), reason };
    let file: Value = serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
    let list = match (&file, KEYS.map(|key| file.get(key).filter(|value| !value.is_null()))) {
        (Value::Array(_), _) => &file,
        (_, [Some(kernels), Some(architecture)]) if kernels != architecture => {
            return Err(refuse("its `kernels` and its `architecture` differ".into()));
        }
        (_, [Some(list), _] | [None, Some(list)]) => list,
        (_, [None, None]) => return Err(refuse("it has neither `kernels` nor `architecture`".into())),
    };
    let kernels: Option<Vec<[usize; 2]>> = Deserialize::deserialize(list).ok();
    let kernels = kernels.ok_or_else(|| refuse("its kernels are not a list of pairs of whole numbers".into()))?;
    if kernels.is_empty() { Err(refuse("its list of kernels is empty".into())) } else { Ok(kernels) }
}
