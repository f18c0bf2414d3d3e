//! Resident memory, as the kernel counts it.

use std::fs;

/// Resident bytes of a process, or of this one; none where there is no such process.
pub(super) fn bytes(pid: Option<u32>) -> Option<u64> {
    let who = pid.map_or("self".to_owned(), |pid| pid.to_string());
    parse(&fs::read_to_string(format!("/proc/{who}/status")).ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kilobytes.trim().strip_suffix("kB")?.trim().parse().ok().map(|kb: u64| kb * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_says() {
        assert_eq!(parse("Name:\tx\nVmRSS:\t   2048 kB\n"), Some(2 << 20));
        assert_eq!(parse("Name:\tx\n"), None);
        assert!(bytes(None).is_some_and(|bytes| bytes > 1 << 20));
    }
}
