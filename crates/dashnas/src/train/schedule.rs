//! The learning rate over a training.

/// A learning rate that is multiplied by `decay` at each milestone.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Epochs (counted from 0) at whose start the rate drops.
    pub milestones: Vec<usize>,
    /// Fractions of the training after which the rate drops, where the length is counted in steps.
    pub fractions: Vec<f64>,
    /// The factor, 0.2 in the paper.
    pub decay: f64,
}

impl Schedule {
    /// The factor in force during an epoch.
    pub fn factor(&self, epoch: usize) -> f64 {
        self.decay.powi(self.milestones.iter().filter(|&&m| epoch >= m).count() as i32)
    }

    /// The factor in force once the fraction `progress` of the training is done.
    pub fn factor_at(&self, progress: f64) -> f64 {
        self.decay.powi(self.fractions.iter().filter(|&&f| progress >= f).count() as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_drops_at_its_milestones() {
        let s = Schedule { milestones: vec![60, 120], fractions: vec![0.3, 0.6], decay: 0.2 };
        assert_eq!(s.factor(59), 1.0);
        assert!((s.factor(60) - 0.2).abs() < 1e-12);
        assert!((s.factor(200) - 0.04).abs() < 1e-12);
        assert!((s.factor_at(0.5) - 0.2).abs() < 1e-12);
    }
}
