//! Normalized samples, in batches.

use burn::tensor::{Device, Int, Tensor, TensorData};
use dashnas_data::normalize::TargetNormalizer;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::row_source::{RowSource, View};
use dashnas_nn::loss::BatchTarget;
use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Inputs whose values are not read.
#[derive(Debug)]
struct Unread {
    row_len: usize,
}

impl RowSource for Unread {
    fn path(&self) -> &Path {
        Path::new("the inputs")
    }

    fn is_temporary(&self) -> bool {
        false
    }

    fn row_len(&self) -> usize {
        self.row_len
    }

    fn read(&self, _: usize, _: usize) -> io::Result<Vec<f32>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "a preview reads no samples"))
    }
}

/// The weights of samples.
#[derive(Debug, Clone)]
struct SampleWeights {
    /// As they were given.
    given: Vec<f32>,
    /// With mean 1.
    scaled: Vec<f32>,
    /// Whether every class has mean 1.
    by_class: bool,
}

impl SampleWeights {
    /// Scales weights to mean 1: over all samples, or over the samples of each class if the classes are given.
    fn new(given: Vec<f32>, classes: Option<&[u32]>, by_class: bool) -> Self {
        let class = |i: usize| classes.map_or(0, |classes| classes[i] as usize);
        let mut sums: Vec<(f64, f64)> = Vec::new();
        for (i, &weight) in given.iter().enumerate() {
            sums.resize(sums.len().max(class(i) + 1), (0.0, 0.0));
            let (total, count) = &mut sums[class(i)];
            *total += f64::from(weight);
            *count += 1.0;
        }
        let scale = |(i, &weight): (usize, &f32)| {
            let (total, count) = sums[class(i)];
            (f64::from(weight) * count / total) as f32
        };
        Self { scaled: given.iter().enumerate().map(scale).collect(), given, by_class }
    }
}

/// The normalized inputs and targets of one split, or of several splits one after another.
#[derive(Debug, Clone)]
pub struct Samples {
    /// The inputs of each split, shared between sets of samples.
    inputs: Vec<Arc<Array>>,
    /// The targets of all samples.
    targets: Targets,
    /// `[channels, height, width]` of one input; the height is 1 for series.
    input: [usize; 3],
    /// `[outputs, positions]` of value targets.
    target: [usize; 2],
    /// The weights, if the samples have weights.
    weights: Option<SampleWeights>,
}

impl Samples {
    /// Wraps a split whose inputs and targets are already normalized.
    pub fn new(split: Split) -> Self {
        let x = &split.x.shape;
        let input = match x[1..] {
            [c, l] => [c, 1, l],
            [c, h, w] => [c, h, w],
            // Data sets are checked when they are opened.
            _ => unreachable!("inputs are N×C×L or N×C×H×W, not {x:?}"),
        };
        let target = match &split.y {
            Targets::Classes(_) => [1, 1],
            Targets::Values(v) => {
                let outputs = v.shape.get(1).copied().unwrap_or(1);
                [outputs, v.row_len() / outputs.max(1)]
            }
        };
        Self { inputs: vec![Arc::new(split.x)], targets: split.y, input, target, weights: None }
    }

    /// The samples of a split without the values of their inputs: reading one is an error. The targets are normalized.
    pub(crate) fn unread(split: &Split, targets: &TargetNormalizer) -> Self {
        let source = Unread { row_len: split.x.row_len() };
        let x = Array::file_backed(split.x.shape.clone(), View::new(Arc::new(source)));
        let mut y = split.y.clone();
        targets.apply(&mut y);
        Self::new(Split { x, y })
    }

    /// The same samples with their weights, if they have any. In the loss their mean is 1, `by_class` in every class.
    pub fn weighted(mut self, weights: Option<Vec<f32>>, by_class: bool) -> Self {
        self.weights =
            weights.map(|given| SampleWeights::new(given, self.targets.classes().filter(|_| by_class), by_class));
        self
    }

    /// The weights of some rows as they were given, if the samples have weights.
    pub fn given_weights(&self, rows: &[usize]) -> Option<Vec<f32>> {
        self.weights.as_ref().map(|weights| rows.iter().map(|&i| weights.given[i]).collect())
    }

    /// The weights of the samples in the loss, if they have any: their mean is 1.
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_ref().map(|weights| &weights.scaled[..])
    }

    /// The weights of some rows, if the samples have weights.
    pub fn weights_of(&self, rows: &[usize]) -> Option<Vec<f32>> {
        self.weights().map(|weights| rows.iter().map(|&i| weights[i]).collect())
    }

    /// Targets of the given rows with the weights of these rows, if the samples have weights.
    pub(crate) fn with_weights(&self, target: BatchTarget, rows: &[usize], device: &Device) -> BatchTarget {
        match self.weights_of(rows) {
            None => target,
            Some(weights) => {
                let weights = Tensor::<1>::from_data(TensorData::new(weights, [rows.len()]), device);
                BatchTarget::Weighted { target: Box::new(target), weights }
            }
        }
    }

    /// These samples followed by the others; `None` if the others have another shape.
    pub fn joined(&self, others: &Self) -> Option<Self> {
        let targets = match (&self.targets, &others.targets) {
            (Targets::Classes(a), Targets::Classes(b)) => Targets::Classes([&a[..], b].concat()),
            (Targets::Values(a), Targets::Values(b)) if a.shape[1..] == b.shape[1..] => {
                let shape = [&[a.rows() + b.rows()], &a.shape[1..]].concat();
                Targets::Values(Array::new(shape, [&a.data[..], &b.data].concat()))
            }
            _ => return None,
        };
        let inputs = self.inputs.iter().chain(&others.inputs).cloned().collect();
        // Samples without weights count as weight 1.
        let given =
            |samples: &Self| samples.weights.as_ref().map_or_else(|| vec![1.0; samples.len()], |w| w.given.clone());
        let weights = self.weights.as_ref().or(others.weights.as_ref()).map(|weights| {
            let classes = targets.classes().filter(|_| weights.by_class);
            SampleWeights::new([given(self), given(others)].concat(), classes, weights.by_class)
        });
        let (input, target) = (self.input, self.target);
        (input == others.input).then_some(Self { inputs, targets, input, target, weights })
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.inputs.iter().map(|x| x.rows()).sum()
    }

    /// The spatial axes of an input, 1 or 2.
    pub fn dims(&self) -> usize {
        self.inputs.first().map_or(1, |x| x.shape.len() - 2)
    }

    /// The input of one sample.
    ///
    /// # Errors
    /// [`DataError::Gone`] if it is in a file that can no longer be read.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn row(&self, mut i: usize) -> Result<Cow<'_, [f32]>, DataError> {
        for x in &self.inputs {
            if i < x.rows() {
                return x.fetch(i);
            }
            i -= x.rows();
        }
        panic!("there are only {} samples", self.len());
    }

    /// The targets of all samples.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[channels, height, width]` of one input.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// The inputs of the given rows, `[rows, C, H, W]`.
    ///
    /// # Errors
    /// As [`Samples::row`].
    pub fn inputs(&self, rows: &[usize], device: &Device) -> Result<Tensor<4>, DataError> {
        let [c, h, w] = self.input;
        let mut x = Vec::with_capacity(rows.len() * c * h * w);
        for &i in rows {
            x.extend_from_slice(&self.row(i)?);
        }
        Ok(Tensor::from_data(TensorData::new(x, [rows.len(), c, h, w]), device))
    }

    /// Inputs and targets of the given rows.
    ///
    /// # Errors
    /// As [`Samples::row`].
    pub fn batch(&self, rows: &[usize], device: &Device) -> Result<(Tensor<4>, BatchTarget), DataError> {
        let target = match &self.targets {
            Targets::Classes(labels) => {
                // Class counts are checked to be far below i32::MAX when data is read.
                let t: Vec<i32> = rows.iter().map(|&i| labels[i] as i32).collect();
                BatchTarget::Classes(Tensor::<2, Int>::from_data(TensorData::new(t, [rows.len(), 1]), device))
            }
            Targets::Values(values) => {
                let [outputs, positions] = self.target;
                let mut y = Vec::with_capacity(rows.len() * outputs * positions);
                for &i in rows {
                    y.extend_from_slice(values.row(i));
                }
                value_target(y, [rows.len(), outputs, positions], device)
            }
        };
        Ok((self.inputs(rows, device)?, self.with_weights(target, rows, device)))
    }

    /// `[outputs, positions]` of value targets.
    pub fn target(&self) -> [usize; 2] {
        self.target
    }
}

/// Value targets `[N, outputs, positions]`. A value that is NaN is unknown.
pub(crate) fn value_target(mut values: Vec<f32>, shape: [usize; 3], device: &Device) -> BatchTarget {
    let tensor = |data: Vec<f32>| Tensor::<3>::from_data(TensorData::new(data, shape), device);
    if !values.iter().any(|v| v.is_nan()) {
        return BatchTarget::Values(tensor(values));
    }
    let known = values.iter().map(|v| if v.is_nan() { 0.0 } else { 1.0 }).collect();
    values.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = 0.0);
    BatchTarget::Known { values: tensor(values), known: tensor(known) }
}
