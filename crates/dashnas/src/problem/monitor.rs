//! The task's metric during a training, at a small cost.
//!
//! On training data it is computed from the outputs that the steps produce anyway (`RecentOutputs`): those of the
//! network in training mode, with sampled kernels in the search, dropout and augmentation. On the data set's own
//! validation split (`ValidationMonitor`) it is computed from the network in evaluation mode, only as often as it
//! costs a few percent of the training. Neither changes the training.

use crate::problem::held_out::HeldOut;
use crate::problem::state::Problem;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::loss::BatchTarget;
use dashnas_nn::network::Network;
use dashnas_nn::tensor_data::floats;
use std::collections::VecDeque;

/// The largest number of samples that a metric is computed from.
const MAX_SAMPLES: usize = 512;
/// The largest number of output values of these samples.
const MAX_VALUES: usize = 1 << 20;
/// The largest number of validation samples evaluated for each training sample. Without a backward pass a sample costs
/// about a third, so that this is 3 % of the time.
const VALIDATION_SHARE: f64 = 0.1;

/// The largest number of samples that a metric is computed from if each has `outputs` output values.
fn cap(outputs: usize) -> usize {
    (MAX_VALUES / outputs.max(1)).clamp(1, MAX_SAMPLES)
}

/// Outputs and targets of a batch or a micro-batch.
struct StepOutput {
    /// `[samples, outputs, positions]`, normalized.
    output: Array,
    /// The targets, normalized.
    target: Targets,
    /// The weights of the samples, if they have any.
    weights: Option<Vec<f32>>,
}

/// The outputs of the newest steps of an epoch: as many as are needed for the largest number of samples.
pub(crate) struct RecentOutputs {
    steps: VecDeque<StepOutput>,
    samples: usize,
    /// Whether a process that ran the whole epoch would have the same outputs.
    complete: bool,
}

impl RecentOutputs {
    /// No outputs yet. An epoch that resumes after some steps lacks their outputs.
    pub fn after(steps: usize) -> Self {
        Self { steps: VecDeque::new(), samples: 0, complete: steps == 0 }
    }

    /// Adds the outputs of a step.
    pub fn push(&mut self, output: Tensor<3>, target: &BatchTarget) {
        let shape = output.dims();
        let (target, weights) = on_the_host(target, shape);
        let step = StepOutput { output: Array::new(shape.to_vec(), floats(output)), target, weights };
        let cap = cap(shape[1] * shape[2]);
        self.samples += step.output.rows();
        self.steps.push_back(step);
        while let Some(first) = self.steps.front()
            && self.samples - first.output.rows() >= cap
        {
            self.samples -= first.output.rows();
            self.steps.pop_front();
            self.complete = true;
        }
    }

    /// The metric of the outputs, in the units of the data. `None` if it is not defined, or if too little of the epoch
    /// was run here, so that it does not depend on where a training was interrupted.
    pub fn metric(self, problem: &Problem) -> Option<f64> {
        let first = self.steps.front().filter(|_| self.complete)?;
        let (shape, classes) = (first.output.shape.clone(), first.target.classes().is_some());
        let (mut outputs, mut labels, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for step in &self.steps {
            outputs.extend_from_slice(&step.output.data);
            match &step.target {
                Targets::Classes(t) => labels.extend_from_slice(t),
                Targets::Values(t) => values.extend_from_slice(&t.data),
            }
        }
        let weights: Option<Vec<f32>> =
            self.steps.iter().map(|step| step.weights.as_deref()).collect::<Option<Vec<_>>>().map(|w| w.concat());
        let array = |data: Vec<f32>| {
            let mut array = Array::new(vec![self.samples, shape[1], shape[2]], data);
            problem.setup.targets.decode(&mut array);
            array
        };
        let truth = if classes { Targets::Classes(labels) } else { Targets::Values(array(values)) };
        problem.setup.metric_of_predictions(&array(outputs), &truth, weights.as_deref()).ok()
    }
}

/// The targets of a batch and the weights of its samples (if they have any) as arrays. Of mixed samples, those with the
/// larger share count.
fn on_the_host(target: &BatchTarget, shape: [usize; 3]) -> (Targets, Option<Vec<f32>>) {
    let array = |data: Vec<f32>| Targets::Values(Array::new(shape.to_vec(), data));
    let targets = match target {
        BatchTarget::Weighted { target, weights } => {
            return (on_the_host(target, shape).0, Some(floats(weights.clone())));
        }
        BatchTarget::Mixed { first, second, share } => {
            return on_the_host(if *share >= 0.5 { first } else { second }, shape);
        }
        // Class numbers are far below the integers that f32 cannot represent.
        BatchTarget::Classes(t) => Targets::Classes(floats(t.clone().float()).into_iter().map(|t| t as u32).collect()),
        BatchTarget::Values(t) => array(floats(t.clone())),
        BatchTarget::Known { values, known } => {
            let known = floats(known.clone());
            let value = |(v, known): (f32, f32)| if known > 0.0 { v } else { f32::NAN };
            array(floats(values.clone()).into_iter().zip(known).map(value).collect())
        }
    };
    (targets, None)
}

/// The largest number of validation samples that is cheap even if a training under a time limit has a single epoch.
fn most_under(problem: &Problem) -> usize {
    let Some(plan) = problem.budget.plan() else { return usize::MAX };
    let trained = plan.training.steps as f64 * plan.training.batch as f64;
    (VALIDATION_SHARE * trained) as usize + 1
}

/// Evaluates the data set's own validation split, as often as that is cheap.
pub(crate) struct ValidationMonitor<'a> {
    problem: &'a Problem,
    held: HeldOut<'a>,
    every: usize,
}

impl<'a> ValidationMonitor<'a> {
    /// For a training with `epoch_samples` samples in an epoch; `None` if the data set has no validation split.
    pub fn new(problem: &'a Problem, epoch_samples: usize) -> Option<Self> {
        let mut held = problem.setup.given_validation()?;
        let [outputs, positions] = held.samples.target();
        let keep = held.rows.len().min(cap(outputs * positions)).min(most_under(problem));
        // Evenly spread over the split, since files are often sorted.
        held.rows = (0..keep).map(|i| i * held.rows.len() / keep).collect();
        let every = (keep as f64 / (VALIDATION_SHARE * epoch_samples.max(1) as f64)).ceil().max(1.0) as usize;
        Some(Self { problem, held, every })
    }

    /// The metric after an epoch, if it is due in this one.
    pub fn metric(&self, epoch: usize, epochs: usize, network: &Network, device: &Device) -> Option<f64> {
        let due = (epoch + 1).is_multiple_of(self.every) || epoch + 1 == epochs;
        // A metric that is not defined or not finite is left out.
        due.then(|| self.problem.metric_of(&network.clone().valid(), &self.held, &device.clone().inner()).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use dashnas_core::names::Preset;
    use dashnas_core::task::TaskKind;
    use dashnas_data::dataset::Dataset;
    use dashnas_data::split::Split;

    fn problem(rows: usize) -> Problem {
        let split = |n: usize| Split {
            x: Array::new(vec![n, 1, 4], (0..4 * n).map(|i| i as f32).collect()),
            y: Targets::Values(Array::new(vec![n, 1], (0..n).map(|i| i as f32).collect())),
        };
        let task = TaskKind::Regression { outputs: 1 };
        let data = Dataset::new("numbers", task, split(rows), Some(split(40)), split(4)).expect("sound");
        Problem::new(&Config::preset(Preset::Quick), &data).expect("fits")
    }

    fn step(recent: &mut RecentOutputs, output: &[f32], target: &[f32]) {
        let tensor = |v: &[f32]| Tensor::<1>::from_floats(v, &Device::flex()).reshape([v.len(), 1, 1]);
        recent.push(tensor(output), &BatchTarget::Values(tensor(target)));
    }

    #[test]
    fn the_metric_is_that_of_the_last_samples_in_the_units_of_the_data() {
        let problem = problem(8);
        let mut raw = Array::new(vec![1, 1], vec![1.0]);
        problem.setup.targets.decode(&mut raw);
        let mut zero = Array::new(vec![1, 1], vec![0.0]);
        problem.setup.targets.decode(&mut zero);
        let unit = f64::from(raw.data[0] - zero.data[0]);
        let mut recent = RecentOutputs::after(0);
        step(&mut recent, &[9.0; 300], &[0.0; 300]);
        step(&mut recent, &[2.0; 300], &[0.0; 300]);
        step(&mut recent, &[1.0; 300], &[0.0; 300]);
        assert_eq!(recent.samples, 600, "the first step is not needed for 512");
        let metric = recent.metric(&problem).expect("defined");
        assert!((metric - 1.5 * unit).abs() < 1e-5 * unit, "{metric} {unit}");
    }

    #[test]
    fn a_resumed_epoch_has_the_same_metric_or_none() {
        let problem = problem(8);
        let mut short = RecentOutputs::after(1);
        step(&mut short, &[1.0; 500], &[0.0; 500]);
        assert_eq!(short.metric(&problem), None, "12 samples of the earlier process are missing");
        let (mut resumed, mut all) = (RecentOutputs::after(1), RecentOutputs::after(0));
        step(&mut all, &[7.0; 100], &[0.0; 100]);
        for recent in [&mut resumed, &mut all] {
            step(recent, &[3.0; 100], &[0.0; 100]);
            step(recent, &[1.0; 512], &[0.0; 512]);
        }
        assert_eq!(resumed.metric(&problem).map(f64::to_bits), all.metric(&problem).map(f64::to_bits));
        assert_eq!(RecentOutputs::after(0).metric(&problem), None, "nothing was computed");
        let mut broken = RecentOutputs::after(0);
        step(&mut broken, &[f32::NAN], &[0.0]);
        assert_eq!(broken.metric(&problem), None);
    }

    #[test]
    fn a_validation_split_is_evaluated_only_as_often_as_is_cheap() {
        let (few, many) = (problem(8), problem(400));
        let every = |problem: &Problem| {
            ValidationMonitor::new(problem, problem.setup.train.len()).expect("there is a split").every
        };
        // 40 samples may be evaluated for every 400 trained on.
        assert_eq!((every(&few), every(&many)), (50, 1));
    }
}
