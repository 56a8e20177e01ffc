//! What commands that compute do first: start the log and the threads, and listen for Ctrl-C.

use crate::exit_code::Code;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::verbosity::Verbosity;

/// For commands that compute in steps: Ctrl-C stops them at their next step.
pub fn interruptible(threads: Option<u16>, verbosity: Verbosity) -> Result<Progress, Failure> {
    begin(threads, verbosity)?;
    Ok(Progress::new(verbosity, Interrupt::listen()))
}

/// For commands that do not ask whether to stop: Ctrl-C ends the process immediately.
pub fn uninterruptible(threads: Option<u16>, verbosity: Verbosity) -> Result<Progress, Failure> {
    begin(threads, verbosity)?;
    Ok(Progress::new(verbosity, Interrupt::default()))
}

fn begin(threads: Option<u16>, verbosity: Verbosity) -> Result<(), Failure> {
    crate::logging::start(verbosity);
    aggconv::kernels::check_environment().map_err(|e| Failure::new(Code::Other, e.to_string(), None))?;
    // This thread is one of them: a step is hundreds of short parallel sections, and handing each to threads that sleep,
    // only to wait for them, would take longer than some of them do.
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0).into())
        .use_current_thread()
        .build_global()
        .map_err(|error| {
            let wanted = threads.map_or("the".to_owned(), |n| n.to_string());
            Failure::new(Code::Other, format!("cannot start {wanted} threads: {error}"), None)
        })
}
