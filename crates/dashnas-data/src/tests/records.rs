//! Records of WFDB, EDF and BDF: their channels by names and units.

use crate::tests::readers::{folder, open_with};
use crate::tests::*;
use tempfile::TempDir;

/// A record of 40 steps with channels of these names and units, each of one value.
fn record(name: &str, channels: &[(&str, &str, i16)]) -> [(String, Vec<u8>); 2] {
    let mut header = format!("{name} {} 100 40\n", channels.len());
    for (channel, unit, _) in channels {
        header += &format!("{name}.dat 16 100(0)/{unit} 16 0 0 0 0 {channel}\n");
    }
    let step: Vec<u8> = channels.iter().flat_map(|channel| channel.2.to_le_bytes()).collect();
    [(format!("{name}.hea"), header.into_bytes()), (format!("{name}.dat"), step.repeat(40))]
}

fn made(records: &[Vec<(&str, &str, i16)>], labels: bool) -> TempDir {
    let mut files: Vec<(String, Vec<u8>)> =
        records.iter().enumerate().flat_map(|(i, channels)| record(&format!("r{i}"), channels)).collect();
    if labels {
        let rows = (0..records.len()).map(|i| format!("r{i},{}\n", ["a", "b"][i % 2])).collect::<String>();
        files.push(("REFERENCE.csv".into(), rows.into_bytes()));
    }
    folder(&files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect::<Vec<_>>())
}

/// What a model of these records remembers.
fn remembered(records: &[Vec<(&str, &str, i16)>], options: &ReadOptions) -> ReadOptions {
    let set = open_with(&made(records, true), ".", options).unwrap_or_else(|e| panic!("{e}"));
    let kept = set.reading.of_model(&set.read_as);
    assert_eq!(serde_json::from_str::<ReadOptions>(&serde_json::to_string(&kept).unwrap()).unwrap(), kept);
    kept
}

/// The first value of each channel of new records, or the error and its hint.
fn new(channels: &[(&str, &str, i16)], reading: &ReadOptions) -> Result<Vec<f32>, String> {
    let found = open_inputs(made(&[channels.to_vec()], false).path(), reading);
    let found = found.map_err(|e| format!("{e} / {}", e.hint().unwrap_or_default()))?;
    let width = found.x.shape[2];
    Ok(found.x.row(0).iter().step_by(width).copied().collect())
}

#[test]
fn the_channels_of_new_records_are_those_of_the_model() {
    let usual = vec![("I", "mV", 100), ("II", "mV", 200), ("temp", "degC", 300)];
    let records = vec![usual.clone(), usual.clone(), usual.clone(), usual];
    type Case<'a> = (&'a [(&'a str, &'a str, i16)], Result<&'a [f32], &'a str>);
    let cases: [Case<'_>; 9] = [
        (&[("I", "mV", 100), ("II", "mV", 200), ("temp", "degC", 300)], Ok(&[1.0, 2.0, 3.0])),
        (&[("temp", "degC", 300), ("II", "mV", 200), ("I", "mV", 100)], Ok(&[1.0, 2.0, 3.0])),
        (&[("ii", "mV", 200), ("i", "mV", 100), ("Temp", "degC", 300)], Ok(&[1.0, 2.0, 3.0])),
        (&[("II", "V", 2), ("I", "uV", 30000), ("temp", "degC", 300)], Ok(&[0.3, 20.0, 3.0])),
        (&[("I", "mV", 1), ("V1", "mV", 2), ("temp", "degC", 3)], Err("lacks channel `II`, which the model was")),
        (&[("I", "mV", 1), ("temp", "degC", 3)], Err("lacks channel `II`")),
        (
            &[("I", "mV", 1), ("II", "mV", 2), ("temp", "degC", 3), ("V1", "mV", 2)],
            Err("channel `V1` is none of those that the model was trained on, which are `I`, `II`, `temp`"),
        ),
        (&[("I", "mV", 1), ("II", "mV", 2), ("temp", "degF", 3)], Err("channel `temp` is in `degF`, but the model")),
        (&[("I", "mmHg", 1), ("II", "mV", 2), ("temp", "degC", 3)], Err("channel `I` is in `mmHg`")),
    ];
    for window in [None, Some(10)] {
        let options =
            ReadOptions { window: window.map(dashnas_formats::options::Span::Steps), ..ReadOptions::default() };
        let reading = remembered(&records, &options);
        for (channels, expected) in &cases {
            match (new(channels, &reading), expected) {
                (Ok(found), Ok(expected)) => {
                    assert!(found.iter().zip(*expected).all(|(a, b)| (a - b).abs() < 1e-5), "{channels:?}: {found:?}");
                }
                (Err(error), Err(words)) => assert!(error.contains(words), "{channels:?}: {error}"),
                (found, _) => panic!("{channels:?}: {found:?}"),
            }
        }
        // Other names stand for the channels where they are chosen by hand; older models know no names.
        let other: &[(&str, &str, i16)] = &[("X", "degC", 300), ("Y", "mV", 100), ("Z", "mV", 200)];
        let chosen = ReadOptions { inputs: Some("Y,Z,0".into()), ..reading.clone() };
        assert_eq!(new(other, &chosen), Ok(vec![1.0, 2.0, 3.0]));
        let old = ReadOptions { signals: None, ..reading.clone() };
        assert_eq!(new(other, &old), Ok(vec![3.0, 1.0, 2.0]));
    }
}

/// The order in which channels are named counts, also where the model knows their names.
#[test]
fn channels_that_are_named_for_new_records_stand_for_those_of_the_model() {
    let records = vec![vec![("I", "mV", 100), ("II", "mV", 200)]; 4];
    let other = ReadOptions { inputs: Some("II,I".into()), ..ReadOptions::default() };
    let (plain, turned) = (remembered(&records, &ReadOptions::default()), remembered(&records, &other));
    let channels: &[(&str, &str, i16)] = &[("II", "uV", 20_000), ("I", "mV", 100), ("V1", "mV", 300)];
    // What the model remembers, the channels that are named, the values, and what is said.
    let cases = [
        (&plain, "I,II", Ok([1.0, 0.2]), ""),
        (&plain, "II,I", Ok([0.2, 1.0]), "`II` for `I`, `I` for `II`"),
        (&plain, "0,1", Ok([0.2, 1.0]), "`II` for `I`, `I` for `II`"),
        (&plain, "I,V1", Ok([1.0, 3.0]), "`V1` for `II`"),
        (&turned, "II,I", Ok([0.2, 1.0]), ""),
        (&turned, "I,II", Ok([1.0, 0.2]), "`I` for `II`, `II` for `I`"),
        (&plain, "I", Err("names 1 channel, but the model was trained on 2 (`I`, `II`)"), ""),
    ];
    for (reading, inputs, expected, words) in cases {
        let given = ReadOptions { inputs: Some(inputs.into()), given: vec!["inputs".into()], ..reading.clone() };
        let found = open_inputs(made(&[channels.to_vec()], false).path(), &given);
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                let width = found.x.shape[2];
                let values: Vec<f32> = found.x.row(0).iter().step_by(width).copied().collect();
                assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{inputs}: {values:?}");
                let said = [found.origin.notes, found.origin.warnings].concat().join("; ");
                assert_eq!(said.contains("stand for those of the model"), !words.is_empty(), "{inputs}: {said}");
                assert!(said.contains(words), "{inputs}: {said}");
            }
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{inputs}: {error}"),
            (found, _) => panic!("{inputs}: {:?}", found.map(|found| found.x.shape)),
        }
    }
}

/// Names and units that differ within the training data are no errors in new data.
#[test]
fn what_training_accepted_is_accepted_of_new_records() {
    let records = vec![
        vec![("MLII", "mV", 100), ("V1", "mV", 200)],
        vec![("MLII", "mV", 100), ("V5", "mmHg", 200)],
        vec![("V5", "mV", 200), ("MLII", "mV", 100)],
        vec![("V5", "mV", 100), ("V2", "mV", 200)],
    ];
    let reading = remembered(&records, &ReadOptions::default());
    for channels in &records {
        let found = new(channels, &reading);
        assert_eq!(found, Ok(vec![1.0, 2.0]), "{channels:?}");
    }
    let error = new(&[("MLII", "mV", 1), ("aVF", "mV", 2)], &reading).unwrap_err();
    assert!(error.contains("lacks channel `V1`") && error.contains("`data.inputs`"), "{error}");
}

#[test]
fn channels_can_be_chosen_by_name() {
    let records: Vec<Vec<(&str, &str, i16)>> = (0..4)
        .map(|i| match i % 2 {
            0 => vec![("I", "mV", 100), ("II", "mV", 200)],
            _ => vec![("II", "mV", 200), ("V1", "mV", 300), ("I", "mV", 100)],
        })
        .collect();
    let with = |inputs: Option<&str>| {
        let options = ReadOptions { inputs: inputs.map(str::to_owned), ..ReadOptions::default() };
        open_with(&made(&records, true), ".", &options)
    };
    let error = with(None).unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.contains("`data.inputs`")), "{error}");
    for (inputs, expected) in [("II,I", vec![2.0, 1.0]), ("I", vec![1.0])] {
        let set = with(Some(inputs)).unwrap_or_else(|e| panic!("{e}"));
        let row = set.train.x.row(0);
        assert_eq!(row.iter().step_by(40).copied().collect::<Vec<_>>(), expected, "{inputs}");
    }
    for (inputs, words) in [("I,V9", "no channel `V9`; it has `I`, `II`"), ("I,I", "no channel `I`")] {
        let error = with(Some(inputs)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
