//! The best choice for each layer under bounds on sums: a multiple-choice knapsack, solved exactly.
//!
//! Layers are taken one by one; partial choices that another beats in score and in every cost are
//! dropped (dynamic programming), and so are those that cannot reach the best choice known even
//! when the bounds are relaxed into prices (Lagrangian relaxation). What is left is small: a few
//! hundred partial choices for the networks here.

/// Costs that may be bounded at once.
pub const RESOURCES: usize = 2;

/// What a choice costs, in whole units.
pub type Cost = [u64; RESOURCES];

/// One thing to choose for each layer.
#[derive(Debug, Clone)]
pub struct Bounded {
    /// What each layer's candidates are worth; the sum is maximized.
    pub scores: Vec<Vec<f64>>,
    /// What each layer's candidates cost.
    pub costs: Vec<Vec<Cost>>,
    /// The most that the chosen may cost together; `u64::MAX` for no bound.
    pub bounds: Cost,
}

/// A partial choice over the first layers.
#[derive(Debug, Clone)]
struct Label {
    score: f64,
    cost: Cost,
    /// The label of the layer before that it extends.
    before: usize,
    candidate: usize,
}

/// Prices per unit of cost, and what they make of the layers from each on.
struct Prices {
    price: [f64; RESOURCES],
    /// `suffix[l]`: the best sum of score − price·cost over the layers from l on.
    suffix: Vec<f64>,
}

impl Bounded {
    /// The candidate of each layer with the highest sum of scores within the bounds; `None` if
    /// nothing is within them. Without ties that is unique; of equal sums the one with the
    /// earlier candidates in the later layers is kept.
    pub fn solve(&self) -> Option<Vec<usize>> {
        let free: Vec<usize> = self.scores.iter().map(|layer| first_max(layer)).collect();
        if self.within(self.cost_of(&free)) {
            return Some(free);
        }
        let least = self.least_suffix();
        if !self.within(least[0]) {
            return None;
        }
        let (prices, mut best) = self.price();
        // A partial choice is only worth keeping if it may still beat this.
        let mut floor = best.as_ref().map_or(f64::NEG_INFINITY, |(score, _)| *score);
        let layers = self.scores.len();
        let mut table: Vec<Vec<Label>> = Vec::with_capacity(layers);
        let mut last = vec![Label { score: 0.0, cost: [0; RESOURCES], before: 0, candidate: 0 }];
        for layer in 0..layers {
            let mut next = Vec::new();
            for (before, label) in last.iter().enumerate() {
                for (candidate, (&score, cost)) in self.scores[layer].iter().zip(&self.costs[layer]).enumerate() {
                    let cost = add(label.cost, *cost);
                    let score = label.score + score;
                    let reachable = self.within(add(cost, least[layer + 1]));
                    if reachable && self.promising(score, cost, prices.suffix[layer + 1], &prices, floor) {
                        next.push(Label { score, cost, before, candidate });
                    }
                }
            }
            last = undominated(next);
            table.push(last.clone());
        }
        // Every label left is within the bounds: nothing more is to come.
        let found = (0..last.len()).max_by(|&a, &b| last[a].score.total_cmp(&last[b].score).then(b.cmp(&a)));
        if let Some(end) = found
            && last[end].score >= floor
        {
            floor = last[end].score;
            best = Some((floor, trace(&table, end)));
        }
        best.map(|(_, choice)| choice)
    }

    /// The least that one resource can cost while the others stay within their bounds.
    pub fn least(&self, resource: usize) -> Option<u64> {
        let mut easier = self.clone();
        easier.bounds[resource] = u64::MAX;
        easier.scores =
            self.costs.iter().map(|layer| layer.iter().map(|cost| -(cost[resource] as f64)).collect()).collect();
        easier.solve().map(|choice| self.cost_of(&choice)[resource])
    }

    /// What a choice costs.
    pub fn cost_of(&self, choice: &[usize]) -> Cost {
        choice.iter().zip(&self.costs).fold([0; RESOURCES], |sum, (&c, layer)| add(sum, layer[c]))
    }

    fn within(&self, cost: Cost) -> bool {
        cost.iter().zip(&self.bounds).all(|(c, b)| c <= b)
    }

    /// `[l]`: the least cost of the layers from l on, each resource by itself.
    fn least_suffix(&self) -> Vec<Cost> {
        let mut suffix = vec![[0; RESOURCES]; self.costs.len() + 1];
        for (l, layer) in self.costs.iter().enumerate().rev() {
            let least = std::array::from_fn(|r| layer.iter().map(|c| c[r]).min().unwrap_or(0));
            suffix[l] = add(suffix[l + 1], least);
        }
        suffix
    }

    fn promising(&self, score: f64, cost: Cost, suffix: f64, prices: &Prices, floor: f64) -> bool {
        let rest: f64 = (0..RESOURCES).map(|r| prices.price[r] * (self.finite_bound(r) - cost[r] as f64)).sum();
        // Sums of floats in another order may differ in the last digits.
        score + suffix + rest >= floor - 1e-9 * (1.0 + floor.abs())
    }

    /// A bound as a number; a missing one has the price 0.
    fn finite_bound(&self, resource: usize) -> f64 {
        if self.bounds[resource] == u64::MAX { 0.0 } else { self.bounds[resource] as f64 }
    }

    /// Prices found by the subgradient method, and the best choice within the bounds met on the way.
    fn price(&self) -> (Prices, Option<(f64, Vec<usize>)>) {
        let spread: f64 = self.scores.iter().map(|l| max(l) - l.iter().copied().fold(f64::INFINITY, f64::min)).sum();
        let mut price = [0.0; RESOURCES];
        let (mut kept, mut kept_bound) = (price, f64::INFINITY);
        let mut best: Option<(f64, Vec<usize>)> = None;
        for step in 0..200 {
            let choice: Vec<usize> = self.priced(&price).map(|values| first_max(&values)).collect();
            let cost = self.cost_of(&choice);
            let score: f64 = choice.iter().zip(&self.scores).map(|(&c, l)| l[c]).sum();
            if self.within(cost) && best.as_ref().is_none_or(|(s, _)| score > *s) {
                best = Some((score, choice));
            }
            let slack = |r: usize| self.finite_bound(r) - cost[r] as f64;
            let bound = score + (0..RESOURCES).map(|r| price[r] * slack(r)).sum::<f64>();
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
        (Prices { price: kept, suffix }, best)
    }

    /// Score less price of every candidate, layer by layer.
    fn priced(&self, price: &[f64; RESOURCES]) -> impl Iterator<Item = Vec<f64>> {
        let price = *price;
        self.scores.iter().zip(&self.costs).map(move |(scores, costs)| {
            let value = |(s, c): (&f64, &Cost)| s - (0..RESOURCES).map(|r| price[r] * c[r] as f64).sum::<f64>();
            scores.iter().zip(costs).map(value).collect()
        })
    }
}

/// Drops every label that another equals or beats in score and all costs.
fn undominated(mut labels: Vec<Label>) -> Vec<Label> {
    labels.sort_by(|a, b| a.cost.cmp(&b.cost).then(b.score.total_cmp(&a.score)));
    // By rising first cost: a label is beaten if an earlier one has no higher second cost and no
    // lower score. `front` has rising second costs and, strictly, rising scores.
    let mut front: std::collections::BTreeMap<u64, f64> = std::collections::BTreeMap::new();
    labels.retain(|label| {
        let beaten = front.range(..=label.cost[1]).next_back().is_some_and(|(_, &score)| score >= label.score);
        if !beaten {
            let worse: Vec<u64> = front
                .range(label.cost[1]..)
                .take_while(|(_, score)| **score <= label.score)
                .map(|(cost, _)| *cost)
                .collect();
            worse.iter().for_each(|cost| {
                front.remove(cost);
            });
            front.insert(label.cost[1], label.score);
        }
        !beaten
    });
    labels
}

fn trace(table: &[Vec<Label>], end: usize) -> Vec<usize> {
    let mut at = end;
    let mut choice: Vec<usize> = table
        .iter()
        .rev()
        .map(|labels| {
            let label = &labels[at];
            at = label.before;
            label.candidate
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

/// The first of the largest values.
pub(crate) fn first_max(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every combination.
    fn brute(problem: &Bounded) -> Option<f64> {
        fn go(p: &Bounded, layer: usize, score: f64, cost: Cost, best: &mut Option<f64>) {
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
        go(problem, 0, 0.0, [0; RESOURCES], &mut best);
        best
    }

    fn score(problem: &Bounded, choice: &[usize]) -> f64 {
        choice.iter().zip(&problem.scores).map(|(&c, l)| l[c]).sum()
    }

    /// Layers of candidates with scores and two costs, and bounds somewhere in their range.
    fn problems() -> impl Strategy<Value = Bounded> {
        let candidate = (-8.0f64..0.0, 0u64..40, 0u64..40);
        let layers = prop::collection::vec(prop::collection::vec(candidate, 1..5), 1..7);
        (layers, 0.0f64..1.2, 0.0f64..1.2, any::<[bool; 2]>()).prop_map(|(layers, a, b, open)| {
            let scores = layers.iter().map(|l| l.iter().map(|c| c.0).collect()).collect();
            let costs: Vec<Vec<Cost>> = layers.iter().map(|l| l.iter().map(|c| [c.1, c.2]).collect()).collect();
            let most = |r: usize| costs.iter().map(|l| l.iter().map(|c| c[r]).max().unwrap_or(0)).sum::<u64>() as f64;
            let bound = |r: usize, share: f64| if open[r] { u64::MAX } else { (most(r) * share) as u64 };
            let bounds = [bound(0, a), bound(1, b)];
            Bounded { scores, costs, bounds }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn the_choice_is_the_best_of_all_combinations(problem in problems()) {
            match (problem.solve(), brute(&problem)) {
                (None, None) => {}
                (Some(choice), Some(best)) => {
                    prop_assert!(problem.within(problem.cost_of(&choice)));
                    prop_assert!((score(&problem, &choice) - best).abs() < 1e-9, "{} against {best}", score(&problem, &choice));
                }
                (found, best) => prop_assert!(false, "{found:?} against {best:?}"),
            }
        }

        #[test]
        fn the_least_cost_is_within_reach_and_no_less_is(problem in problems(), resource in 0usize..RESOURCES) {
            if let Some(least) = problem.least(resource) {
                let mut tight = problem.clone();
                tight.bounds[resource] = least;
                prop_assert!(tight.solve().is_some());
                if least > 0 {
                    tight.bounds[resource] = least - 1;
                    prop_assert!(tight.solve().is_none());
                }
            } else {
                let mut other = problem.clone();
                other.bounds[resource] = u64::MAX;
                prop_assert!(brute(&other).is_none());
            }
        }
    }

    #[test]
    fn without_bounds_each_layer_keeps_its_first_best() {
        let problem = Bounded {
            scores: vec![vec![-1.0, -1.0, -2.0], vec![-3.0, -0.5, -0.5]],
            costs: vec![vec![[9, 9]; 3]; 2],
            bounds: [u64::MAX; 2],
        };
        assert_eq!(problem.solve(), Some(vec![0, 1]));
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
        let problem = Bounded { scores, costs, bounds: [most / 2, 13 * 150] };
        let choice = problem.solve().expect("half of the most is enough");
        assert!(problem.within(problem.cost_of(&choice)));
        let unbounded = Bounded { bounds: [u64::MAX; 2], ..problem.clone() };
        let free = unbounded.solve().expect("nothing is bounded");
        assert!(score(&problem, &choice) < score(&problem, &free));
    }
}
