//! The matrix product of packed weights and shifted planes.

use super::FlatLayout;
use super::tile::{self, RowBlocks};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::{Isa, Simd, SimdKernel, dispatch};

/// The number of rows of a block of packed weights on an instruction set.
fn block_rows(isa: Isa) -> usize {
    struct Rows;
    impl SimdKernel for Rows {
        type Out = usize;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> usize {
            S::PACKED_TILE.0
        }
    }
    dispatch(isa, Rows)
}

/// The product `out[m] = Σ_k weights[k][m] · planes[offsets[k]]` of a group of channels, with packed weights.
pub(super) struct PackedProduct {
    /// The number of output channels.
    rows: usize,
    /// Blocks of rows, each `[k][row of the block]`.
    weights: Scratch,
    /// The offset of the operand of position 0 from the first flat plane of a group, for each k.
    offsets: Vec<isize>,
}

impl PackedProduct {
    /// Packs the weights, which `weight` returns for (row, k).
    pub(super) fn new(isa: Isa, rows: usize, offsets: Vec<isize>, weight: impl Fn(usize, usize) -> f32) -> Self {
        let depth = offsets.len();
        let mut weights = Scratch::take(rows * depth);
        let mut at = 0;
        for (m, size) in RowBlocks::new(rows, block_rows(isa)) {
            for (k, row) in weights[at..at + size * depth].chunks_exact_mut(size).enumerate() {
                row.iter_mut().enumerate().for_each(|(i, v)| *v = weight(m + i, k));
            }
            at += size * depth;
        }
        Self { rows, weights, offsets }
    }

    /// Computes the product for all positions.
    pub(super) fn run(&self, isa: Isa, flat: &FlatLayout, planes: &[f32], out: &mut [f32]) {
        // The ranges that `correlate` accesses are checked here, once for all positions.
        for &o in &self.offsets {
            assert!(o >= 0 && o as usize + flat.span <= planes.len());
        }
        assert!(out.len() >= self.rows * flat.span);
        dispatch(isa, Correlate { product: self, span: flat.span, planes, out });
    }
}

struct Correlate<'a> {
    product: &'a PackedProduct,
    span: usize,
    planes: &'a [f32],
    out: &'a mut [f32],
}

impl SimdKernel for Correlate<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (p, x, out) = (self.product, self.planes.as_ptr(), self.out.as_mut_ptr());
        // SAFETY: `PackedProduct::run` has checked the planes and the output, and the weights were packed in the same
        // blocks.
        unsafe {
            tile::correlate(simd, (p.rows, self.span), p.weights.as_ptr(), &p.offsets, x, out, self.span);
        }
    }
}
