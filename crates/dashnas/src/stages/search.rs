//! The search of the paper (Algorithm 1): the weights and the architecture parameters of the supernet are trained
//! together, then the most probable kernel of each layer is kept. The other strategy is in the module `race` beside it.

use crate::config::schedule::milestone_epochs;
use crate::error::Error;
use crate::problem::build::graph;
use crate::problem::state::Problem;
use crate::record::alpha::AlphaRecord;
use crate::record::event::{Event, LayerChoice};
use crate::run_dir::dir::{Log, RunDir};
use crate::run_dir::names;
use crate::stages::select::{Bounds, most_probable, nearest_kernels};
use crate::train::fit::{EpochHook, Fit, RESTARTS};
use crate::train::plan::{AlphaPlan, FitPlan};
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::train::schedule::Schedule;
use aggconv::KernelSpace;
use burn::tensor::Device;
use dashnas_core::math::{argmax, entropy};
use dashnas_core::names::BackboneName;
use dashnas_core::rng::Seed;
use dashnas_core::stage::Stage;
use dashnas_nn::architecture::Architecture;
use dashnas_nn::network::{ConvLayer, Kernels, Network};
use dashnas_nn::optim::{AlphaRule, SgdConfig};
use dashnas_nn::tensor_data::floats;

/// The note of a run with given kernels.
const GIVEN_NOTE: &str = "the kernels are given, so that nothing is searched";

/// Writes `alpha.jsonl`, one line per epoch.
struct AlphaLog<'a> {
    log: Log,
    space: &'a KernelSpace,
}

impl EpochHook for AlphaLog<'_> {
    fn epoch_finished(&mut self, epoch: usize, network: &Network, recorder: &mut dyn Recorder) -> Result<(), Error> {
        let layers = probabilities(network);
        recorder.event(&alpha_event(epoch, &layers, self.space));
        Ok(self.log.append(&AlphaRecord { epoch, layers })?)
    }

    fn rewound_to(&mut self, epoch: usize) -> Result<(), Error> {
        Ok(self.log.keep_lines(epoch)?)
    }
}

/// The training of the supernet, from the configuration of a problem.
pub(crate) fn fit_plan(problem: &Problem, space: &KernelSpace) -> FitPlan {
    let config = problem.config();
    let c = &config.search;
    let penalty =
        space.candidates().iter().map(|k| (c.receptive_field_penalty * k.receptive_field() as f64) as f32).collect();
    let mut fit = FitPlan {
        epochs: c.epochs,
        batch_size: config.search_batch_size(&problem.setup.facts()),
        subsample: c.subsample,
        lr: config.search_lr(problem.setup.task),
        schedule: Schedule { milestones: vec![], fractions: c.milestones.clone(), decay: c.lr_decay },
        sgd: SgdConfig { momentum: c.momentum, nesterov: c.nesterov, weight_decay: c.weight_decay },
        clip: (c.clip > 0.0).then_some(c.clip),
        dropout: 0.0,
        alpha: Some(AlphaPlan {
            lr: config.alpha_lr(problem.setup.task),
            rule: AlphaRule { update: c.alpha_update, scale: c.alpha_grad_scale, penalty },
            temperature: c.temperature,
        }),
        micro_batch: problem.budget.search_micro_batch(),
    };
    fit.bound_steps(problem.setup.train.len(), c.min_steps, c.max_steps);
    fit.schedule.milestones = milestone_epochs(&c.milestones, fit.epochs);
    fit
}

/// The architecture where there is no time to search: the original kernels of the backbone, or the nearest ones within
/// the bounds on size and speed, each with probability 1.
///
/// # Errors
/// [`Error::File`] if `architecture.json` cannot be written, [`Error::Bound`] if no architecture is within the bounds.
pub(crate) fn fallback_architecture(
    problem: &Problem,
    dir: &RunDir,
    device: &Device,
    recorder: &mut dyn Recorder,
) -> Result<Architecture, Error> {
    recorder.event(&Event::StageStarted { stage: Stage::Search, steps_total: 0, epochs: 0 });
    let own = graph(problem, problem.config().backbone.width).plain_kernels();
    let kernels = nearest_kernels(problem, &own, Bounds::of(&problem.config().budget), device)?;
    if kernels != own {
        let message = "the original kernel sizes exceed the search bounds: using the nearest allowed sizes".into();
        recorder.event(&Event::Warning { message });
    }
    write_without_search(problem, kernels, dir)
}

/// The architecture where the configuration gives the kernels, each with probability 1.
///
/// # Errors
/// [`Error::File`] if `architecture.json` cannot be written.
fn given_architecture(
    problem: &Problem,
    kernels: &[[usize; 2]],
    dir: &RunDir,
    recorder: &mut dyn Recorder,
) -> Result<Architecture, Error> {
    recorder.event(&Event::StageStarted { stage: Stage::Search, steps_total: 0, epochs: 0 });
    recorder.event(&Event::Note { message: GIVEN_NOTE.into() });
    write_without_search(problem, kernels.to_vec(), dir)
}

/// Writes an architecture that was not searched, and an empty log of the search.
fn write_without_search(problem: &Problem, kernels: Vec<[usize; 2]>, dir: &RunDir) -> Result<Architecture, Error> {
    dir.log(names::ALPHA)?;
    let backbone = problem.config().backbone_name(problem.setup.dims());
    let architecture = Architecture { backbone, probabilities: vec![1.0; kernels.len()], kernels };
    dir.write_json(names::ARCHITECTURE, &architecture)?;
    Ok(architecture)
}

/// Whether there is a search: no kernels are given, and a time limit leaves time for it.
pub(crate) fn searches(problem: &Problem) -> bool {
    problem.config().search.kernels.is_none() && problem.budget.plan().is_none_or(|plan| plan.search.is_some())
}

/// Runs the search of the paper, or takes the kernels that are given or those of the backbone if there is no search.
/// Writes `alpha.jsonl` and `architecture.json`.
///
/// # Errors
/// Those of [`Fit::run`], [`Error::Bound`] if no architecture is within the bounds, and [`Error::File`] if a file
/// cannot be written.
pub(crate) fn search(
    problem: &Problem,
    dir: &RunDir,
    device: &Device,
    recorder: &mut dyn Recorder,
) -> Result<Architecture, Error> {
    if let Some(kernels) = &problem.config().search.kernels {
        return given_architecture(problem, kernels, dir, recorder);
    }
    if !searches(problem) {
        return fallback_architecture(problem, dir, device, recorder);
    }
    let config = problem.config();
    let c = &config.search;
    let backbone = config.backbone_name(problem.setup.dims());
    let graph = graph(problem, config.backbone.search_width);
    let space = KernelSpace::new(config.kernel_sizes(problem.setup.dims()), config.dilations())?;
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

    let rows: Vec<usize> = (0..problem.setup.train.len()).collect();
    let fit = fit_plan(problem, &space);
    let length = problem.budget.search_length();
    let steps = length.map_or(fit.steps(rows.len()), |length| length.steps());
    let epochs = length.map_or(fit.epochs, |_| (steps as usize).div_ceil(fit.steps_per_epoch(rows.len())));
    recorder.event(&Event::StageStarted { stage: Stage::Search, steps_total: steps, epochs });
    let mut log = AlphaLog { log: dir.log(names::ALPHA)?, space: &space };
    let loss = problem.setup.loss(device);
    let training = Fit {
        progress: StageProgress { stage: Stage::Search, done: 0, total: steps },
        trial: None,
        streams: "search",
        draw: None,
        problem,
        indices: &rows,
        loss: &loss,
        plan: &fit,
        length,
        seed,
        restarts: RESTARTS,
        device,
        slot: None,
    };
    let network = training.run(network, recorder, &mut log)?;

    let architecture = discretize(problem, &network, &space, backbone, device)?;
    dir.write_json(names::ARCHITECTURE, &architecture)?;
    Ok(architecture)
}

/// The candidate with the largest α of each layer, the smaller kernel of equal ones; or the most probable
/// combination within the bounds on size and speed.
fn discretize(
    problem: &Problem,
    network: &Network,
    space: &KernelSpace,
    backbone: BackboneName,
    device: &Device,
) -> Result<Architecture, Error> {
    let probabilities = probabilities(network);
    let choice = most_probable(problem, &probabilities, space, device)?;
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
            ConvLayer::Fixed(_) | ConvLayer::Shared(_) => None,
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

/// The event that tells of the probabilities `[layer][candidate]` after an epoch.
fn alpha_event(epoch: usize, layers: &[Vec<f64>], space: &KernelSpace) -> Event {
    let candidates = space.candidates();
    Event::Alpha {
        epoch,
        layers: layers
            .iter()
            .map(|layer| {
                let best = argmax(layer);
                LayerChoice {
                    kernel_size: candidates[best].k,
                    dilation: candidates[best].d,
                    weight: layer[best],
                    entropy: entropy(layer),
                }
            })
            .collect(),
    }
}
