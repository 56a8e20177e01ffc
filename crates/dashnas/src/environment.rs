//! Where a run happened: the program and the machine.

use crate::run_dir::{RunDir, names};
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
    /// Name of the processor, where the system tells.
    pub cpu: Option<String>,
    /// Threads that the machine can run at once.
    pub cores: usize,
    /// Threads that the run uses.
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

    /// Keeps where a run was started, once. Only the report reads it, so a failure to write it stops nothing.
    pub(crate) fn record(dir: &RunDir) {
        if !dir.has(names::ENVIRONMENT)
            && let Err(e) = dir.write_json(names::ENVIRONMENT, &Self::here())
        {
            tracing::warn!("{e}");
        }
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// The first processor's name in Linux's `/proc/cpuinfo`.
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
