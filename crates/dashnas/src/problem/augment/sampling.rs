//! Class-balanced sampling and class weights.

use dashnas_core::rng::{Stream, permutation};
use rand::RngExt;
use std::collections::BTreeMap;

/// Draws `drawn` indices into `labels`, with every class equally likely at each draw. All samples of a class are drawn,
/// in random order, before one of them is drawn again.
pub(super) fn balanced(labels: &[u32], drawn: usize, stream: &mut Stream) -> Vec<usize> {
    let mut classes: Vec<Vec<usize>> = Vec::new();
    let mut position = BTreeMap::new();
    for i in permutation(labels.len(), stream) {
        let class = *position.entry(labels[i]).or_insert_with(|| {
            classes.push(Vec::new());
            classes.len() - 1
        });
        classes[class].push(i);
    }
    let mut next = vec![0; classes.len()];
    let mut draw = |_| {
        let class = stream.random_range(0..classes.len());
        let row = classes[class][next[class] % classes[class].len()];
        next[class] += 1;
        row
    };
    (0..drawn).map(&mut draw).collect()
}

/// Weights by which every class counts equally: `n / (classes · samples of the class)`. Samples count by their weights,
/// whose mean is 1, if they have any.
pub fn balanced_weights(labels: &[u32], weights: Option<&[f32]>, classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for (i, &label) in labels.iter().enumerate() {
        counts[label as usize] += weights.map_or(1.0, |weights| f64::from(weights[i]));
    }
    // A class without samples has no terms.
    let count = |count: f64| if count > 0.0 { count } else { 1.0 };
    counts.iter().map(|&n| labels.len() as f64 / (classes as f64 * count(n))).collect()
}
