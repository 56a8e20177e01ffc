//! Normalization of inputs and targets, fitted to the training data and stored with the model.
//!
//! A normalizer maps `v ↦ (v − mean) / scale`, with one pair of numbers for each channel
//! ([`Scheme::PerChannel`]) or one pair for every point of a channel's grid
//! ([`Scheme::Pointwise`], the unit Gaussian normalizer of the Fourier Neural Operator: unbiased
//! standard deviation over the samples, plus 1e-5). Statistics are summed in `f64` in a fixed
//! order. Targets that are NaN are unknown: they stay NaN, and the statistics of a channel leave them out.

use crate::range::Range;
use crate::targets::Targets;
use dashnas_core::task::TaskKind;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::row_source::RowStep;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Added to a pointwise standard deviation, as the Fourier Neural Operator does.
pub const POINTWISE_EPS: f64 = 1e-5;

/// The normalization of one channel or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// None: values are left unchanged.
    Identity,
    /// To mean 0 and standard deviation 1 over all samples and positions. A constant channel has
    /// its mean subtracted and is not scaled.
    PerChannel,
    /// To mean 0 and standard deviation about 1 at each position, over the samples.
    Pointwise,
}

/// The normalization of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normalization {
    /// One scheme for each input channel.
    pub input: Vec<Scheme>,
    /// One scheme for all outputs; [`Scheme::Identity`] if targets are classes or 0/1.
    pub target: Scheme,
}

impl Normalization {
    /// The default: every input channel standardized; targets standardized per output or field
    /// channel where they are real numbers, left alone where they are classes, labels or masks.
    pub fn default_for(task: TaskKind, channels: usize) -> Self {
        let target = match task {
            TaskKind::Regression { .. } | TaskKind::DenseRegression { .. } => Scheme::PerChannel,
            TaskKind::Classification { .. } | TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => {
                Scheme::Identity
            }
        };
        Self { input: vec![Scheme::PerChannel; channels], target }
    }
}

/// Mean and scale of one channel: none, one pair, or a pair for each point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "scheme")]
enum Affine {
    Identity,
    PerChannel {
        mean: f32,
        /// What the mean is more than `mean`, in models of earlier versions whose inputs or targets were centered in `f64`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rest: Option<f32>,
        scale: f32,
    },
    Pointwise {
        mean: Vec<f32>,
        scale: Vec<f32>,
    },
}

impl Affine {
    /// Fits to the channels of `array`, `[N, C, …]`, a scheme each, in two passes over its rows. A point that never
    /// varies gets the scale `constant` under the pointwise scheme.
    fn fit(schemes: &[Scheme], array: &Array, constant: f64) -> Result<(Vec<Self>, Vec<Range>), DataError> {
        let (plane, n) = (plane(array), array.rows());
        let mut ranges = vec![Range::EMPTY; schemes.len()];
        let mut sums: Vec<Sums> = schemes.iter().map(|&scheme| Sums::new(scheme, plane)).collect();
        for second in [false, true] {
            if schemes.contains(&Scheme::Pointwise) || plane == 0 {
                for i in 0..n {
                    let row = array.fetch(i)?;
                    for (c, sums) in sums.iter_mut().enumerate() {
                        let values = &row[c * plane..(c + 1) * plane];
                        sums.add(values, second);
                        ranges[c].extend(values);
                    }
                }
            } else {
                add_rows(array, &mut sums, &mut ranges, second)?;
            }
            sums.iter_mut().for_each(|sums| sums.end(n, second));
        }
        // A range of no value could not be written as JSON, and tells nothing.
        if ranges.iter().any(|range| range.min > range.max) {
            ranges.clear();
        }
        Ok((sums.into_iter().map(|sums| sums.affine(n, constant)).collect(), ranges))
    }

    fn encode(&self, values: &mut [f32]) {
        match self {
            Affine::Identity => {}
            Affine::PerChannel { mean, scale, .. } => values.iter_mut().for_each(|v| *v = (*v - mean) / scale),
            Affine::Pointwise { mean, scale } => {
                let pairs = values.iter_mut().zip(mean.iter().zip(scale));
                pairs.for_each(|(v, (m, s))| *v = (*v - m) / s);
            }
        }
    }

    fn decode(&self, values: &mut [f32]) {
        match self {
            Affine::Identity => {}
            Affine::PerChannel { mean, scale, .. } => values.iter_mut().for_each(|v| *v = *v * scale + mean),
            Affine::Pointwise { mean, scale } => {
                let pairs = values.iter_mut().zip(mean.iter().zip(scale));
                pairs.for_each(|(v, (m, s))| *v = *v * s + m);
            }
        }
    }

    /// The number that was subtracted in `f64`; 0 if there was none.
    fn center(&self) -> f32 {
        match self {
            Affine::PerChannel { mean, rest: Some(_), .. } => *mean,
            _ => 0.0,
        }
    }

    /// The normalization of values from which the center is subtracted.
    fn relative(&self) -> Self {
        match *self {
            Affine::PerChannel { rest: Some(rest), scale, .. } => Affine::PerChannel { mean: rest, rest: None, scale },
            _ => self.clone(),
        }
    }

    /// Mean and scale at point `p`.
    fn at(&self, p: usize) -> (f32, f32) {
        match self {
            Affine::Identity => (0.0, 1.0),
            Affine::PerChannel { mean, scale, .. } => (*mean, *scale),
            Affine::Pointwise { mean, scale } => (mean[p], scale[p]),
        }
    }
}

/// Moves the centers out of channels; returns none at all if no channel has one.
fn take_centers(channels: &mut [Affine]) -> Vec<f64> {
    let centers: Vec<f64> = channels.iter().map(|channel| f64::from(channel.center())).collect();
    channels.iter_mut().for_each(|channel| *channel = channel.relative());
    if centers.iter().any(|&center| center != 0.0) { centers } else { Vec::new() }
}

/// Checks that the channels of a file fit the grid, and that their scales can be divided by.
fn check(channels: &[Affine], spatial: &[usize]) -> Result<(), String> {
    let plane: usize = spatial.iter().product();
    for (c, channel) in channels.iter().enumerate() {
        let pairs: Vec<(f32, f32)> = match channel {
            Affine::Identity => Vec::new(),
            Affine::PerChannel { mean, rest, scale } => vec![(*mean, *scale), (rest.unwrap_or(0.0), *scale)],
            Affine::Pointwise { mean, scale } if mean.len() == plane && scale.len() == plane => {
                mean.iter().copied().zip(scale.iter().copied()).collect()
            }
            Affine::Pointwise { mean, scale } => {
                return Err(format!("has {} and {} points in channel {c}, not {plane}", mean.len(), scale.len()));
            }
        };
        if let Some((mean, scale)) = pairs.iter().find(|(m, s)| !m.is_finite() || !s.is_finite() || *s == 0.0) {
            return Err(format!("has mean {mean} and scale {scale} in channel {c}"));
        }
    }
    Ok(())
}

/// The sums that a channel is fitted by: those of the mean in the first pass, those of the squared deviations in the
/// second.
enum Sums {
    Identity,
    PerChannel { count: f64, mean: f64, square: f64 },
    Pointwise { mean: Vec<f64>, square: Vec<f64> },
}

impl Sums {
    fn new(scheme: Scheme, plane: usize) -> Self {
        match scheme {
            Scheme::Identity => Sums::Identity,
            Scheme::PerChannel => Sums::PerChannel { count: 0.0, mean: 0.0, square: 0.0 },
            Scheme::Pointwise => Sums::Pointwise { mean: vec![0.0; plane], square: vec![0.0; plane] },
        }
    }

    /// The number and the sum of the known values of a channel of one sample in the first pass, the sum of the squared
    /// deviations in the second.
    fn part(&self, values: &[f32], second: bool) -> (f64, f64) {
        let known = || values.iter().filter(|v| !v.is_nan()).map(|&v| f64::from(v));
        match self {
            Sums::PerChannel { mean, .. } if second => (0.0, known().map(|v| (v - *mean).powi(2)).sum()),
            Sums::PerChannel { .. } => (known().count() as f64, known().sum()),
            _ => (0.0, 0.0),
        }
    }

    /// Adds what [`Sums::part`] found.
    fn add_part(&mut self, (values, sum): (f64, f64), second: bool) {
        match self {
            Sums::PerChannel { square, .. } if second => *square += sum,
            Sums::PerChannel { count, mean, .. } => {
                *count += values;
                *mean += sum;
            }
            _ => {}
        }
    }

    /// Adds the channel of one sample, in the first pass or the second.
    fn add(&mut self, values: &[f32], second: bool) {
        match self {
            Sums::Identity => {}
            Sums::PerChannel { .. } => {
                let part = self.part(values, second);
                self.add_part(part, second);
            }
            Sums::Pointwise { mean, square } if second => {
                let terms = square.iter_mut().zip(&*mean).zip(values);
                terms.for_each(|((s, m), &v)| *s += (f64::from(v) - m).powi(2));
            }
            Sums::Pointwise { mean, .. } => mean.iter_mut().zip(values).for_each(|(m, &v)| *m += f64::from(v)),
        }
    }

    /// Ends a pass over `n` samples.
    fn end(&mut self, n: usize, second: bool) {
        match self {
            Sums::PerChannel { count, mean, .. } if !second => *mean /= count.max(1.0),
            Sums::Pointwise { mean, .. } if !second => mean.iter_mut().for_each(|m| *m /= n.max(1) as f64),
            _ => {}
        }
    }

    fn affine(self, n: usize, constant: f64) -> Affine {
        match self {
            Sums::Identity => Affine::Identity,
            Sums::PerChannel { count, mean, square } => {
                let std = (square / count.max(1.0)).sqrt();
                let scale = if varies(std, mean) { std as f32 } else { 1.0 };
                Affine::PerChannel { mean: mean as f32, rest: None, scale }
            }
            Sums::Pointwise { mean, square } => {
                let freedom = n.saturating_sub(1).max(1) as f64;
                let scale = square.iter().zip(&mean).map(|(s, &m)| {
                    let std = (s / freedom).sqrt();
                    if varies(std, m) { (std + POINTWISE_EPS) as f32 } else { constant as f32 }
                });
                let scale = scale.collect();
                Affine::Pointwise { mean: mean.iter().map(|&m| m as f32).collect(), scale }
            }
        }
    }
}

/// Adds all rows to the sums of channels none of which is pointwise. The sums within rows are taken side by side, and added
/// in the order of the rows, so that the result is the same at any number of threads.
fn add_rows(array: &Array, sums: &mut [Sums], ranges: &mut [Range], second: bool) -> Result<(), DataError> {
    /// Rows whose sums are in memory.
    const ROWS: usize = 4096;
    let (plane, n) = (plane(array), array.rows());
    for first in (0..n).step_by(ROWS) {
        let rows: Vec<usize> = (first..n.min(first + ROWS)).collect();
        let parts = |rows: &[usize]| {
            let mut parts = Vec::with_capacity(rows.len() * sums.len());
            for &i in rows {
                let row = array.fetch(i)?;
                let part = |(sums, values): (&Sums, &[f32])| (sums.part(values, second), Range::of(values));
                parts.extend(sums.iter().zip(row.chunks(plane)).map(part));
            }
            Ok(parts)
        };
        type Parts = Vec<((f64, f64), Range)>;
        let found: Vec<Result<Parts, DataError>> = rows.par_chunks(64).map(parts).collect();
        for parts in found {
            for parts in parts?.chunks(sums.len().max(1)) {
                for ((sums, range), &(part, of_part)) in sums.iter_mut().zip(&mut *ranges).zip(parts) {
                    sums.add_part(part, second);
                    range.join(of_part);
                }
            }
        }
    }
    Ok(())
}

fn pointwise(channels: &[Affine]) -> bool {
    channels.iter().any(|c| matches!(c, Affine::Pointwise { .. }))
}

/// Means and scales of every channel, `[1, C, …spatial]`; spatial axes are 1 unless a channel is pointwise.
fn mean_and_scale(channels: &[Affine], spatial: &[usize]) -> (Array, Array) {
    let spatial: Vec<usize> = if pointwise(channels) { spatial.to_vec() } else { vec![1; spatial.len()] };
    let plane: usize = spatial.iter().product();
    let shape = [&[1, channels.len()], &spatial[..]].concat();
    let (mean, scale) = channels.iter().flat_map(|c| (0..plane).map(|p| c.at(p))).unzip();
    (Array::new(shape.clone(), mean), Array::new(shape, scale))
}

/// Elements of one channel of one sample: the product of the axes after the second.
fn plane(array: &Array) -> usize {
    array.shape.iter().skip(2).product()
}

/// Whether a standard deviation is more than the rounding of `f32` data that does not vary.
fn varies(std: f64, mean: f64) -> bool {
    std > mean.abs() * 1e-7 && std > f64::from(f32::MIN_POSITIVE)
}

/// Applies `f` to each channel of each sample.
fn for_channels(channels: &[Affine], array: &mut Array, f: impl Fn(&Affine, &mut [f32])) {
    let plane = plane(array);
    assert_eq!(array.shape.get(1), Some(&channels.len()), "normalizer and array differ in channels");
    if plane == 0 || channels.is_empty() {
        return;
    }
    for (i, values) in array.data.chunks_exact_mut(plane).enumerate() {
        let channel = &channels[i % channels.len()];
        if let Affine::Pointwise { mean, .. } = channel {
            assert_eq!(mean.len(), plane, "a pointwise normalizer only fits the grid that it was made on");
        }
        f(channel, values);
    }
}

/// Normalizes inputs; part of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputNormalizer {
    channels: Vec<Affine>,
    /// The range of each channel in training. Models of older versions have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<Range>,
}

/// What is known of a channel of the training inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainedChannel {
    /// Mean and standard deviation, if the channel is normalized by them.
    pub mean_and_scale: Option<(f32, f32)>,
    /// The range, if the model has it.
    pub range: Option<Range>,
}

impl InputNormalizer {
    /// Fits to training inputs `[N, C, …]`, with one scheme for each channel. A point that never varies in training is
    /// not scaled, since a test value there could become huge.
    ///
    /// # Errors
    /// [`DataError::Gone`] if the inputs are in a file that can no longer be read.
    ///
    /// # Panics
    /// If the number of schemes is not that of the channels.
    pub fn fit(x: &Array, schemes: &[Scheme]) -> Result<Self, DataError> {
        assert_eq!(x.shape.get(1), Some(&schemes.len()), "one scheme for each channel");
        let (channels, ranges) = Affine::fit(schemes, x, 1.0)?;
        Ok(Self { channels, ranges })
    }

    /// Leaves inputs of this many channels as they are.
    pub fn identity(channels: usize) -> Self {
        Self { channels: vec![Affine::Identity; channels], ranges: Vec::new() }
    }

    /// What is known of each channel of the training inputs.
    pub fn trained_channels(&self) -> Vec<TrainedChannel> {
        let of = |(c, channel): (usize, &Affine)| TrainedChannel {
            mean_and_scale: match *channel {
                Affine::PerChannel { mean, scale, .. } => Some((mean, scale)),
                _ => None,
            },
            range: self.ranges.get(c).copied().filter(|range| range.min <= range.max),
        };
        self.channels.iter().enumerate().map(of).collect()
    }

    /// Moves the numbers that were subtracted from the channels in `f64` before they became `f32` out of the normalizer,
    /// where earlier versions kept them, so that it is that of the differences. Returns none at all if there were none.
    pub fn take_centers(&mut self) -> Vec<f64> {
        take_centers(&mut self.channels)
    }

    /// Checks that the normalizer fits inputs of so many channels and such a grid.
    ///
    /// # Errors
    /// The property that does not fit, as a predicate such as "is of 3 channels, not 2".
    pub fn check(&self, channels: usize, spatial: &[usize]) -> Result<(), String> {
        if self.channels.len() != channels {
            return Err(format!("is of {} channels, not {channels}", self.channels.len()));
        }
        check(&self.channels, spatial)
    }

    /// Whether a channel is normalized pointwise, which ties the model to one grid.
    pub fn is_pointwise(&self) -> bool {
        pointwise(&self.channels)
    }

    /// `(mean, scale)` as arrays `[1, C, …]` that broadcast over inputs with the spatial axes given, as
    /// [`TargetNormalizer::mean_and_scale`]. `None` if inputs are left unchanged.
    pub fn mean_and_scale(&self, spatial: &[usize]) -> Option<(Array, Array)> {
        let identity = self.channels.iter().all(|c| *c == Affine::Identity);
        (!identity).then(|| mean_and_scale(&self.channels, spatial))
    }

    /// Normalizes `x`, `[N, C, …]`, in place.
    ///
    /// # Panics
    /// If the channels, or under [`Scheme::Pointwise`] the grid, differ from those of the fit.
    pub fn apply(&self, x: &mut Array) {
        if x.is_file_backed() {
            x.apply_on_read(self.clone());
        } else {
            for_channels(&self.channels, x, Affine::encode);
        }
    }
}

impl RowStep for InputNormalizer {
    fn apply(&self, row: &mut Vec<f32>, shape: &[usize]) {
        let mut array = Array::new([&[1], shape].concat(), std::mem::take(row));
        for_channels(&self.channels, &mut array, Affine::encode);
        *row = array.data;
    }
}

/// Normalizes targets and restores the scale of predictions; part of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetNormalizer {
    /// One for each output or field channel; empty if targets are left unchanged.
    channels: Vec<Affine>,
    /// Spatial axes of the targets: empty for vectors.
    spatial: Vec<usize>,
}

impl TargetNormalizer {
    /// The normalizer that leaves targets unchanged.
    pub fn identity() -> Self {
        Self { channels: Vec::new(), spatial: Vec::new() }
    }

    /// Fits to training targets: one scheme for all outputs, `[N, outputs]` or `[N, C, …]`. Classes
    /// are never changed. Under [`Scheme::Pointwise`] a point that never varies (as on a boundary
    /// with given values) has the scale [`POINTWISE_EPS`], so that decoding gives it back whatever
    /// the network says.
    pub fn fit(y: &Targets, scheme: Scheme) -> Self {
        match y {
            Targets::Values(values) if scheme != Scheme::Identity => {
                let outputs = values.shape.get(1).copied().unwrap_or(0);
                let fitted = Affine::fit(&vec![scheme; outputs], values, POINTWISE_EPS);
                Self {
                    // Targets are in memory, where fitting cannot fail.
                    channels: fitted.map_or_else(|_| Vec::new(), |(channels, _)| channels),
                    spatial: values.shape[2.min(values.shape.len())..].to_vec(),
                }
            }
            _ => Self::identity(),
        }
    }

    /// As [`InputNormalizer::take_centers`], for targets.
    pub fn take_centers(&mut self) -> Vec<f64> {
        take_centers(&mut self.channels)
    }

    /// Checks that the normalizer fits so many outputs over such a grid, or is the identity.
    ///
    /// # Errors
    /// The property that does not fit, as a predicate such as "is of 3 outputs, not 2".
    pub fn check(&self, outputs: usize, grid: &[usize]) -> Result<(), String> {
        if self.is_identity() {
            return Ok(());
        }
        if self.channels.len() != outputs || self.spatial.len() != grid.len() {
            let (channels, axes) = (self.channels.len(), self.spatial.len());
            return Err(format!("is of {channels} outputs with {axes} axes, not {outputs} with {}", grid.len()));
        }
        if self.is_pointwise() && self.spatial != grid {
            return Err(format!("is for a grid of {:?}, not {grid:?}", self.spatial));
        }
        check(&self.channels, grid)
    }

    /// Whether targets are left unchanged.
    pub fn is_identity(&self) -> bool {
        self.channels.is_empty()
    }

    /// Normalizes targets in place.
    ///
    /// # Panics
    /// If the outputs, or under [`Scheme::Pointwise`] the grid, are not those fitted to.
    pub fn apply(&self, y: &mut Targets) {
        if let (false, Targets::Values(values)) = (self.is_identity(), y) {
            for_channels(&self.channels, values, Affine::encode);
        }
    }

    /// Turns normalized predictions, `[N, outputs]` or `[N, C, …]`, back into the targets' units.
    ///
    /// # Panics
    /// As [`TargetNormalizer::apply`].
    pub fn decode(&self, predictions: &mut Array) {
        if !self.is_identity() {
            for_channels(&self.channels, predictions, Affine::decode);
        }
    }

    /// `(mean, scale)` as arrays `[1, C]` or `[1, C, …spatial]` that broadcast over the targets, for
    /// decoding inside a network's loss: `decoded = normalized · scale + mean`. `None` when targets
    /// are left as they are. Spatial axes are 1 unless the scheme is pointwise.
    pub fn mean_and_scale(&self) -> Option<(Array, Array)> {
        (!self.is_identity()).then(|| mean_and_scale(&self.channels, &self.spatial))
    }

    /// Whether an output is normalized point by point, which ties the model to one grid.
    pub fn is_pointwise(&self) -> bool {
        pointwise(&self.channels)
    }
}
