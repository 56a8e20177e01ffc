//! The ranges from which hyperparameters are sampled.

use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Ranges of the training hyperparameters, `[min, max]`. A range of one value fixes it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SampleSpace {
    /// Learning rates, above 0; uniform in the logarithm.
    pub lr: [f64; 2],
    /// Weight decays, above 0; uniform in the logarithm.
    pub weight_decay: [f64; 2],
    /// Momentums, from 0 and below 1; uniform in the logarithm of 1 − momentum.
    pub momentum: [f64; 2],
    /// Dropout rates, from 0 and below 1; uniform.
    pub dropout: [f64; 2],
}

impl SampleSpace {
    /// The sample with a number from 0. It depends only on the seed and the number. Sample 0 is `first`: the values that
    /// would be used without tuning are tried too.
    pub fn sample(&self, seed: Seed, number: usize, first: Hyperparameters) -> Hyperparameters {
        if number == 0 {
            return first;
        }
        let mut stream = seed.stream("asha/sample", &[number as u64]);
        let mut between = |[low, high]: [f64; 2]| low + (high - low) * stream.random::<f64>();
        let log = |[low, high]: [f64; 2]| [low.ln(), high.ln()];
        let lr = between(log(self.lr)).exp();
        let weight_decay = between(log(self.weight_decay)).exp();
        let momentum = 1.0 - between(log(self.momentum.map(|m| 1.0 - m))).exp();
        let dropout = between(self.dropout);
        Hyperparameters {
            lr: rounded(lr, self.lr),
            weight_decay: rounded(weight_decay, self.weight_decay),
            momentum: rounded(momentum, self.momentum),
            dropout: rounded(dropout, self.dropout),
        }
    }
}

/// Rounds to three significant digits, which is precise enough for all of these numbers, but stays within the range.
fn rounded(value: f64, [low, high]: [f64; 2]) -> f64 {
    let short: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    short.clamp(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: SampleSpace =
        SampleSpace { lr: [1e-4, 1.0], weight_decay: [1e-6, 1e-2], momentum: [0.5, 0.99], dropout: [0.0, 0.2] };
    const FIRST: Hyperparameters = Hyperparameters { lr: 0.1, weight_decay: 5e-4, momentum: 0.9, dropout: 0.0 };

    #[test]
    fn samples_lie_in_their_ranges_and_cover_them() {
        let seed = Seed(5);
        let samples: Vec<_> = (1..2001).map(|i| SPACE.sample(seed, i, FIRST)).collect();
        let inside = |v: f64, [low, high]: [f64; 2]| (low..=high).contains(&v);
        for s in &samples {
            assert!(inside(s.lr, SPACE.lr) && inside(s.weight_decay, SPACE.weight_decay));
            assert!(inside(s.momentum, SPACE.momentum) && inside(s.dropout, SPACE.dropout));
        }
        // Uniform in the logarithm: half lie below the geometric mean. The share of 2000 draws varies by 3.4 %.
        let share = |below: &dyn Fn(&Hyperparameters) -> bool| {
            samples.iter().filter(|s| below(s)).count() as f64 / samples.len() as f64
        };
        assert!((share(&|s| s.lr < 1e-2) - 0.5).abs() < 0.04);
        assert!((share(&|s| s.weight_decay < 1e-4) - 0.5).abs() < 0.04);
        assert!((share(&|s| 1.0 - s.momentum < (0.5f64 * 0.01).sqrt()) - 0.5).abs() < 0.04);
        assert!((share(&|s| s.dropout < 0.1) - 0.5).abs() < 0.04);
    }

    #[test]
    fn a_sample_depends_on_seed_and_number_only() {
        assert_eq!(SPACE.sample(Seed(1), 0, FIRST), FIRST);
        assert_eq!(SPACE.sample(Seed(1), 7, FIRST), SPACE.sample(Seed(1), 7, FIRST));
        assert_ne!(SPACE.sample(Seed(1), 7, FIRST), SPACE.sample(Seed(1), 8, FIRST));
        assert_ne!(SPACE.sample(Seed(1), 7, FIRST), SPACE.sample(Seed(2), 7, FIRST));
        let fixed = SampleSpace { lr: [0.3; 2], weight_decay: [5e-4; 2], momentum: [0.9; 2], dropout: [0.1; 2] };
        let expected = Hyperparameters { lr: 0.3, weight_decay: 5e-4, momentum: 0.9, dropout: 0.1 };
        assert_eq!(fixed.sample(Seed(1), 3, FIRST), expected);
    }
}
