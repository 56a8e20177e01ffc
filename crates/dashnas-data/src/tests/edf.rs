//! Annotations of EDF+ and BDF+ files, which label windows.

use crate::tests::readers::{folder, open_with};
use crate::tests::*;
use dashnas_formats::options::{Span, WindowLabel};

/// Bytes of the annotations of a record.
const BLOCK: usize = 60;

/// A file of records of one second, with a signal of ten samples that count from 0 unless there is `signal`, and with lists of
/// annotations; samples have `width` bytes.
fn file(width: usize, kind: &str, time: &str, signal: bool, records: &[&str]) -> Vec<u8> {
    let name = if width == 2 { "EDF Annotations" } else { "BDF Annotations" };
    let (names, sizes) = match signal {
        true => (vec!["EEG", name], vec![10, BLOCK / width]),
        false => (vec![name], vec![BLOCK / width]),
    };
    let count = names.len();
    let mut out = if width == 2 { b"0       ".to_vec() } else { b"\xffBIOSEMI".to_vec() };
    let mut put = |text: &str, length: usize| out.extend(format!("{text:<length$}").into_bytes());
    for (text, length) in [("", 160), ("01.02.03", 8), (time, 8), ("", 8), (kind, 44)] {
        put(text, length);
    }
    for (text, length) in [(records.len().to_string(), 8), ("1".into(), 8), (count.to_string(), 4)] {
        put(&text, length);
    }
    names.iter().for_each(|name| put(name, 16));
    for (text, length) in [("", 80), ("uV", 8), ("-100", 8), ("100", 8), ("-100", 8), ("100", 8), ("", 80)] {
        (0..count).for_each(|_| put(text, length));
    }
    sizes.iter().for_each(|size| put(&size.to_string(), 8));
    (0..count).for_each(|_| put("", 32));
    for (r, record) in records.iter().enumerate() {
        for i in (0..10).filter(|_| signal) {
            out.extend(&((10 * r + i) as i32).to_le_bytes()[..width]);
        }
        // In these tests `|` is the byte 0x14, `~` is 0x15 and `;` is 0.
        let bytes = record.bytes().map(|b| match b {
            b'|' => 0x14,
            b'~' => 0x15,
            b';' => 0,
            b => b,
        });
        out.extend(bytes.chain(std::iter::repeat(0)).take(BLOCK));
    }
    out
}

/// The first value and the label of each window in order, from all splits, or the error; and what was said.
fn windows(files: &[(&str, Vec<u8>)], label: WindowLabel) -> Result<(Vec<String>, String), String> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let options = ReadOptions { window: Some(Span::Steps(5)), window_label: label, ..ReadOptions::default() };
    let set =
        open_with(&folder(&files), ".", &options).map_err(|e| format!("{e} / {}", e.hint().unwrap_or_default()))?;
    let names = set.classes.clone().unwrap_or_default();
    let mut found = Vec::new();
    for split in [Some(&set.train), set.val.as_ref(), Some(&set.test)].into_iter().flatten() {
        for (i, &class) in split.y.classes().unwrap_or_default().iter().enumerate() {
            found.push((split.x.row(i)[0] as i32, names[class as usize].clone()));
        }
    }
    found.sort();
    let said = [&set.origin.notes[..], &set.origin.warnings[..]].concat().join("\n");
    Ok((found.into_iter().map(|(first, name)| format!("{first}{name}")).collect(), said))
}

#[test]
fn annotations_label_windows_for_as_long_as_they_last() {
    let own = ["+0||;+0~0.7|W|;+0.7~1|R|;", "+1||;+1.7~0.6|W|;+1|moment|;", "+2||;+2.3~0.7|R|;"];
    let late = ["+9||;+9~0.7|W|;+9.7~1|R|;", "+10||;+10.7~0.6|W|;+10|moment|;", "+11||;+11.3~0.7|R|;"];
    let majority = ["0W", "5R", "10R", "15W", "20W", "25R"];
    let end = ["0W", "5R", "10R", "15W", "20R", "25R"];
    for (width, kind, extension) in [(2, "EDF+C", "edf"), (3, "BDF+C", "bdf"), (2, "EDF+D", "edf"), (3, "BDF+D", "bdf")]
    {
        // The times of the records need not begin at 0.
        for records in [own, late] {
            let names = [format!("a.{extension}"), format!("b.{extension}")];
            let files = names.each_ref().map(|name| (name.as_str(), file(width, kind, "10.00.00", true, &records)));
            for (rule, expected) in [(WindowLabel::Majority, majority), (WindowLabel::End, end)] {
                let (found, said) = windows(&files, rule).unwrap();
                let both: Vec<&str> = expected.iter().flat_map(|label| [*label, *label]).collect();
                assert_eq!(found, both, "{kind}: {said}");
                assert!(said.contains("2 annotations have no duration (`moment` in"), "{said}");
                assert!(!said.contains("overlap"), "{said}");
            }
        }
    }
    // Of records with a gap, the times count.
    let gap = ["+0||;+0~1|W|;", "+100||;+100~0.5|R|;+100.5~0.5|W|;"];
    let files = ["a.edf", "b.edf"].map(|name| (name, file(2, "EDF+D", "10.00.00", true, &gap)));
    let (found, _) = windows(&files, WindowLabel::Majority).unwrap();
    assert_eq!(found, ["0W", "0W", "5W", "5W", "10R", "10R", "15W", "15W"]);
}

#[test]
fn annotations_may_be_in_files_of_their_own() {
    let signals = ["+0||;", "+1||;"];
    let night = |time: &str, lists: &str| file(2, "EDF+C", time, false, &[lists]);
    let plain = || file(2, "EDF+C", "10.00.00", true, &signals);
    let lists = "+0~1|W|;+1~0.5|R|;+1.5~9|Sleep stage ?|;";
    let with = |first: &str, second: &str, time: &str| {
        windows(
            &[
                ("SC4001E0-PSG.edf", plain()),
                ("SC4002E0-PSG.edf", plain()),
                (first, night("10.00.00", lists)),
                (second, night(time, lists)),
            ],
            WindowLabel::Majority,
        )
    };
    let (found, said) = with("SC4001EC-Hypnogram.edf", "SC4002EC-Hypnogram.edf", "10.00.00").unwrap();
    assert_eq!(found, ["0W", "0W", "5W", "5W", "10R", "10R"], "{said}");
    assert!(said.contains("2 annotations `Sleep stage ?` are no label") && !said.contains("another time"), "{said}");
    // Files that begin later are shifted.
    let (found, said) = with("SC4001EC-Hypnogram.edf", "SC4002EC-Hypnogram.edf", "10.00.01").unwrap();
    assert_eq!(found, ["0W", "5W", "10R", "10W", "15W"], "{said}");
    assert!(said.contains("at another time than the signals"), "{said}");
    let cases = [
        (
            "SC4001EC-Hypnogram.edf",
            "SC4002EC-Hypnogram.edf",
            "12.00.00",
            "SC4002EC-Hypnogram.edf: none of its annotations",
        ),
        (
            "SC4001EC-Hypnogram.edf",
            "SC4003EC-Hypnogram.edf",
            "10.00.00",
            "SC4003EC-Hypnogram.edf: it holds annotations only",
        ),
    ];
    for (first, second, time, words) in cases {
        let error = with(first, second, time).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn annotations_that_cannot_be_read_are_refused_with_their_place() {
    let cases = [
        ("+1||;1~1|W|;", "`record 2, byte 5 of its annotations`: the time of an annotation is `1`"),
        ("+1||;+1~x|W|;", "the duration of an annotation is `x`"),
        ("+1||;+1~1|W;", "cut short"),
    ];
    for (record, words) in cases {
        let files =
            ["a.edf", "b.edf"].map(|name| (name, file(2, "EDF+C", "10.00.00", true, &["+0||;+0~1|R|;", record])));
        let error = windows(&files, WindowLabel::Majority).unwrap_err();
        assert!(error.contains(words) && error.contains("a.edf"), "{error}");
    }
    let files = ["a.edf", "b.edf"].map(|name| (name, file(2, "EDF+C", "10.00.00", true, &["+0||;+0|R|;"])));
    let error = windows(&files, WindowLabel::Majority).unwrap_err();
    assert!(error.contains("2 annotations have no duration") || error.contains("1 annotation has"), "{error}");
}

/// A signal: its name, unit, physical and digital range, and the number of its samples in a record.
type Channel<'a> = (&'a str, &'a str, [&'a str; 4], usize);

/// The channels of a night of Sleep-EDF, at a tenth of its rates, and records of 30 seconds.
const NIGHT: [Channel<'static>; 5] = [
    ("EEG Fpz-Cz", "uV", ["-192", "192", "-2048", "2047"], 300),
    ("EEG Pz-Oz", "uV", ["-197", "196", "-2048", "2047"], 300),
    ("EOG horizontal", "uV", ["-1009", "1009", "-2048", "2047"], 300),
    ("Temp rectal", "DegC", ["34", "40", "-2849", "2731"], 30),
    ("Event marker", "", ["-2047", "2048", "-2047", "2048"], 30),
];

/// A file as the format has it: `records` are the bytes of each record.
fn edf(kind: &str, begins: &str, seconds: &str, channels: &[Channel<'_>], records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"0       ".to_vec();
    let mut put = |text: &str, length: usize| out.extend(format!("{text:<length$}").into_bytes());
    put("X F X Female_33yr", 80);
    put("Startdate 24-APR-1989 X X X", 80);
    for (text, length) in [("24.04.89", 8), (begins, 8), (&(256 * (channels.len() + 1)).to_string(), 8), (kind, 44)] {
        put(text, length);
    }
    for (text, length) in [(&records.len().to_string()[..], 8), (seconds, 8), (&channels.len().to_string(), 4)] {
        put(text, length);
    }
    channels.iter().for_each(|channel| put(channel.0, 16));
    channels.iter().for_each(|_| put("Ag-AgCl electrodes", 80));
    channels.iter().for_each(|channel| put(channel.1, 8));
    (0..4).for_each(|i| channels.iter().for_each(|channel| put(channel.2[i], 8)));
    channels.iter().for_each(|_| put("HP:0.5Hz LP:100Hz", 80));
    channels.iter().for_each(|channel| put(&channel.3.to_string(), 8));
    channels.iter().for_each(|_| put("", 32));
    records.iter().for_each(|record| out.extend(record));
    out
}

/// The annotations of a file, filled up to a number of samples.
const ANNOTATIONS: &str = "EDF Annotations";

fn annotations(lists: &str, samples: usize) -> Vec<u8> {
    let bytes = lists.bytes().map(|b| match b {
        b'|' => 0x14,
        b'~' => 0x15,
        b';' => 0,
        b => b,
    });
    bytes.chain(std::iter::repeat(0)).take(2 * samples).collect()
}

/// A night: the first value of each record is its number. Of EDF+D, the records have the times that are given.
fn psg(kind: &str, begins: &str, times: &[u32], with_times: bool) -> Vec<u8> {
    let mut channels = NIGHT.to_vec();
    if with_times {
        channels.push((ANNOTATIONS, "", ["-1", "1", "-32768", "32767"], 20));
    }
    let record = |(r, time): (usize, &u32)| {
        let signals =
            NIGHT.iter().flat_map(|(.., n)| (0..*n).flat_map(move |i| ((r * 7 + i % 5) as i16).to_le_bytes()));
        let times = if with_times { annotations(&format!("+{time}||;"), 20) } else { Vec::new() };
        signals.chain(times).collect()
    };
    edf(kind, begins, "30", &channels, &times.iter().enumerate().map(record).collect::<Vec<_>>())
}

/// The hypnogram of a night: stages with their beginnings and durations, in one record without a duration.
fn hypnogram(begins: &str, stages: &[(u32, u32, &str)]) -> Vec<u8> {
    let lists: String = stages.iter().map(|(from, lasts, stage)| format!("+{from}~{lasts}|{stage}|;")).collect();
    let channels = [(ANNOTATIONS, "", ["-1", "1", "-32768", "32767"], 300)];
    edf("EDF+C", begins, "0", &channels, &[annotations(&format!("+0||;{lists}"), 300)])
}

const STAGES: [(u32, u32, &str); 5] = [
    (0, 60, "Sleep stage W"),
    (60, 30, "Sleep stage 1"),
    (90, 90, "Sleep stage 2"),
    (180, 30, "Movement time"),
    (210, 6900, "Sleep stage ?"),
];

/// The label of each window of 30 seconds, by the number of the record that it begins with, and what was said.
fn stages(files: &[(&str, Vec<u8>)], window: Option<Span>) -> Result<(Vec<String>, String), String> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let options = ReadOptions { window, ..ReadOptions::default() };
    let set =
        open_with(&folder(&files), ".", &options).map_err(|e| format!("{e} / {}", e.hint().unwrap_or_default()))?;
    assert_eq!(set.train.x.shape[1..], [3, 300]);
    let names = set.classes.clone().unwrap_or_default();
    let mut found = Vec::new();
    // A step of the first channel is 384 / 4095 of its unit.
    let record = |value: f32| ((value + 192.0) / 384.0 * 4095.0 - 2048.0) / 7.0;
    for split in [Some(&set.train), set.val.as_ref(), Some(&set.test)].into_iter().flatten() {
        for (i, &class) in split.y.classes().unwrap_or_default().iter().enumerate() {
            found.push(format!("{:.0} {}", record(split.x.row(i)[0]), names[class as usize]));
        }
    }
    found.sort();
    Ok((found, [&set.origin.notes[..], &set.origin.warnings[..]].concat().join("\n")))
}

#[test]
fn the_nights_of_sleep_edf_have_the_stages_of_their_hypnograms() {
    let half = Some(Span::Seconds(30.0));
    let whole: Vec<u32> = (0..8).map(|r| 30 * r).collect();
    // After two minutes, the signals are interrupted for a minute.
    let with_gap: Vec<u32> = (0..8).map(|r| 30 * r + if r < 4 { 0 } else { 60 }).collect();
    let twice = |of: &[&str]| of.iter().flat_map(|label| [label.to_string(), label.to_string()]).collect::<Vec<_>>();
    let plain = twice(&[
        "0 Sleep stage W",
        "1 Sleep stage W",
        "2 Sleep stage 1",
        "3 Sleep stage 2",
        "4 Sleep stage 2",
        "5 Sleep stage 2",
        "6 Movement time",
    ]);
    let interrupted =
        twice(&["0 Sleep stage W", "1 Sleep stage W", "2 Sleep stage 1", "3 Sleep stage 2", "4 Movement time"]);
    let later = twice(&[
        "1 Sleep stage W",
        "2 Sleep stage W",
        "3 Sleep stage 1",
        "4 Sleep stage 2",
        "5 Sleep stage 2",
        "6 Sleep stage 2",
        "7 Movement time",
    ]);
    // The kind of the signals, the times of their records, whether they say them, the beginning of the hypnogram, and the
    // labels.
    let cases = [
        ("EDF+C", &whole, false, "16.13.00", &plain),
        ("", &whole, false, "16.13.00", &plain),
        ("EDF+C", &whole, true, "16.13.00", &plain),
        ("EDF+D", &with_gap, true, "16.13.00", &interrupted),
        ("EDF+C", &whole, false, "16.13.30", &later),
    ];
    for (kind, times, with_times, begins, expected) in cases {
        let night = || psg(kind, "16.13.00", times, with_times);
        let files = [
            ("SC4001E0-PSG.edf", night()),
            ("SC4001EC-Hypnogram.edf", hypnogram(begins, &STAGES)),
            ("SC4002E0-PSG.edf", night()),
            ("SC4002EC-Hypnogram.edf", hypnogram(begins, &STAGES)),
        ];
        let (found, said) = stages(&files, half).unwrap();
        assert_eq!(found, *expected, "{kind} {said}");
        assert!(said.contains("2 recordings with channels at lower rates, which are left out"), "{said}");
        assert!(said.contains("2 annotations `Sleep stage ?` are no label") && !said.contains("overlap"), "{said}");
        // Without windows, a whole night has no label.
        let error = stages(&files, None).unwrap_err();
        assert!(error.contains("SC4001EC-Hypnogram.edf") && error.contains("set `data.window`"), "{error}");
        // One of the hypnograms is missing.
        let (found, said) = stages(&files[..3], half).unwrap_or_else(|error| (Vec::new(), error));
        assert!(found.is_empty() && said.contains("cannot be divided"), "{found:?}: {said}");
        // The folders of the archive are no classes.
        let folders =
            ["c/SC4001E0-PSG.edf", "c/SC4001EC-Hypnogram.edf", "t/ST7011J0-PSG.edf", "t/ST7011JP-Hypnogram.edf"];
        let files: Vec<(&str, Vec<u8>)> = folders.into_iter().zip(files.map(|(_, bytes)| bytes)).collect();
        let (found, said) = stages(&files, half).unwrap();
        assert_eq!(found, *expected, "{said}");
        assert!(said.contains("the labels are those of 2 files of annotations (c/SC4001EC-Hypnogram.edf"), "{said}");
    }
}
