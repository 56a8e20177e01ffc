//! Metrics of a ranking: one score and one truth value for each place.

/// Area under the ROC curve from mid-ranks, `(Σ ranks of positives − P(P+1)/2) / (P·N)`: the chance that
/// a positive scores above a negative, ties counting half. `None` unless both occur.
pub fn roc_auc(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let positives = truth.iter().filter(|&&t| t).count();
    let negatives = truth.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    // Twice the rank, so that the sum of mid-ranks is exact in integers.
    let mut doubled: u128 = 0;
    let order = sorted(scores, false);
    let mut below = 0;
    for tie in ties(&order, scores) {
        let twice_mid_rank = (2 * below + tie.len() + 1) as u128;
        doubled += twice_mid_rank * tie.iter().filter(|&&i| truth[i]).count() as u128;
        below += tie.len();
    }
    let smallest = positives as u128 * (positives as u128 + 1);
    Some((doubled - smallest) as f64 / 2.0 / (positives as f64 * negatives as f64))
}

/// Average precision `Σ (Rₙ − Rₙ₋₁) Pₙ` over the thresholds, from the highest score down; equal scores are
/// one threshold. `None` if nothing is true.
pub fn average_precision(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let positives = truth.iter().filter(|&&t| t).count();
    if positives == 0 {
        return None;
    }
    let order = sorted(scores, true);
    let (mut hits, mut seen, mut total) = (0, 0, 0.0);
    for tie in ties(&order, scores) {
        let new = tie.iter().filter(|&&i| truth[i]).count();
        hits += new;
        seen += tie.len();
        total += new as f64 * hits as f64 / seen as f64;
    }
    Some(total / positives as f64)
}

/// [`roc_auc`] of places with weights: a pair of a positive and a negative counts with the product of their weights.
/// `None` unless both have some weight.
pub fn weighted_roc_auc(scores: &[f64], truth: &[bool], weights: &[f64]) -> Option<f64> {
    let order = sorted(scores, false);
    let (mut below, mut positives, mut won) = (0.0, 0.0, 0.0);
    for tie in ties(&order, scores) {
        let of = |wanted: bool| tie.iter().filter(|&&i| truth[i] == wanted).map(|&i| weights[i]).sum::<f64>();
        let (hits, misses) = (of(true), of(false));
        won += hits * (below + misses / 2.0);
        positives += hits;
        below += misses;
    }
    (positives > 0.0 && below > 0.0).then(|| won / (positives * below))
}

/// [`average_precision`] of places with weights. `None` if nothing of any weight is true.
pub fn weighted_average_precision(scores: &[f64], truth: &[bool], weights: &[f64]) -> Option<f64> {
    let order = sorted(scores, true);
    let (mut hits, mut seen, mut total) = (0.0, 0.0, 0.0);
    for tie in ties(&order, scores) {
        let new: f64 = tie.iter().filter(|&&i| truth[i]).map(|&i| weights[i]).sum();
        hits += new;
        seen += tie.iter().map(|&i| weights[i]).sum::<f64>();
        if seen > 0.0 {
            total += new * hits / seen;
        }
    }
    (hits > 0.0).then(|| total / hits)
}

/// Indices in the order of their scores.
fn sorted(scores: &[f64], descending: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // `+ 0.0` makes the two zeros one.
    let key = |i: &usize| scores[*i] + 0.0;
    order.sort_unstable_by(|a, b| if descending { key(b).total_cmp(&key(a)) } else { key(a).total_cmp(&key(b)) });
    order
}

/// Runs of equal scores.
fn ties<'a>(order: &'a [usize], scores: &'a [f64]) -> impl Iterator<Item = &'a [usize]> {
    order.chunk_by(|&a, &b| scores[a] == scores[b])
}
