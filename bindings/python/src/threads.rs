//! The threads that compute.
//!
//! A forked process has the memory of its parent but none of its threads, so that a pool of threads that was made before
//! the fork never answers. Pools therefore belong to a process, and all work is done in them: the global pool of `rayon`
//! is never started.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread;
use std::time::Duration;

/// Most pools that are kept: one for each number of threads that was asked for.
const KEPT: usize = 4;
/// The stack of each thread: trainings are deep.
const STACK: usize = 8 << 20;

struct Pool {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static POOLS: Mutex<Vec<Pool>> = Mutex::new(Vec::new());
/// The number that [`set_threads`] was given; 0 if it was not called.
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// Sets the number of threads for all computations from now on; results do not depend on it.
///
/// # Errors
/// `ValueError` for 0.
#[pyfunction]
pub fn set_threads(n: usize) -> PyResult<()> {
    if n == 0 {
        return Err(PyValueError::new_err("at least one thread is needed"));
    }
    CHOSEN.store(n, Ordering::Relaxed);
    Ok(())
}

/// The number of threads where none is asked for: that of [`set_threads`], or one for each core, but not more than the
/// environment allows, in which joblib tells its workers their share.
#[pyfunction]
pub fn threads() -> usize {
    match CHOSEN.load(Ordering::Relaxed) {
        0 => {
            let cores = thread::available_parallelism().map_or(1, NonZero::get);
            let limits = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS"].into_iter().filter_map(|name| {
                let value = std::env::var(name).ok()?;
                // OpenMP's is a list, the first for the outermost level.
                value.split(',').next()?.trim().parse().ok().filter(|&n: &usize| n > 0)
            });
            limits.fold(cores, usize::min)
        }
        chosen => chosen,
    }
}

/// A pool of so many threads, or of the usual number, of this process.
///
/// # Errors
/// `RuntimeError` if the system gives no threads.
pub fn pool(wanted: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    let (process, threads) = (std::process::id(), wanted.unwrap_or_else(threads).max(1));
    // A thread of the parent may have held the lock when this process was forked: then nobody gives it back.
    let mut tries = 0;
    let known = loop {
        match POOLS.try_lock() {
            Ok(pools) => break Some(pools),
            Err(TryLockError::Poisoned(pools)) => break Some(pools.into_inner()),
            Err(TryLockError::WouldBlock) if tries == 100 => break None,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
        }
        tries += 1;
    };
    let Some(mut known) = known else { return build(threads) };
    let (own, of_parent): (Vec<Pool>, Vec<Pool>) = known.drain(..).partition(|pool| pool.process == process);
    // To drop a pool is to ask its threads to end.
    std::mem::forget(of_parent);
    *known = own;
    if let Some(found) = known.iter().find(|pool| pool.threads == threads) {
        return Ok(found.pool.clone());
    }
    let pool = build(threads)?;
    if known.len() == KEPT {
        known.remove(0);
    }
    known.push(Pool { process, threads, pool: pool.clone() });
    Ok(pool)
}

fn build(threads: usize) -> PyResult<Arc<ThreadPool>> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build();
    pool.map(Arc::new).map_err(|e| PyRuntimeError::new_err(format!("cannot start {threads} threads: {e}")))
}

/// Computes without the interpreter's lock, on so many threads or on the usual number.
///
/// # Errors
/// As [`pool`].
pub fn compute<T: Send>(py: Python<'_>, threads: Option<usize>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let pool = pool(threads)?;
    Ok(py.detach(|| pool.install(work)))
}
