//! What Python sees of a run, and how it stops one.

use crate::json;
use dashnas::event::{Event, Observer};
use pyo3::prelude::*;

/// Calls a Python function with every event, and stops the run when Python has an exception to raise: Ctrl-C, or
/// whatever the function raised.
pub struct Watch {
    callback: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Watch {
    /// Watches a run, with or without a function to call.
    pub fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, raised: None }
    }

    /// The exception that stopped the run, if one did.
    pub fn into_raised(self) -> Option<PyErr> {
        self.raised
    }

    fn tell(&self, event: &Event) -> PyResult<()> {
        Python::attach(|py| {
            // Sees the signals that came while no Python code ran; in threads other than the main one, nothing.
            py.check_signals()?;
            match &self.callback {
                Some(callback) => callback.bind(py).call1((json::to_python(py, event)?,)).map(drop),
                None => Ok(()),
            }
        })
    }
}

impl Observer for Watch {
    fn event(&mut self, event: &Event) {
        if self.raised.is_none()
            && let Err(error) = self.tell(event)
        {
            self.raised = Some(error);
        }
    }

    fn cancelled(&self) -> bool {
        self.raised.is_some()
    }
}
