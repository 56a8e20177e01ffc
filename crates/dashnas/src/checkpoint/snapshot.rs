//! A training between two steps, as plain numbers.

use crate::event::Stage;
use crate::model::{self, Parameter, Parameters};
use crate::network::Network;
use crate::optim::Sgd;
use burn::module::Module;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where a training stands. Order of the data, noise and schedule follow from it and the seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The stage it belongs to.
    pub stage: Stage,
    /// Which tuning trial it is.
    pub trial: Option<usize>,
    /// The epoch under way, from 0.
    pub epoch: usize,
    /// Steps of it that are done.
    pub step: usize,
    /// Sum of the losses of those of them that were finite.
    pub loss: f64,
    /// How many those were.
    pub finite: usize,
    /// Steps in a row, up to here, whose gradient was not finite.
    pub bad: usize,
    /// How often the training was taken back, each time with half the learning rate.
    pub restarts: usize,
    /// Seconds spent in the epoch under way.
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

/// A training at a position.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Where it stands.
    pub position: Position,
    /// Parameters, α and the running statistics of normalization, by name.
    pub weights: Parameters,
    /// Momentum, in the order in which the network visits its parameters.
    pub velocity: Vec<Option<Vec<f32>>>,
}

/// What is kept of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Where it stands.
    pub now: Snapshot,
    /// Where it goes back to if it diverges.
    pub good: Option<Arc<Snapshot>>,
}

impl Snapshot {
    /// Copies the state of a training.
    pub fn of(position: Position, network: &Network, sgd: &Sgd) -> Self {
        // `valid` takes in the update of the running statistics that the last forward pass left pending.
        Self { position, weights: model::parameters(&network.valid()), velocity: sgd.velocity().to_vec() }
    }

    /// Puts the state back onto a network of the same architecture and an optimizer.
    ///
    /// # Errors
    /// What does not fit, if the network is not of that architecture.
    pub fn restore(&self, network: Network, sgd: &mut Sgd) -> Result<Network, String> {
        // Updates of the running statistics that are still pending would overwrite them later.
        drop(network.valid());
        let network = model::fill(network, self.weights.clone())?;
        let sizes = model::sizes(&network);
        let fits = self.velocity.is_empty()
            || (self.velocity.len() == sizes.len()
                && self.velocity.iter().zip(&sizes).all(|(v, &n)| v.as_ref().is_none_or(|v| v.len() == n)));
        if !fits {
            return Err("its momentum is not that of this network".into());
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
    pub(super) fn pick(part: &str, position: Position, tensors: &mut Parameters) -> Self {
        let mut take = |kind: &str| -> Parameters {
            let prefix = format!("{part}/{kind}/");
            let names: Vec<String> = tensors.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
            let found = names.iter().filter_map(|name| tensors.remove_entry(name));
            found.map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor)).collect()
        };
        let weights = take("weight");
        // The numbers in the names are padded: their order is the network's.
        let velocity = take("velocity").into_values().map(|p| (!p.values.is_empty()).then_some(p.values)).collect();
        Self { position, weights, velocity }
    }
}
