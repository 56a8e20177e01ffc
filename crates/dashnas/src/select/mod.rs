//! From architecture parameters to an architecture (§3.3): the strongest candidate of each layer,
//! or the strongest network within bounds on its size and speed.
//!
//! The strength of a network is Σ log p over its layers, p = softmax(α): the probability that
//! each layer drew its candidate. Without bounds its maximum is argmax α in each layer.

mod bounded;
mod latency;

pub(crate) use bounded::first_max;
pub use bounded::{Bounded, Cost, RESOURCES};
pub use latency::{Latencies, seconds};

use crate::backbone::graph::{Convolution, Graph};
use crate::config::BudgetConfig;
use crate::error::Error;
use crate::network::Network;
use crate::problem::Problem;
use crate::tune::network_of_width;
use aggconv::{Candidate, KernelSpace};
use burn::tensor::Device;

/// What a network may cost at most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    /// Trained numbers.
    pub params: Option<u64>,
    /// Seconds of a forward pass of one sample.
    pub latency: Option<f64>,
}

impl Bounds {
    /// Those of a configuration.
    pub fn of(budget: &BudgetConfig) -> Self {
        Self {
            params: (budget.max_params > 0).then_some(budget.max_params),
            latency: (budget.max_latency > 0.0).then_some(budget.max_latency * 1e-3),
        }
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.params.is_some() || self.latency.is_some()
    }
}

/// The topology that an architecture is for.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The graph, at the width of retraining.
    pub graph: &'a Graph,
    /// The candidates of every layer.
    pub candidates: &'a [Candidate],
}

/// Which candidate each layer gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// One index into the candidates for each layer.
    pub choice: Vec<usize>,
    /// Seconds that the network took for one sample, where that was bounded.
    pub latency: Option<f64>,
}

/// What a choice within bounds is made in: a problem's network at a width, and the candidates of its layers.
struct Choosing<'a> {
    problem: &'a Problem,
    width: usize,
    graph: Graph,
    candidates: &'a [Candidate],
    device: Device,
}

impl<'a> Choosing<'a> {
    /// `device` may record gradients; measuring does not.
    fn new(problem: &'a Problem, width: usize, candidates: &'a [Candidate], device: &Device) -> Self {
        let graph = crate::architecture::graph(problem, width);
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
        seconds(&self.built(choice), self.problem.train.input())
    }

    /// The smallest kernels everywhere: the least parameters, and what is nearly always the least time.
    fn smallest(&self) -> Vec<usize> {
        let least = (0..self.candidates.len()).min_by_key(|&c| self.candidates[c]).unwrap_or(0);
        vec![least; self.layers()]
    }

    /// The choice with the largest sum of scores `[layer][candidate]` within the bounds.
    fn select(&self, scores: &[Vec<f64>], bounds: Bounds) -> Result<Selection, Error> {
        let frame = Frame { graph: &self.graph, candidates: self.candidates };
        let input = self.problem.train.input();
        let table = || Latencies::measure(&self.graph, input, self.candidates, &self.built(&self.smallest()));
        select(scores, bounds, frame, table, |choice| self.seconds(choice))
    }
}

/// The strongest candidate of each layer by the probabilities `[layer][candidate]`, within the
/// bounds of a problem's configuration, at the width of retraining.
///
/// # Errors
/// [`Error::Bound`] if no architecture is within them.
pub(crate) fn strongest(
    problem: &Problem,
    probabilities: &[Vec<f64>],
    space: &KernelSpace,
    device: &Device,
) -> Result<Vec<usize>, Error> {
    let bounds = Bounds::of(&problem.config.budget);
    if !bounds.any() {
        return Ok(probabilities.iter().map(|layer| first_max(layer)).collect());
    }
    // A probability that has underflowed is still a choice, if the last one.
    let log = |layer: &Vec<f64>| layer.iter().map(|p| p.max(f64::MIN_POSITIVE).ln()).collect();
    let log_p: Vec<Vec<f64>> = probabilities.iter().map(log).collect();
    let choosing = Choosing::new(problem, problem.config.backbone.width, space.candidates(), device);
    let selection = choosing.select(&log_p, bounds)?;
    if let Some(latency) = selection.latency {
        tracing::info!("the network takes {:.3} ms for one sample", latency * 1e3);
    }
    Ok(selection.choice)
}

/// Checks that some architecture of a width is within the bounds of a problem's configuration, before time is spent
/// on finding the strongest.
///
/// # Errors
/// [`Error::Bound`] with the least that can be met.
pub(crate) fn possible(problem: &Problem, width: usize, device: &Device) -> Result<(), Error> {
    let bounds = Bounds::of(&problem.config.budget);
    if !bounds.any() {
        return Ok(());
    }
    let space = KernelSpace::new(problem.config.kernel_sizes(problem.dims()), problem.config.dilations())?;
    let choosing = Choosing::new(problem, width, space.candidates(), device);
    let indifferent = vec![vec![0.0; space.len()]; choosing.layers()];
    // Timing every candidate takes long where layers are large: only if the likely fastest is too slow.
    let fast = |most: f64| choosing.seconds(&choosing.smallest()) <= most;
    let left = Bounds { latency: bounds.latency.filter(|&most| !fast(most)), ..bounds };
    choosing.select(&indifferent, left).map(drop)
}

/// The backbone's own kernels, or, where those are not within the bounds of a problem's configuration, the kernels
/// nearest to them in size that are.
///
/// # Errors
/// [`Error::Bound`] if no architecture is within them.
pub(crate) fn nearest(problem: &Problem, own: &[[usize; 2]], device: &Device) -> Result<Vec<[usize; 2]>, Error> {
    let bounds = Bounds::of(&problem.config.budget);
    if !bounds.any() {
        return Ok(own.to_vec());
    }
    let mut candidates: Vec<Candidate> = own.iter().map(|&[k, d]| Candidate { k, d }).collect();
    candidates.extend(problem.config.kernel_sizes(problem.dims()).into_iter().map(|k| Candidate { k, d: 1 }));
    candidates.sort_unstable();
    candidates.dedup();
    // How many times as large as its own, or its own as it.
    let far =
        |[k, d]: [usize; 2], c: &Candidate| (c.k as f64 / k as f64).ln().abs() + (c.d as f64 / d as f64).ln().abs();
    let scores: Vec<Vec<f64>> =
        own.iter().map(|&kernel| candidates.iter().map(|c| -far(kernel, c)).collect()).collect();
    let choosing = Choosing::new(problem, problem.config.backbone.width, &candidates, device);
    let choice = choosing.select(&scores, bounds)?.choice;
    Ok(choosing.kernels(&choice))
}

/// Slower networks than wanted that are measured before the fastest is taken.
const ATTEMPTS: usize = 8;

/// The strongest choice within the bounds, of the log-probabilities `[layer][candidate]`. Where
/// candidates are equal, the smaller kernel.
///
/// `measure` times whole networks of a given choice; `table` gives the latency of their parts. The
/// sum of parts is a model: the network chosen by it is measured, and where it is slower than the
/// bound the model is told by how much.
///
/// # Errors
/// [`Error::Bound`] with the smallest value that could be met, if these cannot.
pub fn select(
    log_p: &[Vec<f64>],
    bounds: Bounds,
    frame: Frame<'_>,
    table: impl FnOnce() -> Latencies,
    mut measure: impl FnMut(&[usize]) -> f64,
) -> Result<Selection, Error> {
    let latencies = bounds.latency.map(|_| table());
    let mut problem = Bounded {
        scores: log_p.to_vec(),
        costs: costs(frame, latencies.as_ref()),
        bounds: [bounds.params.unwrap_or(u64::MAX), u64::MAX],
    };
    let fixed = frame.graph.fixed_params();
    if let Some(most) = bounds.params {
        problem.bounds[0] = most.saturating_sub(fixed);
        let least = problem.least(0).unwrap_or(0).saturating_add(fixed);
        if least > most {
            return Err(Error::Bound {
                key: "budget.max-params",
                bound: format!("{most} parameters"),
                least: format!("{least} parameters"),
            });
        }
    }
    let (Some(most), Some(latencies)) = (bounds.latency, &latencies) else {
        // The bound was found to be met by some choice.
        let choice = problem.solve().unwrap_or_default();
        return Ok(Selection { choice, latency: None });
    };
    let rest = microseconds(latencies.rest);
    let mut allowed = most;
    for _ in 0..ATTEMPTS {
        problem.bounds[1] = ((allowed * 1e6) as u64).saturating_sub(rest);
        let Some(choice) = problem.solve() else { break };
        let measured = measure(&choice);
        if measured <= most {
            return Ok(Selection { choice, latency: Some(measured) });
        }
        allowed *= (most / measured).min(0.98);
    }
    // Nothing the model allows is fast enough: only the fastest is left to try.
    let mut fastest = problem.clone();
    fastest.bounds[1] = u64::MAX;
    fastest.scores = problem.costs.iter().map(|layer| layer.iter().map(|cost| -(cost[1] as f64)).collect()).collect();
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
fn costs(frame: Frame<'_>, latencies: Option<&Latencies>) -> Vec<Vec<Cost>> {
    let layer = |(l, conv): (usize, &Convolution)| {
        let cost = |(c, candidate): (usize, &Candidate)| {
            let params = conv.params(candidate.k, frame.graph.dims());
            [params, latencies.map_or(0, |t| microseconds(t.layers[l][c]))]
        };
        frame.candidates.iter().enumerate().map(cost).collect()
    };
    frame.graph.searched().into_iter().enumerate().map(layer).collect()
}

/// Whole microseconds, rounded up so that a sum within a bound is within it.
fn microseconds(seconds: f64) -> u64 {
    (seconds * 1e6).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::Shape;
    use crate::config::BackboneName;
    use aggconv::KernelSpace;

    fn graph() -> Graph {
        let shape = Shape { channels: 1, outputs: 3, dense: false, width: 1, base: Some(4), plain_kernels: &[7, 5, 3] };
        BackboneName::Wrn1d.resolve().graph(shape)
    }

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
        let (graph, space) = (graph(), space());
        let frame = Frame { graph: &graph, candidates: space.candidates() };
        let log_p = scores(9, 6);
        let selection = select(&log_p, bounds, frame, || latencies, measure)?;
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
    fn without_bounds_the_strongest_of_each_layer() {
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
    fn a_model_that_flatters_is_corrected_by_measuring() {
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
