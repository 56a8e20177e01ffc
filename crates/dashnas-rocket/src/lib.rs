//! ROCKET, MiniRocket and MultiRocket: the experts for series to compare a searched network with.
//!
//! All three convolve a series with some ten thousand kernels that are not trained, summarize each result by one to four
//! numbers, and fit a linear model to these features. Where there are few training series, they are hard to beat, and they
//! take seconds.
//!
//! | transform | kernels | features |
//! |---|---|---|
//! | [ROCKET](https://arxiv.org/abs/1910.13051) | random weights, lengths (7, 9, 11), biases, dilations and padding | proportion of positive values, maximum |
//! | [MiniRocket](https://arxiv.org/abs/2012.08791) | the 84 kernels of length 9 with the weight 2 at three taps and −1 at six, at up to 32 dilations; the biases are quantiles of the convolutions of training series | proportion of positive values |
//! | [MultiRocket](https://arxiv.org/abs/2102.00457) | those of MiniRocket, for the series and for its first differences | proportion, longest stretch, mean, and mean index of positive values |
//!
//! ```
//! use dashnas_core::Seed;
//! use dashnas_rocket::{Kind, Model, Series};
//!
//! // 40 series of one channel and 30 steps: sine waves of two frequencies, at different phases.
//! let labels: Vec<usize> = (0..40).map(|sample| sample % 2).collect();
//! let wave = |sample: usize, step: usize| (step as f32 * (0.3 + 0.2 * (sample % 2) as f32) + sample as f32).sin();
//! let values: Vec<f32> = (0..40).flat_map(|sample| (0..30).map(move |step| wave(sample, step))).collect();
//! let series = Series::new(&values, [40, 1, 30])?;
//!
//! let model = Model::fit_classes(Kind::MiniRocket, 1000, series.range(0..20), &labels[..20], 2, Seed(0))?;
//! assert_eq!(model.predict_classes(series.range(20..40))?, labels[20..]);
//! # Ok::<(), dashnas_rocket::Error>(())
//! ```
//!
//! # Series
//!
//! [`Series`] are finite `f32` values in the order samples, channels, steps. A model is for one number of channels and
//! steps. With several channels, each kernel adds up a random choice of them: at most 9 for MiniRocket and MultiRocket, at
//! most as many as the kernel has taps for ROCKET. ROCKET normalizes each channel of each series to the mean 0 and the
//! standard deviation 1. The other two take the series as they are.
//!
//! # The regression
//!
//! [`Ridge`] divides each feature by its standard deviation and chooses the strength of the penalty by leave-one-out
//! errors, as `RidgeCV` and `RidgeClassifierCV` of scikit-learn do after `StandardScaler`. Classes become targets of 1 and
//! −1, and the largest output wins. All of it is computed in 64 bits, with the smaller one of the products of the samples
//! and of the features.
//!
//! Of linear algebra, the products of matrices are those of `ndarray`. What is built on them is a reduction to a block
//! tridiagonal matrix, which gives the errors for all strengths at once. `faer` would solve the same problem by an
//! eigendecomposition, but it takes twice as long to compile as this crate with everything that it and its tests use
//! (127 s instead of 65 s of processor time).
//!
//! # Determinism
//!
//! The seed, the series and the targets decide a model, whatever the number of threads is. Features do not depend on the
//! instruction set either; the regression does in its last digits. A model that is saved predicts the same, to the last
//! digit if the format keeps all digits of 64-bit numbers; `serde_json` does so with its feature `float_roundtrip`.
//!
//! # Differences from aeon
//!
//! The library aeon differs from the paper on MultiRocket in three places, where this crate follows the paper: it shifts the
//! first four taps of a kernel by one step for the differences; it adds the bias to positive values before averaging, instead
//! of subtracting it; and it takes the distance between the values that are not positive for the length of a stretch. For some
//! lengths of series, `log2` and a power of two round the largest dilation down to the next smaller one there; here it is the
//! largest with which a kernel fits into the series.

mod error;
mod kind;
mod lanes;
mod minirocket;
mod model;
mod multirocket;
mod ridge;
mod rocket;
mod series;
mod transform;

pub use crate::error::Error;
pub use crate::kind::Kind;
pub use crate::minirocket::Convolutions;
pub use crate::model::Model;
pub use crate::ridge::Ridge;
pub use crate::rocket::RandomKernel;
pub use crate::series::{Features, Series};
pub use crate::transform::{Kernels, Transform};
