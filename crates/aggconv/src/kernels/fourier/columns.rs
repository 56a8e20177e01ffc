//! One column frequency at a time: transforms of the columns, and how the work at a frequency is divided into blocks
//! that fit the cache.

use super::fft::SignalView;
use super::layout::LaneAxis;
use super::matrix::{AxisStride, ComplexMatrix, ProductShape};
use super::row_spectra::RowSpectra;
use super::setup::FourierSetup;
use super::weights::{MatrixBlock, WeightMatrix};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::{LANES, Simd};
use rayon::prelude::*;

/// The number of floats of spectra that a block of the batch may take: about a core's second-level cache.
const BLOCK_FLOATS: usize = 1 << 18;

/// The number of floats of a kernel spectrum that are computed at a time if it is larger than [`KERNEL_FLOATS`].
const KERNEL_BLOCK_FLOATS: usize = if cfg!(test) { 1 << 9 } else { 1 << 17 }; // small, so that tests have several

/// The maximum size, in floats, of a kernel spectrum that is kept for all blocks of the batch.
const KERNEL_FLOATS: usize = if cfg!(test) { 1 << 10 } else { 1 << 18 };

/// The step of a convolution between the row spectra of its input and of its output.
pub struct ColumnPass<'a> {
    /// Sizes, FFT plans and layout.
    pub setup: &'a FourierSetup,
    /// Row spectra of the input.
    pub from: &'a RowSpectra,
    /// Row spectra of the output.
    pub to: &'a RowSpectra,
    /// The weights of the kernel.
    pub weights: &'a WeightMatrix,
}

/// A block of the matrix of planes of a set of row spectra.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) col: usize,
    pub(super) cols: usize,
}

impl Window {
    /// The index of entry (row, 0) of the window among all entries of the set.
    #[inline(always)]
    pub(super) fn entry(self, set: &RowSpectra, row: usize) -> usize {
        (self.row + row) * set.planes.width() + self.col
    }

    /// The number of floats from one row frequency to the next in the spectrum of the window.
    pub(super) fn stride(self) -> usize {
        2 * self.rows * self.cols + 2 * LANES
    }
}

/// The blocks that one task processes at one column frequency.
pub(super) struct Tiling {
    /// Blocks of the batch: the window of the input and the window of the output.
    pub(super) blocks: Vec<[Window; 2]>,
    /// Blocks of the kernel.
    pub(super) kernel_blocks: Vec<MatrixBlock>,
}

impl ColumnPass<'_> {
    /// Calls `f` for every column frequency. If there are few frequencies, the output channels are divided as well, so
    /// that there is work for several cores.
    pub(super) fn in_parallel(&self, f: impl Fn(usize, &Tiling, &mut TaskBuffers) + Sync + Send) {
        let bins = self.setup.bins();
        let vectors = self.to.planes.width() / LANES;
        let splits = if self.weights.vectors { 16usize.div_ceil(bins).min(vectors) } else { 1 };
        let work: Vec<_> =
            (0..splits).map(|i| self.work(i * vectors / splits * LANES, (i + 1) * vectors / splits * LANES)).collect();
        // Dynamic scheduling: each thread takes the next frequency when it has finished one, so that no thread waits
        // long for another at the end. Each thread allocates its buffers once, because there may be hundreds of small
        // frequencies.
        (0..bins * splits)
            .par_bridge()
            .for_each_init(|| TaskBuffers::new(self, &work), |b, i| f(i / splits, &work[i % splits], b));
    }

    /// Divides the work for the output channels `first..end`. Samples are never divided.
    fn work(&self, first: usize, end: usize) -> Tiling {
        let whole = self.weights.full_block(first, end - first);
        let n = self.setup.column_plan.len();
        let mut kernel_blocks = vec![whole];
        if self.weights.vectors && !self.setup.depthwise && n * self.weights.stride(whole) > KERNEL_FLOATS {
            let cols = (2 * LANES).min(whole.cols);
            let rows = (KERNEL_BLOCK_FLOATS / (2 * n * cols) / LANES * LANES).max(LANES);
            kernel_blocks.clear();
            for col in (first..end).step_by(cols) {
                for row in (0..whole.rows).step_by(rows) {
                    let (rows, cols) = (rows.min(whole.rows - row), cols.min(end - col));
                    kernel_blocks.push(MatrixBlock { row, rows, col, cols });
                }
            }
        }
        let batch = match self.setup.lane_axis {
            LaneAxis::Channels => self.from.planes.rows,
            LaneAxis::Samples => self.from.planes.width(),
        };
        let per_sample = 2 * n * (self.from.planes.size() + self.to.planes.size()) / batch;
        let unit = if self.setup.lane_axis == LaneAxis::Samples { LANES } else { 1 };
        let mut step = (BLOCK_FLOATS / per_sample.max(1)).clamp(6.min(batch), batch);
        // The blocks have about the same size.
        step = batch.div_ceil(batch.div_ceil(step)).next_multiple_of(unit);
        if n == 1 || kernel_blocks.len() > 1 {
            // Either the row spectra are the full spectra already, or the spectrum of the kernel is computed once for
            // the whole batch and must stay in the cache.
            step = batch;
        }
        let window = |set: &RowSpectra, start: usize, (first, end): (usize, usize)| {
            let len = step.min(batch - start);
            match self.setup.lane_axis {
                LaneAxis::Channels => Window { row: start, rows: len, col: first, cols: end - first },
                LaneAxis::Samples => Window { row: 0, rows: set.planes.rows, col: start, cols: len },
            }
        };
        // Each channel of a depthwise convolution reads only itself.
        let read = if self.setup.depthwise { (first, end) } else { (0, self.from.planes.width()) };
        let blocks = (0..batch)
            .step_by(step)
            .map(|start| [window(self.from, start, read), window(self.to, start, (first, end))])
            .collect();
        Tiling { blocks, kernel_blocks }
    }

    /// Transforms the columns of a window of row spectra. The result is one matrix for each row frequency; this
    /// function returns the matrix of frequency 0 and the distance to the next matrix, in floats.
    #[inline(always)]
    pub(super) fn forward_columns<S: Simd>(
        &self,
        simd: S,
        set: &RowSpectra,
        window: Window,
        spectra: *const f32,
        buf: &mut [f32],
        (line_buf, fft): (&mut [f32], &mut [f32]),
    ) -> (ComplexMatrix, usize) {
        let Window { rows, cols, .. } = window;
        if self.setup.column_plan.len() == 1 {
            let re = spectra.cast_mut().wrapping_add(2 * window.entry(set, 0));
            // Large products prefetch the next rows themselves: see [`upcoming_rows`].
            let samples = self.setup.lane_axis == LaneAxis::Samples;
            let next = if samples { next_bin_offset(set) } else { 0 };
            return (vectors(re, set.planes.width(), next), 0);
        }
        let stride = window.stride();
        assert!(buf.len() >= stride * self.setup.column_plan.len());
        let (h, step) = (set.shape[0], set.stride[0]);
        for row in 0..rows {
            for col in (0..cols).step_by(LANES) {
                let at = window.entry(set, row) + col;
                let mut src = SignalView {
                    stride: set.row_stride(),
                    ..SignalView::packed::<LANES>(spectra.cast_mut().wrapping_add(2 * at))
                };
                // The rows lie far apart, so that the hardware prefetcher does not follow them.
                for i in 0..h {
                    simd.prefetch(src.re.wrapping_add(i * src.stride + 2 * LANES));
                    simd.prefetch(src.re.wrapping_add(i * src.stride + 3 * LANES));
                }
                let mut valid = h;
                if step > 1 {
                    valid = (h - 1) * step + 1;
                    line_buf[..valid * 2 * LANES].fill(0.0);
                    let line = SignalView::packed::<LANES>(line_buf.as_mut_ptr());
                    for i in 0..h {
                        // SAFETY: row i of the row spectra, and element i·step < valid ≤ n of `line`.
                        unsafe {
                            simd.store(line.re.add(i * step * 2 * LANES), simd.load(src.re.add(i * src.stride)));
                            simd.store(line.im.add(i * step * 2 * LANES), simd.load(src.im.add(i * src.stride)));
                        }
                    }
                    src = line;
                }
                let dst = SignalView {
                    stride,
                    ..SignalView::packed::<LANES>(buf.as_mut_ptr().wrapping_add(2 * (row * cols + col)))
                };
                // SAFETY: the source as above; `buf` holds n strides, as asserted.
                unsafe { self.setup.column_plan.run(simd, src, valid, dst, fft.as_mut_ptr()) };
            }
        }
        (vectors(buf.as_mut_ptr(), cols, stride), stride)
    }

    /// Transforms the columns of a window's spectrum back to the rows of the row spectra.
    #[inline(always)]
    pub(super) fn inverse_columns<S: Simd>(
        &self,
        simd: S,
        set: &RowSpectra,
        window: Window,
        spectrum: &mut [f32],
        spectra: *mut f32,
        (line_buf, fft): (&mut [f32], &mut [f32]),
    ) {
        let Window { rows, cols, .. } = window;
        let stride = window.stride();
        for row in 0..rows {
            for col in (0..cols).step_by(LANES) {
                let src = spectrum.as_mut_ptr().wrapping_add(2 * (row * cols + col));
                let src = SignalView { stride, ..SignalView::packed::<LANES>(src) }.swapped();
                let line = SignalView::packed::<LANES>(line_buf.as_mut_ptr());
                let to = spectra.wrapping_add(2 * (window.entry(set, row) + col));
                for i in 0..set.shape[0] {
                    simd.prefetch(to.wrapping_add(i * set.row_stride()));
                    simd.prefetch(to.wrapping_add(i * set.row_stride() + LANES));
                }
                // SAFETY: `spectrum` holds n strides and `line` n elements. Only this task writes to the rows of this
                // window at this frequency.
                unsafe {
                    self.setup.column_plan.run(
                        simd,
                        src,
                        self.setup.column_plan.len(),
                        line.swapped(),
                        fft.as_mut_ptr(),
                    );
                    for i in 0..set.shape[0] {
                        let from = i * set.stride[0] * 2 * LANES;
                        let to = to.add(i * set.row_stride());
                        simd.store(to, simd.load(line.re.add(from)));
                        simd.store(to.add(LANES), simd.load(line.im.add(from)));
                    }
                }
            }
        }
    }
}

/// A matrix of vectors, each 16 real parts and 16 imaginary parts, with rows of `width` entries.
pub(super) fn vectors(re: *mut f32, width: usize, next: usize) -> ComplexMatrix {
    ComplexMatrix {
        re,
        im: LANES,
        rows: AxisStride::uniform(2 * width),
        cols: AxisStride::in_lanes(2 * LANES),
        prefetch_offset: next,
        non_temporal: false,
    }
}

/// Fills in the row frequencies above `n/2` of the spectrum of a real signal with the conjugates of those below. A
/// matrix has `len` floats, alternating between `run` real parts and `run` imaginary parts.
#[inline(always)]
pub(super) fn mirror<S: Simd>(simd: S, n: usize, spectrum: &mut [f32], stride: usize, (len, run): (usize, usize)) {
    assert!(spectrum.len() >= (n - 1) * stride + len);
    let p = spectrum.as_mut_ptr();
    for k in n / 2 + 1..n {
        for at in (0..len).step_by(2 * run) {
            for e in (at..at + run).step_by(LANES) {
                // SAFETY: both frequencies are below n, and a matrix ends within its stride.
                unsafe {
                    let (from, to) = (p.add((n - k) * stride + e), p.add(k * stride + e));
                    simd.store(to, simd.load(from));
                    simd.store(to.add(run), simd.sub(simd.splat(0.0), simd.load(from.add(run))));
                }
            }
        }
    }
}

/// The buffers of one task.
pub(super) struct TaskBuffers {
    /// One column of the grid.
    pub(super) line: Scratch,
    /// Scratch memory of the column transform.
    pub(super) fft: Scratch,
    /// The spectra of the two windows.
    pub(super) spectra: [Scratch; 2],
    /// The spectrum of a block of the kernel.
    pub(super) kernel: Scratch,
    /// Scratch memory for products by Gauss's method.
    pub(super) gauss_scratch: Scratch,
}

impl TaskBuffers {
    /// Allocates buffers that are large enough for any of `work`.
    fn new(c: &ColumnPass<'_>, work: &[Tiling]) -> Self {
        let n = c.setup.column_plan.len();
        let windows = |i: usize| work.iter().flat_map(|w| &w.blocks).map(move |b| b[i].stride()).max().unwrap_or(0);
        // With a single row, the row spectra are the full spectra.
        let spectra = [0, 1].map(|i| Scratch::take(if n == 1 { 0 } else { n * windows(i) }));
        let kernel = work.iter().flat_map(|w| &w.kernel_blocks).map(|&k| c.weights.stride(k)).max().unwrap_or(0);
        // The products of `ApplyAtBin` and of `CorrelateAtBin` differ only by an exchange of two sizes.
        let gauss_scratch = |block: &MatrixBlock, [_, to]: &[Window; 2]| {
            let used = c.setup.lane_axis == LaneAxis::Channels && !c.setup.depthwise;
            let apply = ProductShape { m: to.rows, k: block.rows, n: block.cols, real: false };
            if used {
                apply.gauss_scratch_len().max(ProductShape { m: apply.k, k: apply.m, ..apply }.gauss_scratch_len())
            } else {
                0
            }
        };
        let products = work.iter().flat_map(|w| w.kernel_blocks.iter().map(move |k| (w, k)));
        let products = products.flat_map(|(w, k)| w.blocks.iter().map(move |b| gauss_scratch(k, b)));
        let mut kernel = Scratch::take(n * kernel);
        if !c.weights.vectors {
            // No product writes to the padding of a row-major matrix, but the inverse transform processes it together
            // with valid entries as one complex signal.
            kernel.fill(0.0);
        }
        Self {
            gauss_scratch: Scratch::take(products.max().unwrap_or(0)),
            line: Scratch::take(2 * n * LANES),
            fft: Scratch::take(c.setup.column_plan.scratch_len()),
            spectra,
            kernel,
        }
    }
}

/// The number of floats from the row spectra at one frequency to those at the frequency that the same thread processes
/// next: threads take the frequencies in turn.
pub(super) fn next_bin_offset(set: &RowSpectra) -> usize {
    rayon::current_num_threads() * set.bin_stride()
}

/// The row spectra of a window at the frequency that a thread processes after `bin`, or an empty slice if they are not
/// contiguous.
pub(super) fn upcoming_rows<'a>(set: &RowSpectra, window: Window, bin: usize, spectra: &'a [f32]) -> &'a [f32] {
    let from = bin * set.bin_stride() + next_bin_offset(set) + 2 * window.entry(set, 0);
    let whole = set.shape[0] == 1 && window.cols == set.planes.width();
    spectra.get(from..from + 2 * window.rows * window.cols).filter(|_| whole).unwrap_or_default()
}
