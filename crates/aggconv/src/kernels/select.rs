//! Selects the algorithm for a shape.

use super::simd::{Isa, LANES};
use super::{Algorithm, direct, fourier};
use crate::{ConvGeometry, OperatorError};
use std::sync::OnceLock;

/// The environment variable that forces an algorithm.
const VARIABLE: &str = "AGGCONV_ALGORITHM";

/// The algorithm that the environment forces, which is read once.
fn forced() -> Option<Algorithm> {
    static FORCED: OnceLock<Option<Algorithm>> = OnceLock::new();
    *FORCED.get_or_init(|| {
        let name = std::env::var(VARIABLE).ok()?;
        Algorithm::ALL.iter().copied().find(|a| a.name() == name)
    })
}

/// Checks the environment variables that force an algorithm or an instruction set. Everything else in this crate
/// ignores invalid values, so a program that lets its users set these variables should call this function first.
///
/// # Errors
/// If `AGGCONV_ALGORITHM` or `AGGCONV_ISA` is set to an unknown name or to an instruction set that this processor does
/// not support.
pub fn check_environment() -> Result<(), OperatorError> {
    let check =
        |variable: &'static str, valid: &dyn Fn(&str) -> bool, expected: String| match std::env::var_os(variable) {
            Some(value) if !value.to_str().is_some_and(valid) => {
                Err(OperatorError::Environment { variable, value: value.to_string_lossy().into_owned(), expected })
            }
            _ => Ok(()),
        };
    let names = Algorithm::ALL.iter().map(|a| a.name()).collect::<Vec<_>>();
    check(VARIABLE, &|name| names.contains(&name), names.join(", "))?;
    let sets: Vec<_> = Isa::ALL.iter().filter(|isa| isa.available()).map(|isa| isa.name()).collect();
    check(Isa::VARIABLE, &|name| sets.contains(&name), sets.join(", "))
}

/// Returns the algorithm for a geometry: the one with the lowest [`cost`], or the one that the environment variable
/// `AGGCONV_ALGORITHM` (`naive`, `direct`, `fourier`; read once) names, if it supports the geometry.
pub fn select(g: &ConvGeometry) -> Algorithm {
    let forced = forced();
    if let Some(a) = forced.filter(|a| a.supports(g)) {
        return a;
    }
    let candidates = [Algorithm::Direct, Algorithm::Fourier].into_iter().filter(|a| a.supports(g));
    // `Direct` supports every geometry, so there is always a candidate.
    candidates.min_by(|a, b| cost(*a, g).total_cmp(&cost(*b, g))).unwrap_or(Algorithm::Direct)
}

/// Estimates the time of a forward and a backward pass on one core, in nanoseconds.
///
/// The model was fitted to measurements on a core with 512-bit vectors; its error is about 15 % on the layers of the
/// paper's networks. Other machines scale both algorithms alike, except for `direct_factor`. `examples/choice.rs`
/// measures how much slower the selected algorithm is than the faster one: about 1 %. The selection uses a model
/// instead of a measurement because it determines the last bits of a result, which must not depend on the load of the
/// machine.
pub fn cost(a: Algorithm, g: &ConvGeometry) -> f64 {
    match a {
        Algorithm::Naive => 6.0 * (g.y_len() * g.c_in_per_group() * g.taps.len()) as f64,
        Algorithm::Direct => direct_factor(Isa::current()) * direct_cost(g),
        Algorithm::Fourier => fourier_cost(g),
    }
}

/// The cost of direct convolution relative to the Fourier path, compared with 512-bit vectors, as `examples/choice.rs`
/// measured it on a core with 256-bit vectors.
fn direct_factor(isa: Isa) -> f64 {
    if isa == Isa::Avx512 { 1.0 } else { 0.7 }
}

/// The duration of a clock cycle in nanoseconds.
const CYCLE: f64 = 0.3;

/// The number of cycles of all blocks of `rows` broadcast rows, for one tap and one tile of positions. It is bound by
/// multiply-adds for many rows and by unaligned loads for few.
fn blocks(rows: usize) -> f64 {
    let block = |m: usize| (3.0 * m as f64).max(5.0 + m as f64);
    let left = rows % 8;
    (rows / 8) as f64 * block(8) + [4, 2, 1].into_iter().filter(|b| left & b > 0).map(block).sum::<f64>()
}

fn direct_cost(g: &ConvGeometry) -> f64 {
    let flat = direct::FlatLayout::new(g);
    let (ci, co, taps) = (g.c_in_per_group(), g.c_out_per_group(), flat.taps.len() as f64);
    let calls = (g.batch * g.groups) as f64;
    if ci * co == 1 && g.c_in == g.c_out {
        // One row is bound by the unaligned loads of each tap's operand.
        let vectors = flat.span as f64 / LANES as f64;
        let copies = 0.1 * 4.0 * (flat.phases.len() + 1) as f64 * flat.span as f64;
        return calls * (CYCLE * vectors * taps * 4.5 + copies) + 20_000.0;
    }
    let tiles = flat.span as f64 / (3 * LANES) as f64;
    let forward = tiles * blocks(co) * ci as f64 * taps;
    let input = tiles * blocks(ci) * co as f64 * taps;
    let weights = if co == 1 {
        tiles * 3.0 * ci as f64 * taps * 2.0
    } else {
        let vectors = co.div_ceil(LANES);
        let cycles = (vectors / 4 * 24 + vectors % 4 / 2 * 12 + vectors % 2 * 8) as f64;
        flat.span as f64 * (ci as f64 * taps / 6.0).ceil() * cycles
    };
    let copies = 0.3 * 3.0 * (ci * flat.phases.len() + co) as f64 * flat.len as f64;
    calls * (CYCLE * (forward + input + weights) + copies) + 20_000.0
}

fn fourier_cost(g: &ConvGeometry) -> f64 {
    let s = fourier::sizes(g);
    let vectors = |floats: usize| (floats / LANES) as f64;
    let [nh, nw] = s.transform;
    let (bins, [ph, pw]) = ((nw / 2 + 1) as f64, s.passes);
    let line = |planes: usize, rows: usize| vectors(planes) * rows as f64 / 2.0 * nw as f64 * (pw + 1.5);
    let column = |planes: usize| vectors(planes) * bins * nh as f64 * ph;
    let area = |planes: usize, [h, w]: [usize; 2]| planes as f64 * h as f64 * (w as f64 + bins);
    let (input, output) = (g.input, g.output());
    let transforms = line(s.input, input[0]) + line(s.output, output[0]) + column(s.input) + column(s.output);
    let copies = area(s.input, input) + area(s.output, output);
    let products = nh as f64 * bins * s.products as f64 / LANES as f64;
    let taps = vectors(s.kernel) * bins * s.taps as f64;
    let kernel = vectors(s.kernel) * bins * nh as f64 * (1.0 + ph);
    let forward = 1.95 * transforms
        + 0.56 * copies
        + 1.25 * products
        + 1.0 * taps
        + 1.4 * kernel
        + 1.6 * (s.kernel * s.taps) as f64;
    // The backward pass transforms both sides and does everything else twice.
    s.calls as f64 * 2.9 * forward + 60_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TapSet;
    use std::sync::Arc;

    fn pick(batch: usize, c: [usize; 3], input: [usize; 2], stride: usize, taps: TapSet) -> Algorithm {
        let [c_in, c_out, groups] = c;
        let stride = if input[0] == 1 { [1, stride] } else { [stride, stride] };
        let g = ConvGeometry { batch, c_in, c_out, groups, input, stride, taps: Arc::new(taps) };
        select(&g)
    }

    #[test]
    fn clear_cases_select_the_faster_algorithm() {
        let sets: Vec<_> = [1, 3, 7, 15].map(|d| TapSet::lattice(9, d, 2)).into();
        let wide = TapSet::union(&sets);
        assert_eq!(pick(64, [16, 16, 1], [32, 32], 1, wide.clone()), Algorithm::Fourier);
        assert_eq!(pick(64, [16, 16, 16], [32, 32], 1, wide), Algorithm::Fourier);
        assert_eq!(pick(64, [64, 64, 1], [32, 32], 1, TapSet::lattice(9, 7, 2)), Algorithm::Fourier);
        // One tap is a matrix product already, and a stride discards most of a transform.
        assert_eq!(pick(64, [16, 64, 1], [32, 32], 1, TapSet::lattice(1, 1, 2)), Algorithm::Direct);
        assert_eq!(pick(64, [128, 128, 1], [32, 32], 2, TapSet::lattice(3, 1, 2)), Algorithm::Direct);
        assert_eq!(pick(1, [1, 1, 1], [1, 8], 1, TapSet::lattice(3, 1, 1)), Algorithm::Direct);
    }
}
