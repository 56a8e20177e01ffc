//! The size of a bench, and the configuration of each of its runs.

use crate::bench::search::error::SearchBenchError;
use crate::config::sections::Config;
use dashnas_core::names::SearchStrategy;
use serde::{Deserialize, Serialize};

/// Seeds of random kernels are counted from here, apart from the seeds of runs.
pub const RANDOM_SEEDS: u64 = 1000;

/// The size of a bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchSettings {
    /// The number of random networks.
    pub random: usize,
    /// The number of networks with the same kernel in every layer.
    pub uniform: usize,
    /// The number of searches of each kind, with seeds from that of the configuration on.
    pub seeds: usize,
}

impl Default for BenchSettings {
    fn default() -> Self {
        Self { random: 8, uniform: 4, seeds: 3 }
    }
}

/// Checks a configuration before the data set is read.
///
/// # Errors
/// [`SearchBenchError::Unsuitable`] if a setting would make the networks incomparable, and those of
/// [`Config::validate`].
pub fn check(config: &Config, settings: BenchSettings) -> Result<(), SearchBenchError> {
    base(config, settings).map(drop)
}

/// The configuration that all runs of a bench start from: the given one, without the plain backbone beside each network.
///
/// # Errors
/// [`SearchBenchError::Unsuitable`] if a setting would make the networks incomparable, and those of
/// [`Config::validate`].
pub(crate) fn base(config: &Config, settings: BenchSettings) -> Result<Config, SearchBenchError> {
    let (length, space) = ("trainings of equal length", "networks of one space, whatever their size");
    let budget = &config.budget;
    for (set, key, compares) in [
        (budget.time_limit > 0.0, "budget.time-limit", length),
        (budget.max_params > 0, "budget.max-params", space),
        (budget.max_latency > 0.0, "budget.max-latency", space),
        (config.search.kernels.is_some(), "search.kernels", "searched kernels with random ones"),
    ] {
        if set {
            return Err(SearchBenchError::Unsuitable { key, compares });
        }
    }
    let mut base = config.clone();
    base.baseline.enabled = false;
    let last = settings.seeds.saturating_sub(1);
    seeded(&base, last).validate().map_err(|error| SearchBenchError::Run(error.into()))?;
    Ok(base)
}

/// The configuration of a network with given kernels: only the kernels differ between the networks of the control.
pub(crate) fn with_kernels(base: &Config, kernels: &[[usize; 2]]) -> Config {
    let mut config = base.clone();
    config.search.kernels = Some(kernels.to_vec());
    config
}

/// The configuration of the search with the given number: its seed is that of the configuration plus the number.
pub(crate) fn seeded(base: &Config, number: usize) -> Config {
    Config { seed: seed(base, number), ..base.clone() }
}

/// The seed of the search with the given number.
pub(crate) fn seed(base: &Config, number: usize) -> u64 {
    base.seed.saturating_add(number as u64)
}

/// The configuration with the paper's search instead of its own, if wanted.
pub(crate) fn with_strategy(mut config: Config, paper: bool) -> Config {
    if paper {
        config.search.strategy = SearchStrategy::Paper;
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::names::Preset;

    #[test]
    fn settings_that_make_networks_incomparable_are_refused() {
        let preset = Config::preset(Preset::Quick);
        let refused = |change: fn(&mut Config)| {
            let mut config = preset.clone();
            change(&mut config);
            match base(&config, BenchSettings::default()) {
                Err(SearchBenchError::Unsuitable { key, .. }) => key,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused(|c| c.budget.time_limit = 60.0), "budget.time-limit");
        assert_eq!(refused(|c| c.budget.max_params = 1), "budget.max-params");
        assert_eq!(refused(|c| c.budget.max_latency = 1.0), "budget.max-latency");
        assert_eq!(refused(|c| c.search.kernels = Some(vec![[3, 1]])), "search.kernels");
        let base = base(&preset, BenchSettings::default()).expect("it is valid");
        assert!(!base.baseline.enabled);
        assert_eq!(seeded(&base, 2).seed, preset.seed + 2);
        let last = Config { seed: i64::MAX as u64, ..preset };
        assert!(super::base(&last, BenchSettings { seeds: 2, ..BenchSettings::default() }).is_err());
    }
}
