//! Plans a run under a time limit: from the cost of each kind of work on this machine to the number of steps of each
//! stage.

use crate::asha::AshaSettings;
use crate::budget::clock::Clock;
use crate::budget::cost::CostModel;
use crate::budget::plan::{
    EvaluationPlan, RequestedTuning, RequestedWork, SearchPlan, TimePlan, TrainingPlan, TunePlan,
};
use crate::budget::too_short::{MEASURING_SHARE, MIN_TRAINING_STEPS, MOST_EVALUATION, TooShort};
use dashnas_core::names::Tuner;

/// The fewest steps of a search. With fewer, α hardly moves, so that the time is better spent on training.
const MIN_SEARCH_STEPS: u64 = 40;
/// Batches are made smaller if a training would have fewer steps than this.
const DESIRED_STEPS: u64 = 100;
/// The smallest batch size that the planner reduces a larger one to.
const MIN_BATCH: usize = 8;
/// The fewest steps of a tuning trial. The score of a shorter one says little.
const MIN_TRIAL_STEPS: u64 = 20;
/// The fewest configurations that ASHA samples.
const MIN_ASHA_SAMPLES: usize = 4;
/// The largest multiple of the requested steps that search and tuning get, however much time there is.
const MAX_STRETCH: f64 = 2.0;
/// The number of epochs that the search is divided into if its steps allow, so that its schedule and log have some
/// points.
const SEARCH_EPOCHS: u64 = 8;
/// The smallest and largest fraction of the time for the search where not everything fits.
const SEARCH_SHARE: [f64; 2] = [0.15, 0.35];
/// The fraction of the time after the search for tuning where not everything fits.
const TUNE_SHARE: f64 = 0.2;
/// A narrower network is taken if the wider one would get less than this fraction of its requested steps.
const MIN_RETRAIN_SHARE: f64 = 1.0 / 3.0;
/// ASHA promotes some trials before a better one is known, so that it trains more of them than its settings say.
const EXTRA_PROMOTIONS: f64 = 1.15;
/// The note of a plan without tuning.
const NO_TUNING: &str = "tuning skipped: not enough time for informative trials";
/// The note of a plan without the plain backbone.
const NO_BASELINE: &str = "plain backbone not trained: not enough time for it";

impl TimePlan {
    /// Plans a run that is about to search.
    ///
    /// # Errors
    /// [`TooShort`] if the limit leaves no time for a training of [`MIN_TRAINING_STEPS`], or if evaluation would take
    /// more than [`MOST_EVALUATION`] of it; but not if all the requested work fits.
    pub fn new(
        requested: &RequestedWork,
        limit: f64,
        clock: &dyn Clock,
        costs: &mut dyn CostModel,
    ) -> Result<Self, TooShort> {
        let mut notes = Vec::new();
        let width = requested.widths.first().copied().unwrap_or(1);
        // Without a search, where the kernels are given, there is nothing to measure.
        let search_step = if requested.searches() { costs.search_step(requested.search.batch) } else { 0.0 };
        let concurrent_share =
            if requested.tune.is_some() { costs.concurrent_share(width, requested.retrain.batch) } else { 1.0 };
        let [with_baseline, without] =
            [true, false].map(|baseline| requested.seconds(width, baseline, search_step, concurrent_share, costs));
        let now = clock.seconds();
        if now > 0.5 * limit {
            notes.push(format!("reading and measuring took {now:.1} s, more than half of the limit"));
        }
        let planner = Planner { requested, limit, now, width, search_step, concurrent_share };
        if requested.baseline {
            if let Some(plan) = planner.whole(with_baseline, true, costs, &mut notes) {
                return Ok(plan);
            }
            notes.push(NO_BASELINE.to_owned());
        }
        if let Some(plan) = planner.whole(without, false, costs, &mut notes) {
            return Ok(plan);
        }
        // Without the search where a training would be too short after it.
        for searches in [true, false] {
            let plan = planner.reduced(searches, without, clock, costs, notes.clone());
            if planner.trains_enough(&plan) {
                return Ok(plan);
            }
        }
        Err(planner.too_short(clock, costs))
    }

    /// Plans again what follows the search, once that is over and the network that it found can be timed. `costs` are
    /// those of its kernels.
    pub fn after_search(&mut self, requested: &RequestedWork, clock: &dyn Clock, costs: &mut dyn CostModel) {
        let baseline = self.training.baseline_until.is_some();
        let batch = self.training.batch;
        let step = costs.train_step(self.width, batch);
        let known = Some((batch, step));
        self.evaluation = requested.evaluation(self.width, baseline, costs);
        // One slow measurement must not leave no training: the shortest one goes first, if half of the time is enough.
        let left = (self.limit - writing_seconds(self.limit) - clock.seconds()).max(0.0);
        let least = requested.retrain.steps.min(MIN_TRAINING_STEPS) as f64 * step;
        let most = (MOST_EVALUATION * left).max(left - least);
        if self.evaluation.seconds > most {
            self.notes.push(format!(
                "evaluation is expected to take {:.1} s, and {most:.1} s are kept for it so that the training is not too \
                 short: the run may take longer than its limit",
                self.evaluation.seconds
            ));
        }
        self.reserve = writing_seconds(self.limit) + self.evaluation.seconds.min(most);
        let planner = TrainingPlanner {
            requested,
            end: self.limit - self.reserve,
            start: clock.seconds(),
            baseline,
            stretch: if requested.use_all { MAX_STRETCH } else { 1.0 },
            concurrent_share: self.concurrent_share,
        };
        self.training = planner.plan(self.width, known, costs, &mut self.notes);
    }
}

/// The situation before the search.
struct Planner<'a> {
    requested: &'a RequestedWork,
    limit: f64,
    /// The time at which the plan is made.
    now: f64,
    /// The requested width of the network.
    width: usize,
    /// Seconds of a search step on a batch of the requested size.
    search_step: f64,
    /// As in [`TimePlan`].
    concurrent_share: f64,
}

impl Planner<'_> {
    /// Seconds that remain if some are reserved at the end.
    fn remaining(&self, reserve: f64) -> f64 {
        (self.limit - reserve - self.now).max(0.0)
    }

    /// A plan with all of the requested work and, if there is more time and all of it is to be used, more of it; `None` if the work, which takes
    /// `seconds` without evaluation, does not fit.
    fn whole(
        &self,
        seconds: f64,
        baseline: bool,
        costs: &mut dyn CostModel,
        notes: &mut Vec<String>,
    ) -> Option<TimePlan> {
        // Without the evaluation, which need not be measured if the rest alone does not fit.
        if seconds > self.remaining(writing_seconds(self.limit)) {
            return None;
        }
        let requested = self.requested;
        let evaluation = requested.evaluation(self.width, baseline, costs);
        let reserve = writing_seconds(self.limit) + evaluation.seconds;
        if seconds > self.remaining(reserve) {
            return None;
        }
        let stretch = if requested.use_all { (self.remaining(reserve) / seconds).min(MAX_STRETCH) } else { 1.0 };
        let steps = (requested.search.steps as f64 * stretch) as u64;
        let plan = || requested.search_plan(steps, requested.search.batch, self.search_step, self.now);
        let search = requested.searches().then(plan);
        let planner = self.trainings(reserve, search.map_or(self.now, |search| search.until), baseline, stretch);
        let training = planner.plan(self.width, None, costs, notes);
        Some(self.plan(self.width, evaluation, reserve, search, training, std::mem::take(notes)))
    }

    /// A plan with less of everything and without the plain backbone. `seconds` are those of all the requested work.
    fn reduced(
        &self,
        searches: bool,
        seconds: f64,
        clock: &dyn Clock,
        costs: &mut dyn CostModel,
        mut notes: Vec<String>,
    ) -> TimePlan {
        let requested = self.requested;
        // The widths at which evaluation does not take too much of the time, or the narrowest.
        let mut widths = &requested.widths[..];
        while let [wide, rest @ ..] = widths
            && !rest.is_empty()
            && requested.evaluation(*wide, false, costs).seconds > MOST_EVALUATION * self.limit
        {
            widths = rest;
        }
        let widest = widths.first().copied().unwrap_or(self.width);
        let reserve = writing_seconds(self.limit) + requested.evaluation(widest, false, costs).seconds;
        let search_seconds = self.search_step * requested.search.steps as f64;
        let share = (search_seconds / seconds.max(1e-9)).clamp(SEARCH_SHARE[0], SEARCH_SHARE[1]);
        let reduced = |costs| requested.reduced_search(share * self.remaining(reserve), clock.seconds(), costs);
        let search = if searches && requested.searches() { reduced(&mut *costs) } else { None };
        match &search {
            None if !requested.searches() => {}
            None if !searches => notes.push(
                "search skipped: the time that it takes is needed for training; the backbone keeps its original kernels"
                    .to_owned(),
            ),
            None => notes.push(format!(
                "search skipped: it needs {MIN_SEARCH_STEPS} steps of {:.2} s, more than its share of the limit; the \
                 backbone keeps its original kernels",
                self.search_step
            )),
            Some(plan) if plan.batch < requested.search.batch => notes.push(format!(
                "search batch size reduced from {} to {} to have more steps",
                requested.search.batch, plan.batch
            )),
            Some(_) => {}
        }
        let start = search.as_ref().map_or(self.now, |s| s.until);
        let retraining = (self.limit - reserve - start).max(0.0) * (1.0 - TUNE_SHARE);
        let enough = |width: usize, costs: &mut dyn CostModel| {
            let steps = retraining / costs.train_step(width, requested.retrain.batch);
            steps >= (requested.retrain.steps as f64 * MIN_RETRAIN_SHARE).max(DESIRED_STEPS as f64)
        };
        let width = widths.iter().copied().find(|&w| enough(w, costs));
        let width = width.or(widths.last().copied()).unwrap_or(self.width);
        if width != self.width {
            let why = if width == widest { "to be evaluated in less time" } else { "to train for more steps" };
            notes.push(format!("network width reduced from {} to {width} {why}", self.width));
        }
        let evaluation = requested.evaluation(width, false, costs);
        let reserve = writing_seconds(self.limit) + evaluation.seconds;
        let training = self.trainings(reserve, start, false, 1.0).plan(width, None, costs, &mut notes);
        self.plan(width, evaluation, reserve, search, training, notes)
    }

    /// The fewest steps of a training: fewer only if fewer are asked for.
    fn least_steps(&self) -> u64 {
        self.requested.retrain.steps.min(MIN_TRAINING_STEPS)
    }

    /// Whether a plan has a training that is long enough, and an evaluation that is short enough.
    fn trains_enough(&self, plan: &TimePlan) -> bool {
        plan.training.steps >= self.least_steps() && plan.evaluation.seconds <= MOST_EVALUATION * self.limit
    }

    /// The refusal, with the limit at which the shortest training of the narrowest network is possible.
    fn too_short(&self, clock: &dyn Clock, costs: &mut dyn CostModel) -> TooShort {
        let requested = self.requested;
        let width = requested.widths.last().copied().unwrap_or(self.width);
        let mut batch = requested.retrain.batch;
        while batch / 2 >= MIN_BATCH {
            batch /= 2;
        }
        let steps = self.least_steps();
        let training = steps as f64 * costs.train_step(width, batch);
        let evaluation = requested.evaluation(width, false, costs).seconds;
        let spent = clock.seconds();
        let shares = 1.0 - MEASURING_SHARE - (writing_seconds(1.0) - writing_seconds(0.0));
        let work = (spent + training + evaluation + writing_seconds(0.0)) / shares;
        let least = work.max(evaluation / MOST_EVALUATION);
        let test = requested.samples.test;
        TooShort { limit: self.limit, least: TooShort::rounded(least), spent, steps, batch, training, test, evaluation }
    }

    fn trainings(&self, reserve: f64, start: f64, baseline: bool, stretch: f64) -> TrainingPlanner<'_> {
        TrainingPlanner {
            requested: self.requested,
            end: self.limit - reserve,
            start,
            baseline,
            stretch,
            concurrent_share: self.concurrent_share,
        }
    }

    fn plan(
        &self,
        width: usize,
        evaluation: EvaluationPlan,
        reserve: f64,
        search: Option<SearchPlan>,
        training: TrainingPlan,
        notes: Vec<String>,
    ) -> TimePlan {
        TimePlan {
            requested: self.requested.clone(),
            limit: self.limit,
            made: self.now,
            reserve,
            evaluation,
            width,
            concurrent_share: self.concurrent_share,
            search,
            training,
            notes,
        }
    }
}

impl RequestedWork {
    /// Whether there is a search: there is none where the kernels are given.
    fn searches(&self) -> bool {
        self.search.steps > 0
    }

    /// Seconds of all the requested work at a width, without evaluation on the test split.
    fn seconds(
        &self,
        width: usize,
        baseline: bool,
        search_step: f64,
        concurrent_share: f64,
        costs: &mut dyn CostModel,
    ) -> f64 {
        let step = costs.train_step(width, self.retrain.batch);
        let scoring = costs.evaluate_sample(width) * self.samples.validation as f64;
        let tune = self.tune.map_or(0.0, |t| match t.tuner {
            Some(Tuner::Asha) => asha_seconds(&t.asha, step, concurrent_share, scoring),
            _ => t.trials as f64 * (t.steps as f64 * concurrent_share * step + scoring),
        });
        let network = tune + self.retrain.steps as f64 * step;
        search_step * self.search.steps as f64 + network * if baseline { 2.0 } else { 1.0 }
    }

    /// Evaluation of the network, and of the plain backbone, on the test split.
    fn evaluation(&self, width: usize, baseline: bool, costs: &mut dyn CostModel) -> EvaluationPlan {
        let searched = costs.evaluation(width, false);
        let plain = baseline.then(|| costs.evaluation(width, true));
        let per_sample = searched.sample + plain.map_or(0.0, |plain| plain.sample);
        EvaluationPlan { seconds: per_sample * self.samples.test as f64, searched, plain }
    }

    fn search_plan(&self, steps: u64, batch: usize, step_seconds: f64, now: f64) -> SearchPlan {
        // Epochs draw smaller fractions of the data where there would be few of them.
        let drawn = (steps / SEARCH_EPOCHS).max(1) as f64 * batch as f64;
        let train = self.samples.train;
        let subsample = (drawn / train.max(1) as f64).min(self.subsample);
        let least = batch.min(train) as f64 / train.max(1) as f64;
        let until = now + steps as f64 * step_seconds;
        SearchPlan { steps, batch, subsample: subsample.max(least).min(1.0), step_seconds, until }
    }

    /// The search within some seconds: with smaller batches if there would be few steps, and `None` if there are too
    /// few even then.
    fn reduced_search(&self, seconds: f64, now: f64, costs: &mut dyn CostModel) -> Option<SearchPlan> {
        let mut batch = self.search.batch;
        loop {
            let step = costs.search_step(batch);
            let steps = (seconds / step) as u64;
            if steps >= DESIRED_STEPS || (batch / 2 < MIN_BATCH && steps >= MIN_SEARCH_STEPS) {
                return Some(self.search_plan(steps.min(self.search.steps.max(DESIRED_STEPS)), batch, step, now));
            }
            if batch / 2 < MIN_BATCH {
                return None;
            }
            batch /= 2;
        }
    }
}

/// The situation before tuning, retraining and the training of the plain backbone.
struct TrainingPlanner<'a> {
    requested: &'a RequestedWork,
    /// The time at which all trainings must be over.
    end: f64,
    /// The time at which the search is over.
    start: f64,
    baseline: bool,
    /// The multiple of its requested time that tuning may take.
    stretch: f64,
    /// As in [`TimePlan`].
    concurrent_share: f64,
}

impl TrainingPlanner<'_> {
    /// Divides the remaining time between tuning, retraining and the plain backbone. `known` are the batch size and the
    /// seconds of a step, where they are decided already.
    fn plan(
        &self,
        width: usize,
        known: Option<(usize, f64)>,
        costs: &mut dyn CostModel,
        notes: &mut Vec<String>,
    ) -> TrainingPlan {
        let requested = self.requested;
        let left = (self.end - self.start).max(0.0);
        let per_network = if self.baseline { left / 2.0 } else { left };
        let (batch, step) = known.unwrap_or_else(|| self.batch(width, per_network, costs, notes));
        let scoring = costs.evaluate_sample(width) * requested.samples.validation as f64;
        let wanted = requested.tune.map_or(0.0, |t| {
            self.stretch * t.trials as f64 * (t.steps as f64 * self.concurrent_share * step + scoring)
        });
        let retrain = requested.retrain.steps as f64 * step;
        // Tuning gets all that it asks for if retraining does, too.
        let share = if wanted + retrain <= per_network { wanted } else { wanted.min(TUNE_SHARE * per_network) };
        let (tune, tune_seconds) = match requested.tune {
            None => (TunePlan::None, 0.0),
            Some(tune) => tune.fit(share, step, self.concurrent_share, scoring),
        };
        // After the search there may be time for tuning that seemed impossible before it.
        notes.retain(|note| note != NO_TUNING);
        if requested.tune.is_some() && tune == TunePlan::None {
            notes.push(NO_TUNING.to_owned());
        }
        let tune_until = self.start + tune_seconds;
        let retrain_until = if self.baseline { self.start + per_network } else { self.end };
        let most = (!requested.use_all).then_some(requested.retrain.steps.max(1));
        let fitting = ((retrain_until - tune_until) / step).round().max(1.0) as u64;
        let steps = most.map_or(fitting, |most| fitting.min(most));
        TrainingPlan {
            from: self.start,
            tune,
            tune_until,
            steps,
            most,
            batch,
            step_seconds: step,
            retrain_until,
            baseline_until: self.baseline.then_some(self.end),
        }
    }

    /// The batch size of the trainings and the seconds of a step: the requested size, or a smaller one if there would
    /// be few steps.
    fn batch(
        &self,
        width: usize,
        per_network: f64,
        costs: &mut dyn CostModel,
        notes: &mut Vec<String>,
    ) -> (usize, f64) {
        let requested = self.requested.retrain.batch;
        let mut batch = requested;
        let mut step = costs.train_step(width, batch);
        while per_network * (1.0 - TUNE_SHARE) / step < DESIRED_STEPS as f64 && batch / 2 >= MIN_BATCH {
            batch /= 2;
            step = costs.train_step(width, batch);
        }
        if batch < requested {
            notes.push(format!("training batch size reduced from {requested} to {batch} to have more steps"));
        }
        (batch, step)
    }
}

impl RequestedTuning {
    /// The most thorough tuning within some seconds, and the seconds that it takes. `scoring` are the seconds of
    /// scoring a trial.
    fn fit(&self, seconds: f64, step: f64, concurrent_share: f64, scoring: f64) -> (TunePlan, f64) {
        let grid_step = concurrent_share * step;
        if self.tuner != Some(Tuner::Asha) {
            let grid = self.grid(self.trials, seconds, grid_step, scoring);
            let least = MIN_TRIAL_STEPS.max(self.steps / 2).min(self.steps);
            if let Some((plan, steps, grid_seconds)) = grid
                && (steps >= least || self.tuner == Some(Tuner::Grid))
            {
                return (plan, grid_seconds);
            }
        }
        if self.tuner != Some(Tuner::Grid) {
            let mut max_steps = self.steps;
            loop {
                for samples in (MIN_ASHA_SAMPLES..=self.asha.samples.max(MIN_ASHA_SAMPLES)).rev() {
                    let size = sized(&self.asha, samples, max_steps);
                    let asha_seconds = asha_seconds(&size, step, concurrent_share, scoring);
                    if asha_seconds <= seconds {
                        return (TunePlan::Asha { size }, asha_seconds);
                    }
                }
                if max_steps / 2 < MIN_TRIAL_STEPS {
                    return (TunePlan::None, 0.0);
                }
                max_steps /= 2;
            }
        }
        // The grid was asked for: as many trials as there is time for, but at least two.
        (2..self.trials)
            .rev()
            .find_map(|trials| self.grid(trials, seconds, grid_step, scoring))
            .map_or((TunePlan::None, 0.0), |(plan, _, grid_seconds)| (plan, grid_seconds))
    }

    /// Some trials of the grid within some seconds: the plan, the steps of a trial and the seconds of all. `None` if a
    /// trial would be too short to be informative.
    fn grid(&self, trials: usize, seconds: f64, step: f64, scoring: f64) -> Option<(TunePlan, u64, f64)> {
        let per_trial = seconds / trials.max(1) as f64 - scoring;
        let most = (self.steps as f64 * MAX_STRETCH) as u64;
        // The seconds were computed from the requested steps: rounding them must not cost a step.
        let steps = ((per_trial / step + 1e-6).max(0.0) as u64).min(most);
        let all = trials as f64 * (steps as f64 * step + scoring);
        (steps >= MIN_TRIAL_STEPS.min(self.steps)).then_some((TunePlan::Grid { trials, steps }, steps, all))
    }
}

/// Settings of ASHA with a number of samples and of steps on the last rung.
fn sized(settings: &AshaSettings, samples: usize, max_steps: u64) -> AshaSettings {
    let rungs = settings.rungs().len() as u32;
    // As many rungs as requested, but no trial that is too short to be informative.
    let reduction = (settings.reduction.max(2) as u64).saturating_pow(rungs.saturating_sub(1));
    let min_steps = (max_steps / reduction.max(1)).max(MIN_TRIAL_STEPS / 2).min(max_steps);
    AshaSettings { samples, min_steps, max_steps, ..*settings }
}

/// Seconds of a tuning by ASHA.
fn asha_seconds(size: &AshaSettings, step: f64, concurrent_share: f64, scoring: f64) -> f64 {
    let (trainings, steps) = size.size();
    // The last trial of the highest rung has the machine to itself.
    let alone = size.max_steps.min(steps);
    let steps = alone as f64 + (steps - alone) as f64 * concurrent_share;
    EXTRA_PROMOTIONS * (steps * step + trainings as f64 * scoring)
}

/// Seconds reserved for writing files and for unforeseen delays.
fn writing_seconds(limit: f64) -> f64 {
    0.25 + 0.005 * limit
}
