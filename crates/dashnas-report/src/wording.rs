//! Results in words, as the command and the report both show them.

use dashnas::record::outcome::Outcome;
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

/// The name of the network that is not the plain one: `searched`, or `given-kernel` where the kernels were given.
pub fn adjective(outcome: &Outcome) -> &'static str {
    if outcome.kernels_given { "given-kernel" } else { "searched" }
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

/// A sentence that compares the searched with the plain network on the test split; `None` unless both were evaluated.
pub fn verdict(outcome: &Outcome) -> Option<String> {
    let (test, plain) = (outcome.test?, outcome.baseline_test?);
    let (title, network) = (outcome.metric.title(), adjective(outcome));
    let samples = outcome.samples[1];
    // Only there is the error rate a number of wrong samples.
    let counted = outcome.metric == Metric::ZeroOneError
        && matches!(outcome.task, TaskKind::Classification { .. })
        && !outcome.weighted;
    let wrong = |error: f64| (error * samples as f64).round() as u64;
    if test == plain {
        return Some(match counted {
            true => format!(
                "{} and plain network err alike: {} of {} wrong ({:.1} %).",
                if outcome.kernels_given { "Given-kernel" } else { "Searched" },
                wrong(test),
                plural(samples, "test sample"),
                100.0 * test
            ),
            false => {
                format!("The {network} and the plain network have the same {title}: {}.", outcome.metric.format(test))
            }
        });
    }
    let counts = match counted {
        true => format!(": {} instead of {} of {} wrong", wrong(test), wrong(plain), plural(samples, "test sample")),
        false => String::new(),
    };
    let plain = format!("the plain {}'s", outcome.backbone.name());
    // Nobody needs to be told that of an error rate.
    let direction = if outcome.metric == Metric::ZeroOneError { "" } else { " (lower is better)" };
    Some(match outcome.improvement() {
        Some(gain) => {
            let way = if gain > 0.0 { "lower" } else { "higher" };
            format!(
                "The {network} network's {title} is {:.1} % {way} than {plain}{counts}{direction}.",
                100.0 * gain.abs()
            )
        }
        None => format!("The {network} network's {title} is higher than {plain}, which is 0{counts}."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::record::race::{Belief, Contestant};
    use dashnas_core::hyperparameters::Hyperparameters;
    use dashnas_core::names::{BackboneName, Preset};
    use dashnas_core::task::Loss;

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
            weighted: false,
            hyperparameters: Hyperparameters { lr: 0.1, weight_decay: 0.0, momentum: 0.9, dropout: 0.0 },
            params: 1,
            baseline_params: Some(1),
            preset: Preset::Quick,
            seed: 0,
            samples: [100, 35],
            seconds: [].into(),
            notes: vec![],
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
            "The searched network's error rate is 25.0 % lower than the plain wrn-1d's: 3 instead of 4 of 35 test \
             samples wrong."
        );
        assert!(said([3.0 / 35.0, 0.0]).contains("higher than the plain wrn-1d's, which is 0: 3 instead of 0 of 35"));
    }

    #[test]
    fn other_metrics_are_compared_as_numbers() {
        let field = TaskKind::DenseRegression { channels: 1 };
        let said = |errors| verdict(&outcome(field, Metric::RelativeL2, errors)).expect("both were evaluated");
        assert_eq!(
            said([0.03, 0.04]),
            "The searched network's relative L2 is 25.0 % lower than the plain wrn-1d's (lower is better)."
        );
        assert_eq!(said([0.03, 0.03]), "The searched and the plain network have the same relative L2: 0.0300.");
        let classes = TaskKind::Classification { classes: 3 };
        let weighted = Outcome { weighted: true, ..outcome(classes, Metric::ZeroOneError, [0.1, 0.2]) };
        assert!(verdict(&weighted).is_some_and(|text| !text.contains("wrong") && text.contains("50.0 % lower")));
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
