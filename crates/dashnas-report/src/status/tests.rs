use crate::status::live::Live;
use crate::status::summary::Now;
use crate::status::text;
use crate::status::writer::StatusWriter;
use dashnas::record::event::{Event, Observer, RunStart};
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::stage::Stage;
use std::time::Instant;

fn live() -> Live {
    Live {
        process: 7,
        process_began: None,
        updated: 100.0,
        stage: Stage::Retrain,
        trial: None,
        epoch: 1,
        step: 30,
        steps_total: 90,
        loss: Some(0.5),
        lr: Some(0.1),
        seconds: 10.0,
        steps_before: 10,
        trials: vec![],
        run_seconds: 40.0,
        steps_after: 100,
    }
}

fn writer(dir: &RunDir) -> StatusWriter {
    let steps_to_come = [(Stage::Tune, 5), (Stage::Retrain, 7), (Stage::Baseline, 11)];
    let mut writer = StatusWriter::default();
    writer.attached(&RunStart {
        dir: dir.path(),
        begun: Instant::now(),
        seconds_before: 20.0,
        steps_to_come: &steps_to_come,
        tensorboard: false,
    });
    writer
}

#[test]
fn trials_side_by_side_are_all_under_way_until_they_end() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let dir = RunDir::create(&temp.path().join("run")).expect("writable");
    let mut writer = writer(&dir);
    writer.event(&Event::StageStarted { stage: Stage::Tune, steps_total: 8, epochs: 2 });
    for (trial, step) in [(1, 1), (0, 2), (1, 3)] {
        let (loss, lr) = (Some(0.25), Some(0.5));
        writer.event(&Event::Step { stage: Stage::Tune, trial: Some(trial), epoch: 0, step, steps_total: 8, loss, lr });
    }
    // Any event that is written at once.
    let write = Event::StageFinished { stage: Stage::Tune, seconds: 1.0 };
    writer.event(&write);
    let read = Live::read(&dir).expect("written");
    assert_eq!((read.trials, read.steps_after), (vec![0, 1], 18));
    assert!(read.run_seconds >= 20.0, "earlier processes count");
    writer.event(&Event::TrialFinished {
        stage: Stage::Tune,
        trial: 0,
        trials: 2,
        lr: 0.1,
        weight_decay: 0.0,
        momentum: 0.9,
        dropout: 0.0,
        score: None,
        loss: None,
        reason: None,
    });
    writer.event(&write);
    assert_eq!(Live::read(&dir).expect("written").trials, [1]);
}

#[test]
fn the_pace_is_that_of_this_process() {
    // 20 steps in 10 s, 60 to go.
    assert_eq!(live().seconds_left(), Some(30.0));
    assert_eq!(Live { step: 10, ..live() }.seconds_left(), None, "no step yet");
    // And 100 in the stages to come.
    assert_eq!(live().run_seconds_left(), Some(80.0));
    assert_eq!(Live { stage: Stage::Search, ..live() }.run_seconds_left(), None, "another network's steps");
    assert_eq!(Live { steps_total: 0, ..live() }.seconds_left(), None, "an unknown length");
}

#[test]
fn the_time_left_is_shown_as_far_as_it_is_known() {
    let now = |stage| {
        let live = Live { stage, ..live() };
        Now { seconds_left: live.seconds_left(), run_seconds_left: live.run_seconds_left(), age: 0, live }
    };
    let said = |now: &Now, limit| text::time_left(now, limit).unwrap_or_default();
    assert!(said(&now(Stage::Retrain), None).starts_with("about "));
    let search = said(&now(Stage::Search), None);
    assert!(search.starts_with("at least ") && search.contains("100 steps in later stages"), "{search}");
    let limited = Now { run_seconds_left: Some(5.0), ..now(Stage::Search) };
    assert!(said(&limited, Some(60.0)).contains(" left of the time limit of "));
    assert_eq!(text::time_left(&Now { seconds_left: None, ..now(Stage::Search) }, None), None);
}

#[test]
fn a_process_is_alive_only_if_it_is_the_same_one() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let dir = RunDir::create(&temp.path().join("run")).expect("writable");
    let mut writer = writer(&dir);
    assert_eq!(Live::read(&dir), None, "nothing has happened");
    writer.event(&Event::StageStarted { stage: Stage::Search, steps_total: 8, epochs: 2 });
    let step = |step| {
        let (stage, trial, loss, lr) = (Stage::Search, None, Some(0.25), Some(0.5));
        Event::Step { stage, trial, epoch: 0, step, steps_total: 8, loss, lr }
    };
    writer.event(&step(1));
    assert_eq!(Live::read(&dir).expect("written").step, 0, "at most once a second");
    writer.event(&Event::StageFinished { stage: Stage::Search, seconds: 1.0 });
    let read = Live::read(&dir).expect("written");
    assert_eq!((read.step, read.loss, read.process), (1, Some(0.25), std::process::id()));
    assert!(read.is_alive());
    if let Some(began) = read.process_began {
        assert!(!Live { process_began: Some(began + 1), ..read }.is_alive(), "the number was given to another process");
    }
    assert!(!Live { process_began: None, ..live() }.is_alive(), "silent for years");

    dir.write(names::STATUS, b"{\"proc").expect("writable");
    assert_eq!(Live::read(&dir), None, "half a file after a power cut");
}

#[test]
fn a_status_that_cannot_be_written_stops_nothing() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let dir = RunDir::create(&temp.path().join("run")).expect("writable");
    let mut writer = writer(&dir);
    std::fs::create_dir(dir.file(names::STATUS)).expect("writable");
    for _ in 0..2 {
        writer.event(&Event::StageStarted { stage: Stage::Search, steps_total: 8, epochs: 2 });
    }
    assert_eq!(Live::read(&dir), None);
}
