//! The length of one training in steps: fixed, or adapted to a deadline by reading the clock.
//!
//! The learning rate follows the fraction of the planned steps that is done. A training whose plan shrinks or grows on
//! the way therefore still anneals its learning rate to the end.

use crate::budget::clock::Clock;
use serde::{Deserialize, Serialize};

/// The decisions of a [`Pacer`] so far; kept in checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PacerState {
    /// The planned number of steps of the whole training.
    pub planned: u64,
    /// Seconds of a step, over the last part of the training.
    pub step_seconds: f64,
    /// Seconds of all measured steps.
    #[serde(default)]
    pub measured_seconds: f64,
    /// The largest fraction of the planned steps that was ever reached.
    pub progress: f64,
    /// The timings of evaluation batches.
    #[serde(rename = "rehearsals", default)]
    pub evaluation: EvaluationTimings,
}

/// Seconds of an evaluation batch, timed several times in the course of a training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationTimings {
    /// The time at which the training began.
    began: Option<f64>,
    /// The number of timings.
    count: u32,
    /// The newest timings, in a ring buffer.
    last: [f64; TIMINGS_KEPT],
}

impl EvaluationTimings {
    /// Adds a timing.
    fn add(&mut self, seconds: f64) {
        self.last[self.count as usize % TIMINGS_KEPT] = seconds;
        self.count += 1;
    }

    /// The mean of the newest timings without the largest and the smallest, so that one outlier has no effect.
    fn seconds(&self) -> Option<f64> {
        let mut last = self.last[..TIMINGS_KEPT.min(self.count as usize)].to_vec();
        last.sort_by(f64::total_cmp);
        let kept = if last.len() > 2 { &last[1..last.len() - 1] } else { &last[..] };
        (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64)
    }
}

/// The evaluation after a training, which must end within the limit, too. One batch of it is timed now and then during
/// the training, to find out whether it will take more or less time than planned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FollowingEvaluation {
    /// Seconds that the deadline of the training leaves for it.
    pub seconds: f64,
    /// The size of the batch that is timed.
    pub batch: usize,
    /// Seconds of that batch when the plan was made.
    pub batch_seconds: f64,
}

/// The decision of a [`Pacer`] before a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NextStep {
    /// Take a step. The number is the completed fraction of the training, from 0 to below 1.
    Take(f64),
    /// The training is complete.
    Complete,
    /// The deadline passed before the training was complete.
    OutOfTime,
}

/// The length of a training.
#[derive(Clone, Copy)]
pub enum TrainingLength<'a> {
    /// A fixed number of steps.
    Steps(u64),
    /// A fixed number of steps, given up if a time of the clock passes before.
    StepsBefore(u64, &'a dyn Clock, f64),
    /// As many steps as fit before a time of the clock, but no more than a number of them if there is one.
    Until {
        /// The clock.
        clock: &'a dyn Clock,
        /// The time at which the training is to end.
        deadline: f64,
        /// The expected number of steps.
        planned: u64,
        /// The most steps, however much time there is; `None` if the training is to use all of it.
        most: Option<u64>,
        /// The expected seconds of a step.
        step_seconds: f64,
        /// The evaluation that follows and shares its time with this training; `None` if none does.
        following: Option<FollowingEvaluation>,
    },
}

impl TrainingLength<'_> {
    /// The number of steps, as far as it is known beforehand.
    pub fn steps(&self) -> u64 {
        match *self {
            TrainingLength::Steps(steps) | TrainingLength::StepsBefore(steps, ..) => steps,
            TrainingLength::Until { planned, .. } => planned.max(1),
        }
    }
}

/// Decides before each step of a training whether and how it continues.
pub struct Pacer<'a> {
    length: TrainingLength<'a>,
    state: PacerState,
    /// Steps and time at the last measurement.
    measured: Option<(u64, f64)>,
}

/// How often a training measures its steps and plans again, at the least.
const REPLANS: u64 = 50;
/// Seconds after which it does so in any case.
const MAX_SECONDS_BETWEEN_REPLANS: f64 = 1.0;
/// The part of a training over which its speed is averaged.
const SPEED_SHARE: f64 = 0.1;
/// The largest number of timings of an evaluation batch in a training.
const MAX_TIMINGS: f64 = 20.0;
/// The fraction of a training's time that these timings may take.
const TIMING_SHARE: f64 = 0.03;
/// Evaluation is not timed if fewer timings than this are possible: they would tell more of the moment than of the
/// machine.
const MIN_TIMINGS: f64 = 3.0;
/// The number of newest timings that count.
const TIMINGS_KEPT: usize = 5;
/// An evaluation longer than this fraction of the training is timed whatever that costs.
const LONG_EVALUATION: f64 = 0.3;
/// An evaluation shorter than this fraction of the training is not timed.
const SHORT_EVALUATION: f64 = 0.01;

impl<'a> Pacer<'a> {
    /// The pacer of a training that starts or, given the state of an earlier process, resumes.
    pub fn new(length: TrainingLength<'a>, state: Option<PacerState>) -> Self {
        let step_seconds = if let TrainingLength::Until { step_seconds, .. } = length { step_seconds } else { 0.0 };
        let fresh = PacerState {
            planned: length.steps().max(1),
            step_seconds,
            measured_seconds: 0.0,
            progress: 0.0,
            evaluation: EvaluationTimings::default(),
        };
        Self { length, state: state.unwrap_or(fresh), measured: None }
    }

    /// The decisions so far.
    pub fn state(&self) -> PacerState {
        self.state
    }

    /// The number of steps of the whole training, as planned now.
    pub fn planned(&self) -> u64 {
        self.state.planned
    }

    /// Whether the number of steps depends on the clock.
    pub fn adapts(&self) -> bool {
        matches!(self.length, TrainingLength::Until { .. })
    }

    /// Decides about the step after the `done` first ones. A training with a deadline always gets a first step.
    pub fn next_step(&mut self, done: u64) -> NextStep {
        match self.length {
            TrainingLength::Steps(steps) | TrainingLength::StepsBefore(steps, ..) if done >= steps => {
                return NextStep::Complete;
            }
            TrainingLength::Steps(_) => {}
            TrainingLength::StepsBefore(_, clock, deadline) => {
                if clock.seconds() > deadline {
                    return NextStep::OutOfTime;
                }
            }
            TrainingLength::Until { most: Some(most), .. } if done >= most => return NextStep::Complete,
            TrainingLength::Until { clock, .. } => {
                if !self.has_time(done, clock.seconds(), self.deadline()) {
                    return NextStep::Complete;
                }
            }
        }
        let share = done as f64 / self.state.planned.max(done + 1) as f64;
        self.state.progress = self.state.progress.max(share);
        NextStep::Take(self.state.progress)
    }

    /// The position of the last of `done` steps on the schedule of the learning rate, from 0 to 1.
    pub fn progress_of_last(&self, done: u64) -> f64 {
        if self.adapts() {
            return self.state.progress;
        }
        // The state of a tuning trial is not saved: of a fixed number of steps the position follows.
        self.state.progress.max(done.saturating_sub(1) as f64 / self.state.planned.max(done) as f64)
    }

    /// The time at which the training is to end, given the timings of the evaluation that follows.
    fn deadline(&self) -> f64 {
        match self.length {
            TrainingLength::Until { deadline, following: Some(evaluation), .. } => {
                let ratio = self.state.evaluation.seconds().map_or(1.0, |seconds| seconds / evaluation.batch_seconds);
                deadline + evaluation.seconds * (1.0 - ratio)
            }
            TrainingLength::Until { deadline, .. } | TrainingLength::StepsBefore(_, _, deadline) => deadline,
            TrainingLength::Steps(_) => f64::INFINITY,
        }
    }

    /// Asked before a step: the size of the evaluation batch to time now, if a timing is due. The caller passes the
    /// seconds to [`Pacer::record_timing`].
    pub fn due_timing(&mut self) -> Option<usize> {
        let TrainingLength::Until { clock, deadline, following: Some(evaluation), .. } = self.length else {
            return None;
        };
        let (now, moved) = (clock.seconds(), self.deadline());
        let timings = &mut self.state.evaluation;
        let began = *timings.began.get_or_insert(now);
        let mut time = (deadline - began).max(0.0);
        let mut affordable = (TIMING_SHARE * time / evaluation.batch_seconds.max(1e-9)).min(MAX_TIMINGS).floor();
        if evaluation.seconds >= LONG_EVALUATION * time {
            // If the planned seconds are right, timing costs little in comparison; if they are wrong, nearly all of the
            // training depends on it.
            affordable = affordable.max(MIN_TIMINGS);
            time = (moved - began).max(0.0);
        }
        // Evenly over the training, the first one soon, since costs may have changed since they were measured.
        let due = began + time * f64::from(timings.count) / affordable.max(1.0);
        (affordable >= MIN_TIMINGS && evaluation.seconds >= SHORT_EVALUATION * time && now >= due)
            .then_some(evaluation.batch)
    }

    /// Records the seconds of an evaluation batch.
    pub fn record_timing(&mut self, seconds: f64) {
        self.state.evaluation.add(seconds);
    }

    /// Measures the steps, plans again, and returns whether there is time for another step before the deadline.
    fn has_time(&mut self, done: u64, now: f64, deadline: f64) -> bool {
        match self.measured {
            // A training may be set back to an earlier step.
            Some((steps, at)) if steps <= done => {
                let due =
                    done - steps >= (self.state.planned / REPLANS).max(1) || now - at >= MAX_SECONDS_BETWEEN_REPLANS;
                if due && done > steps {
                    self.measure((done - steps) as f64, now - at, deadline - now);
                    self.measured = Some((done, now));
                    self.replan(done, now, deadline);
                }
            }
            _ => self.measured = Some((done, now)),
        }
        // An end half a step after the deadline is as close as one half a step before it.
        if done > 0 && now + 0.5 * self.state.step_seconds > deadline {
            return false;
        }
        if done >= self.state.planned {
            self.replan(done, now, deadline);
        }
        true
    }

    /// Takes the seconds of some steps into account. The speed is a mean over a part of the whole training, so that other
    /// work on the machine for a moment does not count as if it lasted to the end, which would bring the learning rate down
    /// for good. The first measurement replaces the estimate.
    fn measure(&mut self, steps: f64, seconds: f64, left: f64) {
        let state = &mut self.state;
        state.measured_seconds += seconds;
        let span = (SPEED_SHARE * (state.measured_seconds + left)).min(state.measured_seconds);
        let weight = if span > seconds { seconds / span } else { 1.0 };
        let speed = (1.0 - weight) / state.step_seconds.max(1e-9) + weight * steps / seconds.max(1e-9);
        state.step_seconds = 1.0 / speed;
    }

    fn replan(&mut self, done: u64, now: f64, deadline: f64) {
        let left = (deadline - now) / self.state.step_seconds.max(1e-9);
        let fitting = (done + left.round().clamp(0.0, 1e12) as u64).max(1);
        self.state.planned = match self.length {
            TrainingLength::Until { most: Some(most), .. } => fitting.min(most.max(1)),
            _ => fitting,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::fake::FakeClock;
    use proptest::prelude::*;

    fn until(clock: &FakeClock, deadline: f64, planned: u64, step_seconds: f64) -> TrainingLength<'_> {
        TrainingLength::Until { clock, deadline, planned, most: None, step_seconds, following: None }
    }

    /// Runs a training whose steps take `step(now)` seconds; returns the progress before each step.
    fn train(clock: &FakeClock, pace: &mut Pacer<'_>, step: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut shares = Vec::new();
        while let NextStep::Take(share) = pace.next_step(shares.len() as u64) {
            shares.push(share);
            clock.advance(step(clock.seconds()));
        }
        shares
    }

    #[test]
    fn a_fixed_number_of_steps_says_where_a_resumed_training_stands() {
        let mut pace = Pacer::new(TrainingLength::Steps(7), None);
        let shares = train(&FakeClock::default(), &mut pace, |_| 1.0);
        assert_eq!(shares.len(), 7);
        for (before, share) in shares.into_iter().enumerate() {
            let resumed = Pacer::new(TrainingLength::Steps(7), None);
            assert_eq!(resumed.progress_of_last(before as u64 + 1), share, "after step {before}");
        }
    }

    proptest! {
        #[test]
        fn a_training_ends_within_a_step_of_its_deadline_and_anneals_its_rate(
            estimate in 0.001f64..2.0,
            true_step in 0.001f64..2.0,
            later in 0.2f64..5.0,
            time in 20.0f64..300.0,
        ) {
            let clock = FakeClock::default();
            // The machine becomes slower or faster halfway.
            let step = |now: f64| if now < time / 2.0 { true_step } else { true_step * later };
            let mut pace = Pacer::new(until(&clock, time, (time / estimate) as u64, estimate), None);
            let shares = train(&clock, &mut pace, step);
            let slowest = true_step * later.max(1.0);
            prop_assert!((clock.seconds() - time).abs() <= slowest + 1e-6, "{} of {time}", clock.seconds());
            prop_assert!(shares.is_sorted() && shares.iter().all(|s| (0.0..1.0).contains(s)));
            // The last tenth of the schedule was reached in any case.
            if time > 40.0 * slowest {
                prop_assert!(shares.last().copied().unwrap_or(0.0) > 0.9);
            }
        }
    }

    #[test]
    fn a_training_with_time_to_spare_has_its_steps_and_a_slow_one_as_many_as_fit() {
        for (time, step, expected) in [(1000.0, 0.1, 300), (20.0, 0.1, 200), (1000.0, 5.0, 200)] {
            let clock = FakeClock::default();
            let TrainingLength::Until { clock: of, deadline, step_seconds, following, .. } =
                until(&clock, time, 300, 0.1)
            else {
                unreachable!()
            };
            let length =
                TrainingLength::Until { clock: of, deadline, planned: 300, most: Some(300), step_seconds, following };
            let shares = train(&clock, &mut Pacer::new(length, None), |_| step);
            assert!(shares.len().abs_diff(expected) <= 2, "{} steps of {step} s in {time} s", shares.len());
            assert!(shares.is_sorted() && shares.last().is_some_and(|share| *share > 0.95), "{shares:?}");
        }
    }

    /// The schedule stays close to the clock when something else needs the machine for a moment, or from then on.
    #[test]
    fn other_work_for_a_moment_does_not_bring_the_learning_rate_down() {
        for (from, to) in [(2.0, 6.0), (30.0, 34.0), (80.0, 84.0)] {
            let clock = FakeClock::default();
            let step = |now: f64| if (from..to).contains(&now) { 0.8 } else { 0.1 };
            let mut pace = Pacer::new(until(&clock, 100.0, 1000, 0.1), None);
            let mut done = 0;
            while let NextStep::Take(share) = pace.next_step(done) {
                let time = clock.seconds() / 100.0;
                assert!((-0.07..0.07).contains(&(share - time)), "{share} at {time}, busy from {from}");
                clock.advance(step(clock.seconds()));
                done += 1;
            }
            assert!(pace.state().progress > 0.98, "{:?}", pace.state());
        }
    }

    #[test]
    fn there_is_always_a_first_step() {
        let clock = FakeClock::default();
        clock.advance(100.0);
        let mut pace = Pacer::new(until(&clock, 50.0, 1000, 0.1), None);
        assert_eq!(pace.next_step(0), NextStep::Take(0.0));
        assert_eq!(pace.next_step(1), NextStep::Complete);
    }

    #[test]
    fn a_resumed_training_keeps_its_decisions() {
        let clock = FakeClock::default();
        let mut pace = Pacer::new(until(&clock, 100.0, 10, 1.0), None);
        for done in 0..40 {
            pace.next_step(done);
            clock.advance(1.0);
        }
        let state = pace.state();
        assert_eq!(state.planned, 100);
        let mut again = Pacer::new(until(&clock, 100.0, 10, 1.0), Some(state));
        assert_eq!(again.progress_of_last(1), pace.progress_of_last(1));
        assert_eq!(again.next_step(40), NextStep::Take(0.4));
        assert_eq!(again.planned(), 100);
        // Set back to an earlier step, the schedule does not start again.
        assert_eq!(again.next_step(30), NextStep::Take(0.4));
    }

    #[test]
    fn an_overestimated_evaluation_is_corrected() {
        let clock = FakeClock::default();
        // Evaluation takes 20 s of 170. When the plan was made, the machine stalled, and it seemed to take all of them.
        let following = Some(FollowingEvaluation { seconds: 170.0, batch: 256, batch_seconds: 4.25 });
        let length = TrainingLength::Until {
            clock: &clock,
            deadline: 0.0,
            planned: 1,
            most: None,
            step_seconds: 1.0,
            following,
        };
        let mut pace = Pacer::new(length, None);
        let mut done = 0;
        while let NextStep::Take(_) = pace.next_step(done) {
            if pace.due_timing().is_some() {
                clock.advance(0.5);
                pace.record_timing(0.5);
            }
            clock.advance(1.0);
            done += 1;
        }
        assert!((clock.seconds() - 150.0).abs() < 1.0, "{}", clock.seconds());
        assert!(done > 130, "{done}");
    }

    #[test]
    fn the_deadline_follows_the_timings_of_evaluation() {
        let clock = FakeClock::default();
        let following = Some(FollowingEvaluation { seconds: 20.0, batch: 32, batch_seconds: 0.05 });
        let length = TrainingLength::Until {
            clock: &clock,
            deadline: 100.0,
            planned: 100,
            most: None,
            step_seconds: 1.0,
            following,
        };
        let run = |pace: &mut Pacer<'_>, steps: std::ops::Range<u64>, seconds: &dyn Fn(u32) -> f64| {
            let mut timings = 0;
            for done in steps {
                assert!(matches!(pace.next_step(done), NextStep::Take(_)));
                if let Some(samples) = pace.due_timing() {
                    assert_eq!(samples, 32);
                    pace.record_timing(seconds(timings));
                    timings += 1;
                }
                clock.advance(1.0);
            }
            timings
        };
        let mut pace = Pacer::new(length, None);
        assert_eq!(pace.deadline(), 100.0);
        // One timing in five seconds; a single outlier has no effect.
        assert_eq!(run(&mut pace, 0..25, &|timings| if timings == 3 { 5.0 } else { 0.05 }), 5);
        assert!((pace.deadline() - 100.0).abs() < 1e-9, "{}", pace.deadline());
        // Evaluation becomes half as fast.
        run(&mut pace, 25..50, &|_| 0.1);
        assert!((pace.deadline() - 80.0).abs() < 1e-9, "{}", pace.deadline());
        assert_eq!(pace.planned(), 80);
        // Another process reads the timings; a state of a version without timings can be read, too.
        let text = serde_json::to_string(&pace.state()).expect("numbers");
        let state: PacerState = serde_json::from_str(&text).expect("the same");
        assert_eq!(state, pace.state());
        let mut again = Pacer::new(length, Some(state));
        assert_eq!(again.deadline(), pace.deadline());
        assert_eq!((again.next_step(50), again.due_timing()), (pace.next_step(50), pace.due_timing()));
        let old: PacerState =
            serde_json::from_str(r#"{"planned": 9, "step_seconds": 1.0, "progress": 0.5}"#).expect("old");
        assert_eq!(Pacer::new(length, Some(old)).deadline(), 100.0);
        // Evaluation becomes twice as fast, and the training ends at its new deadline.
        run(&mut pace, 50..75, &|_| 0.025);
        assert!((pace.deadline() - 110.0).abs() < 1e-9, "{}", pace.deadline());
        run(&mut pace, 75..110, &|_| 0.025);
        assert_eq!(pace.next_step(110), NextStep::Complete);
    }

    #[test]
    fn negligible_or_expensive_evaluation_is_not_timed() {
        let clock = FakeClock::default();
        let with = |seconds, batch_seconds| {
            let following = Some(FollowingEvaluation { seconds, batch: 32, batch_seconds });
            Pacer::new(
                TrainingLength::Until {
                    clock: &clock,
                    deadline: 100.0,
                    planned: 9,
                    most: None,
                    step_seconds: 1.0,
                    following,
                },
                None,
            )
        };
        assert_eq!(with(10.0, 0.5).due_timing(), Some(32));
        assert_eq!(with(0.5, 0.05).due_timing(), None);
        assert_eq!(with(10.0, 2.0).due_timing(), None);
        assert_eq!(Pacer::new(until(&clock, 100.0, 9, 1.0), None).due_timing(), None);
    }

    #[test]
    fn a_fixed_length_is_kept_unless_the_deadline_passes() {
        let mut pace = Pacer::new(TrainingLength::Steps(4), None);
        let turns: Vec<_> = (0..5).map(|done| pace.next_step(done)).collect();
        assert_eq!(
            turns,
            [NextStep::Take(0.0), NextStep::Take(0.25), NextStep::Take(0.5), NextStep::Take(0.75), NextStep::Complete]
        );
        let clock = FakeClock::default();
        let mut pace = Pacer::new(TrainingLength::StepsBefore(4, &clock, 10.0), None);
        assert_eq!(pace.next_step(0), NextStep::Take(0.0));
        clock.advance(11.0);
        assert_eq!((pace.next_step(1), pace.next_step(4)), (NextStep::OutOfTime, NextStep::Complete));
    }
}
