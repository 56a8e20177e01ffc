//! The memory of the machine, as far as the system tells: Linux does in `/proc/meminfo` and, for a container or a batch
//! job, in the files of its control groups (version 2); a limit of the address space (`ulimit -v`) counts as well.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes that this process could take now without others' memory being written out: what the machine has, free swap
/// included, but no more than what any control group of the process still allows. `None` if the system does not tell.
pub fn available() -> Option<u64> {
    System::default().available()
}

/// Bytes of memory of the machine, or the smallest limit of this process: of its control groups or its address space. `None`
/// if the system does not tell.
pub fn total() -> Option<u64> {
    System::default().total()
}

/// Resident memory of this process in bytes: now and at its peak. `None` if the system does not tell.
pub fn resident() -> Option<[u64; 2]> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some([kibibytes(&status, "VmRSS:")?, kibibytes(&status, "VmHWM:")?])
}

/// Makes the peak of [`resident`] begin anew with the memory that is resident now. Returns whether the system could do so;
/// Linux can.
pub fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The roots of the system's files; tests put others there.
struct System {
    /// The `proc` file system.
    proc: PathBuf,
    /// The hierarchy of control groups.
    groups: PathBuf,
}

impl Default for System {
    fn default() -> Self {
        Self { proc: "/proc".into(), groups: "/sys/fs/cgroup".into() }
    }
}

impl System {
    fn available(&self) -> Option<u64> {
        let text = self.meminfo()?;
        let machine = kibibytes(&text, "MemAvailable:")?.saturating_add(kibibytes(&text, "SwapFree:").unwrap_or(0));
        let groups = self.group_folders().into_iter().filter_map(|folder| headroom(&folder));
        Some(groups.chain(self.address_space().map(|(limit, used)| limit.saturating_sub(used))).fold(machine, u64::min))
    }

    fn total(&self) -> Option<u64> {
        let machine = self.meminfo().and_then(|text| kibibytes(&text, "MemTotal:"));
        let limits = self.group_folders().into_iter().filter_map(|folder| number(&folder.join("memory.max")));
        machine.into_iter().chain(limits).chain(self.address_space().map(|(limit, _)| limit)).min()
    }

    /// Bytes of the address space that this process may have (`ulimit -v`) and has; `None` if there is no limit.
    fn address_space(&self) -> Option<(u64, u64)> {
        let limits = fs::read_to_string(self.proc.join("self/limits")).ok()?;
        let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
        let status = fs::read_to_string(self.proc.join("self/status")).ok()?;
        Some((limit.split_whitespace().next()?.parse().ok()?, kibibytes(&status, "VmSize:")?))
    }

    fn meminfo(&self) -> Option<String> {
        fs::read_to_string(self.proc.join("meminfo")).ok()
    }

    /// The folder of the control group of this process, and those of all groups around it.
    fn group_folders(&self) -> Vec<PathBuf> {
        let groups = fs::read_to_string(self.proc.join("self/cgroup")).unwrap_or_default();
        let Some(own) = groups.lines().find_map(|line| line.strip_prefix("0::/")) else { return Vec::new() };
        let own = self.groups.join(own);
        own.ancestors().take_while(|folder| folder.starts_with(&self.groups)).map(Path::to_path_buf).collect()
    }
}

/// Bytes that the processes of a control group may still take: its limit without what they hold. Pages of files that
/// have not been used lately count as free, as the kernel drops them first. `None` for a group without a limit.
fn headroom(folder: &Path) -> Option<u64> {
    let (limit, used) = (number(&folder.join("memory.max"))?, number(&folder.join("memory.current"))?);
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let inactive = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.trim().parse().ok()).unwrap_or(0);
    Some(limit.saturating_sub(used.saturating_sub(inactive)))
}

/// The number that a file consists of; `None` for the word `max`.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The value of a line `key  123 kB`, in bytes.
fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:     4000 kB\nMemFree:  100 kB\nMemAvailable:   2000 kB\nSwapFree:        500 kB\n";

    /// A system of 4000 KiB, with files of control groups.
    fn system(own: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let (proc, groups) = (folder.path().join("proc"), folder.path().join("cgroup"));
        let own = format!("{own}\n");
        let proc_files = [(proc.join("meminfo"), MEMINFO), (proc.join("self/cgroup"), &own)];
        for (path, text) in proc_files.into_iter().chain(files.iter().map(|&(name, text)| (groups.join(name), text))) {
            fs::create_dir_all(path.parent().expect("it has one")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        (folder, System { proc, groups })
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn there_is_memory_and_some_of_it_is_available() {
        let (available, total) = (available().expect("Linux tells"), total().expect("Linux tells"));
        assert!(1 << 20 < available && 1 << 20 < total, "{available} of {total}");
        assert!(resident().is_some_and(|[now, peak]| 0 < now && now <= peak));
        // Other tests of this process may take memory meanwhile, so that no number is compared.
        if reset_peak() {
            assert!(resident().is_some_and(|[_, peak]| peak > 0));
        }
    }

    #[test]
    fn without_control_groups_the_machine_decides() {
        for own in ["", "3:memory:/job", "0::/none"] {
            let (_folder, system) = system(own, &[]);
            assert_eq!((system.available(), system.total()), (Some(2500 << 10), Some(4000 << 10)), "{own}");
        }
    }

    #[test]
    fn the_narrowest_group_decides() {
        let files = [
            ("job/memory.max", "3000000\n"),
            ("job/memory.current", "2900000\n"),
            ("job/memory.stat", "anon 1\nactive_file 7\ninactive_file 400000\n"),
            ("job/step/memory.max", "1000000\n"),
            ("job/step/memory.current", "300000\n"),
            ("job/step/task/memory.max", "max\n"),
            ("job/step/task/memory.current", "300000\n"),
        ];
        let (_folder, system) = system("1:cpu:/\n0::/job/step/task", &files);
        assert_eq!(system.total(), Some(1_000_000));
        // 3 000 000 − (2 900 000 − 400 000) of `job` are less than 700 000 of `step`.
        assert_eq!(system.available(), Some(500_000));
    }

    #[test]
    fn the_root_of_a_container_counts_and_a_full_group_has_nothing_left() {
        let files = [("memory.max", "1000"), ("memory.current", "5000"), ("memory.stat", "inactive_file 10\n")];
        let (_folder, system) = system("0::/", &files);
        assert_eq!((system.available(), system.total()), (Some(0), Some(1000)));
    }

    #[test]
    fn a_limit_of_the_address_space_counts() {
        let line =
            "Max cpu time              unlimited            unlimited            seconds\nMax address space         ";
        for (limit, total, available) in
            [("unlimited", 4000 << 10, 2500 << 10), ("2048000", 2_048_000, 2_048_000 - (600 << 10))]
        {
            let (folder, system) = system("", &[]);
            let own = folder.path().join("proc/self");
            fs::write(own.join("limits"), format!("{line}{limit}            unlimited            bytes\n"))
                .expect("writable");
            fs::write(own.join("status"), "VmPeak:     900 kB\nVmSize:     600 kB\n").expect("writable");
            assert_eq!((system.total(), system.available()), (Some(total), Some(available)), "{limit}");
        }
    }

    #[test]
    fn a_large_group_does_not_make_the_machine_larger() {
        let (_folder, system) = system("0::/", &[("memory.max", "99999999999"), ("memory.current", "0")]);
        assert_eq!((system.available(), system.total()), (Some(2500 << 10), Some(4000 << 10)));
    }
}
