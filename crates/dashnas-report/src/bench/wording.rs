//! The results of a bench of the search in words.

use dashnas::bench::search::document::{ByMeasure, Document, NetworkResult};
use dashnas::bench::search::statistics::{Agreement, mean};
use dashnas_core::task::Metric;

/// A group of networks with its figures.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Its title.
    pub title: &'static str,
    /// Its networks.
    pub networks: &'a [NetworkResult],
    /// Its figures; the random networks have none.
    pub figures: Option<Figures>,
}

/// The figures of a group of networks.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// The mean percentage of random networks that are worse.
    pub percentile: ByMeasure<f64>,
    /// The 95 % interval of the percentile.
    pub interval: ByMeasure<[f64; 2]>,
    /// The ratio of the mean error to that of the random networks.
    pub to_random: ByMeasure<f64>,
    /// The ratio of the mean error to that of the plain network.
    pub to_plain: ByMeasure<f64>,
}

impl Group<'_> {
    /// The values that its networks have of a quantity.
    pub fn values(&self, of: fn(&NetworkResult) -> Option<f64>) -> Vec<f64> {
        self.networks.iter().filter_map(of).collect()
    }

    /// The least, the mean and the largest test error.
    pub fn errors(&self, metric: Metric) -> [String; 3] {
        let tests = self.values(|n| n.test);
        [tests.iter().copied().reduce(f64::min), mean(&tests), tests.iter().copied().reduce(f64::max)]
            .map(|value| error(metric, value))
    }
}

impl Figures {
    /// The percentile, and the ratios to the random networks and to the plain one, each by the metric and by the loss.
    pub fn texts(&self) -> [String; 6] {
        [
            with_interval(self.percentile.metric, self.interval.metric),
            with_interval(self.percentile.loss, self.interval.loss),
            number(self.to_random.metric, 3),
            number(self.to_random.loss, 3),
            number(self.to_plain.metric, 3),
            number(self.to_plain.loss, 3),
        ]
    }
}

/// The groups of networks that have test results.
pub fn groups(document: &Document) -> [Group<'_>; 6] {
    let (percentile, interval) = (&document.percentile, &document.percentile_interval);
    let (to_random, to_plain) = (&document.ratio_to_random, &document.ratio_to_plain);
    macro_rules! figures {
        ($group:ident) => {
            Some(Figures {
                percentile: percentile.$group,
                interval: interval.$group,
                to_random: to_random.$group,
                to_plain: to_plain.$group,
            })
        };
    }
    [
        Group { title: "random", networks: &document.random, figures: None },
        Group { title: "plain", networks: &document.plain, figures: figures!(plain) },
        Group { title: "uniform", networks: &document.uniform, figures: figures!(uniform) },
        Group { title: "paper, retrained", networks: &document.paper, figures: figures!(paper) },
        Group { title: "searched, retrained", networks: &document.searched, figures: figures!(searched) },
        Group { title: "searched, whole run", networks: &document.whole, figures: figures!(whole) },
    ]
}

/// A percentile with its interval: `87.5 [62.5, 100.0]`.
pub fn with_interval(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (value, interval) {
        (Some(value), Some([low, high])) => format!("{value:.1} [{low:.1}, {high:.1}]"),
        (Some(value), None) => format!("{value:.1}"),
        _ => "-".to_owned(),
    }
}

/// A number with some decimals; `-` if there is none.
pub fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

/// An error in the form of its metric; `-` if there is none.
pub fn error(metric: Metric, value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| metric.format(value))
}

/// How far the seeds of each search agree, one sentence for each search of at least two seeds.
pub fn agreement(document: &Document) -> Vec<String> {
    let found = document.agreement;
    let sentence = |(title, of): (&str, Option<Agreement>)| {
        let of = of?;
        Some(format!(
            "Seeds of {title} choose the same kernel in {:.0} % of the layers (chance: {:.0} %), the same size in \
             {:.0} % ({:.0} %), the same dilation in {:.0} % ({:.0} %).",
            100.0 * of.kernel,
            100.0 * found.chance.kernel,
            100.0 * of.size,
            100.0 * found.chance.size,
            100.0 * of.dilation,
            100.0 * found.chance.dilation
        ))
    };
    [("the search", found.searched), ("the paper's search", found.paper)].into_iter().filter_map(sentence).collect()
}

/// How decided the searches are, one sentence for each search that trains α.
pub fn entropy(document: &Document) -> Vec<String> {
    let sentence = |(title, value): (&str, Option<f64>)| {
        let undecided = document.entropy.undecided;
        Some(format!("The mean entropy of α after {title} is {:.3}; undecided is {undecided:.3}.", value?))
    };
    let found = document.entropy;
    [("the search", found.searched), ("the paper's search", found.paper)].into_iter().filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_follow_their_value() {
        assert_eq!(with_interval(Some(87.5), Some([62.5, 100.0])), "87.5 [62.5, 100.0]");
        assert_eq!(with_interval(Some(50.0), None), "50.0");
        assert_eq!(with_interval(None, None), "-");
        assert_eq!((number(Some(0.125), 2), number(None, 2)), ("0.12".into(), "-".into()));
    }
}
