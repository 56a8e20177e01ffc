//! What steps cost on this machine, by taking a few.

use super::ladder::Ladder;
use super::plan::{EvaluationPrice, Prices};
use crate::architecture::graph;
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
use std::cell::OnceCell;
use std::collections::HashMap;
use std::time::Instant;

/// Measures the steps of a problem. What was measured is not measured again.
pub struct Probe<'a> {
    problem: &'a Problem,
    space: KernelSpace,
    device: &'a Device,
    loss: LossFn,
    ladders: HashMap<Work, Ladder>,
    /// The kernels that were found, if they were; a mix of all candidates stands for them before.
    kernels: Option<Vec<[usize; 2]>>,
    /// What steps side by side take, by width and batch.
    shares: HashMap<(usize, usize), f64>,
}

/// Work that is timed on batches of several sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Work {
    Search,
    Train { width: usize },
    Evaluate { width: usize, plain: bool },
}

/// Steps that take longer leave the threads little to wait for.
const SLOW: f64 = 0.5;

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
        Ok(Self {
            problem,
            space,
            device,
            loss: problem.loss(device),
            ladders: HashMap::new(),
            kernels: None,
            shares: HashMap::new(),
        })
    }

    /// The same of a network with the kernels that were found. Nothing is measured yet.
    #[must_use]
    pub fn of(self, kernels: Vec<[usize; 2]>) -> Self {
        Self { kernels: Some(kernels), ladders: HashMap::new(), shares: HashMap::new(), ..self }
    }

    fn train(&self, ladder: &mut Ladder, kernels: &[[usize; 2]], width: usize, batch: usize) -> f64 {
        let network = || self.fixed(kernels.to_vec(), width, self.device);
        self.step(ladder, network, batch, self.problem.budget.train_micro_batch)
    }

    /// The kernels that were found, or a mix of all candidates over the layers: about what a search will find, as far
    /// as cost goes.
    fn kernels(&self, width: usize) -> Vec<[usize; 2]> {
        if let Some(found) = &self.kernels {
            return found.clone();
        }
        let layers = graph(self.problem, width).searched().len();
        let candidates = self.space.candidates();
        // A stride without a common divisor visits each candidate once before any twice.
        let stride = (candidates.len() / 2..).find(|s| gcd(*s, candidates.len()) == 1).unwrap_or(1);
        (0..layers).map(|l| &candidates[(l * stride + 1) % candidates.len()]).map(|c| [c.k, c.d]).collect()
    }

    fn fixed(&self, kernels: Vec<[usize; 2]>, width: usize, device: &Device) -> Network {
        self.network(&Kernels::Fixed(kernels), width, device)
    }

    fn network(&self, kernels: &Kernels, width: usize, device: &Device) -> Network {
        let mut init = Seed(self.problem.config.seed).stream("probe", &[]);
        Network::new(&graph(self.problem, width), kernels, &mut init, device)
    }

    /// Seconds of a step: of a batch that is computed in parts, as many times those of one.
    fn step(
        &self,
        ladder: &mut Ladder,
        network: impl Fn() -> Network,
        batch: usize,
        micro_batch: Option<usize>,
    ) -> f64 {
        let whole = batch.min(self.problem.train.len());
        let part = micro_batch.map_or(whole, |part| part.clamp(1, whole));
        let retrain = &self.problem.config.retrain;
        let rule = SgdConfig { momentum: retrain.momentum, nesterov: retrain.nesterov, weight_decay: 0.0 };
        let mut steps = None;
        let seconds = ladder.price(part, |samples| {
            let start = || Steps { probe: self, network: network(), sgd: Sgd::new(rule), round: 0 };
            let (after, seconds) = steps.take().unwrap_or_else(start).take(samples);
            steps = Some(after);
            seconds
        });
        seconds * whole as f64 / part as f64
    }

    /// The price of evaluating a network, in batches of the size that evaluation takes.
    fn evaluating(&self, ladder: &mut Ladder, kernels: &[[usize; 2]], width: usize) -> EvaluationPrice {
        let batch = self.problem.evaluation_batch(&self.problem.train).min(self.problem.train.len()).max(1);
        let network = OnceCell::new();
        let seconds = ladder.price(batch, |samples| {
            let network = network.get_or_init(|| self.fixed(kernels.to_vec(), width, self.device).valid());
            rehearse(self.problem, network, samples, self.device)
        });
        let (top, top_seconds) = ladder.top(batch).unwrap_or((batch, seconds));
        EvaluationPrice { sample: seconds / batch as f64, batch: top, seconds: top_seconds }
    }

    /// Measures on the ladder of some work.
    fn ask<T>(&mut self, work: Work, measure: impl FnOnce(&Self, &mut Ladder) -> T) -> T {
        let mut ladder = self.ladders.remove(&work).unwrap_or_default();
        let answer = measure(self, &mut ladder);
        self.ladders.insert(work, ladder);
        answer
    }
}

impl Prices for Probe<'_> {
    fn search_step(&mut self, batch: usize) -> f64 {
        self.ask(Work::Search, |probe, ladder| {
            let config = &probe.problem.config;
            let kernels = Kernels::Searched {
                space: probe.space.clone(),
                formulation: config.search.formulation,
                depthwise: config.backbone.depthwise,
                weight_std: config.search.weight_init_std,
                alpha_std: config.search.alpha_init_std,
            };
            let network = || probe.network(&kernels, config.backbone.search_width, probe.device);
            probe.step(ladder, network, batch, probe.problem.budget.search_micro_batch)
        })
    }

    fn train_step(&mut self, width: usize, batch: usize) -> f64 {
        self.ask(Work::Train { width }, |probe, ladder| probe.train(ladder, &probe.kernels(width), width, batch))
    }

    fn side_by_side(&mut self, width: usize, batch: usize) -> f64 {
        let at_a_time = match self.problem.config.tune.tuner {
            Some(Tuner::Grid) => usize::MAX,
            _ => self.problem.config.asha.workers,
        };
        let workers = workers(self.problem).min(at_a_time);
        let alone = self.train_step(width, batch);
        if workers < 2 || alone > SLOW {
            return 1.0;
        }
        if let Some(&known) = self.shares.get(&(width, batch)) {
            return known;
        }
        let threads = (rayon::current_num_threads() / workers).max(1);
        let probe = &*self;
        let step = || match ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(|| probe.train(&mut Ladder::default(), &probe.kernels(width), width, batch)),
            Err(_) => alone,
        };
        let seconds: f64 = std::thread::scope(|scope| {
            let all: Vec<_> = (0..workers).map(|_| scope.spawn(step)).collect();
            all.into_iter().map(|one| one.join().unwrap_or(alone)).sum()
        });
        // The mean of them, of which there are as many at a time.
        let each = seconds / workers as f64 / workers as f64;
        let share = (each / alone).clamp(1.0 / workers as f64, 1.0);
        self.shares.insert((width, batch), share);
        share
    }

    fn evaluation(&mut self, width: usize, plain: bool) -> EvaluationPrice {
        self.ask(Work::Evaluate { width, plain }, |probe, ladder| {
            let kernels = if plain { graph(probe.problem, width).plain() } else { probe.kernels(width) };
            probe.evaluating(ladder, &kernels, width)
        })
    }
}

/// Seconds of evaluating a network on the first samples. It changes nothing.
pub(crate) fn rehearse(problem: &Problem, network: &Network, samples: usize, device: &Device) -> f64 {
    let rows: Vec<usize> = (0..samples.min(problem.train.len())).collect();
    let started = Instant::now();
    // Where the data is gone, the run ends with that error at its first step.
    if let Ok(x) = problem.train.inputs(&rows, &device.clone().inner()) {
        drop(network.forward(x, &mut Pass::evaluation(1.0)).into_data());
    }
    started.elapsed().as_secs_f64()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
