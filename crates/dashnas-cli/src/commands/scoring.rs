//! New labeled data for a trained model, and the model's score on it.

use crate::args::flags::translate;
use crate::args::reading::ReadArgs;
use crate::commands::inputs::{check_window, reading_of, warn_of_size};
use crate::exit_code::Code;
use crate::failure::Failure;
use dashnas::config::Config;
use dashnas::evaluation::new_data::{self, NewDataScore, OnTest, SampleGroups};
use dashnas::record::trained_on::{Seen, SeenKind, TrainedOn};
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_core::text::plural;
use dashnas_data::labeled::{KnownTargets, LabeledInputs, open_labeled};
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::options::ReadOptions;
use dashnas_formats::places::Place;
use dashnas_nn::artifact::ModelCard;
use dashnas_nn::predict::by_time::PredictedSteps;
use dashnas_report::wording::{interval, no_interval, with_accuracy};
use dashnas_tasks::source::is_built_in;
use std::collections::HashMap;
use std::path::Path;

/// New labeled data.
pub struct Labeled {
    /// The samples with their targets.
    pub inputs: LabeledInputs,
    /// What of it has the name of something that the run was trained on.
    pub in_training: Vec<Seen>,
    /// The path that was given.
    data: String,
}

impl Labeled {
    /// Reads labeled data for the model at `path` as its training data was read; with `by_time`, the labels are those of
    /// time steps and not of windows.
    ///
    /// # Errors
    /// With exit code 3, the data set's own error.
    pub fn read(data: &str, path: &Path, card: &ModelCard, read: &ReadArgs, by_time: bool) -> Result<Self, Failure> {
        if is_built_in(data) {
            return Err(Failure::new(
                Code::Data,
                format!("{data} is the name of a task, whose test samples are the test split of a run on it"),
                Some("give a file or folder with new labeled data".to_owned()),
            ));
        }
        let reading = ReadOptions { step_labels: by_time, ..reading_of(card, read)? };
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
        // A model file by itself does not know the samples.
        let known = RunDir::open(path).ok().map(|dir| TrainedOn::read(&dir)).transpose()?.unwrap_or_default();
        // Of groups that the options name, the readers say what is missing.
        if inputs.groups.is_none() && reading.group.is_none() && known.has_groups() {
            tracing::warn!(
                "{data}: the training data had groups, such as persons, and here none are found: intervals and tests count \
                 the samples as if they were independent, unless --group names the groups"
            );
        }
        let in_training = known.among(Path::new(data), &inputs);
        Ok(Self { inputs, in_training, data: data.to_owned() })
    }

    /// Warns of what has the name of something that the run was trained on.
    pub fn warn_of_training(&self) {
        self.in_training.iter().for_each(|seen| tracing::warn!("{}: {}", self.data, trained_on(seen)));
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
        let groups = self.inputs.groups.as_ref();
        let groups = groups.and_then(|groups| Some(SampleGroups { are: groups.are, numbers: groups.test.as_deref()? }));
        self.scored(card, &self.inputs.y, groups, (scores, plain), guess)
    }

    /// The score of predictions of time steps, by the probabilities or values of the steps that some window covers.
    ///
    /// # Errors
    /// With exit code 3, if no such step has a label, and as [`Labeled::score`].
    pub fn score_steps(
        &self,
        card: &ModelCard,
        predicted: &PredictedSteps,
        windows: &[Place],
    ) -> Result<NewDataScore, Failure> {
        let rows: HashMap<(usize, usize), usize> =
            predicted.steps.iter().enumerate().map(|(row, &step)| (step, row)).collect();
        let labeled = self.inputs.steps.iter().flatten().enumerate();
        let known: Vec<(usize, usize, usize)> = labeled
            .filter_map(|(i, step)| Some((i, *rows.get(&(step.recording, step.start))?, step.recording)))
            .collect();
        if known.is_empty() {
            let message = format!("{}: no time step that a window covers has a label", self.data);
            let hint = "leave out --by time: the score is that of the windows then, by their labels".to_owned();
            return Err(Failure::new(Code::Data, message, Some(hint)));
        }
        // The steps of a recording belong to the group of its windows.
        let groups = self.inputs.groups.as_ref().and_then(|groups| Some((groups.are, groups.test.as_deref()?)));
        let of_recording = |of: &[u32]| -> HashMap<usize, u32> {
            windows.iter().zip(of).map(|(window, &group)| (window.recording, group)).collect()
        };
        let numbers = groups.map(|(are, of)| {
            let of_recording = of_recording(of);
            let number = |recording| of_recording.get(recording).copied().unwrap_or_default();
            (are, known.iter().map(|(_, _, recording)| number(recording)).collect::<Vec<u32>>())
        });
        let truth = self.inputs.y.select(&known.iter().map(|step| step.0).collect::<Vec<_>>());
        let mut scores = predicted.prediction.values.select(&known.iter().map(|step| step.1).collect::<Vec<_>>());
        to_scores(card.task, &mut scores);
        let groups = numbers.as_ref().map(|(are, numbers)| SampleGroups { are: *are, numbers });
        Ok(NewDataScore { by_time: true, ..self.scored(card, &truth, groups, (&scores, None), None)? })
    }

    /// The score of samples or time steps.
    fn scored(
        &self,
        card: &ModelCard,
        truth: &Targets,
        groups: Option<SampleGroups<'_>>,
        (scores, plain): (&Array, Option<&Array>),
        guess: Option<&[f32]>,
    ) -> Result<NewDataScore, Failure> {
        let weights = self.inputs.weights.as_deref().filter(|weights| weights.len() == truth.rows());
        let (task, metric, seed) = (card.task, card.metric, card.training.seed);
        let samples = OnTest { task, metric, truth, weights, groups, seed };
        let score = new_data::score(&samples, scores, plain, guess)?;
        Ok(NewDataScore {
            data: self.data.clone(),
            samples: truth.rows(),
            in_training: self.in_training.clone(),
            by_time: false,
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

/// Turns probabilities into scores as those of a model; values stay as they are.
fn to_scores(task: TaskKind, values: &mut Array) {
    let bounded = |p: f32| p.clamp(1e-30, 1.0);
    match task {
        TaskKind::Classification { .. } => values.data.iter_mut().for_each(|p| *p = bounded(*p).ln()),
        TaskKind::MultiLabel { .. } => {
            values.data.iter_mut().for_each(|p| *p = bounded(*p).ln() - bounded(1.0 - *p).ln());
        }
        _ => {}
    }
}

/// A part of a sentence on new data that has the names of training data.
fn trained_on(seen: &Seen) -> String {
    let Seen { are: kind, number, of, names, same_files } = seen;
    let (noun, all) = (kind.noun(), plural(*of, kind.noun()));
    let more = if *number > names.len() { ", …" } else { "" };
    let names = format!("{}{more}", names.join(", "));
    let one = *number == 1;
    match same_files {
        true if *of == 1 && *kind == SeenKind::Files => {
            "it was trained on: the score is not one of new data".to_owned()
        }
        true => {
            let are = if one { "is" } else { "are" };
            format!("{number} of {all} {are} in the training data ({names}): the score is not one of new data")
        }
        false => {
            let have = if one { format!("has the name of a {noun}") } else { format!("have the names of {noun}s") };
            format!(
                "{number} of {all} {have} in the training data ({names}): if they are the same, the score is not one of new \
                 {noun}s"
            )
        }
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
        Some(n) => {
            let steps = if score.by_time { " time steps" } else { "" };
            format!("{} ({:.0} of {n}{steps})", score.metric.format(score.value), score.value * n as f64)
        }
        None => {
            let weighted = if score.weighted { ", by their weights" } else { "" };
            let samples = plural(score.samples, if score.by_time { "time step" } else { "sample" });
            format!("{} ({samples}{weighted})", with_accuracy(score.metric, score.value))
        }
    };
    let interval = score.interval.map(|of| interval(score.metric, of)).or_else(|| no_interval(&score.judgement));
    let within = interval.map_or_else(String::new, |interval| format!("; {interval}"));
    format!("Score on {}: {} {value}{within}", score.data, score.metric.title())
}
