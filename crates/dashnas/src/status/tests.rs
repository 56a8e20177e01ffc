use super::*;
use crate::run_dir::names;

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
    }
}

#[test]
fn the_pace_is_that_of_this_process() {
    // 20 steps in 10 s, 60 to go.
    assert_eq!(live().seconds_left(), Some(30.0));
    assert_eq!(Live { step: 10, ..live() }.seconds_left(), None, "no step yet");
    assert_eq!(Live { steps_total: 0, ..live() }.seconds_left(), None, "an unknown length");
}

#[test]
fn a_process_is_alive_only_if_it_is_the_same_one() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let dir = RunDir::create(&temp.path().join("run")).expect("writable");
    let mut watch = Watch::new(&dir, &crate::config::Config::default());
    assert_eq!(Live::read(&dir), None, "nothing has happened");
    watch.event(&Event::StageStarted { stage: Stage::Search, steps_total: 8, epochs: 2 });
    let step = |step| {
        let (stage, trial, loss, lr) = (Stage::Search, None, Some(0.25), Some(0.5));
        Event::Step { stage, trial, epoch: 0, step, steps_total: 8, loss, lr }
    };
    watch.event(&step(1));
    assert_eq!(Live::read(&dir).expect("written").step, 0, "at most once a second");
    watch.event(&Event::StageFinished { stage: Stage::Search, seconds: 1.0 });
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
    let mut watch = Watch::new(&dir, &crate::config::Config::default());
    std::fs::create_dir(dir.file(names::STATUS)).expect("writable");
    for _ in 0..2 {
        watch.event(&Event::StageStarted { stage: Stage::Search, steps_total: 8, epochs: 2 });
    }
    assert_eq!(Live::read(&dir), None);
}
