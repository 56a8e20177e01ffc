//! The state of a race: a function of the results of its trials alone, in whatever order they came.

use crate::race::conclusion::{Sure, conclusion};
use crate::race::features::Geometry;
use crate::race::prior::Knowledge;
use crate::race::proposals::{Field, Proposal, change, first};
use crate::race::schedule::Round;
use crate::race::size::SizeBound;
use crate::race::surrogate::{Observation, Posterior, Subject};
use crate::record::race::{Belief, Contestant, Origin, RaceRecord, RaceTrial};
use crate::record::trial::Trial;
use aggconv::KernelSpace;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use std::ops::Range;

/// What a race is run on.
#[derive(Debug)]
pub(crate) struct RaceSettings {
    /// The searched layers of the network.
    pub geometry: Geometry,
    /// The kernels to choose from.
    pub space: KernelSpace,
    /// The original kernels of the backbone.
    pub plain: Vec<[usize; 2]>,
    /// The bound on the number of parameters, if there is one.
    pub bound: Option<SizeBound>,
    /// What is known from other data sets.
    pub knowledge: Knowledge,
    /// The variance of a trial of a tenth of the steps of retraining about the final quality.
    pub noise: f64,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// The networks that the trials of the first round suggest, which join it in generations.
    pub generations: Generations,
    /// The hyperparameters of the trials; the first two learning rates are tried on the first network.
    pub hyperparameters: Vec<Hyperparameters>,
    /// Steps of retraining.
    pub retrain_steps: u64,
    /// The number of held-out samples that score a trial.
    pub held_out: usize,
    /// The seed of the run.
    pub seed: Seed,
}

impl RaceSettings {
    /// The networks that may enter.
    fn field(&self) -> Field<'_> {
        Field { geometry: &self.geometry, space: &self.space, bound: self.bound.as_ref() }
    }
}

/// Networks that join the first round of a race while it is run: each generation follows from the trials so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Generations {
    /// The number of generations.
    pub number: usize,
    /// The networks of each.
    pub size: usize,
}

impl Generations {
    /// The generations of a race that `networks` networks enter: none where trials tell too little, since a new network
    /// would be a random one.
    pub fn new(networks: usize, noise: f64) -> Self {
        match noise < MOST_NOISE {
            true => Self { number: 3, size: networks / 3 },
            false => Self::default(),
        }
    }

    /// The number of all of their networks.
    pub fn networks(self) -> usize {
        self.number * self.size
    }
}

/// A trial that a race asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RaceJob {
    /// The number of the contestant.
    pub contestant: usize,
    /// The round.
    pub round: usize,
    /// Training steps.
    pub steps: u64,
    /// The training hyperparameters.
    pub hyperparameters: Hyperparameters,
}

/// A race in progress.
#[derive(Debug)]
pub(crate) struct Race {
    settings: RaceSettings,
    entrants: Vec<Proposal>,
    subjects: Vec<Subject>,
    /// The trials that were asked for so far, by their numbers.
    jobs: Vec<RaceJob>,
    /// The number of trials of the phases that are complete.
    complete: usize,
    /// The next phase: 0 tries learning rates, 1 is the rest of the first round, 2 the second round, and so on.
    phase: usize,
    /// The generations that have joined the first round.
    generation: usize,
    /// The hyperparameters that all trials but the first ones have.
    best: Hyperparameters,
}

impl Race {
    /// A race before its first trial.
    pub fn new(settings: RaceSettings) -> Self {
        let networks = settings.rounds.first().map_or(1, |round| round.networks);
        let stream = &mut settings.seed.stream("race/first", &[]);
        let entrants = first(networks, settings.field(), &settings.knowledge, &settings.plain, stream);
        let subjects = entrants.iter().map(|e| subject(e, &settings.geometry)).collect();
        let best = settings.hyperparameters[0];
        Self { settings, entrants, subjects, jobs: Vec::new(), complete: 0, phase: 0, generation: 0, best }
    }

    /// The number of networks in the first round.
    pub fn networks(&self) -> usize {
        self.entrants.len()
    }

    /// The number of rounds.
    pub fn rounds(&self) -> usize {
        self.settings.rounds.len()
    }

    /// Trials and steps of the whole race.
    pub fn size(&self) -> (usize, u64) {
        // A small space has fewer networks than a round has room for.
        let networks = |round: &Round| round.networks.min(self.entrants.len());
        let rounds = &self.settings.rounds;
        let rates = self.learning_rates().len().saturating_sub(1);
        let extra = if self.entrants.is_empty() { 0 } else { rates + self.settings.generations.networks() };
        let first = rounds.first().map_or(0, |round| extra as u64 * round.steps);
        let trials: usize = rounds.iter().map(networks).sum();
        (trials + extra, first + rounds.iter().map(|round| networks(round) as u64 * round.steps).sum::<u64>())
    }

    /// The hyperparameters that the first network is tried with.
    fn learning_rates(&self) -> &[Hyperparameters] {
        let all = &self.settings.hyperparameters;
        &all[..all.len().min(2)]
    }

    /// The kernels of a contestant.
    pub fn kernels(&self, contestant: usize) -> &[[usize; 2]] {
        &self.entrants[contestant].kernels
    }

    /// Returns the trial of a number, from 0; `None` if it depends on trials that are not among the `finished` ones, or
    /// if the race is over.
    pub fn job(&mut self, number: usize, finished: &[Trial]) -> Option<RaceJob> {
        while number >= self.jobs.len() {
            // The next phase follows from the results of all before it.
            let known = (self.complete..self.jobs.len()).all(|trial| finished.iter().any(|t| t.trial == trial));
            if !known || !self.plan_phase(finished) {
                return None;
            }
        }
        self.jobs.get(number).cloned()
    }

    /// Adds the trials of the next phase; false if the race is over.
    fn plan_phase(&mut self, finished: &[Trial]) -> bool {
        self.complete = self.jobs.len();
        let Some(&first) = self.settings.rounds.first() else { return false };
        let job =
            |contestant, round: usize, steps, hyperparameters| RaceJob { contestant, round, steps, hyperparameters };
        match self.phase {
            0 => {
                let tried = self.learning_rates().to_vec();
                self.jobs.extend(tried.into_iter().map(|h| job(0, 0, first.steps, h)));
            }
            1 => {
                self.best = self.best_hyperparameters(finished);
                let best = self.best;
                self.jobs.extend((1..self.entrants.len()).map(|c| job(c, 0, first.steps, best)));
            }
            2 if self.generation < self.settings.generations.number => {
                let best = self.best;
                let new = self.propose(finished);
                self.jobs.extend(new.map(|c| job(c, 0, first.steps, best)));
                self.generation += 1;
                return true;
            }
            phase => {
                let number = phase - 1;
                let Some(&round) = self.settings.rounds.get(number) else { return false };
                let best = self.best;
                for contestant in self.survivors(round.networks, finished) {
                    self.jobs.push(job(contestant, number, round.steps, best));
                }
            }
        }
        self.phase += 1;
        // A phase may be empty: the next one follows.
        true
    }

    /// The hyperparameters of the best of the first trials, by the loss.
    fn best_hyperparameters(&self, finished: &[Trial]) -> Hyperparameters {
        let tried = finished.iter().filter(|t| t.trial < self.complete);
        let scored = tried.filter_map(|t| t.score.map(|s| (s.loss, t.hyperparameters)));
        scored.reduce(|a, b| if b.0 < a.0 { b } else { a }).map_or(self.best, |found| found.1)
    }

    /// The contestants without a failed trial, those of which most is expected first.
    fn ranked(&self, posterior: &Posterior<'_>, finished: &[Trial]) -> Vec<usize> {
        let beliefs: Vec<Belief> = (0..self.entrants.len()).map(|c| posterior.belief(c)).collect();
        let mut order: Vec<usize> = (0..self.entrants.len()).filter(|&c| !self.failed(c, finished)).collect();
        order.sort_by(|&a, &b| beliefs[a].mean.total_cmp(&beliefs[b].mean).then(a.cmp(&b)));
        order
    }

    /// Adds the networks of the next generation to the contestants, and returns their numbers. Each is one of the two
    /// networks of which most is expected, with one or two segments of its layers changed as the features suggest, whose
    /// weights are drawn from what is believed of them.
    fn propose(&mut self, finished: &[Trial]) -> Range<usize> {
        let observations = self.observations(finished);
        let s = &self.settings;
        let posterior = Posterior::new(s.knowledge.spread, &self.subjects, &observations);
        let order = self.ranked(&posterior, finished);
        let mut known: Vec<_> = self.entrants.iter().map(|e| e.kernels.clone()).collect();
        let mut new: Vec<Proposal> = Vec::new();
        for number in 0..s.generations.size {
            let Some(&base) = order.get(number % 2) else { break };
            let coordinates = [self.generation as u64, number as u64];
            let weights = posterior.draw(&mut s.seed.stream("race/proposal", &coordinates));
            let mut proposal = change(&self.entrants[base], &weights, &known, s.field());
            if number % 3 == 1 {
                proposal = proposal.and_then(|one| change(&one, &weights, &known, s.field()));
            }
            known.extend(proposal.iter().map(|p| p.kernels.clone()));
            new.extend(proposal);
        }
        let first = self.entrants.len();
        self.subjects.extend(new.iter().map(|p| subject(p, &self.settings.geometry)));
        self.entrants.extend(new);
        first..self.entrants.len()
    }

    /// The contestants of a round after the first: those of which most is expected, and the plain network.
    fn survivors(&self, networks: usize, finished: &[Trial]) -> Vec<usize> {
        let observations = self.observations(finished);
        let posterior = Posterior::new(self.settings.knowledge.spread, &self.subjects, &observations);
        let mut order = self.ranked(&posterior, finished);
        let plain = self.plain().filter(|&plain| !self.failed(plain, finished));
        order.retain(|&c| Some(c) != plain);
        let others = networks.saturating_sub(plain.iter().len());
        order.truncate(others);
        order.extend(plain);
        order
    }

    /// The number of the plain network.
    fn plain(&self) -> Option<usize> {
        self.entrants.iter().position(|e| e.origin == Origin::Plain)
    }

    /// Whether a trial of a contestant failed.
    fn failed(&self, contestant: usize, finished: &[Trial]) -> bool {
        self.trials(contestant, finished).any(|(job, trial)| trial.score.is_none() && job.hyperparameters == self.best)
    }

    /// The finished trials of a contestant.
    fn trials<'t>(
        &'t self,
        contestant: usize,
        finished: &'t [Trial],
    ) -> impl Iterator<Item = (&'t RaceJob, &'t Trial)> {
        let all = finished.iter().filter_map(|t| self.jobs.get(t.trial).map(|job| (job, t)));
        all.filter(move |(job, _)| job.contestant == contestant)
    }

    /// The trials with the hyperparameters of the race as observations, round by round.
    fn observations(&self, finished: &[Trial]) -> Vec<Observation> {
        let mut all = Vec::new();
        for round in 0..self.settings.rounds.len() {
            let of_round: Vec<(usize, &Trial, f64)> = finished
                .iter()
                .filter_map(|trial| {
                    let job = self.jobs.get(trial.trial)?;
                    let counts = job.round == round && job.hyperparameters == self.best;
                    let loss = trial.score.filter(|_| counts)?.loss;
                    Some((job.contestant, trial, loss.max(1e-12).ln()))
                })
                .collect();
            let ratio = self.settings.retrain_steps.max(1) as f64 / self.settings.rounds[round].steps.max(1) as f64;
            all.extend(standardized(&of_round, round, self.settings.noise * ratio / 10.0));
        }
        all
    }

    /// The result by the finished trials.
    pub fn record(&self, finished: &[Trial]) -> RaceRecord {
        let observations = self.observations(finished);
        let posterior = Posterior::new(self.settings.knowledge.spread, &self.subjects, &observations);
        let beliefs: Vec<Belief> = (0..self.entrants.len()).map(|c| posterior.belief(c)).collect();
        let chosen = self.choose(&beliefs, finished);
        let plain = self.plain();
        let ahead = |mean: f64, deviation: f64| normal_cdf(-mean / deviation.max(1e-9));
        let compared = |c: usize| observations.iter().any(|o| o.network == c);
        let better_than_plain = plain.filter(|&p| p != chosen && compared(p) && compared(chosen)).map(|p| {
            let Belief { mean, deviation } = posterior.difference(chosen, p);
            ahead(mean, deviation)
        });
        // The same from other data sets alone.
        let before = Posterior::new(self.settings.knowledge.spread, &self.subjects, &[]);
        let expected =
            plain.map(|p| before.difference(chosen, p)).map(|Belief { mean, deviation }| ahead(mean, deviation));
        let better_than_random = ahead(beliefs[chosen].mean, (beliefs[chosen].deviation.powi(2) + 1.0).sqrt());
        let contestants = self
            .entrants
            .iter()
            .enumerate()
            .map(|(number, entrant)| {
                let trials: Vec<RaceTrial> =
                    self.trials(number, finished).map(|(job, trial)| record(job, trial)).collect();
                Contestant {
                    origin: entrant.origin,
                    kernels: entrant.kernels.clone(),
                    verdict: self.verdict(number, chosen, &beliefs, &trials),
                    trials,
                    belief: beliefs[number],
                }
            })
            .collect();
        let conclusion = conclusion(&Sure {
            untried: observations.is_empty(),
            plain_chosen: plain == Some(chosen),
            better_than_plain,
            expected,
            better_than_random,
            held_out: self.settings.held_out,
            ahead: self.ahead_of(chosen, finished),
        });
        RaceRecord { contestants, chosen, lr: self.best.lr, better_than_plain, better_than_random, conclusion }
    }

    /// The contestant of which most is expected among those that reached the last round; but none that is worse than the
    /// plain network on held-out samples: whose loss was higher in the last round that both took part in, or, if it
    /// entered after the plain network had left, higher than that of every network that is not worse.
    fn choose(&self, beliefs: &[Belief], finished: &[Trial]) -> usize {
        let last = |c: usize| {
            let scored = self.trials(c, finished).filter(|(_, t)| t.score.is_some());
            scored.map(|(job, _)| job.round + 1).max().unwrap_or(0)
        };
        let top = (0..self.entrants.len()).map(last).max().unwrap_or(0);
        let plain = self.plain();
        let loss = |c: usize, round: usize| {
            let mut of_round = self.trials(c, finished).filter(|(job, _)| job.round == round);
            of_round.find_map(|(job, t)| t.score.filter(|_| job.hyperparameters == self.best).map(|s| s.loss))
        };
        let pair = |a: usize, b: usize| (0..top).rev().find_map(|round| Some((loss(a, round)?, loss(b, round)?)));
        let against_plain = |c: usize| pair(c, plain?).map(|(own, other)| own > other);
        let not_worse: Vec<usize> = (0..self.entrants.len()).filter(|&c| against_plain(c) == Some(false)).collect();
        let worse_than_plain = |c: usize| match against_plain(c) {
            Some(worse) => worse,
            // Without a trial of the plain network, nothing is known to be worse.
            None => {
                !not_worse.is_empty() && !not_worse.iter().any(|&o| pair(c, o).is_some_and(|(own, other)| own <= other))
            }
        };
        let finalists: Vec<usize> = (0..self.entrants.len()).filter(|&c| last(c) == top).collect();
        let allowed: Vec<usize> = finalists.iter().copied().filter(|&c| !worse_than_plain(c)).collect();
        let by_belief = |a: &usize, b: &usize| beliefs[*a].mean.total_cmp(&beliefs[*b].mean).then(a.cmp(b));
        let among = if allowed.is_empty() { plain.map_or(finalists, |p| vec![p]) } else { allowed };
        among.into_iter().min_by(by_belief).unwrap_or(0)
    }

    /// The contestant with the lowest loss in the last round of the chosen one, if that is another one: its number, its
    /// loss and that of the chosen one.
    fn ahead_of(&self, chosen: usize, finished: &[Trial]) -> Option<(usize, f64, f64)> {
        let of_best = || finished.iter().filter_map(|t| Some((self.jobs.get(t.trial)?, t.score?.loss)));
        let of_best = || of_best().filter(|(job, _)| job.hyperparameters == self.best);
        let (last, own) = of_best()
            .filter(|(job, _)| job.contestant == chosen)
            .map(|(job, loss)| (job.round, loss))
            .max_by_key(|(round, _)| *round)?;
        let (first, lowest) = of_best()
            .filter(|(job, _)| job.round == last)
            .map(|(job, loss)| (job.contestant, loss))
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        (lowest < own).then_some((first, lowest, own))
    }

    /// Why a contestant was chosen or not.
    fn verdict(&self, number: usize, chosen: usize, beliefs: &[Belief], trials: &[RaceTrial]) -> String {
        if number == chosen {
            return "chosen".to_owned();
        }
        let Some(last) = trials.last() else { return "not tried".to_owned() };
        if last.score.is_none() {
            let reason = last.reason.as_deref().unwrap_or("its trial failed");
            return format!("no score: {reason}");
        }
        let rounds = self.settings.rounds.len();
        if last.round + 1 < rounds && self.jobs.iter().any(|job| job.round > last.round) {
            return format!("not in round {}", last.round + 2);
        }
        let behind = beliefs[number].mean - beliefs[chosen].mean;
        if behind > 0.0 {
            format!("{behind:.2} behind the chosen network")
        } else {
            "excluded: its loss was higher than that of the plain network".to_owned()
        }
    }
}

/// A trial as the record keeps it.
fn record(job: &RaceJob, trial: &Trial) -> RaceTrial {
    RaceTrial {
        trial: trial.trial,
        round: job.round,
        steps: job.steps,
        lr: job.hyperparameters.lr,
        score: trial.score,
        reason: trial.reason.clone(),
    }
}

/// The trials of a round (contestant, trial, logarithm of the loss) as observations. `noise` is the variance about the
/// final quality that their length leaves.
fn standardized(trials: &[(usize, &Trial, f64)], round: usize, noise: f64) -> Vec<Observation> {
    if trials.len() < 2 {
        return Vec::new();
    }
    let mean = trials.iter().map(|t| t.2).sum::<f64>() / trials.len() as f64;
    let observation = |(i, &(network, _, value)): (usize, &(usize, &Trial, f64))| Observation {
        network,
        round,
        value: (value - mean) / UNIT,
        variance: noise + part_variance(trials, i) / UNIT.powi(2),
    };
    trials.iter().enumerate().map(observation).collect()
}

/// The noise of trials of a tenth of the steps above which they suggest no new network: it would be a random one.
const MOST_NOISE: f64 = 4.0;

/// The difference of the logarithms of two losses that counts as one unit of quality: about the spread of random
/// architectures on the data sets from which the portfolio was made. A fixed unit makes large differences count.
const UNIT: f64 = 0.25;

/// A network of a race for the surrogate.
fn subject(proposal: &Proposal, geometry: &Geometry) -> Subject {
    Subject { features: geometry.features(&proposal.kernels), expected: proposal.expected }
}

/// The variance of the logarithm of a loss that comes from the choice of the held-out samples: by the differences from
/// the mean of the round in each part of them.
fn part_variance(trials: &[(usize, &Trial, f64)], which: usize) -> f64 {
    let parts = trials[which].1.parts.len();
    if parts < 2 || trials.iter().any(|t| t.1.parts.len() != parts) {
        return 0.0;
    }
    let n = trials.len() as f64;
    let level = trials.iter().map(|t| t.1.parts.iter().sum::<f64>() / parts as f64).sum::<f64>() / n;
    let differences: Vec<f64> = (0..parts)
        .map(|p| (trials[which].1.parts[p] - trials.iter().map(|t| t.1.parts[p]).sum::<f64>() / n) / level.max(1e-12))
        .collect();
    let mean = differences.iter().sum::<f64>() / parts as f64;
    differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (parts - 1) as f64 / parts as f64
}

/// The distribution function of the standard normal distribution.
fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}
