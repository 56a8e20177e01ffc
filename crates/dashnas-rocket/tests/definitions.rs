//! The definitions of the transforms on cases computed by hand, and the fast transforms against the definitions.

mod naive;

use dashnas_core::Seed;
use dashnas_core::rng::normal;
use dashnas_rocket::{Error, Kind, Model, Series, Transform};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Convolutions of MiniRocket with one dilation and one bias for all kernels.
fn convolutions(dilation: usize, bias: f64) -> Value {
    json!({
        "dilations": [dilation],
        "biases_per_kernel": [1],
        "channels": vec![vec![0]; 84],
        "biases": vec![bias; 84],
    })
}

fn transform(length: usize, kernels: &Value) -> Transform {
    serde_json::from_value(json!({ "channels": 1, "length": length, "kernels": kernels })).unwrap()
}

/// An impulse of 1 at step 5 of 11 steps.
fn impulse() -> Vec<f32> {
    (0..11).map(|step| f32::from(u8::from(step == 5))).collect()
}

#[test]
fn minirocket_of_an_impulse() {
    // The convolution of an impulse at step 5 has the weight of tap k at step 5 − (k − 4): the kernel in reverse. The
    // kernel 0 has the weight 2 at the taps 0, 1 and 2: it is 2 at the steps 9, 8 and 7, and −1 at 1, …, 6. Three of 11
    // steps exceed 0.5, and five exceed −0.5, those and the steps 0 and 10.
    let features = |bias| naive::features(&transform(11, &json!({ "minirocket": convolutions(1, bias) })), &impulse());
    assert_eq!(features(0.5)[0], 3.0 / 11.0);
    assert_eq!(features(-0.5)[0], 5.0 / 11.0);
    // The kernel 1 (2 at the taps 0, 1, 3) is used without padding: the steps 4, 5 and 6 remain, with the taps 5, 4, 3.
    assert_eq!(features(0.5)[1], 1.0 / 3.0);
    // The kernel 83 (2 at the taps 6, 7, 8) has no padding either: all three are −1.
    assert_eq!(features(0.5)[83], 0.0);
    assert_eq!(features(-1.5)[83], 1.0);
}

#[test]
fn multirocket_of_an_impulse() {
    let kernels = json!({ "multirocket": { "series": convolutions(1, 0.5), "differences": convolutions(1, 0.5) } });
    let features = naive::features(&transform(11, &kernels), &impulse());
    // The kernel 0 is 2 at the steps 7, 8 and 9: three in a row, 1.5 above the bias, at the mean index 8.
    assert_eq!([0, 1, 2, 3].map(|pool| features[84 * pool]), [3.0 / 11.0, 3.0, 1.5, 8.0]);
    // The kernel 83 is positive nowhere.
    assert_eq!([0, 1, 2, 3].map(|pool| features[84 * pool + 83]), [0.0, 0.0, 0.0, -1.0]);
    // The differences are 1 at step 4 and −1 at step 5 of 10, so the convolution at step t is the weight of the tap 8 − t
    // minus that of the tap 9 − t. For the kernel 0, that is 2 − (−1) = 3 at step 6, −1 at step 0, −2 at step 9, and 0
    // elsewhere. One value exceeds the bias, by 2.5.
    assert_eq!([4, 5, 6, 7].map(|pool| features[84 * pool]), [1.0 / 10.0, 1.0, 2.5, 6.0]);
}

#[test]
fn rocket_of_a_ramp() {
    // A ramp of 11 steps, normalized, is (t − 5)/√10. The weights 1, 0, …, 0, −1 of 7 taps take x(t) − x(t + 6) = −6/√10
    // where both are inside. With the bias 1 all five values are 1 − 6/√10 < 0.
    let kernel = |padding: usize| {
        json!({ "rocket": [{
            "channels": [0], "weights": [1, 0, 0, 0, 0, 0, -1], "bias": 1.0, "dilation": 1, "padding": padding,
        }] })
    };
    let ramp: Vec<f32> = (0..11).map(|step| step as f32).collect();
    let [proportion, maximum] = naive::features(&transform(11, &kernel(0)), &ramp).try_into().unwrap();
    assert_eq!(proportion, 0.0);
    assert!((maximum - (1.0 - 6.0 / 10f32.sqrt())).abs() < 1e-6);
    // With three zeros on both sides there are 11 values. The first three are 1 − x(3), 1 − x(4) and 1 − x(5), which is 1
    // plus 2/√10, 1/√10 and 0, and the last three, 1 + x(5), 1 + x(6) and 1 + x(7), are the same in reverse.
    let [proportion, maximum] = naive::features(&transform(11, &kernel(3)), &ramp).try_into().unwrap();
    assert!((maximum - (1.0 + 2.0 / 10f32.sqrt())).abs() < 1e-6);
    assert_eq!(proportion, 6.0 / 11.0);
}

/// Series with small whole numbers, of which every sum in a convolution is exact.
fn whole_numbers(count: usize, seed: u64) -> Vec<f32> {
    normal(count, 4.0, &mut Seed(seed).stream("series", &[])).into_iter().map(f32::round).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn transforms_agree_with_their_definitions(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        samples in 1usize..40,
        channels in 1usize..12,
        extra in 0usize..60,
        kernels in 1usize..700,
        seed in any::<u64>(),
    ) {
        let length = kind.min_length() + extra;
        let values = whole_numbers(samples * channels * length, seed);
        let series = Series::new(&values, [samples, channels, length]).unwrap();
        let kernels = if kind == Kind::Rocket { kernels.div_ceil(10) } else { kernels };
        let fitted = Transform::fit(kind, kernels, series, Seed(seed)).unwrap();
        let fast = fitted.transform(series).unwrap();
        prop_assert_eq!(fast.columns(), fitted.columns());
        let expected = naive::all_features(&fitted, series);
        for (at, (fast, expected)) in fast.values().iter().zip(&expected).enumerate() {
            prop_assert_eq!(fast.to_bits(), expected.to_bits(), "{} at {}: {} and {}", kind, at, fast, expected);
        }
        // What is saved and read is the same transform.
        let text = serde_json::to_string(&fitted).unwrap();
        prop_assert_eq!(serde_json::from_str::<Transform>(&text).unwrap(), fitted);
    }
}

#[test]
fn long_series_agree_with_the_definition() {
    // More steps than are added up in one block.
    let values = whole_numbers(40_000, 1);
    let series = Series::new(&values, [1, 1, 40_000]).unwrap();
    let fitted = Transform::fit(Kind::MultiRocket, 84, series, Seed(2)).unwrap();
    let fast = fitted.transform(series).unwrap();
    for (fast, expected) in fast.values().iter().zip(naive::features(&fitted, &values)) {
        // The mean index is added up in 32-bit floats neither here nor there; everything else is exact.
        assert!((fast - expected).abs() <= 1e-6 * expected.abs(), "{fast} and {expected}");
    }
}

#[test]
fn threads_and_batches_do_not_change_features() {
    let values = normal(37 * 3 * 50, 1.0, &mut Seed(9).stream("series", &[]));
    let series = Series::new(&values, [37, 3, 50]).unwrap();
    let labels: Vec<usize> = (0..37).map(|sample| sample % 3).collect();
    for kind in Kind::ALL {
        let fit = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let model = Model::fit_classes(kind, 300, series, &labels, 3, Seed(4)).unwrap();
                let outputs = model.outputs(series).unwrap();
                (model, outputs)
            })
        };
        let (model, outputs) = fit(1);
        assert_eq!(fit(3), (model.clone(), outputs.clone()));
        // One sample at a time.
        let alone: Vec<f64> =
            (0..37).flat_map(|sample| model.outputs(series.range(sample..sample + 1)).unwrap()).collect();
        assert!(alone.iter().zip(&outputs).all(|(a, b)| (a - b).abs() < 1e-9));
        let features = model.transform().transform(series).unwrap();
        let one = model.transform().transform(series.range(20..21)).unwrap();
        assert_eq!(one.values(), features.row(20));
        // Another seed gives another model.
        assert_ne!(Model::fit_classes(kind, 300, series, &labels, 3, Seed(5)).unwrap(), model);
        let text = serde_json::to_string(&model).unwrap();
        let read: Model = serde_json::from_str(&text).unwrap();
        // `serde_json` reads 64-bit numbers to the last digit but one, unless its feature `float_roundtrip` is on.
        let read = read.outputs(series).unwrap();
        assert!(read.iter().zip(&outputs).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}

#[test]
fn numbers_are_learned() {
    // The targets are the frequency of a sine wave and the phase at its beginning, in two channels of which one is noise.
    let (samples, length) = (60, 40);
    let frequency = |sample: usize| 0.2 + 0.005 * (sample * 37 % 60) as f32;
    let noise = normal(samples * length, 0.1, &mut Seed(1).stream("noise", &[]));
    let values: Vec<f32> = (0..samples)
        .flat_map(|sample| {
            let wave = (0..length).map(move |step| (frequency(sample) * step as f32 + sample as f32).sin());
            wave.chain(noise[sample * length..(sample + 1) * length].iter().copied())
        })
        .collect();
    let targets: Vec<f64> =
        (0..samples).flat_map(|sample| [100.0 * f64::from(frequency(sample)), (sample as f64).sin()]).collect();
    let series = Series::new(&values, [samples, 2, length]).unwrap();
    let (train, test) = (series.range(0..40), series.range(40..60));
    for kind in Kind::ALL {
        let model = Model::fit_numbers(kind, 1000, train, &targets[..80], 2, Seed(0)).unwrap();
        let outputs = model.outputs(test).unwrap();
        for output in 0..2 {
            let errors: f64 =
                (0..20).map(|at| (outputs[2 * at + output] - targets[80 + 2 * at + output]).powi(2)).sum();
            let mean = (0..20).map(|at| targets[80 + 2 * at + output]).sum::<f64>() / 20.0;
            let variance: f64 = (0..20).map(|at| (targets[80 + 2 * at + output] - mean).powi(2)).sum();
            // Half of the variance is explained at least; what is not is mostly noise and the unknown phase.
            assert!(errors < 0.5 * variance, "{kind}, {output}: {}", errors / variance);
        }
        assert_eq!(model.classes(), None);
        assert!(matches!(model.predict_classes(test), Err(Error::OtherTask { .. })));
        let missing = Model::fit_numbers(kind, 84, train, &targets[..79], 2, Seed(0));
        assert!(matches!(missing, Err(Error::Targets { .. })));
        let unknown: Vec<f64> =
            targets[..80].iter().enumerate().map(|(i, &y)| if i == 7 { f64::NAN } else { y }).collect();
        let unknown = Model::fit_numbers(kind, 84, train, &unknown, 2, Seed(0));
        assert_eq!(unknown, Err(Error::TargetNotFinite { sample: 3, output: 1 }));
        let single = Model::fit_numbers(kind, 84, series.range(0..1), &targets[..2], 2, Seed(0));
        assert_eq!(single, Err(Error::TooFewSamples { samples: 1 }));
    }
}

#[test]
fn equal_series_and_few_samples_have_finite_errors() {
    let values = whole_numbers(2 * 30, 7);
    for copies in [1, 20] {
        // The same two series many times: the matrix of the samples has the rank 1.
        let many = values.repeat(copies);
        let series = Series::new(&many, [2 * copies, 1, 30]).unwrap();
        let labels: Vec<usize> = (0..2 * copies).map(|sample| sample % 2).collect();
        for kind in Kind::ALL {
            let model = Model::fit_classes(kind, 200, series, &labels, 2, Seed(0)).unwrap();
            assert!(model.ridge().leave_one_out_error().is_finite());
            assert_eq!(model.predict_classes(series).unwrap(), labels, "{kind}, {copies}");
        }
    }
}

#[test]
fn what_cannot_be_used_is_refused() {
    let values = whole_numbers(6 * 20, 3);
    let series = Series::new(&values, [6, 1, 20]).unwrap();
    let fit = |labels: &[usize], classes| Model::fit_classes(Kind::MiniRocket, 84, series, labels, classes, Seed(0));
    assert_eq!(fit(&[0, 1, 0], 2), Err(Error::Targets { targets: 3, samples: 6 }));
    assert_eq!(fit(&[0, 1, 0, 1, 0, 2], 2), Err(Error::Label { sample: 5, label: 2, classes: 2 }));
    assert_eq!(fit(&[1; 6], 2), Err(Error::OneClass { class: 1 }));
    let model = fit(&[0, 1, 0, 1, 0, 1], 2).unwrap();
    assert!(matches!(model.outputs(Series::new(&values, [6, 2, 10]).unwrap()), Err(Error::OtherSeries { .. })));
    assert!(matches!(
        Transform::fit(Kind::Rocket, 10, Series::new(&values, [12, 1, 10]).unwrap(), Seed(0)),
        Err(Error::TooShort { kind: Kind::Rocket, length: 10 })
    ));
    assert_eq!(Transform::fit(Kind::Rocket, 0, series, Seed(0)), Err(Error::NoKernels { kind: Kind::Rocket }));
    assert!(matches!(Series::new(&values, [6, 1, 19]), Err(Error::Shape { .. })));
    assert!(matches!(Series::new(&[], [0, 1, 19]), Err(Error::Empty { .. })));
    assert!(matches!(Series::new(&values, [usize::MAX, 2, 3]), Err(Error::Shape { .. })));
    let mut unknown = values.clone();
    unknown[47] = f32::NAN;
    assert!(matches!(Series::new(&unknown, [3, 2, 20]), Err(Error::Value { sample: 1, channel: 0, step: 7, .. })));
    let constant = vec![1.0; 6 * 20];
    let constant = Series::new(&constant, [6, 1, 20]).unwrap();
    for kind in Kind::ALL {
        let fitted = Model::fit_classes(kind, 84, constant, &[0, 1, 0, 1, 0, 1], 2, Seed(0));
        assert_eq!(fitted, Err(Error::Constant { samples: 6 }));
    }
    let huge: Vec<f32> = values.iter().map(|value| value * 1e30).collect();
    assert!(matches!(Series::new(&huge, [6, 1, 20]), Err(Error::Value { .. })));
}

#[test]
fn damaged_models_are_refused() {
    let values = whole_numbers(8 * 2 * 30, 3);
    let series = Series::new(&values, [8, 2, 30]).unwrap();
    for kind in Kind::ALL {
        let model = Model::fit_classes(kind, 84, series, &[0, 1, 2, 0, 1, 2, 0, 1], 3, Seed(0)).unwrap();
        let value = serde_json::to_value(&model).unwrap();
        let refused = |pointer: &str, new: Value| {
            let mut value = value.clone();
            *value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = new;
            assert!(serde_json::from_value::<Model>(value).is_err(), "{kind} {pointer}");
        };
        refused("/transform/length", json!(8));
        refused("/transform/length", json!(u64::MAX));
        refused("/transform/channels", json!(0));
        refused("/classes", json!(2));
        refused("/ridge/outputs", json!(4));
        refused("/ridge/coefficients", json!([1.0]));
        refused("/ridge/standard/deviations/0", json!(0.0));
        let name = serde_json::to_value(kind).unwrap();
        let kernels = format!("/transform/kernels/{}", name.as_str().unwrap());
        match kind {
            Kind::Rocket => {
                refused(&kernels, json!([]));
                refused(&format!("{kernels}/0/channels"), json!([]));
                refused(&format!("{kernels}/0/channels/0"), json!(2));
                refused(&format!("{kernels}/0/dilation"), json!(30));
                refused(&format!("{kernels}/0/dilation"), json!(u64::MAX));
                refused(&format!("{kernels}/0/padding"), json!(20));
                refused(&format!("{kernels}/0/weights"), json!([]));
            }
            _ => {
                let kernels =
                    if kind == Kind::MultiRocket { format!("{kernels}/differences") } else { kernels.clone() };
                refused(&format!("{kernels}/dilations/0"), json!(0));
                refused(&format!("{kernels}/dilations/0"), json!(4));
                refused(&format!("{kernels}/biases_per_kernel/0"), json!(0));
                refused(&format!("{kernels}/biases_per_kernel/0"), json!(u64::MAX));
                refused(&format!("{kernels}/channels/0"), json!([]));
                refused(&format!("{kernels}/channels/0"), json!([2]));
                refused(&format!("{kernels}/biases"), json!([0.0]));
            }
        }
    }
}
