//! The forward pass.

use super::apply::apply;
use super::batch::{PART_FLOATS, batch_parts};
use super::columns::ColumnPass;
use super::saved::SavedSpectra;
use super::setup::FourierSetup;
use super::weights::WeightMatrix;
use crate::ConvGeometry;
use crate::kernels::scratch::Scratch;

/// Computes `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    forward_within(g, x, w, bias, y, PART_FLOATS, None);
}

/// Computes [`forward`] and returns what [`backward`](super::backward::backward) can use instead of `x`. This is
/// possible if the input has one row, because its row spectra are then its full transform and take at most about twice
/// its memory, and if the batch is not divided.
pub fn forward_saving(
    g: &ConvGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) -> Option<SavedSpectra> {
    let mut saved = Vec::new();
    forward_within(g, x, w, bias, y, PART_FLOATS, (g.input[0] == 1).then_some(&mut saved));
    (!saved.is_empty()).then_some(SavedSpectra(saved))
}

pub(super) fn forward_within(
    g: &ConvGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
    limit: usize,
    mut save: Option<&mut Vec<Scratch>>,
) {
    let s = &*FourierSetup::of(g);
    for [ci, co] in s.groups(g) {
        let weights = WeightMatrix::new(s, g, ci, co, false);
        let prepared = weights.prepare(s, g, w);
        let parts = batch_parts(s, g, ci, co, limit);
        // All groups have the same number of parts.
        let save = save.as_mut().filter(|_| parts.len() == 1);
        let mut last = None;
        for part in parts {
            let (x_spectra, y_spectra) = (&part.x_spectra, &part.y_spectra);
            let mut x_rows = Scratch::take(x_spectra.len());
            let mut y_rows = Scratch::take(y_spectra.len());
            x_spectra.transform(s, &x[part.x], &mut x_rows);
            apply(
                &ColumnPass { setup: s, from: x_spectra, to: y_spectra, weights: &weights },
                &prepared,
                &x_rows,
                &mut y_rows,
            );
            // `transform` leaves a factor of 2.
            y_spectra.inverse_transform(s, &y_rows, 0.5 / s.points(), bias, &mut y[part.y]);
            last = Some(x_rows);
        }
        if let Some(save) = save {
            save.extend(last);
        }
    }
}
