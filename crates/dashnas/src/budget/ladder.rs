//! What a large batch costs, from trying ever larger ones.
//!
//! A step of few samples says little about one of many: what does not depend on the samples hides what does, and the
//! machine's noise hides both. So the batches that are timed double, until the one in question is reached or the next
//! would take too long; only then is it extrapolated, and from the largest that were.

use std::collections::BTreeMap;

/// Samples of the first rung: a step on one large sample may take seconds.
const FIRST: usize = 1;
/// A rung that is expected to take longer than so many seconds is not tried.
const LONG: f64 = 0.5;
/// No further rung is tried after so many seconds on those below.
const ENOUGH: f64 = 1.0;
/// Times that a rung is tried again if it takes longer than the one below could explain.
const AGAIN: usize = 2;
/// What takes less is timed twice, and the lesser counts: its noise is large, its cost is not.
const CHEAP: f64 = 0.1;

/// What batches of one kind of work took. No batch is timed anew.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    rungs: BTreeMap<usize, f64>,
}

impl Ladder {
    /// Seconds of so many samples, by a function that works on some and tells how long that took.
    pub(super) fn price(&mut self, samples: usize, mut time: impl FnMut(usize) -> f64) -> f64 {
        let mut warm = false;
        let mut climbed: Vec<(usize, f64)> = Vec::new();
        let mut rung = FIRST;
        loop {
            let whole = rung >= samples;
            // In proportion to the rung below, and half as much again for what a cache does not hold any more.
            let most = climbed
                .last()
                .map_or(f64::INFINITY, |&(samples, seconds)| 1.5 * seconds * rung as f64 / samples as f64);
            let seconds = *self.rungs.entry(rung).or_insert_with(|| {
                // The first of all also pays for memory and plans that the others find ready.
                let first = if std::mem::replace(&mut warm, true) { f64::INFINITY } else { time(rung) };
                let mut seconds = first.min(least(whole, || time(rung)));
                for _ in 0..AGAIN {
                    if seconds <= most {
                        break;
                    }
                    // The machine stood still, or did something else.
                    seconds = seconds.min(time(rung));
                }
                seconds
            });
            if whole {
                return seconds;
            }
            climbed.push((rung, seconds));
            let next = (2 * rung).min(samples);
            let spent: f64 = climbed.iter().map(|&(_, seconds)| seconds).sum();
            if climbed.len() > 1 && (spent > ENOUGH || beyond(&climbed, next) > LONG) {
                return beyond(&climbed, samples);
            }
            rung = next;
        }
    }

    /// The largest batch that was timed, of so many samples at most, and its seconds.
    pub(super) fn top(&self, samples: usize) -> Option<(usize, f64)> {
        self.rungs.range(..=samples).next_back().map(|(&samples, &seconds)| (samples, seconds))
    }
}

/// The least of a few measurements, as many as are cheap; more where nothing is extrapolated from it.
fn least(whole: bool, mut time: impl FnMut() -> f64) -> f64 {
    let first = time();
    let (mut least, mut spent) = (first, first);
    let mut more = |times: usize, within: f64| {
        for _ in 0..times {
            if spent > within {
                break;
            }
            let seconds = time();
            spent += seconds;
            least = least.min(seconds);
        }
    };
    if whole {
        more(2, LONG)
    } else {
        more(1, CHEAP)
    }
    least
}

/// Seconds of so many samples, more than on the topmost of some rungs: on the line through the two topmost. A sample
/// costs no less than it did on the whole way up from the lowest rung, whose time is the most that can be fixed cost,
/// and no more than if nothing were.
fn beyond(climbed: &[(usize, f64)], samples: usize) -> f64 {
    let [.., top] = climbed else { return 0.0 };
    let slope = |from: &(usize, f64)| (top.1 - from.1) / (top.0 - from.0).max(1) as f64;
    let most = top.1 / top.0 as f64;
    let slope = match climbed {
        [first, .., below, _] => slope(below).max(slope(first)),
        [below, _] => slope(below),
        _ => most,
    };
    top.1 + slope.clamp(0.0, most) * samples.saturating_sub(top.0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use proptest::prelude::*;
    use rand::RngExt;

    #[test]
    fn a_machine_that_stands_still_for_a_moment_costs_nothing() {
        for stalled in 1..20 {
            let mut calls = 0;
            let seconds = Ladder::default().price(256, |n| {
                calls += 1;
                0.01 + 0.002 * n as f64 + if calls == stalled { 4.0 } else { 0.0 }
            });
            assert!((0.5..0.55).contains(&seconds), "{seconds} with a stall at call {stalled}");
        }
    }

    #[test]
    fn what_is_soon_reached_is_measured() {
        // A step of 1-D data: the fixed part is most of it until the batch is large, and jumps with the cache.
        let cost = |n: usize| 0.03 + 0.0004 * n as f64 + if n > 128 { 0.07 } else { 0.0 };
        let mut tried = Vec::new();
        let mut ladder = Ladder::default();
        let seconds = ladder.price(256, |n| {
            tried.push(n);
            cost(n)
        });
        assert_eq!(seconds, cost(256));
        tried.dedup();
        assert_eq!(tried, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
        // A smaller batch was met on the way.
        assert_eq!(ladder.price(64, |_| unreachable!("known")), cost(64));
        assert_eq!(ladder.price(256, |_| unreachable!("known")), cost(256));
        assert_eq!((ladder.top(100), ladder.top(0)), (Some((64, cost(64))), None));
        // Another one was not.
        assert_eq!(ladder.price(10, cost), cost(10));
        assert_eq!(Ladder::default().price(1, cost), cost(1));
    }

    #[test]
    fn the_first_of_all_does_not_count() {
        let mut calls = 0;
        let seconds = Ladder::default().price(1, |_| {
            calls += 1;
            if calls == 1 { 3.0 } else { 0.01 }
        });
        assert_eq!((seconds, calls), (0.01, 4));
    }

    #[test]
    fn what_takes_long_is_judged_by_the_largest_that_did_not() {
        // 1 s whatever the batch and 0.5 s a sample.
        let seconds = Ladder::default().price(64, |n| 1.0 + 0.5 * n as f64);
        assert!((seconds - 33.0).abs() < 1e-9, "{seconds}");
        // All of it in proportion; all of it fixed; noise that says that more takes less.
        assert!((beyond(&[(4, 2.0), (8, 4.0)], 64) - 32.0).abs() < 1e-9);
        assert_eq!(beyond(&[(4, 2.0), (8, 2.0)], 64), 2.0);
        assert_eq!(beyond(&[(4, 2.0), (8, 1.5)], 64), 1.5);
        // A disturbance of the rung below: the way up from the first says what a sample costs at least.
        assert_eq!(beyond(&[(4, 0.1), (8, 0.3), (12, 0.3)], 20), 0.3 + 0.025 * 8.0);
        // More than in proportion is a disturbance.
        assert_eq!(beyond(&[(4, 2.0), (8, 9.0)], 64), 72.0);
        assert_eq!(beyond(&[(4, 2.0)], 8), 4.0);
    }

    proptest! {
        #[test]
        fn a_line_is_found_and_noise_is_bounded(
            fixed in 0.0f64..0.5,
            sample in 1e-6f64..0.1,
            batch in 1usize..600,
            noise in prop::sample::select(vec![0.0, 0.0, 0.1, 0.5]),
            seed in 0u64..1000,
        ) {
            let cost = |n: usize| fixed + sample * n as f64;
            let mut random = Seed(seed).stream("noise", &[]);
            let (mut spent, mut top, mut longest) = (0.0, (0, 0.0f64), 0.0f64);
            let seconds = Ladder::default().price(batch, |n| {
                let took = cost(n) * (1.0 + noise * random.random::<f64>());
                spent += took;
                longest = longest.max(took);
                top = if n > top.0 { (n, took) } else { (n, took.min(top.1)) };
                took
            });
            if noise == 0.0 {
                prop_assert!((seconds - cost(batch)).abs() <= 1e-6 * cost(batch), "{seconds} for {}", cost(batch));
            }
            // No less than what the largest took, no more than in proportion to it; measured whole, it is that.
            let most = top.1 * batch as f64 / top.0 as f64;
            prop_assert!(seconds >= 0.999 * top.1 && seconds <= 1.001 * most, "{seconds}, {top:?} of {batch}");
            if cost(batch) * (1.0 + noise) <= LONG / 10.0 {
                prop_assert_eq!(top.0, batch);
                prop_assert!(seconds <= cost(batch) * (1.0 + noise));
            }
            // Two seconds at most, but for steps so slow that the first three alone take longer.
            prop_assert!(spent <= 3.0f64.max(3.0 * longest), "{spent} s");
        }
    }
}
