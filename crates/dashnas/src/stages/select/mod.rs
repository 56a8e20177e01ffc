//! From architecture parameters to an architecture (§3.3): the most probable candidate of each layer, or the most
//! probable network within bounds on its size and speed.
//!
//! The log-probability of a network is Σ log p over its layers, with p = softmax(α) of the layer's candidate. Without
//! bounds its maximum is the argmax of α in each layer.

mod knapsack;
mod latency;

use crate::config::sections::BudgetConfig;
use crate::error::Error;
use crate::problem::build::{graph, network_of_width};
use crate::problem::state::Problem;
use crate::stages::select::knapsack::{Cost, Knapsack};
use crate::stages::select::latency::{Latencies, seconds};
use aggconv::{Candidate, KernelSpace};
use burn::tensor::Device;
use dashnas_core::math::argmax;
use dashnas_nn::graph::node::Convolution;
use dashnas_nn::graph::topology::Graph;
use dashnas_nn::network::Network;

/// Upper bounds on the size and the latency of a network.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    /// Number of trainable parameters.
    pub params: Option<u64>,
    /// Seconds of a forward pass of one sample.
    pub latency: Option<f64>,
}

impl Bounds {
    /// The bounds of a configuration.
    pub fn of(budget: &BudgetConfig) -> Self {
        Self {
            params: (budget.max_params > 0).then_some(budget.max_params),
            latency: (budget.max_latency > 0.0).then_some(budget.max_latency * 1e-3),
        }
    }

    /// Whether there is any bound.
    pub fn any(&self) -> bool {
        self.params.is_some() || self.latency.is_some()
    }
}

/// The network in which kernels are selected.
#[derive(Debug, Clone, Copy)]
pub struct SearchedNetwork<'a> {
    /// The graph, at the width of retraining.
    pub graph: &'a Graph,
    /// The candidates of every layer.
    pub candidates: &'a [Candidate],
}

/// The selected candidate of each layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// One index into the candidates for each layer.
    pub choice: Vec<usize>,
    /// Seconds of a forward pass of one sample, measured only if the latency is bounded.
    pub latency: Option<f64>,
}

/// Selects kernels for the network of a problem at a width.
struct Selector<'a> {
    problem: &'a Problem,
    width: usize,
    graph: Graph,
    candidates: &'a [Candidate],
    device: Device,
}

impl<'a> Selector<'a> {
    /// `device` may record gradients; measurements do not.
    fn new(problem: &'a Problem, width: usize, candidates: &'a [Candidate], device: &Device) -> Self {
        let graph = graph(problem, width);
        Self { problem, width, graph, candidates, device: device.clone().inner() }
    }

    fn layers(&self) -> usize {
        self.graph.searched().len()
    }

    fn kernels(&self, choice: &[usize]) -> Vec<[usize; 2]> {
        choice.iter().map(|&c| [self.candidates[c].k, self.candidates[c].d]).collect()
    }

    fn built(&self, choice: &[usize]) -> Network {
        network_of_width(self.problem, self.width, &self.kernels(choice), &self.device)
    }

    fn seconds(&self, choice: &[usize]) -> f64 {
        seconds(&self.built(choice), self.problem.setup.train.input())
    }

    /// The smallest kernel in every layer: it has the fewest parameters and nearly always the least latency.
    fn smallest(&self) -> Vec<usize> {
        let least = (0..self.candidates.len()).min_by_key(|&c| self.candidates[c]).unwrap_or(0);
        vec![least; self.layers()]
    }

    /// The choice with the largest sum of scores `[layer][candidate]` within the bounds.
    fn select(&self, scores: &[Vec<f64>], bounds: Bounds) -> Result<Selection, Error> {
        let network = SearchedNetwork { graph: &self.graph, candidates: self.candidates };
        let input = self.problem.setup.train.input();
        let table = || Latencies::measure(&self.graph, input, self.candidates, &self.built(&self.smallest()));
        select(scores, bounds, network, table, |choice| self.seconds(choice))
    }
}

/// The most probable candidate of each layer by the probabilities `[layer][candidate]`, within the bounds of the
/// configuration, at the width of retraining.
///
/// # Errors
/// [`Error::Bound`] if no architecture is within the bounds.
pub(crate) fn most_probable(
    problem: &Problem,
    probabilities: &[Vec<f64>],
    space: &KernelSpace,
    device: &Device,
) -> Result<Vec<usize>, Error> {
    let bounds = Bounds::of(&problem.config().budget);
    if !bounds.any() {
        return Ok(probabilities.iter().map(|layer| argmax(layer)).collect());
    }
    // A candidate whose probability has underflowed to 0 can still be chosen, after all others.
    let log = |layer: &Vec<f64>| layer.iter().map(|p| p.max(f64::MIN_POSITIVE).ln()).collect();
    let log_p: Vec<Vec<f64>> = probabilities.iter().map(log).collect();
    let selector = Selector::new(problem, problem.config().backbone.width, space.candidates(), device);
    let selection = selector.select(&log_p, bounds)?;
    if let Some(latency) = selection.latency {
        tracing::info!("the network takes {:.3} ms for one sample", latency * 1e3);
    }
    Ok(selection.choice)
}

/// Checks that some architecture of a width is within the bounds of the configuration, before time is spent on the
/// search: the one with the given kernels, if they are given.
///
/// # Errors
/// [`Error::Bound`] with the smallest bound that can be met; [`Error::GivenBound`] if the kernels are given.
pub(crate) fn check_possible(problem: &Problem, width: usize, device: &Device) -> Result<(), Error> {
    let bounds = Bounds::of(&problem.config().budget);
    if !bounds.any() {
        return Ok(());
    }
    if let Some(kernels) = &problem.config().search.kernels {
        return check_given(problem, kernels, width, bounds, device);
    }
    let space = KernelSpace::new(problem.config().kernel_sizes(problem.setup.dims()), problem.config().dilations())?;
    let selector = Selector::new(problem, width, space.candidates(), device);
    let equal_scores = vec![vec![0.0; space.len()]; selector.layers()];
    // Timing every candidate takes long where layers are large, so it is done only if the smallest kernels are too slow.
    let fast = |most: f64| selector.seconds(&selector.smallest()) <= most;
    let unmet = Bounds { latency: bounds.latency.filter(|&most| !fast(most)), ..bounds };
    selector.select(&equal_scores, unmet).map(drop)
}

/// Checks that the network with the given kernels is within bounds at a width.
///
/// # Errors
/// [`Error::GivenBound`] with the value of the network.
fn check_given(
    problem: &Problem,
    kernels: &[[usize; 2]],
    width: usize,
    bounds: Bounds,
    device: &Device,
) -> Result<(), Error> {
    if let Some(most) = bounds.params {
        let params = graph(problem, width).params(kernels);
        if params > most {
            let (bound, least) = (format!("{most} parameters"), format!("{params} parameters"));
            return Err(Error::GivenBound { key: "budget.max-params", bound, least });
        }
    }
    let Some(most) = bounds.latency else { return Ok(()) };
    let network = network_of_width(problem, width, kernels, &device.clone().inner());
    let measured = seconds(&network, problem.setup.train.input());
    if measured > most {
        let (bound, least) = (format!("{:.3} ms", most * 1e3), format!("{:.3} ms", measured * 1e3));
        return Err(Error::GivenBound { key: "budget.max-latency", bound, least });
    }
    Ok(())
}

/// The given kernels, one for each searched layer, or, if they exceed the bounds, the kernels within the bounds that are
/// nearest to them in size.
///
/// # Errors
/// [`Error::Bound`] if no architecture is within the bounds.
pub(crate) fn nearest_kernels(
    problem: &Problem,
    own: &[[usize; 2]],
    bounds: Bounds,
    device: &Device,
) -> Result<Vec<[usize; 2]>, Error> {
    if !bounds.any() {
        return Ok(own.to_vec());
    }
    let mut candidates: Vec<Candidate> = own.iter().map(|&[k, d]| Candidate { k, d }).collect();
    candidates.extend(problem.config().kernel_sizes(problem.setup.dims()).into_iter().map(|k| Candidate { k, d: 1 }));
    candidates.sort_unstable();
    candidates.dedup();
    // The distance from an original kernel: the absolute logarithms of the ratios of sizes and of dilations.
    let distance =
        |[k, d]: [usize; 2], c: &Candidate| (c.k as f64 / k as f64).ln().abs() + (c.d as f64 / d as f64).ln().abs();
    let scores: Vec<Vec<f64>> =
        own.iter().map(|&kernel| candidates.iter().map(|c| -distance(kernel, c)).collect()).collect();
    let selector = Selector::new(problem, problem.config().backbone.width, &candidates, device);
    let choice = selector.select(&scores, bounds)?.choice;
    Ok(selector.kernels(&choice))
}

/// The number of networks that are measured and found too slow before the fastest one is tried.
const ATTEMPTS: usize = 8;

/// The most probable choice within the bounds, by the log-probabilities `[layer][candidate]`; of equally probable
/// candidates, the smaller kernel.
///
/// `measure` times the whole network of a choice; `table` gives the latency of its parts. The sum of the parts is a
/// model: the network chosen by it is measured, and if it exceeds the bound, the bound on the model is lowered in
/// proportion.
///
/// # Errors
/// [`Error::Bound`] with the smallest bound that can be met, if no choice is within the bounds.
fn select(
    log_p: &[Vec<f64>],
    bounds: Bounds,
    network: SearchedNetwork<'_>,
    table: impl FnOnce() -> Latencies,
    mut measure: impl FnMut(&[usize]) -> f64,
) -> Result<Selection, Error> {
    let latencies = bounds.latency.map(|_| table());
    let mut knapsack = Knapsack {
        scores: log_p.to_vec(),
        costs: costs(network, latencies.as_ref()),
        bounds: [bounds.params.unwrap_or(u64::MAX), u64::MAX],
    };
    let fixed = network.graph.fixed_params();
    if let Some(most) = bounds.params {
        knapsack.bounds[0] = most.saturating_sub(fixed);
        let least = knapsack.least(0).unwrap_or(0).saturating_add(fixed);
        if least > most {
            return Err(Error::Bound {
                key: "budget.max-params",
                bound: format!("{most} parameters"),
                least: format!("{least} parameters"),
            });
        }
    }
    let (Some(most), Some(latencies)) = (bounds.latency, &latencies) else {
        // Some choice is within the bound, as was found above.
        let choice = knapsack.solve().unwrap_or_default();
        return Ok(Selection { choice, latency: None });
    };
    let rest = microseconds(latencies.rest);
    let mut allowed = most;
    for _ in 0..ATTEMPTS {
        knapsack.bounds[1] = ((allowed * 1e6) as u64).saturating_sub(rest);
        let Some(choice) = knapsack.solve() else { break };
        let measured = measure(&choice);
        if measured <= most {
            return Ok(Selection { choice, latency: Some(measured) });
        }
        allowed *= (most / measured).min(0.98);
    }
    // No network that the model allows is fast enough: the fastest one is tried last.
    let mut fastest = knapsack.clone();
    fastest.bounds[1] = u64::MAX;
    fastest.scores = knapsack.costs.iter().map(|layer| layer.iter().map(|cost| -(cost[1] as f64)).collect()).collect();
    let choice = fastest.solve().unwrap_or_default();
    let measured = measure(&choice);
    if measured <= most {
        return Ok(Selection { choice, latency: Some(measured) });
    }
    Err(Error::Bound {
        key: "budget.max-latency",
        bound: format!("{:.3} ms", most * 1e3),
        least: format!("{:.3} ms", measured * 1e3),
    })
}

/// Parameters and microseconds of every candidate in every searched layer.
fn costs(network: SearchedNetwork<'_>, latencies: Option<&Latencies>) -> Vec<Vec<Cost>> {
    let layer = |(l, conv): (usize, &Convolution)| {
        let cost = |(c, candidate): (usize, &Candidate)| {
            let params = conv.params(candidate.k, network.graph.dims());
            [params, latencies.map_or(0, |t| microseconds(t.layers[l][c]))]
        };
        network.candidates.iter().enumerate().map(cost).collect()
    };
    network.graph.searched().into_iter().enumerate().map(layer).collect()
}

/// Whole microseconds, rounded up so that a sum of them within a bound is really within it.
fn microseconds(seconds: f64) -> u64 {
    (seconds * 1e6).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example_network::wrn_1d;
    use aggconv::KernelSpace;

    fn space() -> KernelSpace {
        KernelSpace::new([3, 7, 11], [1, 3]).expect("a valid space")
    }

    /// Log-probabilities that prefer larger kernels.
    fn scores(layers: usize, candidates: usize) -> Vec<Vec<f64>> {
        (0..layers).map(|l| (0..candidates).map(|c| -3.0 + 0.3 * c as f64 + 0.01 * l as f64).collect()).collect()
    }

    fn run(
        bounds: Bounds,
        latencies: Latencies,
        measure: impl FnMut(&[usize]) -> f64,
    ) -> Result<(Selection, u64), Error> {
        let (graph, space) = (wrn_1d(), space());
        let network = SearchedNetwork { graph: &graph, candidates: space.candidates() };
        let log_p = scores(9, 6);
        let selection = select(&log_p, bounds, network, || latencies, measure)?;
        let convs: u64 = selection
            .choice
            .iter()
            .zip(graph.searched())
            .map(|(&c, conv)| conv.params(space.candidates()[c].k, 1))
            .sum();
        let params = convs + graph.fixed_params();
        Ok((selection, params))
    }

    fn table(rest: f64) -> Latencies {
        // Candidate c takes 1 + c tenths of a millisecond.
        Latencies { layers: vec![(0..6).map(|c| 1e-4 * f64::from(1 + c)).collect(); 9], rest }
    }

    #[test]
    fn without_bounds_each_layer_gets_its_most_probable_kernel() {
        let (selection, _) = run(Bounds::default(), table(0.0), |_| 0.0).expect("nothing is bounded");
        assert_eq!(selection, Selection { choice: vec![5; 9], latency: None });
    }

    #[test]
    fn parameters_stay_within_their_bound_and_its_absence_is_named() {
        let (free, most) = run(Bounds::default(), table(0.0), |_| 0.0).expect("nothing is bounded");
        let half = Bounds { params: Some(most / 2), latency: None };
        let (selection, params) = run(half, table(0.0), |_| 0.0).expect("half is enough");
        assert!(params <= most / 2 && selection.choice != free.choice);
        let Err(Error::Bound { key, least, .. }) = run(Bounds { params: Some(10), ..half }, table(0.0), |_| 0.0) else {
            panic!("ten parameters are no network")
        };
        assert_eq!(key, "budget.max-params");
        let least: u64 = least.trim_end_matches(" parameters").parse().expect("a number");
        let (_, params) = run(Bounds { params: Some(least), latency: None }, table(0.0), |_| 0.0).expect("the least");
        assert_eq!(params, least);
        assert!(run(Bounds { params: Some(least - 1), latency: None }, table(0.0), |_| 0.0).is_err());
    }

    #[test]
    fn a_model_that_underestimates_is_corrected_by_measurements() {
        // Whole networks take 1.3 times the sum of their layers.
        let measure = |choice: &[usize]| 1.3 * (1e-4 * choice.iter().map(|c| 1.0 + *c as f64).sum::<f64>() + 1e-3);
        let bounds = Bounds { params: None, latency: Some(4e-3) };
        let (selection, _) = run(bounds, table(1e-3), measure).expect("it can be met");
        let measured = selection.latency.expect("it was bounded");
        assert!(measured <= 4e-3 && measured == measure(&selection.choice));
        assert!(measured > 3e-3, "the bound is used: {measured}");

        let tight = Bounds { params: None, latency: Some(2e-3) };
        let Err(Error::Bound { key: "budget.max-latency", least, .. }) = run(tight, table(1e-3), measure) else {
            panic!("1.3 · (9 · 0.1 + 1) ms is more than 2 ms")
        };
        assert_eq!(least, "2.470 ms");
    }
}
