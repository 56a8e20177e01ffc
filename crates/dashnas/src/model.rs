//! The trained model on disk: weights in safetensors, and beside them what is needed to run
//! them on raw data.

use crate::architecture::Architecture;
use crate::backbone::Plan;
use crate::data::{InputNormalizer, TargetNormalizer};
use crate::error::Error;
use crate::host::floats;
use crate::network::{Kernels, Network};
use crate::rng::Seed;
use crate::run_dir::{RunDir, names};
use crate::task::{Loss, Metric, TaskKind};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the files written; a reader refuses others.
const FORMAT: u32 = 1;

/// What is needed, besides the weights, to run a model on raw data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Version of this format.
    pub format: u32,
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
    /// `[channels, height, width]` of the training inputs; height 1 for series.
    pub input: [usize; 3],
    /// The kernels of its layers.
    pub architecture: Architecture,
    /// Its topology.
    pub plan: Plan,
    /// How raw inputs are normalized.
    pub inputs: InputNormalizer,
    /// How outputs are taken back to the data's units.
    pub targets: TargetNormalizer,
}

impl ModelCard {
    /// The version that this program writes.
    pub fn format() -> u32 {
        FORMAT
    }
}

/// Writes weights and card into a run directory.
///
/// # Errors
/// [`Error::Io`] if a file cannot be written.
pub fn save(dir: &RunDir, card: &ModelCard, network: &Network) -> Result<(), Error> {
    let tensors = parameters(network);
    let views = tensors.iter().map(|(name, (shape, values))| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values));
        (name.as_str(), view.expect("a parameter has as many values as its shape says"))
    });
    let bytes = safetensors::serialize(views, None)
        .map_err(|e| Error::Corrupt { path: dir.file(names::WEIGHTS), reason: e.to_string() })?;
    dir.write(names::WEIGHTS, &bytes)?;
    dir.write_json(names::MODEL, card)
}

/// Reads a model from a run directory, onto a device.
///
/// # Errors
/// [`Error::Io`] or [`Error::Corrupt`] if it is not there, damaged or of another version.
pub fn load(dir: &RunDir, device: &Device) -> Result<(ModelCard, Network), Error> {
    let card: ModelCard = dir.read_json(names::MODEL)?;
    let corrupt = |file: &str, reason: String| Error::Corrupt { path: dir.file(file), reason };
    if card.format != FORMAT {
        return Err(corrupt(names::MODEL, format!("it has format {}, this program reads {FORMAT}", card.format)));
    }
    card.architecture.check(&card.plan)?;
    let kernels = Kernels::Fixed(card.architecture.kernels.clone());
    let mut init = Seed(0).stream("load", &[]);
    let network = Network::new(&card.plan, card.task.outputs(), card.task.is_dense(), &kernels, &mut init, device);
    let bytes = dir.read(names::WEIGHTS)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| corrupt(names::WEIGHTS, e.to_string()))?;
    let mut fill = Fill { path: Path::default(), tensors: &tensors, problem: None };
    let network = network.map(&mut fill);
    match fill.problem {
        Some(reason) => Err(corrupt(names::WEIGHTS, reason)),
        None => Ok((card, network)),
    }
}

/// The number of trained parameters (running statistics of batch normalization not counted).
pub fn count_parameters(network: &Network) -> u64 {
    parameters(network).iter().filter(|(name, _)| !name.contains("running_")).map(|(_, (_, v))| v.len() as u64).sum()
}

/// Every parameter and buffer by name.
fn parameters(network: &Network) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut read = Read { path: Path::default(), out: BTreeMap::new() };
    network.visit(&mut read);
    read.out
}

/// The dotted name of the parameter being visited. The names of the enum's variants are left
/// out: which variant a layer is follows from the card.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str) {
        self.0.push(name.into());
    }

    fn name(&self) -> String {
        let parts: Vec<&str> = self.0.iter().map(String::as_str).filter(|p| !["Fixed", "Mixed"].contains(p)).collect();
        parts.join(".")
    }
}

struct Read {
    path: Path,
    out: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
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
        self.out.insert(self.path.name(), (shape, values));
    }
}

struct Fill<'a> {
    path: Path,
    tensors: &'a SafeTensors<'a>,
    problem: Option<String>,
}

impl Fill<'_> {
    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let view = self.tensors.tensor(name).map_err(|_| format!("it has no tensor {name}"))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(format!(
                "tensor {name} is {:?} {:?} where F32 {shape:?} is needed",
                view.dtype(),
                view.shape()
            ));
        }
        // The file's bytes need not be aligned for f32.
        Ok(view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}

impl ModuleMapper for Fill<'_> {
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
