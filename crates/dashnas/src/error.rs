//! The errors of a run: those of its own, and those of the layers below it.

use crate::budget::memory::MemoryError;
use crate::budget::too_short::TooShort;
use crate::config::error::ConfigError;
use crate::run_dir::error::{Holds, RunDirError};
use crate::run_dir::names;
use aggconv::SpaceError;
use dashnas_core::files::FileError;
use dashnas_core::metric::MetricError;
use dashnas_core::stage::Stage;
use dashnas_core::task::{Loss, Metric, TaskKind};
use dashnas_formats::error::DataError;
use dashnas_nn::error::ModelError;
use dashnas_tasks::recipes::error::TaskError;
use dashnas_tasks::source::SourceError;
use std::io;
use std::path::{Path, PathBuf};

/// An error of a run. Its text states the fact and the cause; [`Error::hint`] gives advice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data set cannot be read or used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The files of a task cannot be used, or the Darcy flow data cannot be generated.
    #[error(transparent)]
    Source(Box<SourceError>),
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The kernel space is not valid.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The metric is not defined on this data.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The loss does not fit the kind of target.
    #[error("the loss {} cannot be used for {task}", loss.name())]
    LossMismatch {
        /// The loss asked for.
        loss: Loss,
        /// The task.
        task: TaskKind,
    },
    /// The metric does not fit the kind of task.
    #[error("the metric {} cannot be used for {task}: it needs {needs}", metric.name())]
    MetricMismatch {
        /// The metric asked for.
        metric: Metric,
        /// The task.
        task: TaskKind,
        /// The property of the data that the metric needs.
        needs: &'static str,
    },
    /// The metric is undefined on the test split for any predictions.
    #[error("no network can be evaluated on the test split: {source}")]
    MetricUndefined {
        /// Why the metric is undefined.
        source: MetricError,
        /// The task.
        task: TaskKind,
    },
    /// The loss or the gradients are no longer finite.
    #[error("{} diverged at epoch {}, step {}: the loss or its gradient is not finite", stage.name(), epoch + 1, step + 1)]
    Diverged {
        /// The stage.
        stage: Stage,
        /// Epoch, from 0.
        epoch: usize,
        /// Step in the epoch, from 0.
        step: usize,
    },
    /// The time limit was reached before a training of fixed length ended.
    #[error("the time for the {} stage was up", stage.name())]
    OutOfTime {
        /// The stage.
        stage: Stage,
    },
    /// No tuning trial gave a score.
    #[error("all {trials} tuning trials failed; the last one: {reason}")]
    AllTrialsFailed {
        /// The number of trials.
        trials: usize,
        /// Why the last trial failed.
        reason: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A stage needs the result of an earlier stage.
    #[error("{} has no {file}: the {needs} stage has not finished there", path.display())]
    MissingStage {
        /// The run directory.
        path: PathBuf,
        /// The file that is missing.
        file: &'static str,
        /// The stage that writes it.
        needs: &'static str,
    },
    /// The data set that was given is not that of the run.
    #[error("the data set {given} is not the one on which this run was started ({expected}): {reason}")]
    OtherData {
        /// Name of the data set that was given.
        given: String,
        /// Name of the data set of the run.
        expected: String,
        /// How they differ.
        reason: String,
    },
    /// The memory limit is too small even for the smallest batches.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The time limit is too short for one sensible training.
    #[error(transparent)]
    TimeLimit(Box<TooShort>),
    /// No architecture is within a bound.
    #[error("no architecture of this search space has at most {bound}: the smallest has {least}")]
    Bound {
        /// The configuration key of the bound.
        key: &'static str,
        /// The bound.
        bound: String,
        /// The smallest value of any architecture.
        least: String,
    },
    /// The network with the given kernels exceeds a bound.
    #[error("the network with the given kernels has {least}, but at most {bound} are allowed")]
    GivenBound {
        /// The configuration key of the bound.
        key: &'static str,
        /// The bound.
        bound: String,
        /// The value of the network.
        least: String,
    },
    /// A file has no kernels.
    #[error("no kernels can be read from {}: {reason}", path.display())]
    KernelFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// A model cannot be built, read, written, run or exported.
    #[error(transparent)]
    Model(ModelError),
    /// A run directory cannot be used.
    #[error(transparent)]
    RunDir(RunDirError),
    /// A file cannot be read, written or understood.
    #[error(transparent)]
    File(#[from] FileError),
    /// The system does not start another thread.
    #[error("{reason}")]
    Threads {
        /// The purpose of the thread, and the error of the system.
        reason: String,
    },
    /// The configuration was changed since the stage that is to be resumed was begun.
    #[error("{} was changed while the {stage} stage was running", path.display())]
    ConfigChanged {
        /// The path of the configuration.
        path: PathBuf,
        /// The stage.
        stage: Stage,
    },
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Data(e) => Error::Data(e),
            ModelError::File(e) => Error::File(e),
            ModelError::Untrained { path, file } => Error::MissingStage { path, file, needs: "train" },
            ModelError::NotARun { path, .. } => {
                let holds = Holds::of(&path, names::SEVERAL);
                Error::RunDir(RunDirError::NotARun { path, holds })
            }
            other => Error::Model(other),
        }
    }
}

impl From<TooShort> for Error {
    fn from(error: TooShort) -> Self {
        Error::TimeLimit(Box::new(error))
    }
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Data(e) | SourceError::Task(TaskError::Data(e)) => Error::Data(e),
            SourceError::Interrupted => Error::Interrupted,
            other => Error::Source(Box::new(other)),
        }
    }
}

impl From<RunDirError> for Error {
    fn from(error: RunDirError) -> Self {
        match error {
            RunDirError::File(e) => Error::File(e),
            other => Error::RunDir(other),
        }
    }
}

impl Error {
    /// An error of the file system.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Error::File(FileError::io(action, path, source))
    }

    /// Advice on how to solve the problem, if there is any. Settings are named by their configuration keys.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Data(e) => e.hint(),
            Error::Source(e) => match &**e {
                SourceError::Task(e) => e.hint(),
                _ => None,
            },
            Error::Config(e) => e.hint(),
            Error::Model(e) => e.hint(),
            Error::LossMismatch { task, .. } => Some(format!("its default is {}", task.default_loss().name())),
            Error::MetricMismatch { task, .. } => Some(format!("its default is {}", task.default_metric().name())),
            Error::MetricUndefined { source, task } => {
                let others = Metric::ALL.into_iter().filter(|m| m.suits(*task) && Some(*m) != source.metric());
                let names = others.map(Metric::name).collect::<Vec<_>>().join(", ");
                Some(format!("choose another metric ({names}), or give test samples that it is defined on"))
            }
            Error::Diverged { stage: Stage::Search, .. } => Some("try a lower learning rate (`search.lr`)".into()),
            Error::Diverged { .. } => {
                Some("try lower learning rates (`tune.learning-rates`, or `retrain.lr` where nothing is tuned)".into())
            }
            Error::AllTrialsFailed { .. } => Some(
                "try lower learning rates (`tune.learning-rates`, `asha.learning-rates`); the reason of each trial is \
                 in events.jsonl"
                    .into(),
            ),
            Error::RunDir(e) => e.hint(),
            Error::ConfigChanged { .. } => Some(format!(
                "restore the configuration, or remove {} and {} to begin the stage again",
                names::CHECKPOINT,
                names::CHECKPOINT_PREVIOUS
            )),
            Error::File(FileError::Io { source, .. })
                if matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
                ) =>
            {
                Some("free some space; everything up to the last checkpoint is kept".into())
            }
            Error::MissingStage { needs, .. } => Some(format!("run the {needs} stage first")),
            Error::OtherData { .. } => Some("give the same data set, or start a new run".into()),
            Error::Memory(MemoryError { least, .. }) => Some(format!(
                "raise `budget.memory-limit` to {}M, or make the network narrower (`backbone.width`)",
                least.div_ceil(1 << 20)
            )),
            Error::TimeLimit(short) => Some(format!(
                "set `budget.time-limit` to {:.0} seconds, which is enough by these times with some to spare, or make a step \
                 cheaper: shorter series, smaller images, a narrower network (`backbone.channels`, `backbone.width`), fewer \
                 test samples",
                short.least
            )),
            Error::Bound { key, least, .. } => Some(format!(
                "raise `{key}` to {least}, or make the network smaller: `backbone.width`, `backbone.channels`, \
                 `space.kernel-sizes`"
            )),
            Error::GivenBound { key, least, .. } => Some(format!(
                "raise `{key}` to {least}, give smaller kernels, or make the network smaller: `backbone.width`, \
                 `backbone.channels`"
            )),
            Error::KernelFile { .. } => Some(
                "give a run directory, its architecture.json or metrics.json, or another JSON file with a list of \
                 [kernel size, dilation], alone or under \"kernels\""
                    .into(),
            ),
            _ => None,
        }
    }
}
