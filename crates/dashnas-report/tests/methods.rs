//! The page of a comparison of methods: its tables and its drawing, names that would be markup, and one that is not finished.

mod common;

use common::check_nesting;
use dashnas::record::folds::Spread;
use dashnas::record::paired::{Interval, IntervalMethod, Judgement, NoInterval};
use dashnas_core::names::Preset;
use dashnas_core::stage::Stage;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_methods::comparison::method_result::{MethodResult, RunResult};
use dashnas_methods::comparison::record::LeftOut;
use dashnas_methods::comparison::results::Results;
use dashnas_report::methods::MethodsView;
use dashnas_report::page;
use dashnas_tasks::paper_results;
use std::collections::BTreeMap;

/// A name that is markup.
const NAME: &str = "<script>alert(1)</script>\" onload=\"x";

fn results() -> Results {
    let run = |method: &str, seed: u64, test: Option<f64>| RunResult {
        method: method.into(),
        seed,
        run: format!("{method}-{seed}"),
        test,
        seconds: [(Stage::Search, 30.0), (Stage::Retrain, 60.0)].into(),
        params: Some(1000),
        peak_memory: Some(1 << 20),
        latency_ms: Some(0.5),
        guessing: Some(0.5),
        judgement: Some(Judgement { no_interval: Some(NoInterval::FewGroups), ..Judgement::default() }),
        skipped: vec![],
        error: test.is_none().then(|| NAME.to_owned()),
        lasting: false,
    };
    let dash = MethodResult {
        method: "dash".into(),
        title: NAME.into(),
        source: "the paper".into(),
        errors: vec![0.10, 0.12],
        test: Spread { mean: 0.11, deviation: 0.0141 },
        skipped: BTreeMap::new(),
        seconds: [(Stage::Search, 30.0), (Stage::Retrain, 60.0)].into(),
        total_seconds: 90.0,
        params: 1000.0,
        peak_memory: Some(1 << 20),
        latency_ms: None,
    };
    let wrn = MethodResult {
        method: "wrn".into(),
        errors: vec![0.2],
        test: Spread { mean: 0.2, deviation: 0.0 },
        ..dash.clone()
    };
    Results {
        version: "0".into(),
        source: NAME.into(),
        dataset: NAME.into(),
        task: TaskKind::Classification { classes: 2 },
        metric: Metric::ZeroOneError,
        samples: [40, 10],
        preset: Preset::Quick,
        time_limit: Some(600.0),
        seeds: vec![0, 1],
        methods: vec![dash, wrn],
        guessing: Some(0.5),
        verdict: Some("There is a verdict.".into()),
        published: vec![],
        runs: vec![
            run("dash", 0, Some(0.1)),
            run("dash", 1, Some(0.12)),
            run("wrn", 0, Some(0.2)),
            run("wrn", 1, None),
        ],
        left_out: vec![LeftOut { method: "unet".into(), reason: NAME.into() }],
        ended: [4, 4],
    }
}

#[test]
fn the_page_has_the_tables_and_no_markup_from_names() {
    let html = page::methods(&results()).expect("the template is filled");
    check_nesting(&html);
    assert!(!html.contains("<script") && !html.contains("Not finished"));
    assert_eq!(html.matches("<circle").count(), 3);
    for part in [
        "± 1.41 %",
        "50.00 %",
        "10 min 0 s",
        "1 min 30 s",
        "1 MiB",
        "href=\"dash-1&#x2f;report.html\"",
        "There is a verdict.",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("href=\"wrn-1&#x2f;report.html\""), "it failed");
}

#[test]
fn a_single_seed_has_no_deviation_and_guessing_comes_last() {
    let view = MethodsView::new(&results());
    let cells = |row: usize| view.tables[0].rows[row].cells.join(" ");
    assert_eq!([cells(0), cells(1), cells(2)], ["dash 11.00 % ± 1.41 % 2", "wrn 20.00 % – 1", "guessing 50.00 % – –"]);
    assert_eq!(view.tables[1].rows[0].cells[1..3], ["30.0 s", "–"], "it was not tuned");
}

#[test]
fn a_method_whose_stages_were_skipped_is_not_shown_as_a_whole_one() {
    let mut results = results();
    results.methods[1].skipped = [(Stage::Search, 1)].into();
    let view = MethodsView::new(&results);
    let rows: Vec<Option<&str>> = view.tables[0].rows.iter().map(|row| row.cells.get(4).map(String::as_str)).collect();
    assert_eq!(rows, [Some(""), Some("search in 1 of 1"), Some("")]);
    assert!(view.sentences.iter().any(|said| said.starts_with("Stages were skipped in runs of wrn: ")));
    let html = page::methods(&results).expect("the template is filled");
    check_nesting(&html);
    assert!(html.contains("search in 1 of 1") && html.contains("Stages were skipped"), "{html}");
}

#[test]
fn how_far_other_test_samples_may_differ_is_said() {
    let mut results = results();
    let said = |results: &Results| MethodsView::new(results).sentences.join(" ");
    assert!(said(&results).contains("there is no 95 % interval, since the samples are from too few groups."));
    let interval = Interval { low: 0.02, high: 0.4, by: IntervalMethod::Wilson, groups: None };
    results.runs[0].judgement = Some(Judgement { interval: Some(interval), ..Judgement::default() });
    assert!(said(&results).contains("dash-0 has the 95 % interval 2.00 % to 40.00 % (Wilson)."), "{}", said(&results));
}

#[test]
fn what_the_paper_reports_is_shown_with_what_differs() {
    let (_, published) = paper_results::of_task("cifar100").expect("a task of the paper");
    let view = MethodsView::new(&Results { published, ..results() });
    let table = view.tables.last().expect("a table");
    assert!(table.rows.iter().any(|row| row.cells == ["DASH", "24.37 ± 0.81 %"]));
    assert!(table.note.contains("the preset quick has shorter trainings"), "{}", table.note);
}

#[test]
fn what_is_not_finished_says_so() {
    let none = Results { methods: vec![], runs: vec![], verdict: None, guessing: None, ended: [0, 4], ..results() };
    let html = page::methods(&none).expect("the template is filled");
    check_nesting(&html);
    assert!(
        html.contains("Not finished")
            && html.contains("0 of 4 runs have ended.")
            && html.contains("No run has finished.")
    );
    assert!(MethodsView::new(&none).tables.is_empty());
}
