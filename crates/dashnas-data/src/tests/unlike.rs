//! Warnings about new inputs that do not look like the training data.

use crate::normalize::{InputNormalizer, Scheme};
use crate::split::Split;
use crate::statistics;
use crate::statistics::Wanted;
use crate::targets::Targets;
use crate::unlike::unlike;
use crate::unusual;
use dashnas_core::rng::Seed;
use dashnas_formats::array::Array;
use dashnas_formats::called::Called;
use dashnas_formats::options::ReadOptions;
use dashnas_formats::sample_facts::SampleFacts;
use rand::RngExt;

/// Two channels of 20 points: a temperature around 15 and a noise around 0.
fn series(rows: usize, seed: u64) -> Array {
    let mut random = Seed(seed).stream("unlike", &[]);
    let mut data = Vec::with_capacity(rows * 40);
    for _ in 0..rows {
        data.extend((0..20).map(|_| 15.0 + 20.0 * (random.random::<f32>() - 0.5)));
        data.extend((0..20).map(|_| random.random::<f32>() - 0.5));
    }
    Array::new(vec![rows, 2, 20], data)
}

/// New series with the channels changed.
fn changed(rows: usize, change: impl Fn(usize, usize, f32) -> f32) -> Array {
    let mut x = series(rows, 2);
    for (i, value) in x.data.iter_mut().enumerate() {
        *value = change(i / 40, i / 20 % 2, *value);
    }
    x
}

#[test]
fn another_unit_a_still_sensor_and_far_values_are_said_of_each_channel() {
    let trained = InputNormalizer::fit(&series(200, 1), &[Scheme::PerChannel; 2]).expect("in memory");
    let cases: [(&str, Array, &[&str]); 12] = [
        ("alike", series(50, 3), &[]),
        ("one sample", series(1, 4), &[]),
        ("kelvin", changed(50, |_, c, v| if c == 0 { v + 273.15 } else { v }), &["channel 0 has mean 288"]),
        // By 3.5 deviations.
        ("moved", changed(50, |_, c, v| if c == 0 { v + 20.0 } else { v }), &["channel 0 has mean 34"]),
        ("few moved", changed(3, |_, c, v| if c == 0 { v + 20.0 } else { v }), &[]),
        ("one in kelvin", changed(1, |_, c, v| if c == 0 { v + 273.15 } else { v }), &["channel 0 has mean"]),
        (
            "millivolts",
            changed(50, |_, c, v| if c == 1 { v * 1000.0 } else { v }),
            &["channel 1 has mean −10.44 and standard deviation 289.5 here"],
        ),
        ("kilovolts", changed(50, |_, c, v| if c == 1 { v / 1000.0 } else { v }), &["channel 1 has mean"]),
        ("still", changed(50, |_, c, v| if c == 0 { 15.0 } else { v }), &["channel 0 is 15 in all of these samples"]),
        ("few still", changed(3, |_, c, v| if c == 0 { 15.0 } else { v }), &[]),
        ("an artifact", changed(200, |i, c, v| if i == 7 && c == 1 { 1e6 } else { v }), &[]),
        (
            "artifacts",
            changed(50, |i, c, v| if i % 5 == 0 { v + 900.0 + c as f32 } else { v }),
            &["channel 0 is from", "channel 1 is from"],
        ),
    ];
    for (name, x, expected) in cases {
        let found = unlike(&trained, &plain(), &[], &x).expect("in memory");
        let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| f.starts_with(e));
        assert!(fits, "{name}: {found:?}");
    }
}

#[test]
fn models_without_ranges_are_loaded_and_warn_by_their_mean() {
    let trained = InputNormalizer::fit(&series(200, 1), &[Scheme::PerChannel; 2]).expect("in memory");
    let mut json: serde_json::Value = serde_json::to_value(&trained).expect("plain numbers");
    assert!(json.as_object_mut().is_some_and(|card| card.remove("ranges").is_some()));
    let old: InputNormalizer = serde_json::from_value(json).expect("as older versions wrote it");
    assert!(unlike(&old, &plain(), &[], &series(50, 3)).expect("in memory").is_empty());
    let kelvin = changed(50, |_, c, v| if c == 0 { v + 273.15 } else { v });
    assert_eq!(unlike(&old, &plain(), &[], &kelvin).expect("in memory").len(), 1);
}

#[test]
fn rare_values_may_be_missing_and_constant_channels_must_stay_what_they_were() {
    // A rare class as a column, a constant column, and an offset that was subtracted before.
    let x = Array::new(vec![100, 3, 1], (0..100).flat_map(|i| [f32::from(i == 7), 4.0, i as f32]).collect());
    let trained = InputNormalizer::fit(&x, &[Scheme::PerChannel; 3]).expect("in memory");
    let new = |rows: usize, rare: f32, constant: f32| {
        Array::new(vec![rows, 3, 1], (0..rows).flat_map(|i| [rare, constant, (64 * (i % 2)) as f32]).collect())
    };
    assert_eq!(unlike(&trained, &plain(), &[], &new(40, 0.0, 4.0)).expect("in memory"), Vec::<String>::new());
    let found = unlike(&trained, &plain(), &[], &new(40, 1.0, 5.0)).expect("in memory");
    assert!(found.len() == 2 && found[1].starts_with("channel 1 was 4 in all training samples"), "{found:?}");
    // What was subtracted is added where values are named.
    let far = unlike(&trained, &plain(), &[0.0, 0.0, 1.7e9], &Array::new(vec![1, 3, 1], vec![0.0, 4.0, 1e4]))
        .expect("in memory");
    assert!(far.len() == 1 && far[0].contains("1700010000"), "{far:?}");
    // Many channels are counted.
    let wide =
        InputNormalizer::fit(&Array::new(vec![2, 9, 1], [[0.0; 9], [1.0; 9]].concat()), &[Scheme::PerChannel; 9]);
    let found =
        unlike(&wide.expect("in memory"), &plain(), &[], &Array::new(vec![1, 9, 1], vec![50.0; 9])).expect("in memory");
    assert!(found.len() == 5 && found[4].starts_with("5 channels more"), "{found:?}");
}

/// Channels without names.
fn plain() -> Called {
    Called::of("channel", Vec::new())
}

fn warnings(x: Array, y: Targets, columns: &[&str]) -> Vec<String> {
    let (facts, reading) = (SampleFacts::default(), ReadOptions::default());
    let known = unusual::Known { facts: &facts, arrays: false, reading: &reading, columns };
    let wanted = Wanted { usual: true, ..Wanted::default() };
    let usual = statistics::collect(&x, wanted).expect("in memory").usual;
    unusual::values(&Split { x, y }, usual, known).expect("in memory")
}

#[test]
fn values_that_32_bits_have_no_digits_for_are_warned_of() {
    let set = |of: &dyn Fn(usize) -> f64| {
        let x = Array::new(vec![40, 1, 8], (0..320).map(|i| of(i) as f32).collect());
        warnings(x, Targets::Classes(vec![0; 40]), &[])
    };
    let rounded = |of: &dyn Fn(usize) -> f64| set(of).iter().any(|w| w.contains("read as 32-bit numbers"));
    let wave = |i: usize| (i as f64 / 7.0).sin();
    // Small changes on a large offset: Unix times of an hour, pressures, and what becomes one value.
    assert!(rounded(&|i| 1.7e9 + i as f64 * 10.0));
    assert!(rounded(&|i| 101_325.0 + wave(i)));
    assert!(rounded(&|i| 1e9 + 0.01 * wave(i)));
    // A year of Unix times, whole numbers that are exact, a constant, and ordinary signals.
    assert!(!rounded(&|i| 1.7e9 + i as f64 * 1e5));
    assert!(!rounded(&|i| 1e7 + (i % 9) as f64));
    assert!(!rounded(&|_| 5.5));
    assert!(!rounded(&|i| 1e-6 * wave(i)));
    assert!(!rounded(&|i| 1013.0 + 10.0 * wave(i)));
    let text = set(&|i| 1.7e9 + i as f64 * 10.0).join("");
    assert!(text.contains("channel 0 has values near 1.70e9") && text.contains("steps of 128.00"), "{text}");
}

#[test]
fn large_values_that_vary_little_are_found_among_others() {
    let wave = |i: usize| (i as f64 / 7.0).sin();
    let array = |of: &dyn Fn(usize) -> f64| Array::new(vec![40, 1, 8], (0..320).map(|i| of(i) as f32).collect());
    let noise = || array(&|i| wave(i * i));
    let classes = || Targets::Classes(vec![0; 40]);
    let unix = |i: usize| 1.7e9 + 100.0 * wave(i);
    // A single zero, padding, outliers.
    let hidden: [&dyn Fn(usize) -> f64; 3] =
        [&|i| if i == 77 { 0.0 } else { unix(i) }, &|i| if i % 8 > 4 { 0.0 } else { unix(i) }, &|i| {
            if i % 50 == 0 { unix(i) + 3e5 } else { unix(i) }
        }];
    for of in hidden {
        let found = warnings(array(of), classes(), &[]).join("");
        assert!(found.contains("most values of channel 0 are near 1.70e9"), "{found}");
    }
    // One column among others of a table.
    let mixed = array(&|i| if i % 8 == 3 { unix(i) } else { wave(i) });
    let names = ["a", "b", "c", "time", "e", "f", "g", "h"];
    let found = warnings(mixed, classes(), &names).join("");
    assert!(found.contains("most values of column `time` are near 1.70e9"), "{found}");
    // Fields and numbers as targets.
    for shape in [vec![40, 1, 8], vec![320, 1]] {
        let x = Array::new(vec![shape[0], 1, 8], (0..shape[0] * 8).map(|i| wave(i * i) as f32).collect());
        let y = Targets::Values(Array::new(shape, (0..320).map(|i| unix(i) as f32).collect()));
        let found = warnings(x, y, &[]).join("");
        assert!(found.contains("output 0 has values near 1.70e9"), "{found}");
    }
    // Usual values among zeros and outliers.
    let usual: [&dyn Fn(usize) -> f64; 4] = [
        &|i| if i % 8 > 4 { 0.0 } else { 1013.0 + 10.0 * wave(i) },
        &|i| if i % 8 > 4 { 0.0 } else { 1e7 + (i % 9) as f64 },
        &|i| f64::from(u8::from(i % 9 == 0)),
        &|i| if i == 5 { 90.0 } else { wave(i) },
    ];
    for of in usual {
        let found = warnings(array(of), Targets::Values(noise()), &names).join("");
        assert!(!found.contains("32-bit"), "{found}");
    }
}
