//! The plan of a run that has so much time: from what each kind of step costs on this machine to
//! how many of them there will be.

use super::Clock;
use super::pace::After;
use crate::asha::Tournament;
use crate::config::Tuner;
use serde::{Deserialize, Serialize};

/// What the configuration would do if time were no matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Steps of the search, and their batch.
    pub search: StepWish,
    /// Tuning; `None` if it is switched off.
    pub tune: Option<TuneWish>,
    /// Steps of retraining, and their batch.
    pub retrain: StepWish,
    /// Whether the plain backbone is trained for comparison.
    pub baseline: bool,
    /// Widths that the network may have, the one wanted first, then narrower ones.
    pub widths: Vec<usize>,
    /// Samples of the training split, samples that judging a trial predicts, and samples of the test split.
    pub samples: [usize; 3],
    /// Share of the training data that an epoch of the search draws.
    pub subsample: f64,
}

/// A number of steps of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepWish {
    /// Steps.
    pub steps: u64,
    /// Samples a step.
    pub batch: usize,
}

/// Tuning, if time were no matter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TuneWish {
    /// Trials of the grid.
    pub trials: usize,
    /// Steps of one.
    pub steps: u64,
    /// Which tuner; `None`: whichever fits.
    pub tuner: Option<Tuner>,
    /// The tournament's shape; its steps are those of a trial.
    pub asha: Tournament,
}

/// What things cost on this machine, in seconds. Measured when first asked for.
pub trait Prices {
    /// A step of the search on a batch.
    fn search_step(&mut self, batch: usize) -> f64;
    /// A step of training a network of a width on a batch.
    fn train_step(&mut self, width: usize, batch: usize) -> f64;
    /// Evaluating a network of a width: with the searched kernels, or the plain backbone's.
    fn evaluation(&mut self, width: usize, plain: bool) -> EvaluationPrice;
    /// Evaluating the searched network, per sample.
    fn evaluate(&mut self, width: usize) -> f64 {
        self.evaluation(width, false).sample
    }
    /// A step in tuning, where trials run side by side, as a share of a step that has the machine to itself.
    fn side_by_side(&mut self, _width: usize, _batch: usize) -> f64 {
        1.0
    }
}

/// What evaluation costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationPrice {
    /// Seconds of a sample.
    pub sample: f64,
    /// Samples of the batch that this was measured on, or reckoned from.
    pub batch: usize,
    /// Seconds of that batch.
    pub seconds: f64,
}

/// Evaluation on the test split within a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationPlan {
    /// Seconds of all of it.
    pub seconds: f64,
    /// The price for the searched network.
    pub searched: EvaluationPrice,
    /// The price for the plain backbone, if there is one.
    pub plain: Option<EvaluationPrice>,
}

/// A plan. Times are seconds of the run's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimePlan {
    /// What would be done without a limit.
    pub wish: Wish,
    /// When the run must be over.
    pub limit: f64,
    /// When the plan was made: reading the data and measuring are behind.
    pub made: f64,
    /// Seconds kept for evaluating and writing.
    pub reserve: f64,
    /// The part of these that are for evaluation; nothing in plans of versions that did not tell it apart.
    #[serde(default)]
    pub evaluation: EvaluationPlan,
    /// Width of the network after the search.
    pub width: usize,
    /// What a step costs in tuning, as a share of one that has the machine to itself.
    #[serde(default = "whole")]
    pub side_by_side: f64,
    /// The search; `None` if there is no time for one: the backbone keeps its own kernels.
    pub search: Option<SearchPlan>,
    /// Tuning, retraining and the plain backbone.
    pub training: TrainingPlan,
    /// What the limit made impossible, in words.
    pub notes: Vec<String>,
}

/// The share in plans of versions that ran one trial at a time.
fn whole() -> f64 {
    1.0
}

/// The search within a plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SearchPlan {
    /// Steps in all.
    pub steps: u64,
    /// Samples a step.
    pub batch: usize,
    /// Share of the training data in an epoch.
    pub subsample: f64,
    /// Seconds of a step.
    pub step_seconds: f64,
    /// When it is to end.
    pub until: f64,
}

/// What follows the search within a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingPlan {
    /// When it begins.
    pub from: f64,
    /// How the training hyperparameters are tuned.
    pub tune: TunePlan,
    /// When tuning is to end.
    pub tune_until: f64,
    /// Steps of retraining.
    pub steps: u64,
    /// Samples a step.
    pub batch: usize,
    /// Seconds of a step.
    pub step_seconds: f64,
    /// When retraining is to end, if evaluation takes as long as planned.
    pub retrain_until: f64,
    /// When training the plain backbone is to end; `None` if it is left out.
    pub baseline_until: Option<f64>,
}

/// Tuning within a plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "tuner")]
pub enum TunePlan {
    /// No tuning.
    None,
    /// The grid.
    Grid {
        /// Trials at most, in the grid's order.
        trials: usize,
        /// Steps of each.
        steps: u64,
    },
    /// The tournament.
    Asha {
        /// Its size.
        size: Tournament,
    },
}

/// Steps of a search below which α has hardly moved: then its time is better spent on training.
const LEAST_SEARCH: u64 = 40;
/// Steps of a training below which smaller batches are taken to have more of them.
const FEW_STEPS: u64 = 100;
/// The smallest batch that a plan makes of a larger one.
const LEAST_BATCH: usize = 8;
/// Steps of a tuning trial below which it says little.
const LEAST_TRIAL: u64 = 20;
/// Samples below which a tournament is none.
const LEAST_SAMPLES: usize = 4;
/// How many times the wished steps search and tuning take at most, however much time there is.
const STRETCH: f64 = 2.0;
/// Epochs that the search should have, so that its schedule and log have some points.
const SEARCH_EPOCHS: u64 = 8;
/// Least and largest share of the time for the search, where not everything fits.
const SEARCH_SHARE: [f64; 2] = [0.15, 0.35];
/// Share of the time after the search that goes to tuning, where not everything fits.
const TUNE_SHARE: f64 = 0.2;
/// The note of a plan without tuning.
const NO_TUNING: &str = "no tuning: too little time for trials that would say something";
/// A narrower network is taken if the wider one could not have this share of its steps.
const ENOUGH: f64 = 1.0 / 3.0;

impl TimePlan {
    /// Plans a run that is about to search.
    pub fn new(wish: &Wish, limit: f64, clock: &dyn Clock, prices: &mut dyn Prices) -> Self {
        let mut notes = Vec::new();
        let first = wish.widths.first().copied().unwrap_or(1);
        let search_step = prices.search_step(wish.search.batch);
        let side_by_side = if wish.tune.is_some() { prices.side_by_side(first, wish.retrain.batch) } else { 1.0 };
        let whole = [true, false].map(|baseline| wish.cost(first, baseline, search_step, side_by_side, prices));
        let now = clock.seconds();
        if now > 0.5 * limit {
            notes.push(format!("reading the data and measuring took {now:.1} s, more than half of the limit"));
        }
        let time = |kept: f64| (limit - kept - now).max(0.0);

        // Everything that was wished for, and more of it.
        for baseline in [wish.baseline, false] {
            let cost = whole[usize::from(!baseline)];
            if cost > time(writing(limit)) {
                continue;
            }
            let evaluation = wish.evaluation(first, baseline, prices);
            let kept = writing(limit) + evaluation.seconds;
            if cost > time(kept) {
                continue;
            }
            if wish.baseline && !baseline {
                notes.push("the plain backbone is left out: it would need time that there is not".to_owned());
            }
            let stretch = (time(kept) / cost).min(STRETCH);
            let steps = (wish.search.steps as f64 * stretch) as u64;
            let search = wish.search_plan(steps, wish.search.batch, search_step, now);
            let context = Context { wish, limit, reserve: kept, start: search.until, baseline, stretch, side_by_side };
            let training = context.training(first, None, prices, &mut notes);
            return Self {
                wish: wish.clone(),
                limit,
                made: now,
                reserve: kept,
                evaluation,
                width: first,
                side_by_side,
                search: Some(search),
                training,
                notes,
            };
        }

        // Less of everything, and no baseline.
        if wish.baseline {
            notes.push("the plain backbone is left out: it would need time that there is not".to_owned());
        }
        let kept = writing(limit) + wish.evaluation(first, false, prices).seconds;
        let search_cost = search_step * wish.search.steps as f64;
        let share = (search_cost / whole[1].max(1e-9)).clamp(SEARCH_SHARE[0], SEARCH_SHARE[1]);
        let search = wish.shrunk_search(share * time(kept), clock.seconds(), prices);
        match &search {
            None => notes.push(format!(
                "no search: a step takes {search_step:.2} s, too long for the {LEAST_SEARCH} steps that it needs at \
                 least; the backbone keeps its own kernels"
            )),
            Some(plan) if plan.batch < wish.search.batch => {
                notes.push(format!("the search takes batches of {} instead of {}", plan.batch, wish.search.batch));
            }
            Some(_) => {}
        }
        let start = search.as_ref().map_or(now, |s| s.until);
        let retraining = (limit - kept - start).max(0.0) * (1.0 - TUNE_SHARE);
        let enough = |width: usize, prices: &mut dyn Prices| {
            let steps = retraining / prices.train_step(width, wish.retrain.batch);
            steps >= (wish.retrain.steps as f64 * ENOUGH).max(FEW_STEPS as f64)
        };
        let width = wish.widths.iter().copied().find(|&w| enough(w, prices));
        let width = width.or(wish.widths.last().copied()).unwrap_or(first);
        if width != first {
            notes.push(format!("the network has width {width} instead of {first}, to train it for longer"));
        }
        let evaluation = wish.evaluation(width, false, prices);
        let reserve = writing(limit) + evaluation.seconds;
        let context = Context { wish, limit, reserve, start, baseline: false, stretch: 1.0, side_by_side };
        let training = context.training(width, None, prices, &mut notes);
        Self { wish: wish.clone(), limit, made: now, reserve, evaluation, width, side_by_side, search, training, notes }
    }

    /// Plans again what follows the search, when that is over and the network found can be timed: by prices of its
    /// kernels.
    pub fn after_search(&mut self, wish: &Wish, clock: &dyn Clock, prices: &mut dyn Prices) {
        let baseline = self.training.baseline_until.is_some();
        let batch = self.training.batch;
        let known = Some((batch, prices.train_step(self.width, batch)));
        self.evaluation = wish.evaluation(self.width, baseline, prices);
        self.reserve = writing(self.limit) + self.evaluation.seconds;
        let context = Context {
            wish,
            limit: self.limit,
            reserve: self.reserve,
            start: clock.seconds(),
            baseline,
            stretch: STRETCH,
            side_by_side: self.side_by_side,
        };
        self.training = context.training(self.width, known, prices, &mut self.notes);
    }

    /// What follows the training of a network, as far as that must make room for it if it needs more time.
    pub fn after(&self, baseline: bool) -> Option<After> {
        let EvaluationPlan { seconds, searched, plain } = self.evaluation;
        // Of two networks each has half of the time, and the second all of what is left.
        let (price, share) = match plain {
            Some(plain) if baseline => (plain, 1.0),
            Some(_) => (searched, 0.5),
            None => (searched, 1.0),
        };
        let after = After { seconds: share * seconds, batch: price.batch, batch_seconds: price.seconds };
        (after.batch > 0 && after.batch_seconds > 0.0).then_some(after)
    }
}

/// When the parts of the training of one network are to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deadlines {
    /// Tuning.
    pub tune: f64,
    /// Tuning, whatever happens: retraining is left half of its time.
    pub last_call: f64,
    /// Retraining.
    pub retrain: f64,
}

impl Deadlines {
    /// Whether another tuning trial of so many seconds may begin, after so many: there must be
    /// time for it. The first two are given a chance.
    pub fn room_for_trial(&self, now: f64, seconds: f64, done: usize) -> bool {
        let until = if done < 2 { self.last_call } else { self.tune };
        // Half of the last trial is as good over as short.
        now + 0.5 * seconds <= until
    }
}

impl Wish {
    /// Seconds of everything that is wished for, at a width.
    fn cost(&self, width: usize, baseline: bool, search_step: f64, side_by_side: f64, prices: &mut dyn Prices) -> f64 {
        let step = prices.train_step(width, self.retrain.batch);
        let evaluate = prices.evaluate(width) * self.samples[1] as f64;
        let tune = self.tune.map_or(0.0, |t| match t.tuner {
            Some(Tuner::Asha) => tournament_cost(&t.asha, step, side_by_side, evaluate),
            _ => t.trials as f64 * (t.steps as f64 * side_by_side * step + evaluate),
        });
        let network = tune + self.retrain.steps as f64 * step;
        search_step * self.search.steps as f64 + network * if baseline { 2.0 } else { 1.0 }
    }

    /// Evaluation of the network, and of the plain backbone, on the test split.
    fn evaluation(&self, width: usize, baseline: bool, prices: &mut dyn Prices) -> EvaluationPlan {
        let searched = prices.evaluation(width, false);
        let plain = baseline.then(|| prices.evaluation(width, true));
        let a_sample = searched.sample + plain.map_or(0.0, |plain| plain.sample);
        EvaluationPlan { seconds: a_sample * self.samples[2] as f64, searched, plain }
    }

    fn search_plan(&self, steps: u64, batch: usize, step_seconds: f64, now: f64) -> SearchPlan {
        // Epochs are smaller shares of the data where there would be few of them.
        let drawn = (steps / SEARCH_EPOCHS).max(1) as f64 * batch as f64;
        let subsample = (drawn / self.samples[0].max(1) as f64).min(self.subsample);
        let least = batch.min(self.samples[0]) as f64 / self.samples[0].max(1) as f64;
        let until = now + steps as f64 * step_seconds;
        SearchPlan { steps, batch, subsample: subsample.max(least).min(1.0), step_seconds, until }
    }

    /// The search in so many seconds: in smaller batches if there would be few steps, and not at
    /// all if even so there are too few.
    fn shrunk_search(&self, seconds: f64, now: f64, prices: &mut dyn Prices) -> Option<SearchPlan> {
        let mut batch = self.search.batch;
        loop {
            let step = prices.search_step(batch);
            let steps = (seconds / step) as u64;
            if steps >= FEW_STEPS || (batch / 2 < LEAST_BATCH && steps >= LEAST_SEARCH) {
                return Some(self.search_plan(steps.min(self.search.steps.max(FEW_STEPS)), batch, step, now));
            }
            if batch / 2 < LEAST_BATCH {
                return None;
            }
            batch /= 2;
        }
    }
}

/// Where the planning of the trainings starts from.
struct Context<'a> {
    wish: &'a Wish,
    limit: f64,
    reserve: f64,
    /// When the search is over.
    start: f64,
    baseline: bool,
    /// How many times its wish tuning may have.
    stretch: f64,
    /// As in the plan.
    side_by_side: f64,
}

impl Context<'_> {
    /// Divides what is left between tuning, retraining and the baseline. `known`: the batch and
    /// the cost of a step, where they are decided already.
    fn training(
        &self,
        width: usize,
        known: Option<(usize, f64)>,
        prices: &mut dyn Prices,
        notes: &mut Vec<String>,
    ) -> TrainingPlan {
        let wish = self.wish;
        let end = self.limit - self.reserve;
        let left = (end - self.start).max(0.0);
        let a_network = if self.baseline { left / 2.0 } else { left };
        let (batch, step) = known.unwrap_or_else(|| {
            let mut batch = wish.retrain.batch;
            let mut step = prices.train_step(width, batch);
            while a_network * (1.0 - TUNE_SHARE) / step < FEW_STEPS as f64 && batch / 2 >= LEAST_BATCH {
                batch /= 2;
                step = prices.train_step(width, batch);
            }
            if batch < wish.retrain.batch {
                notes.push(format!("training takes batches of {batch} instead of {}", wish.retrain.batch));
            }
            (batch, step)
        });
        let evaluate = prices.evaluate(width) * wish.samples[1] as f64;
        let wanted = wish
            .tune
            .map_or(0.0, |t| self.stretch * t.trials as f64 * (t.steps as f64 * self.side_by_side * step + evaluate));
        let retrain = wish.retrain.steps as f64 * step;
        // Tuning may have what it wishes for if retraining can, too.
        let share = if wanted + retrain <= a_network { wanted } else { wanted.min(TUNE_SHARE * a_network) };
        let (tune, cost) = match wish.tune {
            None => (TunePlan::None, 0.0),
            Some(tune) => tune.fit(share, step, self.side_by_side, evaluate),
        };
        // After the search there may be time where there seemed to be none.
        notes.retain(|note| note != NO_TUNING);
        if wish.tune.is_some() && tune == TunePlan::None {
            notes.push(NO_TUNING.to_owned());
        }
        let tune_until = self.start + cost;
        let retrain_until = if self.baseline { self.start + a_network } else { end };
        let steps = ((retrain_until - tune_until) / step).round().max(1.0) as u64;
        TrainingPlan {
            from: self.start,
            tune,
            tune_until,
            steps,
            batch,
            step_seconds: step,
            retrain_until,
            baseline_until: self.baseline.then_some(end),
        }
    }
}

impl TuneWish {
    /// The most thorough tuning in so many seconds, and what it takes.
    fn fit(&self, seconds: f64, step: f64, side_by_side: f64, evaluate: f64) -> (TunePlan, f64) {
        let in_grid = side_by_side * step;
        if self.tuner != Some(Tuner::Asha) {
            let grid = self.grid(self.trials, seconds, in_grid, evaluate);
            let least = LEAST_TRIAL.max(self.steps / 2).min(self.steps);
            if let Some((plan, steps, cost)) = grid
                && (steps >= least || self.tuner == Some(Tuner::Grid))
            {
                return (plan, cost);
            }
        }
        if self.tuner != Some(Tuner::Grid) {
            let mut top = self.steps;
            loop {
                for samples in (LEAST_SAMPLES..=self.asha.samples.max(LEAST_SAMPLES)).rev() {
                    let size = sized(&self.asha, samples, top);
                    let cost = tournament_cost(&size, step, side_by_side, evaluate);
                    if cost <= seconds {
                        return (TunePlan::Asha { size }, cost);
                    }
                }
                if top / 2 < LEAST_TRIAL {
                    return (TunePlan::None, 0.0);
                }
                top /= 2;
            }
        }
        // The grid was asked for: as much of it as there is time for, but two trials at least.
        (2..self.trials)
            .rev()
            .find_map(|trials| self.grid(trials, seconds, in_grid, evaluate))
            .map_or((TunePlan::None, 0.0), |(plan, _, cost)| (plan, cost))
    }

    /// So many trials of the grid in so many seconds: the plan, the steps of a trial and the
    /// seconds it takes. `None` if a trial would be too short to say something.
    fn grid(&self, trials: usize, seconds: f64, step: f64, evaluate: f64) -> Option<(TunePlan, u64, f64)> {
        let a_trial = seconds / trials.max(1) as f64 - evaluate;
        let most = (self.steps as f64 * STRETCH) as u64;
        // The share was made from the wish: its own rounding must not cost a step.
        let steps = ((a_trial / step + 1e-6).max(0.0) as u64).min(most);
        let cost = trials as f64 * (steps as f64 * step + evaluate);
        (steps >= LEAST_TRIAL.min(self.steps)).then_some((TunePlan::Grid { trials, steps }, steps, cost))
    }
}

/// A tournament of so many samples whose last rung has so many steps.
fn sized(shape: &Tournament, samples: usize, top: u64) -> Tournament {
    let rungs = shape.rungs().len() as u32;
    // As many rungs as wished for, but no trial so short that it says nothing.
    let reduction = (shape.reduction.max(2) as u64).saturating_pow(rungs.saturating_sub(1));
    let min_steps = (top / reduction.max(1)).max(LEAST_TRIAL / 2).min(top);
    Tournament { samples, min_steps, max_steps: top, ..*shape }
}

fn tournament_cost(size: &Tournament, step: f64, side_by_side: f64, evaluate: f64) -> f64 {
    let (trainings, steps) = size.size();
    // The last of the highest rung has the machine to itself.
    let alone = size.max_steps.min(steps);
    let steps = alone as f64 + (steps - alone) as f64 * side_by_side;
    // Some are promoted before a better one is known.
    1.15 * (steps * step + trainings as f64 * evaluate)
}

/// Seconds kept for writing files and for what nobody foresaw.
fn writing(limit: f64) -> f64 {
    0.25 + 0.005 * limit
}

impl TrainingPlan {
    /// The deadlines of the searched network, or of the plain backbone, whose time is divided
    /// alike.
    pub fn deadlines(&self, baseline: bool) -> Deadlines {
        let (tune, retrain) = match self.baseline_until.filter(|_| baseline) {
            None => (self.tune_until, self.retrain_until),
            Some(until) => {
                let share = (self.tune_until - self.from) / (self.retrain_until - self.from).max(1e-9);
                (self.retrain_until + share * (until - self.retrain_until), until)
            }
        };
        Deadlines { tune, last_call: 0.5 * (tune + retrain), retrain }
    }
}
