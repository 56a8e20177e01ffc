//! What can go wrong in the pipeline.

use crate::config::ConfigError;
use crate::data::DataError;
use crate::event::Stage;
use crate::export::ExportError;
use crate::metric::MetricError;
use crate::predict::{InputError, OutputError};
use crate::run_dir::names;
use crate::task::{Loss, Metric, TaskKind};
use aggconv::SpaceError;
use std::io;
use std::path::{Path, PathBuf};

/// Any failure of the pipeline. Each says what, where and, through [`Error::hint`], what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data is not usable.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The kernel space is not usable.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The metric is not defined on this data.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The loss does not go with the kind of target.
    #[error("the loss {} cannot be used for {task}", loss.name())]
    LossMismatch {
        /// The loss asked for.
        loss: Loss,
        /// The task.
        task: TaskKind,
    },
    /// The metric does not go with the kind of task.
    #[error("the metric {} cannot be used for {task}: it needs {needs}", metric.name())]
    MetricMismatch {
        /// The metric asked for.
        metric: Metric,
        /// The task.
        task: TaskKind,
        /// What it needs.
        needs: &'static str,
    },
    /// The metric is undefined on the test split, whatever would be predicted.
    #[error("no network can be judged on the test split: {source}")]
    Unjudgeable {
        /// Why.
        source: MetricError,
        /// The task.
        task: TaskKind,
    },
    /// The loss or the gradients stopped being finite.
    #[error("{} diverged at epoch {}, step {}: the loss or its gradient is not finite", stage.name(), epoch + 1, step + 1)]
    Diverged {
        /// The stage.
        stage: Stage,
        /// Epoch, from 0.
        epoch: usize,
        /// Step in the epoch, from 0.
        step: usize,
    },
    /// The time for a training was up before it was done.
    #[error("the time for {} was up", stage.name())]
    OutOfTime {
        /// The stage.
        stage: Stage,
    },
    /// No tuning trial gave a score.
    #[error("all {trials} tuning trials failed; the last one because {reason}")]
    AllTrialsFailed {
        /// How many were tried.
        trials: usize,
        /// Why the last one failed.
        reason: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Something is already where the run directory should be made.
    #[error("{} already exists and is not empty", path.display())]
    RunDirExists {
        /// Where.
        path: PathBuf,
    },
    /// A directory that was to hold a run does not.
    #[error("{} is not a run directory: it has no config.toml", path.display())]
    NotARunDir {
        /// Where.
        path: PathBuf,
    },
    /// A stage needs what an earlier one leaves behind.
    #[error("{} has no {file}: the {needs} stage has not finished there", path.display())]
    MissingStage {
        /// The run directory.
        path: PathBuf,
        /// The file that is missing.
        file: &'static str,
        /// The stage that writes it.
        needs: &'static str,
    },
    /// The data given to a later stage is not the data of the run.
    #[error("the data set {given} is not the one this run was started on ({expected}): {reason}")]
    OtherData {
        /// What was given.
        given: String,
        /// What the run used.
        expected: String,
        /// How they differ.
        reason: String,
    },
    /// The memory limit is too small for any way of computing.
    #[error("a memory limit of {} is too small: {} is the least that works", bytes(*limit), bytes(*least))]
    Memory {
        /// The limit in bytes.
        limit: u64,
        /// The least in bytes.
        least: u64,
    },
    /// No architecture is within a bound.
    #[error("no architecture of this search space has at most {bound}: the smallest has {least}")]
    Bound {
        /// The configuration key of the bound.
        key: &'static str,
        /// The bound.
        bound: String,
        /// The smallest that can be had.
        least: String,
    },
    /// An architecture that does not fit the backbone.
    #[error("the architecture does not fit: {reason}")]
    Architecture {
        /// How.
        reason: String,
    },
    /// Inputs that a model cannot take.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Predictions that cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A model that another format cannot hold.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A model whose parts do not fit together.
    #[error("the model is not sound: {reason}")]
    Model {
        /// How.
        reason: String,
    },
    /// A file of the run that does not hold what it should.
    #[error("{} is damaged or of another version: {reason}", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No checkpoint of the run can be used.
    #[error("no checkpoint can be used: {flaws}")]
    Checkpoints {
        /// What is wrong with each.
        flaws: String,
    },
    /// A checkpoint of another version of the program.
    #[error("{} has format {found}, this program reads format {reads}", path.display())]
    CheckpointVersion {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that this program reads.
        reads: u32,
    },
    /// The system has no thread left.
    #[error("{reason}")]
    Threads {
        /// For what, and what the system says.
        reason: String,
    },
    /// A run that is to be continued has another configuration by now.
    #[error("{} was changed while the {stage} stage was under way", path.display())]
    ConfigChanged {
        /// Which file.
        path: PathBuf,
        /// The stage.
        stage: Stage,
    },
    /// Another process works in the run directory.
    #[error("{} is in use by {}", path.display(), process.map_or("another process".into(), |p| format!("process {p}")))]
    Locked {
        /// The run directory.
        path: PathBuf,
        /// Its number, if it could be read.
        process: Option<u32>,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Bytes in MiB, rounded up: a limit of what is printed is enough.
fn bytes(n: u64) -> String {
    format!("{} MiB", n.div_ceil(1 << 20))
}

impl Error {
    /// A failure of the file system.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Error::Io { action, path: path.into(), source }
    }

    /// What the user can do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Data(e) => e.hint(),
            Error::Config(e) => e.hint(),
            Error::Input(e) => e.hint(),
            Error::Export(e) => e.hint(),
            Error::Output(e) => e.hint(),
            Error::LossMismatch { task, .. } => Some(format!("its default is {}", task.default_loss().name())),
            Error::MetricMismatch { task, .. } => Some(format!("its default is {}", task.default_metric().name())),
            Error::Unjudgeable { source, task } => {
                let others = Metric::ALL.into_iter().filter(|m| m.suits(*task) && Some(*m) != source.metric());
                let names = others.map(Metric::name).collect::<Vec<_>>().join(", ");
                Some(format!("choose another metric ({names}), or give test samples that it is defined on"))
            }
            Error::Diverged { .. } => Some("try a lower learning rate (search.lr, retrain.lr)".into()),
            Error::AllTrialsFailed { .. } => Some(
                "try lower learning rates (tune.learning-rates, asha.learning-rates); each trial's reason is in \
                 events.jsonl"
                    .into(),
            ),
            Error::RunDirExists { path } if path.join(names::CONFIG).is_file() => {
                Some(format!("go on with it by `dashnas run --resume {}`, or choose another --out", path.display()))
            }
            Error::RunDirExists { .. } => Some("choose another --out".into()),
            Error::NotARunDir { .. } => Some(
                "give the directory that `run` or `search` printed; a run that never got to write its \
                      configuration is to be started again"
                    .into(),
            ),
            Error::Checkpoints { .. } => Some(
                "start a new run, or run the stages that are not done one by one; a finished search can be kept".into(),
            ),
            Error::CheckpointVersion { .. } => {
                Some("continue with the version of dashnas that wrote it, or start a new run".into())
            }
            Error::ConfigChanged { .. } => Some(format!(
                "put it back as it was; or remove {} and {} to begin the stage again",
                names::CHECKPOINT,
                names::CHECKPOINT_PREVIOUS
            )),
            Error::Locked { .. } => Some("wait until it is done, or choose another --out".into()),
            Error::Io { source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
                ) =>
            {
                Some("free some space; what was done up to the last checkpoint is not lost".into())
            }
            Error::MissingStage { needs, .. } => Some(format!("run `dashnas {needs}` on it first")),
            Error::OtherData { .. } => Some("give the same data set, or start a new run".into()),
            Error::Memory { least, .. } => Some(format!(
                "set --memory-limit {}M, or make the network narrower (backbone.width)",
                least.div_ceil(1 << 20)
            )),
            Error::Bound { key, least, .. } => Some(format!(
                "raise {key} to {least}, or make the network smaller: backbone.width, backbone.channels, \
                 space.kernel-sizes"
            )),
            Error::Io { source, action, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => Some("check the permissions, or choose another --out".into()),
                io::ErrorKind::NotADirectory => {
                    Some("a part of the path is a file and no folder: choose another --out".into())
                }
                io::ErrorKind::InvalidFilename => Some("choose a shorter --out".into()),
                io::ErrorKind::ReadOnlyFilesystem => Some("choose an --out that can be written to".into()),
                _ if action.ends_with("the run directory") => Some("choose another --out".into()),
                _ => None,
            },
            _ => None,
        }
    }
}
