//! Asynchronous successive halving (ASHA; Li et al., "A System for Massively Parallel
//! Hyperparameter Tuning", 2020): many short trials, of which the best 1/η are promoted to η times as many steps, and
//! so on. The paper tunes its WRN-ASHA baseline with it.
//!
//! Two things differ from the original, so that the result does not depend on the clock and can be resumed:
//!
//! - Promotion is decided in the order in which trials *would* finish on a fixed number of workers if every step took
//!   the same time. The same trials are promoted, however many really run side by side, and however fast.
//! - A promoted trial starts from the initial weights and is annealed over its whole length, instead of continuing its
//!   shorter training. Each rung therefore ranks trainings that are like retraining, no weights are kept on disk, and
//!   the tuning costs at most η/(η − 1) times the steps.

pub mod space;

use dashnas_core::score::Score;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The settings of asynchronous successive halving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AshaSettings {
    /// Sampled hyperparameter configurations, at least 1.
    pub samples: usize,
    /// The reduction factor η, at least 2: one trial in η is promoted, to η times the steps.
    pub reduction: usize,
    /// Brackets, at least 1: trials of bracket b start η^b times as long, against the risk that short trials mislead.
    /// The first rungs of all brackets get about the same number of steps.
    pub brackets: usize,
    /// Steps of a trial on rung 0, at least 1.
    pub min_steps: u64,
    /// Steps of a trial on the last rung.
    pub max_steps: u64,
    /// Trials that run at a time, at least 1. The result depends on it.
    pub workers: usize,
}

impl AshaSettings {
    /// Steps of a trial on each rung, rising to `max_steps`.
    pub fn rungs(&self) -> Vec<u64> {
        let reduction = self.reduction.max(2) as u64;
        let mut rungs = vec![self.min_steps.max(1)];
        while let Some(&top) = rungs.last()
            && top < self.max_steps
        {
            rungs.push(top.saturating_mul(reduction).min(self.max_steps));
        }
        rungs
    }

    /// Trainings and steps in total, if no trial is promoted that later turns out not to be among the best.
    pub fn size(&self) -> (usize, u64) {
        let rungs = self.rungs();
        let mut entered = vec![0usize; rungs.len()];
        let mut spent = vec![0u64; self.brackets.clamp(1, rungs.len())];
        for _ in 0..self.samples {
            let bracket = cheapest(&spent);
            spent[bracket] += rungs[bracket];
            entered[bracket] += 1;
        }
        let (mut trainings, mut steps) = (0, 0);
        for bracket in 0..spent.len() {
            let mut here = entered[bracket];
            for steps_here in &rungs[bracket..] {
                trainings += here;
                steps += here as u64 * steps_here;
                here /= self.reduction.max(2);
            }
        }
        (trainings, steps)
    }
}

/// One training: a sample on a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Job {
    /// The number of the sampled configuration, from 0.
    pub sample: usize,
    /// The rung, from 0.
    pub rung: usize,
    /// Its steps.
    pub steps: u64,
}

/// A trial that finished a rung.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Entry {
    sample: usize,
    score: Option<Score>,
    promoted: bool,
}

/// A job that a worker has begun.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Running {
    job: Job,
    bracket: usize,
    /// When the job would finish, in steps since the start.
    finish: u64,
    /// The result, once it is known.
    result: Option<JobResult>,
}

/// The result of a job. JSON could not tell an `Option` in an `Option` from a plain one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct JobResult {
    /// The score; `None` if the job failed.
    score: Option<Score>,
}

/// The state of asynchronous successive halving. It can be stored; it is also a function of the results alone, so that
/// giving them to a new instance leads to the same state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asha {
    size: AshaSettings,
    /// `[bracket][rung]`: the finished trials, in the order of the simulated clock.
    finished: Vec<Vec<Vec<Entry>>>,
    running: Vec<Running>,
    /// Number of samples handed out.
    sampled: usize,
    /// Steps handed out on each bracket's first rung.
    spent: Vec<u64>,
    /// The simulated clock, in steps.
    now: u64,
    closed: bool,
}

impl Asha {
    /// The state before the first result.
    pub fn new(size: AshaSettings) -> Self {
        let rungs = size.rungs().len();
        let brackets = size.brackets.clamp(1, rungs);
        let mut new = Self {
            size,
            finished: vec![vec![Vec::new(); rungs]; brackets],
            running: Vec::new(),
            sampled: 0,
            spent: vec![0; brackets],
            now: 0,
            closed: false,
        };
        new.assign();
        new
    }

    /// The jobs without a result, in the order in which they were handed out: all of them may run at once. Empty at the
    /// end.
    pub fn pending(&self) -> Vec<Job> {
        self.running.iter().filter(|r| r.result.is_none()).map(|r| r.job).collect()
    }

    /// Takes the score of a pending job, `None` if it failed; false if no such job is pending.
    pub fn finish(&mut self, job: Job, score: Option<Score>) -> bool {
        let Some(running) = self.running.iter_mut().find(|r| r.job == job && r.result.is_none()) else { return false };
        running.result = Some(JobResult { score });
        // Results count in the order of the simulated clock: a later one waits for the earlier ones.
        while let Some(first) = (0..self.running.len()).min_by_key(|&i| (self.running[i].finish, i))
            && let Some(JobResult { score }) = self.running[first].result
        {
            let done = self.running.remove(first);
            self.now = done.finish;
            let entry = Entry { sample: done.job.sample, score, promoted: false };
            self.finished[done.bracket][done.job.rung].push(entry);
            self.assign();
        }
        true
    }

    /// Hands out no more jobs. The results of pending ones still count.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The sample with the best score on the highest rung that has a score.
    pub fn best(&self) -> Option<(usize, Score)> {
        let rungs = self.size.rungs().len();
        (0..rungs).rev().find_map(|rung| {
            let here = self.finished.iter().flat_map(|bracket| &bracket[rung]);
            here.filter_map(|e| e.score.map(|s| (e.sample, s))).min_by(|a, b| {
                if a.1.beats(b.1) {
                    Ordering::Less
                } else if b.1.beats(a.1) {
                    Ordering::Greater
                } else {
                    a.0.cmp(&b.0)
                }
            })
        })
    }

    /// Gives every free worker a job while there are jobs.
    fn assign(&mut self) {
        while !self.closed && self.running.len() < self.size.workers.max(1) {
            let Some((bracket, job)) = self.promote().or_else(|| self.sample()) else { return };
            self.running.push(Running { job, bracket, finish: self.now + job.steps, result: None });
        }
    }

    /// A trial among the best 1/η of its rung that has not been promoted yet, from the highest such rung.
    fn promote(&mut self) -> Option<(usize, Job)> {
        let steps = self.size.rungs();
        for rung in (0..steps.len() - 1).rev() {
            for bracket in 0..self.finished.len() {
                let entries = &mut self.finished[bracket][rung];
                let mut order: Vec<usize> = (0..entries.len()).filter(|&i| entries[i].score.is_some()).collect();
                order.sort_by(|&a, &b| rank(&entries[a], &entries[b]));
                order.truncate(entries.len() / self.size.reduction.max(2));
                if let Some(&i) = order.iter().find(|&&i| !entries[i].promoted) {
                    entries[i].promoted = true;
                    let sample = entries[i].sample;
                    return Some((bracket, Job { sample, rung: rung + 1, steps: steps[rung + 1] }));
                }
            }
        }
        None
    }

    /// A new sample, for the bracket that has been given the fewest steps so far.
    fn sample(&mut self) -> Option<(usize, Job)> {
        if self.sampled >= self.size.samples {
            return None;
        }
        let steps = self.size.rungs();
        let bracket = cheapest(&self.spent);
        self.spent[bracket] += steps[bracket];
        self.sampled += 1;
        Some((bracket, Job { sample: self.sampled - 1, rung: bracket, steps: steps[bracket] }))
    }
}

/// The better score first; of equal ones the earlier sample.
fn rank(a: &Entry, b: &Entry) -> Ordering {
    match (a.score, b.score) {
        (Some(x), Some(y)) if x.beats(y) => Ordering::Less,
        (Some(x), Some(y)) if y.beats(x) => Ordering::Greater,
        _ => a.sample.cmp(&b.sample),
    }
}

/// The bracket with the fewest steps, the first of equal ones.
fn cheapest(spent: &[u64]) -> usize {
    (0..spent.len()).min_by_key(|&b| (spent[b], b)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn settings() -> impl Strategy<Value = AshaSettings> {
        (1usize..40, 2usize..5, 1usize..4, 1u64..9, 1u64..200, 1usize..6).prop_map(
            |(samples, reduction, brackets, min_steps, more, workers)| AshaSettings {
                samples,
                reduction,
                brackets,
                min_steps,
                max_steps: min_steps + more,
                workers,
            },
        )
    }

    /// The score of a job: any function of the job serves. One job in nine fails.
    fn score_of(job: Job, salt: u64) -> Option<Score> {
        let mixed = (job.sample as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ salt).rotate_left(job.rung as u32 * 7);
        let value = (mixed >> 40) as f64 / (1 << 24) as f64;
        // Few digits: JSON gives them back as they were.
        let short = |steps: f64| (value * steps).round() / steps;
        (!mixed.is_multiple_of(9)).then_some(Score { metric: Some(short(16.0)), loss: short(64.0) })
    }

    /// Runs all jobs, each time finishing the pending job that `pick` chooses.
    fn play(size: AshaSettings, salt: u64, mut pick: impl FnMut(usize) -> usize) -> (Asha, BTreeSet<Job>) {
        let mut asha = Asha::new(size);
        let mut jobs = BTreeSet::new();
        loop {
            let pending = asha.pending();
            if pending.is_empty() {
                return (asha, jobs);
            }
            assert!(pending.len() <= size.workers);
            let job = pending[pick(pending.len())];
            assert!(jobs.insert(job), "{job:?} was handed out twice");
            assert!(asha.finish(job, score_of(job, salt)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_order_of_finishing_changes_nothing(size in settings(), salt: u64, picks in prop::collection::vec(any::<usize>(), 400)) {
            let (first, first_jobs) = play(size, salt, |_| 0);
            let mut picks = picks.into_iter().cycle();
            let (other, jobs) = play(size, salt, |n| picks.next().unwrap_or(0) % n);
            prop_assert_eq!(&first, &other);
            prop_assert_eq!(first_jobs, jobs);
        }

        #[test]
        fn every_sample_runs_once_on_each_rung_and_only_the_best_rise(size in settings(), salt: u64) {
            let (asha, jobs) = play(size, salt, |n| n - 1);
            let steps = size.rungs();
            prop_assert_eq!(*steps.last().unwrap(), size.max_steps);
            let mut rungs: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
            for job in &jobs {
                prop_assert_eq!(job.steps, steps[job.rung]);
                rungs.entry(job.sample).or_default().insert(job.rung);
            }
            prop_assert_eq!(rungs.len(), size.samples);
            for (bracket, finished) in asha.finished.iter().enumerate() {
                for rung in 0..steps.len() {
                    let here = &finished[rung];
                    prop_assert!(rung >= bracket || here.is_empty());
                    let promoted = here.iter().filter(|e| e.promoted).count();
                    if rung + 1 < steps.len() {
                        // A bracket's own first rung is entered by samples.
                        if rung >= bracket {
                            prop_assert_eq!(promoted, finished[rung + 1].len());
                        }
                        // At the end, the best 1/η of a rung have all been promoted ...
                        let mut order: Vec<_> = here.iter().filter(|e| e.score.is_some()).collect();
                        order.sort_by(|a, b| rank(a, b));
                        prop_assert!(order.iter().take(here.len() / size.reduction).all(|e| e.promoted));
                        // ... and whoever was promoted was among the best when that was decided.
                        for e in here.iter().filter(|e| e.promoted) {
                            let was = (1..=here.len()).any(|seen| {
                                let better = here[..seen].iter().filter(|o| o.score.is_some() && rank(o, e).is_lt()).count();
                                here[..seen].contains(e) && better < seen / size.reduction
                            });
                            prop_assert!(was);
                        }
                    } else {
                        prop_assert_eq!(promoted, 0);
                    }
                }
            }
        }

        #[test]
        fn results_alone_restore_the_state(size in settings(), salt: u64, stop in 0usize..60) {
            let mut asha = Asha::new(size);
            let mut log = Vec::new();
            while let Some(&job) = asha.pending().last() {
                if log.len() == stop {
                    break;
                }
                asha.finish(job, score_of(job, salt));
                log.push((job, score_of(job, salt)));
            }
            let mut again = Asha::new(size);
            for (job, score) in log {
                prop_assert!(again.finish(job, score));
            }
            prop_assert_eq!(&again, &asha);
            let stored = serde_json::to_string(&asha).unwrap();
            prop_assert_eq!(serde_json::from_str::<Asha>(&stored).unwrap(), asha);
        }

        #[test]
        fn the_size_is_what_is_run_when_no_promotion_is_premature(size in settings()) {
            // Scores get worse from sample to sample: no later sample overtakes one that was promoted.
            let size = AshaSettings { workers: 1, ..size };
            let mut asha = Asha::new(size);
            let (mut trainings, mut steps) = (0, 0);
            while let Some(&job) = asha.pending().first() {
                let value = job.sample as f64;
                asha.finish(job, Some(Score { metric: Some(value), loss: value }));
                trainings += 1;
                steps += job.steps;
            }
            prop_assert_eq!((trainings, steps), size.size());
        }
    }

    fn score(metric: f64) -> Option<Score> {
        Some(Score { metric: Some(metric), loss: metric })
    }

    #[test]
    fn three_rungs_of_nine_with_a_third_promoted() {
        let size = AshaSettings { samples: 9, reduction: 3, brackets: 1, min_steps: 10, max_steps: 90, workers: 1 };
        assert_eq!(size.rungs(), [10, 30, 90]);
        assert_eq!(size.size(), (13, 9 * 10 + 3 * 30 + 90));
        let mut asha = Asha::new(size);
        let mut order = Vec::new();
        while let Some(&job) = asha.pending().first() {
            order.push((job.sample, job.rung));
            // Later samples are better.
            asha.finish(job, score(1.0 - job.sample as f64 / 10.0));
        }
        // The third sample is the best third of three: it is promoted at once, before a fourth is drawn.
        assert_eq!(order[..5], [(0, 0), (1, 0), (2, 0), (2, 1), (3, 0)]);
        assert!(order.contains(&(8, 1)));
        assert_eq!(asha.best().map(|b| b.0), order.iter().rev().find(|o| o.1 == 2).map(|o| o.0));
    }

    #[test]
    fn failures_are_never_promoted_and_closing_ends_the_trials() {
        let size = AshaSettings { samples: 6, reduction: 2, brackets: 1, min_steps: 1, max_steps: 4, workers: 2 };
        let mut asha = Asha::new(size);
        while let Some(&job) = asha.pending().first() {
            assert_eq!(job.rung, 0);
            asha.finish(job, None);
        }
        assert_eq!(asha.best(), None);

        let mut asha = Asha::new(size);
        let first = asha.pending()[0];
        asha.close();
        assert!(asha.finish(first, score(0.5)));
        assert!(!asha.finish(first, score(0.1)), "the job has a result already");
        assert_eq!(asha.pending().len(), 1, "the job of the other worker is still pending");
        let other = asha.pending()[0];
        asha.finish(other, score(0.6));
        assert!(asha.pending().is_empty());
        assert_eq!(asha.best().map(|b| b.0), Some(first.sample));
    }
}
