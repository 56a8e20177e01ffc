//! New labeled data for a trained model, and the model's score on it.

use crate::args::flags::translate;
use crate::args::reading::ReadArgs;
use crate::commands::inputs::{check_window, reading_of, warn_of_size};
use crate::exit_code::Code;
use crate::failure::Failure;
use dashnas::config::Config;
use dashnas::evaluation::new_data::{self, NewDataScore, OnTest, SampleGroups};
use dashnas::run_dir::names;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_core::text::plural;
use dashnas_data::labeled::{KnownTargets, LabeledInputs, open_labeled};
use dashnas_formats::array::Array;
use dashnas_nn::artifact::ModelCard;
use dashnas_report::wording::{interval, no_interval, with_accuracy};
use dashnas_tasks::source::is_built_in;
use std::path::Path;

/// New labeled data.
pub struct Labeled {
    /// The samples with their targets.
    pub inputs: LabeledInputs,
    /// The path that was given.
    data: String,
}

impl Labeled {
    /// Reads labeled data for the model at `path` as its training data was read.
    ///
    /// # Errors
    /// With exit code 3, the data set's own error.
    pub fn read(data: &str, path: &Path, card: &ModelCard, read: &ReadArgs) -> Result<Self, Failure> {
        if is_built_in(data) {
            return Err(Failure::new(
                Code::Data,
                format!("{data} is the name of a task, whose test samples are the test split of a run on it"),
                Some("give a file or folder with new labeled data".to_owned()),
            ));
        }
        let reading = reading_of(card, read)?;
        check_window(card, &reading)?;
        // Models that were written before the card had it are known by the configuration of their run only.
        let config = path.join(names::CONFIG);
        let unknown = match card.unknown {
            None if config.is_file() => Config::load(None, Some(&config), &[])?.task.unknown,
            unknown => unknown,
        };
        let known =
            KnownTargets { task: card.task, classes: card.classes.as_deref(), unknown, transforms: &card.transforms };
        let inputs = open_labeled(Path::new(data), &reading, known)?;
        inputs.origin.notes.iter().for_each(|note| tracing::debug!("{data}: {note}"));
        inputs.origin.warnings.iter().for_each(|warning| tracing::warn!("{}", translate(warning)));
        warn_of_size(data, card, &inputs.x.shape);
        if let Some(chosen) = &inputs.chosen {
            tracing::warn!("{data}: {}", translate(chosen));
        }
        Ok(Self { inputs, data: data.to_owned() })
    }

    /// The score of a model by its scores of the samples, and by those of the plain network and a guess, if there are any.
    ///
    /// # Errors
    /// With exit code 3, if the metric is not defined on these samples.
    pub fn score(
        &self,
        card: &ModelCard,
        scores: &Array,
        plain: Option<&Array>,
        guess: Option<&[f32]>,
    ) -> Result<NewDataScore, Failure> {
        let weights = self.inputs.weights.as_deref();
        let groups = self.inputs.groups.as_ref();
        let groups = groups.and_then(|groups| Some(SampleGroups { are: groups.are, numbers: groups.test.as_deref()? }));
        let (task, metric, seed) = (card.task, card.metric, card.training.seed);
        let samples = OnTest { task, metric, truth: &self.inputs.y, weights, groups, seed };
        let score = new_data::score(&samples, scores, plain, guess)?;
        Ok(NewDataScore {
            data: self.data.clone(),
            samples: self.inputs.y.rows(),
            weighted: weights.is_some(),
            task: card.task,
            metric: card.metric,
            value: score.metric,
            interval: score.judgement.interval,
            baseline: score.plain,
            judgement: score.judgement,
            classes: card.classes.clone(),
            details: score.details,
        })
    }
}

/// What was scored: `new.csv: classification into 3 classes, 40 samples`.
pub fn title(score: &NewDataScore) -> String {
    let weighted = if score.weighted { ", each of which counts by its weight" } else { "" };
    format!("{}: {}, {}{weighted}", score.data, score.task, plural(score.samples, "sample"))
}

/// The number of samples, where the score is the share of those that are wrong.
fn counted(score: &NewDataScore) -> Option<usize> {
    let classes = matches!(score.task, TaskKind::Classification { .. });
    (score.metric == Metric::ZeroOneError && classes && !score.weighted).then_some(score.samples)
}

/// The score on one line.
pub fn line(score: &NewDataScore) -> String {
    let value = match counted(score) {
        Some(n) => format!("{} ({:.0} of {n})", score.metric.format(score.value), score.value * n as f64),
        None => {
            let weighted = if score.weighted { ", by their weights" } else { "" };
            let samples = plural(score.samples, "sample");
            format!("{} ({samples}{weighted})", with_accuracy(score.metric, score.value))
        }
    };
    let interval = score.interval.map(|of| interval(score.metric, of)).or_else(|| no_interval(&score.judgement));
    let within = interval.map_or_else(String::new, |interval| format!("; {interval}"));
    format!("Score on {}: {} {value}{within}", score.data, score.metric.title())
}
