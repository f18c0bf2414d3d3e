//! How busy this machine is, from `/proc`; zeros where there is none.

use std::fs;

/// Reads the load of the processors between one call and the next.
#[derive(Default)]
pub(super) struct Machine {
    busy: u64,
    total: u64,
}

impl Machine {
    /// Share of processor time in use since the last call, in percent.
    pub(super) fn cpu_percent(&mut self) -> f64 {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let (busy, total) = processor_time(&stat);
        let (used, passed) = (busy.saturating_sub(self.busy), total.saturating_sub(self.total));
        (self.busy, self.total) = (busy, total);
        percent(used, passed)
    }

    /// Share of memory in use, in percent.
    pub(super) fn memory_percent() -> f64 {
        memory_use(&fs::read_to_string("/proc/meminfo").unwrap_or_default())
    }
}

/// Busy and total ticks since the start: user, nice, system, idle, iowait, irq, softirq, steal.
fn processor_time(stat: &str) -> (u64, u64) {
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = first.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    let total: u64 = ticks.iter().sum();
    (total - idle, total)
}

fn memory_use(meminfo: &str) -> f64 {
    let kib = |name: &str| -> u64 {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    };
    let total = kib("MemTotal:");
    percent(total.saturating_sub(kib("MemAvailable:")), total)
}

/// Share of the disk in use that this program works on, in percent.
pub(crate) fn disk_percent() -> f64 {
    nix::sys::statvfs::statvfs(".")
        .map_or(0.0, |disk| percent(disk.blocks() - disk.blocks_free(), disk.blocks()))
}

/// A time of running, as documents write it.
pub(crate) fn uptime(ms: u64) -> String {
    let hours = ms / 3_600_000;
    format!("{} days, {} hours", hours / 24, hours % 24)
}

fn percent(part: u64, whole: u64) -> f64 {
    (part as f64 / whole.max(1) as f64 * 1000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_not_work() {
        assert_eq!(processor_time("cpu  10 0 20 60 10 0 0 0 0 0\ncpu0 …"), (30, 100));
        assert_eq!(processor_time(""), (0, 0));
    }

    #[test]
    fn memory_that_can_be_had_is_free() {
        let meminfo = "MemTotal:  1000 kB\nMemFree:  10 kB\nMemAvailable:  250 kB\n";
        assert_eq!(memory_use(meminfo), 75.0);
        assert_eq!(memory_use(""), 0.0);
    }
}
