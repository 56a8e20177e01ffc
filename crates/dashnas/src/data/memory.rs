//! How much memory there is, where the system tells.

use std::fs;
use std::path::Path;

/// Bytes of memory that are free now.
pub(crate) fn free() -> Option<u64> {
    least(meminfo("MemAvailable:"), group_limit())
}

/// Bytes of memory of the machine, or as much of it as this process may have.
pub(crate) fn total() -> Option<u64> {
    least(meminfo("MemTotal:"), group_limit())
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

fn meminfo(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The smallest limit of the control groups that this process is in (version 2), as in a container or a batch job.
fn group_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    let start = root.join(own);
    let folders = start.ancestors().take_while(|folder| folder.starts_with(root));
    folders.filter_map(|folder| fs::read_to_string(folder.join("memory.max")).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn there_is_memory_and_not_all_of_it_is_free() {
        let (free, total) = (super::free().expect("Linux tells"), super::total().expect("Linux tells"));
        assert!(0 < free && free <= total, "{free} of {total}");
    }
}
