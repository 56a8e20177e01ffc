//! The phase factors of taps in a spectrum.

/// Returns cos and sin of 2π·k·offset/N for every stored frequency k and every offset.
pub fn phases(n: usize, offsets: impl Iterator<Item = i32>) -> Vec<[f32; 2]> {
    let angle = |j: usize| 2.0 * std::f64::consts::PI * j as f64 / n as f64;
    let roots: Vec<[f32; 2]> = (0..n).map(|j| [angle(j).cos() as f32, angle(j).sin() as f32]).collect();
    // k·offset modulo n for every offset, updated from one frequency to the next.
    let steps: Vec<usize> = offsets.map(|o| i64::from(o).rem_euclid(n as i64) as usize).collect();
    let mut at = vec![0; steps.len()];
    let mut out = Vec::with_capacity((n / 2 + 1) * steps.len());
    for _ in 0..n / 2 + 1 {
        for (at, step) in at.iter_mut().zip(&steps) {
            out.push(roots[*at]);
            *at += step;
            *at -= if *at >= n { n } else { 0 };
        }
    }
    out
}
