//! The state of a training between two steps, as plain numbers.

use burn::module::Module;
use dashnas_core::stage::Stage;
use dashnas_nn::model;
use dashnas_nn::network::Network;
use dashnas_nn::optim::Sgd;
use dashnas_nn::parameters::{Parameter, Parameters};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The counters of a training. The order of the data, the noise and the schedule follow from them and the seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The stage it belongs to.
    pub stage: Stage,
    /// The number of the tuning trial; `None` outside tuning.
    pub trial: Option<usize>,
    /// The current epoch, from 0.
    pub epoch: usize,
    /// Steps of the epoch that are done.
    pub step: usize,
    /// Sum of the finite losses of those steps.
    pub loss: f64,
    /// Number of the finite losses.
    pub finite: usize,
    /// The last steps in a row whose gradient was not finite.
    pub bad: usize,
    /// How often the training was restarted, each time with half the learning rate.
    pub restarts: usize,
    /// Seconds spent in the current epoch.
    pub seconds: f64,
}

impl Position {
    /// Before the first step.
    pub fn start(stage: Stage, trial: Option<usize>) -> Self {
        Self { stage, trial, epoch: 0, step: 0, loss: 0.0, finite: 0, bad: 0, restarts: 0, seconds: 0.0 }
    }

    /// Before the first step of the next epoch.
    pub fn next_epoch(self) -> Self {
        let (epoch, bad, restarts) = (self.epoch + 1, self.bad, self.restarts);
        Self { epoch, bad, restarts, ..Self::start(self.stage, self.trial) }
    }
}

/// The state of a training at one position.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Its counters.
    pub position: Position,
    /// Parameters, α and the running statistics of normalization, by name.
    pub weights: Parameters,
    /// Momentum, in the order in which the network visits its parameters.
    pub velocity: Vec<Option<Vec<f32>>>,
}

/// The state of a training that a checkpoint holds.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedTraining {
    /// The state to resume from.
    pub current: Snapshot,
    /// The state to which the training returns if it diverges.
    pub last_good: Option<Arc<Snapshot>>,
}

impl Snapshot {
    /// Copies the state of a training.
    pub fn of(position: Position, network: &Network, sgd: &Sgd) -> Self {
        // `valid` takes in the update of the running statistics that the last forward pass left pending.
        Self { position, weights: model::parameters(&network.valid()), velocity: sgd.velocity().to_vec() }
    }

    /// Copies the state into a network of the same architecture and into an optimizer.
    ///
    /// # Errors
    /// If the network is not of that architecture: a text that names what does not fit.
    pub fn restore(&self, network: Network, sgd: &mut Sgd) -> Result<Network, String> {
        // Updates of the running statistics that are still pending would overwrite them later.
        drop(network.valid());
        let network = model::fill(network, self.weights.clone())?;
        let sizes = model::sizes(&network);
        let fits = self.velocity.is_empty()
            || (self.velocity.len() == sizes.len()
                && self.velocity.iter().zip(&sizes).all(|(v, &n)| v.as_ref().is_none_or(|v| v.len() == n)));
        if !fits {
            return Err("its momentum belongs to another network".into());
        }
        sgd.set_velocity(self.velocity.clone());
        Ok(network)
    }

    /// Adds the tensors to a list, their names under a prefix.
    pub(super) fn list<'a>(&'a self, part: &str, out: &mut Vec<(String, Vec<usize>, &'a [f32])>) {
        for (name, Parameter { shape, values }) in &self.weights {
            out.push((format!("{part}/weight/{name}"), shape.clone(), values));
        }
        // A buffer that does not exist yet is written as an empty one; no parameter is empty.
        for (i, values) in self.velocity.iter().enumerate() {
            let values = values.as_deref().unwrap_or_default();
            out.push((format!("{part}/velocity/{i:06}"), vec![values.len()], values));
        }
    }

    /// Takes the tensors under a prefix out of a list.
    pub(super) fn take(part: &str, position: Position, tensors: &mut Parameters) -> Self {
        let mut of_kind = |kind: &str| -> Parameters {
            let prefix = format!("{part}/{kind}/");
            let names: Vec<String> = tensors.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
            let found = names.iter().filter_map(|name| tensors.remove_entry(name));
            found.map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor)).collect()
        };
        let weights = of_kind("weight");
        // The numbers in the names are padded: their order is the network's.
        let velocity = of_kind("velocity").into_values().map(|p| (!p.values.is_empty()).then_some(p.values)).collect();
        Self { position, weights, velocity }
    }
}

impl SavedTraining {
    /// Whether this is the state of the given training.
    pub(crate) fn is_of(&self, stage: Stage, trial: Option<usize>) -> bool {
        (self.current.position.stage, self.current.position.trial) == (stage, trial)
    }
}
