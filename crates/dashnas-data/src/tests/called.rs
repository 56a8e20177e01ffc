//! The names of channels and outputs in messages and summaries.

use crate::tests::readers::folder;
use crate::tests::*;

/// Recordings of two channels, of which one has a single value far from all others.
fn recordings() -> String {
    let mut text = "rec,time,flow,pressure,label\n".to_owned();
    for rec in 0..8 {
        for step in 0..16 {
            let spike = if rec == 2 && step == 5 { 1e6 } else { 0.0 };
            let (flow, pressure) = ((step * 7 % 5) as f64 + 0.5, (step * 3 % 7) as f64 + 0.25 + spike);
            text += &format!("{rec},{step},{flow},{pressure},{}\n", ["a", "b"][rec % 2]);
        }
    }
    text
}

#[test]
fn channels_of_a_table_of_time_steps_are_called_by_their_columns() {
    let files = folder(&[("r.csv", recordings().as_bytes())]);
    let options = ReadOptions {
        window: Some("8".parse().expect("a number of steps")),
        group: Some("rec".into()),
        ..ReadOptions::default()
    };
    let set = open(&files.path().join("r.csv"), &options).expect("readable");
    let inspection = set.inspect().expect("in memory");
    assert_eq!(inspection.summary.channel_names, ["flow", "pressure"]);
    let json = serde_json::to_value(&inspection).expect("plain values");
    assert_eq!(json["channel_names"], serde_json::json!(["flow", "pressure"]));
    let text = inspection.to_string();
    assert!(text.contains("    channel 0 (flow)      0.50000 to 4.50000, mean"), "{text}");
    // The spike may be in the training samples or in the test samples.
    let far = text.contains("channel 1 (pressure)  0.25000 to 1000000.25")
        && text.contains(" in channel 1 (pressure), more than");
    assert!(far || text.contains("channel 1 (pressure)  0.25000 to 6.25000"), "{text}");
}

#[test]
fn large_values_are_called_by_their_columns() {
    // The columns of a table of one sample a row are values of one channel, unless each is a channel.
    let rows: String = (0..40).map(|i| format!("{}.5,{},{}\n", 1_700_000_000 + i * 17 % 40, i % 7, i % 3)).collect();
    let files = folder(&[("t.csv", format!("counter,b,label\n{rows}").as_bytes())]);
    let read = |channels| {
        let options = ReadOptions { channels, ..ReadOptions::default() };
        let set = open(&files.path().join("t.csv"), &options).expect("readable");
        (set.summary().channel_names, set.origin.notes.join("; "))
    };
    let (names, notes) = read(Some(2));
    assert_eq!(names, ["counter", "b"]);
    assert!(notes.contains("read relative to a number: channel 0 (counter) to 17000"), "{notes}");
    assert_eq!(read(None).0, Vec::<String>::new());
    let bare = folder(&[("t.csv", rows.as_bytes())]);
    let options = ReadOptions { channels: Some(2), targets: Some("-1".into()), ..ReadOptions::default() };
    let set = open(&bare.path().join("t.csv"), &options).expect("readable");
    assert!(
        set.summary().channel_names.is_empty() && set.origin.notes.join(";").contains("number: channel 0 to 17000")
    );
}
