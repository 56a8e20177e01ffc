//! Ridge regression whose strength is chosen by leave-one-out errors.

mod reduction;
mod shifted;
mod standard;
mod symmetric;

use crate::error::Error;
use crate::series::Features;
use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;
use reduction::Reduction;
use serde::{Deserialize, Serialize};
use shifted::{Shifted, squared_errors};
use standard::Standard;
use symmetric::{multiply, multiply_into, products};

/// The number of strengths that are compared: `10^(−3)` to `10^3` in equal steps of the exponent.
const STRENGTHS: usize = 10;

/// The number of samples or features that are converted to 64 bits at a time.
const BLOCK: usize = 512;

/// A linear model of standardized features, with the penalty `α·Σw²` and an intercept without a penalty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Ridge {
    standard: Standard,
    outputs: usize,
    /// Features × outputs.
    coefficients: Vec<f64>,
    /// The means of the targets, which are the outputs at the means of the features.
    means: Vec<f64>,
    alpha: f64,
    error: f64,
}

/// A regression as it is in a file.
#[derive(Deserialize)]
struct Unchecked {
    standard: Standard,
    outputs: usize,
    coefficients: Vec<f64>,
    means: Vec<f64>,
    alpha: f64,
    error: f64,
}

impl TryFrom<Unchecked> for Ridge {
    type Error = Error;

    fn try_from(raw: Unchecked) -> Result<Self, Error> {
        let Unchecked { standard, outputs, coefficients, means, alpha, error } = raw;
        let fits = outputs > 0
            && standard.columns() > 0
            && standard.columns().checked_mul(outputs) == Some(coefficients.len())
            && means.len() == outputs;
        if !fits {
            return Err(Error::Damaged { reason: "the number of coefficients is not that of the features".to_owned() });
        }
        if !standard.is_finite() || coefficients.iter().chain(&means).any(|value| !value.is_finite()) {
            return Err(Error::Damaged { reason: "a coefficient is not finite".to_owned() });
        }
        Ok(Self { standard, outputs, coefficients, means, alpha, error })
    }
}

/// The symmetric matrix of a regression in a basis in which it is block tridiagonal, and what is solved with it.
struct Problem<'a> {
    features: &'a Features,
    standard: &'a Standard,
    /// The targets minus their means: samples × outputs.
    targets: Array2<f64>,
    reduction: Reduction,
    /// The right-hand sides in the basis of the reduction.
    right: Array2<f64>,
    /// With as many samples as features or fewer, the eigenvalue that was given to the direction of equal values for all
    /// samples.
    lift: Option<f64>,
}

impl Ridge {
    /// Fits a regression to features and targets (samples × `outputs`). The α of 10 that are evenly spaced between
    /// `10^−3` and `10^3` on a logarithmic scale is chosen whose squared leave-one-out errors, added up over all outputs,
    /// are smallest.
    ///
    /// The features are divided by their standard deviations. Constant features have no effect.
    ///
    /// With `m` the smaller one of the numbers of samples and features, this takes about `2·8·m²` bytes and
    /// `samples·features·m + 8/3·m³` multiplications and additions.
    ///
    /// # Errors
    ///
    /// There are fewer than two samples, the targets do not fit or are not finite, all features are constant, or the errors
    /// of every α overflow.
    pub fn fit(features: &Features, targets: &[f64], outputs: usize) -> Result<Self, Error> {
        let samples = features.rows();
        if samples < 2 {
            return Err(Error::TooFewSamples { samples });
        }
        if outputs == 0 || samples.checked_mul(outputs) != Some(targets.len()) {
            return Err(Error::Targets { targets: targets.len() / outputs.max(1), samples });
        }
        if let Some(at) = targets.iter().position(|target| !target.is_finite()) {
            return Err(Error::TargetNotFinite { sample: at / outputs, output: at % outputs });
        }
        let standard = Standard::fit(features);
        if standard.is_constant() {
            return Err(Error::Constant { samples });
        }
        let mut centered = Array2::from_shape_vec((samples, outputs), targets.to_vec())
            .map_err(|_| Error::Targets { targets: targets.len() / outputs, samples })?;
        let means: Vec<f64> = centered.columns().into_iter().map(|column| column.sum() / samples as f64).collect();
        for mut row in centered.rows_mut() {
            row.iter_mut().zip(&means).for_each(|(target, mean)| *target -= mean);
        }
        let problem = if samples <= features.columns() {
            Problem::of_samples(features, &standard, centered)
        } else {
            Problem::of_features(features, &standard, centered)
        };
        let (alpha, error, coefficients) = problem.solve()?;
        let coefficients: Vec<f64> = coefficients.iter().copied().collect();
        if coefficients.iter().any(|value| !value.is_finite()) {
            return Err(Error::Unsolvable);
        }
        Ok(Self { standard, outputs, coefficients, means, alpha, error })
    }

    /// Returns the number of features.
    pub fn columns(&self) -> usize {
        self.standard.columns()
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Returns the chosen strength α.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Returns the mean squared leave-one-out error with the chosen α.
    pub fn leave_one_out_error(&self) -> f64 {
        self.error
    }

    /// Returns the coefficients of the features after their division by the standard deviations: features × outputs.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// Returns the outputs for features that are zero.
    pub fn intercepts(&self) -> Vec<f64> {
        let mut intercepts = self.means.clone();
        for (row, mean) in self.coefficients.chunks_exact(self.outputs).zip(self.standard.scaled_means()) {
            intercepts.iter_mut().zip(row).for_each(|(intercept, coefficient)| *intercept -= coefficient * mean);
        }
        intercepts
    }

    /// Returns the predictions: samples × outputs.
    ///
    /// # Errors
    ///
    /// The number of features is not that of the training.
    pub fn predict(&self, features: &Features) -> Result<Vec<f64>, Error> {
        let (rows, columns) = (features.rows(), self.columns());
        if features.columns() != columns {
            return Err(Error::OtherFeatures { columns: features.columns(), fitted: columns });
        }
        let coefficients = ArrayView2::from_shape((columns, self.outputs), &self.coefficients)
            .expect("the number of coefficients is checked where a regression is made");
        let mut outputs = vec![0.0; rows * self.outputs];
        outputs.par_chunks_mut(LEAVES * self.outputs).enumerate().for_each(|(chunk, outputs)| {
            let first = chunk * LEAVES;
            let samples = first..(first + LEAVES).min(rows);
            let mut sum = Array2::from_shape_fn((samples.len(), self.outputs), |(_, output)| self.means[output]);
            for start in (0..columns).step_by(BLOCK) {
                let block = start..(start + BLOCK).min(columns);
                let values = self.standard.block(features, samples.clone(), block.clone());
                multiply_into(1.0, values.view(), coefficients.slice(s![block, ..]), 1.0, sum.view_mut());
            }
            outputs.iter_mut().zip(sum.iter()).for_each(|(to, from)| *to = *from);
        });
        Ok(outputs)
    }
}

/// The number of samples whose leave-one-out errors or predictions are computed at a time.
const LEAVES: usize = 128;

impl<'a> Problem<'a> {
    /// The dual problem: `(XXᵀ + αI) c = y` and `w = Xᵀc`.
    fn of_samples(features: &'a Features, standard: &'a Standard, targets: Array2<f64>) -> Self {
        let (samples, columns) = (features.rows(), features.columns());
        let mut gram = products(
            samples,
            (0..columns)
                .step_by(BLOCK)
                .map(|start| standard.block(features, 0..samples, start..(start + BLOCK).min(columns))),
        );
        // The features and targets have zero means, so equal values c = 1 for all samples are an eigenvector with the
        // eigenvalue 0, which is orthogonal to the targets. Its share 1/(n·α) of the diagonal of the inverse is subtracted
        // later, since the intercept takes it up. For a small α it would swamp the rest, so the eigenvalue is raised to
        // the mean of the others before, which changes nothing else.
        let lift = gram.diag().sum() / samples as f64;
        gram += lift / samples as f64;
        let reduction = Reduction::of(gram);
        let right = multiply(reduction.basis().t(), targets.view());
        Self { features, standard, targets, reduction, right, lift: Some(lift) }
    }

    /// The primal problem: `(XᵀX + αI) w = Xᵀy`.
    fn of_features(features: &'a Features, standard: &'a Standard, targets: Array2<f64>) -> Self {
        let (samples, columns) = (features.rows(), features.columns());
        let blocks = || (0..samples).step_by(BLOCK).map(|start| start..(start + BLOCK).min(samples));
        let transposed = |block| standard.block(features, block, 0..columns).reversed_axes();
        let reduction = Reduction::of(products(columns, blocks().map(transposed)));
        let mut moments = Array2::zeros((columns, targets.ncols()));
        for block in blocks() {
            let values = transposed(block.clone());
            multiply_into(1.0, values.view(), targets.slice(s![block, ..]), 1.0, moments.view_mut());
        }
        let right = multiply(reduction.basis().t(), moments.view());
        Self { features, standard, targets, reduction, right, lift: None }
    }

    /// Returns the best α, its mean squared error and the coefficients (features × outputs).
    fn solve(&self) -> Result<(f64, f64, Array2<f64>), Error> {
        let alphas: Vec<f64> =
            (0..STRENGTHS).map(|i| 10f64.powf(-3.0 + 6.0 * i as f64 / (STRENGTHS - 1) as f64)).collect();
        let shifted: Vec<Option<Shifted>> =
            alphas.iter().map(|&alpha| Shifted::of(&self.reduction, alpha, &self.right)).collect();
        let errors = self.errors(&alphas, &shifted);
        let mut best: Option<(usize, f64)> = None;
        for (place, error) in errors.into_iter().enumerate() {
            if error.is_finite() && best.is_none_or(|(_, smallest)| error < smallest) {
                best = Some((place, error));
            }
        }
        let (place, error) = best.ok_or(Error::Unsolvable)?;
        let solution = shifted[place].as_ref().ok_or(Error::Unsolvable)?.solution();
        let solution = multiply(self.reduction.basis(), solution.view());
        let coefficients = if self.lift.is_some() { self.moments(&solution) } else { solution };
        Ok((alphas[place], error, coefficients))
    }

    /// Returns `Xᵀc`.
    fn moments(&self, dual: &Array2<f64>) -> Array2<f64> {
        let (samples, columns) = (self.features.rows(), self.features.columns());
        let mut coefficients = vec![0.0; columns * dual.ncols()];
        coefficients.par_chunks_mut(BLOCK * dual.ncols()).enumerate().for_each(|(chunk, out)| {
            let first = chunk * BLOCK;
            let block = self.standard.block(self.features, 0..samples, first..(first + BLOCK).min(columns));
            let product = block.t().dot(dual);
            out.iter_mut().zip(product.iter()).for_each(|(to, from)| *to = *from);
        });
        Array2::from_shape_vec((columns, dual.ncols()), coefficients).expect("a column for each feature")
    }

    /// Returns the mean squared leave-one-out error of each α, which is not finite if the matrix is not positive definite.
    fn errors(&self, alphas: &[f64], shifted: &[Option<Shifted>]) -> Vec<f64> {
        let samples = self.targets.nrows();
        let chunks: Vec<usize> = (0..samples).step_by(LEAVES).collect();
        let sums: Vec<Vec<f64>> = chunks
            .par_iter()
            .map(|&first| {
                let chunk = first..(first + LEAVES).min(samples);
                let rows = self.rows(chunk.clone());
                let targets = self.targets.slice(s![chunk, ..]);
                let one = |(alpha, shifted): (&f64, &Option<Shifted>)| {
                    let Some(shifted) = shifted else { return f64::INFINITY };
                    let (norms, fitted) = shifted.leverages(rows.view());
                    match self.lift {
                        // e = c / d with c = G⁻¹y and d = diag(G⁻¹), without the share of the intercept.
                        Some(lift) => {
                            let share = 1.0 / (samples as f64 * (lift + alpha));
                            squared_errors(&fitted, |at| norms[at] - share)
                        }
                        // e = (y − ŷ) / (1 − h) with the leverage h, which includes that of the intercept.
                        None => {
                            let share = 1.0 / samples as f64;
                            squared_errors(&(&targets - &fitted), |at| 1.0 - norms[at] - share)
                        }
                    }
                };
                alphas.iter().zip(shifted).map(one).collect()
            })
            .collect();
        let count = self.targets.len() as f64;
        (0..alphas.len()).map(|place| sums.iter().map(|sums| sums[place]).sum::<f64>() / count).collect()
    }

    /// Returns, for some samples, the rows of which the leave-one-out errors are computed, in the basis of the reduction:
    /// unit vectors in the dual problem, features in the primal one.
    fn rows(&self, samples: std::ops::Range<usize>) -> Array2<f64> {
        let basis = self.reduction.basis();
        if self.lift.is_some() {
            return basis.slice(s![samples, ..]).to_owned();
        }
        let columns = self.features.columns();
        let mut rows = Array2::zeros((samples.len(), columns));
        for start in (0..columns).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(columns);
            let values = self.standard.block(self.features, samples.clone(), block.clone());
            multiply_into(1.0, values.view(), basis.slice(s![block, ..]), 1.0, rows.view_mut());
        }
        rows
    }
}
