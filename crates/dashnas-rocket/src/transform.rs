//! A fitted transform of series into features.

use crate::error::Error;
use crate::kind::Kind;
use crate::lanes::{Batch, LANES, Vectors};
use crate::minirocket::{Convolutions, Scratch, proportion};
use crate::multirocket::{POOLS, differences, pool};
use crate::rocket::{RandomKernel, normalized};
use crate::series::{Features, Series};
use dashnas_core::Seed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Kernels for series of a number of channels and steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Transform {
    channels: usize,
    length: usize,
    kernels: Kernels,
}

/// The kernels of a transform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kernels {
    /// The kernels of ROCKET, each of which gives two features.
    Rocket(Vec<RandomKernel>),
    /// The convolutions of MiniRocket, each bias of which gives one feature.
    MiniRocket(Convolutions),
    /// The convolutions of MultiRocket, each bias of which gives four features.
    MultiRocket {
        /// The convolutions of the series.
        series: Convolutions,
        /// The convolutions of their first differences.
        differences: Convolutions,
    },
}

/// A transform as it is in a file.
#[derive(Deserialize)]
struct Unchecked {
    channels: usize,
    length: usize,
    kernels: Kernels,
}

impl TryFrom<Unchecked> for Transform {
    type Error = Error;

    fn try_from(Unchecked { channels, length, kernels }: Unchecked) -> Result<Self, Error> {
        let transform = Self { channels, length, kernels };
        if channels == 0 || length < transform.kind().min_length() {
            return Err(Error::Damaged { reason: "the series are too short for the transform".to_owned() });
        }
        if channels.checked_mul(length).and_then(|size| size.checked_mul(size_of::<[f32; 4 * LANES]>())).is_none() {
            return Err(Error::Damaged { reason: "the series are larger than memory".to_owned() });
        }
        match &transform.kernels {
            Kernels::Rocket(kernels) if kernels.is_empty() => {
                return Err(Error::Damaged { reason: "the transform has no kernels".to_owned() });
            }
            Kernels::Rocket(kernels) => kernels.iter().try_for_each(|kernel| kernel.check(channels, length))?,
            Kernels::MiniRocket(convolutions) => convolutions.check(channels, length)?,
            Kernels::MultiRocket { series, differences } => {
                series.check(channels, length)?;
                differences.check(channels, length - 1)?;
            }
        }
        Ok(transform)
    }
}

/// The part of a row of features that a batch has computed: samples × columns.
struct Rows<'a> {
    values: &'a mut [f32],
    columns: usize,
}

impl Rows<'_> {
    /// Sets a feature of all samples of the batch.
    fn set(&mut self, column: usize, lanes: [f32; LANES]) {
        for (row, value) in self.values.chunks_exact_mut(self.columns).zip(lanes) {
            row[column] = value;
        }
    }
}

impl Transform {
    /// Chooses kernels for series of the shape of `series`. The values and the seed decide the biases of MiniRocket and
    /// MultiRocket; the seed alone decides the kernels of ROCKET. [`Kind::default_kernels`] is the number that the
    /// authors use. MiniRocket and MultiRocket round it down to a multiple of 84, and up to 84 if it is less.
    ///
    /// # Errors
    ///
    /// The series are too short, or there are no kernels.
    pub fn fit(kind: Kind, kernels: usize, series: Series<'_>, seed: Seed) -> Result<Self, Error> {
        let (channels, length) = (series.channels(), series.length());
        if length < kind.min_length() {
            return Err(Error::TooShort { kind, length });
        }
        if kernels == 0 {
            return Err(Error::NoKernels { kind });
        }
        let shape = [series.samples(), channels, length];
        let plain =
            |name: &str| Convolutions::fit(kernels, shape, |sample| series.sample(sample), &mut seed.stream(name, &[]));
        let kernels = match kind {
            Kind::Rocket => {
                let mut rng = seed.stream("rocket/rocket", &[]);
                Kernels::Rocket((0..kernels).map(|_| RandomKernel::draw(channels, length, &mut rng)).collect())
            }
            Kind::MiniRocket => Kernels::MiniRocket(plain("rocket/minirocket")),
            Kind::MultiRocket => Kernels::MultiRocket {
                series: plain("rocket/multirocket/series"),
                differences: Convolutions::fit(
                    kernels,
                    [shape[0], channels, length - 1],
                    |sample| differences(series.sample(sample), length),
                    &mut seed.stream("rocket/multirocket/differences", &[]),
                ),
            },
        };
        Ok(Self { channels, length, kernels })
    }

    /// Returns which transform it is.
    pub fn kind(&self) -> Kind {
        match self.kernels {
            Kernels::Rocket(_) => Kind::Rocket,
            Kernels::MiniRocket(_) => Kind::MiniRocket,
            Kernels::MultiRocket { .. } => Kind::MultiRocket,
        }
    }

    /// Returns the kernels.
    pub fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// Returns the number of channels and of steps of the series.
    pub fn shape(&self) -> [usize; 2] {
        [self.channels, self.length]
    }

    /// Returns the number of features of each sample.
    pub fn columns(&self) -> usize {
        match &self.kernels {
            Kernels::Rocket(kernels) => 2 * kernels.len(),
            Kernels::MiniRocket(convolutions) => convolutions.biases().len(),
            Kernels::MultiRocket { series, differences } => {
                POOLS * (series.biases().len() + differences.biases().len())
            }
        }
    }

    /// Returns the features of series, which take `4 · samples · columns` bytes. The threads of the current `rayon` pool
    /// share the samples; their number does not change the result.
    ///
    /// The order of the columns is: for ROCKET the proportion of positive values and the maximum of each kernel in turn;
    /// for MiniRocket the proportions in the order of the biases; for MultiRocket the proportions, longest stretches,
    /// means and mean indices of positive values, each for all biases, first of the series and then of the differences.
    ///
    /// # Errors
    ///
    /// The series have another number of channels or steps than the transform.
    pub fn transform(&self, series: Series<'_>) -> Result<Features, Error> {
        let (channels, length) = (series.channels(), series.length());
        if [channels, length] != self.shape() {
            return Err(Error::OtherSeries {
                channels,
                length,
                fitted_channels: self.channels,
                fitted_length: self.length,
            });
        }
        let columns = self.columns();
        let mut values = vec![0.0; series.samples() * columns];
        let batches = values.par_chunks_mut(LANES * columns).enumerate();
        let batches = batches.map(|(batch, values)| {
            let samples = (batch * LANES..series.samples()).take(LANES).map(move |sample| series.sample(sample));
            (samples, Rows { values, columns })
        });
        match &self.kernels {
            Kernels::Rocket(kernels) => batches.for_each_init(
                || (Vectors::detect(), Batch::new(channels, length)),
                |(vectors, batch), (samples, mut rows)| {
                    let samples: Vec<_> = samples.map(|sample| normalized(sample, length)).collect();
                    batch.load(samples.iter().map(Vec::as_slice));
                    for (place, kernel) in kernels.iter().enumerate() {
                        let [proportion, maximum] = kernel.pool(*vectors, batch, length);
                        rows.set(2 * place, proportion);
                        rows.set(2 * place + 1, maximum);
                    }
                },
            ),
            Kernels::MiniRocket(convolutions) => batches.for_each_init(
                || Scratch::new(channels, length),
                |scratch, (samples, mut rows)| {
                    scratch.load(samples);
                    convolutions.pool(scratch, |vectors, steps, place, bias| {
                        rows.set(place, proportion(vectors, steps, bias));
                    });
                },
            ),
            Kernels::MultiRocket { series: plain, differences: second } => batches.for_each_init(
                || (Scratch::new(channels, length), Scratch::new(channels, length - 1)),
                |(scratch, scratch_of_differences), (samples, mut rows)| {
                    scratch.load(samples.clone());
                    pool_four(plain, scratch, 0, &mut rows);
                    let samples: Vec<_> = samples.map(|sample| differences(sample, length)).collect();
                    scratch_of_differences.load(samples.iter().map(Vec::as_slice));
                    pool_four(second, scratch_of_differences, POOLS * plain.biases().len(), &mut rows);
                },
            ),
        }
        Features::new(values, [series.samples(), columns])
    }
}

/// Sets the four features of MultiRocket for all biases, from a column on.
fn pool_four(convolutions: &Convolutions, scratch: &mut Scratch, first: usize, rows: &mut Rows<'_>) {
    let biases = convolutions.biases().len();
    convolutions.pool(scratch, |vectors, steps, place, bias| {
        for (at, lanes) in pool(vectors, steps, bias).into_iter().enumerate() {
            rows.set(first + at * biases + place, lanes);
        }
    });
}
