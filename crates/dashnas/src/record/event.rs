//! The events of a run. Each event is one JSON line in the log of the run directory and one call of an [`Observer`].

use crate::budget::plan::TimePlan;
use crate::record::outcome::Outcome;
use dashnas_core::stage::Stage;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// An event of a run. Epochs, steps, trials and layers are counted from 0; lower losses and metrics are better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage begins.
    StageStarted {
        /// The stage.
        stage: Stage,
        /// Steps that it will take at most, over all epochs and trials; 0 if unknown.
        steps_total: u64,
        /// Epochs (of one trial, when tuning); 0 for stages without epochs.
        epochs: usize,
    },
    /// A time limit was turned into a plan, or the plan was changed.
    Planned {
        /// The plan.
        plan: Box<TimePlan>,
    },
    /// A stage continues where an earlier process stopped.
    StageResumed {
        /// The stage.
        stage: Stage,
        /// Steps already done.
        steps_done: u64,
    },
    /// One step of gradient descent, or one unit of work in a stage without training.
    Step {
        /// The stage.
        stage: Stage,
        /// The trial, when tuning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<usize>,
        /// The epoch.
        epoch: usize,
        /// Steps done in the stage, over all epochs and trials, this step and those of other running trials included.
        step: u64,
        /// Steps of the whole stage, as in `StageStarted`.
        steps_total: u64,
        /// Loss of the batch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss: Option<f64>,
        /// Learning rate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lr: Option<f64>,
    },
    /// An epoch has ended.
    Epoch {
        /// The stage.
        stage: Stage,
        /// The trial, when tuning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<usize>,
        /// The epoch.
        epoch: usize,
        /// Total number of epochs.
        epochs: usize,
        /// Mean training loss.
        train_loss: f64,
        /// The metric of the task on the last samples that the epoch trained on, at most 512, from the outputs that its
        /// steps computed: with sampled kernels in the search, with dropout and augmentation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train_metric: Option<f64>,
        /// The metric of the task on the validation split of the data set, after the epochs where it was computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        val_metric: Option<f64>,
        /// Learning rate.
        lr: f64,
        /// Duration of the epoch in seconds.
        seconds: f64,
    },
    /// The probabilities of the kernels after an epoch of the search.
    Alpha {
        /// The epoch.
        epoch: usize,
        /// The most probable kernel of each layer, in the order of the network.
        layers: Vec<LayerChoice>,
    },
    /// A tuning trial has ended.
    TrialFinished {
        /// The stage of the trial: `Tune`, or `Baseline`, whose trials have numbers of their own.
        #[serde(default = "tune")]
        stage: Stage,
        /// The number of the trial. Trials that run side by side end in any order.
        trial: usize,
        /// Total number of trials.
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
    /// A stage has ended.
    StageFinished {
        /// The stage.
        stage: Stage,
        /// Duration of the stage in seconds.
        seconds: f64,
    },
    /// A decision that the user may want to know.
    Note {
        /// The text.
        message: String,
    },
    /// Something that the user should know and that does not stop the run.
    Warning {
        /// The text.
        message: String,
    },
    /// The run has ended.
    Finished {
        /// The result.
        outcome: Box<Outcome>,
    },
}

/// The stage of the trials in logs of versions that did not record it.
fn tune() -> Stage {
    Stage::Tune
}

/// The most probable kernel of a layer, and how decided the layer is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LayerChoice {
    /// Kernel size k.
    pub kernel_size: usize,
    /// Dilation d.
    pub dilation: usize,
    /// Probability of the kernel by the softmax of α, in `[0, 1]`.
    pub weight: f64,
    /// Entropy of the softmax in nats, from 0 (decided) to `ln(|K|·|D|)` (undecided).
    pub entropy: f64,
}

/// A run in its directory, as observers see it before the first event.
#[derive(Debug, Clone, Copy)]
pub struct RunStart<'a> {
    /// The run directory.
    pub dir: &'a Path,
    /// The instant at which this process began to work on the run.
    pub begun: Instant,
    /// Seconds that earlier processes worked on the run.
    pub seconds_before: f64,
    /// Steps of each stage that trains the network found by the search.
    pub steps_to_come: &'a [(Stage, u64)],
    /// Whether event files for TensorBoard are wanted.
    pub tensorboard: bool,
}

/// Follows a run, and may stop it.
pub trait Observer {
    /// Called once, after the run has got its directory and before the first event.
    fn attached(&mut self, _: &RunStart<'_>) {}

    /// Called when time is added that passed before the run had a clock.
    fn time_added(&mut self, _seconds: f64) {}

    /// Called for every event.
    fn event(&mut self, event: &Event);

    /// Whether the run is to stop before the next step. It can be resumed from its last checkpoint.
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

/// A pair of observers: both see every event, either may stop the run.
impl<A: Observer + ?Sized, B: Observer + ?Sized> Observer for (&mut A, &mut B) {
    fn attached(&mut self, run: &RunStart<'_>) {
        self.0.attached(run);
        self.1.attached(run);
    }

    fn time_added(&mut self, seconds: f64) {
        self.0.time_added(seconds);
        self.1.time_added(seconds);
    }

    fn event(&mut self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled() || self.1.cancelled()
    }
}
