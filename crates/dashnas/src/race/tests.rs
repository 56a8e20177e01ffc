//! Tests of the race with made-up losses.

use crate::example_network::wrn_1d;
use crate::race::features::Geometry;
use crate::race::prior::{Knowledge, knowledge};
use crate::race::schedule::rounds;
use crate::race::state::{Generations, Race, RaceJob, RaceSettings};
use crate::record::race::{Origin, RaceRecord};
use crate::record::trial::Trial;
use aggconv::KernelSpace;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use dashnas_core::score::Score;

const RATES: [f64; 3] = [0.1, 0.01, 0.001];

fn race(seed: u64) -> Race {
    race_of(seed, knowledge(1, false))
}

fn race_of(seed: u64, knowledge: Knowledge) -> Race {
    let graph = wrn_1d();
    let space = KernelSpace::new([3, 7, 11, 15, 19], [1, 3, 7, 15]).expect("a valid space");
    let rate = |lr| Hyperparameters { lr, weight_decay: 0.0, momentum: 0.9, dropout: 0.0 };
    let noise = knowledge.noise_with(60);
    let generations = Generations::new(9, noise);
    Race::new(RaceSettings {
        geometry: Geometry::new(&graph, [1, 100], &space),
        space,
        plain: graph.plain_kernels(),
        bound: None,
        knowledge,
        rounds: rounds(9, 3, 1 + generations.networks(), 760, 600),
        noise,
        held_out: 100,
        generations,
        hyperparameters: RATES.map(rate).to_vec(),
        retrain_steps: 600,
        seed: Seed(seed),
    })
}

/// A made-up loss of a trial; `None` if it fails.
type Loss<'a> = &'a dyn Fn(&[[usize; 2]], &RaceJob) -> Option<f64>;

fn trial(number: usize, job: &RaceJob, kernels: &[[usize; 2]], loss: Loss<'_>) -> Trial {
    let score = loss(kernels, job).map(|loss| Score { metric: None, loss });
    Trial { trial: number, hyperparameters: job.hyperparameters, score, reason: None, rung: None, parts: vec![] }
}

/// Runs a race whose trials finish in the order that `pick` chooses among the open ones. Returns the jobs, the finished
/// trials and the result.
fn play(seed: u64, loss: Loss<'_>, pick: impl FnMut(usize) -> usize) -> (Vec<RaceJob>, Vec<Trial>, RaceRecord) {
    run(race(seed), loss, pick)
}

/// [`play`] for any race.
fn run(mut race: Race, loss: Loss<'_>, mut pick: impl FnMut(usize) -> usize) -> (Vec<RaceJob>, Vec<Trial>, RaceRecord) {
    let (mut jobs, mut open, mut finished): (Vec<RaceJob>, Vec<usize>, Vec<Trial>) = (vec![], vec![], vec![]);
    loop {
        while let Some(job) = race.job(jobs.len(), &finished) {
            open.push(jobs.len());
            jobs.push(job);
        }
        if open.is_empty() {
            finished.sort_by_key(|trial| trial.trial);
            let record = race.record(&finished);
            return (jobs, finished, record);
        }
        let number = open.remove(pick(open.len()));
        finished.push(trial(number, &jobs[number], race.kernels(jobs[number].contestant), loss));
    }
}

/// Networks with larger reaches are better.
fn reach(kernels: &[[usize; 2]], job: &RaceJob) -> Option<f64> {
    let reach: usize = kernels.iter().map(|&[k, d]| (k - 1) * d).sum();
    let slow = if job.hyperparameters.lr < 0.05 { 2.0 } else { 1.0 };
    Some(slow * (2.0 - reach as f64 / 1000.0).max(0.1))
}

#[test]
fn the_better_learning_rate_is_used_and_one_in_three_is_trained_again_for_longer() {
    let (jobs, _, record) = play(1, &reach, |_| 0);
    assert_eq!(jobs.len(), race(1).size().0);
    assert_eq!(jobs.iter().map(|job| job.steps).sum::<u64>(), race(1).size().1);
    assert_eq!(
        jobs[..2].iter().map(|job| (job.contestant, job.hyperparameters.lr)).collect::<Vec<_>>(),
        [(0, 0.1), (0, 0.01)]
    );
    assert!(jobs[2..].iter().all(|job| job.hyperparameters.lr == 0.1));
    assert_eq!(record.lr, 0.1);
    let of_round = |round: usize| jobs.iter().filter(move |job| job.round == round);
    assert_eq!((of_round(0).count(), of_round(1).count()), (10, 4));
    assert!(of_round(1).all(|job| job.steps == 3 * jobs[0].steps));
    // The plain network takes part in both.
    let plain = record.contestants.iter().find(|c| c.origin == Origin::Plain).expect("it takes part");
    assert_eq!(plain.trials.iter().map(|t| t.round).collect::<Vec<_>>(), [0, 1]);
    let slow = |kernels: &[[usize; 2]], job: &RaceJob| {
        reach(kernels, job).map(|loss| if job.hyperparameters.lr > 0.05 { 10.0 } else { loss })
    };
    let (jobs, _, record) = play(1, &slow, |_| 0);
    assert!(jobs[2..].iter().all(|job| job.hyperparameters.lr == 0.01) && record.lr == 0.01);
}

#[test]
fn new_networks_join_where_trials_tell_much() {
    let precise = || race_of(1, Knowledge { noise: 0.3, noise_of_few: 0.0, ..knowledge(1, false) });
    let (jobs, _, record) = run(precise(), &reach, |_| 0);
    let new: Vec<usize> =
        (0..record.contestants.len()).filter(|&c| record.contestants[c].origin == Origin::Proposal).collect();
    assert_eq!(new, (9..18).collect::<Vec<_>>(), "three generations of three");
    assert!(new.iter().all(|&c| record.contestants[c].trials[0].round == 0));
    // A generation follows from the trials before it.
    let mean = |of: std::ops::Range<usize>| {
        let n = of.len() as f64;
        of.map(|c| reach(&record.contestants[c].kernels, &jobs[0]).expect("a loss")).sum::<f64>() / n
    };
    assert!(mean(15..18) < mean(0..9), "{record:#?}");
    assert!(record.contestants[record.chosen].origin == Origin::Proposal);
    let mut turn = 0usize;
    let other = run(precise(), &reach, |open| {
        turn += 5;
        turn % open
    });
    assert_eq!((jobs, record), (other.0, other.2));
    assert!(play(1, &reach, |_| 0).2.contestants.iter().all(|c| c.origin != Origin::Proposal));
}

#[test]
fn the_order_in_which_trials_finish_changes_nothing() {
    for seed in 0..4 {
        let first = play(seed, &reach, |_| 0);
        let mut turn = 0usize;
        let other = play(seed, &reach, |open| {
            turn += 7;
            turn % open
        });
        assert_eq!(first, other);
        // Results alone restore the state: a resumed race asks for the same trials.
        for stop in 0..first.1.len() {
            let known = &first.1[..stop];
            let mut resumed = race(seed);
            let asked: Vec<RaceJob> = (0..).map_while(|n| resumed.job(n, known)).collect();
            assert!(asked.len() >= stop && asked[..] == first.0[..asked.len()]);
        }
    }
}

#[test]
fn large_differences_decide_against_what_is_known_from_other_data() {
    // The loss falls by half with every 100 positions of reach.
    let sum = |kernels: &[[usize; 2]]| kernels.iter().map(|&[k, d]| (k - 1) * d).sum::<usize>();
    let loss = |kernels: &[[usize; 2]], _: &RaceJob| Some((-(sum(kernels) as f64) / 100.0).exp2());
    let (_, _, record) = play(2, &loss, |_| 0);
    let chosen = &record.contestants[record.chosen];
    let better = record.contestants.iter().filter(|c| sum(&c.kernels) > sum(&chosen.kernels)).count();
    assert_eq!(better, 0, "{record:#?}");
    assert!(record.better_than_plain.is_some_and(|p| p > 0.75), "{:?}", record.better_than_plain);
    assert_eq!(chosen.verdict, "chosen");
}

#[test]
fn without_differences_the_portfolio_decides_and_the_record_says_so() {
    let (_, _, record) = play(3, &|_, _| Some(0.5), |_| 0);
    assert_eq!(record.contestants[record.chosen].origin, Origin::Portfolio);
    assert_eq!(record.chosen, 0);
}

#[test]
fn a_network_that_is_worse_than_the_plain_one_is_not_chosen() {
    let plain = race(4).kernels(1).to_vec();
    let loss = |kernels: &[[usize; 2]], _: &RaceJob| Some(if kernels == plain { 0.5 } else { 0.51 });
    let (_, _, record) = play(4, &loss, |_| 0);
    assert_eq!(record.contestants[record.chosen].origin, Origin::Plain);
    assert!(record.conclusion.contains("plain network"), "{}", record.conclusion);
    let others = record.contestants.iter().filter(|c| c.origin != Origin::Plain);
    assert!(others.clone().all(|c| c.verdict != "chosen"));
}

#[test]
fn failures_are_not_trained_again() {
    let loss = |kernels: &[[usize; 2]], job: &RaceJob| reach(kernels, job).filter(|_| kernels[0][0] != 7);
    let (jobs, trials, record) = play(5, &loss, |_| 0);
    for job in jobs.iter().filter(|job| job.round == 1) {
        let before = |(number, other): (usize, &RaceJob)| {
            other.contestant == job.contestant && other.round == 0 && trials[number].score.is_none()
        };
        assert!(!jobs.iter().enumerate().any(before));
    }
    assert!(record.contestants[record.chosen].kernels[0][0] != 7);
    let (_, _, record) = play(5, &|_, _| None, |_| 0);
    assert_eq!(record.chosen, 0, "where nothing can be trained, the best one by other data");
}

#[test]
fn a_race_that_ends_early_chooses_by_what_is_known() {
    let (_, trials, whole) = play(6, &reach, |_| 0);
    for stop in 0..trials.len() {
        let known = &trials[..stop];
        let mut cut = race(6);
        let _ = (0..).map_while(|n| cut.job(n, known)).count();
        let record = cut.record(known);
        assert!(record.chosen < record.contestants.len());
        assert!(stop < trials.len() || record == whole);
    }
    let untouched = race(6).record(&[]);
    assert_eq!((untouched.chosen, untouched.contestants[0].origin), (0, Origin::Portfolio));
}
