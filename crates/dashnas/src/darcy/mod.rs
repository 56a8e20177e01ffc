//! The Darcy flow data set of the paper (appendix A.4; Li et al., "Fourier Neural Operator"),
//! computed here.
//!
//! The task is to predict the solution `u` of `−∇·(a∇u) = 1` on the unit square, `u = 0` on its
//! boundary, from the coefficient `a`: 12 where a Gaussian random field with covariance
//! `(−Δ + 9)^(−2)` and zero normal derivative is at least 0, and 3 elsewhere. Each sample is solved
//! on a fine grid and kept at every `stride`-th node.
//!
//! Sample `i` of a split depends on the seed and `i` alone: neither the number of threads nor the
//! sizes of the splits change it.

mod cache;
mod grf;
mod grid;
mod solve;

pub use grf::{Grf, coefficient_std};
pub use solve::{Solution, Solver};

use crate::data::{Array, DataError, Dataset, Normalization, Scheme, Split, Targets};
use crate::task::TaskKind;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use thiserror::Error;

/// `a` where the random field is at least 0.
pub const A_HIGH: f64 = 12.0;
/// `a` where the random field is negative.
pub const A_LOW: f64 = 3.0;

/// Relative residual to which each sample is solved, far below what `f32` can hold.
const TOLERANCE: f64 = 1e-8;
/// About eight times what the solver takes.
const MAX_ITERATIONS: usize = 100;

/// Which Darcy flow data to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DarcyConfig {
    /// Nodes a side of the grid that is solved on, boundary included.
    pub resolution: usize,
    /// Every how many nodes are kept; divides `resolution − 1`.
    pub stride: usize,
    /// Training samples.
    pub train: usize,
    /// Test samples.
    pub test: usize,
    /// Decides every sample.
    pub seed: u64,
}

/// Why Darcy data could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DarcyError {
    /// The configuration makes no sense.
    #[error("Darcy flow with {key} = {value}: {reason}")]
    Config {
        /// The field of [`DarcyConfig`].
        key: &'static str,
        /// Its value.
        value: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Values that do not fit the grid.
    #[error("{values} values for a grid of {nodes}×{nodes} nodes (at least 3×3)")]
    Grid {
        /// Nodes a side.
        nodes: usize,
        /// Values given.
        values: usize,
    },
    /// A coefficient that is not positive and finite.
    #[error("the coefficient at node ({row}, {column}) is {value}; it must be positive and finite")]
    Coefficient {
        /// Row of the node.
        row: usize,
        /// Column of the node.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The solver ran out of iterations.
    #[error("no solution after {iterations} iterations (relative residual {residual:.1e})")]
    NotConverged {
        /// Iterations done.
        iterations: usize,
        /// Residual reached.
        residual: f64,
    },
    /// The cache could not be written or made.
    #[error("{}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data made do not form a data set.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// How far the making of a data set has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Samples solved so far.
    pub done: usize,
    /// Samples to solve.
    pub total: usize,
}

impl Default for DarcyConfig {
    fn default() -> Self {
        Self::paper()
    }
}

impl DarcyConfig {
    /// The paper's: solved on 421×421, kept on 85×85, 1000 training and 100 test samples.
    pub fn paper() -> Self {
        Self { resolution: 421, stride: 5, train: 1000, test: 100, seed: 0 }
    }

    /// One that is made and learnt in minutes: solved on 57×57, kept on 29×29, 200 and 50 samples.
    pub fn quick() -> Self {
        Self { resolution: 57, stride: 2, train: 200, test: 50, seed: 0 }
    }

    /// Nodes a side that are kept.
    pub fn nodes(&self) -> usize {
        self.resolution.saturating_sub(1) / self.stride.max(1) + 1
    }

    fn check(&self) -> Result<(), DarcyError> {
        let wrong = |key, value, reason: &str| Err(DarcyError::Config { key, value, reason: reason.into() });
        if !(3..=8193).contains(&self.resolution) {
            return wrong("resolution", self.resolution, "must be from 3 to 8193");
        }
        if self.stride == 0 || !(self.resolution - 1).is_multiple_of(self.stride) {
            let reason = format!("must divide resolution − 1 = {}", self.resolution - 1);
            return Err(DarcyError::Config { key: "stride", value: self.stride, reason });
        }
        for (key, value) in [("train", self.train), ("test", self.test)] {
            if value == 0 {
                return wrong(key, value, "there must be at least one sample");
            }
            if value > 1 << 24 {
                return wrong(key, value, "at most 2^24 samples");
            }
        }
        Ok(())
    }

    /// The data set, taken from the folder `cache` if it is there, made (and put there) if not.
    ///
    /// Inputs are `[N, 3, n, n]`: `a`, then the coordinate along the rows and the one along the
    /// columns, each from 0 to 1. Targets are `u`, `[N, 1, n, n]`. By default `a` and `u` are
    /// normalised pointwise and the coordinates are left alone, as in the Fourier Neural Operator.
    /// `progress` is called from any thread, once for each sample solved.
    ///
    /// # Errors
    /// [`DarcyError::Config`] for a configuration that makes no sense. A cache file that is damaged or
    /// of another configuration is replaced; a folder that cannot be used is warned of and done without.
    pub fn dataset(
        &self,
        cache: Option<&Path>,
        progress: Option<&(dyn Fn(Progress) + Sync)>,
    ) -> Result<Dataset, DarcyError> {
        self.check()?;
        let Some(folder) = cache.filter(|folder| usable(folder)) else {
            let [train, test] = self.make(progress)?;
            return self.assemble(train, test);
        };
        let path = folder.join(self.file_name());
        match cache::read(&path, self) {
            Ok(Some([train, test])) => return self.assemble(train, test),
            Ok(None) => {}
            Err(reason) => tracing::warn!("{}: {reason}; making the data again", path.display()),
        }
        let fields = self.make(progress)?;
        if let Err(error) = cache::write(&path, self, &fields) {
            tracing::warn!("{error}; the data will have to be made again the next time");
        }
        let [train, test] = fields;
        self.assemble(train, test)
    }

    /// Name of the cache file.
    fn file_name(&self) -> String {
        let Self { resolution, stride, train, test, seed } = self;
        format!("darcy-{resolution}-{stride}-{train}-{test}-{seed}.npz")
    }

    /// Sample `index` of the training (`part` 0) or test (`part` 1) split: `a` and `u` at the kept
    /// nodes.
    fn sample(&self, part: u64, index: usize, grf: &Grf) -> Result<(Vec<f32>, Vec<f32>), DarcyError> {
        let n = self.resolution;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(part << 32 | index as u64);
        let mut a = grf.sample(&mut rng);
        a.iter_mut().for_each(|v| *v = if *v >= 0.0 { A_HIGH } else { A_LOW });
        let u = Solver::new(&a, n)?.solve(&vec![1.0; n * n], TOLERANCE, MAX_ITERATIONS)?.u;
        let keep = |field: &[f64]| {
            let rows = (0..n).step_by(self.stride);
            rows.flat_map(|r| (0..n).step_by(self.stride).map(move |c| field[r * n + c] as f32)).collect()
        };
        Ok((keep(&a), keep(&u)))
    }

    /// Coefficients and solutions of the training and the test split.
    fn make(&self, progress: Option<&(dyn Fn(Progress) + Sync)>) -> Result<[Fields; 2], DarcyError> {
        let grf = Grf::new(self.resolution);
        let (done, total) = (AtomicUsize::new(0), self.train + self.test);
        let split = |part: u64, count: usize| -> Result<Fields, DarcyError> {
            let solve = |index| {
                let pair = self.sample(part, index, &grf)?;
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(report) = progress {
                    report(Progress { done, total });
                }
                Ok(pair)
            };
            let pairs: Vec<_> = (0..count).into_par_iter().map(solve).collect::<Result<_, DarcyError>>()?;
            let shape = vec![count, 1, self.nodes(), self.nodes()];
            let (mut a, mut u) = (Vec::new(), Vec::new());
            for (one, other) in pairs {
                a.extend(one);
                u.extend(other);
            }
            Ok(Fields { a: Array::new(shape.clone(), a), u: Array::new(shape, u) })
        };
        Ok([split(0, self.train)?, split(1, self.test)?])
    }

    fn assemble(&self, train: Fields, test: Fields) -> Result<Dataset, DarcyError> {
        Ok(together(format!("darcy-{}", self.nodes()), train, test)?)
    }
}

/// Whether a cache folder is there or could be made. Said before the work rather than after it.
fn usable(folder: &Path) -> bool {
    let made = std::fs::create_dir_all(folder);
    if let Err(error) = &made {
        let folder = folder.display();
        tracing::warn!("cannot use the cache folder {folder} ({error}); DASHNAS_CACHE names another");
    }
    made.is_ok()
}

/// The data set of a training and a test split, on at least 2×2 points.
pub(crate) fn together(name: String, train: Fields, test: Fields) -> Result<Dataset, DataError> {
    let task = TaskKind::DenseRegression { channels: 1 };
    let mut set = Dataset::new(name, task, train.with_coordinates(), None, test.with_coordinates())?;
    set.normalization =
        Normalization { input: vec![Scheme::Pointwise, Scheme::Identity, Scheme::Identity], target: Scheme::Pointwise };
    Ok(set)
}

/// Coefficients and solutions, each `[N, 1, n, n]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields {
    pub a: Array,
    pub u: Array,
}

impl Fields {
    fn with_coordinates(self) -> Split {
        let (count, n) = (self.a.rows(), self.a.shape[2]);
        let at = |k: usize| k as f32 / (n - 1) as f32;
        let rows: Vec<f32> = (0..n * n).map(|p| at(p / n)).collect();
        let columns: Vec<f32> = (0..n * n).map(|p| at(p % n)).collect();
        let mut x = Vec::with_capacity(3 * self.a.data.len());
        for i in 0..count {
            x.extend_from_slice(self.a.row(i));
            x.extend_from_slice(&rows);
            x.extend_from_slice(&columns);
        }
        Split { x: Array::new(vec![count, 3, n, n], x), y: Targets::Values(self.u) }
    }
}

#[cfg(test)]
mod tests;
