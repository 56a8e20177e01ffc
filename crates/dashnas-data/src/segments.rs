//! Samples that are segments of one recording and are scored together, such as the seconds of a clip.

use crate::targets::Targets;
use dashnas_formats::array::Array;
use std::collections::HashMap;

/// The number of the recording that each sample is a segment of. Predictions are averaged over the segments of a
/// recording, and the metric is computed on these means. `None` if every sample is scored by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segments {
    /// One number for each validation sample.
    pub val: Option<Vec<u32>>,
    /// One number for each test sample.
    pub test: Option<Vec<u32>>,
}

/// Averages predictions, `[N, …]`, over the segments of each recording, in the order in which the recordings first
/// appear. The target of a recording is that of its first segment.
pub fn average(recordings: &[u32], predictions: &Array, truth: &Targets) -> (Array, Targets) {
    let mut place = HashMap::new();
    let mut first = Vec::new();
    let width = predictions.row_len();
    let (mut sums, mut counts): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (row, &recording) in recordings.iter().enumerate() {
        let at = *place.entry(recording).or_insert_with(|| {
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
    fn segments_are_averaged_in_the_order_of_their_recordings() {
        let predictions = Array::new(vec![4, 2, 1], vec![1.0, 10.0, 5.0, 50.0, 3.0, 30.0, 7.0, 70.0]);
        let truth = Targets::Classes(vec![1, 0, 1, 1]);
        let (scores, truth) = average(&[8, 3, 8, 8], &predictions, &truth);
        assert_eq!((&scores.shape[..], truth), (&[2, 2, 1][..], Targets::Classes(vec![1, 0])));
        assert_eq!(scores.data, [11.0f32 / 3.0, 110.0 / 3.0, 5.0, 50.0]);
    }
}
