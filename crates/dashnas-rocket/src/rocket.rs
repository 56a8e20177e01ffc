//! The kernels of ROCKET: random weights, lengths, biases, dilations and padding (§3.1 of ROCKET).

use crate::error::Error;
use crate::lanes::{Batch, LANES, Row, Vectors, each_row};
use crate::minirocket::channel_set;
use dashnas_core::rng::{Stream, normal};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// A kernel, which gives two features: the proportion of positive values and the maximum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomKernel {
    /// The channels that the kernel adds up.
    channels: Vec<usize>,
    /// The weights: channels × taps.
    weights: Vec<f32>,
    bias: f32,
    dilation: usize,
    /// The number of zeros before and after the series.
    padding: usize,
}

impl RandomKernel {
    /// Draws a kernel: a length of 7, 9 or 11; normal weights, whose mean is subtracted in each channel; a uniform bias; a
    /// dilation on a logarithmic scale, such that the kernel fits into the series; and padding or none.
    pub(crate) fn draw(channels: usize, length: usize, rng: &mut Stream) -> Self {
        let taps = [7, 9, 11][rng.random_range(0..3)];
        let channels = channel_set(channels, taps, rng);
        let mut weights = normal(channels.len() * taps, 1.0, rng);
        for weights in weights.chunks_exact_mut(taps) {
            let mean = weights.iter().sum::<f32>() / taps as f32;
            weights.iter_mut().for_each(|weight| *weight -= mean);
        }
        let bias = (2.0 * rng.random::<f64>() - 1.0) as f32;
        let largest = (length - 1) / (taps - 1);
        let exponent = rng.random::<f64>() * ((length - 1) as f64 / (taps - 1) as f64).log2();
        let dilation = (exponent.exp2() as usize).clamp(1, largest);
        let padding = if rng.random::<bool>() { (taps - 1) * dilation / 2 } else { 0 };
        Self { channels, weights, bias, dilation, padding }
    }

    /// Returns the channels that the kernel adds up.
    pub fn channels(&self) -> &[usize] {
        &self.channels
    }

    /// Returns the weights: channels × taps.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Returns the bias, which is added.
    pub fn bias(&self) -> f32 {
        self.bias
    }

    /// Returns the distance of the taps in steps.
    pub fn dilation(&self) -> usize {
        self.dilation
    }

    /// Returns the number of zeros before and after the series.
    pub fn padding(&self) -> usize {
        self.padding
    }

    /// Checks a kernel from a file against the shape of the series.
    pub(crate) fn check(&self, channels: usize, length: usize) -> Result<(), Error> {
        let damaged = |reason: &str| Err(Error::Damaged { reason: reason.to_owned() });
        if self.channels.is_empty() || self.channels.iter().any(|&channel| channel >= channels) {
            return damaged("the channels of a kernel are not those of the series");
        }
        let taps = self.weights.len() / self.channels.len();
        if taps == 0 || taps * self.channels.len() != self.weights.len() {
            return damaged("a kernel has not the same number of weights for each channel");
        }
        let span = self.dilation.checked_mul(taps - 1);
        if span.is_none_or(|span| span >= length || self.padding > span / 2) {
            return damaged("a kernel does not fit the series");
        }
        if !self.bias.is_finite() || self.weights.iter().any(|weight| !weight.is_finite()) {
            return damaged("a weight is not finite");
        }
        Ok(())
    }

    /// Returns the proportion of positive values and the maximum of each sample of a batch.
    pub(crate) fn pool(&self, vectors: Vectors, batch: &Batch, length: usize) -> [[f32; LANES]; 2] {
        let taps = self.weights.len() / self.channels.len();
        let steps = length + 2 * self.padding - (taps - 1) * self.dilation;
        let places: Vec<(&[Row], f32)> = (0..taps)
            .flat_map(|tap| {
                let offset = (tap * self.dilation) as isize - self.padding as isize;
                let weights = self.weights.iter().skip(tap).step_by(taps);
                self.channels
                    .iter()
                    .zip(weights)
                    .map(move |(&channel, &weight)| (batch.shifted(channel, offset, steps), weight))
            })
            .collect();
        vectors.run(
            #[inline(always)]
            || {
                let mut above = [0u32; LANES];
                let mut maximum = [f32::NEG_INFINITY; LANES];
                for step in 0..steps {
                    each_row();
                    let mut sum = [self.bias; LANES];
                    for (rows, weight) in &places {
                        let row = &rows[step].0;
                        for lane in 0..LANES {
                            sum[lane] += weight * row[lane];
                        }
                    }
                    for lane in 0..LANES {
                        above[lane] += u32::from(sum[lane] > 0.0);
                        maximum[lane] = if sum[lane] > maximum[lane] { sum[lane] } else { maximum[lane] };
                    }
                }
                [above.map(|count| count as f32 / steps as f32), maximum]
            },
        )
    }
}

/// Subtracts the mean of each channel of a sample and divides by the standard deviation. A constant channel becomes zero.
pub(crate) fn normalized(sample: &[f32], length: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(sample.len());
    for channel in sample.chunks_exact(length) {
        if channel.iter().all(|value| *value == channel[0]) {
            // The computed mean of equal values may differ from them by a rounding error, which must not be scaled up.
            out.resize(out.len() + length, 0.0);
            continue;
        }
        let mean = channel.iter().map(|&value| f64::from(value)).sum::<f64>() / length as f64;
        let variance = channel.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / length as f64;
        let deviation = variance.sqrt();
        out.extend(channel.iter().map(|&value| ((f64::from(value) - mean) / deviation) as f32));
    }
    out
}
