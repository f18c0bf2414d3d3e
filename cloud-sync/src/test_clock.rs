//! Time from a file, for tests from outside (feature `test-clock`, in no package): it stands still
//! until the file says another time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use domain::clock::{Clock, SimulatedClock, Stamp};

/// The time that stands in a file (RFC 3339); the monotonic time follows it.
pub(crate) struct FileClock {
    path: PathBuf,
    clock: SimulatedClock,
    read: Mutex<String>,
}

impl FileClock {
    /// Begins with the time in the file.
    ///
    /// # Errors
    /// Where it cannot be read or holds no time.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let read = fs::read_to_string(path)?;
        let now = parse(&read).ok_or_else(|| {
            io::Error::other("holds no time such as 2026-03-10T12:00:00+08:00 (RFC 3339)")
        })?;
        let clock = SimulatedClock::at(now);
        Ok(Self { path: path.to_owned(), clock, read: Mutex::new(read) })
    }

    /// Follows the file; while it is being written, or holds no time, the time stays.
    fn follow(&self) {
        let Ok(text) = fs::read_to_string(&self.path) else { return };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == text {
            return;
        }
        if let Some(now) = parse(&text) {
            self.clock.set(now);
            *read = text;
        }
    }
}

fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|time| time.to_utc())
}

impl Clock for FileClock {
    fn now(&self) -> Stamp {
        self.follow();
        self.clock.now()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_time_is_what_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("now");
        assert!(FileClock::open(&path).is_err());
        fs::write(&path, "soon").unwrap();
        assert!(FileClock::open(&path).is_err());
        fs::write(&path, "2026-03-10T12:00:00+08:00\n").unwrap();
        let clock = FileClock::open(&path).unwrap();
        let (start, noon) = (clock.now(), "2026-03-10T04:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(start.wall, noon);
        fs::write(&path, "").unwrap();
        assert_eq!(clock.now(), start);
        fs::write(&path, "2026-03-10T06:30:00Z").unwrap();
        let later = clock.now();
        assert_eq!(later.wall, noon + chrono::TimeDelta::minutes(150));
        assert_eq!(later.monotonic_ms - start.monotonic_ms, 150 * 60 * 1000);
    }
}
