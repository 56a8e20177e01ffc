//! The cross entropy of a classifier after temperature scaling (Guo et al. 2017), which compares what networks know
//! without their overconfidence.

/// The range of the inverse temperature.
const RANGE: [f64; 2] = [0.05, 20.0];

/// Steps of the golden-section search, which leave 1e-12 of the range.
const STEPS: usize = 60;

/// Class scores `[samples, classes]` with the true classes.
#[derive(Debug, Clone, Copy)]
pub struct Scores<'a> {
    /// The scores, row by row.
    pub logits: &'a [f32],
    /// The number of classes.
    pub classes: usize,
    /// The class of each sample.
    pub labels: &'a [u32],
}

impl Scores<'_> {
    /// The mean cross entropy over some samples, with the scores multiplied by the inverse temperature.
    pub fn cross_entropy(&self, rows: &[usize], inverse: f64) -> f64 {
        let of = |&row: &usize| {
            let scores = &self.logits[row * self.classes..(row + 1) * self.classes];
            let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let scaled = |score: f32| inverse * (f64::from(score) - f64::from(top));
            let total: f64 = scores.iter().map(|&score| scaled(score).exp()).sum();
            total.ln() - scaled(scores[self.labels[row] as usize])
        };
        rows.iter().map(of).sum::<f64>() / rows.len().max(1) as f64
    }

    /// The inverse temperature with the smallest cross entropy over some samples; 1 without samples.
    pub fn inverse_temperature(&self, rows: &[usize]) -> f64 {
        if rows.is_empty() {
            return 1.0;
        }
        // The cross entropy is convex in the inverse temperature, so that it has one minimum on a logarithmic scale too.
        let at = |log: f64| self.cross_entropy(rows, log.exp());
        let golden = (5f64.sqrt() - 1.0) / 2.0;
        let [mut low, mut high] = RANGE.map(f64::ln);
        let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
        let (mut at_left, mut at_right) = (at(left), at(right));
        for _ in 0..STEPS {
            if at_left <= at_right {
                (high, right, at_right) = (right, left, at_left);
                left = high - golden * (high - low);
                at_left = at(left);
            } else {
                (low, left, at_left) = (left, right, at_right);
                right = low + golden * (high - low);
                at_right = at(right);
            }
        }
        f64::midpoint(low, high).exp()
    }

    /// The mean cross entropy of all samples. Each half of them, alternating within every class, is scaled by the
    /// temperature that fits the other half best.
    pub fn cross_fitted(&self) -> f64 {
        let mut seen = vec![0usize; self.classes];
        let mut halves = [Vec::new(), Vec::new()];
        for (row, &label) in self.labels.iter().enumerate() {
            halves[seen[label as usize] % 2].push(row);
            seen[label as usize] += 1;
        }
        let [first, second] = &halves;
        let total: f64 = [(first, second), (second, first)]
            .iter()
            .map(|(scored, fitted)| scored.len() as f64 * self.cross_entropy(scored, self.inverse_temperature(fitted)))
            .sum();
        total / self.labels.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cross_entropy_is_that_of_the_definition() {
        let scores = Scores { logits: &[0.0, 0.0, 1.0, 3.0], classes: 2, labels: &[0, 1] };
        let expected = f64::midpoint(2f64.ln(), (1.0 + (-2f64).exp()).ln());
        assert!((scores.cross_entropy(&[0, 1], 1.0) - expected).abs() < 1e-12);
        // Half the scores.
        let expected = (1.0 + (-1f64).exp()).ln();
        assert!((scores.cross_entropy(&[1], 0.5) - expected).abs() < 1e-12);
    }

    #[test]
    fn the_temperature_brings_the_confidence_to_the_accuracy() {
        // The score of class 0 is 4 in four samples, of which three have that class: p = 3/4 at β·4 = ln 3.
        let logits: Vec<f32> = [4.0, 0.0].repeat(4);
        let scores = Scores { logits: &logits, classes: 2, labels: &[0, 0, 1, 0] };
        assert!((scores.inverse_temperature(&[0, 1, 2, 3]) - 3f64.ln() / 4.0).abs() < 1e-6);
        assert_eq!(scores.inverse_temperature(&[]), 1.0);
        // Without an error, the range ends the growth.
        let close = Scores { logits: &[0.5, 0.0], classes: 2, labels: &[0] };
        assert!((close.inverse_temperature(&[0]) - RANGE[1]).abs() < 1e-3);
    }

    #[test]
    fn halves_of_each_class_fit_each_other() {
        // Class by class, eight samples, one in four wrong: both halves have the same samples.
        let logits: Vec<f32> = [[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0]].concat();
        let labels = [0, 0, 0, 0, 1, 1];
        let scores = Scores { logits: &logits, classes: 2, labels: &labels };
        // Both halves: two of three right, so that p = 2/3.
        let expected = -(2.0 / 3.0 * (2f64 / 3.0).ln() + 1.0 / 3.0 * (1f64 / 3.0).ln());
        assert!((scores.cross_fitted() - expected).abs() < 1e-9);
        // The scale of all scores changes nothing.
        let larger: Vec<f32> = logits.iter().map(|v| 3.0 * v).collect();
        let again = Scores { logits: &larger, ..scores }.cross_fitted();
        assert!((again - expected).abs() < 1e-9);
    }
}
