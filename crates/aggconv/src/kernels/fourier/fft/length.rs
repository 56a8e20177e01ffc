//! The factors of a transform length, and its cost.

use std::sync::Mutex;

/// The relative cost of one point in a pass of this radix, from measurements. Loads and stores dominate, so a few
/// passes of large radix are faster than many of small radix.
fn pass_cost(radix: usize) -> f64 {
    match radix {
        10 => 2.3,
        9 => 2.2,
        8 => 1.8,
        6 => 1.6,
        5 => 1.6,
        4 => 1.3,
        3 => 1.2,
        _ => 1.0,
    }
}

/// The radices of the passes.
const RADICES: [usize; 8] = [10, 9, 8, 6, 5, 4, 3, 2];

/// The cheapest radices of a transform of length `n`, or `None` if `n` has a prime factor above 5.
pub(super) fn factor(n: usize) -> Option<Vec<usize>> {
    /// Tries the radices from `RADICES[from]` on. Returns the cost and the radices in descending order.
    fn best(n: usize, from: usize) -> Option<(f64, Vec<usize>)> {
        if n == 1 {
            return Some((0.0, Vec::new()));
        }
        let mut found: Option<(f64, Vec<usize>)> = None;
        for (i, &r) in RADICES.iter().enumerate().skip(from).filter(|(_, r)| n.is_multiple_of(**r)) {
            if let Some((cost, mut rest)) = best(n / r, i) {
                let cost = cost + pass_cost(r);
                if found.as_ref().is_none_or(|f| cost < f.0) {
                    rest.insert(0, r);
                    found = Some((cost, rest));
                }
            }
        }
        found
    }
    best(n, 0).map(|(_, radices)| radices)
}

/// The relative cost of a point of a transform of length `n`; infinite if `n` has a prime factor above 5.
pub fn cost_per_point(n: usize) -> f64 {
    factor(n).map_or(f64::INFINITY, |r| r.into_iter().map(pass_cost).sum())
}

/// The length, at least `min`, that minimizes `n · (cost of a transform + weight)`. `weight` is the cost of the other
/// operations at each frequency, in units of a radix-2 pass.
pub fn good_length(min: usize, weight: f64) -> usize {
    /// The lengths found before: layers ask for the same few lengths in every step.
    static FOUND: Mutex<Vec<(usize, f64, usize)>> = Mutex::new(Vec::new());
    let found = || FOUND.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(&(.., n)) = found().iter().find(|f| (f.0, f.1) == (min, weight)) {
        return n;
    }
    let n = find_good_length(min, weight);
    found().push((min, weight, n));
    n
}

fn find_good_length(min: usize, weight: f64) -> usize {
    let cost = |n: usize| n as f64 * (cost_per_point(n) + weight);
    (min..=min.next_power_of_two())
        .map(|n| (n, cost(n)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(min.next_power_of_two(), |(n, _)| n)
}
