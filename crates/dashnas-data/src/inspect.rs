//! Summaries of a data set, for people and as JSON: its task, splits, classes and value ranges.

use crate::dataset::{Dataset, DrawnSplit};
use crate::groups::{GroupKind, distinct, distinct_names};
use crate::normalize::{Normalization, Scheme};
use crate::split::Split;
use crate::statistics::Span;
use crate::targets::Targets;
use crate::transform::kind::Transform;
use dashnas_core::task::{Loss, Metric, TaskKind};
use dashnas_core::text::plural;
use dashnas_formats::account::{ColumnAccount, ColumnRole};
use dashnas_formats::called::Called;
use dashnas_formats::centers::Centers;
use dashnas_formats::error::DataError;
use dashnas_formats::places::recording_of_window;
use dashnas_formats::sample_facts::{Places, SampleFacts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The properties of a data set that are known without reading its inputs; `Display` prints them for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Name of the set.
    pub name: String,
    /// The format of the files; empty for a set made in memory.
    #[serde(default)]
    pub format: String,
    /// The files it was read from.
    #[serde(default)]
    pub files: Vec<String>,
    /// The decisions that reading them took.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What is probably a mistake, and what to do about it.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The columns of a table with their roles and the reasons; empty for other data.
    #[serde(default)]
    pub columns: Vec<ColumnAccount>,
    /// Number of groups in the training split, where there are groups that no split divides.
    #[serde(default)]
    pub groups: Option<usize>,
    /// The groups in the test split, where there are groups that no split divides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_groups: Option<Counted>,
    /// The recordings of windows in the training and in the test split, where they are not the groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recordings: Option<[Counted; 2]>,
    /// Whether the training samples have weights.
    #[serde(default)]
    pub weighted: bool,
    /// Kind of task, with its size.
    pub task: TaskKind,
    /// Loss that a run trains with.
    pub loss: Loss,
    /// Metric that a run is judged by; lower is better.
    pub metric: Metric,
    /// Input channels.
    pub channels: usize,
    /// The names of the channels; empty if the files do not name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel_names: Vec<String>,
    /// `[1, L]` or `[H, W]`.
    pub spatial: [usize; 2],
    /// Spatial dimensions, 1 or 2.
    pub dims: usize,
    /// What was subtracted from inputs and targets before they became `f32`; ranges and errors are relative to it.
    #[serde(default, skip_serializing_if = "Centers::is_empty")]
    pub centers: Centers,
    /// Transforms that were applied after reading, in order.
    pub transforms: Vec<Transform>,
    /// Normalization of inputs and targets, by statistics of the training split.
    pub normalization: Normalization,
    /// Training, validation (if any) and test.
    pub splits: Vec<SplitSummary>,
    /// The draw of the test split; `None` if the data set came with one.
    pub drawn: Option<DrawnSplit>,
    /// Whether the samples are divided by time, also those that trials hold out.
    #[serde(default)]
    pub by_time: bool,
    /// The fraction of the training samples that the trials of tuning and of a race hold out for validation; `None` if
    /// the data set came with a validation split, or if there are no trials.
    pub validation: Option<f64>,
    /// One for each class or label, in order; empty for other tasks.
    pub classes: Vec<ClassSummary>,
}

impl DataSummary {
    /// The same summary with the loss and metric of a run, and with the fraction of the training samples that trials
    /// hold out for validation, which is ignored if the data set came with a validation split.
    pub fn with_settings(mut self, loss: Loss, metric: Metric, validation: Option<f64>) -> Self {
        self.loss = loss;
        self.metric = metric;
        let given = self.splits.iter().any(|split| split.name == "val");
        self.validation = validation.filter(|_| !given);
        self
    }
}

/// A summary of a data set together with statistics of its values; `Display` prints it for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// The properties that are known without reading the inputs.
    #[serde(flatten)]
    pub summary: DataSummary,
    /// Error rate on the test split of always guessing the class that is most common in training, by the weights of the
    /// samples where they have some; classification only.
    pub majority_error: Option<f64>,
    /// Range of each input channel over the training split, relative to its center if the summary has centers.
    pub inputs: Vec<Range>,
    /// Range of the training targets, where they are real numbers; relative as those of the inputs.
    pub targets: Option<Range>,
}

/// Groups or recordings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What they are.
    pub are: GroupKind,
    /// Their number.
    pub number: usize,
    /// Their names in the order of their first samples, if there are at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Counted {
    /// Counts different names.
    fn new<'a>(are: GroupKind, names: impl Iterator<Item = &'a str>) -> Self {
        let names = distinct_names(names);
        let listed = names.iter().filter(|_| names.len() <= NAMED).map(|&name| name.to_owned()).collect();
        Self { are, number: names.len(), names: listed }
    }

    /// How many of them are test samples, as a continuation of a sentence, with their names if these are known.
    fn in_test(&self) -> String {
        let names = if self.names.is_empty() { String::new() } else { format!(": {}", self.names.join(", ")) };
        format!(", {} in the test samples{names}", self.number)
    }
}

/// The shapes of one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitSummary {
    /// `train`, `val` or `test`.
    pub name: String,
    /// Shape of the inputs.
    pub x: Vec<usize>,
    /// Shape of the targets.
    pub y: Vec<usize>,
}

/// The samples of one class or label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassSummary {
    /// Its name, or its number if it has none.
    pub name: String,
    /// Training samples that have it.
    pub train: usize,
    /// Test samples that have it.
    pub test: usize,
}

/// Smallest, largest and mean value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// Mean.
    pub mean: f64,
}

impl Range {
    /// The range in the units of the files, from which `center` was subtracted.
    fn text(&self, center: f64) -> String {
        let [min, max] = [self.min, self.max].map(|v| f64::from(v) + center);
        format!("{min:.5} to {max:.5}, mean {:.5}", self.mean + center)
    }
}

impl From<&Span> for Range {
    fn from(&Span { range, sum, n }: &Span) -> Self {
        Self { min: range.min, max: range.max, mean: sum / n.max(1) as f64 }
    }
}

impl Dataset {
    /// Summarizes the set, without reading its inputs.
    pub fn summary(&self) -> DataSummary {
        let split = |&(name, s): &(&'static str, &Split)| SplitSummary {
            name: name.into(),
            x: s.x.shape.clone(),
            y: s.y.shape(),
        };
        let groups = match self.task {
            TaskKind::Classification { classes: n } | TaskKind::MultiLabel { labels: n } => n,
            _ => 0,
        };
        let (train, test) = (counts(&self.train.y, groups), counts(&self.test.y, groups));
        let name = |i: usize| self.classes.as_ref().map_or_else(|| i.to_string(), |names| names[i].clone());
        let class = |(i, (&train, &test))| ClassSummary { name: name(i), train, test };
        DataSummary {
            name: self.name.clone(),
            format: self.origin.format.clone(),
            files: self.origin.files.clone(),
            notes: self.origin.notes.clone(),
            warnings: self.origin.warnings.clone(),
            columns: self.origin.columns.clone(),
            groups: self.groups.as_ref().and_then(|groups| groups.train.as_deref()).map(distinct),
            test_groups: self.test_groups(),
            recordings: self.recordings(),
            weighted: self.facts.train.weights.is_some(),
            task: self.task,
            loss: self.task.default_loss(),
            metric: self.task.default_metric(),
            channels: self.channels(),
            channel_names: Called::channels(&self.reading, self.channels()).names().to_vec(),
            spatial: self.spatial(),
            dims: self.dims(),
            centers: self.reading.centers.clone(),
            transforms: self.transforms.clone(),
            normalization: self.normalization.clone(),
            splits: self.splits().iter().map(split).collect(),
            drawn: self.origin.drawn,
            by_time: self.facts.train.times.is_some(),
            validation: None,
            classes: train.iter().zip(&test).enumerate().map(class).collect(),
        }
    }

    /// The groups of the test samples. Where blocks of time of the only recording are the groups, the test split is its end.
    fn test_groups(&self) -> Option<Counted> {
        let groups = self.groups.as_ref().filter(|groups| groups.blocks == 0)?;
        let names = groups.test.as_ref()?.iter().map(|&number| &*groups.names[number as usize]);
        Some(Counted::new(groups.are, names))
    }

    /// The recordings that the windows of the training and of the test split were cut from, where those of a group may be
    /// several.
    fn recordings(&self) -> Option<[Counted; 2]> {
        self.groups.as_ref().filter(|groups| groups.are == GroupKind::Groups && self.reading.window.is_some())?;
        let of = |facts: &SampleFacts| {
            let Some(Places::Names(names)) = &facts.places else { return None };
            let recordings: Option<Vec<&str>> = names.iter().map(|name| recording_of_window(name)).collect();
            Some(Counted::new(GroupKind::Recordings, recordings?.into_iter()))
        };
        Some([of(&self.facts.train)?, of(&self.facts.test)?])
    }

    /// Summarizes the set together with statistics of its values.
    ///
    /// # Errors
    /// [`DataError::Gone`] if the inputs are in a file that can no longer be read.
    pub fn inspect(&self) -> Result<Inspection, DataError> {
        let summary = self.summary();
        let majority_error = self.majority_error();

        let inputs = self.spans.train.of(&self.train.x)?.iter().map(Range::from).collect();
        let real = matches!(self.task, TaskKind::Regression { .. } | TaskKind::DenseRegression { .. });
        let targets = self.train.y.values().filter(|_| real).map(|v| Range::from(&Span::of(&v.data)));
        Ok(Inspection { summary, majority_error, inputs, targets })
    }
}

impl Dataset {
    /// The error rate on the test split of always guessing the class that is most common in training; weights of samples
    /// count as in the metric. `None` unless it is a classification.
    fn majority_error(&self) -> Option<f64> {
        let TaskKind::Classification { classes } = self.task else { return None };
        let totals = |y: &Targets, weights: &Option<Vec<f32>>| {
            let mut totals = vec![0.0f64; classes];
            let Targets::Classes(labels) = y else { return totals };
            for (i, &label) in labels.iter().enumerate() {
                let weight = weights.as_ref().map_or(1.0, |weights| f64::from(weights.get(i).copied().unwrap_or(1.0)));
                totals[label as usize] += weight;
            }
            totals
        };
        let train = totals(&self.train.y, &self.facts.train.weights);
        let test = totals(&self.test.y, &self.facts.test.weights);
        // Of equally common classes, the first.
        let common = (0..classes).rev().max_by(|&a, &b| train[a].total_cmp(&train[b]))?;
        let all: f64 = test.iter().sum();
        Some(if all > 0.0 { 1.0 - test[common] / all } else { 1.0 })
    }
}

/// The number of samples with each class or label.
fn counts(y: &Targets, groups: usize) -> Vec<usize> {
    let mut counts = vec![0; groups];
    match y {
        Targets::Classes(labels) => labels.iter().for_each(|&l| counts[l as usize] += 1),
        Targets::Values(values) if groups > 0 => {
            for (i, &v) in values.data.iter().enumerate() {
                counts[i % groups] += usize::from(v == 1.0);
            }
        }
        Targets::Values(_) => {}
    }
    counts
}

/// Classes, input channels and files that are printed; the rest is counted.
const SHOWN: usize = 12;
/// Characters that the names of channels take at least.
const NARROWEST: usize = 12;
/// Columns of one role that are printed.
const NAMES: usize = 6;
/// Groups or recordings up to which their names are given.
const NAMED: usize = 10;

/// The name of a column, which may be empty.
fn quoted(name: &str) -> String {
    if name.trim().is_empty() { "(unnamed)".into() } else { name.to_owned() }
}

impl DataSummary {
    /// Prints everything but the classes.
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.task)?;
        if !self.format.is_empty() {
            writeln!(f, "  format    {}", self.format)?;
        }
        for file in self.files.iter().take(SHOWN) {
            writeln!(f, "  read      {file}")?;
        }
        more(f, self.files.len())?;
        for note in &self.notes {
            writeln!(f, "  note      {note}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "  warning   {warning}")?;
        }
        self.account(f)?;
        if self.weighted {
            writeln!(f, "  weights   of the samples, in the loss and the metric")?;
        }
        if let Some(groups) = self.groups {
            let groups = match &self.test_groups {
                Some(test) if test.are == GroupKind::Recordings => plural(groups, "recording"),
                _ => groups.to_string(),
            };
            let test = self.test_groups.as_ref().map_or_else(String::new, Counted::in_test);
            writeln!(f, "  groups    {groups} in the training samples{test}")?;
        }
        if let Some([train, test]) = &self.recordings {
            let recordings = plural(train.number, "recording");
            writeln!(f, "            {recordings} in the training samples{}", test.in_test())?;
        }
        writeln!(f, "  inputs    {} of {}", plural(self.channels, "channel"), sizes(&self.spatial[2 - self.dims..]))?;
        if !self.transforms.is_empty() {
            let names: Vec<_> = self.transforms.iter().map(|transform| transform.name()).collect();
            writeln!(f, "  transform {}", names.join(", "))?;
        }
        writeln!(f, "  scaled    {}", scaled(&self.normalization, &self.called()))?;
        writeln!(f, "  loss      {}", name_of(&self.loss))?;
        writeln!(f, "  metric    {} (lower is better)", self.metric.title())?;
        writeln!(f, "  splits")?;
        for s in &self.splits {
            let from = match (s.name.as_str(), self.drawn) {
                ("val", _) | (_, None) => "given".to_owned(),
                ("test", Some(drawn)) => drawn.way(),
                (_, Some(_)) => "the rest".to_owned(),
            };
            writeln!(f, "    {:<6} x {:<20} y {:<14} {from}", s.name, sizes(&s.x), sizes(&s.y))?;
        }
        if let Some(share) = self.validation {
            let manner = DrawnSplit {
                stratified: matches!(self.task, TaskKind::Classification { .. }),
                grouped: self.groups.is_some(),
                ..DrawnSplit::default()
            };
            // Whole groups rarely make up just this share.
            let about = if manner.grouped { "about " } else { "" };
            let share = 100.0 * share;
            let way = match self.by_time {
                true => format!("the last in time{}", DrawnSplit { stratified: false, ..manner }.manner()),
                false => format!("drawn with the seed{}", manner.manner()),
            };
            writeln!(f, "    val    {about}{share:.0} % of the training data, for trials only, {way}")?;
        }
        Ok(())
    }

    /// Prints the roles of the columns: the number of each role, and the first columns that have it.
    fn account(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.columns.is_empty() {
            return Ok(());
        }
        writeln!(f, "  columns   {}", self.columns.len())?;
        let roles: BTreeSet<ColumnRole> = self.columns.iter().map(|column| column.role).collect();
        for role in roles {
            let with: Vec<&ColumnAccount> = self.columns.iter().filter(|column| column.role == role).collect();
            // Equal reasons are said once.
            let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
            for column in with {
                match reasons.iter_mut().find(|(reason, _)| *reason == column.reason) {
                    Some((_, names)) => names.push(&column.name),
                    None => reasons.push((&column.reason, vec![&column.name])),
                }
            }
            let hidden = reasons.len().saturating_sub(SHOWN);
            for (reason, names) in reasons.iter().take(SHOWN) {
                let first: Vec<String> = names.iter().take(NAMES).map(|name| quoted(name)).collect();
                let rest = if names.len() > NAMES { ", …" } else { "" };
                let role = role.to_string();
                writeln!(f, "    {role:<9} {}: {}{rest} ({reason})", names.len(), first.join(", "))?;
            }
            if hidden > 0 {
                writeln!(f, "    … and {hidden} more reasons")?;
            }
        }
        Ok(())
    }

    /// What the channels are called.
    fn called(&self) -> Called {
        Called::of("channel", self.channel_names.clone())
    }

    /// The heading of the table of classes.
    fn table(&self) -> &'static str {
        if matches!(self.task, TaskKind::MultiLabel { .. }) { "labels" } else { "classes" }
    }
}

impl fmt::Display for DataSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        if self.classes.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = self.classes.iter().take(SHOWN).map(|c| c.name.as_str()).collect();
        write!(f, "  {:<9} {}", self.table(), names.join(", "))?;
        match self.classes.len().saturating_sub(SHOWN) {
            0 => writeln!(f),
            left => writeln!(f, " and {left} more"),
        }
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DataSummary { classes, splits, .. } = &self.summary;
        self.summary.head(f)?;
        if let Some(error) = self.majority_error {
            writeln!(f, "  guessing  {:.1} % error (always the most common class)", 100.0 * error)?;
        }
        if !classes.is_empty() {
            writeln!(f, "  {}", self.summary.table())?;
            let total = splits.first().map_or(1, |s| s.y[0]).max(1) as f64;
            for c in classes.iter().take(SHOWN) {
                let share = 100.0 * c.train as f64 / total;
                writeln!(f, "    {:<16} train {:>7} ({share:>5.1} %)  test {:>7}", c.name, c.train, c.test)?;
            }
            more(f, classes.len())?;
        }
        writeln!(f, "  input ranges (training)")?;
        let Centers { inputs, targets } = &self.summary.centers;
        let called = self.summary.called();
        let names: Vec<String> = (0..self.inputs.len().min(SHOWN)).map(|i| called.one(i)).collect();
        let width = names.iter().map(|name| name.chars().count() + 1).max().unwrap_or(0).max(NARROWEST);
        for (i, (r, name)) in self.inputs.iter().zip(&names).enumerate() {
            writeln!(f, "    {name:<width$} {}", r.text(inputs.get(i).copied().unwrap_or(0.0)))?;
        }
        more(f, self.inputs.len())?;
        if let Some(r) = self.targets {
            // The range is that of all outputs.
            let center = if let [one] = targets[..] { one } else { 0.0 };
            writeln!(f, "  target range (training)  {}", r.text(center))?;
        }
        Ok(())
    }
}

/// The normalization of inputs and targets, in words.
fn scaled(normalization: &Normalization, called: &Called) -> String {
    let manner = |scheme| match scheme {
        Scheme::Identity => "unchanged",
        Scheme::PerChannel => "to mean 0 and standard deviation 1, per channel",
        Scheme::Pointwise => "to mean 0 and standard deviation 1, per point",
    };
    let Normalization { input, target } = normalization;
    let mut parts = Vec::new();
    let mut first = 0;
    for run in input.chunk_by(|a, b| a == b) {
        let of = match (run.len(), input.len()) {
            (n, all) if n == all => "inputs".to_owned(),
            (1, _) => called.one(first),
            (n, _) => format!("channels {} to {}", called.number(first), called.number(first + n - 1)),
        };
        parts.push(format!("{of} {}", manner(run[0])));
        first += run.len();
    }
    if *target != Scheme::Identity {
        parts.push(format!("targets {}", manner(*target)));
    }
    parts.join("; ")
}

fn more(f: &mut fmt::Formatter<'_>, n: usize) -> fmt::Result {
    if n > SHOWN { writeln!(f, "    … and {} more", n - SHOWN) } else { Ok(()) }
}

fn sizes(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

/// The name of an enum's value in files.
fn name_of<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(Into::into)).unwrap_or_default()
}
