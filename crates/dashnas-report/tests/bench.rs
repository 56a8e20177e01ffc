//! The report of a bench of the search: its figures, names that would be markup, and benches that are not finished.

mod common;

use common::check_nesting;
use dashnas::bench::search::document::{
    Agreements, ByGroup, ByMeasure, Document, DocumentSettings, Entropies, NetworkResult,
};
use dashnas::bench::search::settings::BenchSettings;
use dashnas::bench::search::signals::Correlation;
use dashnas::bench::search::statistics::Agreement;
use dashnas::config::Config;
use dashnas::record::data::DataRecord;
use dashnas_core::names::Preset;
use dashnas_core::stage::Stage;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_report::bench::conclusion::conclusion;
use dashnas_report::page;
use std::fs;
use std::path::Path;

/// A name that is markup.
const NAME: &str = "<script>alert(1)</script>\" onload=\"x";

fn network(name: &str, kernel: [usize; 2], test: Option<f64>) -> NetworkResult {
    NetworkResult {
        name: name.into(),
        seed: 0,
        kernels: Some(vec![kernel, kernel, [3, 1]]),
        validation: test.map(|test| test + 0.01),
        validation_loss: test,
        test,
        test_loss: test.map(|test| 2.0 * test),
        seconds: 60.0,
        stages: [(Stage::Tune, 20.0), (Stage::Retrain, 40.0)].into(),
        trial_seconds: 5.0,
        reason: None,
    }
}

fn networks(name: &str, tests: &[f64]) -> Vec<NetworkResult> {
    let kernel = |i: usize| [[5, 1], [7, 1], [9, 1], [5, 3], [7, 3], [9, 3], [5, 7], [7, 7]][i % 8];
    tests.iter().enumerate().map(|(i, &test)| network(&format!("{name}-{i}"), kernel(i), Some(test))).collect()
}

fn by_group<T: Copy>(searched: ByMeasure<T>) -> ByGroup<T> {
    let none = ByMeasure { metric: None, loss: None };
    ByGroup { searched, whole: none, paper: none, plain: none, uniform: none }
}

fn measure<T>(metric: T, loss: T) -> ByMeasure<T> {
    ByMeasure { metric: Some(metric), loss: Some(loss) }
}

/// A finished bench of 8 random networks and 3 searches.
fn document() -> Document {
    let agreement = Agreement { kernel: 0.5, size: 0.75, dilation: 0.625 };
    Document {
        version: "0.1.0".into(),
        dataset: NAME.into(),
        task: TaskKind::Classification { classes: 3 },
        metric: Metric::ZeroOneError,
        loss: "cross-entropy after temperature scaling".into(),
        preset: Preset::Quick,
        seed: 4,
        samples: [120, 80],
        finished: [14, 14],
        random: networks("random", &[0.2, 0.21, 0.22, 0.23, 0.24, 0.25, 0.26, 0.27]),
        searched: networks("ours-retrained", &[0.15, 0.16, 0.215]),
        whole: networks("ours", &[0.1234, 0.16, 0.2]),
        plain: networks("plain", &[0.3]),
        uniform: vec![],
        paper: vec![],
        paper_searches: vec![],
        percentile: by_group(measure(91.7, 50.0)),
        percentile_interval: by_group(measure([70.8, 100.0], [12.5, 87.5])),
        kendall: vec![Correlation { signal: "validation loss".into(), tau: Some(-0.25), tau_loss: None, networks: 12 }],
        agreement: Agreements { searched: Some(agreement), paper: None, chance: Agreement::by_chance(5, 4) },
        entropy: Entropies { searched: None, paper: Some(1.25), undecided: 20f64.ln() },
        ratio_to_random: by_group(measure(0.745, 0.99)),
        ratio_to_plain: by_group(measure(0.583, 0.61)),
        notes: vec![],
        seconds: 7200.0,
        settings: DocumentSettings {
            size: BenchSettings { random: 8, uniform: 0, seeds: 3 },
            config: Config::preset(Preset::Quick),
        },
    }
}

fn report(folder: &Path, document: &Document) -> String {
    let data = DataRecord {
        source: "waves.npz".into(),
        name: document.dataset.clone(),
        fingerprint: "0".into(),
        samples: [120, 0, 80],
        task: Some(document.task),
        input: Some(vec![2, 64]),
        guess: None,
        division: None,
    };
    fs::write(folder.join("bench.toml"), document.settings.config.to_toml()).expect("writable");
    let json = |name: &str, text: Result<Vec<u8>, serde_json::Error>| {
        fs::write(folder.join(name), text.expect("it can be written as JSON")).expect("writable");
    };
    json("bench.json", serde_json::to_vec(document));
    json("data.json", serde_json::to_vec(&data));
    page::write_bench_into(folder).expect("a report");
    let html = fs::read_to_string(folder.join("report.html")).expect("it was written");
    check_nesting(&html);
    html
}

#[test]
fn the_report_of_a_bench_has_its_figures_and_no_markup_from_the_data() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let html = report(folder.path(), &document());
    for part in ["result", "what", "errors", "figures", "networks", "signals", "searches", "times", "environment"] {
        assert!(html.contains(&format!("<section id=\"{part}\"")), "no section {part}");
    }
    assert!(!html.contains("<script") && !html.contains("\" onload="), "the name became markup");
    assert!(!html.contains("Not finished") && !html.contains("null") && !html.contains("NaN"));
    let text = [
        // The conclusion and the figures.
        "the search finds better kernels than random ones by the error rate",
        "70.8 to 100.0, is above 50; by the loss it contains 50, 12.5 to 87.5.",
        "91.7 [70.8, 100.0]",
        "50.0 [12.5, 87.5]",
        ">0.745<",
        ">0.583<",
        // The networks.
        "(5, 1) × 2, (3, 1)",
        ">12.34 %<",
        ">13.34 %<",
        ">0.2468<",
        ">1 min 5 s<",
        // Signals and searches.
        "validation loss",
        ">−0.25<",
        "choose the same kernel in 50 % of the layers (chance: 5 %)",
        "entropy of α after the paper&#x27;s search is 1.250; undecided is 2.996",
        // What was compared.
        "waves.npz",
        "2 channels of 64 points",
        "3: 4 to 6",
        "All entries took 2 h 0 min",
    ];
    for part in text {
        assert!(html.contains(part), "no {part}");
    }
    // 8 + 3 + 3 + 1 networks, by their test and by their validation error.
    assert_eq!(html.matches("<circle").count(), 2 * 15);
}

#[test]
fn a_bench_that_is_not_finished_has_a_report_too() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (none, no_interval) = (ByMeasure { metric: None, loss: None }, ByMeasure { metric: None, loss: None });
    let empty = Document {
        finished: [0, 14],
        random: vec![],
        searched: vec![],
        whole: vec![],
        plain: vec![],
        percentile: by_group(none),
        percentile_interval: by_group(no_interval),
        ratio_to_random: by_group(none),
        ratio_to_plain: by_group(none),
        kendall: vec![],
        agreement: Agreements { searched: None, ..document().agreement },
        entropy: Entropies { paper: None, ..document().entropy },
        notes: vec!["every training failed: <b>no numbers</b>".into()],
        seconds: 0.0,
        ..document()
    };
    let html = report(folder.path(), &empty);
    assert!(html.contains("Not finished") && html.contains("0 of 14 entries have a result"), "{html}");
    assert!(html.contains("every training failed: &lt;b&gt;no numbers"));
    assert!(html.contains("nothing can be concluded yet") && !html.contains("id=\"errors\""));

    // The random networks are there, and one of them has failed.
    let mut random = networks("random", &[0.2, 0.3]);
    random[1] = NetworkResult { reason: Some("it <b>diverged</b>".into()), ..network("random-1", [7, 1], None) };
    let html = report(folder.path(), &Document { finished: [2, 14], random, ..empty });
    assert!(html.contains("failed: it &lt;b&gt;diverged") && html.contains("id=\"errors\""));
    assert_eq!(html.matches("<circle").count(), 2);
}

#[test]
fn the_conclusion_follows_from_the_interval_and_the_number_of_networks() {
    let said = |change: &dyn Fn(&mut Document)| {
        let mut document = document();
        document.dataset = "waves".into();
        change(&mut document);
        conclusion(&document)
    };
    let better = said(&|_| {});
    assert!(better.better && better.text.starts_with("On waves, the search finds better kernels"), "{better:?}");
    let open = said(&|d| d.percentile_interval.searched = measure([31.2, 100.0], [75.0, 100.0]));
    assert_eq!(
        open.text,
        "waves alone does not show whether the search finds better kernels than random ones by the error rate: the 95 % \
         interval of the percentile, 31.2 to 100.0, contains 50; by the loss it is above 50, 75.0 to 100.0, so that they \
         are better by that measure."
    );
    let worse = said(&|d| d.percentile_interval.searched = measure([0.0, 40.0], [0.0, 30.0]));
    assert!(worse.text.contains("worse kernels") && worse.text.contains("so is that by the loss"), "{worse:?}");
    assert!(!open.better && !worse.better);
    // Three searches that found the same kernels are one network, which is the best of 9 by chance in 1 of 9 cases.
    let alike = said(&|d| d.searched.iter_mut().for_each(|n| n.kernels = Some(vec![[5, 1]])));
    assert!(
        alike.text.contains("1 different architecture from the search and 8 random ones are too few")
            && alike.text.contains("11 %"),
        "{alike:?}"
    );
    let part = said(&|d| d.finished = [13, 14]);
    assert!(part.text.starts_with("So far, on waves, the search"), "{part:?}");
    let none = said(&|d| {
        d.settings.size.seeds = 0;
        d.percentile_interval.searched = ByMeasure { metric: None, loss: None };
    });
    assert!(none.text.contains("Nothing was searched"), "{none:?}");
}
