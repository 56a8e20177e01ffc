//! The best choice of one candidate per layer under bounds on sums of costs: a multiple-choice knapsack knapsack, solved
//! exactly.
//!
//! The layers are added one by one. Partial choices that another one dominates in score and in every cost are dropped
//! (dynamic programming), and so are those that cannot reach the best known choice even when the bounds are relaxed into
//! prices (Lagrangian relaxation). A few hundred partial choices remain for the networks of this project.

use dashnas_core::math::argmax;

/// Number of costs that can be bounded at once.
pub const COSTS: usize = 2;

/// The costs of a choice, in whole units.
pub type Cost = [u64; COSTS];

/// A choice of one candidate per layer, with bounds on the costs.
#[derive(Debug, Clone)]
pub struct Knapsack {
    /// `[layer][candidate]`: the scores, whose sum over the layers is maximized.
    pub scores: Vec<Vec<f64>>,
    /// `[layer][candidate]`: the costs.
    pub costs: Vec<Vec<Cost>>,
    /// Upper bounds on the sums of the costs; `u64::MAX` for no bound.
    pub bounds: Cost,
}

/// A partial choice over the first layers.
#[derive(Debug, Clone)]
struct PartialChoice {
    score: f64,
    cost: Cost,
    /// Index of the partial choice over the layers before that this one extends.
    before: usize,
    candidate: usize,
}

/// Lagrange multipliers of the bounds, and the relaxed optimum over the last layers.
struct RelaxedPrices {
    price: [f64; COSTS],
    /// `suffix[l]`: the largest sum of score − price·cost over the layers from l on.
    suffix: Vec<f64>,
}

impl Knapsack {
    /// The candidate of each layer with the highest sum of scores within the bounds; `None` if no choice is within them.
    /// Of choices with equal sums, the one with the earlier candidates in the later layers is returned.
    pub fn solve(&self) -> Option<Vec<usize>> {
        let free: Vec<usize> = self.scores.iter().map(|layer| argmax(layer)).collect();
        if self.within(self.cost_of(&free)) {
            return Some(free);
        }
        let least = self.least_suffix();
        if !self.within(least[0]) {
            return None;
        }
        let (prices, mut best) = self.price();
        // A partial choice is only kept if it can still reach this score.
        let mut floor = best.as_ref().map_or(f64::NEG_INFINITY, |(score, _)| *score);
        let layers = self.scores.len();
        let mut table: Vec<Vec<PartialChoice>> = Vec::with_capacity(layers);
        let mut last = vec![PartialChoice { score: 0.0, cost: [0; COSTS], before: 0, candidate: 0 }];
        for layer in 0..layers {
            let mut next = Vec::new();
            for (before, partial) in last.iter().enumerate() {
                for (candidate, (&score, cost)) in self.scores[layer].iter().zip(&self.costs[layer]).enumerate() {
                    let cost = add(partial.cost, *cost);
                    let score = partial.score + score;
                    let reachable = self.within(add(cost, least[layer + 1]));
                    if reachable && self.promising(score, cost, prices.suffix[layer + 1], &prices, floor) {
                        next.push(PartialChoice { score, cost, before, candidate });
                    }
                }
            }
            last = undominated(next);
            table.push(last.clone());
        }
        // No layer is left, so that every partial choice is a whole one within the bounds.
        let found = (0..last.len()).max_by(|&a, &b| last[a].score.total_cmp(&last[b].score).then(b.cmp(&a)));
        if let Some(end) = found
            && last[end].score >= floor
        {
            floor = last[end].score;
            best = Some((floor, trace(&table, end)));
        }
        best.map(|(_, choice)| choice)
    }

    /// The smallest possible sum of one cost while the other stays within its bound.
    pub fn least(&self, cost_index: usize) -> Option<u64> {
        let mut easier = self.clone();
        easier.bounds[cost_index] = u64::MAX;
        easier.scores =
            self.costs.iter().map(|layer| layer.iter().map(|cost| -(cost[cost_index] as f64)).collect()).collect();
        easier.solve().map(|choice| self.cost_of(&choice)[cost_index])
    }

    /// The costs of a choice.
    pub fn cost_of(&self, choice: &[usize]) -> Cost {
        choice.iter().zip(&self.costs).fold([0; COSTS], |sum, (&c, layer)| add(sum, layer[c]))
    }

    fn within(&self, cost: Cost) -> bool {
        cost.iter().zip(&self.bounds).all(|(c, b)| c <= b)
    }

    /// `[l]`: the least costs of the layers from l on, each cost minimized separately.
    fn least_suffix(&self) -> Vec<Cost> {
        let mut suffix = vec![[0; COSTS]; self.costs.len() + 1];
        for (l, layer) in self.costs.iter().enumerate().rev() {
            let least = std::array::from_fn(|r| layer.iter().map(|c| c[r]).min().unwrap_or(0));
            suffix[l] = add(suffix[l + 1], least);
        }
        suffix
    }

    fn promising(&self, score: f64, cost: Cost, suffix: f64, prices: &RelaxedPrices, floor: f64) -> bool {
        let rest: f64 = (0..COSTS).map(|r| prices.price[r] * (self.finite_bound(r) - cost[r] as f64)).sum();
        // Sums of floats in another order may differ in the last digits.
        score + suffix + rest >= floor - 1e-9 * (1.0 + floor.abs())
    }

    /// A bound as a number; a missing bound has the price 0.
    fn finite_bound(&self, cost_index: usize) -> f64 {
        if self.bounds[cost_index] == u64::MAX { 0.0 } else { self.bounds[cost_index] as f64 }
    }

    /// RelaxedPrices from the subgradient method, and the best choice within the bounds that it visited.
    fn price(&self) -> (RelaxedPrices, Option<(f64, Vec<usize>)>) {
        let spread: f64 = self.scores.iter().map(|l| max(l) - l.iter().copied().fold(f64::INFINITY, f64::min)).sum();
        let mut price = [0.0; COSTS];
        let (mut kept, mut kept_bound) = (price, f64::INFINITY);
        let mut best: Option<(f64, Vec<usize>)> = None;
        for step in 0..200 {
            let choice: Vec<usize> = self.priced(&price).map(|values| argmax(&values)).collect();
            let cost = self.cost_of(&choice);
            let score: f64 = choice.iter().zip(&self.scores).map(|(&c, l)| l[c]).sum();
            if self.within(cost) && best.as_ref().is_none_or(|(s, _)| score > *s) {
                best = Some((score, choice));
            }
            let slack = |r: usize| self.finite_bound(r) - cost[r] as f64;
            let bound = score + (0..COSTS).map(|r| price[r] * slack(r)).sum::<f64>();
            if bound < kept_bound {
                (kept, kept_bound) = (price, bound);
            }
            for (r, price) in price.iter_mut().enumerate().filter(|(r, _)| self.bounds[*r] != u64::MAX) {
                let unit = (self.bounds[r] as f64).max(1.0);
                let rate = spread / unit / (1.0 + f64::from(step)).sqrt();
                *price = (*price - rate * slack(r) / unit).max(0.0);
            }
        }
        let values: Vec<f64> = self.priced(&kept).map(|values| max(&values)).collect();
        let mut suffix = vec![0.0; values.len() + 1];
        for l in (0..values.len()).rev() {
            suffix[l] = suffix[l + 1] + values[l];
        }
        (RelaxedPrices { price: kept, suffix }, best)
    }

    /// Score minus price of every candidate, layer by layer.
    fn priced(&self, price: &[f64; COSTS]) -> impl Iterator<Item = Vec<f64>> {
        let price = *price;
        self.scores.iter().zip(&self.costs).map(move |(scores, costs)| {
            let value = |(s, c): (&f64, &Cost)| s - (0..COSTS).map(|r| price[r] * c[r] as f64).sum::<f64>();
            scores.iter().zip(costs).map(value).collect()
        })
    }
}

/// Drops every partial choice that another one dominates: no lower score and no higher cost.
fn undominated(mut choices: Vec<PartialChoice>) -> Vec<PartialChoice> {
    choices.sort_by(|a, b| a.cost.cmp(&b.cost).then(b.score.total_cmp(&a.score)));
    // In the order of rising first cost, a partial choice is dominated if an earlier one has no higher second cost and no
    // lower score. In `front`, second costs and scores rise strictly.
    let mut front: std::collections::BTreeMap<u64, f64> = std::collections::BTreeMap::new();
    choices.retain(|partial| {
        let dominated = front.range(..=partial.cost[1]).next_back().is_some_and(|(_, &score)| score >= partial.score);
        if !dominated {
            let worse: Vec<u64> = front
                .range(partial.cost[1]..)
                .take_while(|(_, score)| **score <= partial.score)
                .map(|(cost, _)| *cost)
                .collect();
            worse.iter().for_each(|cost| {
                front.remove(cost);
            });
            front.insert(partial.cost[1], partial.score);
        }
        !dominated
    });
    choices
}

/// The candidates of the partial choice `end` over all layers.
fn trace(table: &[Vec<PartialChoice>], end: usize) -> Vec<usize> {
    let mut at = end;
    let mut choice: Vec<usize> = table
        .iter()
        .rev()
        .map(|choices| {
            let partial = &choices[at];
            at = partial.before;
            partial.candidate
        })
        .collect();
    choice.reverse();
    choice
}

fn add(a: Cost, b: Cost) -> Cost {
    std::array::from_fn(|r| a[r].saturating_add(b[r]))
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The best score by trying every combination.
    fn brute(knapsack: &Knapsack) -> Option<f64> {
        fn go(p: &Knapsack, layer: usize, score: f64, cost: Cost, best: &mut Option<f64>) {
            if layer == p.scores.len() {
                if p.within(cost) && best.is_none_or(|b| score > b) {
                    *best = Some(score);
                }
                return;
            }
            for (s, c) in p.scores[layer].iter().zip(&p.costs[layer]) {
                go(p, layer + 1, score + s, add(cost, *c), best);
            }
        }
        let mut best = None;
        go(knapsack, 0, 0.0, [0; COSTS], &mut best);
        best
    }

    fn score(knapsack: &Knapsack, choice: &[usize]) -> f64 {
        choice.iter().zip(&knapsack.scores).map(|(&c, l)| l[c]).sum()
    }

    /// Layers of candidates with scores and two costs, and bounds somewhere in their range.
    fn knapsacks() -> impl Strategy<Value = Knapsack> {
        let candidate = (-8.0f64..0.0, 0u64..40, 0u64..40);
        let layers = prop::collection::vec(prop::collection::vec(candidate, 1..5), 1..7);
        (layers, 0.0f64..1.2, 0.0f64..1.2, any::<[bool; 2]>()).prop_map(|(layers, a, b, open)| {
            let scores = layers.iter().map(|l| l.iter().map(|c| c.0).collect()).collect();
            let costs: Vec<Vec<Cost>> = layers.iter().map(|l| l.iter().map(|c| [c.1, c.2]).collect()).collect();
            let most = |r: usize| costs.iter().map(|l| l.iter().map(|c| c[r]).max().unwrap_or(0)).sum::<u64>() as f64;
            let bound = |r: usize, share: f64| if open[r] { u64::MAX } else { (most(r) * share) as u64 };
            let bounds = [bound(0, a), bound(1, b)];
            Knapsack { scores, costs, bounds }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn the_choice_is_the_best_of_all_combinations(knapsack in knapsacks()) {
            match (knapsack.solve(), brute(&knapsack)) {
                (None, None) => {}
                (Some(choice), Some(best)) => {
                    prop_assert!(knapsack.within(knapsack.cost_of(&choice)));
                    prop_assert!((score(&knapsack, &choice) - best).abs() < 1e-9, "{} against {best}", score(&knapsack, &choice));
                }
                (found, best) => prop_assert!(false, "{found:?} against {best:?}"),
            }
        }

        #[test]
        fn the_least_cost_is_within_reach_and_no_less_is(knapsack in knapsacks(), cost_index in 0usize..COSTS) {
            if let Some(least) = knapsack.least(cost_index) {
                let mut tight = knapsack.clone();
                tight.bounds[cost_index] = least;
                prop_assert!(tight.solve().is_some());
                if least > 0 {
                    tight.bounds[cost_index] = least - 1;
                    prop_assert!(tight.solve().is_none());
                }
            } else {
                let mut other = knapsack.clone();
                other.bounds[cost_index] = u64::MAX;
                prop_assert!(brute(&other).is_none());
            }
        }
    }

    #[test]
    fn without_bounds_each_layer_keeps_its_first_best() {
        let knapsack = Knapsack {
            scores: vec![vec![-1.0, -1.0, -2.0], vec![-3.0, -0.5, -0.5]],
            costs: vec![vec![[9, 9]; 3]; 2],
            bounds: [u64::MAX; 2],
        };
        assert_eq!(knapsack.solve(), Some(vec![0, 1]));
    }

    #[test]
    fn a_network_of_the_papers_size_is_solved_exactly_and_soon() {
        // Thirteen layers, sixteen candidates, scores that barely differ: the hardest case, since
        // almost every combination is almost the best.
        let layers = 13;
        let scores: Vec<Vec<f64>> =
            (0..layers).map(|l| (0..16).map(|c| -2.77 - 1e-3 * f64::from((l * 7 + c * 11) % 16)).collect()).collect();
        let costs: Vec<Vec<Cost>> = (0..layers)
            .map(|l| {
                let width = 256u64 << (2 * (l / 5));
                (0..16).map(|c| [width * [9, 25, 49, 81][c / 4], 50 + 17 * (c as u64) + 3 * l as u64]).collect()
            })
            .collect();
        let most: u64 = costs.iter().map(|l| l[15][0]).sum();
        let knapsack = Knapsack { scores, costs, bounds: [most / 2, 13 * 150] };
        let choice = knapsack.solve().expect("half of the most is enough");
        assert!(knapsack.within(knapsack.cost_of(&choice)));
        let unbounded = Knapsack { bounds: [u64::MAX; 2], ..knapsack.clone() };
        let free = unbounded.solve().expect("nothing is bounded");
        assert!(score(&knapsack, &choice) < score(&knapsack, &free));
    }
}
