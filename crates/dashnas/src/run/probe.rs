//! Measures on this machine how long steps take.

use crate::budget::batch_timer::BatchTimer;
use crate::budget::cost::{CostModel, EvaluationCost};
use crate::error::Error;
use crate::problem::build::graph;
use crate::problem::eval_timing::time_eval_batch;
use crate::problem::memory::max_concurrent_trials;
use crate::problem::state::Problem;
use aggconv::KernelSpace;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use dashnas_core::math::gcd;
use dashnas_core::names::{SearchStrategy, Tuner};
use dashnas_core::rng::Seed;
use dashnas_nn::loss::LossFn;
use dashnas_nn::network::{Kernels, Network, Pass};
use dashnas_nn::optim::{Sgd, SgdConfig, StepRule};
use rayon::ThreadPoolBuilder;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::time::Instant;

/// Measures the steps of a problem, each kind once.
pub(crate) struct Probe<'a> {
    problem: &'a Problem,
    space: KernelSpace,
    device: &'a Device,
    loss: LossFn,
    timers: HashMap<Work, BatchTimer>,
    /// The kernels that the search found; before the search a mix of all candidates is measured instead.
    kernels: Option<Vec<[usize; 2]>>,
    /// Relative time of steps that run side by side, by width and batch size.
    relative_times: HashMap<(usize, usize), f64>,
    /// Seconds that are left for measuring.
    left: f64,
}

/// A kind of work that is timed on batches of several sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Work {
    Search,
    Train { width: usize },
    Evaluate { width: usize, plain: bool },
}

/// Seconds of a step above which running steps side by side gains little: the threads of one step rarely wait for
/// each other.
const SLOW_STEP: f64 = 0.5;

/// A kind of work that has not been timed yet gets this fraction of the seconds that are left for measuring.
const SHARE_OF_A_KIND: f64 = 0.2;
/// The fewest points of an input that is cut for a timing. The time of shorter ones says little about whole ones.
const LEAST_POINTS: usize = 1024;
/// The fewest rows of an image that is cut for a timing.
const LEAST_ROWS: usize = 16;

/// Training steps that are timed.
struct Steps<'p, 'a> {
    probe: &'p Probe<'a>,
    network: Network,
    sgd: Sgd,
    round: u64,
}

impl Steps<'_, '_> {
    /// Takes a step on the first samples, or on a part of the first one, that changes no weight; the seconds that it
    /// took.
    fn take(mut self, size: Size) -> (Self, f64) {
        let started = Instant::now();
        let (problem, device) = (self.probe.problem, self.probe.device);
        let rows: Vec<usize> = (0..size.samples).collect();
        let Ok((x, target)) = problem.setup.train.batch(&rows, device) else {
            // The data can no longer be read: the run ends with that error at its first step, whatever was measured.
            return (self, started.elapsed().as_secs_f64());
        };
        let mut noise = Seed(0).stream("probe", &[self.round]);
        let mut pass =
            Pass { noise: Some(&mut noise), temperature: 1.0, dropout: problem.config().retrain.dropout, path: None };
        let loss = match size.part {
            // Targets of dense tasks belong to whole inputs. The loss takes next to no time in comparison.
            Some(_) => self.network.forward(size.cut(x), &mut pass).square().mean(),
            None => self.probe.loss.forward(self.network.forward(x, &mut pass), &target),
        };
        let _ = loss.clone().into_scalar::<f32>();
        let rule = StepRule { lr: 0.0, clip: Some(1.0), alpha: None };
        self.network = self.sgd.step(self.network, loss.backward(), &rule).0;
        self.round += 1;
        (self, started.elapsed().as_secs_f64())
    }
}

/// The size of a batch that is timed. One sample of a long series or a large image may take seconds, so that parts of it
/// are timed first.
#[derive(Debug, Clone, Copy)]
struct Size {
    samples: usize,
    /// The part of the single sample: a number of so many equal parts. `None`: whole samples.
    part: Option<[usize; 2]>,
}

impl Size {
    /// The batch of some units, of which a sample has `parts`.
    fn of(units: usize, parts: usize) -> Self {
        let part = (units < parts).then_some([units, parts]);
        Self { samples: (units / parts).max(1), part }
    }

    /// The first points of the series, or the first rows of the image.
    fn cut(self, x: Tensor<4>) -> Tensor<4> {
        let [n, c, h, w] = x.dims();
        match self.part {
            None => x,
            Some([units, parts]) if h == 1 => x.slice([0..n, 0..c, 0..1, 0..(w / parts * units).max(1)]),
            Some([units, parts]) => x.slice([0..n, 0..c, 0..(h / parts * units).max(1), 0..w]),
        }
    }
}

impl<'a> Probe<'a> {
    /// A probe of a problem on a device that records gradients. Measuring takes some seconds at most, unless one batch
    /// takes longer.
    ///
    /// # Errors
    /// [`Error::Space`] if the configured kernel space is not valid.
    pub fn new(problem: &'a Problem, device: &'a Device, seconds: f64) -> Result<Self, Error> {
        let config = problem.config();
        let space = KernelSpace::new(config.kernel_sizes(problem.setup.dims()), config.dilations())?;
        Ok(Self {
            problem,
            space,
            device,
            loss: problem.setup.loss(device),
            timers: HashMap::new(),
            kernels: None,
            relative_times: HashMap::new(),
            left: seconds,
        })
    }

    /// The number of parts that a sample is cut into where a whole one would be a large first batch: a power of two.
    fn parts(&self) -> usize {
        let [_, h, w] = self.problem.setup.train.input();
        let most = if h == 1 { w / LEAST_POINTS } else { (h * w / LEAST_POINTS).min(h / LEAST_ROWS) };
        // Masks of lengths belong to whole series.
        let whole = graph(self.problem, 1).is_masked();
        if most < 2 || whole { 1 } else { 1 << most.ilog2() }
    }

    /// A probe of the network with the given kernels. Nothing is measured yet.
    #[must_use]
    pub fn with_kernels(self, kernels: Vec<[usize; 2]>) -> Self {
        Self { kernels: Some(kernels), timers: HashMap::new(), relative_times: HashMap::new(), ..self }
    }

    fn train(&self, timer: &mut BatchTimer, kernels: &[[usize; 2]], width: usize, batch: usize) -> f64 {
        let network = || self.fixed(kernels.to_vec(), width, self.device);
        self.step(timer, network, batch, self.problem.budget.train_micro_batch())
    }

    /// The kernels that the search found, or a mix of all candidates over the layers, which costs about as much as what
    /// a search will find.
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
        let (problem, graph) = (self.problem, graph(self.problem, width));
        let mut init = Seed(problem.config().seed).stream("probe", &[]);
        Network::new(&graph, kernels, &mut init, device)
    }

    /// Seconds of a step. A batch that is computed in parts takes the time of one part times their number.
    fn step(
        &self,
        timer: &mut BatchTimer,
        network: impl Fn() -> Network,
        batch: usize,
        micro_batch: Option<usize>,
    ) -> f64 {
        let whole = batch.min(self.problem.setup.train.len());
        let part = micro_batch.map_or(whole, |part| part.clamp(1, whole));
        let retrain = &self.problem.config().retrain;
        let rule = SgdConfig { momentum: retrain.momentum, nesterov: retrain.nesterov, weight_decay: 0.0 };
        let mut steps = None;
        let parts = self.parts();
        let seconds = timer.seconds(part * parts, |units| {
            let start = || Steps { probe: self, network: network(), sgd: Sgd::new(rule), round: 0 };
            let (after, seconds) = steps.take().unwrap_or_else(start).take(Size::of(units, parts));
            steps = Some(after);
            seconds
        });
        seconds * whole as f64 / part as f64
    }

    /// The cost of evaluating a network, in batches of the size that evaluation uses.
    fn evaluating(&self, timer: &mut BatchTimer, kernels: &[[usize; 2]], width: usize) -> EvaluationCost {
        let batch = self.problem.evaluation_batch(&self.problem.setup.train).min(self.problem.setup.train.len()).max(1);
        let network = OnceCell::new();
        let parts = self.parts();
        let seconds = timer.seconds(batch * parts, |units| {
            let network = network.get_or_init(|| self.fixed(kernels.to_vec(), width, self.device).valid());
            let size = Size::of(units, parts);
            time_eval_batch(self.problem, network, size.samples, |x| size.cut(x), self.device)
        });
        let sample = seconds / batch as f64;
        match timer.largest_timed(batch * parts) {
            Some((units, seconds)) if units >= parts => EvaluationCost { sample, batch: units / parts, seconds },
            _ => EvaluationCost { sample, batch: 1, seconds: sample },
        }
    }

    /// Measures with the timer of some work.
    fn measure<T>(&mut self, work: Work, measure: impl FnOnce(&Self, &mut BatchTimer) -> T) -> T {
        let share = SHARE_OF_A_KIND * self.left;
        let mut timer = self.timers.remove(&work).unwrap_or_else(|| BatchTimer::within(share));
        let started = Instant::now();
        let result = measure(self, &mut timer);
        self.left = (self.left - started.elapsed().as_secs_f64()).max(0.0);
        self.timers.insert(work, timer);
        result
    }
}

impl CostModel for Probe<'_> {
    fn search_step(&mut self, batch: usize) -> f64 {
        if self.problem.config().search.strategy == SearchStrategy::Race {
            // The steps of a race are those of trainings that run side by side.
            let width = self.problem.config().backbone.search_width;
            return self.train_step(width, batch) * self.concurrent_share(width, batch);
        }
        self.measure(Work::Search, |probe, timer| {
            let config = &probe.problem.config();
            let kernels = Kernels::Searched {
                space: probe.space.clone(),
                formulation: config.search.formulation,
                depthwise: config.backbone.depthwise,
                weight_std: config.search.weight_init_std,
                alpha_std: config.search.alpha_init_std,
            };
            let network = || probe.network(&kernels, config.backbone.search_width, probe.device);
            probe.step(timer, network, batch, probe.problem.budget.search_micro_batch())
        })
    }

    fn train_step(&mut self, width: usize, batch: usize) -> f64 {
        self.measure(Work::Train { width }, |probe, timer| probe.train(timer, &probe.kernels(width), width, batch))
    }

    fn concurrent_share(&mut self, width: usize, batch: usize) -> f64 {
        let at_a_time = match self.problem.config().tune.tuner {
            Some(Tuner::Grid) => usize::MAX,
            _ => self.problem.config().asha.workers,
        };
        let workers = max_concurrent_trials(self.problem).min(at_a_time);
        let alone = self.train_step(width, batch);
        if workers < 2 || alone > SLOW_STEP {
            return 1.0;
        }
        if let Some(&known) = self.relative_times.get(&(width, batch)) {
            return known;
        }
        let threads = (rayon::current_num_threads() / workers).max(1);
        let started = Instant::now();
        let probe = &*self;
        let step = || match ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(|| {
                let mut timer = BatchTimer::within(SHARE_OF_A_KIND * probe.left);
                probe.train(&mut timer, &probe.kernels(width), width, batch)
            }),
            Err(_) => alone,
        };
        let seconds: f64 = std::thread::scope(|scope| {
            let all: Vec<_> = (0..workers).map(|_| scope.spawn(step)).collect();
            all.into_iter().map(|one| one.join().unwrap_or(alone)).sum()
        });
        // The mean time of a step, divided by the number of steps that run at a time.
        let each = seconds / workers as f64 / workers as f64;
        let relative = (each / alone).clamp(1.0 / workers as f64, 1.0);
        self.relative_times.insert((width, batch), relative);
        self.left = (self.left - started.elapsed().as_secs_f64()).max(0.0);
        relative
    }

    fn evaluation(&mut self, width: usize, plain: bool) -> EvaluationCost {
        self.measure(Work::Evaluate { width, plain }, |probe, timer| {
            let kernels = if plain { graph(probe.problem, width).plain_kernels() } else { probe.kernels(width) };
            probe.evaluating(timer, &kernels, width)
        })
    }
}
