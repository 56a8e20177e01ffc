//! MAE₈: the error of the predicted distances between residues in contact (Adhikari, PDNet; the PSICOV task).

use crate::metric::predictions::{MetricError, Predictions};
use crate::task::Metric;

/// Pairs of residues at most this far apart, in Å, are in contact.
const CONTACT: f32 = 8.0;
/// Pairs must be at least this far apart in the sequence, since closer ones are close in space anyway.
const SEPARATION: usize = 24;
/// Smaller predicted distances are raised to this one, as in the published code.
const SMALLEST: f64 = 0.01;

/// The mean over samples of the mean absolute error over the pairs of each sample that are in contact. Positions are the
/// pairs of a square map, row-major, with the pairs of a residue and itself on the diagonal; NaN is unknown.
pub(super) fn mae(predictions: &Predictions<'_>, values: &[f32]) -> Result<f64, MetricError> {
    let [_, outputs, positions] = predictions.shape();
    let side = positions.isqrt();
    if side * side != positions || outputs != 1 {
        return Err(MetricError::Unsupported { metric: Metric::ContactMae, truth: "targets other than square maps" });
    }
    let (mut total, mut samples) = (0.0, 0.0);
    let maps = predictions.scores.chunks_exact(positions).zip(values.chunks_exact(positions));
    for (sample, (guess, truth)) in maps.enumerate() {
        let (mut sum, mut pairs) = (0.0, 0usize);
        for i in 0..side {
            for j in i + SEPARATION..side {
                let y = truth[i * side + j];
                // The comparison is false for NaN, so that unknown distances are left out.
                if y <= CONTACT {
                    let both = f64::from(guess[i * side + j]) + f64::from(guess[j * side + i]);
                    sum += ((both / 2.0).max(SMALLEST) - f64::from(y)).abs();
                    pairs += 1;
                }
            }
        }
        if pairs > 0 {
            let weight = predictions.weight(sample);
            total += weight * (sum / pairs as f64);
            samples += weight;
        }
    }
    let reason = "no sample has a pair of residues at most 8 Å apart and at least 24 apart in the sequence";
    if samples == 0.0 {
        return Err(MetricError::Undefined { metric: Metric::ContactMae, reason });
    }
    Ok(total / samples)
}
