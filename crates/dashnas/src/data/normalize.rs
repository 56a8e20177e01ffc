//! Normalisation of inputs and targets, fitted on training data and carried with the model.
//!
//! A normaliser maps `v ↦ (v − mean) / scale`, with one pair of numbers a channel
//! ([`Scheme::PerChannel`]) or one pair for every point of a channel's grid
//! ([`Scheme::Pointwise`], the unit Gaussian normaliser of the Fourier Neural Operator: unbiased
//! standard deviation over the samples, plus 1e-5). Statistics are summed in `f64` in a fixed
//! order. Targets that are NaN are not known: they stay NaN, and statistics a channel leave them out.

use super::{Array, DataError, Targets};
use crate::task::TaskKind;
use serde::{Deserialize, Serialize};

/// Added to a pointwise standard deviation, as the Fourier Neural Operator does.
pub const POINTWISE_EPS: f64 = 1e-5;

/// How one channel (or one output) is normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Left as it is.
    Identity,
    /// To mean 0 and standard deviation 1 over all samples and positions. A constant channel has
    /// its mean taken away and is not scaled.
    PerChannel,
    /// To mean 0 and standard deviation about 1 at each position, over the samples.
    Pointwise,
}

/// How a data set is to be normalised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normalization {
    /// One scheme for each input channel.
    pub input: Vec<Scheme>,
    /// One scheme for all outputs; [`Scheme::Identity`] where targets are classes or 0/1.
    pub target: Scheme,
}

impl Normalization {
    /// The default: every input channel standardised; targets standardised per output or field
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

/// Mean and scale of one channel: nothing, one pair, or a pair for each point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "scheme")]
enum Affine {
    Identity,
    PerChannel { mean: f32, scale: f32 },
    Pointwise { mean: Vec<f32>, scale: Vec<f32> },
}

impl Affine {
    /// Fits to the channels of `array`, `[N, C, …]`, a scheme each, in two passes over its rows. A point that never
    /// varies gets the scale `constant` under the pointwise scheme.
    fn fit(schemes: &[Scheme], array: &Array, constant: f64) -> Result<Vec<Self>, DataError> {
        let (plane, n) = (plane(array), array.rows());
        let mut sums: Vec<Sums> = schemes.iter().map(|&scheme| Sums::new(scheme, plane)).collect();
        for second in [false, true] {
            for i in 0..n {
                let row = array.fetch(i)?;
                for (c, sums) in sums.iter_mut().enumerate() {
                    sums.add(&row[c * plane..(c + 1) * plane], second);
                }
            }
            sums.iter_mut().for_each(|sums| sums.end(n, second));
        }
        Ok(sums.into_iter().map(|sums| sums.affine(n, constant)).collect())
    }

    fn encode(&self, values: &mut [f32]) {
        match self {
            Affine::Identity => {}
            Affine::PerChannel { mean, scale } => values.iter_mut().for_each(|v| *v = (*v - mean) / scale),
            Affine::Pointwise { mean, scale } => {
                let pairs = values.iter_mut().zip(mean.iter().zip(scale));
                pairs.for_each(|(v, (m, s))| *v = (*v - m) / s);
            }
        }
    }

    fn decode(&self, values: &mut [f32]) {
        match self {
            Affine::Identity => {}
            Affine::PerChannel { mean, scale } => values.iter_mut().for_each(|v| *v = *v * scale + mean),
            Affine::Pointwise { mean, scale } => {
                let pairs = values.iter_mut().zip(mean.iter().zip(scale));
                pairs.for_each(|(v, (m, s))| *v = *v * s + m);
            }
        }
    }

    /// Mean and scale at point `p`.
    fn at(&self, p: usize) -> (f32, f32) {
        match self {
            Affine::Identity => (0.0, 1.0),
            Affine::PerChannel { mean, scale } => (*mean, *scale),
            Affine::Pointwise { mean, scale } => (mean[p], scale[p]),
        }
    }
}

/// Whether channels from a file fit the grid, and can be divided by.
fn check(channels: &[Affine], spatial: &[usize]) -> Result<(), String> {
    let plane: usize = spatial.iter().product();
    for (c, channel) in channels.iter().enumerate() {
        let pairs: Vec<(f32, f32)> = match channel {
            Affine::Identity => Vec::new(),
            Affine::PerChannel { mean, scale } => vec![(*mean, *scale)],
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

/// What a channel is fitted by: the mean after the first pass, the squares of what differs from it after the second.
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

    /// Takes in the channel of one sample, in the first pass or the second.
    fn add(&mut self, values: &[f32], second: bool) {
        match self {
            Sums::Identity => {}
            Sums::PerChannel { count, mean, square } => {
                let known = || values.iter().filter(|v| !v.is_nan()).map(|&v| f64::from(v));
                if second {
                    *square += known().map(|v| (v - *mean).powi(2)).sum::<f64>();
                } else {
                    *count += known().count() as f64;
                    *mean += known().sum::<f64>();
                }
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
                Affine::PerChannel { mean: mean as f32, scale: if varies(std, mean) { std as f32 } else { 1.0 } }
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
    assert_eq!(array.shape.get(1), Some(&channels.len()), "normaliser and array differ in channels");
    if plane == 0 || channels.is_empty() {
        return;
    }
    for (i, values) in array.data.chunks_exact_mut(plane).enumerate() {
        let channel = &channels[i % channels.len()];
        if let Affine::Pointwise { mean, .. } = channel {
            assert_eq!(mean.len(), plane, "a pointwise normaliser only fits the grid that it was made on");
        }
        f(channel, values);
    }
}

/// Normalises inputs; travels with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputNormalizer {
    channels: Vec<Affine>,
}

impl InputNormalizer {
    /// Fits to training inputs `[N, C, …]`, with one scheme a channel. A point that never varies
    /// in training is not scaled, lest a test value there explode.
    ///
    /// # Errors
    /// [`DataError::Gone`] if the inputs are in a file that no longer gives them.
    ///
    /// # Panics
    /// If there is not one scheme a channel.
    pub fn fit(x: &Array, schemes: &[Scheme]) -> Result<Self, DataError> {
        assert_eq!(x.shape.get(1), Some(&schemes.len()), "one scheme a channel");
        Ok(Self { channels: Affine::fit(schemes, x, 1.0)? })
    }

    /// Whether it is for inputs of so many channels and such a grid.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn check(&self, channels: usize, spatial: &[usize]) -> Result<(), String> {
        if self.channels.len() != channels {
            return Err(format!("is of {} channels, not {channels}", self.channels.len()));
        }
        check(&self.channels, spatial)
    }

    /// Whether a channel is normalised point by point, which ties the model to one grid.
    pub fn is_pointwise(&self) -> bool {
        pointwise(&self.channels)
    }

    /// `(mean, scale)` as arrays `[1, C, …]` that broadcast over inputs with the spatial axes given, as
    /// [`TargetNormalizer::mean_and_scale`]. `None` when inputs are left as they are.
    pub fn mean_and_scale(&self, spatial: &[usize]) -> Option<(Array, Array)> {
        let identity = self.channels.iter().all(|c| *c == Affine::Identity);
        (!identity).then(|| mean_and_scale(&self.channels, spatial))
    }

    /// Normalises `x`, `[N, C, …]`, in place.
    ///
    /// # Panics
    /// If the channels, or under [`Scheme::Pointwise`] the grid, are not those fitted to.
    pub fn apply(&self, x: &mut Array) {
        if x.normalize_outside(self) {
            return;
        }
        for_channels(&self.channels, x, Affine::encode);
    }
}

/// Normalises targets and turns predictions back; travels with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetNormalizer {
    /// One for each output or field channel; empty when targets are left as they are.
    channels: Vec<Affine>,
    /// Spatial axes of the targets: empty for vectors.
    spatial: Vec<usize>,
}

impl TargetNormalizer {
    /// Leaves targets as they are.
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
                    // Targets are in memory, from where they can be had.
                    channels: fitted.unwrap_or_default(),
                    spatial: values.shape[2.min(values.shape.len())..].to_vec(),
                }
            }
            _ => Self::identity(),
        }
    }

    /// Whether it is for so many outputs over such a grid, or for none.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn check(&self, outputs: usize, grid: &[usize]) -> Result<(), String> {
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

    /// Whether targets are left as they are.
    pub fn is_identity(&self) -> bool {
        self.channels.is_empty()
    }

    /// Normalises targets in place.
    ///
    /// # Panics
    /// If the outputs, or under [`Scheme::Pointwise`] the grid, are not those fitted to.
    pub fn apply(&self, y: &mut Targets) {
        if let (false, Targets::Values(values)) = (self.is_identity(), y) {
            for_channels(&self.channels, values, Affine::encode);
        }
    }

    /// Turns normalised predictions, `[N, outputs]` or `[N, C, …]`, back into the targets' units.
    ///
    /// # Panics
    /// As [`TargetNormalizer::apply`].
    pub fn decode(&self, predictions: &mut Array) {
        if !self.is_identity() {
            for_channels(&self.channels, predictions, Affine::decode);
        }
    }

    /// `(mean, scale)` as arrays `[1, C]` or `[1, C, …spatial]` that broadcast over the targets, for
    /// decoding inside a network's loss: `decoded = normalised · scale + mean`. `None` when targets
    /// are left as they are. Spatial axes are 1 unless the scheme is pointwise.
    pub fn mean_and_scale(&self) -> Option<(Array, Array)> {
        (!self.is_identity()).then(|| mean_and_scale(&self.channels, &self.spatial))
    }

    /// Whether an output is normalised point by point, which ties the model to one grid.
    pub fn is_pointwise(&self) -> bool {
        pointwise(&self.channels)
    }
}
