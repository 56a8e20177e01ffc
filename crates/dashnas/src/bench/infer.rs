//! Times the predictions of a trained model.

use crate::error::Error;
use dashnas_core::rng;
use dashnas_core::rng::Seed;
use dashnas_formats::array::Array;
use dashnas_nn::model::{Model, count_parameters};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A timing of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InferBench {
    /// The number of timed predictions of one sample, after some that are not timed.
    pub repeats: usize,
    /// The number of samples in a batch, for the throughput.
    pub batch: usize,
    /// The time after which no repetition begins, for each of the two measurements.
    pub limit: Duration,
}

/// Times of predictions, including preprocessing and the conversion of outputs to the units of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InferReport {
    /// Name of the data set that the model was trained on.
    pub data: String,
    /// `[channels, …]` of one input.
    pub input: Vec<usize>,
    /// Number of trained parameters.
    pub params: u64,
    /// Number of threads.
    pub threads: usize,
    /// Number of timed predictions of one sample.
    pub repeats: usize,
    /// Median milliseconds for one sample.
    pub latency_ms: f64,
    /// 95th percentile of the milliseconds for one sample.
    pub latency_p95_ms: f64,
    /// Samples in a batch.
    pub batch: usize,
    /// Samples per second in batches, the median of several.
    pub throughput: f64,
}

/// The median milliseconds of the prediction of one sample, from up to 50 predictions in about half a second.
///
/// # Errors
/// Those of [`Model::predict`].
pub fn latency_ms(model: &Model) -> Result<f64, Error> {
    Ok(1e3 * quantile(&times(model, &random_inputs(model, 1, 0), 50, Duration::from_millis(500))?, 0.5))
}

impl InferBench {
    /// Times predictions of random inputs with the size of the training inputs.
    ///
    /// # Errors
    /// Those of [`Model::predict`].
    pub fn run(&self, model: &Model) -> Result<InferReport, Error> {
        let one = times(model, &random_inputs(model, 1, 0), self.repeats, self.limit)?;
        let many = times(model, &random_inputs(model, self.batch, 1), self.repeats.min(10), self.limit)?;
        Ok(InferReport {
            data: model.card().data.clone(),
            input: model.card().read_as.clone(),
            params: count_parameters(model.network()),
            threads: rayon::current_num_threads(),
            repeats: one.len(),
            latency_ms: 1e3 * quantile(&one, 0.5),
            latency_p95_ms: 1e3 * quantile(&one, 0.95),
            batch: self.batch,
            throughput: self.batch as f64 / quantile(&many, 0.5),
        })
    }
}

/// Random inputs with the size of the training inputs: normal, with the mean and scale of each channel.
pub fn random_inputs(model: &Model, n: usize, seed: u64) -> Array {
    let card = model.card();
    let shape = card.read_as.clone();
    let mut stream = Seed(seed).stream("inputs", &[]);
    let mut data = rng::normal(n * shape.iter().product::<usize>(), 1.0, &mut stream);
    // If there are transforms, the statistics are those of the transformed inputs.
    let known = card.transforms.is_empty().then(|| card.inputs.mean_and_scale(&shape[1..])).flatten();
    if let Some((mean, scale)) = known {
        let plane: usize = shape[1..].iter().product();
        // One pair for each channel, or one for each point.
        let spread = plane * shape[0] / mean.data.len();
        for row in data.chunks_exact_mut(plane * shape[0]) {
            row.iter_mut().enumerate().for_each(|(i, v)| *v = *v * scale.data[i / spread] + mean.data[i / spread]);
        }
    }
    Array::new([&[n], &shape[..]].concat(), data)
}

/// The seconds of each prediction, sorted, after a few warm-up predictions.
fn times(model: &Model, x: &Array, repeats: usize, limit: Duration) -> Result<Vec<f64>, Error> {
    for _ in 0..3.min(repeats) {
        model.predict(x)?;
    }
    let begun = Instant::now();
    let mut seconds = Vec::with_capacity(repeats);
    while seconds.is_empty() || (seconds.len() < repeats && begun.elapsed() < limit) {
        let started = Instant::now();
        model.predict(x)?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds)
}

/// The smallest of sorted values such that at least the given share of them is not larger.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use crate::bench::infer::quantile;

    #[test]
    fn quantiles_are_elements() {
        let sorted: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!([quantile(&sorted, 0.5), quantile(&sorted, 0.95), quantile(&sorted, 1.0)], [10.0, 19.0, 20.0]);
        assert_eq!(quantile(&[7.0], 0.95), 7.0);
    }
}
