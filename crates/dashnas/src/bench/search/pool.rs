//! Work side by side, each on its share of the processor.

use crate::error::Error;
use rayon::ThreadPoolBuilder;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

/// Stack of a thread in bytes: as much as the first thread of a program has.
const STACK: usize = 8 << 20;

/// Does all jobs, `workers` at a time. With one worker they run on the calling thread. After an error no job is begun, and
/// `stop` asks the running ones to end.
///
/// # Errors
/// The first error of a job, an interruption last; [`Error::Threads`] if the system gives no threads.
pub(crate) fn side_by_side<J: Send>(
    jobs: Vec<J>,
    workers: usize,
    stop: &AtomicBool,
    work: &(dyn Fn(J) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    if workers <= 1 {
        return jobs.into_iter().try_for_each(work);
    }
    let threads = (rayon::current_num_threads() / workers).max(1);
    let workers = workers.min(jobs.len());
    let queue = Mutex::new(VecDeque::from(jobs));
    let failed = Mutex::new(None::<Error>);
    let fail = |error: Error| {
        stop.store(true, Ordering::Relaxed);
        let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
        // The others were interrupted because of the first error.
        if first.as_ref().is_none_or(|first| matches!(first, Error::Interrupted)) {
            *first = Some(error);
        }
    };
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let worker = || -> Result<(), Error> {
        let no_threads = |e: &dyn std::error::Error| Error::Threads { reason: format!("cannot start threads: {e}") };
        let pool =
            ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build().map_err(|e| no_threads(&e))?;
        while !stop.load(Ordering::Relaxed)
            && let Some(job) = next()
        {
            pool.install(|| work(job))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let run = || worker().unwrap_or_else(&fail);
            if let Err(e) = Builder::new().stack_size(STACK).spawn_scoped(scope, run) {
                fail(Error::Threads { reason: format!("cannot start a thread: {e}") });
            }
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn all_jobs_are_done_by_any_number_of_workers() {
        for workers in [1, 2, 9] {
            let done = Mutex::new(Vec::new());
            let work = |job: usize| {
                done.lock().expect("no panic").push(job);
                Ok(())
            };
            side_by_side((0..5).collect(), workers, &AtomicBool::new(false), &work).expect("no job fails");
            let mut done = done.into_inner().expect("no panic");
            done.sort_unstable();
            assert_eq!(done, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn an_error_ends_the_work() {
        for workers in [1, 2] {
            let (begun, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
            let work = |_: usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                Err(Error::Diverged { stage: dashnas_core::stage::Stage::Tune, epoch: 0, step: 0 })
            };
            let result = side_by_side((0..50).collect(), workers, &stop, &work);
            assert!(matches!(result, Err(Error::Diverged { .. })));
            assert!(begun.into_inner() <= workers);
        }
    }
}
