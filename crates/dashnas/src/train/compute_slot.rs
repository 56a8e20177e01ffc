//! The threads on which tuning trials that run side by side compute.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The threads of the processor, divided evenly among the running trials.
#[derive(Debug)]
pub(crate) struct ThreadBudget {
    threads: usize,
    running: AtomicUsize,
}

impl ThreadBudget {
    /// A budget of `threads` threads for no trial yet.
    pub fn new(threads: usize) -> Self {
        Self { threads, running: AtomicUsize::new(0) }
    }

    /// Sets the number of running trials.
    pub fn set_running(&self, trials: usize) {
        self.running.store(trials, Ordering::Relaxed);
    }

    /// Threads for one trial, at least 1.
    fn per_trial(&self) -> usize {
        (self.threads / self.running.load(Ordering::Relaxed).max(1)).max(1)
    }
}

/// The thread pool of one trial. Its size follows the budget: a trial that is the last one running, as at the end of
/// a tuning, gets the whole processor at its next step.
pub(crate) struct ComputeSlot<'a> {
    budget: &'a ThreadBudget,
    pool: Mutex<Option<ThreadPool>>,
}

impl<'a> ComputeSlot<'a> {
    /// A slot without a pool; the first [`ComputeSlot::run`] builds one.
    pub fn new(budget: &'a ThreadBudget) -> Self {
        Self { budget, pool: Mutex::new(None) }
    }

    /// Runs some work in the pool.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let threads = self.budget.per_trial();
        // A panic in the work leaves the pool as it is.
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.as_ref().is_none_or(|pool| pool.current_num_threads() != threads) {
            *pool = ThreadPoolBuilder::new().num_threads(threads).build().ok();
        }
        match &*pool {
            Some(pool) => pool.install(work),
            // The system gives no more threads: the work runs on those of the caller.
            None => work(),
        }
    }
}
