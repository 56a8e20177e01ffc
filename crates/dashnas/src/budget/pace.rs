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
    /// What rehearsing evaluation has told so far.
    #[serde(default)]
    pub rehearsals: Rehearsals,
}

/// Seconds of the batch that evaluation is rehearsed with, as measured in the course of a training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rehearsals {
    /// When the training began.
    began: Option<f64>,
    /// How many there were.
    count: u32,
    /// The last ones, in a ring.
    last: [f64; RECENT],
}

impl Rehearsals {
    /// Takes in a measurement.
    fn add(&mut self, seconds: f64) {
        self.last[self.count as usize % RECENT] = seconds;
        self.count += 1;
    }

    /// The mean of the last ones, without the largest and the smallest: one disturbance moves nothing.
    fn seconds(&self) -> Option<f64> {
        let mut last = self.last[..RECENT.min(self.count as usize)].to_vec();
        last.sort_by(f64::total_cmp);
        let kept = if last.len() > 2 { &last[1..last.len() - 1] } else { &last[..] };
        (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64)
    }
}

/// Evaluation, which comes after a training and must be over in time, too. It is rehearsed now and then with one
/// batch, to see whether it will take longer or less than planned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct After {
    /// Seconds that the deadline leaves it.
    pub seconds: f64,
    /// Samples of the batch.
    pub batch: usize,
    /// Seconds of the batch when that was planned.
    pub batch_seconds: f64,
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
        /// What follows and takes its time from this training if it needs more; `None`: nothing does.
        after: Option<After>,
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
/// Rehearsals in a training, at most.
const REHEARSALS: f64 = 20.0;
/// The share of a training's time that rehearsals may take.
const REHEARSING: f64 = 0.03;
/// Rehearsals below which there are none: they would tell more of the moment than of the machine.
const FEWEST: f64 = 3.0;
/// Rehearsals that count, of the last.
const RECENT: usize = 5;
/// What follows is rehearsed whatever that costs if it takes more than this, relative to the training's time.
const MUCH: f64 = 0.3;
/// What follows is not rehearsed if it takes less than this share of the training's time.
const LITTLE: f64 = 0.01;

impl<'a> Pace<'a> {
    /// A training of this length that is about to start, or to go on with what was decided.
    pub fn new(length: Length<'a>, state: Option<PaceState>) -> Self {
        let step_seconds = if let Length::Until { step_seconds, .. } = length { step_seconds } else { 0.0 };
        let fresh = PaceState {
            planned: length.steps().max(1),
            step_seconds,
            progress: 0.0,
            rehearsals: Rehearsals::default(),
        };
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
            Length::Until { clock, .. } => {
                if !self.look(done, clock.seconds(), self.deadline()) {
                    return Turn::Over;
                }
            }
        }
        let share = done as f64 / self.state.planned.max(done + 1) as f64;
        self.state.progress = self.state.progress.max(share);
        Turn::Step(self.state.progress)
    }

    /// How far along the schedule of the learning rate the last step was, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.state.progress
    }

    /// When the training is to end, going by the rehearsals.
    fn deadline(&self) -> f64 {
        match self.length {
            Length::Until { deadline, after: Some(after), .. } => {
                let ratio = self.state.rehearsals.seconds().map_or(1.0, |seconds| seconds / after.batch_seconds);
                deadline + after.seconds * (1.0 - ratio)
            }
            Length::Until { deadline, .. } | Length::Within(_, _, deadline) => deadline,
            Length::Steps(_) => f64::INFINITY,
        }
    }

    /// Asked before a step: the samples that evaluation is to be rehearsed with now, if it is due. What that took is
    /// to be told by [`Pace::rehearsed`].
    pub fn rehearsal(&mut self) -> Option<usize> {
        let Length::Until { clock, deadline, after: Some(after), .. } = self.length else { return None };
        let (now, moved) = (clock.seconds(), self.deadline());
        let rehearsals = &mut self.state.rehearsals;
        let began = *rehearsals.began.get_or_insert(now);
        let mut time = (deadline - began).max(0.0);
        let mut affordable = (REHEARSING * time / after.batch_seconds.max(1e-9)).min(REHEARSALS).floor();
        if after.seconds >= MUCH * time {
            // If that is true there is little to lose, and if it is not, nearly all of the training.
            affordable = affordable.max(FEWEST);
            time = (moved - began).max(0.0);
        }
        // Evenly over the training: the first one soon, since prices may have changed since they were measured.
        let due = began + time * f64::from(rehearsals.count) / affordable.max(1.0);
        (affordable >= FEWEST && after.seconds >= LITTLE * time && now >= due).then_some(after.batch)
    }

    /// What a rehearsal took.
    pub fn rehearsed(&mut self, seconds: f64) {
        self.state.rehearsals.add(seconds);
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
        Length::Until { clock, deadline, planned, step_seconds, after: None }
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
        assert_eq!(again.progress(), pace.progress());
        assert_eq!(again.next(40), Turn::Step(0.4));
        assert_eq!(again.planned(), 100);
        // Taken back to an earlier step, the schedule does not start anew.
        assert_eq!(again.next(30), Turn::Step(0.4));
    }

    #[test]
    fn a_price_that_left_a_training_no_time_is_found_to_be_wrong() {
        let clock = FakeClock::default();
        // Evaluation takes 20 s of 170, and was thought to take all of them when the machine stood still for a moment.
        let after = Some(After { seconds: 170.0, batch: 256, batch_seconds: 4.25 });
        let length = Length::Until { clock: &clock, deadline: 0.0, planned: 1, step_seconds: 1.0, after };
        let mut pace = Pace::new(length, None);
        let mut done = 0;
        while let Turn::Step(_) = pace.next(done) {
            if pace.rehearsal().is_some() {
                clock.advance(0.5);
                pace.rehearsed(0.5);
            }
            clock.advance(1.0);
            done += 1;
        }
        assert!((clock.seconds() - 150.0).abs() < 1.0, "{}", clock.seconds());
        assert!(done > 130, "{done}");
    }

    #[test]
    fn what_follows_takes_its_time_from_the_training_or_leaves_it_some() {
        let clock = FakeClock::default();
        let after = Some(After { seconds: 20.0, batch: 32, batch_seconds: 0.05 });
        let length = Length::Until { clock: &clock, deadline: 100.0, planned: 100, step_seconds: 1.0, after };
        let run = |pace: &mut Pace<'_>, steps: std::ops::Range<u64>, rehearsal: &dyn Fn(u32) -> f64| {
            let mut told = 0;
            for done in steps {
                assert!(matches!(pace.next(done), Turn::Step(_)));
                if let Some(samples) = pace.rehearsal() {
                    assert_eq!(samples, 32);
                    pace.rehearsed(rehearsal(told));
                    told += 1;
                }
                clock.advance(1.0);
            }
            told
        };
        let mut pace = Pace::new(length, None);
        assert_eq!(pace.deadline(), 100.0);
        // One in five seconds; a single disturbance moves nothing.
        assert_eq!(run(&mut pace, 0..25, &|told| if told == 3 { 5.0 } else { 0.05 }), 5);
        assert!((pace.deadline() - 100.0).abs() < 1e-9, "{}", pace.deadline());
        // The machine becomes half as fast for what is rehearsed.
        run(&mut pace, 25..50, &|_| 0.1);
        assert!((pace.deadline() - 80.0).abs() < 1e-9, "{}", pace.deadline());
        assert_eq!(pace.planned(), 80);
        // Another process knows all of it, and one of a version that rehearsed nothing does without.
        let text = serde_json::to_string(&pace.state()).expect("numbers");
        let state: PaceState = serde_json::from_str(&text).expect("the same");
        assert_eq!(state, pace.state());
        let mut again = Pace::new(length, Some(state));
        assert_eq!(again.deadline(), pace.deadline());
        assert_eq!((again.next(50), again.rehearsal()), (pace.next(50), pace.rehearsal()));
        let old: PaceState =
            serde_json::from_str(r#"{"planned": 9, "step_seconds": 1.0, "progress": 0.5}"#).expect("old");
        assert_eq!(Pace::new(length, Some(old)).deadline(), 100.0);
        // Twice as fast, and over at its new end.
        run(&mut pace, 50..75, &|_| 0.025);
        assert!((pace.deadline() - 110.0).abs() < 1e-9, "{}", pace.deadline());
        run(&mut pace, 75..110, &|_| 0.025);
        assert_eq!(pace.next(110), Turn::Over);
    }

    #[test]
    fn what_is_little_or_dear_to_rehearse_is_not() {
        let clock = FakeClock::default();
        let with = |seconds, batch_seconds| {
            let after = Some(After { seconds, batch: 32, batch_seconds });
            Pace::new(Length::Until { clock: &clock, deadline: 100.0, planned: 9, step_seconds: 1.0, after }, None)
        };
        assert_eq!(with(10.0, 0.5).rehearsal(), Some(32));
        assert_eq!(with(0.5, 0.05).rehearsal(), None);
        assert_eq!(with(10.0, 2.0).rehearsal(), None);
        assert_eq!(Pace::new(until(&clock, 100.0, 9, 1.0), None).rehearsal(), None);
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
