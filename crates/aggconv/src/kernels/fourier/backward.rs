//! The backward pass: the gradients of the input, the weights and the bias.

use super::apply::apply;
use super::batch::{BatchPart, PART_FLOATS, batch_parts};
use super::columns::ColumnPass;
use super::correlate::correlate;
use super::layout::LaneAxis;
use super::planes::PlaneMatrix;
use super::row_spectra::RowSpectra;
use super::saved::SavedSpectra;
use super::setup::FourierSetup;
use super::weights::WeightMatrix;
use crate::ConvGeometry;
use crate::kernels::simd::LANES;
use crate::kernels::{Gradients, scratch::Scratch, sums::bias_gradient};

/// Computes the gradients of [`forward`](super::forward::forward). `x` is not read if its row spectra were saved.
pub fn backward(
    g: &ConvGeometry,
    x: &[f32],
    w: &[f32],
    dy: &[f32],
    saved: Option<&SavedSpectra>,
    grads: Gradients<'_>,
) {
    backward_within(g, (x, saved), w, dy, grads, PART_FLOATS);
}

pub(super) fn backward_within(
    g: &ConvGeometry,
    (x, saved): (&[f32], Option<&SavedSpectra>),
    w: &[f32],
    dy: &[f32],
    mut grads: Gradients<'_>,
    limit: usize,
) {
    if grads.x.is_none() && grads.w.is_none() {
        return grads.bias.into_iter().for_each(|db| bias_gradient(g, dy, db));
    }
    // The sum of the output gradient over a plane is its spectrum at frequency 0.
    let mut sums = vec![0f64; if grads.bias.is_some() { g.c_out } else { 0 }];
    let s = &*FourierSetup::of(g);
    for (group, channels) in s.groups(g).into_iter().enumerate() {
        let operands = Operands { x, saved: saved.map(|saved| &saved.0[group]), w, dy };
        let [ci, co] = channels;
        let divided = |limit: usize| batch_parts(s, g, ci, co, limit);
        let mut parts = divided(limit);
        assert!(operands.saved.is_none() || parts.len() == 1, "row spectra are saved only for undivided batches");
        if parts.len() > 1 && grads.w.is_some() {
            // The row spectra of the kernel gradient are held as a whole, in addition to those of each part.
            let gradient = WeightMatrix::new(s, g, ci, co, false).row_spectra_len(s);
            parts = divided(limit.saturating_sub(gradient / 2).max(limit / 2));
        }
        // A single part can be read repeatedly, so the gradient of a large kernel is computed for some output channels
        // at a time, which bounds the memory of its row spectra.
        let split = parts.len() == 1 && grads.w.is_some();
        let slices = if split { slices(s, g, ci, co) } else { vec![co] };
        if slices.len() > 1 {
            let sums = grads.bias.is_some().then_some(&mut sums[..]);
            if let ([part], Some(dw)) = (&parts[..], &mut grads.w) {
                sliced_weight_gradient(s, g, (ci, &slices), part, &operands, dw, sums);
            }
            if grads.x.is_some() {
                let wanted = (grads.x.as_deref_mut(), None);
                input_and_weights(s, g, channels, &parts, &operands, wanted, None);
            }
        } else {
            let wanted = (grads.x.as_deref_mut(), grads.w.as_deref_mut());
            let sums = grads.bias.is_some().then_some(&mut sums[..]);
            input_and_weights(s, g, channels, &parts, &operands, wanted, sums);
        }
    }
    if let Some(db) = grads.bias {
        db.iter_mut().zip(sums).for_each(|(db, sum)| *db = sum as f32);
    }
}

/// The operands of the backward pass of one group of channels.
struct Operands<'a> {
    /// The input; not read if its row spectra were saved.
    x: &'a [f32],
    /// The row spectra of the input's channels in the group.
    saved: Option<&'a Scratch>,
    /// The weights.
    w: &'a [f32],
    /// The gradient of the output.
    dy: &'a [f32],
}

/// Computes the weight gradient of one group of channels for one range of output channels after the other. The gradient
/// of the bias is added to `sums`.
fn sliced_weight_gradient(
    s: &FourierSetup,
    g: &ConvGeometry,
    (ci, slices): ((usize, usize), &[(usize, usize)]),
    part: &BatchPart,
    operands: &Operands<'_>,
    dw: &mut [f32],
    mut sums: Option<&mut [f64]>,
) {
    let computed = operands.saved.is_none().then(|| {
        let mut x_rows = Scratch::take(part.x_spectra.len());
        part.x_spectra.transform(s, operands.x, &mut x_rows);
        x_rows
    });
    let x_rows = operands.saved.or(computed.as_ref()).expect("row spectra that are not saved are computed");
    for &slice in slices {
        let planes = PlaneMatrix::new(s.lane_axis, g.batch, g.c_out, slice.0, slice.1);
        let y_spectra = RowSpectra::new(s, planes, g.output(), g.stride);
        let mut dy_rows = Scratch::take(y_spectra.len());
        y_spectra.transform(s, operands.dy, &mut dy_rows);
        if let Some(sums) = &mut sums {
            y_spectra.add_sums(&dy_rows, sums);
        }
        let weights = WeightMatrix::new(s, g, ci, slice, false);
        let mut dw_rows = Scratch::take(weights.row_spectra_len(s));
        let pass = ColumnPass { setup: s, from: &part.x_spectra, to: &y_spectra, weights: &weights };
        correlate(&pass, x_rows, &dy_rows, &mut dw_rows, false);
        weights.scatter(s, g, &dw_rows, 0.25 / s.points(), dw);
    }
}

/// Computes the gradients of one group of channels, part by part of the batch. The gradient of the bias is added to
/// `sums`.
fn input_and_weights(
    s: &FourierSetup,
    g: &ConvGeometry,
    [ci, co]: [(usize, usize); 2],
    parts: &[BatchPart],
    operands: &Operands<'_>,
    (mut dx, dw): (Option<&mut [f32]>, Option<&mut [f32]>),
    mut sums: Option<&mut [f64]>,
) {
    let transposed = WeightMatrix::new(s, g, ci, co, true);
    let prepared = dx.is_some().then(|| transposed.prepare(s, g, operands.w));
    let weights = WeightMatrix::new(s, g, ci, co, false);
    let mut dw_rows = dw.is_some().then(|| Scratch::take(weights.row_spectra_len(s)));
    for (i, part) in parts.iter().enumerate() {
        let (x_spectra, y_spectra) = (&part.x_spectra, &part.y_spectra);
        let mut dy_rows = Scratch::take(y_spectra.len());
        y_spectra.transform(s, &operands.dy[part.y.clone()], &mut dy_rows);
        if let Some(sums) = &mut sums {
            y_spectra.add_sums(&dy_rows, sums);
        }
        // Used for the row spectra of the input, then for those of its gradient.
        let mut rows = Scratch::take(x_spectra.len());
        if let Some(dw_rows) = &mut dw_rows {
            if operands.saved.is_none() {
                x_spectra.transform(s, &operands.x[part.x.clone()], &mut rows);
            }
            let x_rows = operands.saved.unwrap_or(&rows);
            let pass = ColumnPass { setup: s, from: x_spectra, to: y_spectra, weights: &weights };
            correlate(&pass, x_rows, &dy_rows, dw_rows, i > 0);
        }
        if let (Some(dx), Some(prepared)) = (&mut dx, &prepared) {
            apply(
                &ColumnPass { setup: s, from: y_spectra, to: x_spectra, weights: &transposed },
                prepared,
                &dy_rows,
                &mut rows,
            );
            x_spectra.inverse_transform(s, &rows, 0.5 / s.points(), None, &mut dx[part.x.clone()]);
        }
    }
    if let (Some(dw), Some(dw_rows)) = (dw, &dw_rows) {
        weights.scatter(s, g, dw_rows, 0.25 / s.points(), dw);
    }
}

/// The maximum size, in floats, of the row spectra of a kernel gradient (32 MiB).
const GRADIENT_FLOATS: usize = if cfg!(test) { 1 << 12 } else { 1 << 23 }; // small, so that tests have several

/// Returns ranges of output channels as (start, length), such that the row spectra of each range's kernel gradient take
/// about [`GRADIENT_FLOATS`]. A range consists of whole vectors of channels.
fn slices(s: &FourierSetup, g: &ConvGeometry, ci: (usize, usize), (start, len): (usize, usize)) -> Vec<(usize, usize)> {
    let all = WeightMatrix::new(s, g, ci, (start, len), false).row_spectra_len(s);
    if s.depthwise || s.lane_axis == LaneAxis::Samples || all <= GRADIENT_FLOATS {
        return vec![(start, len)];
    }
    let step = (len * GRADIENT_FLOATS / all / LANES).max(1) * LANES;
    (0..len).step_by(step).map(|i| (start + i, step.min(len - i))).collect()
}
