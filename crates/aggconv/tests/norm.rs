//! Normalization on slices against its definition in `f64`, whose gradients are checked by finite differences.

use aggconv::norm::{self, Affine, AffineGradients, InputGradient, NormShape, Statistics, StatisticsMut};
use proptest::prelude::*;

const EPSILON: f64 = 1e-5;

/// The positions of a channel's values in the tensor.
fn positions(shape: NormShape, channel: usize) -> Vec<usize> {
    (0..shape.batch)
        .flat_map(|n| (0..shape.plane).map(move |p| (n * shape.channels + channel) * shape.plane + p))
        .collect()
}

struct Reference {
    y: Vec<f64>,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

/// The definition. `given` are statistics that replace those of the batch.
fn reference(
    shape: NormShape,
    x: &[f64],
    gamma: &[f64],
    beta: &[f64],
    relu: bool,
    given: Option<(&[f64], &[f64])>,
) -> Reference {
    let mut out = Reference { y: vec![0.0; x.len()], mean: vec![], variance: vec![] };
    for c in 0..shape.channels {
        let at = positions(shape, c);
        let m = at.len() as f64;
        let (mean, variance) = match given {
            Some((mean, variance)) => (mean[c], variance[c]),
            None => {
                let mean = at.iter().map(|&i| x[i]).sum::<f64>() / m;
                (mean, at.iter().map(|&i| (x[i] - mean).powi(2)).sum::<f64>() / m)
            }
        };
        for i in at {
            let y = (x[i] - mean) / (variance + EPSILON).sqrt() * gamma[c] + beta[c];
            out.y[i] = if relu { y.max(0.0) } else { y };
        }
        out.mean.push(mean);
        out.variance.push(variance);
    }
    out
}

/// The closed form of the gradients of x, γ and β.
fn reference_gradients(
    shape: NormShape,
    x: &[f64],
    gamma: &[f64],
    beta: &[f64],
    relu: bool,
    dy: &[f64],
) -> [Vec<f64>; 3] {
    let forward = reference(shape, x, gamma, beta, relu, None);
    let (mut dx, mut dg, mut db) = (vec![0.0; x.len()], vec![], vec![]);
    for (c, &gamma_c) in gamma.iter().enumerate() {
        let at = positions(shape, c);
        let m = at.len() as f64;
        let std = (forward.variance[c] + EPSILON).sqrt();
        let hat = |i: usize| (x[i] - forward.mean[c]) / std;
        let g = |i: usize| if relu && forward.y[i] <= 0.0 { 0.0 } else { dy[i] };
        let sum: f64 = at.iter().map(|&i| g(i)).sum();
        let dot: f64 = at.iter().map(|&i| g(i) * hat(i)).sum();
        for &i in &at {
            dx[i] = gamma_c / std * (g(i) - sum / m - hat(i) * dot / m);
        }
        dg.push(dot);
        db.push(sum);
    }
    [dx, dg, db]
}

struct Case {
    shape: NormShape,
    relu: bool,
    x: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    dy: Vec<f32>,
}

fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&v| f64::from(v)).collect()
}

impl Case {
    /// Creates pseudo-random values with mean 0.5 and standard deviation 1. Outputs avoid the kink of the ReLU, where
    /// rounding would decide whether a value is positive.
    fn new([batch, channels, plane]: [usize; 3], relu: bool, seed: u64) -> Self {
        let shape = NormShape { batch, channels, plane };
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 3.5
        };
        let x: Vec<f32> = (0..shape.len()).map(|_| next() + 0.5).collect();
        let dy = (0..shape.len()).map(|_| next()).collect();
        let gamma = (0..channels).map(|_| next() + 2.0).collect();
        let mut case = Self { shape, relu, x, gamma, beta: (0..channels).map(|_| next() * 0.3).collect(), dy };
        for c in 0..channels {
            while case.near_kink(c) {
                case.beta[c] += 1.1e-5;
            }
        }
        case
    }

    fn near_kink(&self, channel: usize) -> bool {
        if !self.relu || self.shape.len() > 1 << 14 {
            // With so many values there is no gap, and the caller tolerates a few values on the other side of the kink.
            return false;
        }
        let y = self.reference_at(&wide(&self.x), &wide(&self.gamma), &wide(&self.beta), false);
        positions(self.shape, channel).into_iter().any(|i| y[i].abs() < 3e-6)
    }

    fn reference_at(&self, x: &[f64], gamma: &[f64], beta: &[f64], relu: bool) -> Vec<f64> {
        reference(self.shape, x, gamma, beta, relu, None).y
    }

    fn reference(&self) -> Reference {
        reference(self.shape, &wide(&self.x), &wide(&self.gamma), &wide(&self.beta), self.relu, None)
    }

    fn reference_gradients(&self) -> [Vec<f64>; 3] {
        let (x, gamma, beta, dy) = (wide(&self.x), wide(&self.gamma), wide(&self.beta), wide(&self.dy));
        reference_gradients(self.shape, &x, &gamma, &beta, self.relu, &dy)
    }

    fn affine(&self) -> Affine<'_> {
        Affine { gamma: &self.gamma, beta: &self.beta, epsilon: EPSILON, relu: self.relu }
    }

    /// y, mean and variance.
    fn train(&self) -> [Vec<f32>; 3] {
        let c = self.shape.channels;
        // Filled with NaN, because every value must be overwritten.
        let [mut y, mut mean, mut variance] = [self.shape.len(), c, c].map(|n| vec![f32::NAN; n]);
        let out = StatisticsMut { mean: &mut mean, variance: &mut variance };
        norm::train(self.shape, &self.x, self.affine(), &mut y, out);
        [y, mean, variance]
    }

    /// ∂x, ∂γ and ∂β.
    fn backward(&self, in_place: bool) -> [Vec<f32>; 3] {
        let [_, mean, variance] = self.train();
        let c = self.shape.channels;
        let [mut dx, mut gamma, mut beta] = [self.shape.len(), c, c].map(|n| vec![f32::NAN; n]);
        let input = if in_place {
            dx.copy_from_slice(&self.dy);
            InputGradient::InPlace(&mut dx)
        } else {
            InputGradient::Separate { dy: &self.dy, dx: &mut dx }
        };
        let statistics = Statistics { mean: &mean, variance: &variance };
        let out = AffineGradients { gamma: &mut gamma, beta: &mut beta };
        norm::backward(self.shape, &self.x, self.affine(), statistics, input, out);
        [dx, gamma, beta]
    }
}

/// The largest difference, relative to the largest magnitude, which is at least `floor`.
fn distance(got: &[f32], want: &[f64], floor: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(floor, |a, v| a.max(v.abs()));
    got.iter()
        .zip(want)
        .map(|(&a, b)| (f64::from(a) - b).abs())
        .fold(0.0, |a: f64, d| if a.is_nan() || a > d { a } else { d }) // NaN stays.
        / scale
}

fn check(case: &Case) {
    let [y, mean, variance] = case.train();
    let want = case.reference();
    assert!(distance(&y, &want.y, 1e-2) < 1e-5, "y of {:?}", case.shape);
    // A mean may cancel almost completely, but its rounding error is that of the values.
    let largest = case.x.iter().fold(0.0, |a: f64, x| a.max(f64::from(*x).abs()));
    assert!(distance(&mean, &want.mean, largest) < 1e-6, "mean of {:?}", case.shape);
    assert!(distance(&variance, &want.variance, 1e-6) < 1e-6, "variance of {:?}", case.shape);
    // ∂x is a difference of terms of size γ/√(σ² + ε)·g, which cancel almost completely if a channel has few values
    // (with two, x̂ is always ±1). Its rounding error is that of the terms.
    let affine = case.affine();
    let slopes =
        affine.gamma.iter().zip(&want.variance).map(|(g, v)| f64::from(*g).abs() / (v + affine.epsilon).sqrt());
    let dx_floor = slopes.fold(0.0, f64::max) * case.dy.iter().fold(0.0, |a: f64, g| a.max(f64::from(*g).abs()));
    let want = case.reference_gradients();
    // Sums cancel likewise: their error grows with the number of terms.
    let m = case.shape.per_channel() as f64;
    let separate = case.backward(false);
    for (name, got, want, floor) in [
        ("dx", &separate[0], &want[0], dx_floor),
        ("dgamma", &separate[1], &want[1], m.sqrt()),
        ("dbeta", &separate[2], &want[2], m.sqrt()),
    ] {
        assert!(distance(got, want, floor) < 1e-4, "{name} of {:?}: {}", case.shape, distance(got, want, floor));
    }
    assert_eq!(separate, case.backward(true), "in place and apart differ for {:?}", case.shape);
}

#[test]
fn hand_computed_case() {
    // Channel 0: 1, 3, 5, 7: mean 4, variance 5. Channel 1: constant 2.
    let shape = NormShape { batch: 2, channels: 2, plane: 2 };
    let x = [1.0, 3.0, 2.0, 2.0, 5.0, 7.0, 2.0, 2.0];
    let (mut y, mut mean, mut variance) = ([f32::NAN; 8], [f32::NAN; 2], [f32::NAN; 2]);
    let affine = Affine { gamma: &[5f32.sqrt(), 3.0], beta: &[1.0, -0.5], epsilon: 0.0, relu: true };
    // ε = 0 would divide 0 by 0 in the constant channel.
    let affine = Affine { epsilon: 1e-12, ..affine };
    norm::train(shape, &x, affine, &mut y, StatisticsMut { mean: &mut mean, variance: &mut variance });
    assert_eq!((mean, variance), ([4.0, 2.0], [5.0, 0.0]));
    // √5·(x − 4)/√5 + 1 = x − 3, then ReLU; the constant channel is β, then ReLU.
    for (got, want) in y.iter().zip([0.0, 0.0, 0.0, 0.0, 2.0, 4.0, 0.0, 0.0]) {
        assert!((got - want).abs() < 1e-6, "{y:?}");
    }
    // Only the values 5 and 7 are positive. With dy = 1 and 2 there, ∂β = 3, ∂γ = (1·1 + 2·3)/√5, and ∂x = g − 3/4 − (x
    // − 4)/5 · 7/4.
    let mut d = [9.0, 9.0, 9.0, 9.0, 1.0, 2.0, 9.0, 9.0];
    let (mut d_gamma, mut d_beta) = ([f32::NAN; 2], [f32::NAN; 2]);
    let statistics = Statistics { mean: &mean, variance: &variance };
    let out = AffineGradients { gamma: &mut d_gamma, beta: &mut d_beta };
    norm::backward(shape, &x, affine, statistics, InputGradient::InPlace(&mut d), out);
    assert!((d_gamma[0] - 7.0 / 5f32.sqrt()).abs() < 1e-5 && d_gamma[1] == 0.0, "{d_gamma:?}");
    assert_eq!(d_beta, [3.0, 0.0]);
    let want = [-0.75 + 1.05, -0.75 + 0.35, 0.0, 0.0, 1.0 - 0.75 - 0.35, 2.0 - 0.75 - 1.05, 0.0, 0.0];
    for (got, want) in d.iter().zip(want) {
        assert!((got - want).abs() < 1e-6, "{d:?}");
    }
}

#[test]
fn reference_gradients_are_the_derivatives() {
    for relu in [false, true] {
        let case = Case::new([3, 2, 5], relu, 11);
        let at = [wide(&case.x), wide(&case.gamma), wide(&case.beta)];
        let loss = |v: &[Vec<f64>; 3]| -> f64 {
            case.reference_at(&v[0], &v[1], &v[2], relu).iter().zip(&case.dy).map(|(y, &d)| y * f64::from(d)).sum()
        };
        let gradients = case.reference_gradients();
        let h = 1e-7; // smaller than the gap around the kink
        for which in 0..3 {
            for i in 0..at[which].len() {
                let moved = |h: f64| {
                    let mut v = at.clone();
                    v[which][i] += h;
                    loss(&v)
                };
                let slope = (moved(h) - moved(-h)) / (2.0 * h);
                let gradient = gradients[which][i];
                assert!((slope - gradient).abs() < 1e-5 * (1.0 + gradient.abs()), "{which} {i}: {slope} {gradient}");
            }
        }
    }
}

#[test]
fn edges_of_the_division_into_units() {
    // Planes that are longer than a unit, by one and by many; exactly one value; many planes in a unit.
    for shape in
        [[1, 1, 16384], [1, 1, 16385], [2, 3, 40001], [1, 1, 1], [5, 1, 1], [1, 7, 1], [70, 3, 1000], [9, 40, 64]]
    {
        check(&Case::new(shape, false, 5));
    }
}

#[test]
fn evaluation_uses_the_given_statistics() {
    for relu in [false, true] {
        let case = Case::new([3, 5, 37], relu, 3);
        let (mean, variance) = ([0.1f32, -1.0, 3.0, 0.0, 0.5], [1.0f32, 0.2, 4.0, 1e-3, 9.0]);
        let mut y = vec![f32::NAN; case.shape.len()];
        norm::evaluate(case.shape, &case.x, case.affine(), Statistics { mean: &mean, variance: &variance }, &mut y);
        let given = (wide(&mean), wide(&variance));
        let (x, gamma, beta) = (wide(&case.x), wide(&case.gamma), wide(&case.beta));
        let want = reference(case.shape, &x, &gamma, &beta, relu, Some((&given.0, &given.1)));
        assert!(distance(&y, &want.y, 1e-2) < 1e-5);
    }
}

#[test]
fn a_large_mean_does_not_cancel_the_variance() {
    let mut case = Case::new([4, 2, 100], false, 8);
    // Multiples of 1/16 are exact near 30000.
    case.x.iter_mut().for_each(|x| *x = (*x * 16.0).round() / 16.0 + 30000.0);
    let want = case.reference();
    let [_, mean, variance] = case.train();
    assert!(distance(&variance, &want.variance, 1e-6) < 1e-6);
    assert!(distance(&mean, &want.mean, 1.0) < 1e-7);
}

#[test]
fn nan_is_not_hidden() {
    for relu in [false, true] {
        let mut case = Case::new([2, 2, 3], relu, 4);
        case.x[0] = f32::NAN;
        let [y, mean, variance] = case.train();
        assert!(mean[0].is_nan() && variance[0].is_nan() && y[..3].iter().all(|v| v.is_nan()), "{y:?}");
        assert!(!mean[1].is_nan() && !variance[1].is_nan() && y[3..6].iter().all(|v| !v.is_nan()), "{y:?}");
        assert!(case.backward(true)[0][..3].iter().all(|v| v.is_nan()));
    }
}

#[test]
fn bit_identical_at_any_thread_count() {
    for shape in [[1, 1, 100_003], [37, 2, 1001], [16, 24, 64]] {
        let case = Case::new(shape, true, 21);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| [case.train(), case.backward(false)])
        };
        let bits = |v: [[Vec<f32>; 3]; 2]| v.map(|v| v.map(|v| v.into_iter().map(f32::to_bits).collect::<Vec<_>>()));
        let one = bits(with(1));
        for threads in [2, 3] {
            assert!(one == bits(with(threads)), "{shape:?} with {threads} threads");
        }
    }
}

#[test]
fn the_mask_is_that_of_the_output() {
    // With many values, some are within rounding error of the kink. The gradient passes exactly where the output is
    // positive.
    let case = Case::new([8, 2, 5000], true, 13);
    let [y, ..] = case.train();
    let [_, _, d_beta] = case.backward(true);
    for (c, d_beta) in d_beta.into_iter().enumerate() {
        let want: f64 =
            positions(case.shape, c).into_iter().filter(|&i| y[i] > 0.0).map(|i| f64::from(case.dy[i])).sum();
        assert!((f64::from(d_beta) - want).abs() < 1e-6 * want.abs().max(1.0), "{d_beta} {want}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_the_definition(n in 1usize..7, c in 1usize..6, p in 1usize..70, relu: bool, seed: u64) {
        check(&Case::new([n, c, p], relu, seed));
    }
}
