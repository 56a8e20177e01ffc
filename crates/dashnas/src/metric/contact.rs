//! MAE₈: how well the distances between residues in contact are predicted (Adhikari, PDNet; the PSICOV task).

use super::{MetricError, Predictions};
use crate::task::Metric;

/// Pairs of residues at most this far apart, in Å, are in contact.
const CONTACT: f32 = 8.0;
/// How far apart in the sequence a pair must be to count: nearer ones are near in space anyway.
const SEPARATION: usize = 24;
/// Predicted distances are at least this, as published.
const SMALLEST: f64 = 0.01;

/// The mean over samples of the mean absolute error over each sample's pairs in contact. Positions are the
/// pairs of a square map, row-major, whose diagonal is the residues with themselves; NaN is not known.
pub(super) fn mae(predictions: &Predictions<'_>, values: &[f32]) -> Result<f64, MetricError> {
    let [_, outputs, positions] = predictions.shape();
    let side = positions.isqrt();
    if side * side != positions || outputs != 1 {
        return Err(MetricError::Unsupported { metric: Metric::ContactMae, truth: "anything but square maps" });
    }
    let (mut total, mut samples) = (0.0, 0usize);
    for (guess, truth) in predictions.scores.chunks_exact(positions).zip(values.chunks_exact(positions)) {
        let (mut sum, mut pairs) = (0.0, 0usize);
        for i in 0..side {
            for j in i + SEPARATION..side {
                let y = truth[i * side + j];
                // NaN compares as false: what is not known is left out.
                if y <= CONTACT {
                    let both = f64::from(guess[i * side + j]) + f64::from(guess[j * side + i]);
                    sum += ((both / 2.0).max(SMALLEST) - f64::from(y)).abs();
                    pairs += 1;
                }
            }
        }
        if pairs > 0 {
            total += sum / pairs as f64;
            samples += 1;
        }
    }
    let reason = "no sample has a pair of residues at most 8 apart and 24 or more positions from one another";
    if samples == 0 {
        return Err(MetricError::Undefined { metric: Metric::ContactMae, reason });
    }
    Ok(total / samples as f64)
}
