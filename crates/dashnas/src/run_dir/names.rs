//! The names of the files in a run directory.

/// The resolved configuration.
pub const CONFIG: &str = "config.toml";
/// The record of the data set.
pub const DATA: &str = "data.json";
/// The samples of each split.
pub const SPLIT: &str = "split.json";
/// The plan by which a run meets its time limit.
pub const PLAN: &str = "plan.json";
/// The event log.
pub const EVENTS: &str = "events.jsonl";
/// Mixing probabilities over the epochs.
pub const ALPHA: &str = "alpha.jsonl";
/// The race of networks.
pub const RACE: &str = "race.json";
/// The searched architecture.
pub const ARCHITECTURE: &str = "architecture.json";
/// The tuning trials and the chosen hyperparameters.
pub const TUNING: &str = "tuning.json";
/// The trained model, in one file.
pub const MODEL: &str = "model.dashnas";
/// The trained plain backbone.
pub const BASELINE: &str = "baseline.dashnas";
/// The outcome.
pub const METRICS: &str = "metrics.json";
/// The details of the evaluation on the test split.
pub const EVALUATION: &str = "evaluation.json";
/// The program and the machine.
pub const ENVIRONMENT: &str = "environment.json";
/// The current step.
pub const STATUS: &str = "status.json";
/// The report.
pub const REPORT: &str = "report.html";
/// The log of the program.
pub const PROGRAM_LOG: &str = "run.log";
/// The newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// The previous checkpoint.
pub const CHECKPOINT_PREVIOUS: &str = "checkpoint.prev";
/// The record of a cross-validation, in the folder above its run directories.
pub const FOLDS: &str = "folds.json";
/// The configuration of all folds of a cross-validation together.
pub const FOLDS_CONFIG: &str = "folds.toml";
/// The record of a comparison of methods, in the folder above its run directories.
pub const COMPARISON: &str = "comparison.json";
/// The configuration of all runs of a comparison together.
pub const COMPARISON_CONFIG: &str = "comparison.toml";
/// The results of a comparison.
pub const RESULTS: &str = "results.json";
/// The page of a comparison.
pub const COMPARISON_REPORT: &str = "compare.html";
/// The file that the working process locks.
pub const LOCK: &str = "run.lock";

/// The files by which folders of several run directories are recognized: those of a cross-validation and of a comparison.
pub(crate) const SEVERAL: [&str; 2] = [FOLDS, COMPARISON];

/// The files of a run besides its report, which can be written again.
const OWN: [&str; 24] = [
    CONFIG,
    DATA,
    SPLIT,
    PLAN,
    EVENTS,
    ALPHA,
    RACE,
    ARCHITECTURE,
    TUNING,
    MODEL,
    BASELINE,
    METRICS,
    EVALUATION,
    ENVIRONMENT,
    STATUS,
    PROGRAM_LOG,
    CHECKPOINT,
    CHECKPOINT_PREVIOUS,
    FOLDS,
    FOLDS_CONFIG,
    COMPARISON,
    COMPARISON_CONFIG,
    RESULTS,
    LOCK,
];

/// Whether a file in a run directory is one that the run writes and reads, by its name; the report is not.
pub fn is_own(name: &str) -> bool {
    OWN.contains(&name)
}
