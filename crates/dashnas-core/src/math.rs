//! Small functions on numbers that several layers share.

/// The index of the largest value; the first of them on a tie, and 0 for an empty slice.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// Turns one row of logits into probabilities, in place: `exp(vᵢ − max v) / Σⱼ exp(vⱼ − max v)`.
pub fn softmax(row: &mut [f32]) {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|v| *v = (*v - highest).exp());
    let total: f32 = row.iter().sum();
    row.iter_mut().for_each(|v| *v /= total);
}

/// The entropy `−Σ p ln p` of probabilities, in nats; a probability of 0 adds nothing.
pub fn entropy(probabilities: &[f64]) -> f64 {
    -probabilities.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

/// The greatest common divisor; that of 0 and `n` is `n`.
pub fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The mean and the standard deviation of a sample, with the divisor n − 1 (0 for a single value); `None` without values.
pub fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((mean, (squares / (n - 1.0).max(1.0)).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest_values_is_found() {
        assert_eq!((argmax(&[1.0, 3.0, 3.0]), argmax(&[f32::NEG_INFINITY, -1.0]), argmax::<f64>(&[])), (1, 1, 0));
    }

    #[test]
    fn probabilities_are_stable_for_large_logits() {
        let mut rows = [[1000.0, 1000.0, -1000.0], [3.0, 1.0, 2.0]];
        rows.iter_mut().for_each(|row| softmax(row));
        assert_eq!(rows[0], [0.5, 0.5, 0.0]);
        assert!((rows[1].iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(rows.map(|row| argmax(&row)), [0, 0]);
    }

    #[test]
    fn entropy_is_that_of_the_definition() {
        assert_eq!(entropy(&[0.0, 1.0]), 0.0);
        assert!((entropy(&[0.25; 4]) - 4f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn the_greatest_common_divisor_divides_both() {
        assert_eq!([gcd(12, 18), gcd(7, 0), gcd(0, 7), gcd(5, 3)], [6, 7, 7, 1]);
    }

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert_eq!(mean_and_deviation(&[]), None);
        assert_eq!(mean_and_deviation(&[3.0]), Some((3.0, 0.0)));
        assert_eq!(mean_and_deviation(&[1.0, 2.0, 3.0]), Some((2.0, 1.0)));
    }
}
