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
    assert!(said.contains("2 annotations `Sleep stage ?` is no label") && !said.contains("another time"), "{said}");
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
