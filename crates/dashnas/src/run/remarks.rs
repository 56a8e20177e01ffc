//! What a result suggests to do, in words: notes of a run beside those on its limits.

use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::problem::{HeldOut, Problem};
use crate::record::paired::Judgement;
use dashnas_core::task::Metric;
use dashnas_core::text::plural;
use dashnas_data::dataset::Dataset;
use dashnas_data::groups::GroupKind;
use dashnas_data::transform::kind::Transform;
use dashnas_nn::network::{Network, training_device};

/// Most training samples that are predicted for a note.
const TRAINING: usize = 512;
/// Fewer groups of test samples than these are few, and so are fewer samples without groups.
const FEW_GROUPS: usize = 10;
const FEW_SAMPLES: usize = 100;
/// The usual number of folds.
const FOLDS: usize = 5;

/// The notes on the result of a run.
///
/// # Errors
/// Those of reading the training samples.
pub(crate) fn remarks(
    problem: &Problem,
    data: &Dataset,
    network: &Network,
    seen: &Evaluation,
) -> Result<Vec<String>, Error> {
    let judgement = seen.judgement.unwrap_or_default();
    let mut notes: Vec<String> = more_to_test(data, &judgement).into_iter().collect();
    let (metric, test) = (problem.setup.metric, seen.searched.metric);
    let result = OnBoth { metric, test, guessing: judgement.guessing, samples: data.test.len(), judgement };
    if result.is_bad()
        && let Some((train, predicted)) = of_training(problem, network)?
        && result.does_not_carry_over(train)
    {
        notes.push(format!(
            "the network fits the training samples ({} {} on {predicted} of them) and does not carry over to the test samples \
             ({}): {}",
            metric.title(),
            metric.format(train),
            metric.format(test),
            advice(data)
        ));
    }
    Ok(notes)
}

/// The advice to make a cross-validation where a drawn test split has so few groups or samples that it cannot show whether
/// the network is better than guessing. A split that was given cannot be drawn again.
fn more_to_test(data: &Dataset, judgement: &Judgement) -> Option<String> {
    data.origin.drawn.filter(|drawn| drawn.fold.is_none() && !drawn.by_time)?;
    judgement.guessing?;
    let shown =
        judgement.against_guessing.map_or(judgement.too_few_groups().is_none(), |paired| paired.shows_difference());
    let few = match judgement.groups {
        Some(groups) => (groups.number < FEW_GROUPS).then(|| groups.words()),
        None => (data.test.len() < FEW_SAMPLES).then(|| plural(data.test.len(), "sample")),
    };
    let parts = match (&data.groups, judgement.groups) {
        (Some(groups), Some(_)) => groups.names.len(),
        _ => data.train.len() + data.test.len(),
    };
    let (few, folds) = (few.filter(|_| !shown)?, parts.min(FOLDS));
    Some(format!(
        "the test split has only {few}: a cross-validation, with `data.folds = {folds}`, tests on every sample once, so that its \
         result says more"
    ))
}

/// The metric on up to [`TRAINING`] training samples, evenly spread, and their number; `None` if it is not defined on them.
fn of_training(problem: &Problem, network: &Network) -> Result<Option<(f64, usize)>, Error> {
    let setup = &problem.setup;
    let rows = (0..setup.train.len()).collect();
    let all = HeldOut { samples: &setup.train, truth: setup.train_targets(), rows, segments: None };
    let some = all.at_most(TRAINING);
    let device = training_device(setup.dims()).inner();
    let predictions = problem.predict(network, some.samples, &some.rows, &device)?;
    let (truth, weights) = some.truth_to_score();
    let metric = setup.metric_of_predictions(&predictions, &truth, weights.as_deref()).ok();
    Ok(metric.map(|metric| (metric, some.rows.len())))
}

/// The results of a network on training and test samples. Lower metrics are better.
struct OnBoth {
    metric: Metric,
    test: f64,
    /// The metric of guessing on the test samples.
    guessing: Option<f64>,
    /// The number of test samples.
    samples: usize,
    judgement: Judgement,
}

impl OnBoth {
    /// The share of the metric of guessing from which on a test metric is bad: an error rate of 40 % of that of guessing. Other
    /// metrics fall more slowly, such as the root of a mean square.
    fn bad(&self) -> f64 {
        if self.metric == Metric::ZeroOneError { 0.4 } else { 0.7 }
    }

    /// Whether the test metric is so bad that it may be that of a network that does not carry over: by [`OnBoth::bad`], on at
    /// least 20 samples, and not by chance, so that half of this is below the 95 % interval, if there is one.
    fn is_bad(&self) -> bool {
        let Some(guessing) = self.guessing.filter(|guessing| *guessing > 0.0) else { return false };
        let least = self.bad() * guessing;
        let by_chance = self.judgement.interval.is_some_and(|interval| interval.low < least / 2.0);
        self.test >= least && self.samples >= 20 && !by_chance
    }

    /// Whether it is clear that the network fits the training samples and does not carry over to the test samples: the test
    /// metric is bad, and that of the training samples at most a quarter of it and at most a fifth of that of guessing.
    fn does_not_carry_over(&self, train: f64) -> bool {
        let guessing = self.guessing.unwrap_or_default();
        self.is_bad() && train <= self.test / 4.0 && train <= guessing / 5.0
    }
}

/// What may help a network that does not carry over.
fn advice(data: &Dataset) -> String {
    let standardized = data.transforms.contains(&Transform::StandardizeSamples);
    let levels = match standardized {
        true => "",
        false => {
            "; where the levels of their channels differ for no reason of interest, set `task.transforms` to \
                  standardize-samples"
        }
    };
    match data.groups.as_ref().map(|groups| groups.are) {
        Some(GroupKind::Groups) => format!("more groups to train on help most{levels}"),
        Some(GroupKind::Recordings) => format!("more recordings to train on help most{levels}"),
        None => format!(
            "more samples to train on help most; where samples belong together, such as those of one person, name what they \
             belong to with `data.group`, so that settings are chosen on whole groups{levels}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::paired::{GroupCount, Interval, IntervalMethod, Paired, PairedTest};
    use dashnas_core::task::TaskKind;
    use dashnas_data::dataset::DrawnSplit;
    use dashnas_data::groups::Groups;
    use dashnas_data::split::Split;
    use dashnas_data::targets::Targets;
    use dashnas_formats::array::Array;

    #[test]
    fn only_a_clear_difference_of_training_and_test_is_said() {
        let result = |metric, test, guessing, samples, low: Option<f64>| {
            let interval = low.map(|low| Interval { low, high: 1.0, by: IntervalMethod::Bootstrap, groups: None });
            OnBoth { metric, test, guessing, samples, judgement: Judgement { interval, ..Judgement::default() } }
        };
        let error = |test, samples, low| result(Metric::ZeroOneError, test, Some(0.5), samples, low);
        assert!(error(0.4, 100, Some(0.3)).does_not_carry_over(0.01));
        assert!(error(0.4, 100, None).does_not_carry_over(0.1), "few groups have no interval");
        assert!(!error(0.4, 100, Some(0.3)).does_not_carry_over(0.11), "the training samples do not fit");
        assert!(!error(0.1, 100, Some(0.05)).does_not_carry_over(0.0), "the usual difference");
        assert!(!error(0.4, 100, Some(0.09)).does_not_carry_over(0.0), "it may be chance");
        assert!(!error(0.4, 19, None).does_not_carry_over(0.0), "few samples");
        assert!(!result(Metric::ZeroOneError, 0.4, None, 100, None).does_not_carry_over(0.0));
        assert!(!result(Metric::Mae, 0.6, Some(1.0), 100, Some(0.5)).does_not_carry_over(0.01));
        assert!(result(Metric::Mae, 0.8, Some(1.0), 100, Some(0.5)).does_not_carry_over(0.01));
    }

    #[test]
    fn a_cross_validation_is_advised_where_few_samples_or_groups_show_nothing() {
        let split = |n: usize| Split {
            x: Array::new(vec![n, 1, 2], vec![0.0; 2 * n]),
            y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()),
        };
        let task = TaskKind::Classification { classes: 2 };
        let mut data = Dataset::new("made", task, split(60), None, split(12)).expect("sound");
        let paired = |p| Some(Paired { test: PairedTest::Mcnemar, p, groups: None });
        let judged = |p| Judgement { guessing: Some(0.5), against_guessing: paired(p), ..Judgement::default() };
        assert_eq!(more_to_test(&data, &judged(0.5)), None, "the split was given");
        data.origin.drawn = Some(DrawnSplit::default());
        let said = more_to_test(&data, &judged(0.5)).expect("12 samples");
        assert!(
            said.starts_with("the test split has only 12 samples: a cross-validation, with `data.folds = 5`"),
            "{said}"
        );
        assert_eq!(more_to_test(&data, &judged(0.01)), None, "it is shown");
        let names = |n: usize, of: usize, first: usize| -> Vec<String> {
            (0..n).map(|i| format!("s{}", first + i % of)).collect()
        };
        data.groups = Some(Groups::new(GroupKind::Groups, [Some(&names(60, 2, 0)), None, Some(&names(12, 1, 2))]));
        let groups = Some(GroupCount { number: 1, are: GroupKind::Groups });
        let few = Judgement { guessing: Some(0.5), groups, ..Judgement::default() };
        let said = more_to_test(&data, &few).expect("one group");
        assert!(said.contains("only 1 group: a cross-validation, with `data.folds = 3`"), "{said}");
        data.origin.drawn = Some(DrawnSplit { fold: Some([1, 3]), ..DrawnSplit::default() });
        assert_eq!(more_to_test(&data, &few), None, "it is one already");
    }
}
