//! The pooling of MultiRocket, and the differences of series (§3 of MultiRocket).

use crate::lanes::{LANES, Row, Vectors, each_row};

/// The number of features of each bias.
pub(crate) const POOLS: usize = 4;

/// The number of steps whose positions are added up in 32 bits.
const BLOCK: usize = 1 << 15;

/// Returns the four features of each sample for the values `z` of a convolution minus a bias:
///
/// - the proportion of positive values (PPV),
/// - the longest stretch of positive values (LSPV), as a number of steps,
/// - the mean of the positive values (MPV), 0 if there are none,
/// - the mean of the indices of the positive values (MIPV), −1 if there are none.
pub(crate) fn pool(vectors: Vectors, steps: &[Row], bias: f32) -> [[f32; LANES]; POOLS] {
    let mut count = [0u32; LANES];
    let mut run = [0u32; LANES];
    let mut longest = [0u32; LANES];
    let mut sum = [0.0f32; LANES];
    let mut indices = [0.0f64; LANES];
    for (block, steps) in steps.chunks(BLOCK).enumerate() {
        let before = count;
        let mut positions = [0u32; LANES];
        vectors.run(
            #[inline(always)]
            || {
                let (mut c, mut r, mut l, mut s, mut p) = (count, run, longest, sum, positions);
                for (position, row) in (0u32..).zip(steps) {
                    each_row();
                    for lane in 0..LANES {
                        let value = row.0[lane];
                        // All ones where the value exceeds the bias: bits are selected without branches.
                        let mask = 0u32.wrapping_sub(u32::from(value > bias));
                        c[lane] = c[lane].wrapping_sub(mask);
                        p[lane] += position & mask;
                        s[lane] += f32::from_bits((value - bias).to_bits() & mask);
                        r[lane] = (r[lane] + 1) & mask;
                        l[lane] = if r[lane] > l[lane] { r[lane] } else { l[lane] };
                    }
                }
                (count, run, longest, sum, positions) = (c, r, l, s, p);
            },
        );
        for lane in 0..LANES {
            let first = (block * BLOCK) as f64;
            indices[lane] += f64::from(positions[lane]) + first * f64::from(count[lane] - before[lane]);
        }
    }
    let mean = |lane: usize| if count[lane] > 0 { sum[lane] / count[lane] as f32 } else { 0.0 };
    let index = |lane: usize| if count[lane] > 0 { (indices[lane] / f64::from(count[lane])) as f32 } else { -1.0 };
    [
        count.map(|count| count as f32 / steps.len() as f32),
        longest.map(|steps| steps as f32),
        std::array::from_fn(mean),
        std::array::from_fn(index),
    ]
}

/// Returns the first differences of each channel of a sample, which have one step less.
pub(crate) fn differences(sample: &[f32], length: usize) -> Vec<f32> {
    sample.chunks_exact(length).flat_map(|channel| channel.windows(2).map(|pair| pair[1] - pair[0])).collect()
}
