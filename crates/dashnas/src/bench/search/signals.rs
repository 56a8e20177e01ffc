//! The quantities that are known of a network before it is trained in full, and how well each ranks networks.

use crate::bench::search::record::EntryRecord;
use crate::bench::search::statistics::{kendall, mean};
use aggconv::{Candidate, KernelSpace};
use serde::{Deserialize, Serialize};

/// The smallest probability whose logarithm is taken.
const TINY: f64 = 1e-300;

/// The rank correlation of a signal with the final results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// The signal.
    pub signal: String,
    /// Kendall's τ-b with the test metric; `None` if all values are equal.
    pub tau: Option<f64>,
    /// Kendall's τ-b with the test loss.
    pub tau_loss: Option<f64>,
    /// The number of networks.
    pub networks: usize,
}

/// The value of a signal for a network; `None` where it is not defined.
type Signal<'a> = Box<dyn Fn(&EntryRecord) -> Option<f64> + 'a>;

/// The rank correlations of all signals that have values. Every signal is positive where it predicts a larger error, but
/// for the reach of the first layer, which predicts nothing by itself. `networks` were trained under the same conditions,
/// and `searches` are those of the paper.
pub fn correlations(networks: &[&EntryRecord], searches: &[&EntryRecord], space: &KernelSpace) -> Vec<Correlation> {
    let mut signals: Vec<(String, Signal<'_>)> = vec![
        ("validation metric".into(), Box::new(|n: &EntryRecord| n.validation)),
        ("validation loss".into(), Box::new(|n: &EntryRecord| n.validation_loss)),
    ];
    let mut lengths: Vec<[u64; 2]> = networks.iter().flat_map(|n| n.trials.iter().map(|t| t.length)).collect();
    lengths.sort_by_key(|&[part, whole]| (part * 1_000_000).checked_div(whole));
    lengths.dedup();
    for length in lengths {
        let trial = move |n: &EntryRecord| n.trials.iter().find(|t| t.length == length).cloned();
        let name = format!("trial of {}/{} of the length", length[0], length[1]);
        signals.push((format!("{name}: metric"), Box::new(move |n| trial(n)?.metric)));
        signals.push((format!("{name}: loss"), Box::new(move |n| trial(n)?.loss)));
    }
    signals.push(("alpha".into(), Box::new(|n| improbability(n, searches, space))));
    signals.push(("masked supernet".into(), Box::new(|n: &EntryRecord| n.masked)));
    signals.push(("reach of the first layer".into(), Box::new(reach)));
    signals.iter().filter_map(|(name, signal)| correlation(name, signal, networks)).collect()
}

/// The rank correlation of one signal; `None` if no network has a value.
fn correlation(name: &str, signal: &Signal<'_>, networks: &[&EntryRecord]) -> Option<Correlation> {
    let valued: Vec<(f64, &EntryRecord)> =
        networks.iter().filter_map(|n| Some((signal(n)?, *n))).filter(|(_, n)| n.error().is_some()).collect();
    let with = |result: fn(&EntryRecord) -> Option<f64>| {
        let pairs: Vec<(f64, f64)> = valued.iter().filter_map(|&(value, n)| Some((value, result(n)?))).collect();
        kendall(&pairs)
    };
    (!valued.is_empty()).then(|| Correlation {
        signal: name.into(),
        tau: with(EntryRecord::error),
        tau_loss: with(EntryRecord::loss),
        networks: valued.len(),
    })
}

/// `−Σ log softmax(α)` of the kernels of a network over the layers, on average over searches; `None` for kernels outside
/// the space.
fn improbability(network: &EntryRecord, searches: &[&EntryRecord], space: &KernelSpace) -> Option<f64> {
    let kernels = network.kernels.as_ref()?;
    let chosen: Vec<usize> =
        kernels.iter().map(|&[k, d]| space.index_of(Candidate::new(k, d).ok()?)).collect::<Option<_>>()?;
    let of = |layers: &Vec<Vec<f64>>| -> Option<f64> {
        let logs = chosen.iter().zip(layers).map(|(&c, layer)| Some(layer.get(c)?.max(TINY).ln()));
        (layers.len() == chosen.len()).then(|| logs.sum::<Option<f64>>()).flatten().map(|sum| -sum)
    };
    mean(&searches.iter().filter_map(|search| of(search.alpha.as_ref()?)).collect::<Vec<_>>())
}

/// The reach `(k − 1)·d` of the first searched layer.
fn reach(network: &EntryRecord) -> Option<f64> {
    let &[k, d] = network.kernels.as_ref()?.first()?;
    Some((k.saturating_sub(1) * d) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::search::record::ShortTrial;

    fn network(kernel: [usize; 2], validation: f64, test: f64) -> EntryRecord {
        let trial = |part, metric| ShortTrial { length: [1, part], steps: 1, metric, loss: Some(test), seconds: 0.0 };
        EntryRecord {
            kernels: Some(vec![kernel; 2]),
            validation: Some(validation),
            test: Some(test),
            trials: vec![trial(2, Some(1.0 - test)), trial(4, None)],
            ..EntryRecord::default()
        }
    }

    #[test]
    fn signals_are_correlated_with_the_results() {
        let space = KernelSpace::new([3, 5], [1]).expect("a space");
        let all = [network([3, 1], 0.3, 0.2), network([5, 1], 0.2, 0.1), network([7, 1], 0.1, 0.3)];
        let networks: Vec<&EntryRecord> = all.iter().collect();
        // One search prefers the better kernel, the other one says nothing.
        let search = |p: f64| EntryRecord { alpha: Some(vec![vec![1.0 - p, p]; 2]), ..EntryRecord::default() };
        let searches = [search(0.9), search(0.5)];
        let found = correlations(&networks, &searches.iter().collect::<Vec<_>>(), &space);
        let tau = |signal: &str| {
            let found = found.iter().find(|c| c.signal == signal).map(|c| (c.tau, c.networks));
            found.unwrap_or_else(|| panic!("{signal} in {:?}", correlations(&networks, &[], &space)))
        };
        assert_eq!(tau("validation metric"), (Some(-1.0 / 3.0), 3));
        assert_eq!(tau("trial of 1/2 of the length: metric"), (Some(-1.0), 3));
        assert_eq!(tau("trial of 1/4 of the length: loss"), (Some(1.0), 3));
        assert_eq!(tau("alpha"), (Some(1.0), 2), "the third network is outside the space");
        assert_eq!(tau("reach of the first layer"), (Some(1.0 / 3.0), 3));
        assert!(found.iter().all(|c| c.tau_loss.is_none()), "no network has a loss");
        let names: Vec<&str> = found.iter().map(|c| c.signal.as_str()).collect();
        assert!(!names.contains(&"masked supernet") && !names.contains(&"validation loss"), "{names:?}");
        let expected = -0.5 * (2.0 * 0.1f64.ln() + 2.0 * 0.5f64.ln());
        let value = improbability(&all[0], &searches.iter().collect::<Vec<_>>(), &space).expect("it is in the space");
        assert!((value - expected).abs() < 1e-12, "{value}");
    }
}
