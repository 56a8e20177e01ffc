//! A trained model that runs: the weights of an [`Artifact`] in a network.

use crate::artifact::card::ModelCard;
use crate::artifact::file::Artifact;
use crate::error::ModelError;
use crate::network::{Kernels, Network};
use crate::parameters::{Parameter, Parameters};
use crate::tensor_data::floats;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use dashnas_core::files::FileError;
use dashnas_core::rng::Seed;
use std::path::Path;

/// A trained model, ready to predict.
///
/// ```no_run
/// use dashnas_formats::Array;
/// use dashnas_nn::{Model, ModelError};
///
/// # fn main() -> Result<(), ModelError> {
/// let x = Array::new(vec![1, 3, 128], vec![0.0; 3 * 128]);
/// let model = Model::load("runs/mine-1")?;
/// let y = model.predict(&x)?;
/// println!("class {:?}, probabilities {:?}", y.classes, y.values.data);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Model {
    card: ModelCard,
    network: Network,
    device: Device,
}

impl Model {
    /// Reads a model from a `model.dashnas` file or a run directory, onto the CPU.
    ///
    /// # Errors
    /// [`ModelError::File`] if the file is missing, damaged or of another version, [`ModelError::Untrained`] if the run
    /// has not trained a model yet, and [`ModelError::NotARun`] if the directory is not a run directory.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        Self::load_on(path.as_ref(), &Device::flex())
    }

    /// Reads a model as [`Model::load`] does, onto a device.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_on(path: &Path, device: &Device) -> Result<Self, ModelError> {
        Self::from_artifact(Artifact::read(path)?, device).map_err(|e| match e {
            ModelError::Inconsistent { reason } => FileError::corrupt(path, reason).into(),
            e => e,
        })
    }

    /// Builds the network of an artifact, with its weights, on a device.
    ///
    /// # Errors
    /// [`ModelError::Inconsistent`] if a weight is missing or has the wrong shape, or the card contradicts itself.
    pub fn from_artifact(artifact: Artifact, device: &Device) -> Result<Self, ModelError> {
        artifact.check().map_err(|reason| ModelError::Inconsistent { reason })?;
        let Artifact { card, parameters } = artifact;
        let kernels = Kernels::Fixed(card.architecture.kernels.clone());
        let mut init = Seed(0).stream("load", &[]);
        let network = Network::new(&card.graph, &kernels, &mut init, device);
        let network = fill(network, parameters).map_err(|reason| ModelError::Inconsistent { reason })?;
        Ok(Self { card, network, device: device.clone() })
    }

    /// The same model for inputs from which its [centers](ModelCard::centers) are subtracted, as they are from files that are
    /// read with its options. To its outputs, the centers of the targets are still to be added.
    #[must_use]
    pub fn of_centered(&self) -> Self {
        Self { card: self.card.of_centered(), ..self.clone() }
    }

    /// Returns the model as data.
    pub fn to_artifact(&self) -> Artifact {
        Artifact { card: self.card.clone(), parameters: parameters(&self.network) }
    }

    /// Writes a `model.dashnas` file atomically.
    ///
    /// # Errors
    /// [`ModelError::File`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        self.to_artifact().write(path.as_ref())
    }

    /// Returns the model card.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Returns the network with its parameters.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Returns the device that the model runs on.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

/// Counts the trained parameters: all but the running statistics of batch normalization.
pub fn count_parameters(network: &Network) -> u64 {
    parameters(network).iter().filter(|(name, _)| !name.contains("running_")).map(|(_, p)| p.values.len() as u64).sum()
}

/// Returns a copy of every parameter and buffer of a network, by name.
pub fn parameters(network: &Network) -> Parameters {
    let mut read = ReadParameters { path: Names::default(), out: Parameters::new() };
    network.visit(&mut read);
    read.out
}

/// Replaces the parameters and buffers of a network by the given ones.
///
/// # Errors
/// A message that names the first parameter that is missing or has another shape.
pub fn fill(network: Network, parameters: Parameters) -> Result<Network, String> {
    let mut fill = FillParameters { path: Names::default(), parameters, problem: None };
    let network = network.map(&mut fill);
    fill.problem.map_or(Ok(network), Err)
}

/// Returns the number of elements of each parameter and buffer, in the order in which a visitor sees them.
pub fn sizes(network: &Network) -> Vec<usize> {
    struct Sizes(Vec<usize>);
    impl ModuleVisitor for Sizes {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().dims().iter().product());
        }
    }
    let mut sizes = Sizes(Vec::new());
    network.visit(&mut sizes);
    sizes.0
}

/// The path of the parameter being visited. The names of the variants of `ConvLayer` are left out, so that searched and
/// fixed convolutions have the same names.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn enter(&mut self, name: &str) {
        self.0.push(name.into());
    }

    fn name(&self) -> String {
        let variants = ["Fixed", "Mixed", "Shared"];
        let parts: Vec<&str> = self.0.iter().map(String::as_str).filter(|part| !variants.contains(part)).collect();
        parts.join(".")
    }
}

/// Copies the parameters that it visits.
struct ReadParameters {
    path: Names,
    out: Parameters,
}

impl ModuleVisitor for ReadParameters {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.0.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let shape = value.dims().to_vec();
        let values = floats(value);
        self.out.insert(self.path.name(), Parameter { shape, values });
    }
}

/// Replaces the parameters that it visits, and keeps the first problem.
struct FillParameters {
    path: Names,
    parameters: Parameters,
    problem: Option<String>,
}

impl FillParameters {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let found = self.parameters.remove(name).ok_or_else(|| format!("it has no tensor {name}"))?;
        if found.shape != shape {
            return Err(format!("tensor {name} has shape {:?}, but needs {shape:?}", found.shape));
        }
        Ok(found.values)
    }
}

impl ModuleMapper for FillParameters {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.0.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.dims();
        match self.values(&self.path.name(), &shape) {
            Ok(values) => {
                let loaded = Tensor::<D>::from_data(TensorData::new(values, shape), &tensor.device());
                let loaded = if tensor.is_require_grad() { loaded.require_grad() } else { loaded };
                Param::from_mapped_value(id, loaded, mapper)
            }
            Err(problem) => {
                self.problem.get_or_insert(problem);
                Param::from_mapped_value(id, tensor, mapper)
            }
        }
    }
}
