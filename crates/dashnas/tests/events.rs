//! Events and outcomes as they are written.

use dashnas::record::event::{Event, LayerChoice, Observer};
use dashnas::record::outcome::Outcome;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::{BackboneName, Preset};
use dashnas_core::stage::Stage;
use dashnas_core::task::{Loss, Metric, TaskKind};

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
fn events_are_single_lines_that_read_back() {
    let events = [
        Event::StageStarted { stage: Stage::Search, steps_total: 80, epochs: 8 },
        Event::Step {
            stage: Stage::Tune,
            trial: Some(2),
            epoch: 1,
            step: 5,
            steps_total: 80,
            loss: Some(0.5),
            lr: Some(0.1),
        },
        Event::Epoch {
            stage: Stage::Retrain,
            trial: None,
            epoch: 0,
            epochs: 15,
            train_loss: 0.4,
            train_metric: Some(0.25),
            val_metric: None,
            lr: 0.1,
            seconds: 2.0,
        },
        Event::Alpha { epoch: 0, layers: vec![LayerChoice { kernel_size: 9, dilation: 7, weight: 0.2, entropy: 2.5 }] },
        Event::TrialFinished {
            stage: Stage::Baseline,
            trial: 0,
            trials: 12,
            lr: 0.1,
            weight_decay: 5e-4,
            momentum: 0.9,
            dropout: 0.0,
            score: None,
            loss: None,
            reason: Some("the loss became NaN".into()),
        },
        Event::StageFinished { stage: Stage::Search, seconds: 3.0 },
        Event::Note { message: "2 of 3".into() },
        Event::Finished { outcome: Box::new(outcome()) },
    ];
    for event in &events {
        let line = serde_json::to_string(event).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(&serde_json::from_str::<Event>(&line).unwrap(), event, "{line}");
    }
    assert_eq!(
        serde_json::to_string(&events[0]).unwrap(),
        r#"{"event":"stage-started","stage":"search","steps_total":80,"epochs":8}"#
    );
    assert!(!serde_json::to_string(&events[2]).unwrap().contains("null"));
}

#[test]
fn the_outcome_is_plain_json() {
    let value = serde_json::to_value(outcome()).unwrap();
    assert_eq!(value["metric"], "relative-l2");
    assert_eq!(value["architecture"], serde_json::json!([[9, 7], [3, 1]]));
    assert_eq!(value["seconds"], serde_json::json!({"data": 0.25, "search": 1.5}));
    assert_eq!(serde_json::from_value::<Outcome>(value).unwrap(), outcome());
    assert!((outcome().improvement().unwrap() - 0.25).abs() < 1e-12);
    assert_eq!(Outcome { baseline_test: None, ..outcome() }.improvement(), None);
    assert_eq!(Outcome::receptive_field([9, 7]), 57);
}

#[test]
fn a_pair_of_observers_both_listen_and_either_stops() {
    struct Stop;
    impl Observer for Stop {
        fn event(&mut self, _: &Event) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (mut log, mut stop): (Vec<Event>, Stop) = (Vec::new(), Stop);
    let mut both = (&mut log, &mut stop);
    both.event(&Event::Warning { message: "w".into() });
    assert!(both.cancelled());
    assert_eq!(log.len(), 1);
    assert!(!log.cancelled());
}
