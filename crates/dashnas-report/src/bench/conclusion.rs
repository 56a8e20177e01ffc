//! What follows from a bench of the search: whether the kernels that are found are better than random ones.

use dashnas::bench::search::document::{Document, NetworkResult};
use dashnas_core::text::plural;
use std::collections::BTreeSet;

/// The largest probability with which the networks of a useless search may all be better than all random ones. It is
/// that beyond one end of the 95 % interval.
const CHANCE: f64 = 0.025;
/// The percentile that random kernels reach on average.
const RANDOM: f64 = 50.0;

/// The conclusion of a bench.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// It, as a sentence.
    pub text: String,
    /// Whether it is that the search finds better kernels than random ones, by the metric.
    pub better: bool,
}

/// What an interval of the percentile shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    Open,
}

impl Verdict {
    fn of([low, high]: [f64; 2]) -> Self {
        match () {
            () if low > RANDOM => Verdict::Better,
            () if high < RANDOM => Verdict::Worse,
            () => Verdict::Open,
        }
    }
}

/// The conclusion that follows from the intervals of the networks that the configured search found, trained as the
/// random ones.
pub fn conclusion(document: &Document) -> Conclusion {
    let open = |text: String| Conclusion { text, better: false };
    let interval = document.percentile_interval.searched;
    let Some(by_metric) = interval.metric else { return open(nothing(document).to_owned()) };
    if let Some(text) = too_few(document) {
        return open(text);
    }
    let [finished, planned] = document.finished;
    let (so_far, on) = if finished < planned { ("So far, ", "on") } else { ("", "On") };
    let (name, metric) = (&document.dataset, document.metric.title());
    let verdict = Verdict::of(by_metric);
    let shown = |[low, high]: [f64; 2]| format!("{low:.1} to {high:.1}");
    let range = shown(by_metric);
    let text = match verdict {
        Verdict::Better => format!(
            "{so_far}{on} {name}, the search finds better kernels than random ones by the {metric}: the 95 % interval of the \
             percentile, {range}, is above 50"
        ),
        Verdict::Worse => format!(
            "{so_far}{on} {name}, the search finds worse kernels than random ones by the {metric}: the 95 % interval of the \
             percentile, {range}, is below 50"
        ),
        Verdict::Open => format!(
            "{so_far}{name} alone does not show whether the search finds better kernels than random ones by the {metric}: the \
             95 % interval of the percentile, {range}, contains 50"
        ),
    };
    let by_loss = interval.loss.map_or_else(String::new, |interval| {
        let range = shown(interval);
        match Verdict::of(interval) {
            Verdict::Open if verdict == Verdict::Open => format!("; so does that by the loss, {range}"),
            same if same == verdict => format!("; so is that by the loss, {range}"),
            Verdict::Better => {
                format!("; by the loss it is above 50, {range}, so that they are better by that measure")
            }
            Verdict::Worse => format!("; by the loss it is below 50, {range}, so that they are worse by that measure"),
            Verdict::Open => format!("; by the loss it contains 50, {range}"),
        }
    });
    Conclusion { text: format!("{text}{by_loss}."), better: verdict == Verdict::Better }
}

/// Why there is no interval.
fn nothing(document: &Document) -> &'static str {
    let [finished, planned] = document.finished;
    let results = |networks: &[NetworkResult]| networks.iter().any(|n| n.test.is_some());
    if document.settings.size.seeds == 0 {
        "Nothing was searched, so that nothing can be concluded about the search."
    } else if finished < planned {
        "The bench is not finished, so that nothing can be concluded yet."
    } else if !results(&document.searched) && !results(&document.random) {
        "The training of every searched and every random network failed, so that nothing can be concluded."
    } else {
        "There are no results to compare, so that nothing can be concluded."
    }
}

/// The conclusion if there are too few different networks: then chance alone could give the best possible result, and
/// the interval is narrower than it should be, because resamples of few networks are alike.
fn too_few(document: &Document) -> Option<String> {
    let distinct = |networks: &[NetworkResult]| {
        let counted = networks.iter().filter(|n| n.test.is_some() || n.reason.is_some());
        counted.map(|n| &n.kernels).collect::<BTreeSet<_>>().len()
    };
    let (random, searched) = (distinct(&document.random), distinct(&document.searched));
    let chance = best_by_chance(random, searched);
    (chance > CHANCE).then(|| {
        format!(
            "{} from the search and {} are too few for a conclusion: if the search did nothing, its architectures would all \
             be better than the random ones with a probability of {:.0} %.",
            plural(searched, "different architecture"),
            plural(random, "random one"),
            100.0 * chance
        )
    })
}

/// The probability that all of some networks are better than all of some others, if all orders are equally probable.
fn best_by_chance(others: usize, some: usize) -> f64 {
    (1..=some).map(|i| i as f64 / (others + i) as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_decides_only_if_it_does_not_contain_50() {
        assert_eq!(Verdict::of([50.1, 100.0]), Verdict::Better);
        assert_eq!(Verdict::of([0.0, 49.9]), Verdict::Worse);
        assert_eq!(Verdict::of([50.0, 100.0]), Verdict::Open);
        assert_eq!(Verdict::of([12.5, 87.5]), Verdict::Open);
    }

    #[test]
    fn the_probability_of_the_best_result_is_one_over_the_number_of_orders() {
        assert!((best_by_chance(8, 3) - 1.0 / 165.0).abs() < 1e-12);
        assert!((best_by_chance(8, 1) - 1.0 / 9.0).abs() < 1e-12);
        assert!(best_by_chance(8, 2) < CHANCE && best_by_chance(4, 2) > CHANCE);
        assert_eq!(best_by_chance(0, 2), 1.0);
    }
}
