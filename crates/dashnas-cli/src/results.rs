//! The result of a run as text for people.

use crate::args::flags::translate;
use crate::text_table::{right_align, table};
use comfy_table::Table;
use dashnas::error::Error;
use dashnas::record::choice::KernelChoice;
use dashnas::record::folds::{FoldsOutcome, Spread};
use dashnas::record::outcome::Outcome;
use dashnas::record::paired::Interval;
use dashnas::record::race::RaceRecord;
use dashnas::record::trial::Tuning;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::task::Metric;
use dashnas_core::text::{duration, plural};
use dashnas_report::wording::{
    accuracy, adjective, by_group, capital, ends, guess, network_name, no_better_than_guessing, no_interval,
    same_kernels, undecided, verdict, wrong_of_all,
};
use serde::Serialize;

/// Reads the race of a run directory; `None` if the search was another one.
///
/// # Errors
/// [`Error::File`] if the file cannot be read.
pub fn race(dir: &RunDir) -> Result<Option<RaceRecord>, Error> {
    if dir.has(names::RACE) { Ok(Some(dir.read_json(names::RACE)?)) } else { Ok(None) }
}

/// How sure the choice of a race is, as JSON.
#[derive(Debug, Serialize)]
pub struct Chances {
    /// The probability that the chosen network is better than the plain one, by the model of the race.
    better_than_plain: Option<f64>,
    /// The probability that it is better than a random one of the space.
    better_than_random: f64,
}

impl Chances {
    /// The chances of a race.
    pub fn of(race: &RaceRecord) -> Self {
        Self { better_than_plain: race.better_than_plain, better_than_random: race.better_than_random }
    }
}

/// The result of a whole run: the kernels layer by layer, the test metric of both networks, what a race says of the
/// choice, and the time.
pub fn result(outcome: &Outcome, race: Option<&RaceRecord>) -> String {
    let mut text = format!(
        "{}: {} (preset {}, seed {}), {} to train on and {} to test on\n\n{}\n\n",
        outcome.dataset,
        outcome.task,
        outcome.preset.name(),
        outcome.seed,
        plural(outcome.samples[0], "sample"),
        outcome.samples[1],
        kernels(&outcome.architecture, outcome.choice.as_ref()),
    );
    // It is about the choice of the kernels, not about the test.
    if let Some(race) = race {
        text += &format!("{}\n\n", race.conclusion);
    }
    if let Some(networks) = networks(outcome, &format!("test {}", outcome.metric.title())) {
        text += &format!("{networks}\n\n");
    }
    text += &sentences(outcome);
    if let Some(same) = race.and_then(|race| same_kernels(outcome, race)) {
        text += &format!("{same}\n");
    }
    if outcome.weighted {
        text += "Every test sample counts by its weight.\n";
    }
    text += &format!("Trained with {}.\n", hyperparameters(&outcome.hyperparameters));
    text += &format!("Time: {}.\n", times(outcome));
    for note in &outcome.notes {
        text += &format!("Note: {}.\n", translate(note.trim_end_matches('.')));
    }
    let dir = outcome.run_dir.display();
    text += &format!("Run directory: {dir}\n");
    if outcome.run_dir.join(names::REPORT).is_file() {
        text += &format!("Report: {}\n", outcome.run_dir.join(names::REPORT).display());
    }
    text + &format!("Next: dashnas predict {dir} NEW_DATA\n")
}

/// The score of the networks of a run on new labeled data, with what the samples show in comparison.
pub fn on_new_data(outcome: &Outcome) -> String {
    let networks = networks(outcome, outcome.metric.title()).map_or_else(String::new, |table| table.to_string());
    let sentences = sentences(outcome);
    if sentences.is_empty() { format!("{networks}\n") } else { format!("{networks}\n\n{sentences}") }
}

/// What samples show in comparison of the networks and with guessing, one sentence on a line.
fn sentences(outcome: &Outcome) -> String {
    let judged = outcome.judgement.unwrap_or_default();
    let without = no_interval(&judged).map(|reason| capital(&reason) + ".");
    let sentences = [verdict(outcome), no_better_than_guessing(outcome), without, by_group(&judged)];
    let sentences = sentences.into_iter().flatten();
    sentences.map(|sentence| sentence + "\n").collect()
}

/// The result of a cross-validation of the data in `source`: each fold, and the mean with its spread.
pub fn folds(outcome: &FoldsOutcome, source: &str) -> String {
    let metric = outcome.metric;
    let title = format!("test {}", metric.title());
    let held_out = outcome.held_out();
    let plain = outcome.baseline_test.map(|_| "plain network");
    let head = ["fold", title.as_str()].into_iter().chain(plain).chain(["train on", "test on"]);
    let mut table = table(&head.chain(held_out.as_deref()).chain(["run directory"]).collect::<Vec<_>>());
    for (i, fold) in outcome.folds.iter().enumerate() {
        let plain = outcome.baseline_test.and(fold.baseline_test).map(|plain| metric.format(plain));
        let samples = fold.samples.map(|n| n.to_string());
        let name = fold.run_dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let cells = [(i + 1).to_string(), metric.format(fold.test)].into_iter().chain(plain).chain(samples);
        let groups = fold.held_out.as_ref().map(|groups| groups.words()).unwrap_or_default();
        table.add_row(cells.chain(held_out.as_ref().map(|_| groups)).chain([name]));
    }
    right_align(&mut table, 0);
    let n = outcome.folds.len();
    let mut text = format!(
        "{}: {}, cross-validation with {n} folds\n\n{table}\n\nMean {title} over {n} folds: {}.\n",
        outcome.dataset,
        outcome.task,
        spread(metric, outcome.test)
    );
    if let (Some(plain), Some(difference)) = (outcome.baseline_test, outcome.difference) {
        text += &format!("Plain network: {}.\n", spread(metric, plain));
        text += &format!("Difference (searched minus plain): {}.\n", spread(metric, difference));
    }
    text += &format!("Time: {}.\n", duration(outcome.seconds));
    text += &format!(
        "Each fold has a network of its own, trained without its test samples. For one to use, train on all samples but \
         a test split with `dashnas run {source}` and the same options without --folds.\n"
    );
    text + &format!("Folder: {}\n", outcome.run_dir.display())
}

/// A mean with its standard deviation over folds.
fn spread(metric: Metric, spread: Spread) -> String {
    format!("{} (standard deviation {})", metric.format(spread.mean), metric.format(spread.deviation))
}

/// The kernels, layer by layer, below a sentence that says so if they were not searched, and with the probabilities that a
/// supernet gave them.
pub fn kernels(architecture: &[[usize; 2]], choice: Option<&KernelChoice>) -> String {
    let header = ["layer", "kernel size k", "dilation d", "receptive field"].map(str::to_owned);
    let weight = match choice {
        Some(KernelChoice::Supernet { chance, .. }) => Some(format!("weight (chance {:.1} %)", 100.0 * chance)),
        _ => None,
    };
    let header: Vec<String> = header.into_iter().chain(weight).collect();
    let mut table = table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (layer, &kernel) in architecture.iter().enumerate() {
        let numbers = [layer + 1, kernel[0], kernel[1], Outcome::receptive_field(kernel)].map(|n| n.to_string());
        let weight = match choice {
            Some(choice @ KernelChoice::Supernet { shares, .. }) => shares.get(layer).map(|share| {
                let undecided = if choice.undecided(layer) { "undecided, " } else { "" };
                format!("{undecided}{:.1} %", 100.0 * share)
            }),
            _ => None,
        };
        table.add_row(numbers.into_iter().chain(weight));
    }
    right_align(&mut table, 0);
    match choice {
        Some(KernelChoice::Given) => format!("The kernels were given; nothing was searched.\n{table}"),
        Some(KernelChoice::NotSearched) => {
            format!("Nothing was searched: these are the kernels of the plain network.\n{table}")
        }
        Some(choice) => undecided(choice).map_or_else(|| table.to_string(), |sentence| format!("{table}\n{sentence}")),
        None => table.to_string(),
    }
}

/// The trials of the tuner and the best hyperparameters.
pub fn tuning(tuning: &Tuning, metric: Metric) -> String {
    let score = format!("validation {}", metric.title());
    let mut table = table(&["trial", "learning rate", "weight decay", "momentum", "dropout", &score]);
    for trial in &tuning.trials {
        let h = trial.hyperparameters;
        let score = match (&trial.score, &trial.reason) {
            (Some(score), _) => score.metric.map_or(format!("loss {:.4}", score.loss), |m| metric.format(m)),
            (None, reason) => reason.clone().unwrap_or_default(),
        };
        let numbers = [h.lr, h.weight_decay, h.momentum, h.dropout].map(|v| v.to_string());
        table.add_row(std::iter::once((trial.trial + 1).to_string()).chain(numbers).chain([score]));
    }
    right_align(&mut table, 0);
    format!("{table}\n\nBest: {}.\n", hyperparameters(&tuning.best))
}

/// `learning rate 0.1, weight decay …`.
pub fn hyperparameters(h: &Hyperparameters) -> String {
    format!("learning rate {}, weight decay {}, momentum {}, dropout {}", h.lr, h.weight_decay, h.momentum, h.dropout)
}

/// The metric, under its title, and the size of both networks, and the metric of guessing; `None` before the evaluation.
fn networks(outcome: &Outcome, metric: &str) -> Option<Table> {
    let test = outcome.test?;
    let accurate = accuracy(outcome.metric, test).map(|_| "accuracy");
    let judgement = outcome.judgement.unwrap_or_default();
    // Results of older versions have no intervals.
    let interval = judgement.interval.map(|_| "95 % interval");
    let header = [Some("network"), Some(metric), interval, accurate, Some("parameters")];
    let mut table = table(&header.into_iter().flatten().collect::<Vec<_>>());
    let row = |network: String, value: f64, of: Option<Interval>, params: String| {
        let accuracy = accuracy(outcome.metric, value);
        let wrong = wrong_of_all(outcome, value).map_or_else(String::new, |wrong| format!(" ({wrong})"));
        let of = interval.map(|_| of.map_or_else(|| "–".to_owned(), |of| ends(outcome.metric, of)));
        [Some(network), Some(outcome.metric.format(value) + &wrong), of, accuracy, Some(params)].into_iter().flatten()
    };
    let name = if outcome.not_searched() { network_name(outcome) } else { adjective(outcome) };
    table.add_row(row(name.to_owned(), test, judgement.interval, outcome.params.to_string()));
    if let Some(baseline) = outcome.baseline_test {
        let params = outcome.baseline_params.map_or_else(String::new, |n| n.to_string());
        let name = format!("plain {}", outcome.backbone.name());
        table.add_row(row(name, baseline, judgement.plain_interval, params));
    }
    if let Some(guessing) = judgement.guessing {
        table.add_row(row(format!("guessing ({})", guess(outcome.task)), guessing, None, "–".to_owned()));
    }
    right_align(&mut table, 1);
    Some(table)
}

/// The time of each stage, and the total.
fn times(outcome: &Outcome) -> String {
    let total: f64 = outcome.seconds.values().sum();
    let stages = outcome.seconds.iter().map(|(stage, &seconds)| format!("{stage} {}", duration(seconds)));
    format!("{}; total {}", stages.collect::<Vec<_>>().join(", "), duration(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas::record::division::{Division, SplitPart};
    use dashnas::record::race::{Belief, Contestant, Origin};
    use dashnas_core::names::{BackboneName, Preset};
    use dashnas_core::stage::Stage;
    use dashnas_core::task::{Loss, TaskKind};
    use dashnas_data::groups::GroupKind;

    fn outcome() -> Outcome {
        Outcome {
            version: "0.1.0".into(),
            dataset: "darcy-flow".into(),
            task: TaskKind::DenseRegression { channels: 1 },
            loss: Loss::RelativeL2,
            metric: Metric::RelativeL2,
            test: Some(0.03),
            baseline_test: Some(0.04),
            validation: None,
            backbone: BackboneName::Wrn2d,
            architecture: vec![[9, 7], [3, 1]],
            kernels_given: false,
            choice: None,
            judgement: None,
            weighted: false,
            hyperparameters: Hyperparameters { lr: 0.01, weight_decay: 5e-4, momentum: 0.9, dropout: 0.0 },
            params: 1234,
            baseline_params: Some(1000),
            preset: Preset::Quick,
            seed: 7,
            samples: [200, 50],
            seconds: [(Stage::Search, 1.5), (Stage::Data, 0.25)].into(),
            notes: vec![],
            resolved: Default::default(),
            run_dir: "runs/darcy-flow-1".into(),
        }
    }

    #[test]
    fn the_result_of_a_run() {
        insta::assert_snapshot!(result(&outcome(), None));
    }

    #[test]
    fn given_kernels_are_not_called_searched() {
        let text = result(&Outcome { kernels_given: true, choice: Some(KernelChoice::Given), ..outcome() }, None);
        assert!(
            text.contains("The kernels were given; nothing was searched.\n") && !text.contains("searched "),
            "{text}"
        );
        assert!(text.contains("The given-kernel network's relative L2 is 25.0 % (relative) lower"), "{text}");
    }

    #[test]
    fn what_was_not_searched_and_what_is_undecided_is_called_so() {
        let text = result(&Outcome { choice: Some(KernelChoice::NotSearched), baseline_test: None, ..outcome() }, None);
        assert!(text.contains("Nothing was searched: these are the kernels of the plain network.\n"), "{text}");
        assert!(text.contains("│ plain kernels (not searched) ") && !text.contains("│ searched"), "{text}");
        let choice = KernelChoice::Supernet { shares: vec![0.053, 0.4], chance: 0.05 };
        let text = result(&Outcome { choice: Some(choice), ..outcome() }, None);
        assert!(text.contains("weight (chance 5.0 %)") && text.contains("undecided, 5.3 %"), "{text}");
        assert!(text.contains("The search is undecided in 1 of 2 layers"), "{text}");
    }

    #[test]
    fn the_result_of_a_run_without_baseline() {
        let outcome = Outcome {
            metric: Metric::ZeroOneError,
            test: Some(0.1234),
            baseline_test: None,
            baseline_params: None,
            ..outcome()
        };
        insta::assert_snapshot!(result(&outcome, None));
    }

    #[test]
    fn the_result_of_a_race() {
        let contestant = |origin, kernels: [[usize; 2]; 2]| Contestant {
            origin,
            kernels: kernels.to_vec(),
            trials: vec![],
            belief: Belief { mean: -1.0, deviation: 0.5 },
            verdict: "chosen".into(),
        };
        let mut race = RaceRecord {
            contestants: vec![
                contestant(Origin::Portfolio, [[9, 7], [3, 1]]),
                contestant(Origin::Plain, [[3, 1], [3, 1]]),
            ],
            chosen: 0,
            lr: 0.1,
            better_than_plain: Some(0.9),
            better_than_random: 0.8,
            conclusion: "The choice is sure.".into(),
        };
        insta::assert_snapshot!(result(&outcome(), Some(&race)));
        (race.contestants[1].kernels, race.chosen) = (outcome().architecture, 1);
        let text = result(&outcome(), Some(&race));
        assert!(text.contains("they differ only in their tuning and training.\n"), "{text}");
    }

    #[test]
    fn the_result_of_a_cross_validation() {
        let fold = |test, plain, fold: u32| Outcome {
            metric: Metric::ZeroOneError,
            task: TaskKind::Classification { classes: 3 },
            test: Some(test),
            baseline_test: plain,
            run_dir: format!("runs/windows-1/fold-{fold}").into(),
            ..outcome()
        };
        let text = |plain: [Option<f64>; 2]| {
            let outcomes = [fold(0.1, plain[0], 1), fold(0.2, plain[1], 2)];
            folds(&FoldsOutcome::new("runs/windows-1".into(), &outcomes, &[]).expect("evaluated"), "windows.csv")
        };
        insta::assert_snapshot!(text([Some(0.3), Some(0.2)]));
        // The groups that a fold held out are named where they are few.
        let held_out = |names: &[&str], number| {
            let names = names.iter().map(ToString::to_string).collect();
            let part = SplitPart { samples: 50, chosen: "drawn".into(), groups: Some(number), names };
            Some(Division {
                windows: None,
                groups_are: Some(GroupKind::Groups),
                train: part.clone(),
                validation: None,
                test: Some(part),
                shared_groups: vec![],
                notes: vec![],
            })
        };
        let outcomes = [fold(0.1, Some(0.3), 1), fold(0.2, Some(0.2), 2)];
        let divisions = [held_out(&["anna", "bob"], 2), held_out(&["c", "d", "e", "f", "g", "h"], 6)];
        let outcome = FoldsOutcome::new("runs/windows-1".into(), &outcomes, &divisions).expect("evaluated");
        let shown = folds(&outcome, "windows.csv");
        assert!(
            shown.contains("held-out groups") && shown.contains("anna, bob") && shown.contains("6 groups"),
            "{shown}"
        );
        let json = serde_json::to_value(&outcome).expect("texts and numbers");
        assert_eq!(json["folds"][0]["held_out"]["names"], serde_json::json!(["anna", "bob"]));
        assert_eq!(json["folds"][1]["held_out"], serde_json::json!({ "are": "groups", "number": 6 }));
        // Where the plain network failed in a fold, there is no mean of it.
        assert!(!text([Some(0.3), None]).contains("lain"));
    }
}
