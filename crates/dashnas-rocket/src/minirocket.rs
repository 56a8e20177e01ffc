//! The convolutions of MiniRocket, which MultiRocket shares: 84 kernels of length 9 at several dilations, with biases
//! that are quantiles of the convolutions of training samples.

use crate::error::Error;
use crate::lanes::{Batch, LANES, Row, Vectors, ZERO, each_row};
use dashnas_core::rng::{Stream, permutation};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The number of kernels: the ways to choose 3 of 9 taps.
pub(crate) const KERNELS: usize = 84;
/// The length of the kernels.
const LENGTH: usize = 9;
/// The largest number of dilations (§3.1.3 of MiniRocket).
const MAX_DILATIONS: usize = 32;
/// The largest number of channels of one convolution.
const MAX_CHANNELS: usize = 9;

/// The three taps of each kernel that have the weight 2. The other six have the weight −1, so that the sum is 0.
pub(crate) const TAPS: [[usize; 3]; KERNELS] = {
    let mut taps = [[0; 3]; KERNELS];
    let (mut kernel, mut a) = (0, 0);
    while a < LENGTH {
        let mut b = a + 1;
        while b < LENGTH {
            let mut c = b + 1;
            while c < LENGTH {
                taps[kernel] = [a, b, c];
                kernel += 1;
                c += 1;
            }
            b += 1;
        }
        a += 1;
    }
    taps
};

/// The convolutions and biases. A convolution is a dilation with one of the 84 kernels; it adds up a few channels.
///
/// Convolutions are ordered by dilation, then by kernel. If the positions of the dilation and of the kernel are both even
/// or both odd, a convolution has the length of the series, with zeros around them; otherwise it has only the steps at
/// which the kernel lies inside the series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convolutions {
    dilations: Vec<usize>,
    /// The number of biases of each convolution with the dilation.
    biases_per_kernel: Vec<usize>,
    /// The channels of each convolution.
    channels: Vec<Vec<usize>>,
    biases: Vec<f32>,
}

/// What a thread needs to compute the convolutions of a batch.
pub(crate) struct Scratch {
    vectors: Vectors,
    input: Batch,
    triple: Batch,
    /// For each channel, −1 times the sum over the nine taps.
    negative: Vec<Row>,
    sum: Vec<Row>,
}

impl Scratch {
    pub fn new(channels: usize, length: usize) -> Self {
        Self {
            vectors: Vectors::detect(),
            input: Batch::new(channels, length),
            triple: Batch::new(channels, length),
            negative: vec![ZERO; channels * length],
            sum: vec![ZERO; length],
        }
    }

    /// Replaces the samples, each of which is channels × steps.
    pub fn load<'a>(&mut self, samples: impl Iterator<Item = &'a [f32]>) {
        self.input.load(samples);
        self.triple.triple(&self.input);
    }
}

impl Convolutions {
    /// Chooses dilations, channels and biases for series of a shape. `sample` returns a training sample.
    pub(crate) fn fit<'a, S: AsRef<[f32]> + 'a>(
        kernels: usize,
        [samples, channels, length]: [usize; 3],
        sample: impl Fn(usize) -> S + Sync,
        rng: &mut Stream,
    ) -> Self {
        let per_kernel = (kernels / KERNELS).max(1);
        let (dilations, biases_per_kernel) = dilations(length, per_kernel);
        let convolutions = KERNELS * dilations.len();
        let channels_of = channel_sets(convolutions, channels, MAX_CHANNELS, rng);
        let drawn: Vec<usize> = (0..convolutions).map(|_| rng.random_range(0..samples)).collect();
        let mut fitted = Self { dilations, biases_per_kernel, channels: channels_of, biases: Vec::new() };
        let starts = fitted.starts();
        let biases: Vec<Vec<f32>> = drawn
            .par_iter()
            .enumerate()
            .map_init(
                || Scratch::new(channels, length),
                |scratch, (convolution, &drawn)| {
                    let (at, kernel) = (convolution / KERNELS, convolution % KERNELS);
                    scratch.load(std::iter::once(sample(drawn).as_ref()));
                    fitted.negative(scratch, at, &fitted.channels[convolution]);
                    fitted.convolve(scratch, at, kernel);
                    let mut values: Vec<f32> = scratch.sum.iter().map(|row| row.0[0]).collect();
                    values.sort_unstable_by(f32::total_cmp);
                    let count = fitted.biases_per_kernel[at];
                    (0..count).map(|bias| quantile(&values, level(starts[at] + kernel * count + bias))).collect()
                },
            )
            .collect();
        fitted.biases = biases.concat();
        fitted
    }

    /// Returns the dilations, in increasing order.
    pub fn dilations(&self) -> &[usize] {
        &self.dilations
    }

    /// Returns, for each dilation, the number of biases of each of its 84 convolutions.
    pub fn biases_per_kernel(&self) -> &[usize] {
        &self.biases_per_kernel
    }

    /// Returns the channels of each convolution.
    pub fn channels(&self) -> &[Vec<usize>] {
        &self.channels
    }

    /// Returns the biases of all convolutions, one convolution after another.
    pub fn biases(&self) -> &[f32] {
        &self.biases
    }

    /// Returns the first bias of each dilation.
    fn starts(&self) -> Vec<usize> {
        self.biases_per_kernel
            .iter()
            .scan(0, |next, &count| Some(std::mem::replace(next, *next + KERNELS * count)))
            .collect()
    }

    /// Checks convolutions from a file against the shape of the series.
    pub(crate) fn check(&self, channels: usize, length: usize) -> Result<(), Error> {
        let damaged = |reason: &str| Err(Error::Damaged { reason: reason.to_owned() });
        let counts = &self.biases_per_kernel;
        if self.dilations.is_empty() || self.dilations.len() != counts.len() {
            return damaged("there is not one number of biases for each dilation");
        }
        if self.dilations.iter().any(|&dilation| dilation == 0 || dilation > (length - 1) / (LENGTH - 1)) {
            return damaged("a dilation does not fit the series");
        }
        if self.channels.len() != KERNELS * self.dilations.len()
            || self.channels.iter().any(|set| set.is_empty() || set.iter().any(|&channel| channel >= channels))
        {
            return damaged("the channels of the convolutions are not those of the series");
        }
        let biases =
            counts.iter().try_fold(0usize, |sum, &count| sum.checked_add(count)).and_then(|n| n.checked_mul(KERNELS));
        if counts.contains(&0) || biases != Some(self.biases.len()) {
            return damaged("the number of biases is not that of the convolutions");
        }
        if self.biases.iter().any(|bias| !bias.is_finite()) {
            return damaged("a bias is not finite");
        }
        Ok(())
    }

    /// Computes every convolution of the loaded samples, and calls `pool` with its steps and the place of each bias.
    pub(crate) fn pool(&self, scratch: &mut Scratch, mut pool: impl FnMut(Vectors, &[Row], usize, f32)) {
        let vectors = scratch.vectors;
        let channels: Vec<usize> = (0..scratch.negative.len() / scratch.sum.len()).collect();
        let mut first = 0;
        for (at, (&dilation, &count)) in self.dilations.iter().zip(&self.biases_per_kernel).enumerate() {
            self.negative(scratch, at, &channels);
            for kernel in 0..KERNELS {
                self.convolve(scratch, at, kernel);
                let padding = if (at + kernel).is_multiple_of(2) { 0 } else { dilation * (LENGTH / 2) };
                let steps = &scratch.sum[padding..scratch.sum.len() - padding];
                for (place, &bias) in self.biases.iter().enumerate().skip(first).take(count) {
                    pool(vectors, steps, place, bias);
                }
                first += count;
            }
        }
    }

    /// Computes −1 times the sum over the nine taps for some channels: what all 84 kernels share.
    fn negative(&self, scratch: &mut Scratch, at: usize, channels: &[usize]) {
        let (dilation, length, input) = (self.dilations[at], scratch.sum.len(), &scratch.input);
        for &channel in channels {
            let taps: [&[Row]; LENGTH] =
                std::array::from_fn(|tap| input.shifted(channel, offset(tap, dilation), length));
            let out = &mut scratch.negative[channel * length..(channel + 1) * length];
            scratch.vectors.run(
                #[inline(always)]
                || {
                    for (step, out) in out.iter_mut().enumerate() {
                        each_row();
                        let mut sum = [0.0f32; LANES];
                        for tap in &taps {
                            for (sum, value) in sum.iter_mut().zip(&tap[step].0) {
                                *sum -= value;
                            }
                        }
                        out.0 = sum;
                    }
                },
            );
        }
    }

    /// Computes the convolution of the loaded samples with a kernel, after [`negative`](Self::negative) for its channels.
    fn convolve(&self, scratch: &mut Scratch, at: usize, kernel: usize) {
        let (dilation, length) = (self.dilations[at], scratch.sum.len());
        for (position, &channel) in self.channels[at * KERNELS + kernel].iter().enumerate() {
            let [a, b, c] = TAPS[kernel].map(|tap| scratch.triple.shifted(channel, offset(tap, dilation), length));
            let negative = &scratch.negative[channel * length..(channel + 1) * length];
            let out = &mut scratch.sum[..];
            scratch.vectors.run(
                #[inline(always)]
                || {
                    let rows = negative.iter().zip(a).zip(b).zip(c);
                    let value =
                        |n: &Row, a: &Row, b: &Row, c: &Row, lane: usize| n.0[lane] + a.0[lane] + b.0[lane] + c.0[lane];
                    if position == 0 {
                        for (out, (((n, a), b), c)) in out.iter_mut().zip(rows) {
                            each_row();
                            for lane in 0..LANES {
                                out.0[lane] = value(n, a, b, c, lane);
                            }
                        }
                    } else {
                        for (out, (((n, a), b), c)) in out.iter_mut().zip(rows) {
                            each_row();
                            for lane in 0..LANES {
                                out.0[lane] += value(n, a, b, c, lane);
                            }
                        }
                    }
                },
            );
        }
    }
}

/// Returns the shift of a tap: the kernel is centered.
fn offset(tap: usize, dilation: usize) -> isize {
    (tap as isize - (LENGTH / 2) as isize) * dilation as isize
}

/// Returns the proportion of positive values (PPV) of each sample: the steps above a bias.
#[inline(always)]
pub(crate) fn proportion(vectors: Vectors, steps: &[Row], bias: f32) -> [f32; LANES] {
    vectors.run(
        #[inline(always)]
        || {
            let mut above = [0u32; LANES];
            for row in steps {
                each_row();
                for (above, value) in above.iter_mut().zip(&row.0) {
                    *above += u32::from(*value > bias);
                }
            }
            above.map(|count| count as f32 / steps.len() as f32)
        },
    )
}

/// Returns the dilations of a kernel with `biases` biases, and the number of biases for each dilation: the integer parts
/// of powers of two with exponents in equal steps from 0 to `log2((length − 1) / 8)` (§3.1.3 of MiniRocket).
fn dilations(length: usize, biases: usize) -> (Vec<usize>, Vec<usize>) {
    let exponents = biases.min(MAX_DILATIONS);
    let largest = ((length - 1) as f64 / (LENGTH - 1) as f64).log2();
    let mut dilations: Vec<usize> = Vec::new();
    let mut counts: Vec<usize> = Vec::new();
    for i in 0..exponents {
        let power = (largest * i as f64 / exponents.saturating_sub(1).max(1) as f64).exp2();
        // A power that is a whole number must not fall below it by rounding.
        let dilation = (power * (1.0 + 1e-12)).floor() as usize;
        if dilations.last() == Some(&dilation) {
            *counts.last_mut().expect("as many counts as dilations") += 1;
        } else {
            dilations.push(dilation);
            counts.push(1);
        }
    }
    let factor = biases as f64 / exponents as f64;
    for count in &mut counts {
        *count = (*count as f64 * factor) as usize;
    }
    let rest = biases - counts.iter().sum::<usize>();
    for i in 0..rest {
        let at = i % counts.len();
        counts[at] += 1;
    }
    (dilations, counts)
}

/// Draws the channels of each convolution: their number is the integer part of a power of two with a uniform exponent,
/// at most `limit`.
pub(crate) fn channel_sets(convolutions: usize, channels: usize, limit: usize, rng: &mut Stream) -> Vec<Vec<usize>> {
    (0..convolutions).map(|_| channel_set(channels, limit, rng)).collect()
}

/// Draws the channels of one convolution.
pub(crate) fn channel_set(channels: usize, limit: usize, rng: &mut Stream) -> Vec<usize> {
    let most = channels.min(limit);
    if channels == 1 {
        return vec![0];
    }
    let exponent = rng.random::<f64>() * ((most + 1) as f64).log2();
    let count = (exponent.exp2() as usize).clamp(1, most);
    let mut set = permutation(channels, rng);
    set.truncate(count);
    set
}

/// Returns the level of the quantile of a bias: a sequence of low discrepancy, the multiples of the golden ratio modulo 1.
fn level(bias: usize) -> f64 {
    let golden = f64::midpoint(5f64.sqrt(), 1.0);
    f64::from(((bias + 1) as f64 * golden % 1.0) as f32)
}

/// Returns a quantile of sorted values, with linear interpolation between them.
fn quantile(sorted: &[f32], level: f64) -> f32 {
    let position = level * (sorted.len() - 1) as f64;
    let below = position as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let weight = position - below as f64;
    (f64::from(sorted[below]) * (1.0 - weight) + f64::from(sorted[above]) * weight) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_are_all_choices_of_three_taps() {
        assert_eq!(TAPS[0], [0, 1, 2]);
        assert_eq!(TAPS[83], [6, 7, 8]);
        assert!(TAPS.is_sorted() && TAPS.iter().all(|[a, b, c]| a < b && b < c));
    }

    #[test]
    fn dilations_share_the_biases() {
        // 119 biases in 32 exponents from 0 to log2(45 / 8) ≈ 2.49: the numbers of exponents below log2(2), log2(3), …
        // are 13, 20, 25, 29 and 32, and 119 / 32 biases belong to each; the 2 that rounding leaves go to the first.
        let (at, counts) = dilations(46, 119);
        assert_eq!(at, [1, 2, 3, 4, 5]);
        assert_eq!(counts, [49, 27, 18, 14, 11]);
        // The largest dilation is a whole number here: 8 taps at a distance of 5 span 40 steps.
        assert_eq!(dilations(41, 119).0, [1, 2, 3, 4, 5]);
        assert_eq!(dilations(9, 119), (vec![1], vec![119]));
        assert_eq!(dilations(1000, 1), (vec![1], vec![1]));
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.0), 1.0);
        assert_eq!(quantile(&[3.0], 0.3), 3.0);
    }
}
