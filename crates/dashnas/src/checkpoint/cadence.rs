//! How often checkpoints are written: as often as takes less than 2 % of the time.

use std::time::{Duration, Instant};

/// Seconds of pause between two checkpoints per second of writing: at most 1/51 of the time is spent on writing.
const PAUSE: u32 = 50;
/// The shortest pause, however quick the disk.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// Decides by the clock when a checkpoint is due. The results of a run do not depend on it, since writing a checkpoint
/// changes no state of a training.
#[derive(Debug, Clone)]
pub struct Cadence {
    pause: Option<Duration>,
    last: Instant,
}

impl Cadence {
    /// A cadence for a run that begins at `now`.
    pub fn new(now: Instant) -> Self {
        // The first write may be slow: 20 ms are assumed until it has been measured.
        Self { pause: Some(Duration::from_secs(1)), last: now }
    }

    /// A checkpoint after every step, whatever it costs.
    pub fn always(now: Instant) -> Self {
        Self { pause: None, last: now }
    }

    /// Whether a checkpoint is due.
    pub fn due(&self, now: Instant) -> bool {
        self.pause.is_none_or(|pause| now.saturating_duration_since(self.last) >= pause)
    }

    /// Records that a checkpoint was written from `start` to `end`.
    pub fn wrote(&mut self, start: Instant, end: Instant) {
        self.last = end;
        if let Some(pause) = &mut self.pause {
            // After a slow write the pause is long enough for it. A quick write, of a checkpoint without a training,
            // says little about the next: the pause is at most halved.
            let cost = end.saturating_duration_since(start) * PAUSE;
            *pause = cost.max(*pause / 2).max(MIN_PAUSE);
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
        assert!(cadence.due(start + MIN_PAUSE) && !cadence.due(start + MIN_PAUSE / 2));
        assert!(Cadence::always(start).due(start));
    }
}
