//! A trained model that runs: the weights of an [`Artefact`] in a network.

pub use crate::artefact::{Artefact, LabelType, ModelCard, Parameter, Parameters, Training};

use crate::error::Error;
use crate::host::floats;
use crate::network::{Kernels, Network};
use crate::rng::Seed;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use std::path::Path;

/// A trained model, ready to predict.
///
/// ```no_run
/// use dashnas::{data::Array, model::Model};
///
/// # fn main() -> Result<(), dashnas::Error> {
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
    /// [`Error::Io`] if it is not there, [`Error::MissingStage`] if the run has not trained one yet, and
    /// [`Error::Corrupt`] if it is damaged or of another version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_on(path.as_ref(), &Device::flex())
    }

    /// [`Model::load`] onto a device.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_on(path: &Path, device: &Device) -> Result<Self, Error> {
        Self::from_artefact(Artefact::read(path)?, device).map_err(|e| match e {
            Error::Model { reason } => Error::Corrupt { path: path.into(), reason },
            e => e,
        })
    }

    /// Puts the weights of an artefact into a network.
    ///
    /// # Errors
    /// [`Error::Model`] if a weight is missing or of the wrong shape, or the card contradicts itself.
    pub fn from_artefact(artefact: Artefact, device: &Device) -> Result<Self, Error> {
        artefact.check().map_err(|reason| Error::Model { reason })?;
        let Artefact { card, parameters } = artefact;
        let kernels = Kernels::Fixed(card.architecture.kernels.clone());
        let mut init = Seed(0).stream("load", &[]);
        let network = Network::new(&card.graph, &kernels, &mut init, device);
        let network = fill(network, parameters).map_err(|reason| Error::Model { reason })?;
        Ok(Self { card, network, device: device.clone() })
    }

    /// The model as data.
    pub fn to_artefact(&self) -> Artefact {
        Artefact { card: self.card.clone(), parameters: parameters(&self.network) }
    }

    /// Writes a `model.dashnas` file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.to_artefact().write(path.as_ref())
    }

    /// What it is.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Its network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The device it runs on.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

/// The number of trained parameters (running statistics of batch normalization not counted).
pub fn count_parameters(network: &Network) -> u64 {
    parameters(network).iter().filter(|(name, _)| !name.contains("running_")).map(|(_, p)| p.values.len() as u64).sum()
}

/// Every parameter and buffer by name.
pub fn parameters(network: &Network) -> Parameters {
    let mut read = Read { path: Names::default(), out: Parameters::new() };
    network.visit(&mut read);
    read.out
}

/// The network with the given parameters and buffers in place of its own.
///
/// # Errors
/// What is missing or of another shape.
pub(crate) fn fill(network: Network, parameters: Parameters) -> Result<Network, String> {
    let mut fill = Fill { path: Names::default(), parameters, problem: None };
    let network = network.map(&mut fill);
    fill.problem.map_or(Ok(network), Err)
}

/// Elements of each parameter and buffer, in visiting order.
pub(crate) fn sizes(network: &Network) -> Vec<usize> {
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

/// The dotted name of the parameter being visited. The names of the enum's variants are left
/// out: which variant a layer is follows from the card.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn enter(&mut self, name: &str) {
        self.0.push(name.into());
    }

    fn name(&self) -> String {
        let parts: Vec<&str> = self.0.iter().map(String::as_str).filter(|p| !["Fixed", "Mixed"].contains(p)).collect();
        parts.join(".")
    }
}

struct Read {
    path: Names,
    out: Parameters,
}

impl ModuleVisitor for Read {
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

struct Fill {
    path: Names,
    parameters: Parameters,
    problem: Option<String>,
}

impl Fill {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let found = self.parameters.remove(name).ok_or_else(|| format!("it has no tensor {name}"))?;
        if found.shape != shape {
            return Err(format!("tensor {name} has shape {:?} where {shape:?} is needed", found.shape));
        }
        Ok(found.values)
    }
}

impl ModuleMapper for Fill {
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
