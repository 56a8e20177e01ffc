//! ROC and precision-recall curves, as scikit-learn defines them.

use serde::{Deserialize, Serialize};

/// The largest number of points of a curve that are kept.
const POINTS: usize = 120;

/// The curves of one class or label against all others, by its score. They are kept at up to 120 of their thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// `[false positive rate, true positive rate]` from (0, 0) to (1, 1).
    pub roc: Vec<[f32; 2]>,
    /// `[recall, precision]`, from the highest threshold to the lowest.
    pub precision_recall: Vec<[f32; 2]>,
}

impl Curve {
    /// The curves of scores of which `truth` says which are positive, each counted by its weight if there are weights.
    /// `None` if all are positive or none is.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new(scores: &[f64], truth: &[bool], weights: Option<&[f64]>) -> Option<Self> {
        let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
        let total = |yes: bool| -> f64 { (0..scores.len()).filter(|&i| truth[i] == yes).map(weight).sum() };
        let (positive, negative) = (total(true), total(false));
        if !(positive > 0.0 && negative > 0.0) {
            return None;
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        // The true and the false positives above each threshold.
        let (mut counts, mut found, mut wrong) = (Vec::new(), 0.0, 0.0);
        for alike in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
            alike.iter().for_each(|&i| *(if truth[i] { &mut found } else { &mut wrong }) += weight(i));
            counts.push([found, wrong]);
        }
        let kept = |i: usize| i * (counts.len() - 1) / (POINTS - 1).min(counts.len() - 1).max(1);
        let mut at: Vec<usize> = (0..counts.len().min(POINTS)).map(kept).collect();
        at.dedup();
        let points = || at.iter().map(|&i| counts[i]).filter(|[found, wrong]| found + wrong > 0.0);
        let origin = std::iter::once([0.0, 0.0]);
        Some(Self {
            roc: origin.chain(points().map(|[f, w]| [(w / negative) as f32, (f / positive) as f32])).collect(),
            precision_recall: points().map(|[f, w]| [(f / positive) as f32, (f / (f + w)) as f32]).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::metric::rank::{average_precision, roc_auc};
    use proptest::prelude::*;

    #[test]
    fn a_small_case_by_hand() {
        // By falling score: +, −, + and − alike, −.
        let curve = Curve::new(&[3.0, 2.0, 1.0, 1.0, 0.0], &[true, false, true, false, false], None).expect("both");
        let third = 1.0 / 3.0;
        assert_eq!(curve.roc, [[0.0, 0.0], [0.0, 0.5], [third, 0.5], [2.0 * third, 1.0], [1.0, 1.0]]);
        assert_eq!(curve.precision_recall, [[0.5, 1.0], [0.5, 0.5], [1.0, 0.5], [1.0, 0.4]]);
        assert_eq!(Curve::new(&[1.0, 2.0], &[true, true], None), None);
        let weighted = Curve::new(&[2.0, 1.0], &[false, true], Some(&[3.0, 1.0])).expect("both");
        assert_eq!(weighted.precision_recall, [[0.0, 0.0], [1.0, 0.25]]);
    }

    proptest! {
        #[test]
        fn the_areas_are_those_of_the_scores(points in prop::collection::vec((0u8..40, any::<bool>()), 2..100)) {
            let scores: Vec<f64> = points.iter().map(|p| f64::from(p.0)).collect();
            let truth: Vec<bool> = points.iter().map(|p| p.1).collect();
            let Some(curve) = Curve::new(&scores, &truth, None) else { return Ok(()) };
            let trapezoid = |pair: &[[f32; 2]]| f64::from(pair[1][0] - pair[0][0]) * f64::from(pair[0][1] + pair[1][1]) / 2.0;
            let area: f64 = curve.roc.windows(2).map(trapezoid).sum();
            prop_assert!((area - roc_auc(&scores, &truth).expect("both")).abs() < 1e-5);
            let first = f64::from(curve.precision_recall[0][0]) * f64::from(curve.precision_recall[0][1]);
            let step = |pair: &[[f32; 2]]| f64::from(pair[1][0] - pair[0][0]) * f64::from(pair[1][1]);
            let area = first + curve.precision_recall.windows(2).map(step).sum::<f64>();
            prop_assert!((area - average_precision(&scores, &truth).expect("both")).abs() < 1e-5);
        }
    }

    #[test]
    fn long_curves_are_thinned_and_keep_their_ends() {
        let scores: Vec<f64> = (0..10_000).map(f64::from).collect();
        let truth: Vec<bool> = (0..10_000).map(|i| i * i % 7 < 3).collect();
        let curve = Curve::new(&scores, &truth, None).expect("both");
        assert!((100..=121).contains(&curve.roc.len()), "{}", curve.roc.len());
        assert_eq!((curve.roc[0], curve.roc[curve.roc.len() - 1]), ([0.0, 0.0], [1.0, 1.0]));
    }
}
