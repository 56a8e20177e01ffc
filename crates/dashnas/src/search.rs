//! The search (Algorithm 1): train the supernet's weights and architecture parameters together,
//! then keep the strongest kernel of each layer.

use crate::architecture::{Architecture, plan};
use crate::config::{BackboneName, milestone_epochs};
use crate::error::Error;
use crate::event::{Event, LayerChoice, Observer, Stage};
use crate::host::floats;
use crate::journal::Journal;
use crate::network::{ConvLayer, Kernels, Network};
use crate::optim::{AlphaRule, SgdConfig};
use crate::problem::Problem;
use crate::rng::Seed;
use crate::run_dir::{Log, RunDir, names};
use crate::train::{AfterEpoch, AlphaPlan, Fit, FitPlan, RESTARTS, Schedule};
use aggconv::KernelSpace;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// The mixing probabilities of every layer after an epoch; one line of `alpha.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlphaRecord {
    /// The epoch, from 0.
    pub epoch: usize,
    /// softmax(α) of each layer, candidates k-major.
    pub layers: Vec<Vec<f64>>,
}

/// Writes `alpha.jsonl`, a line an epoch.
struct AlphaLog<'a> {
    log: Log,
    space: &'a KernelSpace,
}

impl AfterEpoch for AlphaLog<'_> {
    fn done(&mut self, epoch: usize, network: &Network, journal: &mut Journal<'_>) -> Result<(), Error> {
        let layers = probabilities(network);
        journal.event(&alpha_event(epoch, &layers, self.space));
        self.log.append(&AlphaRecord { epoch, layers })
    }

    fn back_to(&mut self, epoch: usize) -> Result<(), Error> {
        self.log.keep_lines(epoch)
    }
}

/// Runs the search and writes `alpha.jsonl` and `architecture.json`.
///
/// # Errors
/// Whatever stops the training, or a file that cannot be written.
pub fn search(
    problem: &Problem,
    dir: &RunDir,
    device: &Device,
    journal: &mut Journal<'_>,
) -> Result<Architecture, Error> {
    let config = &problem.config;
    let c = &config.search;
    let backbone = config.backbone_name(problem.dims());
    let plan = plan(problem, config.backbone.search_width);
    let space = KernelSpace::new(config.kernel_sizes(problem.dims()), config.dilations())?;
    let kernels = Kernels::Searched {
        space: space.clone(),
        method: c.method,
        depthwise: config.backbone.depthwise,
        weight_std: c.weight_init_std,
        alpha_std: c.alpha_init_std,
    };
    let seed = Seed(config.seed);
    let mut init = seed.stream("search/init", &[]);
    let network = Network::new(&plan, problem.task.outputs(), problem.task.is_dense(), &kernels, &mut init, device);

    let penalty =
        space.candidates().iter().map(|k| (c.receptive_field_penalty * k.receptive_field() as f64) as f32).collect();
    let rows: Vec<usize> = (0..problem.train.len()).collect();
    let mut fit = FitPlan {
        epochs: c.epochs,
        batch_size: config.search_batch_size(&problem.facts()),
        subsample: c.subsample,
        lr: config.search_lr(problem.task),
        schedule: Schedule { milestones: vec![], decay: c.lr_decay },
        sgd: SgdConfig { momentum: c.momentum, nesterov: c.nesterov, weight_decay: c.weight_decay },
        clip: Some(c.clip),
        dropout: 0.0,
        alpha: Some(AlphaPlan {
            lr: config.alpha_lr(problem.task),
            rule: AlphaRule { scale: c.alpha_grad_scale, penalty },
            temperature: c.temperature,
        }),
    };
    fit.bound_steps(rows.len(), c.min_steps, c.max_steps);
    fit.schedule.milestones = milestone_epochs(&c.milestones, fit.epochs);

    let steps = fit.steps(rows.len());
    journal.event(&Event::StageStarted { stage: Stage::Search, steps_total: steps, epochs: fit.epochs });
    let mut log = AlphaLog { log: dir.log(names::ALPHA)?, space: &space };
    let loss = problem.loss(device);
    let training = Fit {
        stage: Stage::Search,
        trial: None,
        progress: [0, steps],
        streams: "search",
        data: &problem.train,
        indices: &rows,
        loss: &loss,
        plan: &fit,
        seed,
        restarts: RESTARTS,
        device,
    };
    let network = training.run(network, journal, &mut log)?;

    let architecture = discretize(&network, &space, backbone);
    dir.write_json(names::ARCHITECTURE, &architecture)?;
    Ok(architecture)
}

/// Keeps argmax α of each layer; the smaller kernel where two are equal.
fn discretize(network: &Network, space: &KernelSpace, backbone: BackboneName) -> Architecture {
    let candidates = space.candidates();
    let (kernels, probabilities) = probabilities(network)
        .iter()
        .map(|layer| {
            let best = leading(layer);
            ([candidates[best].k, candidates[best].d], layer[best])
        })
        .unzip();
    Architecture { backbone, kernels, probabilities }
}

fn leading(layer: &[f64]) -> usize {
    (1..layer.len()).fold(0, |best, i| if layer[i] > layer[best] { i } else { best })
}

/// softmax(α) of each searched layer, in f64.
fn probabilities(network: &Network) -> Vec<Vec<f64>> {
    network
        .convs()
        .iter()
        .filter_map(|layer| match layer {
            ConvLayer::Fixed(_) => None,
            ConvLayer::Mixed(conv) => {
                let alpha = floats(conv.alpha.val());
                let top = alpha.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let e: Vec<f64> = alpha.iter().map(|&a| f64::from(a - top).exp()).collect();
                let total: f64 = e.iter().sum();
                Some(e.into_iter().map(|v| v / total).collect())
            }
        })
        .collect()
}

fn alpha_event(epoch: usize, layers: &[Vec<f64>], space: &KernelSpace) -> Event {
    let candidates = space.candidates();
    Event::Alpha {
        epoch,
        layers: layers
            .iter()
            .map(|layer| {
                let best = leading(layer);
                LayerChoice {
                    kernel_size: candidates[best].k,
                    dilation: candidates[best].d,
                    weight: layer[best],
                    entropy: -layer.iter().map(|&p| if p > 0.0 { p * p.ln() } else { 0.0 }).sum::<f64>(),
                }
            })
            .collect(),
    }
}
