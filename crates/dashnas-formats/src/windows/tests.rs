use crate::found::Labels;
use crate::options::{ReadOptions, Span, WindowLabel};
use crate::places::{Place, Recording};
use crate::role::Role;
use crate::windows::labels::{StepLabels, UNLABELED};
use crate::windows::outline::{Divided, Outline, divide, windows};
use crate::windows::spans::{Sizes, sizes};

fn outline(name: &str, steps: usize, role: Role) -> Outline {
    Outline::whole(Recording { name: name.into(), steps, times: None, rows: None }, role, None)
}

fn starts(outline: &Outline, sizes: Sizes, role: Role) -> Vec<usize> {
    windows(outline, 0, sizes).filter(|(stretch, _)| stretch.role == role).map(|(_, place)| place.start).collect()
}

#[test]
fn the_label_of_a_window_is_that_of_most_of_its_steps_or_of_its_last() {
    const NO: u32 = UNLABELED;
    let cases: [(&[u32], Option<&str>, Option<&str>); 7] = [
        (&[0, 0, 1], Some("a"), Some("b")),
        (&[1, 0, 0, 1], Some("b"), Some("b")),
        (&[0, 1, 1, 0], Some("a"), Some("a")),
        (&[NO, NO, 0], None, Some("a")),
        (&[NO, 0, 0, NO], Some("a"), None),
        (&[NO, 0, 1, NO, NO], None, None),
        (&[NO], None, None),
    ];
    for (codes, majority, end) in cases {
        let labels = StepLabels::Classes { names: vec!["a".into(), "b".into()], codes: vec![codes.to_vec()] };
        let place = Place { recording: 0, start: 0, end: codes.len() };
        for (rule, expected) in [(WindowLabel::Majority, majority), (WindowLabel::End, end)] {
            assert_eq!(labels.known(&place, rule), expected.is_some(), "{codes:?} {rule:?}");
            if let Some(expected) = expected {
                let Labels::Names(names) = labels.of(&[place], rule) else { panic!("names") };
                assert_eq!(names, [expected], "{codes:?} {rule:?}");
            }
        }
    }
}

#[test]
fn the_target_of_a_window_is_the_mean_or_the_last_number() {
    const NO: f32 = f32::NAN;
    type Wanted = Option<&'static [f32]>;
    let cases: [(&[f32], usize, bool, Wanted, Wanted); 6] = [
        (&[1.0, 2.0, 6.0], 1, false, Some(&[3.0]), Some(&[6.0])),
        (&[1.0, NO, 3.0], 1, false, Some(&[2.0]), Some(&[3.0])),
        (&[NO, NO, 3.0], 1, false, None, Some(&[3.0])),
        (&[1.0, 3.0, NO], 1, false, Some(&[2.0]), None),
        (&[1.0, 10.0, 3.0, 30.0], 2, false, Some(&[2.0, 20.0]), Some(&[3.0, 30.0])),
        (&[1.0, 0.0, 1.0, 1.0], 2, true, Some(&[1.0, 0.0]), Some(&[1.0, 1.0])),
    ];
    for (values, width, binary, majority, end) in cases {
        let labels = StepLabels::Numbers { name: "y".into(), width, binary, values: vec![values.to_vec()] };
        let place = Place { recording: 0, start: 0, end: values.len() / width };
        for (rule, expected) in [(WindowLabel::Majority, majority), (WindowLabel::End, end)] {
            assert_eq!(labels.known(&place, rule), expected.is_some(), "{values:?} {rule:?}");
            if let Some(expected) = expected {
                let Labels::Numbers(found) = labels.of(&[place], rule) else { panic!("numbers") };
                assert_eq!((&found.array.data[..], found.integral), (expected, binary), "{values:?} {rule:?}");
            }
        }
    }
}

#[test]
fn the_only_recording_is_divided_by_time_and_its_training_part_into_blocks() {
    let sizes = Sizes { window: 10, stride: 5 };
    let mut outlines = [outline("a", 1000, Role::All), outline("short", 9, Role::All)];
    let divided = divide(&mut outlines, sizes, 0.2, false);
    assert_eq!(divided, Divided { by_time: true, blocks: 10, crossing: 9 });
    let (train, test) = (starts(&outlines[0], sizes, Role::Train), starts(&outlines[0], sizes, Role::Test));
    assert!(train.iter().all(|start| start + 10 <= 800) && test.iter().all(|&start| start >= 800));
    // Windows of 10 blocks of 80 steps, none of which overlaps another block.
    assert_eq!((train.len(), test.len()), (10 * 15, 39));
    assert!(train.iter().all(|start| start / 80 == (start + 9) / 80));
    assert!(outlines[1].stretches.iter().all(|stretch| stretch.role == Role::Train));
}

#[test]
fn recordings_are_divided_only_where_there_is_one() {
    let sizes = Sizes { window: 10, stride: 10 };
    let mut two = [outline("a", 100, Role::All), outline("b", 100, Role::All)];
    assert_eq!(divide(&mut two, sizes, 0.2, false), Divided::default());
    let mut given = [outline("a", 100, Role::Train), outline("b", 100, Role::Test)];
    assert_eq!(divide(&mut given, sizes, 0.2, true), Divided::default());
    assert_eq!(divide(&mut given, sizes, 0.2, false), Divided { by_time: false, blocks: 10, crossing: 0 });
    // Blocks are at least as long as a window.
    let mut few = [outline("a", 35, Role::Train)];
    assert_eq!(divide(&mut few, sizes, 0.2, false), Divided { by_time: false, blocks: 3, crossing: 0 });
    assert_eq!(starts(&few[0], sizes, Role::Train), [0, 10, 20]);
}

#[test]
fn durations_are_turned_into_steps_by_the_rate() {
    let with = |window: &str, stride: Option<&str>| ReadOptions {
        window: Some(window.parse().unwrap()),
        stride: stride.map(|text| text.parse().unwrap()),
        ..Default::default()
    };
    let cases = [
        ("128", None, None, Some((128, 128))),
        ("2.5s", Some("500ms"), Some(100.0), Some((250, 50))),
        ("2.5s", None, None, None),
        ("1", None, None, None),
        ("128", Some("0"), None, None),
        ("1e300s", None, Some(100.0), None),
    ];
    for (window, stride, rate, expected) in cases {
        let mut options = with(window, stride);
        let found = sizes("x".as_ref(), rate, &mut options).ok();
        assert_eq!(found.map(|sizes| (sizes.window, sizes.stride)), expected, "{window}");
        if let Some((window, _)) = expected {
            assert_eq!((options.window, options.rate), (Some(Span::Steps(window)), rate));
            assert!(rate.is_none() || sizes("y".as_ref(), rate.map(|r| r * 2.0), &mut options).is_err());
        }
    }
    for text in ["", "s", "-1", "-1s", "nans", "2m", "1.5"] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
}
