//! Divides a batch into parts, which bounds the memory.

use super::layout::LaneAxis;
use super::planes::PlaneMatrix;
use super::row_spectra::RowSpectra;
use super::setup::FourierSetup;
use crate::ConvGeometry;
use crate::kernels::simd::LANES;

/// The number of floats of row spectra that are held at a time. Larger batches are processed in parts, which bounds the
/// memory. Smaller parts would transform the kernel too often to profit from a shared cache.
pub(super) const PART_FLOATS: usize = 1 << 24;

/// One part of a batch: the ranges of its elements in `x` and `y`, and the layout of its row spectra.
pub(super) struct BatchPart {
    pub(super) x: std::ops::Range<usize>,
    pub(super) y: std::ops::Range<usize>,
    pub(super) x_spectra: RowSpectra,
    pub(super) y_spectra: RowSpectra,
}

/// Divides a batch into parts for the channel ranges `ci` and `co`, given as (start, length). The number of parts
/// depends only on the shape.
pub(super) fn batch_parts(
    s: &FourierSetup,
    g: &ConvGeometry,
    ci: (usize, usize),
    co: (usize, usize),
    limit: usize,
) -> Vec<BatchPart> {
    let lines = |batch: usize| {
        let planes =
            |total: usize, (start, len): (usize, usize)| PlaneMatrix::new(s.lane_axis, batch, total, start, len);
        let x = RowSpectra::new(s, planes(g.c_in, ci), g.input, [1, 1]);
        (x, RowSpectra::new(s, planes(g.c_out, co), g.output(), g.stride))
    };
    let unit = if s.lane_axis == LaneAxis::Samples { LANES } else { 1 };
    let floats = |batch: usize| {
        let (x, y) = lines(batch);
        x.len() + y.len()
    };
    // Each row has one vector of padding, which does not depend on the number of samples.
    let per_sample = (floats(2 * unit) - floats(unit)) / unit;
    let most = (limit.saturating_sub(floats(unit) - unit * per_sample) / per_sample).max(unit);
    let step = g.batch.div_ceil(g.batch.div_ceil(most)).next_multiple_of(unit);
    let (x_len, y_len) = (g.x_len() / g.batch, g.y_len() / g.batch);
    (0..g.batch)
        .step_by(step)
        .map(|start| {
            let end = g.batch.min(start + step);
            let (x_spectra, y_spectra) = lines(end - start);
            BatchPart { x: start * x_len..end * x_len, y: start * y_len..end * y_len, x_spectra, y_spectra }
        })
        .collect()
}
