//! Plans of whole runs, carried out on a fake clock.

use crate::asha::{Asha, AshaSettings};
use crate::budget::clock::Clock;
use crate::budget::cost::{CostModel, EvaluationCost};
use crate::budget::fake::FakeClock;
use crate::budget::pace::{FollowingEvaluation, NextStep, Pacer, TrainingLength};
use crate::budget::plan::{RequestedSteps, RequestedTuning, RequestedWork, SampleCounts, TimePlan, TunePlan};
use crate::budget::too_short::{MIN_TRAINING_STEPS, MOST_EVALUATION, TooShort};
use dashnas_core::names::Tuner;
use dashnas_core::score::Score;
use proptest::prelude::*;

/// A simulated machine: the seconds of its steps and evaluations, and how they change over time.
#[derive(Debug, Clone)]
struct Machine {
    search: f64,
    train: f64,
    evaluate: f64,
    /// The factor on all times from `turn` on.
    later: f64,
    turn: f64,
}

impl Machine {
    fn factor(&self, now: f64) -> f64 {
        if now < self.turn { 1.0 } else { self.later }
    }

    fn search_step(&self, batch: usize) -> f64 {
        self.search * (0.1 + 0.9 * batch as f64 / 64.0)
    }

    fn train_step(&self, width: usize, batch: usize) -> f64 {
        self.train * (0.1 + 0.9 * batch as f64 / 64.0) * (width * width) as f64 / 16.0
    }

    fn evaluate(&self, width: usize) -> f64 {
        self.evaluate * (width * width) as f64 / 16.0
    }
}

/// Measures each cost once, by spending the time of two steps.
struct Measured<'a> {
    machine: &'a Machine,
    clock: &'a FakeClock,
    asked: std::collections::BTreeMap<(usize, usize, usize), f64>,
}

impl Measured<'_> {
    fn ask(&mut self, key: (usize, usize, usize), cost: f64, spent: f64) -> f64 {
        *self.asked.entry(key).or_insert_with(|| {
            self.clock.advance(spent * self.machine.factor(self.clock.seconds()));
            cost * self.machine.factor(self.clock.seconds())
        })
    }
}

impl CostModel for Measured<'_> {
    fn search_step(&mut self, batch: usize) -> f64 {
        let cost = self.machine.search_step(batch);
        self.ask((0, 0, batch), cost, 2.0 * cost)
    }

    fn train_step(&mut self, width: usize, batch: usize) -> f64 {
        let cost = self.machine.train_step(width, batch);
        self.ask((1, width, batch), cost, 2.0 * cost)
    }

    fn evaluation(&mut self, width: usize, plain: bool) -> EvaluationCost {
        let cost = self.machine.evaluate(width);
        let sample = self.ask((2, width, usize::from(plain)), cost, 16.0 * cost);
        EvaluationCost { sample, batch: TIMED_BATCH, seconds: TIMED_BATCH as f64 * sample }
    }
}

/// The size of the evaluation batch that is timed.
const TIMED_BATCH: usize = 32;

fn requested(steps: [u64; 3], trials: usize, tuner: Option<Tuner>) -> RequestedWork {
    let asha = AshaSettings { samples: 9, reduction: 3, brackets: 1, min_steps: 10, max_steps: steps[1], workers: 2 };
    RequestedWork {
        search: RequestedSteps { steps: steps[0], batch: 64 },
        tune: Some(RequestedTuning { trials, steps: steps[1], tuner, asha }),
        retrain: RequestedSteps { steps: steps[2], batch: 64 },
        baseline: true,
        widths: vec![4, 2, 1],
        samples: SampleCounts { train: 2000, validation: 500, test: 1000 },
        subsample: 0.5,
        use_all: true,
    }
}

/// The result of a run.
#[derive(Debug)]
struct Ran {
    plan: TimePlan,
    end: f64,
    searched: u64,
    trials: usize,
    retrained: u64,
    compared: bool,
    /// Seconds of the longest step.
    grain: f64,
}

/// Runs on a simulated machine, from the end of reading the data on, within a limit that is long enough.
fn run(requested: &RequestedWork, limit: f64, spent: f64, machine: &Machine) -> Ran {
    run_or_refuse(requested, limit, spent, machine).expect("long enough")
}

/// As [`run`], within any limit.
fn run_or_refuse(requested: &RequestedWork, limit: f64, spent: f64, machine: &Machine) -> Result<Ran, TooShort> {
    let clock = FakeClock::default();
    clock.advance(spent);
    let mut costs = Measured { machine, clock: &clock, asked: Default::default() };
    let mut plan = TimePlan::new(requested, limit, &clock, &mut costs)?;
    let mut grain: f64 = 0.0;
    let until = |deadline, planned, step_seconds, following: Option<FollowingEvaluation>| {
        let most = (!requested.use_all).then_some(planned);
        TrainingLength::Until { clock: &clock, deadline, planned, most, step_seconds, following }
    };
    let mut train = |cost: f64, evaluation: f64, length: TrainingLength<'_>| {
        let mut pace = Pacer::new(length, None);
        let mut done = 0;
        while matches!(pace.next_step(done), NextStep::Take(_)) {
            if let Some(samples) = pace.due_timing() {
                assert_eq!(samples, TIMED_BATCH);
                let seconds = evaluation * machine.factor(clock.seconds());
                clock.advance(seconds);
                pace.record_timing(seconds);
            }
            let step = cost * machine.factor(clock.seconds());
            grain = grain.max(step);
            clock.advance(step);
            done += 1;
        }
        done
    };
    let mut searched = 0;
    if let Some(s) = plan.search {
        searched = train(machine.search_step(s.batch), 0.0, until(s.until, s.steps, s.step_seconds, None));
    }
    let step = machine.train_step(plan.width, plan.training.batch);
    costs.asked.clear();
    plan.after_search(requested, &clock, &mut costs);
    let training = plan.training.clone();
    let validate = machine.evaluate(plan.width) * requested.samples.validation as f64;
    let deadlines = training.deadlines(false);
    let mut trials = 0;
    let mut a_trial = |steps: u64| {
        let cost = steps as f64 * training.step_seconds + validate;
        if !deadlines.has_time_for_trial(clock.seconds(), cost, trials) {
            return false;
        }
        train(step, 0.0, TrainingLength::StepsBefore(steps, &clock, deadlines.latest_tune));
        clock.advance(validate * machine.factor(clock.seconds()));
        trials += 1;
        true
    };
    match training.tune {
        TunePlan::None => {}
        TunePlan::Grid { trials, steps } => {
            let _ = (0..trials).all(|_| a_trial(steps));
        }
        TunePlan::Asha { size } => {
            let mut asha = Asha::new(size);
            while let Some(&job) = asha.pending().first() {
                if !a_trial(job.steps) {
                    break;
                }
                let value = (job.sample * 7 % 5) as f64;
                asha.finish(job, Some(Score { metric: Some(value), loss: value }));
            }
        }
    }
    let evaluation = machine.evaluate(plan.width) * TIMED_BATCH as f64;
    let length =
        until(training.retrain_until, training.steps, training.step_seconds, FollowingEvaluation::of(&plan, false));
    let retrained = train(step, evaluation, length);
    if let Some(end) = training.baseline_until {
        train(
            step,
            evaluation,
            until(end, training.steps, training.step_seconds, FollowingEvaluation::of(&plan, true)),
        );
    }
    let tests = if training.baseline_until.is_some() { 2.0 } else { 1.0 };
    clock.advance(
        tests * machine.evaluate(plan.width) * requested.samples.test as f64 * machine.factor(clock.seconds()),
    );
    let compared = training.baseline_until.is_some();
    Ok(Ran { end: clock.seconds(), searched, trials, retrained, compared, plan, grain })
}

const STEADY: Machine = Machine { search: 0.05, train: 0.04, evaluate: 1e-4, later: 1.0, turn: 0.0 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Machines from fast to far too slow, which keep their speed, or become four times as slow or as fast.
    #[test]
    fn a_run_ends_at_its_limit_with_a_trained_model(
        limit in 60.0f64..3600.0,
        search in 0.002f64..1.5,
        train in 0.002f64..1.5,
        evaluate in 1e-6f64..3e-3,
        later in prop::sample::select(vec![1.0, 1.0, 4.0, 0.25]),
        turn in 0.1f64..0.9,
        read in 0.0f64..0.1,
        tuner in prop::sample::select(vec![None, Some(Tuner::Grid), Some(Tuner::Asha)]),
        trials in 1usize..25,
        steps in (20u64..3000, 10u64..800, 100u64..9000),
    ) {
        let machine = Machine { search, train, evaluate, later, turn: turn * limit };
        let requested = requested([steps.0, steps.1, steps.2], trials, tuner);
        let ran = match run_or_refuse(&requested, limit, read * limit, &machine) {
            Ok(ran) => ran,
            Err(short) => {
                prop_assert!(short.least > limit, "{short:?}");
                // The limit that is named suffices on a machine that keeps its speed.
                let steady = Machine { later: 1.0, ..machine };
                let ran = run_or_refuse(&requested, short.least, read * limit, &steady);
                prop_assert!(ran.is_ok(), "{short:?}: {ran:?}");
                return Ok(());
            }
        };
        if later == 1.0 {
            // Measured again after the search, steps and their number may differ a little.
            prop_assert!(ran.retrained >= steps.2.min(MIN_TRAINING_STEPS) * 4 / 5, "{ran:?}");
        }
        prop_assert!(ran.retrained >= 1);
        // Evaluation is the one part that cannot be shortened: it takes longer if the machine becomes slower.
        let tests = if ran.compared { 2.0 } else { 1.0 };
        let evaluation = tests * machine.evaluate(ran.plan.width) * requested.samples.test as f64;
        let surprise = evaluation * (machine.later - 1.0).abs();
        let within = 0.03 * limit + surprise + ran.grain;
        prop_assert!((ran.end - limit).abs() <= within, "{} s of {limit}: {ran:?}", ran.end);
        let over = ran.end - limit;
        prop_assert!(over <= 10.0 || over <= surprise + 2.0 * ran.grain, "{over} s over: {ran:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The end is within 3 % of the limit although evaluation takes up to an eighth of it and the machine becomes
    /// twice as fast or as slow, from the start or at any time in the first six tenths.
    #[test]
    fn training_leaves_evaluation_the_time_that_it_turns_out_to_need(
        limit in 60.0f64..3600.0,
        share in 0.01f64..0.12,
        later in prop::sample::select(vec![0.5, 1.0, 2.0]),
        turn in 0.0f64..0.6,
        training in prop::sample::select(vec![5.0, 12.0]),
    ) {
        let mut requested = requested([limit as u64, (limit / 4.0) as u64, (training * limit) as u64], 3, None);
        requested.samples.test = 10_000;
        // A training short enough to be followed by that of the plain backbone.
        let compared = training < 10.0;
        let evaluate = share * limit / requested.samples.test as f64 / if compared { 2.0 } else { 1.0 };
        let machine = Machine { evaluate, later, turn: turn * limit, ..STEADY };
        let ran = run(&requested, limit, 0.01 * limit, &machine);
        prop_assert!((ran.end - limit).abs() <= 0.03 * limit + 2.0 * ran.grain, "{} s of {limit}: {ran:?}", ran.end);
        prop_assert!(later != 1.0 || ran.compared == compared, "{ran:?}");
    }
}

#[test]
fn a_note_on_skipped_tuning_is_withdrawn_if_there_is_time_after_the_search() {
    // The machine is ten times as fast when the search is over.
    let machine = Machine { train: 0.5, later: 0.1, turn: 10.0, ..STEADY };
    let requested = requested([2000, 500, 8000], 24, None);
    let clock = FakeClock::default();
    let mut costs = Measured { machine: &machine, clock: &clock, asked: Default::default() };
    let mut plan = TimePlan::new(&RequestedWork { widths: vec![4], ..requested.clone() }, 60.0, &clock, &mut costs)
        .expect("long enough");
    let skipped = |plan: &TimePlan| plan.notes.iter().any(|note| note.starts_with("tuning skipped"));
    assert!(plan.training.tune == TunePlan::None && skipped(&plan), "{plan}");
    let mut config = crate::config::Config::preset(dashnas_core::names::Preset::Quick);
    plan.apply(&mut config);
    assert!(!config.tune.enabled);
    clock.advance(15.0);
    costs.asked.clear();
    plan.after_search(&requested, &clock, &mut costs);
    assert!(plan.training.tune != TunePlan::None && !skipped(&plan), "{plan}");
    plan.apply(&mut config);
    assert!(config.tune.enabled);
}

#[test]
fn an_evaluation_that_seems_slow_after_the_search_leaves_time_for_the_shortest_training() {
    // Everything seems to take 30 times as long when it is timed again: evaluation more than what is left.
    let mut requested = requested([2000, 500, 8000], 3, None);
    requested.samples.test = 10_000;
    let machine = Machine { evaluate: 0.001, later: 30.0, turn: 20.0, train: 0.02, ..STEADY };
    let clock = FakeClock::default();
    let mut costs = Measured { machine: &machine, clock: &clock, asked: Default::default() };
    let mut plan = TimePlan::new(&requested, 60.0, &clock, &mut costs).expect("long enough");
    clock.advance(25.0);
    costs.asked.clear();
    plan.after_search(&requested, &clock, &mut costs);
    assert!(plan.evaluation.seconds > 60.0 && plan.training.steps >= 48, "{plan}");
    assert!(plan.notes.iter().any(|note| note.contains("may take longer than its limit")), "{plan}");
}

#[test]
fn time_to_spare_lengthens_everything_and_keeps_the_baseline() {
    let requested = requested([200, 50, 400], 3, None);
    let ran = run(&requested, 120.0, 1.0, &STEADY);
    assert!(ran.compared && ran.plan.notes.is_empty(), "{ran:?}");
    assert_eq!((ran.plan.width, ran.trials), (4, 3));
    assert!(ran.searched >= 395, "twice the requested steps: {}", ran.searched);
    assert!(ran.retrained > 800, "{}", ran.retrained);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A run that need not use all its time ends by its limit, does no more than was asked for, and does all of it where
    /// there is time.
    #[test]
    fn a_run_with_time_to_spare_does_what_was_asked_for_and_ends(
        limit in 60.0f64..100_000.0,
        train in 0.002f64..1.5,
        later in prop::sample::select(vec![1.0, 1.0, 2.0, 0.5]),
        turn in 0.1f64..0.9,
        steps in (20u64..3000, 10u64..800, 100u64..9000),
    ) {
        let machine = Machine { train, later, turn: turn * limit, ..STEADY };
        let requested = RequestedWork { use_all: false, ..requested([steps.0, steps.1, steps.2], 3, None) };
        let Ok(ran) = run_or_refuse(&requested, limit, 1.0, &machine) else { return Ok(()) };
        prop_assert!(ran.end <= limit * 1.03 + ran.grain + 2.0, "{} s of {limit}: {ran:?}", ran.end);
        prop_assert!(ran.searched <= steps.0.max(100) && ran.retrained <= steps.2, "{ran:?}");
        let whole = STEADY.search * steps.0 as f64 + 2.0 * train * (3 * steps.1 + steps.2) as f64;
        if 2.5 * whole + 60.0 < limit {
            prop_assert_eq!((ran.searched, ran.trials, ran.retrained, ran.compared), (steps.0, 3, steps.2, true));
            prop_assert!(ran.end < 2.2 * whole + 60.0, "{} s for {whole} s of work in {limit} s", ran.end);
        }
    }
}

#[test]
fn work_that_fits_only_without_the_baseline_leaves_it_out() {
    let requested = requested([200, 50, 400], 3, None);
    let ran = run(&requested, 40.0, 1.0, &STEADY);
    assert!(!ran.compared && ran.plan.notes.len() == 1, "{ran:?}");
    assert!(ran.searched >= 195 && ran.retrained >= 400, "{ran:?}");
}

#[test]
fn much_work_in_little_time_leads_to_a_narrower_network_and_fewer_trials() {
    let requested = requested([2000, 500, 8000], 24, None);
    let ran = run(&requested, 60.0, 1.0, &STEADY);
    assert!(ran.plan.width < 4, "{ran:?}");
    assert!(ran.searched >= 100 && ran.retrained >= 400, "{ran:?}");
    assert!(matches!(ran.plan.training.tune, TunePlan::Asha { .. }), "{ran:?}");
    assert!(ran.trials >= 4, "{ran:?}");
    let text = ran.plan.to_string();
    for part in ["plan for 60.0 s", "search", "ASHA", "retrain", "evaluate", "note: network width reduced"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn an_expensive_search_takes_small_batches_or_is_skipped() {
    let requested = requested([400, 50, 1000], 3, None);
    let slow = Machine { search: 1.0, ..STEADY };
    let ran = run(&requested, 120.0, 1.0, &slow);
    assert!(ran.plan.search.is_some_and(|s| s.batch < 64) && ran.searched >= 40, "{ran:?}");
    let slower = Machine { search: 20.0, ..STEADY };
    let ran = run(&requested, 120.0, 1.0, &slower);
    assert!(ran.plan.search.is_none() && ran.plan.notes.iter().any(|n| n.contains("search skipped")), "{ran:?}");
    assert!(ran.retrained > 100, "{ran:?}");
}

#[test]
fn the_limit_grows_the_training() {
    let requested = requested([1000, 200, 4000], 12, None);
    let trained: Vec<_> = [60.0, 120.0, 300.0, 600.0, 1200.0]
        .into_iter()
        .map(|limit| {
            let ran = run(&requested, limit, 1.0, &STEADY);
            (ran.plan.width, ran.retrained)
        })
        .collect();
    let work = |(width, steps): &(usize, u64)| (width * width) as u64 * steps;
    assert!(trained.windows(2).all(|w| work(&w[0]) < work(&w[1])), "{trained:?}");
}

#[test]
fn plans_are_stored_as_json() {
    let ran = run(&requested([1000, 200, 4000], 12, None), 60.0, 1.0, &STEADY);
    let text = serde_json::to_string(&ran.plan).unwrap();
    let back: TimePlan = serde_json::from_str(&text).unwrap();
    assert_eq!(back.training.tune, ran.plan.training.tune);
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old.as_object_mut().unwrap().remove("evaluation");
    let old: TimePlan = serde_json::from_value(old).unwrap();
    assert!(FollowingEvaluation::of(&ran.plan, false).is_some() && FollowingEvaluation::of(&old, false).is_none());
    assert_eq!(back.search.map(|s| s.steps), ran.plan.search.map(|s| s.steps));
}

#[test]
fn there_is_no_search_where_the_kernels_are_given() {
    // With time for everything, and with time for a part of it.
    for limit in [36000.0, 60.0] {
        let ran = run(&requested([0, 200, 1000], 4, None), limit, 1.0, &STEADY);
        assert!(ran.plan.search.is_none() && ran.searched == 0 && ran.retrained > 0, "{ran:?}");
        assert!(!ran.plan.notes.iter().any(|note| note.contains("search")), "{:?}", ran.plan.notes);
        assert!(ran.end <= 1.05 * limit, "{ran:?}");
    }
}

#[test]
fn an_evaluation_that_takes_most_of_the_limit_leads_to_a_narrower_network_or_a_refusal() {
    // Both networks in full width would be evaluated for 50 s.
    let mut requested = requested([2000, 500, 8000], 24, None);
    requested.samples.test = 40_000;
    let slow = Machine { evaluate: 1.25e-3, ..STEADY };
    let ran = run(&requested, 60.0, 1.0, &slow);
    assert!(ran.plan.width < 4 && ran.plan.evaluation.seconds <= MOST_EVALUATION * 60.0, "{ran:?}");
    assert!(ran.end <= 62.0 && ran.retrained >= MIN_TRAINING_STEPS, "{ran:?}");
    // A network that cannot be narrower.
    requested.widths = vec![4];
    let short = run_or_refuse(&requested, 60.0, 1.0, &slow).expect_err("50 s of 60 s are too much");
    assert!((100.0..=150.0).contains(&short.least) && short.test == 40_000, "{short:?}");
    let text = short.to_string();
    for part in ["a time limit of 60 s is too short", "50 steps of 8 samples", "40000 test samples takes 50 s"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let ran = run(&requested, short.least, 1.0, &slow);
    assert!(ran.end <= 1.03 * short.least, "{ran:?}");
    // It is a limit that is enough, with a margin of a fifth, and not the shortest one.
    assert!(run_or_refuse(&requested, 0.9 * short.least, 1.0, &slow).is_ok(), "{short:?}");
    assert!(run_or_refuse(&requested, 0.6 * short.least, 1.0, &slow).is_err(), "{short:?}");
}
