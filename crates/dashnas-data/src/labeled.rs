//! New samples with labels, on which a trained model is scored. The labels become targets as in the training data of the
//! model: classes and labels go by their names, not by the order in which they appear in the new files.

use crate::assemble::{Joined, forget_after_ends, joined, kind_of_groups};
use crate::centering;
use crate::check;
use crate::class_numbers;
use crate::dataset::Origin;
use crate::groups::Groups;
use crate::infer;
use crate::split::Split;
use crate::suspect;
use crate::targets::Targets;
use crate::transform::arrays::TEST;
use crate::transform::arrays::changed;
use crate::transform::kind::Transform;
use crate::unusual;
use crate::weights;
use dashnas_core::names::TaskName;
use dashnas_core::task::TaskKind;
use dashnas_core::text::{exact, plural, plural_of};
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::found::{Labels, NumericTargets, UnassembledData};
use dashnas_formats::options::{Lengths, ReadOptions};
use dashnas_formats::places::{Place, Windows};
use dashnas_formats::readers;
use dashnas_formats::role::Role;
use dashnas_formats::sample_facts::{Places, SampleFacts};
use std::path::Path;

/// What a model knows of the targets of its training data.
#[derive(Debug, Clone, Copy)]
pub struct KnownTargets<'a> {
    /// The task.
    pub task: TaskKind,
    /// The names of the classes or labels, in the order of the outputs.
    pub classes: Option<&'a [String]>,
    /// The value that stands for an unknown target.
    pub unknown: Option<f64>,
    /// The transforms of the inputs, of which some apply to fields as well.
    pub transforms: &'a [Transform],
}

/// Samples with their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledInputs {
    /// Inputs as they were read, N×C×L or N×C×H×W, relative to the centers of the options.
    pub x: Array,
    /// The targets, in the units of the files and relative to the centers of the options. An unknown one is NaN.
    pub y: Targets,
    /// The weight of each sample, if the files have weights.
    pub weights: Option<Vec<f32>>,
    /// The time steps that the targets are those of, as windows of one step each, where the options ask for the labels of
    /// time steps and recordings were cut into windows.
    pub steps: Option<Vec<Place>>,
    /// The groups of the samples, as those of a test split, if there are any.
    pub groups: Option<Groups>,
    /// The name of each sample, if the format has them.
    pub ids: Option<Vec<String>>,
    /// The windows that the samples are, if recordings were cut into windows.
    pub windows: Option<Windows>,
    /// The row of each sample in its table, from 0, if they are not all rows.
    pub rows: Option<Vec<usize>>,
    /// Which samples these are, in words, if they are those of the test split.
    pub chosen: Option<String>,
    /// The files that they were read from.
    pub origin: Origin,
}

/// Reads samples with their labels: those of the test split if there is one, otherwise all. The `options` should be those
/// of the model.
///
/// # Errors
/// As [`open_inputs`](crate::open::open_inputs); and a [`DataError`] if there are no labels, if a label is none of those
/// of the model, or if the targets have another shape.
pub fn open_labeled(path: &Path, options: &ReadOptions, known: KnownTargets<'_>) -> Result<LabeledInputs, DataError> {
    let task = TaskName::ALL.into_iter().find(|name| name.name() == known.task.name());
    // Samples to predict from are read into memory.
    let options =
        ReadOptions { in_memory: Some(u64::MAX), scored: true, task, unknown: known.unknown, ..options.clone() };
    let origin = path.display().to_string();
    let mut raw = readers::read(path, &options, false)?;
    let without_labels = || {
        DataError::file(path, "it has no labels that the model could be scored on").with_hint(
            "give labels as in the training data, and name their column or array with `data.targets` if it is called \
             otherwise; `dashnas predict` needs no labels",
        )
    };
    if raw.parts.iter().any(|part| part.y.is_none()) {
        return Err(without_labels());
    }
    weights::check(&origin, &mut raw)?;
    if raw.parts.len() > 1 && raw.parts.iter().all(|part| matches!(part.role, Role::Train | Role::Val)) {
        raw.warn("all samples are used, those for training as well: the data has splits, but none is the test split");
    }
    let Joined { all, windows, rows, chosen } = joined(&origin, &mut raw)?;
    let Some(labels) = all.y else { return Err(without_labels()) };
    let (labels, steps) = match raw.step_labels.take() {
        Some(of_steps) => (of_steps.labels, Some(of_steps.steps)),
        None => (labels, None),
    };
    if steps.is_none() && labels.rows() != all.x.rows() {
        let (x_len, y_len) = (all.x.rows(), labels.rows());
        return Err(DataError::Lengths { origin, x: "x".into(), x_len, y: "y".into(), y_len });
    }
    let places = all.ids.clone().map(Places::Names).or(all.facts.places).filter(|_| steps.is_none());
    let facts = SampleFacts { places, ..all.facts };
    raw.warnings.extend(numbers_only(&labels, raw.classes.as_deref(), known));
    let found = Found { path, raw: &raw, facts: &facts, known };
    let mut y = found.targets(all.x.shape.as_slice(), labels)?;
    if !raw.digits.targets_centered {
        centering::subtract_from_targets(&mut y, &options.centers.targets);
    }
    let mut split = Split { x: all.x, y };
    if raw.reading.lengths == Lengths::Mask && known.task.is_dense() {
        forget_after_ends(&mut split)?;
    }
    let y = transformed(split.y, known);
    if let Some(note) = unusual::without_labels(known.task, std::iter::once(&y)) {
        raw.note(note);
    }
    let kind = kind_of_groups(windows.as_ref());
    let groups = all.groups.map(|names| Groups::new(kind, [None, None, Some(&names)]));
    let (notes, warnings, columns) = (raw.notes, raw.warnings, raw.columns);
    let origin = Origin { format: raw.format, files: raw.files, notes, warnings, columns, drawn: None };
    Ok(LabeledInputs {
        x: split.x,
        y,
        weights: facts.weights,
        steps,
        groups,
        ids: all.ids,
        windows,
        rows,
        chosen,
        origin,
    })
}

/// Warns of labels that can be compared by the numbers of their classes only, although names are known on one side.
fn numbers_only(labels: &Labels, own: Option<&[String]>, known: KnownTargets<'_>) -> Option<String> {
    if !matches!(known.task, TaskKind::Classification { .. }) || matches!(labels, Labels::Names(_)) {
        return None;
    }
    let (names, whose) = match (own, known.classes) {
        (Some(own), None) => (own, "the new files name the classes, but the training data did not"),
        (None, Some(names)) if !names.iter().any(|name| name.trim().parse::<f64>().is_ok()) => {
            (names, "the labels are numbers, but the training data named the classes")
        }
        _ => return None,
    };
    let some: Vec<String> = names.iter().take(4).enumerate().map(|(i, name)| format!("{i} for `{name}`")).collect();
    let more = if names.len() > some.len() { ", …" } else { "" };
    Some(format!("{whose}: the numbers are taken as they are ({}{more})", some.join(", ")))
}

/// Fields on the grid of the transformed inputs, as [`preprocess`](crate::preprocess) brings them there; and unknown
/// values as NaN.
fn transformed(y: Targets, known: KnownTargets<'_>) -> Targets {
    let Targets::Values(mut values) = y else { return y };
    if let Some(unknown) = known.unknown {
        values.data.iter_mut().filter(|v| **v == unknown as f32).for_each(|v| *v = f32::NAN);
    }
    let moves = |t: &&Transform| matches!(t, Transform::Flatten | Transform::Permute);
    for &transform in known.transforms.iter().filter(|_| known.task.is_dense()).filter(moves) {
        values = changed(values, transform, TEST, 0);
    }
    Targets::Values(values)
}

/// The labels that were found, before they are targets of the model.
struct Found<'a> {
    path: &'a Path,
    raw: &'a UnassembledData,
    facts: &'a SampleFacts,
    known: KnownTargets<'a>,
}

impl Found<'_> {
    /// The targets; `x` is the shape of the inputs.
    fn targets(&self, x: &[usize], labels: Labels) -> Result<Targets, DataError> {
        let origin = self.path.display().to_string();
        if let Labels::Numbers(numbers) = &labels {
            check::finite(&origin, &numbers.name, &numbers.array)?;
        }
        let (task, outputs) = (self.known.task, self.known.task.outputs());
        let numbers = match (task, labels) {
            (TaskKind::Classification { .. }, labels) => return self.classes(&labels).map(Targets::Classes),
            (TaskKind::MultiLabel { .. }, Labels::Numbers(numbers)) => self.by_label(numbers)?,
            (_, Labels::Numbers(numbers)) => numbers,
            (_, Labels::Names(names)) => self.numbers(&names)?,
        };
        let shape = numbers.array.shape.clone();
        let name = TaskName::ALL.into_iter().find(|name| name.name() == task.name());
        let targets = match name {
            Some(name) => infer::convert(&origin, x, numbers, name)?,
            None => Targets::Values(numbers.array),
        };
        if targets.shape().get(1) != Some(&outputs) {
            let reason = format!("the targets have shape {shape:?}, but the model predicts {task}");
            return Err(DataError::file(self.path, reason).with_hint("give targets as in the training data"));
        }
        let binary = matches!(task, TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. });
        let wrong = |v: &&f32| **v != 0.0 && **v != 1.0 && self.known.unknown.is_none_or(|u| u as f32 != **v);
        if let (true, Some(value)) = (binary, targets.values().and_then(|y| y.data.iter().find(wrong))) {
            let reason = format!("a target is {value}, but those of the model are 0 and 1");
            return Err(DataError::file(self.path, reason).with_hint("give targets as in the training data"));
        }
        Ok(targets)
    }

    /// The class of each sample by the names that the model knows.
    fn classes(&self, labels: &Labels) -> Result<Vec<u32>, DataError> {
        let numbers = match labels {
            Labels::Names(texts) => {
                return texts.iter().enumerate().map(|(row, text)| self.class_of_text(row, text)).collect();
            }
            Labels::Numbers(numbers) => numbers,
        };
        let (width, rows) = (numbers.array.row_len(), numbers.array.rows());
        if width != 1 && !numbers.is_one_hot() {
            let reason = format!("the labels have shape {:?}, and are not one-hot", numbers.array.shape);
            return Err(DataError::file(self.path, reason).with_hint("give one class for each sample"));
        }
        let label = |row: usize| match width {
            1 => numbers.array.data[row],
            _ => numbers.array.row(row).iter().position(|&v| v == 1.0).unwrap_or(0) as f32,
        };
        let labels: Vec<f32> = (0..rows).map(label).collect();
        match (&self.raw.classes, self.known.classes) {
            (Some(own), _) => self.classes_of_list(own, &labels, width),
            (None, Some(names)) => self.classes_of_names(names, &labels, width),
            (None, None) => labels.iter().enumerate().map(|(row, &v)| self.class_of_number(row, v)).collect(),
        }
    }

    /// The classes of labels that are the numbers of names, which the new files list.
    fn classes_of_list(&self, own: &[String], labels: &[f32], width: usize) -> Result<Vec<u32>, DataError> {
        let first = match width {
            1 => class_numbers::first(own.len(), labels.iter().copied()),
            _ => Some(0).filter(|_| own.len() == width),
        };
        let Some(first) = first else {
            let reason =
                format!("the file names {}, which the labels do not number", plural_of(own.len(), "class", "classes"));
            return Err(DataError::file(self.path, reason)
                .with_hint("number the names from 0 in their order, or save the names themselves as labels"));
        };
        if first == 0 && width == 1 {
            self.check_start(labels)?;
        }
        let at = |label: f32| label as usize - usize::from(first);
        labels
            .iter()
            .enumerate()
            .map(|(row, &label)| match self.known.classes {
                Some(_) => self.class_of_text(row, &own[at(label)]),
                None => self.class_of_number(row, label - f32::from(first)),
            })
            .collect()
    }

    /// Refuses numbers of classes if nothing tells whether they begin with 0 or with 1: none of them is 0.
    fn check_start(&self, labels: &[f32]) -> Result<(), DataError> {
        if labels.is_empty() || labels.contains(&0.0) {
            return Ok(());
        }
        let reason = "it is not clear whether its labels count the classes from 0 or from 1";
        Err(DataError::file(self.path, reason)
            .with_hint("save the names of the classes as labels, one for each sample"))
    }

    /// The classes of numbers, where the model knows names: the names that are these numbers, otherwise their positions.
    fn classes_of_names(&self, names: &[String], labels: &[f32], width: usize) -> Result<Vec<u32>, DataError> {
        let number = |name: &String| name.trim().parse::<f64>().ok();
        let by_value = width == 1 && names.iter().any(|name| number(name).is_some());
        if !by_value && width == 1 {
            self.check_start(labels)?;
        }
        let class = |(row, &label): (usize, &f32)| {
            if !by_value {
                return self.class_of_number(row, label);
            }
            let class = names.iter().position(|name| number(name).is_some_and(|number| number as f32 == label));
            class.map(|class| class as u32).ok_or_else(|| self.no_class(row, &text_of(label)))
        };
        labels.iter().enumerate().map(class).collect()
    }

    fn class_of_text(&self, row: usize, text: &str) -> Result<u32, DataError> {
        match self.known.classes {
            Some(names) => {
                let class = names.iter().position(|name| name == text).map(|class| class as u32);
                class.ok_or_else(|| self.no_class(row, text))
            }
            None => match text.trim().parse::<f32>() {
                Ok(number) => self.class_of_number(row, number),
                Err(_) => Err(self.no_class(row, text)),
            },
        }
    }

    fn class_of_number(&self, row: usize, number: f32) -> Result<u32, DataError> {
        let known = number >= 0.0 && number.fract() == 0.0 && number < self.known.task.outputs() as f32;
        if known { Ok(number as u32) } else { Err(self.no_class(row, &text_of(number))) }
    }

    /// The error for a sample of a class that the model does not know.
    fn no_class(&self, row: usize, text: &str) -> DataError {
        let names = match self.known.classes {
            Some(names) => names.to_vec(),
            None => (0..self.known.task.outputs()).map(|class| class.to_string()).collect(),
        };
        let spelled = suspect::folded(text);
        let hint = match names.iter().find(|name| suspect::folded(name) == spelled) {
            Some(name) => format!("a class is its text: write it as in the training data, `{name}`"),
            None => "label the samples as in the training data, or leave out those of other classes".into(),
        };
        let some: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
        let more = if names.len() > some.len() { ", …" } else { "" };
        let reason = format!(
            "{} has the label `{text}`, which is no class of the model ({}{more})",
            weights::place(self.facts, row),
            some.join(", ")
        );
        DataError::file(self.path, reason).with_hint(hint)
    }

    /// Labels in the order of the model, where both have names. A label that does not occur in the new files is 0.
    fn by_label(&self, numbers: NumericTargets) -> Result<NumericTargets, DataError> {
        let (Some(own), Some(names)) = (&self.raw.classes, self.known.classes) else { return Ok(numbers) };
        if own.len() != numbers.array.row_len() {
            let (own, width) = (plural(own.len(), "label"), numbers.array.row_len());
            let reason = format!("the file names {own}, but each sample has {width} values");
            return Err(DataError::file(self.path, reason).with_hint("give one name for each column of labels"));
        }
        if own == names {
            return Ok(numbers);
        }
        let place = |label: &String| names.iter().position(|name| name == label);
        let mut places = Vec::with_capacity(own.len());
        for label in own {
            places.push(place(label).ok_or_else(|| {
                let reason =
                    format!("the label `{label}` is none of the {} of the model", plural(names.len(), "label"));
                DataError::file(self.path, reason).with_hint("label the samples as in the training data")
            })?);
        }
        let (rows, width) = (numbers.array.rows(), names.len());
        let mut data = vec![0.0; rows * width];
        for row in 0..rows {
            for (&to, &value) in places.iter().zip(numbers.array.row(row)) {
                data[row * width + to] = value;
            }
        }
        Ok(NumericTargets { array: Array::new(vec![rows, width], data), ..numbers })
    }

    /// Names as numbers, for tasks that predict numbers.
    fn numbers(&self, names: &[String]) -> Result<NumericTargets, DataError> {
        let number = |(row, name): (usize, &String)| {
            name.trim().parse::<f32>().ok().filter(|v| v.is_finite()).ok_or_else(|| {
                let place = weights::place(self.facts, row);
                let reason = format!("{place} has the label `{name}`, which is not a number");
                DataError::file(self.path, reason)
                    .with_hint(format!("the model predicts {}; give such targets", self.known.task))
            })
        };
        let data = names.iter().enumerate().map(number).collect::<Result<Vec<f32>, _>>()?;
        Ok(NumericTargets { name: "y".into(), array: Array::new(vec![data.len()], data), integral: false })
    }
}

/// The text of a label, with all digits of a large one.
fn text_of(label: f32) -> String {
    if label.fract() == 0.0 { exact(label.into()) } else { label.to_string() }
}
