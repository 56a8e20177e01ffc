//! The program and the machine of a run.

use crate::run_dir::dir::RunDir;
use crate::run_dir::names;
use serde::{Deserialize, Serialize};
use std::fs;

/// The program and the machine of a run; `environment.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of the program.
    pub version: String,
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub arch: String,
    /// Name of the processor, if the system gives it.
    pub cpu: Option<String>,
    /// Number of threads that the machine can run at once.
    pub cores: usize,
    /// Number of threads that the run uses.
    pub threads: usize,
    /// Seconds since 1970 at which the run was started.
    pub started: u64,
}

impl Environment {
    /// This process, now.
    pub fn here() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            cpu: fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| cpu_name(&text)),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads: rayon::current_num_threads(),
            started: now(),
        }
    }

    /// Writes `environment.json` when a run is started. Only the report reads it, so an error does not stop the run.
    pub(crate) fn record(dir: &RunDir) {
        if !dir.has(names::ENVIRONMENT)
            && let Err(e) = dir.write_json(names::ENVIRONMENT, &Self::here())
        {
            tracing::warn!("{e}");
        }
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// The name of the first processor in the `/proc/cpuinfo` of Linux.
fn cpu_name(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_once() {
        let text = "processor\t: 0\nmodel name\t: A: fast one\nflags : x\n\nprocessor : 1\nmodel name : B\n";
        assert_eq!(cpu_name(text).as_deref(), Some("A: fast one"));
        assert_eq!(cpu_name("processor : 0\n"), None);
    }
}
