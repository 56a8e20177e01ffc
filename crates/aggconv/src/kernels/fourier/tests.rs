//! Tests of both passes with small parts and blocks, and with saved row spectra.

use super::backward::{backward, backward_within};
use super::batch::PART_FLOATS;
use super::forward::{forward, forward_saving, forward_within};
use super::saved::SavedSpectra;
use crate::kernels::{Gradients, naive};
use crate::{ConvGeometry, TapSet};
use std::sync::Arc;

/// Both passes with small parts and blocks (see `columns`), against the definition.
#[test]
fn parts_and_blocks_add_up() {
    for (batch, c_in, c_out, groups) in [(5, 40, 52, 1), (37, 3, 2, 1), (7, 16, 16, 16), (40, 33, 16, 1)] {
        let taps = Arc::new(TapSet::union([&TapSet::lattice(3, 1, 2), &TapSet::lattice(3, 3, 2)]));
        let g = ConvGeometry { batch, c_in, c_out, groups, input: [7, 6], stride: [1, 2], taps };
        let values = |n: usize| (0..n).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect::<Vec<_>>();
        let (x, w, dy) = (values(g.x_len()), values(g.w_len()), values(g.y_len()));
        let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let (mut y, mut dx, mut dw) = (vec![0f64; g.y_len()], vec![0f64; g.x_len()], vec![0f64; g.w_len()]);
        naive::forward(&g, &wide(&x), &wide(&w), None, &mut y);
        naive::backward(&g, &wide(&x), &wide(&w), &wide(&dy), Some(&mut dx), Some(&mut dw), None);
        for limit in [1, 20_000, PART_FLOATS] {
            let (mut ya, mut xa, mut wa) = (vec![0f32; y.len()], vec![0f32; dx.len()], vec![0f32; dw.len()]);
            forward_within(&g, &x, &w, None, &mut ya, limit, None);
            let grads = Gradients { x: Some(&mut xa), w: Some(&mut wa), bias: None };
            backward_within(&g, (&x, None), &w, &dy, grads, limit);
            for (got, want) in [(&ya, &y), (&xa, &dx), (&wa, &dw)] {
                let largest = want.iter().fold(0f64, |m, v| m.max(v.abs()));
                for (a, b) in got.iter().zip(want) {
                    assert!((f64::from(*a) - b).abs() <= 1e-5 * largest, "{a} against {b} of {largest}");
                }
            }
        }
    }
}

/// Saved row spectra replace the input with bit-identical results. They are not saved for a divided batch or for
/// two-dimensional data.
#[test]
fn saved_row_spectra_replace_the_input() {
    let geometry = |batch, [c_in, c_out]: [usize; 2], groups, input, stride| {
        let taps = Arc::new(TapSet::union([&TapSet::lattice(5, 1, 1), &TapSet::lattice(3, 4, 1)]));
        ConvGeometry { batch, c_in, c_out, groups, input, stride: [1, stride], taps }
    };
    let cases = [
        geometry(3, [40, 52], 1, [1, 19], 1),
        geometry(20, [3, 2], 1, [1, 50], 2),
        geometry(5, [16, 16], 16, [1, 11], 1),
        geometry(4, [8, 4], 2, [1, 23], 1),
    ];
    for g in &cases {
        let values = |n: usize| (0..n).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect::<Vec<_>>();
        let (x, w, dy) = (values(g.x_len()), values(g.w_len()), values(g.y_len()));
        let (mut y, mut z) = (vec![0f32; g.y_len()], vec![1f32; g.y_len()]);
        forward(g, &x, &w, None, &mut y);
        let saved = forward_saving(g, &x, &w, None, &mut z).expect("a whole batch of rows");
        let gradients = |x: &[f32], saved: Option<&SavedSpectra>| {
            let (mut dx, mut dw, mut db) = (vec![0f32; g.x_len()], vec![0f32; g.w_len()], vec![0f32; g.c_out]);
            let wanted = Gradients { x: Some(&mut dx), w: Some(&mut dw), bias: Some(&mut db) };
            backward(g, x, &w, &dy, saved, wanted);
            let mut alone = vec![0f32; g.w_len()];
            backward(g, x, &w, &dy, saved, Gradients { x: None, w: Some(&mut alone), bias: None });
            [dx, dw, db, alone]
        };
        assert_eq!(y, z);
        assert_eq!(gradients(&x, None), gradients(&vec![f32::NAN; x.len()], Some(&saved)));
    }
    let grid = ConvGeometry { input: [2, 19], ..cases[0].clone() };
    let (x, w, mut y): (Vec<f32>, Vec<f32>, _) =
        (vec![0f32; grid.x_len()], vec![0f32; grid.w_len()], vec![0f32; grid.y_len()]);
    assert!(forward_saving(&grid, &x, &w, None, &mut y).is_none());
    let mut none = Vec::new();
    let g = &cases[0];
    forward_within(g, &x[..g.x_len()], &w, None, &mut y[..g.y_len()], 1, Some(&mut none));
    assert!(none.is_empty());
}
