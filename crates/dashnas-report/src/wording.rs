//! Results in words, as the command and the report both show them.

use dashnas::record::choice::KernelChoice;
use dashnas::record::outcome::Outcome;
use dashnas::record::paired::{Interval, Judgement, NoInterval};
use dashnas::record::race::{Origin, RaceRecord};
use dashnas_core::task::{Metric, TaskKind};
use dashnas_core::text::plural;

/// The accuracy that belongs to an error rate, in percent; `None` for other metrics.
pub fn accuracy(metric: Metric, value: f64) -> Option<String> {
    (metric == Metric::ZeroOneError).then(|| format!("{:.2} %", 100.0 * (1.0 - value)))
}

/// A value of the metric, with the accuracy beside an error rate: `8.57 % (accuracy 91.43 %)`.
pub fn with_accuracy(metric: Metric, value: f64) -> String {
    let beside = accuracy(metric, value).map_or_else(String::new, |accuracy| format!(" (accuracy {accuracy})"));
    metric.format(value) + &beside
}

/// The ends of an interval of a metric: `2.96 % to 22.38 %`.
pub fn ends(metric: Metric, of: Interval) -> String {
    format!("{} to {}", metric.format(of.low), metric.format(of.high))
}

/// An interval with its level and method: `95 % interval 2.96 % to 22.38 % (Wilson)`.
pub fn interval(metric: Metric, of: Interval) -> String {
    format!("95 % interval {} ({})", ends(metric, of), of.method())
}

/// Why a network has no interval, as a part of a sentence: `no 95 % interval, since the samples are from only 3 recordings`.
/// `None` if it has one, and for results of older versions.
pub fn no_interval(judgement: &Judgement) -> Option<String> {
    let reason = match judgement.no_interval? {
        NoInterval::FewGroups => match judgement.groups {
            Some(groups) => format!("the samples are from only {}", groups.words()),
            None => "the samples are from too few groups".to_owned(),
        },
        NoInterval::NoSpread => "all samples or groups have the same value".to_owned(),
        NoInterval::TooLarge => "its computation would take long".to_owned(),
        NoInterval::Undefined => "there are too few samples for one".to_owned(),
    };
    Some(format!("no 95 % interval, since {reason}"))
}

/// A sentence on the groups by which intervals and tests were computed, if the test samples have enough of them.
pub fn by_group(judgement: &Judgement) -> Option<String> {
    let groups = judgement.groups.filter(|_| judgement.too_few_groups().is_none())?;
    let noun = groups.are.noun();
    Some(format!(
        "The samples are from {}. Those of one {noun} are alike, so that intervals and tests count {noun}s and not samples.",
        groups.words()
    ))
}

/// What the network that is not the plain one is called in sentences: `searched`, `given-kernel` where the kernels were
/// given, or `unsearched`.
pub fn adjective(outcome: &Outcome) -> &'static str {
    match outcome.kernels_given {
        true => "given-kernel",
        false if outcome.not_searched() => "unsearched",
        false => "searched",
    }
}

/// What it is called in tables.
pub fn network_name(outcome: &Outcome) -> &'static str {
    match outcome.kernels_given {
        true => "given-kernel network",
        false if outcome.not_searched() => "plain kernels (not searched)",
        false => "searched network",
    }
}

/// The number of wrong test samples of all, `3 of 35`, where the metric is their share.
pub fn wrong_of_all(outcome: &Outcome, error: f64) -> Option<String> {
    counts(outcome).then(|| format!("{} of {}", wrong(outcome, error), outcome.samples[1]))
}

/// Whether the error rate is the share of wrong samples.
fn counts(outcome: &Outcome) -> bool {
    let classes = matches!(outcome.task, TaskKind::Classification { .. });
    outcome.metric == Metric::ZeroOneError && classes && !outcome.weighted
}

/// The number of wrong test samples, by their share.
fn wrong(outcome: &Outcome, error: f64) -> u64 {
    (error * outcome.samples[1] as f64).round() as u64
}

/// A test error in full: `8.57 % (3 of 35; accuracy 91.43 %)`.
pub fn in_full(outcome: &Outcome, error: f64) -> String {
    match (wrong_of_all(outcome, error), accuracy(outcome.metric, error)) {
        (Some(wrong), Some(accuracy)) => format!("{} ({wrong}; accuracy {accuracy})", outcome.metric.format(error)),
        _ => with_accuracy(outcome.metric, error),
    }
}

/// The kernels of a network in few characters, `(7, 3) × 2, (3, 1)`: kernel size and dilation, and how many layers with
/// the same ones follow each other.
pub fn kernels_in_short(kernels: &[[usize; 2]]) -> String {
    let runs = kernels.chunk_by(|a, b| a == b).map(|run| match run {
        [[k, d]] => format!("({k}, {d})"),
        [[k, d], ..] => format!("({k}, {d}) × {}", run.len()),
        [] => String::new(),
    });
    runs.collect::<Vec<_>>().join(", ")
}

/// A sentence for a race whose winner has the kernels of the plain network: then the two networks of the run differ in
/// their training only.
pub fn same_kernels(outcome: &Outcome, race: &RaceRecord) -> Option<&'static str> {
    outcome.baseline_test?;
    let plain = race.contestants.iter().find(|c| c.origin == Origin::Plain)?;
    (plain.kernels == outcome.architecture).then_some(
        "Both networks have the kernels of the plain network: they differ only in their tuning and training.",
    )
}

/// The words for a difference that may be chance.
const NO_DIFFERENCE: &str = "no difference that this test set can show";

/// The first letter as a capital.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A sentence that compares the searched with the plain network on the test split; `None` unless both were evaluated.
pub fn verdict(outcome: &Outcome) -> Option<String> {
    let (test, plain) = (outcome.test?, outcome.baseline_test?);
    let (title, network) = (outcome.metric.title(), adjective(outcome));
    let samples = || plural(outcome.samples[1], "test sample");
    let format = |error: f64| outcome.metric.format(error);
    let counted = counts(outcome);
    if test == plain {
        return Some(match counted {
            true => format!(
                "{} and plain network err alike: {} of {} wrong ({:.1} %).",
                capital(network),
                wrong(outcome, test),
                samples(),
                100.0 * test
            ),
            false => format!("The {network} and the plain network have the same {title}: {}.", format(test)),
        });
    }
    let judgement = outcome.judgement.unwrap_or_default();
    let paired = judgement.plain;
    let unshown = match (paired, judgement.too_few_groups()) {
        (Some(paired), _) => (!paired.shows_difference()).then(|| paired.words()),
        (None, groups) => groups.map(|groups| format!("the samples are from only {}", groups.words())),
    };
    if let Some(reason) = unshown {
        let errors = match counted {
            true => format!(
                "{} and {} of {} wrong ({:.1} % and {:.1} %)",
                wrong(outcome, test),
                wrong(outcome, plain),
                samples(),
                100.0 * test,
                100.0 * plain
            ),
            false => format!("{title} {} and {}", format(test), format(plain)),
        };
        return Some(format!("{} and plain network: {errors}: {NO_DIFFERENCE} ({reason}).", capital(network)));
    }
    let counts = match counted {
        true => {
            format!(": {} instead of {} of {} wrong", wrong(outcome, test), wrong(outcome, plain), samples())
        }
        false => String::new(),
    };
    let plain = format!("the plain {}'s", outcome.backbone.name());
    // Nobody needs to be told that of an error rate.
    let direction = (outcome.metric != Metric::ZeroOneError).then(|| "lower is better".to_owned());
    let shown: Vec<String> = direction.into_iter().chain(paired.map(|paired| paired.words())).collect();
    let shown = if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) };
    Some(match outcome.improvement() {
        Some(gain) => {
            let way = if gain > 0.0 { "lower" } else { "higher" };
            format!(
                "The {network} network's {title} is {:.1} % (relative) {way} than {plain}{counts}{shown}.",
                100.0 * gain.abs()
            )
        }
        None => format!("The {network} network's {title} is higher than {plain}, which is 0{counts}{shown}."),
    })
}

/// A sentence for a network of which the test set does not show that it is better than guessing.
pub fn no_better_than_guessing(outcome: &Outcome) -> Option<String> {
    let (test, judgement) = (outcome.test?, outcome.judgement?);
    let guessing = judgement.guessing?;
    let (network, title) = (adjective(outcome), outcome.metric.title());
    let reason = match (judgement.against_guessing, judgement.too_few_groups()) {
        (Some(paired), _) if paired.shows_difference() => {
            let lower = || format!("Guessing has a lower {title} than the {network} network ({}).", paired.words());
            return (test >= guessing).then(lower);
        }
        (Some(paired), _) => paired.words(),
        (None, groups) => format!("the samples are from only {}", groups?.words()),
    };
    Some(format!("This test set cannot show that the {network} network is better than guessing ({reason})."))
}

/// What is guessed, for people.
pub fn guess(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Classification { .. } => "always the most common class",
        TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => "always the share of each label",
        TaskKind::Regression { .. } | TaskKind::DenseRegression { .. } => "always the mean of the training targets",
    }
}

/// A sentence on the layers in which a supernet prefers no kernel.
pub fn undecided(choice: &KernelChoice) -> Option<String> {
    let [undecided, layers] = choice.undecided_layers().filter(|[undecided, _]| *undecided > 0)?;
    let where_ = match (undecided == layers, layers) {
        (true, _) => "in every layer".to_owned(),
        (false, _) => format!("in {undecided} of {layers} layers"),
    };
    Some(format!(
        "The search is undecided {where_}: the kernels there are hardly more probable than by chance, and another seed may \
         find others."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::record::paired::{GroupCount, IntervalMethod, Paired, PairedTest};
    use dashnas::record::race::{Belief, Contestant};
    use dashnas_core::hyperparameters::Hyperparameters;
    use dashnas_core::names::{BackboneName, Preset};
    use dashnas_core::task::Loss;
    use dashnas_data::groups::GroupKind;

    fn outcome(task: TaskKind, metric: Metric, errors: [f64; 2]) -> Outcome {
        Outcome {
            version: "0".into(),
            dataset: "data".into(),
            task,
            loss: Loss::CrossEntropy,
            metric,
            test: Some(errors[0]),
            baseline_test: Some(errors[1]),
            validation: None,
            backbone: BackboneName::Wrn1d,
            architecture: vec![],
            kernels_given: false,
            choice: None,
            judgement: None,
            weighted: false,
            hyperparameters: Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.0 },
            params: 1,
            baseline_params: Some(1),
            preset: Preset::Quick,
            seed: 0,
            samples: [100, 35],
            seconds: [].into(),
            notes: vec![],
            resolved: Default::default(),
            run_dir: "run".into(),
        }
    }

    #[test]
    fn networks_are_compared_by_their_wrong_samples_where_they_can_be_counted() {
        let classes = TaskKind::Classification { classes: 2 };
        let said = |errors| verdict(&outcome(classes, Metric::ZeroOneError, errors)).expect("both were evaluated");
        assert_eq!(said([3.0 / 35.0; 2]), "Searched and plain network err alike: 3 of 35 test samples wrong (8.6 %).");
        assert_eq!(
            said([3.0 / 35.0, 4.0 / 35.0]),
            "The searched network's error rate is 25.0 % (relative) lower than the plain wrn-1d's: 3 instead of 4 of 35 test \
             samples wrong."
        );
        assert!(said([3.0 / 35.0, 0.0]).contains("higher than the plain wrn-1d's, which is 0: 3 instead of 0 of 35"));
    }

    #[test]
    fn a_difference_that_may_be_chance_is_called_so() {
        let classes = TaskKind::Classification { classes: 2 };
        let judged = |task, metric, errors, p, guessing| {
            let paired = |p| Some(Paired { test: PairedTest::Mcnemar, p, groups: None });
            let judgement = Judgement {
                plain: paired(p),
                guessing: Some(guessing),
                against_guessing: paired(p),
                ..Judgement::default()
            };
            Outcome { judgement: Some(judgement), ..outcome(task, metric, errors) }
        };
        let errors = [3.0 / 35.0, 4.0 / 35.0];
        let close = judged(classes, Metric::ZeroOneError, errors, 0.5, 0.1);
        assert_eq!(
            verdict(&close).expect("both were evaluated"),
            "Searched and plain network: 3 and 4 of 35 test samples wrong (8.6 % and 11.4 %): no difference that this test \
             set can show (exact McNemar test, p = 0.50)."
        );
        assert_eq!(
            no_better_than_guessing(&close).expect("it is not shown"),
            "This test set cannot show that the searched network is better than guessing (exact McNemar test, p = 0.50)."
        );
        let far = judged(classes, Metric::ZeroOneError, errors, 0.004, 0.1);
        assert!(
            verdict(&far).is_some_and(|text| text.ends_with("test samples wrong (exact McNemar test, p = 0.004)."))
        );
        assert_eq!(no_better_than_guessing(&far), None);
        let worse = judged(classes, Metric::ZeroOneError, errors, 0.004, 0.05);
        assert!(
            no_better_than_guessing(&worse).is_some_and(|text| text.starts_with("Guessing has a lower error rate"))
        );
        let field = judged(TaskKind::DenseRegression { channels: 1 }, Metric::RelativeL2, [0.03, 0.04], 0.2, 1.0);
        assert!(verdict(&field).is_some_and(|text| text.contains("relative L2 0.0300 and 0.0400: no difference")));
        let metric = judged(TaskKind::DenseRegression { channels: 1 }, Metric::RelativeL2, [0.03, 0.04], 0.012, 1.0);
        assert!(
            verdict(&metric).is_some_and(|text| text.ends_with("(lower is better; exact McNemar test, p = 0.012)."))
        );
        let wilson = Interval { low: 0.0296, high: 0.2238, by: IntervalMethod::Wilson, groups: None };
        assert_eq!(interval(Metric::ZeroOneError, wilson), "95 % interval 2.96 % to 22.38 % (Wilson)");
        assert_eq!(in_full(&close, errors[0]), "8.57 % (3 of 35; accuracy 91.43 %)");
        let unsearched = Outcome { choice: Some(KernelChoice::NotSearched), ..close };
        assert_eq!((adjective(&unsearched), network_name(&unsearched)), ("unsearched", "plain kernels (not searched)"));
        let choice = KernelChoice::Supernet { shares: vec![0.053, 0.4], chance: 0.05 };
        assert!(undecided(&choice).is_some_and(|text| text.contains("undecided in 1 of 2 layers")));
        assert_eq!(undecided(&KernelChoice::Race), None);
    }

    #[test]
    fn what_few_groups_cannot_show_is_called_so() {
        let classes = TaskKind::Classification { classes: 2 };
        let errors = [3.0 / 35.0, 14.0 / 35.0];
        let judged = |number, plain| {
            let judgement = Judgement {
                groups: Some(GroupCount { number, are: GroupKind::Recordings }),
                no_interval: Some(NoInterval::FewGroups),
                plain,
                guessing: Some(0.5),
                ..Judgement::default()
            };
            Outcome { judgement: Some(judgement), ..outcome(classes, Metric::ZeroOneError, errors) }
        };
        let few = judged(3, None);
        assert_eq!(
            verdict(&few).expect("both were evaluated"),
            "Searched and plain network: 3 and 14 of 35 test samples wrong (8.6 % and 40.0 %): no difference that this \
             test set can show (the samples are from only 3 recordings)."
        );
        assert_eq!(
            no_better_than_guessing(&few).expect("it is not shown"),
            "This test set cannot show that the searched network is better than guessing (the samples are from only 3 \
             recordings)."
        );
        assert_eq!(
            no_interval(&few.judgement.unwrap_or_default()).as_deref(),
            Some("no 95 % interval, since the samples are from only 3 recordings")
        );
        let groups = Some(GroupCount { number: 12, are: GroupKind::Groups });
        let paired = Paired { test: PairedTest::ClusterBootstrap, p: 0.03, groups };
        assert!(
            verdict(&judged(12, Some(paired)))
                .is_some_and(|text| text.ends_with("test samples wrong (paired bootstrap over 12 groups, p = 0.030)."))
        );
        assert_eq!(
            by_group(&judged(12, Some(paired)).judgement.unwrap_or_default()).as_deref(),
            Some(
                "The samples are from 12 recordings. Those of one recording are alike, so that intervals and tests count \
                 recordings and not samples."
            )
        );
        assert_eq!(by_group(&few.judgement.unwrap_or_default()), None);
        let interval = Interval { low: 0.1, high: 0.2, by: IntervalMethod::ClusterBootstrap, groups };
        assert_eq!(
            super::interval(Metric::ZeroOneError, interval),
            "95 % interval 10.00 % to 20.00 % (bootstrap over 12 groups)"
        );
    }

    #[test]
    fn other_metrics_are_compared_as_numbers() {
        let field = TaskKind::DenseRegression { channels: 1 };
        let said = |errors| verdict(&outcome(field, Metric::RelativeL2, errors)).expect("both were evaluated");
        assert_eq!(
            said([0.03, 0.04]),
            "The searched network's relative L2 is 25.0 % (relative) lower than the plain wrn-1d's (lower is better)."
        );
        assert_eq!(said([0.03, 0.03]), "The searched and the plain network have the same relative L2: 0.0300.");
        let classes = TaskKind::Classification { classes: 3 };
        let weighted = Outcome { weighted: true, ..outcome(classes, Metric::ZeroOneError, [0.1, 0.2]) };
        assert!(
            verdict(&weighted).is_some_and(|text| !text.contains("wrong") && text.contains("50.0 % (relative) lower"))
        );
        let given = Outcome { kernels_given: true, ..outcome(field, Metric::RelativeL2, [0.03, 0.04]) };
        assert!(
            verdict(&given).is_some_and(|text| text.starts_with("The given-kernel network's relative L2 is 25.0 %"))
        );
        let alone = Outcome { baseline_test: None, ..outcome(field, Metric::RelativeL2, [0.03, 0.0]) };
        assert_eq!(verdict(&alone), None);
    }

    #[test]
    fn an_error_rate_has_the_accuracy_beside_it() {
        assert_eq!(with_accuracy(Metric::ZeroOneError, 0.0857), "8.57 % (accuracy 91.43 %)");
        assert_eq!(with_accuracy(Metric::Mae, 0.5), "0.5000");
    }

    #[test]
    fn kernels_that_repeat_are_counted() {
        assert_eq!(kernels_in_short(&[[7, 3], [3, 1], [3, 1], [7, 3]]), "(7, 3), (3, 1) × 2, (7, 3)");
        assert_eq!(kernels_in_short(&[]), "");
    }

    #[test]
    fn networks_of_the_same_kernels_are_not_taken_for_different_ones() {
        let classes = TaskKind::Classification { classes: 2 };
        let belief = Belief { mean: 0.0, deviation: 1.0 };
        let plain = Contestant {
            origin: Origin::Plain,
            kernels: vec![[3, 1]; 2],
            trials: vec![],
            belief,
            verdict: "chosen".into(),
        };
        let (better_than_plain, better_than_random, conclusion) = (None, 0.5, String::new());
        let race = RaceRecord {
            contestants: vec![plain],
            chosen: 0,
            lr: 0.1,
            better_than_plain,
            better_than_random,
            conclusion,
        };
        let searched =
            |kernels| Outcome { architecture: kernels, ..outcome(classes, Metric::ZeroOneError, [0.1, 0.2]) };
        assert!(same_kernels(&searched(vec![[3, 1]; 2]), &race).is_some());
        assert_eq!(same_kernels(&searched(vec![[3, 1], [5, 1]]), &race), None);
        assert_eq!(same_kernels(&Outcome { baseline_test: None, ..searched(vec![[3, 1]; 2]) }, &race), None);
    }
}
