//! Estimates the time of a large batch by timing ever larger ones.
//!
//! A step on few samples says little about one on many: a part of its time does not depend on the samples, and the
//! noise of the machine is large in comparison. The sizes of the timed batches therefore double until the wanted size
//! is reached or the next one would take too long. In the second case, the time is extrapolated from the largest sizes
//! that were timed.

use std::collections::BTreeMap;

/// The first batch size: a step on one large sample may take seconds.
const FIRST_SIZE: usize = 1;
/// A size that is expected to take more seconds than this is not timed.
const MAX_SIZE_SECONDS: f64 = 0.5;
/// No larger size is timed once the smaller ones have taken this many seconds together.
const MAX_TOTAL_SECONDS: f64 = 1.0;
/// How often a size is timed again if it takes longer than the size below can explain.
const MAX_RETRIES: usize = 2;
/// A size that takes fewer seconds than this is timed twice, and the shorter time counts: its noise is large, its cost
/// is not.
const CHEAP_SECONDS: f64 = 0.1;

/// A first batch that takes this multiple of all the time for measuring is not repeated, and no larger one is timed.
const HOPELESS: f64 = 5.0;

/// The times of batches of one kind of work. No batch size is timed again for a later question.
#[derive(Debug)]
pub struct BatchTimer {
    seconds_by_size: BTreeMap<usize, f64>,
    /// No larger size is timed once the smaller ones have taken this many seconds together.
    most: f64,
}

impl Default for BatchTimer {
    fn default() -> Self {
        Self::within(MAX_TOTAL_SECONDS)
    }
}

impl BatchTimer {
    /// A timer that stops timing larger sizes after some seconds, or after one.
    pub fn within(seconds: f64) -> Self {
        Self { seconds_by_size: BTreeMap::new(), most: seconds.min(MAX_TOTAL_SECONDS) }
    }

    /// The seconds of a batch of `samples` samples. `time` processes a batch of a given size and returns its seconds.
    pub fn seconds(&mut self, samples: usize, mut time: impl FnMut(usize) -> f64) -> f64 {
        let (most, hopeless) = (self.most, HOPELESS * self.most);
        let most_of_size = MAX_SIZE_SECONDS * most / MAX_TOTAL_SECONDS;
        let mut warm = false;
        let mut timed: Vec<(usize, f64)> = Vec::new();
        let mut size = FIRST_SIZE;
        loop {
            let whole = size >= samples;
            // In proportion to the size below, and half as much again because larger batches fit less well into the
            // cache.
            let plausible =
                timed.last().map_or(f64::INFINITY, |&(samples, seconds)| 1.5 * seconds * size as f64 / samples as f64);
            let seconds = *self.seconds_by_size.entry(size).or_insert_with(|| {
                // The first batch also allocates memory and makes plans that the later ones find ready.
                let first = if std::mem::replace(&mut warm, true) { f64::INFINITY } else { time(size) };
                if first.is_finite() && first > hopeless {
                    return first;
                }
                let mut seconds = first.min(shortest(whole, most_of_size, || time(size)));
                for _ in 0..MAX_RETRIES {
                    if seconds <= plausible {
                        break;
                    }
                    // The machine stalled or did something else.
                    seconds = seconds.min(time(size));
                }
                seconds
            });
            if whole {
                return seconds;
            }
            timed.push((size, seconds));
            let next = (2 * size).min(samples);
            let spent: f64 = timed.iter().map(|&(_, seconds)| seconds).sum();
            let enough = timed.len() > 1 || spent > hopeless;
            if enough && (spent > most || extrapolated(&timed, next) > most_of_size) {
                return extrapolated(&timed, samples);
            }
            size = next;
        }
    }

    /// The largest timed size of at most `samples` samples, and its seconds.
    pub fn largest_timed(&self, samples: usize) -> Option<(usize, f64)> {
        self.seconds_by_size.range(..=samples).next_back().map(|(&samples, &seconds)| (samples, seconds))
    }
}

/// The shortest of a few timings: as many as are cheap, and more for a size that nothing is extrapolated from.
fn shortest(whole: bool, within: f64, mut time: impl FnMut() -> f64) -> f64 {
    let first = time();
    let (mut shortest, mut spent) = (first, first);
    let mut repeat = |times: usize, within: f64| {
        for _ in 0..times {
            if spent > within {
                break;
            }
            let seconds = time();
            spent += seconds;
            shortest = shortest.min(seconds);
        }
    };
    if whole {
        repeat(2, within)
    } else {
        repeat(1, CHEAP_SECONDS.min(within))
    }
    shortest
}

/// The seconds of a batch larger than all timed ones, on the line through the two largest.
///
/// Its slope is bounded. A sample costs no less than the mean slope from the smallest size to the largest, since the
/// time of the smallest is the most that can be fixed cost. It costs no more than if there were no fixed cost.
fn extrapolated(timed: &[(usize, f64)], samples: usize) -> f64 {
    let [.., top] = timed else { return 0.0 };
    let slope = |from: &(usize, f64)| (top.1 - from.1) / (top.0 - from.0).max(1) as f64;
    let most = top.1 / top.0 as f64;
    let slope = match timed {
        [first, .., below, _] => slope(below).max(slope(first)),
        [below, _] => slope(below),
        _ => most,
    };
    top.1 + slope.clamp(0.0, most) * samples.saturating_sub(top.0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::rng::Seed;
    use proptest::prelude::*;
    use rand::RngExt;

    #[test]
    fn a_short_stall_of_the_machine_has_no_effect() {
        for stalled in 1..20 {
            let mut calls = 0;
            let seconds = BatchTimer::default().seconds(256, |n| {
                calls += 1;
                0.01 + 0.002 * n as f64 + if calls == stalled { 4.0 } else { 0.0 }
            });
            assert!((0.5..0.55).contains(&seconds), "{seconds} with a stall at call {stalled}");
        }
    }

    #[test]
    fn a_size_that_is_soon_reached_is_timed() {
        // A step on 1-D data: most of it is a fixed cost until the batch is large, and it jumps with the cache.
        let cost = |n: usize| 0.03 + 0.0004 * n as f64 + if n > 128 { 0.07 } else { 0.0 };
        let mut tried = Vec::new();
        let mut timer = BatchTimer::default();
        let seconds = timer.seconds(256, |n| {
            tried.push(n);
            cost(n)
        });
        assert_eq!(seconds, cost(256));
        tried.dedup();
        assert_eq!(tried, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
        // A smaller size was timed on the way.
        assert_eq!(timer.seconds(64, |_| unreachable!("known")), cost(64));
        assert_eq!(timer.seconds(256, |_| unreachable!("known")), cost(256));
        assert_eq!((timer.largest_timed(100), timer.largest_timed(0)), (Some((64, cost(64))), None));
        // Another size was not.
        assert_eq!(timer.seconds(10, cost), cost(10));
        assert_eq!(BatchTimer::default().seconds(1, cost), cost(1));
    }

    #[test]
    fn the_first_batch_does_not_count() {
        let mut calls = 0;
        let seconds = BatchTimer::default().seconds(1, |_| {
            calls += 1;
            if calls == 1 { 3.0 } else { 0.01 }
        });
        assert_eq!((seconds, calls), (0.01, 4));
    }

    #[test]
    fn a_size_that_takes_too_long_is_extrapolated() {
        // 1 s for each batch and 0.5 s for each sample.
        let seconds = BatchTimer::default().seconds(64, |n| 1.0 + 0.5 * n as f64);
        assert!((seconds - 33.0).abs() < 1e-9, "{seconds}");
        // Proportional time; fixed time; noise by which a larger batch seems to take less time.
        assert!((extrapolated(&[(4, 2.0), (8, 4.0)], 64) - 32.0).abs() < 1e-9);
        assert_eq!(extrapolated(&[(4, 2.0), (8, 2.0)], 64), 2.0);
        assert_eq!(extrapolated(&[(4, 2.0), (8, 1.5)], 64), 1.5);
        // An outlier in the size below: the mean slope from the first size is the lower bound.
        assert_eq!(extrapolated(&[(4, 0.1), (8, 0.3), (12, 0.3)], 20), 0.3 + 0.025 * 8.0);
        // More than proportional time is an outlier.
        assert_eq!(extrapolated(&[(4, 2.0), (8, 9.0)], 64), 72.0);
        assert_eq!(extrapolated(&[(4, 2.0)], 8), 4.0);
    }

    #[test]
    fn little_time_is_kept_whatever_a_batch_takes() {
        for most in [0.05, 0.2, 1.0, 30.0] {
            for (fixed, sample) in [(0.001, 0.0001), (0.02, 0.01), (0.0, 0.3), (9.0, 1.0)] {
                let mut spent = 0.0;
                let mut time = |n: usize| {
                    spent += fixed + sample * n as f64;
                    fixed + sample * n as f64
                };
                let seconds = BatchTimer::within(most).seconds(256, &mut time);
                let (one, all) = (fixed + sample, fixed + sample * 256.0);
                // Two sizes are timed, or one if it takes far too long.
                assert!(spent <= 3.0 * most.min(1.0) + 5.0 * one, "{spent} s of {most} s for {one} s");
                assert!((0.99 * all..=256.0 * one).contains(&seconds), "{seconds} for {all}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_linear_cost_is_found_and_noise_is_bounded(
            fixed in 0.0f64..0.5,
            sample in 1e-6f64..0.1,
            batch in 1usize..600,
            noise in prop::sample::select(vec![0.0, 0.0, 0.1, 0.5]),
            seed in 0u64..1000,
        ) {
            let cost = |n: usize| fixed + sample * n as f64;
            let mut random = Seed(seed).stream("noise", &[]);
            let (mut spent, mut top, mut longest) = (0.0, (0, 0.0f64), 0.0f64);
            let seconds = BatchTimer::default().seconds(batch, |n| {
                let took = cost(n) * (1.0 + noise * random.random::<f64>());
                spent += took;
                longest = longest.max(took);
                top = if n > top.0 { (n, took) } else { (n, took.min(top.1)) };
                took
            });
            if noise == 0.0 {
                prop_assert!((seconds - cost(batch)).abs() <= 1e-6 * cost(batch), "{seconds} for {}", cost(batch));
            }
            // No less than the time of the largest timed size, and no more than in proportion to it.
            let most = top.1 * batch as f64 / top.0 as f64;
            prop_assert!(seconds >= 0.999 * top.1 && seconds <= 1.001 * most, "{seconds}, {top:?} of {batch}");
            if cost(batch) * (1.0 + noise) <= MAX_SIZE_SECONDS / 10.0 {
                prop_assert_eq!(top.0, batch);
                prop_assert!(seconds <= cost(batch) * (1.0 + noise));
            }
            // At most three seconds, except for steps so slow that the first three alone take longer.
            prop_assert!(spent <= 3.0f64.max(3.0 * longest), "{spent} s");
        }
    }
}
