//! Random streams: one seed decides everything.
//!
//! Every use of randomness draws from a stream of its own, which is named by its purpose and its
//! coordinates (epoch, step, trial). A stream depends on nothing but the seed and its name, so a run
//! that is resumed at step 1000 draws what an uninterrupted run draws, and the draws of one stage
//! never shift those of another.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The generator all streams use: specified, portable, and the same on every platform.
pub type Stream = ChaCha8Rng;

/// The root of all randomness in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of the given name and coordinates, such as `("search/order", &[epoch])`.
    pub fn stream(self, name: &str, at: &[u64]) -> Stream {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        for v in at {
            hash.update(v.to_le_bytes());
        }
        ChaCha8Rng::from_seed(hash.finalize().into())
    }
}

/// A uniformly random permutation of `0..n` (Fisher–Yates).
pub fn permutation(n: usize, rng: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order
}

/// Standard Gumbel draws, `−log(−log U)`.
pub fn gumbel(n: usize, rng: &mut Stream) -> Vec<f32> {
    (0..n)
        .map(|_| {
            // U in (0, 1): both logarithms stay finite.
            let u: f64 = (f64::from(rng.random::<u32>()) + 0.5) / 4_294_967_296.0;
            -(-u.ln()).ln() as f32
        })
        .collect()
}

/// `n` draws of N(0, std²).
pub fn normal(n: usize, std: f64, rng: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (std * rng.sample::<f64, _>(rand_distr::StandardNormal)) as f32).collect()
}

/// `n` draws of the uniform distribution over `[−bound, bound)`.
pub fn uniform(n: usize, bound: f64, rng: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_distinct() {
        let draw = |seed: u64, name: &str, at: &[u64]| Seed(seed).stream(name, at).random::<u64>();
        assert_eq!(draw(1, "a", &[2]), draw(1, "a", &[2]));
        let all = [draw(1, "a", &[2]), draw(2, "a", &[2]), draw(1, "b", &[2]), draw(1, "a", &[3]), draw(1, "a", &[])];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn a_permutation_holds_each_index_once() {
        let mut p = permutation(101, &mut Seed(7).stream("p", &[]));
        assert_ne!(p, (0..101).collect::<Vec<_>>());
        p.sort_unstable();
        assert_eq!(p, (0..101).collect::<Vec<_>>());
    }

    #[test]
    fn draws_have_the_moments_of_their_distribution() {
        let mean = |v: &[f32]| v.iter().map(|&x| f64::from(x)).sum::<f64>() / v.len() as f64;
        let var = |v: &[f32]| {
            let m = mean(v);
            v.iter().map(|&x| (f64::from(x) - m).powi(2)).sum::<f64>() / v.len() as f64
        };
        let n = 200_000;
        let g = gumbel(n, &mut Seed(3).stream("g", &[]));
        // Gumbel(0, 1): mean = Euler's γ, variance = π²/6.
        assert!((mean(&g) - 0.577_215_664_9).abs() < 0.012, "{}", mean(&g));
        assert!((var(&g) - std::f64::consts::PI.powi(2) / 6.0).abs() < 0.04, "{}", var(&g));
        let z = normal(n, 0.5, &mut Seed(3).stream("n", &[]));
        assert!(mean(&z).abs() < 0.005 && (var(&z) - 0.25).abs() < 0.005);
        let u = uniform(n, 2.0, &mut Seed(3).stream("u", &[]));
        assert!(mean(&u).abs() < 0.012 && (var(&u) - 4.0 / 3.0).abs() < 0.02);
    }
}
