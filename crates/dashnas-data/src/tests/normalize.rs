//! Normalization.

use crate::tests::*;
use proptest::prelude::*;

fn array(shape: &[usize], f: impl Fn(usize) -> f32) -> Array {
    Array::new(shape.to_vec(), (0..shape.iter().product()).map(f).collect())
}

/// Population mean and deviation of one channel.
fn moments(a: &Array, c: usize) -> (f64, f64) {
    let plane: usize = a.shape[2..].iter().product();
    let rows = (0..a.rows()).flat_map(|i| a.row(i)[c * plane..(c + 1) * plane].to_vec());
    let values: Vec<f64> = rows.map(f64::from).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
}

#[test]
fn channels_are_standardised_each_on_its_own() {
    let mut x = array(&[5, 2, 3, 4], |i| if (i / 12) % 2 == 0 { i as f32 } else { 1e4 + (i * i % 37) as f32 });
    InputNormalizer::fit(&x.clone(), &[Scheme::PerChannel; 2]).unwrap().apply(&mut x);
    for c in 0..2 {
        let (mean, std) = moments(&x, c);
        assert!(mean.abs() < 1e-4 && (std - 1.0).abs() < 1e-4, "channel {c}: {mean} {std}");
    }
}

#[test]
fn constants_are_centered_and_not_scaled() {
    // 0.1 is not exact in binary: its computed deviation may be a rounding error, not 0.
    let mut x = array(&[7, 1, 3], |_| 0.1);
    let fitted = InputNormalizer::fit(&x, &[Scheme::PerChannel]).unwrap();
    fitted.apply(&mut x);
    assert!(x.data.iter().all(|v| v.abs() < 1e-7));
    let mut other = array(&[1, 1, 3], |_| 5.1);
    fitted.apply(&mut other);
    assert!(other.data.iter().all(|v| (v - 5.0).abs() < 1e-6));
    let pointwise = InputNormalizer::fit(&array(&[7, 1, 3], |_| 0.1), &[Scheme::Pointwise]).unwrap();
    let mut other = array(&[1, 1, 3], |_| 5.1);
    pointwise.apply(&mut other);
    assert!(other.data.iter().all(|v| (v - 5.0).abs() < 1e-6));
}

#[test]
fn the_pointwise_scheme_is_the_unit_gaussian_normalizer() {
    // At the only point: 1, 2, 6. Mean 3, unbiased deviation √7.
    let mut y = Targets::Values(array(&[3, 1, 1], |i| [1.0, 2.0, 6.0][i]));
    TargetNormalizer::fit(&y.clone(), Scheme::Pointwise).apply(&mut y);
    let scale = 7f64.sqrt() + 1e-5;
    for (v, raw) in y.values().unwrap().data.iter().zip([1.0, 2.0, 6.0]) {
        assert!((f64::from(*v) - (raw - 3.0) / scale).abs() < 1e-6);
    }
}

#[test]
fn schemes_differ_by_channel() {
    let x = array(&[4, 3, 2], |i| (i * i) as f32);
    let mut out = x.clone();
    InputNormalizer::fit(&x, &[Scheme::Pointwise, Scheme::Identity, Scheme::PerChannel]).unwrap().apply(&mut out);
    let pick = |a: &Array, c: usize| (0..4).flat_map(|i| a.row(i)[c * 2..c * 2 + 2].to_vec()).collect::<Vec<_>>();
    assert_eq!(pick(&out, 1), pick(&x, 1));
    let point: Vec<f32> = pick(&out, 0).iter().step_by(2).copied().collect();
    assert!(point.iter().sum::<f32>().abs() < 1e-5);
    assert!((moments(&out, 2).1 - 1.0).abs() < 1e-5);
}

#[test]
fn classes_are_left_alone() {
    let mut y = Targets::Classes(vec![0, 3, 1]);
    let fitted = TargetNormalizer::fit(&y, Scheme::Pointwise);
    fitted.apply(&mut y);
    assert_eq!(y, Targets::Classes(vec![0, 3, 1]));
    assert!(fitted.is_identity() && fitted.mean_and_scale().is_none());
}

#[test]
fn a_fixed_point_decodes_to_itself() {
    // Second point always 4, as on a boundary: predictions of moderate size give 4 back.
    let y = Targets::Values(array(&[3, 1, 2], |i| if i % 2 == 1 { 4.0 } else { i as f32 }));
    let mut predicted = array(&[1, 1, 2], |_| 2.0);
    TargetNormalizer::fit(&y, Scheme::Pointwise).decode(&mut predicted);
    assert!((predicted.data[1] - 4.0).abs() < 1e-4);
}

proptest! {
    #[test]
    fn decoding_undoes_normalizing(
        values in prop::collection::vec(-100f32..100.0, 24),
        scheme in prop::sample::select(vec![Scheme::Identity, Scheme::PerChannel, Scheme::Pointwise]),
        shape in prop::sample::select(vec![vec![6, 4], vec![4, 2, 3], vec![2, 3, 2, 2]]),
    ) {
        let original = Array::new(shape.clone(), values);
        let mut y = Targets::Values(original.clone());
        let fitted = TargetNormalizer::fit(&y, scheme);
        // It travels as text.
        let json = serde_json::to_string(&fitted).unwrap();
        let fitted: TargetNormalizer = serde_json::from_str(&json).unwrap();
        fitted.apply(&mut y);
        let Targets::Values(mut decoded) = y else { unreachable!() };
        // By broadcasting, as a network would.
        if let Some((mean, scale)) = fitted.mean_and_scale() {
            prop_assert_eq!(mean.shape.len(), shape.len());
            let (plane, channels) = (shape[2..].iter().product::<usize>(), shape[1]);
            for (i, v) in decoded.data.iter().enumerate() {
                let (c, p) = (i / plane % channels, i % plane);
                let at = if mean.row_len() == channels { c } else { c * plane + p };
                prop_assert!((v * scale.data[at] + mean.data[at] - original.data[i]).abs() < 1e-3);
            }
        }
        fitted.decode(&mut decoded);
        for (a, b) in decoded.data.iter().zip(&original.data) {
            prop_assert!((a - b).abs() < 1e-3, "{} {}", a, b);
        }
    }
}

#[test]
fn centers_of_earlier_versions_move_out_of_the_normalization() {
    let per_channel = |mean: f32, scale: f32| format!(r#"{{"scheme":"per-channel","mean":{mean},"scale":{scale}}}"#);
    let shifted = r#"{"scheme":"per-channel","mean":1700000000.0,"rest":0.5,"scale":2.0}"#;
    let of = |channels: &[&str]| format!(r#"{{"channels":[{}],"spatial":[]}}"#, channels.join(","));
    let mut targets: TargetNormalizer = serde_json::from_str(&of(&[shifted, &per_channel(4.0, 1.0)])).expect("valid");
    assert_eq!(targets.take_centers(), [1.7e9, 0.0]);
    let relative = of(&[&per_channel(0.5, 2.0), &per_channel(4.0, 1.0)]);
    assert_eq!(targets, serde_json::from_str(&relative).expect("valid"));
    assert_eq!(targets.take_centers(), Vec::<f64>::new());
    let x = Array::new(vec![2, 1, 1], vec![-1.0, 1.0]);
    let mut fitted = InputNormalizer::fit(&x, &[Scheme::PerChannel]).expect("in memory");
    // Files without a center are what they were.
    let text = serde_json::to_string(&fitted).expect("plain numbers");
    assert!(!text.contains("rest"), "{text}");
    assert_eq!(fitted.take_centers(), Vec::<f64>::new());
    assert_eq!(serde_json::from_str::<InputNormalizer>(&text).expect("as written"), fitted);
}
