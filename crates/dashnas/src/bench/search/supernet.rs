//! The loss of every network of the control as a path of one supernet of single paths, which costs about as much as a
//! race: a signal that needs no training of each network.

use crate::bench::search::error::SearchBenchError;
use crate::bench::search::folder::{BenchFolder, write_json};
use crate::error::Error;
use crate::problem::build::graph;
use crate::problem::state::Problem;
use crate::race::setup::configured_steps;
use crate::race::supernet::Supernet;
use crate::train::recorder::Recorder;
use aggconv::{Candidate, KernelSpace};
use dashnas_nn::network::training_device;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The file in the folder of a bench.
const FILE: &str = "supernet.json";

/// The losses of paths of a supernet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PathLosses {
    /// The steps of the training of the supernet.
    pub steps: u64,
    /// Seconds of the training and of all paths.
    pub seconds: f64,
    /// The paths.
    pub paths: Vec<PathLoss>,
}

/// The loss of a path of a supernet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PathLoss {
    /// The kernels.
    pub kernels: Vec<[usize; 2]>,
    /// The loss on held-out samples; null if it is not finite.
    pub loss: Option<f64>,
}

impl PathLosses {
    /// Those in the folder of a bench, if there are any.
    ///
    /// # Errors
    /// [`SearchBenchError::Damaged`] if the file is damaged.
    pub fn read(folder: &BenchFolder) -> Result<Self, SearchBenchError> {
        let read = folder.read(FILE).map_err(|e| SearchBenchError::of_results(e, Some(&folder.file(FILE))));
        Ok(read?.unwrap_or_default())
    }

    /// The loss of a network, if it is known.
    pub fn of(&self, kernels: &[[usize; 2]]) -> Option<f64> {
        self.paths.iter().find(|path| path.kernels == kernels)?.loss
    }

    /// Trains a supernet and judges the given networks by it, and writes the file. Networks that it does not have are
    /// left out. Nothing is trained if the losses of all are known already.
    ///
    /// # Errors
    /// Those of [`Supernet::train`] and [`Supernet::loss_of`], and [`Error::File`] if the file cannot be written.
    pub fn complete(
        self,
        networks: &[Vec<[usize; 2]>],
        problem: &Problem,
        space: &KernelSpace,
        folder: &BenchFolder,
        recorder: &mut dyn Recorder,
    ) -> Result<Self, Error> {
        let path = |kernels: &Vec<[usize; 2]>| -> Option<Vec<Candidate>> {
            let path: Vec<_> = kernels.iter().map(|&[k, d]| Candidate::new(k, d).ok()).collect::<Option<_>>()?;
            path.iter().all(|&kernel| space.shares(kernel)).then_some(path)
        };
        let wanted: Vec<_> = networks.iter().filter_map(|kernels| Some((kernels.clone(), path(kernels)?))).collect();
        if wanted.iter().all(|(kernels, _)| self.paths.iter().any(|known| known.kernels == *kernels)) {
            return Ok(self);
        }
        let (began, device) = (Instant::now(), training_device(problem.setup.dims()));
        let steps = configured_steps(problem);
        let graph = graph(problem, problem.config().backbone.search_width);
        let Some(supernet) = Supernet::train(problem, &graph, space, steps, &device, recorder)? else {
            return Ok(self);
        };
        let mut paths = Vec::new();
        for (kernels, path) in wanted {
            let loss = supernet.loss_of(&path)?;
            paths.push(PathLoss { kernels, loss: loss.is_finite().then_some(loss) });
        }
        let complete = Self { steps, seconds: began.elapsed().as_secs_f64(), paths };
        write_json(&folder.file(FILE), &complete)?;
        Ok(complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::example::task;

    #[test]
    fn a_damaged_file_is_named_with_advice() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (data, config) = task(0);
        let folder = BenchFolder::open(directory.path(), &config, "data", &data).expect("a new folder");
        assert_eq!(PathLosses::read(&folder).expect("no file"), PathLosses::default());
        std::fs::write(folder.file(FILE), "{\"steps\": ").expect("writable");
        let error = PathLosses::read(&folder).expect_err("it is cut short");
        assert!(error.to_string().contains("supernet.json is damaged"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("delete ") && hint.contains("supernet.json")));
    }
}
