//! The observer that shows a run to Python and lets Python stop it.

use crate::json;
use crate::threads;
use dashnas::record::event::{Event, Observer};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often signals are looked for while no event comes.
const SIGNALS: Duration = Duration::from_millis(50);

/// Sends every event to the thread that called from Python, and waits until Python has seen it.
struct Relay<'a> {
    events: Sender<Event>,
    seen: Receiver<()>,
    stopped: &'a AtomicBool,
}

impl Observer for Relay<'_> {
    fn event(&mut self, event: &Event) {
        if !self.cancelled() && self.events.send(event.clone()).is_ok() {
            // Nobody answers if the other side has gone, and then there is nobody to wait for.
            let _ = self.seen.recv();
        }
    }

    fn cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Works on so many threads, or on the usual number, without the interpreter's lock, and calls a Python function with
/// every event, in the thread that called. An exception stops the work: one that the function raised, or
/// `KeyboardInterrupt`.
///
/// # Errors
/// That exception, and `RuntimeError` if the system gives no threads.
pub fn observed<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    callback: Option<&Py<PyAny>>,
    work: impl FnOnce(&mut dyn Observer) -> T + Send,
) -> PyResult<T> {
    let pool = threads::pool(threads)?;
    let flag = AtomicBool::new(false);
    let stopped = &flag;
    let (events, received) = channel();
    let (answers, seen) = channel();
    let mut relay = Relay { events, seen, stopped };
    let mut done = None;
    let done_here = &mut done;
    let raised = py.detach(move || {
        pool.in_place_scope(|scope| {
            scope.spawn(move |_| {
                *done_here = Some(work(&mut relay));
                drop(relay);
            });
            serve(&received, &answers, callback, stopped)
        })
    });
    match (raised, done) {
        (Some(raised), _) => Err(raised),
        (None, Some(done)) => Ok(done),
        // A panic has left the scope.
        (None, None) => unreachable!("the work has ended"),
    }
}

/// Shows events to Python until the work has ended; returns the exception that stopped it.
fn serve(
    events: &Receiver<Event>,
    answers: &Sender<()>,
    callback: Option<&Py<PyAny>>,
    stopped: &AtomicBool,
) -> Option<PyErr> {
    let mut raised = None;
    loop {
        let event = match events.recv_timeout(SIGNALS) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return raised,
        };
        if raised.is_none()
            && let Err(error) = show(event.as_ref(), callback)
        {
            raised = Some(error);
            stopped.store(true, Ordering::Relaxed);
        }
        if event.is_some() {
            // The work does not wait if it has panicked.
            let _ = answers.send(());
        }
    }
}

/// Handles signals that arrived while no Python code ran, which does nothing in other threads than the main one, and
/// calls the function.
fn show(event: Option<&Event>, callback: Option<&Py<PyAny>>) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        match (event, callback) {
            (Some(event), Some(callback)) => callback.bind(py).call1((json::to_python(py, event)?,)).map(drop),
            _ => Ok(()),
        }
    })
}
