//! The length of one training in steps: fixed, or kept to a deadline by looking at the clock.
//!
//! The learning rate follows the share of the planned steps that is done, so that a training
//! whose plan shrinks or grows on the way is annealed to its end all the same.

use super::Clock;
use serde::{Deserialize, Serialize};

/// What a paced training has decided so far; kept in checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PaceState {
    /// Steps planned in all.
    pub planned: u64,
    /// Seconds of a step, as measured last.
    pub step_seconds: f64,
    /// The largest share of the planned steps that was ever reached.
    pub progress: f64,
}

/// What comes next in a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// A step, with the share of the training that is behind, from 0 to below 1.
    Step(f64),
    /// Nothing: it is done.
    Over,
    /// Nothing: its time is up before it is done.
    Late,
}

/// How long a training is.
#[derive(Clone, Copy)]
pub enum Length<'a> {
    /// So many steps.
    Steps(u64),
    /// So many steps, unless a time of the clock comes first.
    Within(u64, &'a dyn Clock, f64),
    /// As many steps as there is time for until a time of the clock.
    Until {
        /// The clock.
        clock: &'a dyn Clock,
        /// The time.
        deadline: f64,
        /// How many steps that is thought to be.
        planned: u64,
        /// Seconds that a step is thought to take.
        step_seconds: f64,
    },
}

impl Length<'_> {
    /// The steps, as far as is known beforehand.
    pub fn steps(&self) -> u64 {
        match *self {
            Length::Steps(steps) | Length::Within(steps, ..) => steps,
            Length::Until { planned, .. } => planned.max(1),
        }
    }
}

/// A training under way.
pub struct Pace<'a> {
    length: Length<'a>,
    state: PaceState,
    /// Steps and time at the last look at the clock that counted.
    seen: Option<(u64, f64)>,
}

/// Looks at the clock that a training should take, at the least.
const LOOKS: u64 = 50;
/// Seconds after which the clock is looked at anyway.
const PATIENCE: f64 = 1.0;

impl<'a> Pace<'a> {
    /// A training of this length that is about to start, or to go on with what was decided.
    pub fn new(length: Length<'a>, state: Option<PaceState>) -> Self {
        let step_seconds = if let Length::Until { step_seconds, .. } = length { step_seconds } else { 0.0 };
        let fresh = PaceState { planned: length.steps().max(1), step_seconds, progress: 0.0 };
        Self { length, state: state.unwrap_or(fresh), seen: None }
    }

    /// What has been decided.
    pub fn state(&self) -> PaceState {
        self.state
    }

    /// Steps planned in all, as things stand.
    pub fn planned(&self) -> u64 {
        self.state.planned
    }

    /// Whether the number of steps follows the clock.
    pub fn adapts(&self) -> bool {
        matches!(self.length, Length::Until { .. })
    }

    /// Asked before every step, with the steps done so far. A training until a deadline always
    /// gets a first step.
    pub fn next(&mut self, done: u64) -> Turn {
        match self.length {
            Length::Steps(steps) | Length::Within(steps, ..) if done >= steps => return Turn::Over,
            Length::Steps(_) => {}
            Length::Within(_, clock, deadline) => {
                if clock.seconds() > deadline {
                    return Turn::Late;
                }
            }
            Length::Until { clock, deadline, .. } => {
                if !self.look(done, clock.seconds(), deadline) {
                    return Turn::Over;
                }
            }
        }
        let share = done as f64 / self.state.planned.max(done + 1) as f64;
        self.state.progress = self.state.progress.max(share);
        Turn::Step(self.state.progress)
    }

    /// Measures, plans again and says whether there is another step before the deadline.
    fn look(&mut self, done: u64, now: f64, deadline: f64) -> bool {
        match self.seen {
            // A training may be taken back.
            Some((steps, at)) if steps <= done => {
                let due = done - steps >= (self.state.planned / LOOKS).max(1) || now - at >= PATIENCE;
                if due && done > steps {
                    let recent = (now - at) / (done - steps) as f64;
                    // The first measurement replaces the estimate; later ones are smoothed.
                    let known = if steps == 0 { recent } else { self.state.step_seconds };
                    self.state.step_seconds = 0.5 * (known + recent);
                    self.seen = Some((done, now));
                    self.replan(done, now, deadline);
                }
            }
            _ => self.seen = Some((done, now)),
        }
        // Half a step over the deadline is as near as half a step short of it.
        if done > 0 && now + 0.5 * self.state.step_seconds > deadline {
            return false;
        }
        if done >= self.state.planned {
            self.replan(done, now, deadline);
        }
        true
    }

    fn replan(&mut self, done: u64, now: f64, deadline: f64) {
        let left = (deadline - now) / self.state.step_seconds.max(1e-9);
        self.state.planned = (done + left.round().clamp(0.0, 1e12) as u64).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::fake::FakeClock;
    use proptest::prelude::*;

    fn until(clock: &FakeClock, deadline: f64, planned: u64, step_seconds: f64) -> Length<'_> {
        Length::Until { clock, deadline, planned, step_seconds }
    }

    /// Runs a training whose steps take what `step` says at each time; the progress before each.
    fn train(clock: &FakeClock, pace: &mut Pace<'_>, step: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut shares = Vec::new();
        while let Turn::Step(share) = pace.next(shares.len() as u64) {
            shares.push(share);
            clock.advance(step(clock.seconds()));
        }
        shares
    }

    proptest! {
        #[test]
        fn a_training_ends_within_a_step_of_its_deadline_and_is_annealed(
            estimate in 0.001f64..2.0,
            true_step in 0.001f64..2.0,
            later in 0.2f64..5.0,
            time in 20.0f64..300.0,
        ) {
            let clock = FakeClock::default();
            // Halfway the machine becomes slower or faster.
            let step = |now: f64| if now < time / 2.0 { true_step } else { true_step * later };
            let mut pace = Pace::new(until(&clock, time, (time / estimate) as u64, estimate), None);
            let shares = train(&clock, &mut pace, step);
            let slowest = true_step * later.max(1.0);
            prop_assert!((clock.seconds() - time).abs() <= slowest + 1e-6, "{} of {time}", clock.seconds());
            prop_assert!(shares.is_sorted() && shares.iter().all(|s| (0.0..1.0).contains(s)));
            // Whatever happened, the last tenth of the schedule was reached.
            if time > 40.0 * slowest {
                prop_assert!(shares.last().copied().unwrap_or(0.0) > 0.9);
            }
        }
    }

    #[test]
    fn there_is_always_a_first_step() {
        let clock = FakeClock::default();
        clock.advance(100.0);
        let mut pace = Pace::new(until(&clock, 50.0, 1000, 0.1), None);
        assert_eq!(pace.next(0), Turn::Step(0.0));
        assert_eq!(pace.next(1), Turn::Over);
    }

    #[test]
    fn what_was_decided_can_be_gone_on_with() {
        let clock = FakeClock::default();
        let mut pace = Pace::new(until(&clock, 100.0, 10, 1.0), None);
        for done in 0..40 {
            pace.next(done);
            clock.advance(1.0);
        }
        let state = pace.state();
        assert_eq!(state.planned, 100);
        let mut again = Pace::new(until(&clock, 100.0, 10, 1.0), Some(state));
        assert_eq!(again.next(40), Turn::Step(0.4));
        assert_eq!(again.planned(), 100);
        // Taken back to an earlier step, the schedule does not start anew.
        assert_eq!(again.next(30), Turn::Step(0.4));
    }

    #[test]
    fn a_fixed_length_is_kept_unless_its_time_is_up() {
        let mut pace = Pace::new(Length::Steps(4), None);
        let turns: Vec<_> = (0..5).map(|done| pace.next(done)).collect();
        assert_eq!(turns, [Turn::Step(0.0), Turn::Step(0.25), Turn::Step(0.5), Turn::Step(0.75), Turn::Over]);
        let clock = FakeClock::default();
        let mut pace = Pace::new(Length::Within(4, &clock, 10.0), None);
        assert_eq!(pace.next(0), Turn::Step(0.0));
        clock.advance(11.0);
        assert_eq!((pace.next(1), pace.next(4)), (Turn::Late, Turn::Over));
    }
}
