//! Ctrl-C and SIGTERM: the first asks the run to stop at its next step, the second ends the process.

use crate::exit_code::Code;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the process was asked to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen. Where the system does not allow that, Ctrl-C ends the process immediately, as it does by
    /// default.
    pub fn listen() -> Self {
        let interrupt = Self::default();
        let flag = interrupt.0.clone();
        let handler = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(Code::Interrupted as i32);
            }
            eprintln!("\nstopping after this step; press Ctrl-C again to stop immediately");
        });
        drop(handler);
        interrupt
    }

    /// Whether the run is to stop.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
