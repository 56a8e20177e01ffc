use crate::tensorboard::*;
use dashnas::record::event::LayerChoice;
use dashnas::run_dir::dir::RunDir;

#[test]
fn the_checksum_is_the_one_of_the_format() {
    // CRC-32C of the published check value, then masked by the definition.
    assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(masked_crc(b"123456789"), 0xe306_9283u32.rotate_right(15).wrapping_add(0xa282_ead8));
}

#[test]
fn records_come_back_and_damage_is_noticed() {
    let mut bytes = Vec::new();
    for data in [&b"one"[..], b"", b"three"] {
        write_record(&mut bytes, data).expect("memory takes it");
    }
    assert_eq!(read_records(&bytes).expect("sound"), [&b"one"[..], b"", b"three"]);
    assert_eq!(read_records(&bytes[..bytes.len() - 1]).expect("sound").len(), 2, "a record half written");
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        let read = read_records(&bad);
        assert!(read.is_err(), "byte {at}: {read:?}");
    }
}

#[test]
fn a_run_becomes_scalars_in_its_folder() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let dir = RunDir::create(&temp.path().join("run")).expect("writable");
    let mut writer = Writer::new(dir.path());
    let layer = |entropy| LayerChoice { kernel_size: 3, dilation: 1, weight: 0.5, entropy };
    let step = |step| Event::Step {
        stage: Stage::Search,
        trial: None,
        epoch: 0,
        step,
        steps_total: 5000,
        loss: Some(0.25),
        lr: Some(0.5),
    };
    for event in [step(1), step(2), step(3), step(4998), step(5000)] {
        writer.event(&event);
    }
    writer.event(&Event::Alpha { epoch: 1, layers: vec![layer(1.0), layer(2.0)] });
    drop(writer);
    let files: Vec<_> = fs::read_dir(dir.file(FOLDER)).expect("made").flatten().collect();
    assert_eq!(files.len(), 1);
    let bytes = fs::read(files[0].path()).expect("readable");
    let events: Vec<TensorboardEvent> = (read_records(&bytes).expect("sound").into_iter())
        .map(|r| TensorboardEvent::decode(r).expect("an event"))
        .collect();
    assert_eq!(events[0].what, Some(tensorboard_event::What::FileVersion("brain.Event:2".into())));
    let mut found = Vec::new();
    for event in &events[1..] {
        let Some(tensorboard_event::What::Summary(s)) = &event.what else { panic!("{event:?}") };
        for v in &s.value {
            let Some(value::Value::SimpleValue(x)) = v.value else { panic!("{v:?}") };
            found.push((event.step, v.tag.as_str(), x));
        }
    }
    assert_eq!(
        found,
        [
            (3, "search/loss", 0.25),
            (3, "search/lr", 0.5),
            (4998, "search/loss", 0.25),
            (4998, "search/lr", 0.5),
            (5000, "search/loss", 0.25),
            (5000, "search/lr", 0.5),
            (2, "alpha/entropy", 1.5),
            (2, "alpha/entropy/layer-01", 1.0),
            (2, "alpha/weight/layer-01", 0.5),
            (2, "alpha/entropy/layer-02", 2.0),
            (2, "alpha/weight/layer-02", 0.5),
        ]
    );
}

#[test]
fn trials_of_a_race_have_tags_of_their_own() {
    let trial = |stage| Event::TrialFinished {
        stage,
        trial: 2,
        trials: 13,
        lr: 0.1,
        weight_decay: 0.0,
        momentum: 0.9,
        dropout: 0.0,
        score: Some(0.25),
        loss: Some(0.5),
        reason: None,
    };
    let named = |stage| scalars(&trial(stage)).expect("numbers");
    let race = vec![("search/score".to_owned(), 0.25), ("search/validation-loss".to_owned(), 0.5)];
    assert_eq!(named(Stage::Search), (3, race));
    assert_eq!(named(Stage::Tune), (3, vec![("tune/score".to_owned(), 0.25)]));
}

#[test]
fn a_folder_that_cannot_be_made_stops_nothing() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let dir = RunDir::create(&temp.path().join("run")).expect("writable");
    dir.write(FOLDER, b"in the way").expect("writable");
    let mut writer = Writer::new(dir.path());
    writer.event(&Event::Alpha { epoch: 0, layers: vec![] });
    assert!(writer.out.is_none());
}
