//! Tuning trials side by side. Each runs on a thread of its own, in a pool that has its share of the processor; the
//! run's own thread hands them out, shows and logs what they say, and alone writes.
//!
//! Which trials there are, their numbers and what is made of their scores follow from scores alone, and a trial comes
//! to the same bits on any number of threads: how many run side by side, and how fast, changes nothing but the time
//! and the order of the log.
//!
//! A trial waits after every step for the answer whether to go on, and whether to hand over its state. For a
//! checkpoint every trial under way is asked; what one says after it has handed over its state is heard when the
//! checkpoint is written. So the log is cut where the states are.

use crate::budget::limits;
use crate::checkpoint::Kept;
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::journal::Journal;
use crate::outcome::Hyperparameters;
use crate::problem::Score;
use crate::tune::{Progress, Rung, Trial, Trials, isolated};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

/// Stack of a trial's thread: what a program's first thread has.
const STACK: usize = 8 << 20;

/// A trial to be run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Todo {
    /// Its number.
    pub trial: usize,
    /// What is tried.
    pub hyperparameters: Hyperparameters,
    /// Its length, if that is not the configuration's.
    pub steps: Option<u64>,
    /// Where in a tournament it is.
    pub rung: Option<Rung>,
}

/// Decides which trials there are.
pub(crate) trait Source {
    /// The next trial, if there is one before those under way are over. `done` are those that are, by number.
    fn next(&mut self, done: &[Trial], under_way: usize) -> Option<Todo>;

    /// Takes in how a trial ended; `None` if it failed.
    fn finished(&mut self, todo: &Todo, score: Option<Score>);

    /// Why there are no more trials, if there could have been.
    fn why_over(&self) -> Option<String> {
        None
    }
}

/// What a trial says to the run's thread.
enum Word {
    Event(Event),
    /// Its state, as it was after its last step.
    State(Box<Kept>),
    /// It is over after so many seconds.
    Over(Box<Result<Result<Score, String>, Error>>, f64),
}

/// What it is answered after a step.
#[derive(Debug, Clone, Copy, Default)]
struct Answer {
    /// Whether to stop.
    stop: bool,
    /// Whether to hand over the state.
    keep: bool,
}

/// A trial's line to the run's thread.
pub(crate) struct Line {
    trial: usize,
    words: Sender<(usize, Word)>,
    answers: Receiver<Answer>,
    last: Cell<Answer>,
}

impl Line {
    fn say(&self, word: Word) {
        // If no one listens, no answer comes either, and that ends the trial.
        let _ = self.words.send((self.trial, word));
    }

    /// Whether the state is asked for.
    pub fn is_asked(&self) -> bool {
        self.last.get().keep
    }

    /// Hands over the state.
    pub fn keep(&self, kept: Kept) {
        self.last.set(Answer { keep: false, ..self.last.get() });
        self.say(Word::State(Box::new(kept)));
    }
}

impl Observer for &Line {
    fn event(&mut self, event: &Event) {
        self.say(Word::Event(event.clone()));
        if matches!(event, Event::Step { .. }) {
            self.last.set(self.answers.recv().unwrap_or(Answer { stop: true, keep: false }));
        }
    }

    fn cancelled(&self) -> bool {
        self.last.get().stop
    }
}

/// The processor, shared evenly by the trials under way.
#[derive(Debug)]
pub(crate) struct Share {
    threads: usize,
    under_way: AtomicUsize,
}

impl Share {
    /// Threads of one trial, as things stand.
    fn each(&self) -> usize {
        (self.threads / self.under_way.load(Ordering::Relaxed).max(1)).max(1)
    }
}

/// Where a trial computes: a pool of its own that follows its share. A trial that is left alone, as the last of a
/// tournament is, gets the whole processor at its next step.
pub(crate) struct Lane<'a> {
    share: &'a Share,
    pool: Mutex<Option<ThreadPool>>,
}

impl<'a> Lane<'a> {
    fn new(share: &'a Share) -> Self {
        Self { share, pool: Mutex::new(None) }
    }

    /// Does some work in the pool.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let threads = self.share.each();
        // A panic in the work leaves the pool as it is.
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.as_ref().is_none_or(|pool| pool.current_num_threads() != threads) {
            *pool = ThreadPoolBuilder::new().num_threads(threads).build().ok();
        }
        match &*pool {
            Some(pool) => pool.install(work),
            // No more threads are to be had: those that there are will do.
            None => work(),
        }
    }
}

/// The next word, if there is still someone to say one. This thread may be the only one of the pool that takes what trials
/// compute outside their lanes.
fn next<T>(heard: &Receiver<T>) -> Option<T> {
    loop {
        match heard.recv_timeout(Duration::from_millis(5)) {
            Ok(word) => return Some(word),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                let _ = rayon::yield_now();
            }
        }
    }
}

/// Whether the state of a trial is wanted for the checkpoint that is being made.
enum State {
    NotWanted,
    Wanted,
    Given(Box<Kept>),
}

/// A trial under way.
struct UnderWay {
    todo: Todo,
    /// Steps that it is to take.
    steps: u64,
    /// Steps that it has taken, and those of them in earlier processes.
    taken: u64,
    before: Option<u64>,
    answers: Sender<Answer>,
    state: State,
}

/// Trials that are run for the others to be compared with; those that the ledger has are not run again.
pub(crate) struct Crew<'c, 'a, 'j, 'o> {
    setup: &'c Trials<'a>,
    progress: &'c mut Progress,
    journal: &'j mut Journal<'o>,
    /// Trials in all, for events.
    total: usize,
    /// Trials side by side at most.
    workers: usize,
    /// Trials that are over, by number.
    done: Vec<Trial>,
    under_way: Vec<UnderWay>,
    /// What trials said after they had handed over their state.
    unheard: VecDeque<(usize, Word)>,
    /// States of trials that were stopped.
    stopped: Vec<Kept>,
    /// Seconds of a step in the last trial that was run here.
    step_seconds: Option<f64>,
    /// Why no more trials are begun.
    failed: Option<Error>,
}

/// Ends the trials under way with their lines, also in a panic: one that waits for an answer would wait for ever.
struct HangUp<'x, 'c, 'a, 'j, 'o>(&'x mut Crew<'c, 'a, 'j, 'o>);

impl Drop for HangUp<'_, '_, '_, '_, '_> {
    fn drop(&mut self) {
        self.0.under_way.clear();
    }
}

impl<'c, 'a, 'j, 'o> Crew<'c, 'a, 'j, 'o> {
    /// A crew that runs at most so many trials side by side.
    pub fn new(
        setup: &'c Trials<'a>,
        progress: &'c mut Progress,
        journal: &'j mut Journal<'o>,
        total: usize,
        workers: usize,
    ) -> Self {
        Self {
            setup,
            progress,
            journal,
            total,
            workers: workers.max(1),
            done: Vec::new(),
            under_way: Vec::new(),
            unheard: VecDeque::new(),
            stopped: Vec::new(),
            step_seconds: None,
            failed: None,
        }
    }

    /// Runs all trials of a source; those that are over, by number.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the observer asked to stop, [`Error::Data`] if the data cannot be read; the state is
    /// saved then. What is not a trial's own failure.
    pub fn run(mut self, source: &mut dyn Source) -> Result<Vec<Trial>, Error> {
        let share = Share { threads: rayon::current_num_threads(), under_way: AtomicUsize::new(0) };
        let (words, heard) = channel();
        let more = std::thread::scope(|scope| {
            let crew = HangUp(&mut self);
            let mut more = true;
            loop {
                more = more && crew.0.hand_out(source, scope, &share, &words);
                share.under_way.store(crew.0.under_way.len(), Ordering::Relaxed);
                if crew.0.under_way.is_empty() {
                    break;
                }
                // Those under way end with a word.
                let Some((trial, word)) = next(&heard) else { break };
                crew.0.hear(trial, word, source);
                if crew.0.is_saving() && !crew.0.under_way.iter().any(|u| matches!(u.state, State::Wanted)) {
                    crew.0.save();
                    for (trial, word) in std::mem::take(&mut crew.0.unheard) {
                        crew.0.hear(trial, word, source);
                    }
                }
            }
            more
        });
        let why = if more { source.why_over() } else { Some("there was no time for more".to_owned()) };
        if let (None, Some(why)) = (&self.failed, why) {
            let (stage, done) = (self.progress.stage, self.done.len());
            let message = format!("{done} of {} trials of the {stage} stage were run: {why}", self.total);
            tracing::info!("{message}");
            limits::tuning_ended(&mut self.journal.ledger, stage, &message);
            self.journal.event(&Event::Note { message });
        }
        match self.failed {
            None => Ok(self.done),
            // Data that cannot be read may be there again later.
            Some(error @ (Error::Interrupted | Error::Data(_))) => {
                let trainings: Vec<&Kept> = self.stopped.iter().collect();
                self.journal.save_all(&trainings)?;
                Err(error)
            }
            Some(error) => Err(error),
        }
    }

    /// Begins as many trials as may be, and takes in those that were over before; whether there may be more.
    fn hand_out<'s>(
        &mut self,
        source: &mut dyn Source,
        scope: &'s Scope<'s, '_>,
        share: &'s Share,
        words: &Sender<(usize, Word)>,
    ) -> bool
    where
        'c: 's,
        'a: 's,
    {
        while self.failed.is_none() && self.under_way.len() < self.workers && !self.is_saving() {
            let Some(todo) = source.next(&self.done, self.under_way.len()) else { break };
            if let Some(done) = self.journal.ledger.trial(self.progress.stage, todo.trial).cloned() {
                self.progress.done += self.steps(&todo);
                source.finished(&todo, done.score);
                self.take_in(done);
            } else if self.journal.cancelled() {
                self.failed = Some(Error::Interrupted);
            } else if self.has_time(&todo) {
                self.begin(todo, scope, share, words);
            } else {
                return false;
            }
        }
        true
    }

    fn steps(&self, todo: &Todo) -> u64 {
        todo.steps.unwrap_or_else(|| self.setup.steps())
    }

    fn has_time(&self, todo: &Todo) -> bool {
        let steps = self.steps(todo);
        self.setup.problem.budget.room_for_trial(self.progress.stage, steps, self.step_seconds, todo.trial)
    }

    /// Begins a trial, or goes on with it.
    fn begin<'s>(&mut self, todo: Todo, scope: &'s Scope<'s, '_>, share: &'s Share, words: &Sender<(usize, Word)>)
    where
        'c: 's,
        'a: 's,
    {
        let (setup, stage, steps) = (self.setup, self.progress.stage, self.steps(&todo));
        let kept = self.journal.resume(stage, Some(todo.trial));
        let (answers, answered) = channel();
        let line = Line { trial: todo.trial, words: words.clone(), answers: answered, last: Cell::default() };
        let progress = Progress { stage, done: 0, total: self.progress.total };
        let begun = todo.clone();
        let work = move || {
            let started = Instant::now();
            let lane = Lane::new(share);
            let length = begun.steps.map(|steps| setup.problem.budget.trial_length(stage, steps));
            let result = isolated(|| {
                let mut observer = &line;
                let mut journal = Journal::on_line(&mut observer, &line, kept);
                setup.run(begun.trial, begun.hyperparameters, length, &progress, &lane, &mut journal)
            });
            let result = result.unwrap_or_else(|panic| Ok(Err(format!("it panicked: {panic}"))));
            line.say(Word::Over(Box::new(result), started.elapsed().as_secs_f64()));
        };
        let name = format!("trial {}", todo.trial + 1);
        if let Err(e) = Builder::new().name(name).stack_size(STACK).spawn_scoped(scope, work) {
            let reason = format!("there is no thread for a tuning trial: {e}");
            self.failed = Some(Error::Threads { reason });
            return;
        }
        let (taken, before, state) = (0, None, State::NotWanted);
        self.under_way.push(UnderWay { todo, steps, taken, before, answers, state });
    }

    fn is_saving(&self) -> bool {
        self.under_way.iter().any(|u| !matches!(u.state, State::NotWanted))
    }

    /// Takes notice of what a trial says.
    fn hear(&mut self, trial: usize, word: Word, source: &mut dyn Source) {
        let Some(at) = self.under_way.iter().position(|u| u.todo.trial == trial) else { return };
        if matches!(self.under_way[at].state, State::Given(_)) {
            self.unheard.push_back((trial, word));
            return;
        }
        match word {
            Word::Event(Event::Step { stage, trial, epoch, step, loss, lr, .. }) => {
                let under_way = &mut self.under_way[at];
                under_way.before.get_or_insert(step.saturating_sub(1));
                under_way.taken = step;
                let step = self.progress.done + self.under_way.iter().map(|u| u.taken).sum::<u64>();
                let steps_total = self.progress.total.max(step);
                self.journal.event(&Event::Step { stage, trial, epoch, step, steps_total, loss, lr });
                self.answer(at);
            }
            Word::Event(event) => self.journal.event(&event),
            Word::State(kept) => match &mut self.under_way[at].state {
                wanted @ State::Wanted => *wanted = State::Given(kept),
                // Not asked for: the trial stops.
                _ => self.stopped.push(*kept),
            },
            Word::Over(result, seconds) => self.end(at, *result, seconds, source),
        }
    }

    /// Answers a trial that has taken a step.
    fn answer(&mut self, at: usize) {
        if self.failed.is_none() {
            if self.journal.cancelled() {
                self.failed = Some(Error::Interrupted);
            } else if !self.is_saving() && self.journal.due() {
                self.under_way.iter_mut().for_each(|u| u.state = State::Wanted);
            }
        }
        let under_way = &self.under_way[at];
        let keep = matches!(under_way.state, State::Wanted);
        // One that is over without waiting for the answer has said so.
        let _ = under_way.answers.send(Answer { stop: self.failed.is_some(), keep });
    }

    /// Takes in how a trial ended.
    fn end(&mut self, at: usize, result: Result<Result<Score, String>, Error>, seconds: f64, source: &mut dyn Source) {
        let UnderWay { todo, steps, taken, before, .. } = self.under_way.remove(at);
        let (score, reason) = match result {
            Ok(Ok(score)) => (Some(score), None),
            Ok(Err(reason)) => (None, Some(reason)),
            Err(error) => {
                // What stopped the others is not why.
                if self.failed.is_none() || !matches!(error, Error::Interrupted) {
                    self.failed = Some(error);
                }
                return;
            }
        };
        self.step_seconds = Some(seconds / taken.saturating_sub(before.unwrap_or(0)).max(1) as f64);
        let Todo { trial, hyperparameters, rung, .. } = todo;
        let done = Trial { trial, hyperparameters, score, reason, rung };
        self.journal.event(&done.event(self.progress.stage, self.total));
        self.journal.ledger.add_trial(self.progress.stage, done.clone());
        // It may have ended before its last step.
        self.progress.done += steps;
        self.journal.ledger.steps = self.progress.done + self.under_way.iter().map(|u| u.taken).sum::<u64>();
        source.finished(&todo, score);
        self.take_in(done);
        if self.under_way.is_empty() && self.failed.is_none() && self.journal.due() {
            self.save();
        }
    }

    fn take_in(&mut self, trial: Trial) {
        let place = self.done.partition_point(|other| other.trial < trial.trial);
        self.done.insert(place, trial);
    }

    /// Writes a checkpoint with the states that were handed over.
    fn save(&mut self) {
        let states: Vec<State> =
            self.under_way.iter_mut().map(|u| std::mem::replace(&mut u.state, State::NotWanted)).collect();
        let given = states.iter().filter_map(|s| if let State::Given(kept) = s { Some(&**kept) } else { None });
        let given: Vec<&Kept> = given.chain(&self.stopped).collect();
        if let Err(error) = self.journal.save_all(&given) {
            self.failed.get_or_insert(error);
        }
    }
}
