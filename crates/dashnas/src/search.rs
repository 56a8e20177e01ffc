//! The search (Algorithm 1): train the supernet's weights and architecture parameters together,
//! then keep the strongest kernel of each layer.

use crate::architecture::{Architecture, graph};
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
use crate::select::{first_max, nearest, strongest};
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

/// The supernet's training that a problem's configuration stands for.
pub(crate) fn fit_plan(problem: &Problem, space: &KernelSpace) -> FitPlan {
    let config = &problem.config;
    let c = &config.search;
    let penalty =
        space.candidates().iter().map(|k| (c.receptive_field_penalty * k.receptive_field() as f64) as f32).collect();
    let mut fit = FitPlan {
        epochs: c.epochs,
        batch_size: config.search_batch_size(&problem.facts()),
        subsample: c.subsample,
        lr: config.search_lr(problem.task),
        schedule: Schedule { milestones: vec![], fractions: c.milestones.clone(), decay: c.lr_decay },
        sgd: SgdConfig { momentum: c.momentum, nesterov: c.nesterov, weight_decay: c.weight_decay },
        clip: (c.clip > 0.0).then_some(c.clip),
        dropout: 0.0,
        alpha: Some(AlphaPlan {
            lr: config.alpha_lr(problem.task),
            rule: AlphaRule { scale: c.alpha_grad_scale, penalty },
            temperature: c.temperature,
        }),
        micro_batch: problem.budget.search_micro_batch,
    };
    fit.bound_steps(problem.train.len(), c.min_steps, c.max_steps);
    fit.schedule.milestones = milestone_epochs(&c.milestones, fit.epochs);
    fit
}

/// The backbone's own kernels, where there is no time to search, or the nearest within the bounds on size and speed:
/// every layer as sure of its choice as can be.
///
/// # Errors
/// [`Error::Io`] if `architecture.json` cannot be written, [`Error::Bound`] if nothing is within the bounds.
fn unsearched(
    problem: &Problem,
    dir: &RunDir,
    device: &Device,
    journal: &mut Journal<'_>,
) -> Result<Architecture, Error> {
    journal.event(&Event::StageStarted { stage: Stage::Search, steps_total: 0, epochs: 0 });
    dir.log(names::ALPHA)?;
    let own = graph(problem, problem.config.backbone.width).plain();
    let kernels = nearest(problem, &own, device)?;
    if kernels != own {
        let message = "the backbone's own kernels are not within the bounds: it gets the nearest sizes that are".into();
        journal.event(&Event::Warning { message });
    }
    let backbone = problem.config.backbone_name(problem.dims());
    let architecture = Architecture { backbone, probabilities: vec![1.0; kernels.len()], kernels };
    dir.write_json(names::ARCHITECTURE, &architecture)?;
    Ok(architecture)
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
    if problem.budget.plan().is_some_and(|plan| plan.search.is_none()) {
        return unsearched(problem, dir, device, journal);
    }
    let config = &problem.config;
    let c = &config.search;
    let backbone = config.backbone_name(problem.dims());
    let graph = graph(problem, config.backbone.search_width);
    let space = KernelSpace::new(config.kernel_sizes(problem.dims()), config.dilations())?;
    let kernels = Kernels::Searched {
        space: space.clone(),
        formulation: c.formulation,
        depthwise: config.backbone.depthwise,
        weight_std: c.weight_init_std,
        alpha_std: c.alpha_init_std,
    };
    let seed = Seed(config.seed);
    let mut init = seed.stream("search/init", &[]);
    let network = Network::new(&graph, &kernels, &mut init, device);

    let rows: Vec<usize> = (0..problem.train.len()).collect();
    let fit = fit_plan(problem, &space);
    let length = problem.budget.search_length();
    let steps = length.map_or(fit.steps(rows.len()), |length| length.steps());
    let epochs = length.map_or(fit.epochs, |_| (steps as usize).div_ceil(fit.steps_an_epoch(rows.len())));
    journal.event(&Event::StageStarted { stage: Stage::Search, steps_total: steps, epochs });
    let mut log = AlphaLog { log: dir.log(names::ALPHA)?, space: &space };
    let loss = problem.loss(device);
    let training = Fit {
        stage: Stage::Search,
        trial: None,
        progress: [0, steps],
        streams: "search",
        problem,
        indices: &rows,
        loss: &loss,
        plan: &fit,
        length,
        seed,
        restarts: RESTARTS,
        device,
        lane: None,
    };
    let network = training.run(network, journal, &mut log)?;

    let architecture = discretize(problem, &network, &space, backbone, device)?;
    dir.write_json(names::ARCHITECTURE, &architecture)?;
    Ok(architecture)
}

/// Keeps argmax α of each layer, the smaller kernel where two are equal; or the strongest
/// combination within the bounds on size and speed.
fn discretize(
    problem: &Problem,
    network: &Network,
    space: &KernelSpace,
    backbone: BackboneName,
    device: &Device,
) -> Result<Architecture, Error> {
    let probabilities = probabilities(network);
    let choice = strongest(problem, &probabilities, space, device)?;
    let candidates = space.candidates();
    Ok(Architecture {
        backbone,
        kernels: choice.iter().map(|&c| [candidates[c].k, candidates[c].d]).collect(),
        probabilities: choice.iter().zip(&probabilities).map(|(&c, layer)| layer[c]).collect(),
    })
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
                let best = first_max(layer);
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
