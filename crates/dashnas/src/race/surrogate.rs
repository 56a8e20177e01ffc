//! A model of how good architectures are: Bayesian linear regression on their features.
//!
//! The quality of an architecture is q = m + φ·w + δ: m is what other data sets tell of it, φ are its features, w is
//! normal with mean 0, and δ is what the features do not explain. The unit is the spread of random architectures of the
//! same space, whose mean is 0; lower is better. A trial observes q + c + ε: c is the level of its round, which is
//! unknown, and ε is the noise between seeds and samples, and between a short training and a long one.

use crate::race::features::FEATURES;
use crate::race::linear::{Cholesky, dot};
use crate::record::race::Belief;
use dashnas_core::rng::Stream;
use rand::RngExt;
use serde::Deserialize;

/// How much qualities vary.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Spread {
    /// The standard deviation of each weight in w.
    pub deviation: f64,
    /// The standard deviation of δ.
    pub residual: f64,
}

/// A network whose quality is of interest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    /// Its features φ.
    pub features: [f64; FEATURES],
    /// Its expected quality m before any trial.
    pub expected: f64,
}

/// One trial of an architecture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observation {
    /// The number of the architecture.
    pub network: usize,
    /// The number of the round. The trials of a round have the same data, seed and steps.
    pub round: usize,
    /// The standardized loss.
    pub value: f64,
    /// The variance of ε.
    pub variance: f64,
}

/// The variance of the level of a round: large, since nothing is known of it.
const LEVEL: f64 = 100.0;

/// The beliefs after some trials.
#[derive(Debug)]
pub(crate) struct Posterior<'a> {
    spread: Spread,
    subjects: &'a [Subject],
    observations: &'a [Observation],
    factor: Cholesky,
    /// K⁻¹·(values − expected values).
    weights: Vec<f64>,
}

impl<'a> Posterior<'a> {
    /// Conditions what is believed of the subjects on observations of them.
    pub fn new(spread: Spread, subjects: &'a [Subject], observations: &'a [Observation]) -> Self {
        let weight = spread.deviation.powi(2);
        let covariance = |a: &Observation, b: &Observation| {
            let mut sum = weight * dot(&subjects[a.network].features, &subjects[b.network].features);
            if a.network == b.network {
                sum += spread.residual.powi(2);
            }
            if a.round == b.round {
                sum += LEVEL;
            }
            sum
        };
        let matrix: Vec<Vec<f64>> = observations
            .iter()
            .enumerate()
            .map(|(i, a)| {
                let noise = |j| if i == j { a.variance } else { 0.0 };
                observations.iter().enumerate().map(|(j, b)| covariance(a, b) + noise(j)).collect()
            })
            .collect();
        let factor = Cholesky::new(&matrix);
        let surprise: Vec<f64> = observations.iter().map(|o| o.value - subjects[o.network].expected).collect();
        let weights = factor.solve(&surprise);
        Self { spread, subjects, observations, factor, weights }
    }

    /// Returns what is believed of a subject.
    pub fn belief(&self, network: usize) -> Belief {
        let Subject { features, expected } = &self.subjects[network];
        let before = self.spread.deviation.powi(2) * dot(features, features) + self.spread.residual.powi(2);
        self.believed(*expected, before, &self.covariances(network))
    }

    /// Returns what is believed of the difference of the qualities of two subjects, the first minus the second.
    pub fn difference(&self, one: usize, other: usize) -> Belief {
        let [a, b] = [&self.subjects[one], &self.subjects[other]];
        let features: Vec<f64> = a.features.iter().zip(&b.features).map(|(x, y)| x - y).collect();
        let own = if one == other { 0.0 } else { 2.0 * self.spread.residual.powi(2) };
        let before = self.spread.deviation.powi(2) * dot(&features, &features) + own;
        let with = self.covariances(one).into_iter().zip(self.covariances(other)).map(|(x, y)| x - y);
        self.believed(a.expected - b.expected, before, &with.collect::<Vec<f64>>())
    }

    /// Returns the covariances of the quality of a subject with the observations.
    fn covariances(&self, network: usize) -> Vec<f64> {
        let weight = self.spread.deviation.powi(2);
        let own = self.spread.residual.powi(2);
        let features = &self.subjects[network].features;
        let covariance = |o: &Observation| {
            weight * dot(features, &self.subjects[o.network].features) + if o.network == network { own } else { 0.0 }
        };
        self.observations.iter().map(covariance).collect()
    }

    /// Returns what is believed of a quantity by its mean and its variance before the trials, and its covariances with
    /// the observations.
    fn believed(&self, expected: f64, before: f64, covariances: &[f64]) -> Belief {
        let known: f64 = self.factor.forward(covariances).iter().map(|v| v * v).sum();
        Belief { mean: expected + dot(covariances, &self.weights), deviation: (before - known).max(0.0).sqrt() }
    }

    /// Draws the weights w from their distribution after the trials.
    pub fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        let spread = self.spread.deviation.powi(2);
        // The covariances of each weight with the observations.
        let with: Vec<Vec<f64>> = (0..FEATURES)
            .map(|f| self.observations.iter().map(|o| spread * self.subjects[o.network].features[f]).collect())
            .collect();
        let solved: Vec<Vec<f64>> = with.iter().map(|row| self.factor.forward(row)).collect();
        let covariance: Vec<Vec<f64>> = (0..FEATURES)
            .map(|i| {
                let own = |j| if i == j { spread } else { 0.0 };
                (0..FEATURES).map(|j| own(j) - dot(&solved[i], &solved[j])).collect()
            })
            .collect();
        let normal: Vec<f64> = (0..FEATURES).map(|_| stream.sample(rand_distr::StandardNormal)).collect();
        let deviations = Cholesky::new(&covariance).times(&normal);
        (0..FEATURES).map(|f| dot(&with[f], &self.weights) + deviations[f]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::rng::Seed;

    const SPREAD: Spread = Spread { deviation: 0.5, residual: 0.3 };

    fn subject(feature: usize, value: f64, expected: f64) -> Subject {
        let mut features = [0.0; FEATURES];
        features[feature] = value;
        Subject { features, expected }
    }

    fn trial(network: usize, value: f64) -> Observation {
        Observation { network, round: 0, value, variance: 0.1 }
    }

    #[test]
    fn without_trials_the_beliefs_are_those_of_other_data() {
        let subjects = [subject(2, 2.0, -1.4)];
        let belief = Posterior::new(SPREAD, &subjects, &[]).belief(0);
        assert!((belief.mean + 1.4).abs() < 1e-12);
        assert!((belief.deviation - (0.25f64 * 4.0 + 0.09).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn one_trial_of_each_of_two_networks_by_hand() {
        // Features and residuals of variance 1 in all, noise 0.1. The level of the round takes the mean of both, and
        // the difference shrinks by 2 / (2 + 2 · 0.1).
        let spread = Spread { deviation: 0.0, residual: 1.0 };
        let subjects = [subject(0, 1.0, 0.0), subject(0, -1.0, 0.0)];
        let observations = [trial(0, 7.0), trial(1, 5.0)];
        let posterior = Posterior::new(spread, &subjects, &observations);
        let difference = posterior.belief(0).mean - posterior.belief(1).mean;
        assert!((difference - 2.0 / 1.1).abs() < 1e-9, "{difference}");
        // The variance of the difference of two independent qualities of variance 1, after a trial of it with noise 0.2:
        // 1 / (1/2 + 1/0.2).
        let believed = posterior.difference(0, 1);
        assert!((believed.mean - difference).abs() < 1e-9);
        assert!((believed.deviation.powi(2) - 1.0 / 5.5).abs() < 1e-9, "{believed:?}");
        assert_eq!(posterior.difference(0, 0), Belief { mean: 0.0, deviation: 0.0 });
    }

    #[test]
    fn trials_of_some_networks_say_something_of_others() {
        let subjects = [subject(0, 1.0, 0.0), subject(0, -1.0, 0.0), subject(0, 2.0, 0.0), subject(1, 1.0, 0.0)];
        let observations = [trial(0, 1.0), trial(1, -1.0)];
        let posterior = Posterior::new(SPREAD, &subjects, &observations);
        let means: Vec<f64> = (0..4).map(|i| posterior.belief(i).mean).collect();
        assert!(means[0] > 0.3 && means[1] < -0.3, "{means:?}");
        assert!(means[2] > means[0], "a larger feature is worse still: {means:?}");
        assert!(means[3].abs() < 0.05, "another feature is untouched: {means:?}");
        assert!(posterior.belief(0).deviation < posterior.belief(3).deviation);
        // The level of a round says little.
        let shifted = [trial(0, 41.0), trial(1, 39.0)];
        let other = Posterior::new(SPREAD, &subjects, &shifted);
        let difference = |p: &Posterior<'_>| p.belief(0).mean - p.belief(1).mean;
        assert!((difference(&other) - difference(&posterior)).abs() < 1e-9);
    }

    #[test]
    fn draws_vary_about_the_mean() {
        let subjects = [subject(0, 1.0, 0.0), subject(0, -1.0, 0.0)];
        let precise = |network, value| Observation { variance: 0.01, ..trial(network, value) };
        let observations = [precise(0, 1.0), precise(1, -1.0)];
        let posterior = Posterior::new(SPREAD, &subjects, &observations);
        let mut stream = Seed(1).stream("test", &[]);
        let draws: Vec<Vec<f64>> = (0..400).map(|_| posterior.draw(&mut stream)).collect();
        let mean = |f: usize| draws.iter().map(|d| d[f]).sum::<f64>() / 400.0;
        let deviation = |f: usize| (draws.iter().map(|d| (d[f] - mean(f)).powi(2)).sum::<f64>() / 400.0).sqrt();
        assert!(mean(0) > 0.4 && mean(1).abs() < 0.1);
        assert!(deviation(0) < deviation(1) && (deviation(1) - 0.5).abs() < 0.06);
    }
}
