//! The mixed kernel on slices, forward and backward.
//!
//! The weights of a row (a pair of channels) are contiguous, but each is added to a different tap, which is not a
//! vector operation. Sixteen rows are therefore processed at once and transposed, so that a vector holds the same
//! weight of each row.

use super::MixPlan;
use super::plan::Section;
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::{Isa, LANES, Simd, SimdKernel, dispatch, load_transposed, prefetcher, store_transposed};
use rayon::prelude::*;

/// The number of channel pairs that one task processes. Sums over channel pairs are computed per task and then added in
/// the order of the tasks, so the result does not depend on the number of threads.
const TASK_ROWS: usize = 64;

/// The gradients that are requested from [`backward`]. Each slice is overwritten.
#[derive(Debug, Default)]
pub struct MixGradients<'a> {
    /// The gradient of the flat weights, `[rows, T]`.
    pub w: Option<&'a mut [f32]>,
    /// The gradient of the mixing coefficients, `[|K|·|D|]`.
    pub c: Option<&'a mut [f32]>,
}

/// Computes the mixed kernels `m: [rows, U]`, which are overwritten, from the flat weights `w: [rows, T]` and the
/// coefficients `c: [|K|·|D|]`. A row is a pair of channels, and `m[u] = Σ_{(i,t) → u} c_i · w[t]`.
///
/// # Panics
/// If the length of a slice does not fit the plan: the callers check the shapes.
pub fn forward(plan: &MixPlan, w: &[f32], c: &[f32], m: &mut [f32]) {
    let (t, u) = (plan.weights(), plan.taps().len());
    assert!(c.len() == plan.candidates() && w.len().is_multiple_of(t) && m.len() == w.len() / t * u);
    m.par_chunks_mut(TASK_ROWS * u)
        .zip(w.par_chunks(TASK_ROWS * t))
        .for_each(|(m, w)| dispatch(Isa::current(), Forward { plan, w, c, m }));
}

/// Computes the requested gradients from `dm: [rows, U]`: `dw[t] = c_i · dm[u]` and `dc_i = Σ_rows Σ_t w[t] · dm[u]`
/// for each `(i, t) → u`.
///
/// # Panics
/// If the length of a slice does not fit the plan.
pub fn backward(plan: &MixPlan, w: &[f32], c: &[f32], dm: &[f32], gradients: MixGradients<'_>) {
    let (t, u) = (plan.weights(), plan.taps().len());
    assert!(c.len() == plan.candidates() && w.len().is_multiple_of(t) && dm.len() == w.len() / t * u);
    let MixGradients { w: dw, c: dc } = gradients;
    let sums = dc.is_some();
    let task = |(i, dw): (usize, Option<&mut [f32]>)| {
        let rows = i * TASK_ROWS..w.len() / t;
        let rows = rows.start..rows.end.min(rows.start + TASK_ROWS);
        let (w, dm) = (&w[rows.start * t..rows.end * t], &dm[rows.start * u..rows.end * u]);
        dispatch(Isa::current(), Backward { plan, w, c, dm, dw, sums })
    };
    let partial: Vec<Vec<f64>> = match dw {
        Some(dw) => {
            assert_eq!(dw.len(), w.len());
            dw.par_chunks_mut(TASK_ROWS * t).enumerate().map(|(i, dw)| task((i, Some(dw)))).collect()
        }
        None if sums => (0..(w.len() / t).div_ceil(TASK_ROWS)).into_par_iter().map(|i| task((i, None))).collect(),
        None => return,
    };
    if let Some(dc) = dc {
        assert_eq!(dc.len(), c.len());
        for (i, dc) in dc.iter_mut().enumerate() {
            *dc = partial.iter().map(|p| p[i]).sum::<f64>() as f32;
        }
    }
}

/// Transposes sixteen rows of `len` floats to `len` vectors. Rows that are missing from `rows` are 0.
#[inline(always)]
fn gather<S: Simd>(simd: S, rows: &[f32], len: usize, out: &mut [f32]) {
    assert!(out.len() >= len * LANES);
    for at in (0..len).step_by(LANES) {
        let n = LANES.min(len - at);
        let row = |i: usize| rows.get(i * len + at..i * len + at + n).map(|row| row.as_ptr());
        // SAFETY: a row holds n floats.
        let vectors = unsafe { load_transposed(simd, n, row) };
        for (v, to) in vectors.into_iter().zip(out[at * LANES..].chunks_exact_mut(LANES)).take(n) {
            // SAFETY: `to` holds a vector.
            unsafe { simd.store(to.as_mut_ptr(), v) };
        }
    }
}

/// Transposes the vectors of [`gather`] back to rows.
#[inline(always)]
fn scatter<S: Simd>(simd: S, vectors: &[f32], len: usize, rows: &mut [f32]) {
    assert!(vectors.len() >= len * LANES);
    let (rows, floats) = (rows.as_mut_ptr(), rows.len());
    for at in (0..len).step_by(LANES) {
        let n = LANES.min(len - at);
        let mut v = [simd.splat(0.0); LANES];
        for (v, from) in v.iter_mut().zip(vectors[at * LANES..].chunks_exact(LANES)).take(n) {
            // SAFETY: `from` holds a vector.
            *v = unsafe { simd.load(from.as_ptr()) };
        }
        let row = |i: usize| (i * len + at + n <= floats).then(|| rows.wrapping_add(i * len + at));
        // SAFETY: the n floats of a row lie within `rows`.
        unsafe { store_transposed(simd, n, v, row) };
    }
}

/// Returns the rows of block `i` of sixteen rows; the last block may have fewer.
fn block(rows: &[f32], len: usize, i: usize) -> &[f32] {
    &rows[rows.len().min(i * LANES * len)..rows.len().min((i + 1) * LANES * len)]
}

/// Groups the sections that share a vector of weights.
fn sections_by_vector<'a, 'p>(sections: &'a [Section<'p>]) -> impl Iterator<Item = &'a [Section<'p>]> {
    sections.chunk_by(|a, b| a.start / LANES == b.start / LANES)
}

/// A task of [`forward`].
struct Forward<'a> {
    plan: &'a MixPlan,
    w: &'a [f32],
    c: &'a [f32],
    m: &'a mut [f32],
}

impl SimdKernel for Forward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (t, u) = (self.plan.weights(), self.plan.taps().len());
        let sections = self.plan.sections();
        let mut buffer = Scratch::take(u * LANES);
        let mixed: &mut [f32] = &mut buffer;
        for (i, m) in self.m.chunks_mut(LANES * u).enumerate() {
            let w = block(self.w, t, i);
            let mut prefetch = prefetcher(simd, block(self.w, t, i + 1), t.div_ceil(LANES));
            mixed.fill(0.0);
            for vector in sections_by_vector(&sections) {
                prefetch();
                let at = vector[0].start;
                let weights = weights(simd, w, t, at);
                for &Section { candidate, start, targets } in vector {
                    let c = simd.splat(self.c[candidate]);
                    for (&target, &w) in targets.iter().zip(&weights[start - at..]) {
                        // The target of an unreachable weight lies past the end.
                        if let Some(m) = mixed.as_chunks_mut::<LANES>().0.get_mut(target as usize) {
                            // SAFETY: `m` holds a vector.
                            unsafe { simd.store(m.as_mut_ptr(), simd.fma(c, w, simd.load(m.as_ptr()))) };
                        }
                    }
                }
            }
            scatter(simd, mixed, u, m);
        }
    }
}

/// Loads up to sixteen weights, from index `at` on, of sixteen rows of `t` weights, transposed.
#[inline(always)]
fn weights<S: Simd>(simd: S, rows: &[f32], t: usize, at: usize) -> [S::V; LANES] {
    let n = LANES.min(t - at);
    // SAFETY: a row holds n floats from there on.
    unsafe {
        load_transposed(
            simd,
            n,
            #[inline(always)]
            |i| rows.get(i * t + at..i * t + at + n).map(|row| row.as_ptr()),
        )
    }
}

/// A task of [`backward`]: writes `dw` and, if `sums`, returns the sums of the coefficients over its rows.
struct Backward<'a> {
    plan: &'a MixPlan,
    w: &'a [f32],
    c: &'a [f32],
    dm: &'a [f32],
    dw: Option<&'a mut [f32]>,
    sums: bool,
}

impl SimdKernel for Backward<'_> {
    type Out = Vec<f64>;
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> Vec<f64> {
        let (t, u) = (self.plan.weights(), self.plan.taps().len());
        let sections = self.plan.sections();
        let mut out = vec![0.0f64; if self.sums { self.plan.candidates() } else { 0 }];
        let mut buffer = Scratch::take((out.len() + u + t) * LANES);
        let (sums, rest) = buffer.split_at_mut(out.len() * LANES);
        let (mixed, rows) = rest.split_at_mut(u * LANES);
        for i in 0..self.dm.len().div_ceil(LANES * u) {
            let w = block(self.w, t, i);
            gather(simd, block(self.dm, u, i), u, mixed);
            sums.fill(0.0);
            let mut prefetch = [(self.w, t), (self.dm, u)]
                .map(|(rows, len)| prefetcher(simd, block(rows, len, i + 1), t.div_ceil(LANES)));
            for vector in sections_by_vector(&sections) {
                prefetch.iter_mut().for_each(|prefetch| prefetch());
                let at = vector[0].start;
                let n = LANES.min(t - at);
                let zero = simd.splat(0.0);
                let weights = if self.sums { weights(simd, w, t, at) } else { [zero; LANES] };
                let mut gradients = [zero; LANES];
                for &Section { candidate, start, targets } in vector {
                    let c = simd.splat(self.c[candidate]);
                    let mut total = sums.as_chunks_mut::<LANES>().0.get_mut(candidate);
                    // SAFETY: `total`, and all vectors below, hold 16 floats.
                    let mut sum = total.as_ref().map_or(zero, |total| unsafe { simd.load(total.as_ptr()) });
                    let places = weights[start - at..].iter().zip(&mut gradients[start - at..]);
                    for (&target, (&w, gradient)) in targets.iter().zip(places) {
                        let dm = match mixed.as_chunks::<LANES>().0.get(target as usize) {
                            Some(dm) => unsafe { simd.load(dm.as_ptr()) },
                            None => zero,
                        };
                        sum = simd.fma(w, dm, sum);
                        *gradient = simd.mul(c, dm);
                    }
                    if let Some(total) = &mut total {
                        unsafe { simd.store(total.as_mut_ptr(), sum) };
                    }
                }
                if self.dw.is_some() {
                    let rows = rows.as_mut_ptr();
                    // SAFETY: there are sixteen rows of t floats.
                    unsafe {
                        store_transposed(
                            simd,
                            n,
                            gradients,
                            #[inline(always)]
                            |i| Some(rows.wrapping_add(i * t + at)),
                        )
                    };
                }
            }
            if let Some(dw) = &mut self.dw {
                let start = i * LANES * t;
                let end = dw.len().min(start + LANES * t);
                write_gradient(simd, rows, &mut dw[start..end]);
            }
            for (out, sums) in out.iter_mut().zip(sums.as_chunks::<LANES>().0) {
                // Thousands of rows are added in `f64`, so that their rounding errors do not accumulate.
                *out += sums.iter().map(|&v| f64::from(v)).sum::<f64>();
            }
        }
        simd.fence();
        out
    }
}

/// Copies rows to the gradient, with non-temporal stores if it is aligned: the gradient is too large to stay in the
/// caches until the optimizer reads it.
#[inline(always)]
fn write_gradient<S: Simd>(simd: S, rows: &[f32], to: &mut [f32]) {
    let aligned = to.as_ptr().align_offset(64) == 0;
    let (vectors, rest) = to.as_chunks_mut::<LANES>();
    let (from, last) = rows[..vectors.len() * LANES + rest.len()].as_chunks::<LANES>();
    for (to, from) in vectors.iter_mut().zip(from) {
        // SAFETY: vectors, whose addresses are multiples of their size if the first one is.
        unsafe {
            let v = simd.load(from.as_ptr());
            simd.store_hinted(aligned, to.as_mut_ptr(), v);
        }
    }
    rest.copy_from_slice(last);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KernelSpace;

    /// K = {1, 3}, D = {1, 2}: weights 1 | 1 | 3 | 3, with the union {−2, −1, 0, 1, 2}.
    fn example() -> (KernelSpace, Vec<f32>, Vec<f32>) {
        let space = KernelSpace::new([1, 3], [1, 2]).unwrap();
        (space, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], vec![0.5, 0.25, 2.0, 10.0])
    }

    #[test]
    fn mixed_kernel_by_hand() {
        let (space, w, c) = example();
        let plan = MixPlan::new(&space, 1, [1, 100]);
        let mut m = vec![f32::NAN; 5];
        forward(&plan, &w, &c, &mut m);
        assert_eq!(m, [60.0, 6.0, 0.5 + 0.5 + 8.0 + 70.0, 10.0, 80.0]);
        // On two elements, the taps at ±2 read only padding.
        let plan = MixPlan::new(&space, 1, [1, 2]);
        let mut m = vec![f32::NAN; 3];
        forward(&plan, &w, &c, &mut m);
        assert_eq!(m, [6.0, 79.0, 10.0]);
    }

    #[test]
    fn gradients_by_hand() {
        let (space, w, c) = example();
        let plan = MixPlan::new(&space, 1, [1, 2]);
        let dm = [1.0, 2.0, 3.0];
        let (mut dw, mut dc) = (vec![f32::NAN; 8], vec![f32::NAN; 4]);
        backward(&plan, &w, &c, &dm, MixGradients { w: Some(&mut dw), c: Some(&mut dc) });
        assert_eq!(dw, [1.0, 0.5, 2.0, 4.0, 6.0, 0.0, 20.0, 0.0]);
        assert_eq!(dc, [2.0, 4.0, 3.0 + 8.0 + 15.0, 14.0]);
    }

    #[test]
    fn backward_is_the_transpose_of_forward_and_ignores_thread_count() {
        let space = KernelSpace::for_2d();
        let plan = MixPlan::new(&space, 2, [10, 7]);
        let rows = 3 * TASK_ROWS + 5;
        let noise = |n: usize, seed: u64| -> Vec<f32> {
            let mut s = seed;
            (0..n)
                .map(|_| {
                    s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (s >> 40) as f32 / (1 << 23) as f32 - 1.0
                })
                .collect()
        };
        let (t, u) = (plan.weights(), plan.taps().len());
        let (w, c, dm) = (noise(rows * t, 1), noise(plan.candidates(), 2), noise(rows * u, 3));
        let run = |threads: usize| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let (mut m, mut dw, mut dc) = (vec![0.0; rows * u], vec![0.0; rows * t], vec![0.0; c.len()]);
                forward(&plan, &w, &c, &mut m);
                backward(&plan, &w, &c, &dm, MixGradients { w: Some(&mut dw), c: Some(&mut dc) });
                (m, dw, dc)
            })
        };
        let (m, dw, dc) = run(1);
        assert_eq!((&m, &dw, &dc), (&run(2).0, &run(2).1, &run(2).2), "bits depend on the number of threads");
        // ⟨dm, mix(w, c)⟩ is linear in w and in c, so both gradients reproduce it.
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let (direct, by_w, by_c) = (dot(&dm, &m), dot(&dw, &w), dot(&dc, &c));
        assert!((direct - by_w).abs() < 1e-5 * (1.0 + direct.abs()), "{direct} {by_w}");
        assert!((direct - by_c).abs() < 1e-5 * (1.0 + direct.abs()), "{direct} {by_c}");
    }
}
