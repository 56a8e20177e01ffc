//! A transform with a ridge regression: what is trained on series and applied to new ones.

use crate::error::Error;
use crate::kind::Kind;
use crate::ridge::Ridge;
use crate::series::Series;
use crate::transform::Transform;
use dashnas_core::Seed;
use serde::{Deserialize, Serialize};

/// The number of series whose features are in memory at the same time during a prediction.
const BLOCK: usize = 512;

/// A trained model. `serde` writes and reads it; what it reads is checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Model {
    transform: Transform,
    ridge: Ridge,
    /// The number of classes, or `None` for numbers.
    classes: Option<usize>,
}

/// A model as it is in a file.
#[derive(Deserialize)]
struct Unchecked {
    transform: Transform,
    ridge: Ridge,
    classes: Option<usize>,
}

impl TryFrom<Unchecked> for Model {
    type Error = Error;

    fn try_from(Unchecked { transform, ridge, classes }: Unchecked) -> Result<Self, Error> {
        if transform.columns() != ridge.columns() {
            return Err(Error::OtherFeatures { columns: transform.columns(), fitted: ridge.columns() });
        }
        if classes.is_some_and(|classes| classes < 2 || ridge.outputs() != outputs_of(classes)) {
            return Err(Error::Damaged { reason: "the number of outputs is not that of the classes".to_owned() });
        }
        Ok(Self { transform, ridge, classes })
    }
}

/// Returns the number of outputs for a number of classes: two classes need one.
fn outputs_of(classes: usize) -> usize {
    if classes == 2 { 1 } else { classes }
}

impl Model {
    /// Trains a model that predicts a class, with the targets 1 for the class of a sample and −1 for the others. Labels
    /// are below `classes`; some classes may have no samples.
    ///
    /// # Errors
    ///
    /// The series are too short, the labels do not fit, or all samples have the same class or the same features.
    pub fn fit_classes(
        kind: Kind,
        kernels: usize,
        series: Series<'_>,
        labels: &[usize],
        classes: usize,
        seed: Seed,
    ) -> Result<Self, Error> {
        let targets = one_against_others(labels, classes, series.samples())?;
        let transform = Transform::fit(kind, kernels, series, seed)?;
        let ridge = Ridge::fit(&transform.transform(series)?, &targets, outputs_of(classes))?;
        Ok(Self { transform, ridge, classes: Some(classes) })
    }

    /// Trains a model that predicts numbers. The targets are samples × `outputs`.
    ///
    /// # Errors
    ///
    /// The series are too short, the targets do not fit or are not finite, or all samples have the same features.
    pub fn fit_numbers(
        kind: Kind,
        kernels: usize,
        series: Series<'_>,
        targets: &[f64],
        outputs: usize,
        seed: Seed,
    ) -> Result<Self, Error> {
        let transform = Transform::fit(kind, kernels, series, seed)?;
        let ridge = Ridge::fit(&transform.transform(series)?, targets, outputs)?;
        Ok(Self { transform, ridge, classes: None })
    }

    /// Returns the transform.
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    /// Returns the ridge regression.
    pub fn ridge(&self) -> &Ridge {
        &self.ridge
    }

    /// Returns the number of classes, or `None` if the model predicts numbers.
    pub fn classes(&self) -> Option<usize> {
        self.classes
    }

    /// Returns the outputs of the regression: samples × outputs. For numbers, these are the predictions. For three or more
    /// classes there is an output for each, and for two there is one, which is positive for the class 1. The outputs are
    /// no probabilities.
    ///
    /// # Errors
    ///
    /// The series have another number of channels or steps than those of the training.
    pub fn outputs(&self, series: Series<'_>) -> Result<Vec<f64>, Error> {
        let mut outputs = Vec::with_capacity(series.samples() * self.ridge.outputs());
        for start in (0..series.samples()).step_by(BLOCK) {
            let block = series.range(start..(start + BLOCK).min(series.samples()));
            outputs.extend(self.ridge.predict(&self.transform.transform(block)?)?);
        }
        Ok(outputs)
    }

    /// Returns the predicted classes.
    ///
    /// # Errors
    ///
    /// The model predicts numbers, or the series have another number of channels or steps than those of the training.
    pub fn predict_classes(&self, series: Series<'_>) -> Result<Vec<usize>, Error> {
        let classes = self.classes.ok_or(Error::OtherTask { found: "numbers", wanted: "classes" })?;
        let outputs = self.outputs(series)?;
        if classes == 2 {
            return Ok(outputs.iter().map(|&output| usize::from(output > 0.0)).collect());
        }
        // The first of equal outputs, as in scikit-learn.
        let largest =
            |row: &[f64]| (1..classes).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        Ok(outputs.chunks_exact(classes).map(largest).collect())
    }
}

/// Returns the targets of classes: samples × classes, or one column for two classes.
fn one_against_others(labels: &[usize], classes: usize, samples: usize) -> Result<Vec<f64>, Error> {
    if labels.len() != samples {
        return Err(Error::Targets { targets: labels.len(), samples });
    }
    if let Some(sample) = labels.iter().position(|&label| label >= classes) {
        return Err(Error::Label { sample, label: labels[sample], classes });
    }
    if labels.iter().all(|label| *label == labels[0]) {
        return Err(Error::OneClass { class: labels[0] });
    }
    let positive = if classes == 2 { 1..2 } else { 0..classes };
    let row = |&label: &usize| positive.clone().map(move |class| if class == label { 1.0 } else { -1.0 });
    Ok(labels.iter().flat_map(row).collect())
}
