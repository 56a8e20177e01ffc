//! The supernet of single paths: every step trains one network of the space, drawn uniformly, and all networks share
//! their weights (Guo et al. 2020). A network is then judged by the loss of its path on held-out samples.

use crate::error::Error;
use crate::problem::held_out::HeldOut;
use crate::problem::state::Problem;
use crate::train::fit::{Fit, RESTARTS};
use crate::train::plan::search_trial_plan;
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use aggconv::{Candidate, KernelSpace};
use burn::tensor::Device;
use dashnas_core::rng::Seed;
use dashnas_core::stage::Stage;
use dashnas_nn::graph::topology::Graph;
use dashnas_nn::network::{Kernels, Network, Pass};

/// The largest number of held-out samples that a path is judged by.
const MAX_HELD_OUT: usize = 512;
/// The largest number of samples in a forward pass.
const BATCH: usize = 128;

/// A trained supernet of single paths.
pub(crate) struct Supernet<'a> {
    problem: &'a Problem,
    network: Network,
    held: HeldOut<'a>,
    device: &'a Device,
}

impl<'a> Supernet<'a> {
    /// Trains the supernet of a graph over a kernel space for some steps, on all training samples of a problem but those
    /// held out for validation; `device` records gradients. Returns `None` if no sample can be held out.
    ///
    /// # Errors
    /// Those of [`Fit::run`].
    pub fn train(
        problem: &'a Problem,
        graph: &Graph,
        space: &KernelSpace,
        steps: u64,
        device: &'a Device,
        recorder: &mut dyn Recorder,
    ) -> Result<Option<Self>, Error> {
        let (rows, held) = problem.setup.validation();
        if rows.is_empty() || held.rows.is_empty() {
            return Ok(None);
        }
        let held = held.at_most(MAX_HELD_OUT);
        let config = problem.config();
        let seed = Seed(config.seed);
        let kernels = Kernels::Shared { space: space.clone() };
        let mut init = seed.stream("supernet/init", &[]);
        let network = Network::new(graph, &kernels, &mut init, device);
        let plan = search_trial_plan(config.untuned(problem.setup.task), problem, rows.len(), steps);
        let loss = problem.setup.loss(device);
        let fit = Fit {
            progress: StageProgress { stage: Stage::Search, done: 0, total: steps },
            trial: None,
            streams: "supernet",
            draw: None,
            problem,
            indices: &rows,
            loss: &loss,
            plan: &plan,
            length: Some(problem.budget.trial_length(Stage::Search, steps)),
            seed,
            restarts: RESTARTS,
            device,
            slot: None,
        };
        let network = fit.run(network, recorder, &mut ())?;
        Ok(Some(Self { problem, network, held, device }))
    }

    /// The loss of one path on the held-out samples, with normalization statistics of these samples: those of the
    /// training are of all paths together.
    ///
    /// # Errors
    /// [`Error::Data`] if the inputs are in a file that can no longer be read.
    pub fn loss_of(&self, path: &[Candidate]) -> Result<f64, Error> {
        let loss = self.problem.setup.loss(self.device);
        let rows = &self.held.rows;
        let size = rows.len().div_ceil(rows.len().div_ceil(BATCH));
        let mut total = 0.0;
        for chunk in rows.chunks(size) {
            let (x, target) = self.held.samples.batch(chunk, self.device)?;
            // On a device that records gradients, normalizations use the statistics of the batch.
            let output = self.network.forward(x, &mut Pass::of_path(path));
            total += f64::from(loss.forward(output, &target).into_scalar::<f32>()) * chunk.len() as f64;
        }
        Ok(total / rows.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::example::{one_layer, task};
    use crate::train::recorder::DetachedRecorder;
    use dashnas_nn::network::training_device;

    #[test]
    fn the_path_that_solves_a_task_has_the_lowest_loss_at_every_seed() {
        let device = training_device(1);
        for seed in 0..3 {
            let (data, config) = task(seed);
            let problem = Problem::new(&config, &data).expect("sound");
            let space = KernelSpace::new(config.kernel_sizes(1), config.dilations()).expect("a space");
            let mut recorder = ();
            let mut recorder = DetachedRecorder::new(&mut recorder);
            let supernet = Supernet::train(&problem, &one_layer(), &space, 1600, &device, &mut recorder);
            let supernet = supernet.expect("nothing stops it").expect("samples can be held out");
            let losses: Vec<(f64, Candidate)> =
                space.candidates().iter().map(|&c| (supernet.loss_of(&[c]).expect("in memory"), c)).collect();
            let best = losses.iter().copied().reduce(|a, b| if b.0 < a.0 { b } else { a }).expect("a space");
            assert_eq!((best.1.k, best.1.d), (3, 21), "{losses:?}");
            // The others are near guessing, ln 2.
            assert!(losses.iter().all(|&(loss, c)| c.d == 21 || loss > 1.5 * best.0), "{losses:?}");
        }
    }
}
