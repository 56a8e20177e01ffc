//! Generating the data set, on all threads of the current pool.

use crate::darcy::cache;
use crate::darcy::config::DarcyConfig;
use crate::darcy::error::DarcyError;
use crate::darcy::fields::{self, Fields};
use crate::darcy::grf::Grf;
use crate::darcy::solve::Solver;
use dashnas_data::dataset::Dataset;
use dashnas_formats::array::Array;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The coefficient `a` where the random field is at least 0.
pub(super) const A_HIGH: f64 = 12.0;
/// The coefficient `a` where the random field is negative.
pub(super) const A_LOW: f64 = 3.0;

/// The relative residual to which each sample is solved, far below the precision of `f32`.
const TOLERANCE: f64 = 1e-8;
/// About eight times the number of iterations that the solver needs.
const MAX_ITERATIONS: usize = 100;

/// The progress of generating a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolveProgress {
    /// Number of samples that are solved.
    pub done: usize,
    /// Number of all samples.
    pub total: usize,
}

impl DarcyConfig {
    /// The data set: read from the folder `cache` if it is there, generated (and written there) if not.
    ///
    /// Inputs are `[N, 3, n, n]`: `a`, and the coordinates along the rows and along the columns, each in `[0, 1]`.
    /// Targets are `u`, `[N, 1, n, n]`. By default `a` and `u` are normalized pointwise and the coordinates are left
    /// alone, as in the Fourier Neural Operator. `progress` is called from any thread, once for each solved sample.
    ///
    /// # Errors
    /// [`DarcyError::Config`] for a value that is out of its range. A cache file that is damaged or of another
    /// configuration is replaced, and a folder that cannot be used is warned about and ignored.
    pub fn dataset(
        &self,
        seed: u64,
        cache: Option<&Path>,
        progress: Option<&(dyn Fn(SolveProgress) + Sync)>,
    ) -> Result<Dataset, DarcyError> {
        self.check()?;
        let Some(folder) = cache.filter(|folder| usable(folder)) else {
            let [train, test] = self.generate(seed, progress)?;
            return self.assemble(train, test);
        };
        let path = folder.join(self.file_name(seed));
        match cache::read(&path, self, seed) {
            Ok(Some([train, test])) => return self.assemble(train, test),
            Ok(None) => {}
            Err(reason) => tracing::warn!("cannot use {}: {reason}; generating the data again", path.display()),
        }
        let fields = self.generate(seed, progress)?;
        if let Err(error) = cache::write(&path, self, seed, &fields) {
            tracing::warn!("{error}; the data will be generated again the next time");
        }
        let [train, test] = fields;
        self.assemble(train, test)
    }

    /// The name of the cache file.
    pub(crate) fn file_name(&self, seed: u64) -> String {
        let Self { resolution, stride, train, test } = self;
        format!("darcy-{resolution}-{stride}-{train}-{test}-{seed}.npz")
    }

    /// Sample `index` of the training (`part` 0) or test (`part` 1) split: `a` and `u` at the kept nodes.
    fn sample(&self, seed: u64, part: u64, index: usize, grf: &Grf) -> Result<(Vec<f32>, Vec<f32>), DarcyError> {
        let n = self.resolution;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
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
    fn generate(
        &self,
        seed: u64,
        progress: Option<&(dyn Fn(SolveProgress) + Sync)>,
    ) -> Result<[Fields; 2], DarcyError> {
        let grf = Grf::new(self.resolution);
        let (done, total) = (AtomicUsize::new(0), self.train + self.test);
        let split = |part: u64, count: usize| -> Result<Fields, DarcyError> {
            let solve = |index| {
                let pair = self.sample(seed, part, index, &grf)?;
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(report) = progress {
                    report(SolveProgress { done, total });
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
        Ok(fields::dataset(format!("darcy-{}", self.nodes()), train, test)?)
    }
}

/// Creates a cache folder if necessary. Tells whether that succeeded, before the work and not after it.
fn usable(folder: &Path) -> bool {
    let created = std::fs::create_dir_all(folder);
    if let Err(error) = &created {
        let folder = folder.display();
        tracing::warn!("cannot use the cache folder {folder} ({error}); DASHNAS_CACHE names another");
    }
    created.is_ok()
}
