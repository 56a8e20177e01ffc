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

/// Weights by which every class counts equally: `n / (classes · samples of the class)`.
pub fn balanced_weights(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0usize; classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    counts.iter().map(|&count| labels.len() as f64 / (classes * count.max(1)) as f64).collect()
}
