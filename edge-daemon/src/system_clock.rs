//! The machine's clocks, how far its wall clock can be trusted, and when it jumps.

use std::{io, path::Path};

use chrono::{DateTime, SubsecRound, Utc};
use domain::{
    clock::{Clock, ClockQuality, Stamp},
    event::Fact,
};

/// Jumps below this are what a time source does all day.
const LEAST_JUMP_MS: i64 = 1000;
/// Where systemd-timesyncd says that it has set the clock.
const TIMESYNC_MARKER: &str = "/run/systemd/timesync/synchronized";

/// The clocks of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let wall = Utc::now().trunc_subsecs(3);
        let followed =
            system::follows_a_source().unwrap_or_else(|_| Path::new(TIMESYNC_MARKER).exists());
        Stamp { wall, monotonic_ms: system::since_start_ms(), quality: quality(wall, followed) }
    }
}

/// A wall clock from before this program was built is not set, whatever the system says.
fn quality(wall: DateTime<Utc>, followed: bool) -> ClockQuality {
    if followed && wall.timestamp() >= built_at() {
        ClockQuality::Synchronised
    } else {
        ClockQuality::Unsynchronised
    }
}

/// Seconds since 1970; 0 where the builder gave no number.
fn built_at() -> i64 {
    env!("GATEHOUSE_BUILT_AT").parse().unwrap_or_default()
}

/// Notices when the wall clock jumps against the monotonic one, finds its source, or loses it.
#[derive(Debug, Default)]
pub struct JumpDetector {
    last: Option<Stamp>,
}

impl JumpDetector {
    /// What changed since the reading before, as a fact for the journal. Call it every few seconds.
    pub fn observe(&mut self, now: Stamp) -> Option<Fact> {
        let last = self.last.replace(now)?;
        let passed_ms = i64::try_from(now.monotonic_ms.saturating_sub(last.monotonic_ms)).ok()?;
        let jump_ms = (now.wall - last.wall).num_milliseconds().saturating_sub(passed_ms);
        let jumped = jump_ms.saturating_abs() >= LEAST_JUMP_MS;
        let what = match (last.quality, now.quality) {
            (ClockQuality::Unsynchronised, ClockQuality::Synchronised) => {
                "the clock follows a time source".to_owned()
            }
            (ClockQuality::Synchronised, ClockQuality::Unsynchronised) => {
                "the clock lost its time source".to_owned()
            }
            _ if jumped => describe(jump_ms),
            _ => return None,
        };
        Some(Fact::ClockChanged { what, jump_ms: if jumped { jump_ms } else { 0 } })
    }
}

fn describe(jump_ms: i64) -> String {
    let way = if jump_ms < 0 { "back" } else { "ahead" };
    let seconds = jump_ms.unsigned_abs() / 1000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match days {
        0 => format!("the clock jumped {way} by {hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("the clock jumped {way} by {days} d {hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// The two system calls that have no safe wrapper in what we use.
#[allow(unsafe_code)]
mod system {
    use super::io;

    /// Milliseconds since the machine started, sleep included.
    pub(super) fn since_start_ms() -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid timespec to write to. The call cannot fail with this clock on
        // any Linux that runs us; were it to, `time` stays zero.
        unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
        time.tv_sec.unsigned_abs() * 1000 + time.tv_nsec.unsigned_abs() / 1_000_000
    }

    /// Whether the kernel's clock follows a time source. Some sandboxes forbid to ask.
    pub(super) fn follows_a_source() -> io::Result<bool> {
        // SAFETY: timex is plain numbers, for which zero is valid; with `modes` 0 the call only
        // writes to it.
        let (state, status) = unsafe {
            let mut timex: libc::timex = std::mem::zeroed();
            (libc::adjtimex(&raw mut timex), timex.status)
        };
        match state {
            -1 => Err(io::Error::last_os_error()),
            state => Ok(state != libc::TIME_ERROR && status & libc::STA_UNSYNC == 0),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn stamp(wall: &str, monotonic_ms: u64, quality: ClockQuality) -> Stamp {
        Stamp { wall: wall.parse().unwrap(), monotonic_ms, quality }
    }

    #[test]
    fn a_clock_before_the_build_is_unsynchronised_whatever_the_system_says() {
        let built = DateTime::from_timestamp(built_at(), 0).unwrap();
        assert!(built > "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(quality(DateTime::UNIX_EPOCH, true), ClockQuality::Unsynchronised);
        assert_eq!(quality(built, true), ClockQuality::Synchronised);
        assert_eq!(quality(built, false), ClockQuality::Unsynchronised);
    }

    #[test]
    fn the_monotonic_clock_of_the_machine_does_not_go_back() {
        let (first, second) = (SystemClock.now(), SystemClock.now());
        assert!(first.monotonic_ms > 0 && second.monotonic_ms >= first.monotonic_ms);
    }

    #[test]
    fn jumps_are_told_with_their_size_and_ordinary_running_is_not() {
        use ClockQuality::{Synchronised, Unsynchronised};
        let mut detector = JumpDetector::default();
        let readings = [
            stamp("1970-01-01T00:00:10Z", 10_000, Unsynchronised),
            stamp("1970-01-01T00:00:15.400Z", 15_000, Unsynchronised),
            stamp("2026-11-20T12:00:00Z", 20_000, Synchronised),
            stamp("2026-11-20T09:00:05Z", 25_000, Synchronised),
            stamp("2028-11-20T09:00:10Z", 30_000, Synchronised),
            stamp("2028-11-20T09:00:15Z", 35_000, Unsynchronised),
        ];
        let told: Vec<_> = readings.into_iter().map(|at| detector.observe(at)).collect();
        let changed =
            |what: &str, jump_ms| Some(Fact::ClockChanged { what: what.to_owned(), jump_ms });
        assert_eq!(told[..2], [None, None]);
        let set = Some(Fact::ClockChanged {
            what: "the clock follows a time source".into(),
            jump_ms: 1_795_175_979_600,
        });
        assert_eq!(told[2], set);
        assert_eq!(told[3], changed("the clock jumped back by 03:00:00", -3 * 3_600_000));
        let two_years = 731 * 86_400_000;
        assert_eq!(told[4], changed("the clock jumped ahead by 731 d 00:00:00", two_years));
        assert_eq!(told[5], changed("the clock lost its time source", 0));
    }
}
