//! How often to write checkpoints: as often as costs less than 2 % of the time.

use std::time::{Duration, Instant};

/// Pause between two checkpoints for each second that writing one takes: 1/51 of the time is
/// spent writing at most.
const PAUSE: u32 = 50;
/// No more often than this, however quick the disk.
const LEAST: Duration = Duration::from_millis(100);

/// Decides when a checkpoint is due. It watches the clock, so a run's results must not depend on
/// what it says, and they do not: a checkpoint only reads.
#[derive(Debug, Clone)]
pub struct Cadence {
    pause: Option<Duration>,
    last: Instant,
}

impl Cadence {
    /// Nothing was written so far; `now` the run begins.
    pub fn new(now: Instant) -> Self {
        // The first one may be slow: until that is known, assume 20 ms.
        Self { pause: Some(Duration::from_secs(1)), last: now }
    }

    /// A checkpoint after every single step, whatever it costs.
    pub fn always(now: Instant) -> Self {
        Self { pause: None, last: now }
    }

    /// Whether it is time to write one.
    pub fn due(&self, now: Instant) -> bool {
        self.pause.is_none_or(|pause| now.saturating_duration_since(self.last) >= pause)
    }

    /// One was written from `start` to `end`.
    pub fn wrote(&mut self, start: Instant, end: Instant) {
        self.last = end;
        if let Some(pause) = &mut self.pause {
            // A write that was slower than the next will be costs no more than it was paid for;
            // one that was quicker (no training in it) does not say that the next will be.
            let cost = end.saturating_duration_since(start) * PAUSE;
            *pause = cost.max(*pause / 2).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_takes_less_than_2_percent_of_the_time() {
        for seconds in [0.0001, 0.01, 0.2, 3.0] {
            let cost = Duration::from_secs_f64(seconds);
            let start = Instant::now();
            let (mut now, mut spent, mut writes) = (start, Duration::ZERO, 0);
            let mut cadence = Cadence::new(start);
            // The first is written before its cost is known; judge what follows.
            let mut judged = None;
            while writes < 200 {
                now += Duration::from_millis(20);
                if cadence.due(now) {
                    let begun = now;
                    now += cost;
                    cadence.wrote(begun, now);
                    writes += 1;
                    if judged.is_none() {
                        judged = Some(now);
                    } else {
                        spent += cost;
                    }
                }
            }
            let share = spent.as_secs_f64() / (now - judged.expect("one was written")).as_secs_f64();
            assert!(share < 0.02, "{share} at {seconds} s");
        }
    }

    #[test]
    fn a_slow_disk_is_written_to_less_often_and_a_quick_one_more() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start);
        assert!(!cadence.due(start) && cadence.due(start + Duration::from_secs(1)));
        cadence.wrote(start, start + Duration::from_secs(2));
        assert!(!cadence.due(start + Duration::from_secs(100)) && cadence.due(start + Duration::from_secs(102)));
        for _ in 0..20 {
            cadence.wrote(start, start);
        }
        assert!(cadence.due(start + LEAST) && !cadence.due(start + LEAST / 2));
        assert!(Cadence::always(start).due(start));
    }
}
