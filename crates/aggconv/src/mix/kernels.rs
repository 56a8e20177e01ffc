//! The mixed kernel on slices, forward and backward.

use super::MixPlan;
use rayon::prelude::*;

/// Channel pairs handled by one task. Sums over channel pairs are taken per task and then over
/// tasks in order, so the result does not depend on the number of threads.
const ROWS: usize = 64;

/// The gradients that [`backward`] is asked for; each slice is overwritten.
#[derive(Debug, Default)]
pub struct MixGradients<'a> {
    /// Gradient of the flat weights, `[rows, T]`.
    pub w: Option<&'a mut [f32]>,
    /// Gradient of the mixing coefficients, `[|K|·|D|]`.
    pub c: Option<&'a mut [f32]>,
}

/// Computes the mixed kernels `m: [rows, U]` (overwritten) from flat weights `w: [rows, T]` and
/// coefficients `c: [|K|·|D|]`; a row is a pair of channels. `m[u] = Σ_{(i,t) → u} c_i · w[t]`.
///
/// # Panics
/// If a slice's length does not fit the plan: the layers above have checked shapes.
pub fn forward(plan: &MixPlan, w: &[f32], c: &[f32], m: &mut [f32]) {
    let (t, u) = (plan.weights(), plan.taps().len());
    assert!(c.len() == plan.candidates() && w.len().is_multiple_of(t) && m.len() == w.len() / t * u);
    m.par_chunks_mut(ROWS * u).zip(w.par_chunks(ROWS * t)).for_each(|(m, w)| {
        m.fill(0.0);
        for (m, w) in m.chunks_exact_mut(u).zip(w.chunks_exact(t)) {
            for (i, start, targets) in plan.blocks_with_targets() {
                for (&target, &w) in targets.iter().zip(&w[start..]) {
                    // An unreachable weight's target is past the end.
                    if let Some(m) = m.get_mut(target as usize) {
                        *m += c[i] * w;
                    }
                }
            }
        }
    });
}

/// Computes the gradients asked for from `dm: [rows, U]`:
/// `dw[t] = c_i · dm[u]` and `dc_i = Σ_rows Σ_t w[t] · dm[u]`, for each `(i, t) → u`.
///
/// # Panics
/// If a slice's length does not fit the plan.
pub fn backward(plan: &MixPlan, w: &[f32], c: &[f32], dm: &[f32], gradients: MixGradients<'_>) {
    let (t, u) = (plan.weights(), plan.taps().len());
    assert!(c.len() == plan.candidates() && w.len().is_multiple_of(t) && dm.len() == w.len() / t * u);
    if let Some(dw) = gradients.w {
        assert_eq!(dw.len(), w.len());
        dw.par_chunks_mut(ROWS * t).zip(dm.par_chunks(ROWS * u)).for_each(|(dw, dm)| {
            for (dw, dm) in dw.chunks_exact_mut(t).zip(dm.chunks_exact(u)) {
                for (i, start, targets) in plan.blocks_with_targets() {
                    for (&target, dw) in targets.iter().zip(&mut dw[start..]) {
                        *dw = dm.get(target as usize).map_or(0.0, |&dm| c[i] * dm);
                    }
                }
            }
        });
    }
    if let Some(dc) = gradients.c {
        assert_eq!(dc.len(), c.len());
        let partial: Vec<Vec<f64>> = w
            .par_chunks(ROWS * t)
            .zip(dm.par_chunks(ROWS * u))
            .map(|(w, dm)| {
                // Thousands of rows are summed: in f64, their rounding does not add up.
                let mut sums = vec![0.0f64; plan.candidates()];
                for (w, dm) in w.chunks_exact(t).zip(dm.chunks_exact(u)) {
                    for (i, start, targets) in plan.blocks_with_targets() {
                        let terms = targets.iter().zip(&w[start..]);
                        let sum: f32 =
                            terms.filter_map(|(&target, &w)| dm.get(target as usize).map(|&dm| w * dm)).sum();
                        sums[i] += f64::from(sum);
                    }
                }
                sums
            })
            .collect();
        for (i, dc) in dc.iter_mut().enumerate() {
            *dc = partial.iter().map(|p| p[i]).sum::<f64>() as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KernelSpace;

    /// K = {1, 3}, D = {1, 2}: weights 1 | 1 | 3 | 3, union {−2, −1, 0, 1, 2}.
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
        // On two elements the taps at ±2 see only padding.
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
        let rows = 3 * ROWS + 5;
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
        // ⟨dm, mix(w, c)⟩ is linear in w and in c, so both gradients give it back.
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let (direct, by_w, by_c) = (dot(&dm, &m), dot(&dw, &w), dot(&dc, &c));
        assert!((direct - by_w).abs() < 1e-5 * (1.0 + direct.abs()), "{direct} {by_w}");
        assert!((direct - by_c).abs() < 1e-5 * (1.0 + direct.abs()), "{direct} {by_c}");
    }
}
