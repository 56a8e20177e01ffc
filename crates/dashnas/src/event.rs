//! What the pipeline says while it runs. Each event is one JSON line of a run directory's log and one
//! call to an [`Observer`].

use crate::budget::plan::TimePlan;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A part of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading or making the data set.
    Data,
    /// Training the supernet.
    Search,
    /// Trying training hyperparameters.
    Tune,
    /// Training the discretised network.
    Retrain,
    /// Training the plain backbone.
    Baseline,
    /// Reading the test split, once.
    Evaluate,
}

impl Stage {
    /// Every stage, in the order they run.
    pub const ALL: [Stage; 6] =
        [Stage::Data, Stage::Search, Stage::Tune, Stage::Retrain, Stage::Baseline, Stage::Evaluate];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Data => "data",
            Stage::Search => "search",
            Stage::Tune => "tune",
            Stage::Retrain => "retrain",
            Stage::Baseline => "baseline",
            Stage::Evaluate => "evaluate",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing that happened. Epochs, steps, trials and layers are counted from 0; lower losses and metrics
/// are better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage begins.
    StageStarted {
        /// Which.
        stage: Stage,
        /// Steps that it will take at most, over all epochs and trials; 0 if unknown.
        steps_total: u64,
        /// Epochs (of one trial, when tuning); 0 for stages without.
        epochs: usize,
    },
    /// A time limit was turned into a plan, or the plan was changed.
    Planned {
        /// The plan.
        plan: Box<TimePlan>,
    },
    /// A stage goes on where an earlier process left off.
    StageResumed {
        /// Which.
        stage: Stage,
        /// Steps already done.
        steps_done: u64,
    },
    /// One step of gradient descent, or one unit of work in a stage without.
    Step {
        /// Which stage.
        stage: Stage,
        /// Trial, when tuning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<usize>,
        /// Epoch.
        epoch: usize,
        /// Steps done in the stage, over all epochs and trials, this one included; also those of trials that run
        /// beside this one.
        step: u64,
        /// As in `StageStarted`.
        steps_total: u64,
        /// Loss of the batch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss: Option<f64>,
        /// Learning rate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lr: Option<f64>,
    },
    /// An epoch is over.
    Epoch {
        /// Which stage.
        stage: Stage,
        /// Trial, when tuning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<usize>,
        /// Epoch.
        epoch: usize,
        /// Epochs in all.
        epochs: usize,
        /// Mean training loss.
        train_loss: f64,
        /// The task's metric on what the epoch trained on last, at most 512 samples, of the outputs that its steps
        /// computed: with sampled kernels in the search, with dropout and augmentation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train_metric: Option<f64>,
        /// The task's metric on the data set's own validation split, after the epochs where it was computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        val_metric: Option<f64>,
        /// Learning rate.
        lr: f64,
        /// Seconds that the epoch took.
        seconds: f64,
    },
    /// Where the search stands after an epoch.
    Alpha {
        /// Epoch.
        epoch: usize,
        /// Each layer's leading choice, in the order of the network.
        layers: Vec<LayerChoice>,
    },
    /// A trial of the tuner is over.
    TrialFinished {
        /// The stage that it belongs to: `Tune`, or `Baseline`, whose trials have numbers of their own.
        #[serde(default = "tune")]
        stage: Stage,
        /// Which. Trials that run side by side end in any order.
        trial: usize,
        /// Trials in the grid.
        trials: usize,
        /// Learning rate.
        lr: f64,
        /// Weight decay.
        weight_decay: f64,
        /// Momentum.
        momentum: f64,
        /// Dropout rate.
        dropout: f64,
        /// Metric on the validation split; none if the trial failed, or if the metric is undefined there.
        score: Option<f64>,
        /// Loss on the validation split; none if the trial failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss: Option<f64>,
        /// Why there is no score.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A stage is over.
    StageFinished {
        /// Which.
        stage: Stage,
        /// Seconds that it took.
        seconds: f64,
    },
    /// How something was done that could have been done otherwise.
    Note {
        /// What.
        message: String,
    },
    /// Something the user should know that stops nothing.
    Warning {
        /// What.
        message: String,
    },
    /// The run is over.
    Finished {
        /// Its result.
        outcome: Box<Outcome>,
    },
}

/// The stage of the trials in logs of versions that did not say.
fn tune() -> Stage {
    Stage::Tune
}

/// The kernel that leads a layer's choices, and how sure the layer is of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LayerChoice {
    /// Kernel size k.
    pub kernel_size: usize,
    /// Dilation d.
    pub dilation: usize,
    /// Its share of the softmax, in `[0, 1]`.
    pub weight: f64,
    /// Entropy of the softmax in nats, from 0 (decided) to `ln(|K|·|D|)` (open).
    pub entropy: f64,
}

/// Follows a run, and may stop it.
pub trait Observer {
    /// Takes notice of an event.
    fn event(&mut self, event: &Event);

    /// Whether the run is to stop at the next step. It can be resumed from its last checkpoint.
    fn cancelled(&self) -> bool {
        false
    }
}

/// An observer that does nothing.
impl Observer for () {
    fn event(&mut self, _: &Event) {}
}

/// An observer that keeps every event.
impl Observer for Vec<Event> {
    fn event(&mut self, event: &Event) {
        self.push(event.clone());
    }
}

/// Observers in pairs: both see every event, either may stop the run.
impl<A: Observer + ?Sized, B: Observer + ?Sized> Observer for (&mut A, &mut B) {
    fn event(&mut self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled() || self.1.cancelled()
    }
}
