//! The task's metric while a training goes on, at next to no cost.
//!
//! On training data it is taken of the outputs that the steps computed anyway ([`Recent`]): those of the network as
//! it was in training, with sampled kernels in the search, dropout and augmentation. On the data set's own
//! validation split ([`Validation`]) it is taken of the network as it is used, only as often as costs a few percent
//! of the training. Neither changes anything that the training sees.

use crate::data::{Array, Targets};
use crate::host::floats;
use crate::loss::BatchTarget;
use crate::network::Network;
use crate::problem::{HeldOut, Problem};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use std::collections::VecDeque;

/// Samples that a metric is taken of, at most.
const SAMPLES: usize = 512;
/// Numbers that their outputs are, at most.
const VALUES: usize = 1 << 20;
/// Samples of the validation split that are looked at for each one that is trained on, at most. Without a backward
/// pass a sample costs about a third, so this is 3 % of the time.
const SHARE: f64 = 0.1;

/// Samples that a metric is taken of where each has so many outputs, at most.
fn cap(outputs: usize) -> usize {
    (VALUES / outputs.max(1)).clamp(1, SAMPLES)
}

/// Outputs and targets of a batch, or of a part of one.
struct Part {
    /// `[samples, outputs, positions]`, normalized.
    output: Array,
    /// Normalized likewise.
    target: Targets,
}

/// What the newest steps of an epoch computed: so many of the last ones as make the cap.
pub(crate) struct Recent {
    parts: VecDeque<Part>,
    samples: usize,
    /// Whether nothing is missing that a process which saw the whole epoch would have.
    whole: bool,
}

impl Recent {
    /// None yet; of an epoch that is gone on with after so many steps.
    pub fn after(steps: usize) -> Self {
        Self { parts: VecDeque::new(), samples: 0, whole: steps == 0 }
    }

    /// Takes notice of a step's outputs.
    pub fn push(&mut self, output: Tensor<3>, target: &BatchTarget) {
        let shape = output.dims();
        let part = Part { output: Array::new(shape.to_vec(), floats(output)), target: on_the_host(target, shape) };
        let cap = cap(shape[1] * shape[2]);
        self.samples += part.output.rows();
        self.parts.push_back(part);
        while let Some(first) = self.parts.front()
            && self.samples - first.output.rows() >= cap
        {
            self.samples -= first.output.rows();
            self.parts.pop_front();
            self.whole = true;
        }
    }

    /// The metric of them, in the data's own units. None where it is not defined, or where too little of the epoch
    /// was seen, so that it does not depend on where a training was interrupted.
    pub fn metric(self, problem: &Problem) -> Option<f64> {
        let first = self.parts.front().filter(|_| self.whole)?;
        let (shape, classes) = (first.output.shape.clone(), first.target.classes().is_some());
        let (mut outputs, mut labels, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for part in &self.parts {
            outputs.extend_from_slice(&part.output.data);
            match &part.target {
                Targets::Classes(t) => labels.extend_from_slice(t),
                Targets::Values(t) => values.extend_from_slice(&t.data),
            }
        }
        let array = |data: Vec<f32>| {
            let mut array = Array::new(vec![self.samples, shape[1], shape[2]], data);
            problem.targets.decode(&mut array);
            array
        };
        let truth = if classes { Targets::Classes(labels) } else { Targets::Values(array(values)) };
        problem.metric_of_predictions(&array(outputs), &truth).ok()
    }
}

/// The targets of a batch as data; of mixed samples, those of the larger share.
fn on_the_host(target: &BatchTarget, shape: [usize; 3]) -> Targets {
    let array = |data: Vec<f32>| Targets::Values(Array::new(shape.to_vec(), data));
    match target {
        BatchTarget::Mixed { first, second, share } => on_the_host(if *share >= 0.5 { first } else { second }, shape),
        // Classes are far below the numbers that f32 has no place for.
        BatchTarget::Classes(t) => Targets::Classes(floats(t.clone().float()).into_iter().map(|t| t as u32).collect()),
        BatchTarget::Values(t) => array(floats(t.clone())),
        BatchTarget::Known { values, known } => {
            let known = floats(known.clone());
            let value = |(v, known): (f32, f32)| if known > 0.0 { v } else { f32::NAN };
            array(floats(values.clone()).into_iter().zip(known).map(value).collect())
        }
    }
}

/// The data set's own validation split, seldom enough looked at.
pub(crate) struct Validation<'a> {
    problem: &'a Problem,
    held: HeldOut<'a>,
    every: usize,
}

impl<'a> Validation<'a> {
    /// For a training of so many samples an epoch; none if the data set has no such split.
    pub fn new(problem: &'a Problem, an_epoch: usize) -> Option<Self> {
        let mut held = problem.given_validation()?;
        let [outputs, positions] = held.samples.target();
        let keep = held.rows.len().min(cap(outputs * positions));
        // Evenly spread, as files are often sorted.
        held.rows = (0..keep).map(|i| i * held.rows.len() / keep).collect();
        let every = (keep as f64 / (SHARE * an_epoch.max(1) as f64)).ceil().max(1.0) as usize;
        Some(Self { problem, held, every })
    }

    /// The metric after an epoch, if it is the turn of this one.
    pub fn metric(&self, epoch: usize, epochs: usize, network: &Network, device: &Device) -> Option<f64> {
        let due = (epoch + 1).is_multiple_of(self.every) || epoch + 1 == epochs;
        // Where it is not defined, or not finite, there is none.
        due.then(|| self.problem.metric_of(&network.clone().valid(), &self.held, &device.clone().inner()).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Preset};
    use crate::data::{Dataset, Split};
    use crate::task::TaskKind;

    fn problem(rows: usize) -> Problem {
        let split = |n: usize| Split {
            x: Array::new(vec![n, 1, 4], (0..4 * n).map(|i| i as f32).collect()),
            y: Targets::Values(Array::new(vec![n, 1], (0..n).map(|i| i as f32).collect())),
        };
        let task = TaskKind::Regression { outputs: 1 };
        let data = Dataset::new("numbers", task, split(rows), Some(split(40)), split(4)).expect("sound");
        Problem::new(&Config::preset(Preset::Quick), &data).expect("fits")
    }

    fn step(recent: &mut Recent, output: &[f32], target: &[f32]) {
        let tensor = |v: &[f32]| Tensor::<1>::from_floats(v, &Device::flex()).reshape([v.len(), 1, 1]);
        recent.push(tensor(output), &BatchTarget::Values(tensor(target)));
    }

    #[test]
    fn the_metric_is_that_of_the_last_samples_in_the_datas_units() {
        let problem = problem(8);
        let mut raw = Array::new(vec![1, 1], vec![1.0]);
        problem.targets.decode(&mut raw);
        let mut zero = Array::new(vec![1, 1], vec![0.0]);
        problem.targets.decode(&mut zero);
        let unit = f64::from(raw.data[0] - zero.data[0]);
        let mut recent = Recent::after(0);
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
        let mut short = Recent::after(1);
        step(&mut short, &[1.0; 500], &[0.0; 500]);
        assert_eq!(short.metric(&problem), None, "12 samples of the earlier process are missing");
        let (mut resumed, mut all) = (Recent::after(1), Recent::after(0));
        step(&mut all, &[7.0; 100], &[0.0; 100]);
        for recent in [&mut resumed, &mut all] {
            step(recent, &[3.0; 100], &[0.0; 100]);
            step(recent, &[1.0; 512], &[0.0; 512]);
        }
        assert_eq!(resumed.metric(&problem).map(f64::to_bits), all.metric(&problem).map(f64::to_bits));
        assert_eq!(Recent::after(0).metric(&problem), None, "nothing was computed");
        let mut broken = Recent::after(0);
        step(&mut broken, &[f32::NAN], &[0.0]);
        assert_eq!(broken.metric(&problem), None);
    }

    #[test]
    fn a_validation_split_is_looked_at_only_as_often_as_is_cheap() {
        let (few, many) = (problem(8), problem(400));
        let every = |problem: &Problem| Validation::new(problem, problem.train.len()).expect("there is a split").every;
        // 40 samples may be looked at for every 400 trained on.
        assert_eq!((every(&few), every(&many)), (50, 1));
    }
}
