//! What steps cost on this machine, by taking a few.

use super::plan::Prices;
use crate::architecture::plan;
use crate::config::Tuner;
use crate::error::Error;
use crate::loss::LossFn;
use crate::network::{Kernels, Network, Pass};
use crate::optim::{Sgd, SgdConfig, StepRule};
use crate::problem::Problem;
use crate::rng::Seed;
use crate::tune::workers;
use aggconv::KernelSpace;
use burn::module::Module;
use burn::tensor::Device;
use rayon::ThreadPoolBuilder;
use std::collections::HashMap;
use std::time::Instant;

/// Measures the steps of a problem. What was measured is not measured again.
pub struct Probe<'a> {
    problem: &'a Problem,
    space: KernelSpace,
    device: &'a Device,
    loss: LossFn,
    known: HashMap<Question, f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    Search { batch: usize },
    Train { width: usize, batch: usize },
    Evaluate { width: usize },
    SideBySide { width: usize, batch: usize },
}

/// Samples of the forward pass that evaluation is judged by.
const EVALUATED: usize = 32;
/// A step that takes longer than this is timed once: its noise is small, its cost is not.
const SLOW: f64 = 0.5;

/// Samples of the steps that tell whether a batch is slow.
const FEW: usize = 4;
/// A step that seems to take longer than this is not tried whole.
const LONG: f64 = 1.0;

/// Seconds at `samples` on the line through two measurements; no less than the larger one took,
/// and no more than in proportion to the smaller.
fn through(at: [usize; 2], seconds: [f64; 2], samples: usize) -> f64 {
    let [few, more] = at.map(|n| n as f64);
    let slope = if more > few { (seconds[1] - seconds[0]) / (more - few) } else { 0.0 };
    let line = seconds[0] + slope.max(0.0) * (samples as f64 - few);
    let most = seconds[0] * samples as f64 / few;
    line.min(most).max(seconds[0]).max(if samples as f64 >= more { seconds[1] } else { 0.0 })
}

/// Training steps that are timed.
struct Steps<'p, 'a> {
    probe: &'p Probe<'a>,
    network: Network,
    sgd: Sgd,
    round: u64,
}

impl Steps<'_, '_> {
    /// A step on the first samples, and its seconds. It changes no weight.
    fn take(mut self, samples: usize) -> (Self, f64) {
        let started = Instant::now();
        let (problem, device) = (self.probe.problem, self.probe.device);
        let rows: Vec<usize> = (0..samples).collect();
        let Ok((x, target)) = problem.train.batch(&rows, device) else {
            // The data is gone: the run ends with that error at its first step, whatever was measured.
            return (self, started.elapsed().as_secs_f64());
        };
        let mut noise = Seed(0).stream("probe", &[self.round]);
        let mut pass = Pass { noise: Some(&mut noise), temperature: 1.0, dropout: problem.config.retrain.dropout };
        let loss = self.probe.loss.forward(self.network.forward(x, &mut pass), &target);
        let _ = loss.clone().into_scalar::<f32>();
        let rule = StepRule { lr: 0.0, clip: Some(1.0), alpha: None };
        self.network = self.sgd.step(self.network, loss.backward(), &rule).0;
        self.round += 1;
        (self, started.elapsed().as_secs_f64())
    }
}

impl<'a> Probe<'a> {
    /// A probe of a problem on a device that records gradients.
    ///
    /// # Errors
    /// [`Error::Space`] if the configured kernel space is none.
    pub fn new(problem: &'a Problem, device: &'a Device) -> Result<Self, Error> {
        let config = &problem.config;
        let space = KernelSpace::new(config.kernel_sizes(problem.dims()), config.dilations())?;
        Ok(Self { problem, space, device, loss: problem.loss(device), known: HashMap::new() })
    }

    /// Seconds of a training step of a network with these kernels.
    pub fn network_step(&self, kernels: &[[usize; 2]], width: usize, batch: usize) -> f64 {
        self.step(self.fixed(kernels.to_vec(), width, self.device), batch, self.problem.budget.train_micro_batch)
    }

    /// A mix of all candidates over the layers: about what a search will find, as far as cost goes.
    fn mixed(&self, layers: usize) -> Vec<[usize; 2]> {
        let candidates = self.space.candidates();
        // A stride without a common divisor visits each candidate once before any twice.
        let stride = (candidates.len() / 2..).find(|s| gcd(*s, candidates.len()) == 1).unwrap_or(1);
        (0..layers).map(|l| &candidates[(l * stride + 1) % candidates.len()]).map(|c| [c.k, c.d]).collect()
    }

    fn fixed(&self, kernels: Vec<[usize; 2]>, width: usize, device: &Device) -> Network {
        self.network(&Kernels::Fixed(kernels), width, device)
    }

    fn network(&self, kernels: &Kernels, width: usize, device: &Device) -> Network {
        let (problem, plan) = (self.problem, plan(self.problem, width));
        let mut init = Seed(problem.config.seed).stream("probe", &[]);
        Network::new(&plan, problem.task.outputs(), problem.task.is_dense(), kernels, &mut init, device)
    }

    /// Seconds of a step on the first samples: one to warm up, then one or, if they are fast,
    /// the least of three. Of a batch that is computed in parts, one part is; of a batch so slow
    /// that measuring it would use up a short limit, two small parts are, and a line through them.
    fn step(&self, network: Network, batch: usize, micro_batch: Option<usize>) -> f64 {
        let whole = batch.min(self.problem.train.len());
        let part = micro_batch.map_or(whole, |part| part.clamp(1, whole));
        let retrain = &self.problem.config.retrain;
        let sgd = Sgd::new(SgdConfig { momentum: retrain.momentum, nesterov: retrain.nesterov, weight_decay: 0.0 });
        let mut steps = Steps { probe: self, network, sgd, round: 0 };
        // The first step also pays for memory and plans that the others find ready.
        let few = part.min(FEW);
        steps = steps.take(few).0;
        let once;
        (steps, once) = steps.take(few);
        if once * part as f64 / few as f64 > LONG {
            let more = (2 * few).min(part);
            let twice = if more > few { steps.take(more).1 } else { once };
            return through([few, more], [once, twice], part) * whole as f64 / part as f64;
        }
        let mut least = f64::INFINITY;
        for round in 0..4 {
            let seconds;
            (steps, seconds) = steps.take(part);
            if round > 0 {
                least = least.min(seconds);
                if seconds > SLOW {
                    break;
                }
            }
        }
        least * whole as f64 / part as f64
    }

    fn ask(&mut self, question: Question, measure: impl FnOnce(&Self) -> f64) -> f64 {
        if let Some(&known) = self.known.get(&question) {
            return known;
        }
        let seconds = measure(self);
        self.known.insert(question, seconds);
        seconds
    }
}

impl Prices for Probe<'_> {
    fn search_step(&mut self, batch: usize) -> f64 {
        self.ask(Question::Search { batch }, |probe| {
            let config = &probe.problem.config;
            let kernels = Kernels::Searched {
                space: probe.space.clone(),
                method: config.search.method,
                depthwise: config.backbone.depthwise,
                weight_std: config.search.weight_init_std,
                alpha_std: config.search.alpha_init_std,
            };
            let network = probe.network(&kernels, config.backbone.search_width, probe.device);
            probe.step(network, batch, probe.problem.budget.search_micro_batch)
        })
    }

    fn train_step(&mut self, width: usize, batch: usize) -> f64 {
        self.ask(Question::Train { width, batch }, |probe| {
            let layers = plan(probe.problem, width).searched().len();
            probe.network_step(&probe.mixed(layers), width, batch)
        })
    }

    fn side_by_side(&mut self, width: usize, batch: usize) -> f64 {
        let at_a_time = match self.problem.config.tune.tuner {
            Some(Tuner::Grid) => usize::MAX,
            _ => self.problem.config.asha.workers,
        };
        let workers = workers(self.problem).min(at_a_time);
        let alone = self.train_step(width, batch);
        if workers < 2 || alone > SLOW {
            // Operations so long leave the threads little to wait for.
            return 1.0;
        }
        self.ask(Question::SideBySide { width, batch }, |probe| {
            let threads = (rayon::current_num_threads() / workers).max(1);
            let layers = plan(probe.problem, width).searched().len();
            let step = || match ThreadPoolBuilder::new().num_threads(threads).build() {
                Ok(pool) => pool.install(|| probe.network_step(&probe.mixed(layers), width, batch)),
                Err(_) => alone,
            };
            let seconds: f64 = std::thread::scope(|scope| {
                let all: Vec<_> = (0..workers).map(|_| scope.spawn(step)).collect();
                all.into_iter().map(|one| one.join().unwrap_or(alone)).sum()
            });
            // The mean of them, of which there are as many at a time.
            let each = seconds / workers as f64 / workers as f64;
            (each / alone).clamp(1.0 / workers as f64, 1.0)
        })
    }

    fn evaluate(&mut self, width: usize) -> f64 {
        self.ask(Question::Evaluate { width }, |probe| {
            let layers = plan(probe.problem, width).searched().len();
            let network = probe.fixed(probe.mixed(layers), width, probe.device).valid();
            let inner = probe.device.clone().inner();
            let rows: Vec<usize> = {
                let samples = EVALUATED.min(probe.problem.budget.evaluation_batch).min(probe.problem.train.len());
                (0..samples).collect()
            };
            let run = || {
                let started = Instant::now();
                // Where the data is gone, the run ends with that error at its first step.
                if let Ok(x) = probe.problem.train.inputs(&rows, &inner) {
                    drop(network.forward(x, &mut Pass::evaluation(1.0)).into_data());
                }
                started.elapsed().as_secs_f64() / rows.len() as f64
            };
            run();
            run()
        })
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_step_is_judged_by_two_small_ones() {
        // 1 s whatever the batch and 0.5 s a sample.
        assert!((through([4, 8], [3.0, 5.0], 64) - 33.0).abs() < 1e-9);
        // All of it in proportion; all of it fixed; noise that says that more takes less.
        assert!((through([4, 8], [2.0, 4.0], 64) - 32.0).abs() < 1e-9);
        assert_eq!(through([4, 8], [2.0, 2.0], 64), 2.0);
        assert_eq!(through([4, 8], [2.0, 1.5], 64), 2.0);
        // More than in proportion is a disturbance.
        assert_eq!(through([4, 8], [2.0, 9.0], 64), 32.0);
        // Nothing larger was there to measure.
        assert_eq!(through([3, 3], [2.0, 2.0], 3), 2.0);
    }
}
