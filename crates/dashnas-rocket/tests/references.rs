//! Features and regressions against those of aeon and scikit-learn, which `fixtures/make.py` stores.

use dashnas_core::Seed;
use dashnas_rocket::{Convolutions, Features, Kernels, Kind, Ridge, Series, Transform};
use serde::Deserialize;

#[derive(Deserialize)]
struct Aeon {
    dilations: Vec<Dilations>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Dilations {
    length: usize,
    dilations: Vec<usize>,
}

#[derive(Deserialize)]
struct Case {
    train: Vec<f32>,
    series: Vec<f32>,
    samples: usize,
    transform: Transform,
    features: Vec<f32>,
    #[serde(default)]
    kernels: usize,
}

fn aeon() -> Aeon {
    serde_json::from_str(include_str!("fixtures/aeon.json")).unwrap()
}

#[test]
fn features_agree_with_aeon() {
    for case in aeon().cases {
        let kind = case.transform.kind();
        let [channels, length] = case.transform.shape();
        let series = Series::new(&case.series, [case.samples, channels, length]).unwrap();
        let features = case.transform.transform(series).unwrap();
        assert_eq!(features.values().len(), case.features.len());
        let columns = features.columns();
        let mut compared = 0;
        for (at, (ours, theirs)) in features.values().iter().zip(&case.features).enumerate() {
            let (column, mut theirs) = (at % columns, *theirs);
            if let Kernels::MultiRocket { series, differences } = case.transform.kernels() {
                let Some(corrected) = corrected(theirs, column, series, differences) else { continue };
                theirs = corrected;
            }
            // Proportions agree to the 8 digits in which they are stored. The other transforms add up rounded numbers: the
            // normalized series of ROCKET, and positive values of MultiRocket with and without the bias.
            let tolerance = if kind == Kind::MiniRocket { 1e-6 } else { 1e-5 };
            let difference = (ours - theirs).abs();
            assert!(difference <= tolerance * theirs.abs().max(1.0), "{kind}, {at}: {ours} and {theirs}");
            compared += 1;
        }
        assert!(compared * 4 >= case.features.len() * 3, "{kind}");
    }
}

/// Returns a feature of aeon's MultiRocket as this crate defines it: aeon adds the bias to positive values instead of
/// subtracting it. Its longest stretches are distances between values that are not positive and are not compared.
fn corrected(theirs: f32, column: usize, series: &Convolutions, differences: &Convolutions) -> Option<f32> {
    let first = 4 * series.biases().len();
    let (convolutions, column) = if column < first { (series, column) } else { (differences, column - first) };
    let biases = convolutions.biases();
    match column / biases.len() {
        1 => None,
        2 if theirs != 0.0 => Some(theirs - 2.0 * biases[column % biases.len()]),
        _ => Some(theirs),
    }
}

#[test]
fn fitted_kernels_agree_with_aeon() {
    let mut compared = 0;
    for case in aeon().cases {
        let [channels, length] = case.transform.shape();
        if channels > 1 || case.transform.kind() == Kind::Rocket {
            continue;
        }
        // One training series of one channel leaves nothing to chance.
        let series = Series::new(&case.train, [1, 1, length]).unwrap();
        let ours = Transform::fit(case.transform.kind(), case.kernels, series, Seed(1)).unwrap();
        for (ours, theirs) in parts(&ours).into_iter().zip(parts(&case.transform)) {
            assert_eq!(ours.dilations(), theirs.dilations());
            assert_eq!(ours.biases_per_kernel(), theirs.biases_per_kernel());
            assert_eq!(ours.channels(), theirs.channels());
            assert_eq!(ours.biases().len(), theirs.biases().len());
            for (ours, theirs) in ours.biases().iter().zip(theirs.biases()) {
                assert!((ours - theirs).abs() < 1e-5, "{ours} and {theirs}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 3);
}

fn parts(transform: &Transform) -> Vec<&Convolutions> {
    match transform.kernels() {
        Kernels::MiniRocket(convolutions) => vec![convolutions],
        Kernels::MultiRocket { series, differences } => vec![series, differences],
        _ => vec![],
    }
}

#[test]
fn dilations_agree_with_aeon() {
    for Dilations { length, dilations } in aeon().dilations {
        let zeros = vec![0.0; length];
        let series = Series::new(&zeros, [1, 1, length]).unwrap();
        let fitted = Transform::fit(Kind::MiniRocket, Kind::MiniRocket.default_kernels(), series, Seed(0)).unwrap();
        assert_eq!(parts(&fitted)[0].dilations(), dilations, "length {length}");
    }
}

#[derive(Deserialize)]
struct Regression {
    samples: usize,
    columns: usize,
    outputs: usize,
    noise: f64,
    classes: bool,
    alpha: f64,
    error: f64,
    coefficients: Vec<f64>,
    intercepts: Vec<f64>,
    predictions: Vec<f64>,
}

/// The generator of `make.py`: row-major numbers from −0.5 to 0.5 with 23 bits.
fn generated(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = (state * 1_103_515_245 + 12345) % (1 << 31);
            (state >> 8) as f64 / f64::from(1 << 23) - 0.5
        })
        .collect()
}

impl Regression {
    /// Returns the features and targets of the training samples and of five new ones.
    fn data(&self) -> (Vec<f32>, Vec<f64>) {
        let (rows, columns, outputs) = (self.samples + 5, self.columns, self.outputs);
        let mut features = generated(rows * columns, 1);
        for row in features.chunks_mut(columns) {
            row[1] = 0.25;
            row[2] *= 1000.0;
            row[3] += 100.0;
        }
        let weights = generated(columns * outputs, 2);
        let mut targets = generated(rows * outputs, 3);
        for (row, targets) in features.chunks(columns).zip(targets.chunks_mut(outputs)) {
            for (output, target) in targets.iter_mut().enumerate() {
                let known = |column: &usize| ![2, 3].contains(column);
                let sum: f64 =
                    (0..columns).filter(known).map(|column| row[column] * weights[column * outputs + output]).sum();
                *target = sum + self.noise * *target;
            }
        }
        (features.iter().map(|&value| value as f32).collect(), targets)
    }
}

#[test]
fn ridge_agrees_with_scikit_learn() {
    let cases: Vec<Regression> = serde_json::from_str(include_str!("fixtures/ridge.json")).unwrap();
    assert!(
        cases.iter().any(|case| case.samples > case.columns) && cases.iter().any(|case| case.samples < case.columns)
    );
    for case in &cases {
        let (features, mut targets) = case.data();
        let (known, new) = features.split_at(case.samples * case.columns);
        targets.truncate(case.samples * case.outputs);
        if case.classes {
            for row in targets.chunks_mut(case.outputs) {
                let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let positive: Vec<bool> =
                    row.iter().map(|&value| if case.outputs == 1 { value > 0.0 } else { value == largest }).collect();
                row.iter_mut().zip(positive).for_each(|(value, positive)| *value = if positive { 1.0 } else { -1.0 });
            }
        }
        let known = Features::new(known.to_vec(), [case.samples, case.columns]).unwrap();
        let new = Features::new(new.to_vec(), [5, case.columns]).unwrap();
        let ridge = Ridge::fit(&known, &targets, case.outputs).unwrap();
        let name = format!("{} × {}", case.samples, case.columns);
        assert!((ridge.alpha() / case.alpha - 1.0).abs() < 1e-12, "{name}: α {} and {}", ridge.alpha(), case.alpha);
        assert!((ridge.leave_one_out_error() / case.error - 1.0).abs() < 1e-6, "{name}");
        let close = |what: &str, ours: &[f64], theirs: &[f64]| {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours - theirs).abs() < 1e-6 * theirs.abs().max(1.0), "{name}, {what}: {ours} and {theirs}");
            }
        };
        close("coefficients", ridge.coefficients(), &case.coefficients);
        close("intercepts", &ridge.intercepts(), &case.intercepts);
        close("predictions", &ridge.predict(&new).unwrap(), &case.predictions);
    }
}

#[test]
fn leave_one_out_errors_are_those_of_models_without_the_sample() {
    // The primal and the dual problem, each with the α that was chosen: the mean squared error of models that are trained
    // without a sample, with the standard deviations of all samples, is the one that is computed at once.
    for (samples, columns) in [(25, 8), (12, 30)] {
        let case = Regression {
            samples,
            columns,
            outputs: 1,
            noise: 0.5,
            classes: false,
            alpha: 0.0,
            error: 0.0,
            coefficients: vec![],
            intercepts: vec![],
            predictions: vec![],
        };
        let (features, targets) = case.data();
        let rows: Vec<Vec<f64>> = features[..samples * columns]
            .chunks(columns)
            .map(|row| row.iter().map(|&value| f64::from(value)).collect())
            .collect();
        let targets = &targets[..samples];
        let known = Features::new(features[..samples * columns].to_vec(), [samples, columns]).unwrap();
        let ridge = Ridge::fit(&known, targets, 1).unwrap();
        let deviations: Vec<f64> = (0..columns)
            .map(|column| {
                let mean = rows.iter().map(|row| row[column]).sum::<f64>() / samples as f64;
                let variance = rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / samples as f64;
                if variance > 0.0 { variance.sqrt() } else { 1.0 }
            })
            .collect();
        let mut sum = 0.0;
        for left_out in 0..samples {
            let others: Vec<usize> = (0..samples).filter(|&sample| sample != left_out).collect();
            let mean = |value: &dyn Fn(usize) -> f64| {
                others.iter().map(|&sample| value(sample)).sum::<f64>() / others.len() as f64
            };
            let means: Vec<f64> = (0..columns).map(|column| mean(&|sample| rows[sample][column])).collect();
            let offset = mean(&|sample| targets[sample]);
            let scaled = |sample: usize, column: usize| (rows[sample][column] - means[column]) / deviations[column];
            // (XᵀX + αI) w = Xᵀy by Gaussian elimination, which needs no pivots for a positive definite matrix.
            let mut system: Vec<Vec<f64>> = (0..columns)
                .map(|row| {
                    let product = |value: &dyn Fn(usize) -> f64| {
                        others.iter().map(|&sample| scaled(sample, row) * value(sample)).sum::<f64>()
                    };
                    let diagonal = |column: usize| if column == row { ridge.alpha() } else { 0.0 };
                    let mut line: Vec<f64> = (0..columns)
                        .map(|column| product(&|sample| scaled(sample, column)) + diagonal(column))
                        .collect();
                    line.push(product(&|sample| targets[sample] - offset));
                    line
                })
                .collect();
            for pivot in 0..columns {
                let line = system[pivot].clone();
                for (row, other) in system.iter_mut().enumerate().filter(|(row, _)| *row != pivot) {
                    let _ = row;
                    let factor = other[pivot] / line[pivot];
                    other.iter_mut().zip(&line).for_each(|(other, value)| *other -= factor * value);
                }
            }
            let output: f64 = (0..columns)
                .map(|column| system[column][columns] / system[column][column] * scaled(left_out, column))
                .sum::<f64>()
                + offset;
            sum += (targets[left_out] - output).powi(2);
        }
        let expected = sum / samples as f64;
        let error = ridge.leave_one_out_error();
        assert!((error / expected - 1.0).abs() < 1e-8, "{samples} × {columns}: {error} and {expected}");
    }
}
