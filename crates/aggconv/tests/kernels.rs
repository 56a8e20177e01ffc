//! The definition is checked by hand and by finite differences, and every algorithm is checked against the definition
//! in `f64`.

use aggconv::kernels::{Algorithm, Gradients, backward, forward, naive, select};
use aggconv::{ConvGeometry, TapSet};
use proptest::prelude::*;
use std::sync::Arc;

/// Reproducible values in [−1, 1).
fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut s = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            (s >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&v| f64::from(v)).collect()
}

/// Fails if the error of an element exceeds 1e-4 of the largest magnitude.
fn close(what: &str, got: &[f32], want: &[f64]) -> Result<(), TestCaseError> {
    let scale = want.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let off = (f64::from(g) - w).abs();
        prop_assert!(off <= 1e-4 * scale, "{what}[{i}] = {g}, want {w} (off {off:e}, scale {scale:e})");
    }
    Ok(())
}

/// Compares every algorithm with the definition, forward and backward.
fn check(g: &ConvGeometry) -> Result<(), TestCaseError> {
    let (x, w, b) = (noise(g.x_len(), 1), noise(g.w_len(), 2), noise(g.c_out, 3));
    let dy = noise(g.y_len(), 4);
    let mut y = vec![0.0; g.y_len()];
    naive::forward(g, &wide(&x), &wide(&w), Some(&wide(&b)), &mut y);
    let (mut dx, mut dw, mut db) = (vec![0.0; g.x_len()], vec![0.0; g.w_len()], vec![0.0; g.c_out]);
    naive::backward(g, &wide(&x), &wide(&w), &wide(&dy), Some(&mut dx), Some(&mut dw), Some(&mut db));
    for &a in Algorithm::ALL.iter().filter(|a| a.supports(g)) {
        // Previous contents must be overwritten.
        let mut got = vec![f32::NAN; g.y_len()];
        forward(a, g, &x, &w, Some(&b), &mut got);
        close(&format!("{a:?} y"), &got, &y)?;
        let (mut gx, mut gw, mut gb) = (vec![f32::NAN; dx.len()], vec![f32::NAN; dw.len()], vec![f32::NAN; db.len()]);
        let grads = Gradients { x: Some(&mut gx), w: Some(&mut gw), bias: Some(&mut gb) };
        backward(a, g, &x, &w, &dy, grads);
        close(&format!("{a:?} dx"), &gx, &dx)?;
        close(&format!("{a:?} dw"), &gw, &dw)?;
        close(&format!("{a:?} db"), &gb, &db)?;
    }
    prop_assert!(select(g).supports(g));
    Ok(())
}

/// Input channels, output channels and groups: one group, depthwise, several groups.
fn channels() -> impl Strategy<Value = (usize, usize, usize)> {
    prop_oneof![
        (1..9usize, 1..9usize).prop_map(|(i, o)| (i, o, 1)),
        (14..20usize, 14..36usize).prop_map(|(i, o)| (i, o, 1)),
        (1..20usize).prop_map(|c| (c, c, c)),
        (2..4usize, 1..4usize, 1..4usize).prop_map(|(g, i, o)| (g * i, g * o, g)),
    ]
}

/// The union of several lattices, as in AggConv.
fn kernel(dims: usize) -> impl Strategy<Value = TapSet> {
    prop::collection::vec((0..4usize, 1..8usize), 1..4).prop_map(move |sets| {
        let sets: Vec<_> = sets.into_iter().map(|(k, d)| TapSet::lattice(2 * k + 1, d, dims)).collect();
        TapSet::union(&sets)
    })
}

fn batch() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1usize), 2..6usize, 15..19usize]
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|v| v.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn agree_in_one_dimension(
        (c_in, c_out, groups) in channels(), batch in batch(), n in 1..70usize, s in 1..4usize, taps in kernel(1),
    ) {
        let g = ConvGeometry { batch, c_in, c_out, groups, input: [1, n], stride: [1, s], taps: Arc::new(taps) };
        check(&g)?;
    }

    #[test]
    fn agree_in_two_dimensions(
        (c_in, c_out, groups) in channels(), batch in prop_oneof![1..4usize, 16..18usize],
        h in 1..14usize, w in 1..14usize, s in (1..4usize, 1..4usize), taps in kernel(2),
    ) {
        let g = ConvGeometry { batch, c_in, c_out, groups, input: [h, w], stride: [s.0, s.1], taps: Arc::new(taps) };
        check(&g)?;
    }

    #[test]
    fn agree_for_any_taps(
        offsets in prop::collection::vec((-9..9i32, -9..9i32), 1..20), h in 1..9usize, w in 1..9usize,
    ) {
        let taps = TapSet::new(offsets.into_iter().map(|(r, c)| [r, c]).collect());
        let g = ConvGeometry {
            batch: 2, c_in: 3, c_out: 4, groups: 1, input: [h, w], stride: [1, 1], taps: Arc::new(taps),
        };
        check(&g)?;
    }
}

#[test]
fn agree_on_a_long_signal() {
    let g = ConvGeometry {
        batch: 3,
        c_in: 2,
        c_out: 3,
        groups: 1,
        input: [1, 1531],
        stride: [1, 1],
        taps: Arc::new(TapSet::union([&TapSet::lattice(15, 127, 1), &TapSet::lattice(3, 1, 1)])),
    };
    check(&g).unwrap();
}

#[test]
fn agree_on_a_dense_kernel() {
    let taps = TapSet::lattice(13, 1, 2);
    for (batch, c_in, c_out, groups) in [(3, 5, 18, 1), (17, 3, 2, 1), (2, 18, 18, 18)] {
        let taps = Arc::new(taps.clone());
        check(&ConvGeometry { batch, c_in, c_out, groups, input: [9, 15], stride: [1, 1], taps }).unwrap();
    }
}

#[test]
fn the_definition_by_hand() {
    let line = |input, stride, taps| ConvGeometry {
        batch: 1,
        c_in: 1,
        c_out: 1,
        groups: 1,
        input: [1, input],
        stride: [1, stride],
        taps: Arc::new(taps),
    };
    // y[p] = 1·x[p−2] + 10·x[p] + 100·x[p+2], bias 0.5.
    let g = line(4, 1, TapSet::lattice(3, 2, 1));
    let mut y = [0f64; 4];
    naive::forward(&g, &[1., 2., 3., 4.], &[1., 10., 100.], Some(&[0.5]), &mut y);
    assert_eq!(y, [310.5, 420.5, 31.5, 42.5]);
    // The same at positions 0 and 2 only.
    let g = line(4, 2, TapSet::lattice(3, 2, 1));
    let mut y = [0f64; 2];
    naive::forward(&g, &[1., 2., 3., 4.], &[1., 10., 100.], None, &mut y);
    assert_eq!(y, [310., 31.]);
    let (mut dx, mut dw, mut db) = ([0f64; 4], [0f64; 3], [0f64; 1]);
    let grads = (Some(&mut dx[..]), Some(&mut dw[..]), Some(&mut db[..]));
    naive::backward(&g, &[1., 2., 3., 4.], &[1., 10., 100.], &[1., 2.], grads.0, grads.1, grads.2);
    assert_eq!(dx, [12., 0., 120., 0.]);
    assert_eq!(dw, [2., 7., 3.]);
    assert_eq!(db, [3.]);
}

#[test]
fn a_delta_kernel_is_a_shift() {
    let g = ConvGeometry {
        batch: 1,
        c_in: 1,
        c_out: 1,
        groups: 1,
        input: [3, 3],
        stride: [1, 1],
        taps: Arc::new(TapSet::new(vec![[1, -1]])),
    };
    let x: Vec<f32> = (1..=9).map(|v| v as f32).collect();
    for &a in Algorithm::ALL {
        let mut y = vec![0.0; 9];
        forward(a, &g, &x, &[1.0], None, &mut y);
        let want = [0., 4., 5., 0., 7., 8., 0., 0., 0.];
        assert!(y.iter().zip(want).all(|(y, w): (&f32, f32)| (y - w).abs() < 1e-5), "{a:?}: {y:?}");
    }
}

#[test]
fn gradients_of_the_definition_match_finite_differences() {
    let g = ConvGeometry {
        batch: 2,
        c_in: 4,
        c_out: 2,
        groups: 2,
        input: [4, 5],
        stride: [2, 1],
        taps: Arc::new(TapSet::union([&TapSet::lattice(3, 1, 2), &TapSet::lattice(3, 2, 2)])),
    };
    let (x, w, b) = (wide(&noise(g.x_len(), 1)), wide(&noise(g.w_len(), 2)), wide(&noise(g.c_out, 3)));
    let dy = wide(&noise(g.y_len(), 4));
    let loss = |x: &[f64], w: &[f64], b: &[f64]| {
        let mut y = vec![0.0; g.y_len()];
        naive::forward(&g, x, w, Some(b), &mut y);
        y.iter().zip(&dy).map(|(y, d)| y * d).sum::<f64>()
    };
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; b.len()]);
    naive::backward(&g, &x, &w, &dy, Some(&mut dx), Some(&mut dw), Some(&mut db));
    let vary = |v: &[f64], grad: &[f64], f: &dyn Fn(&[f64]) -> f64| {
        for i in 0..v.len() {
            let at = |e: f64| {
                let mut v = v.to_vec();
                v[i] += e;
                f(&v)
            };
            // The loss is linear in each argument, so the difference is exact up to rounding.
            let numeric = (at(0.5) - at(-0.5)) / 1.0;
            assert!((numeric - grad[i]).abs() < 1e-11, "{i}: {numeric} against {}", grad[i]);
        }
    };
    vary(&x, &dx, &|v| loss(v, &w, &b));
    vary(&w, &dw, &|v| loss(&x, v, &b));
    vary(&b, &db, &|v| loss(&x, &w, v));
}

#[test]
fn bit_identical_at_any_thread_count() {
    let g = ConvGeometry {
        batch: 17,
        c_in: 5,
        c_out: 18,
        groups: 1,
        input: [9, 11],
        stride: [1, 1],
        taps: Arc::new(TapSet::union([&TapSet::lattice(3, 1, 2), &TapSet::lattice(5, 3, 2)])),
    };
    let (x, w, dy) = (noise(g.x_len(), 1), noise(g.w_len(), 2), noise(g.y_len(), 4));
    for &a in Algorithm::ALL {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (mut y, mut dx, mut dw) = (vec![0.0; g.y_len()], vec![0.0; g.x_len()], vec![0.0; g.w_len()]);
                let mut db = vec![0.0; g.c_out];
                forward(a, &g, &x, &w, None, &mut y);
                let grads = Gradients { x: Some(&mut dx), w: Some(&mut dw), bias: Some(&mut db) };
                backward(a, &g, &x, &w, &dy, grads);
                [y, dx, dw, db].concat().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
            })
        };
        let one = run(1);
        assert_eq!(one, run(2), "{a:?}");
        assert_eq!(one, run(5), "{a:?}");
    }
}

/// Runs the same comparisons with narrower instruction sets, each in a process of its own, because the instruction set
/// is selected once.
#[test]
fn narrower_instruction_sets_agree() {
    if std::env::var_os("AGGCONV_ISA").is_some() {
        return; // already in such a process
    }
    for isa in ["scalar", "avx2"] {
        let out = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["agree", "bit_identical"])
            .env("AGGCONV_ISA", isa)
            .env("PROPTEST_CASES", "16")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && text.contains("agree_in_two_dimensions ... ok"), "{isa}: {text}");
    }
}
