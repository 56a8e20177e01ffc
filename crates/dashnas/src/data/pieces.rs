//! Samples that are pieces of one whole, such as the seconds of a clip.

use super::{Array, Targets};
use std::collections::HashMap;

/// Which whole each sample is a piece of, a number a sample. What a network says of the pieces is averaged, and
/// the metric is taken of the wholes. None where every sample stands for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Of the validation samples.
    pub val: Option<Vec<u32>>,
    /// Of the test samples.
    pub test: Option<Vec<u32>>,
}

/// Averages what is predicted for the pieces of each whole, in the order in which the wholes first appear; the
/// target of a whole is that of its first piece.
pub(crate) fn join(pieces: &[u32], predictions: &Array, truth: &Targets) -> (Array, Targets) {
    let mut place = HashMap::new();
    let mut first = Vec::new();
    let width = predictions.row_len();
    let (mut sums, mut counts): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (row, &whole) in pieces.iter().enumerate() {
        let at = *place.entry(whole).or_insert_with(|| {
            first.push(row);
            sums.resize(first.len() * width, 0.0);
            counts.push(0.0);
            first.len() - 1
        });
        counts[at] += 1.0;
        let sum = &mut sums[at * width..(at + 1) * width];
        sum.iter_mut().zip(predictions.row(row)).for_each(|(s, &v)| *s += f64::from(v));
    }
    let data = sums.iter().enumerate().map(|(i, s)| (s / counts[i / width.max(1)]) as f32).collect();
    let mut shape = predictions.shape.clone();
    if let Some(n) = shape.first_mut() {
        *n = first.len();
    }
    (Array::new(shape, data), truth.select(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_averaged_and_keep_their_whole() {
        let predictions = Array::new(vec![4, 2, 1], vec![1.0, 10.0, 5.0, 50.0, 3.0, 30.0, 7.0, 70.0]);
        let truth = Targets::Classes(vec![1, 0, 1, 1]);
        let (scores, truth) = join(&[8, 3, 8, 8], &predictions, &truth);
        assert_eq!((&scores.shape[..], truth), (&[2, 2, 1][..], Targets::Classes(vec![1, 0])));
        assert_eq!(scores.data, [11.0f32 / 3.0, 110.0 / 3.0, 5.0, 50.0]);
    }
}
