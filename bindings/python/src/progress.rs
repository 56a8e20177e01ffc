//! The observer that shows a run to Python and lets Python stop it.

use crate::json;
use dashnas::record::event::{Event, Observer};
use pyo3::prelude::*;

/// Calls a Python function with every event, and stops the run when there is an exception: one that the function raised,
/// or `KeyboardInterrupt`.
pub struct PythonObserver {
    callback: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl PythonObserver {
    /// An observer with or without a function to call.
    pub fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, raised: None }
    }

    /// The exception that stopped the run, if one did.
    pub fn into_raised(self) -> Option<PyErr> {
        self.raised
    }

    fn call(&self, event: &Event) -> PyResult<()> {
        Python::attach(|py| {
            // Handles signals that arrived while no Python code ran; it does nothing in other threads than the main one.
            py.check_signals()?;
            match &self.callback {
                Some(callback) => callback.bind(py).call1((json::to_python(py, event)?,)).map(drop),
                None => Ok(()),
            }
        })
    }
}

impl Observer for PythonObserver {
    fn event(&mut self, event: &Event) {
        if self.raised.is_none()
            && let Err(error) = self.call(event)
        {
            self.raised = Some(error);
        }
    }

    fn cancelled(&self) -> bool {
        self.raised.is_some()
    }
}
