//! Time that stands still until it is moved.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Clock, ClockQuality, Stamp};

/// A clock for tests and simulations; both of its times move together.
#[derive(Debug)]
pub struct SimulatedClock(Mutex<Stamp>);

impl SimulatedClock {
    /// A clock that stands at `wall`.
    pub const fn at(wall: DateTime<Utc>) -> Self {
        let quality = ClockQuality::Synchronised;
        Self(Mutex::new(Stamp { wall, monotonic_ms: 0, quality }))
    }

    /// Moves it by `by`. The monotonic time stays where `by` is negative.
    pub fn advance(&self, by: TimeDelta) {
        let mut now = self.lock();
        now.wall += by;
        now.monotonic_ms += u64::try_from(by.num_milliseconds()).unwrap_or(0);
    }

    /// Moves it to `wall`.
    pub fn set(&self, wall: DateTime<Utc>) {
        let by = wall - self.now().wall;
        self.advance(by);
    }

    fn lock(&self) -> MutexGuard<'_, Stamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Stamp {
        *self.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_follow_and_the_monotonic_one_never_goes_back() {
        let noon = DateTime::from_timestamp(1_772_000_000, 0).expect("a time");
        let clock = SimulatedClock::at(noon);
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(clock.now().monotonic_ms, 90_000);
        clock.set(noon);
        assert_eq!((clock.now().wall, clock.now().monotonic_ms), (noon, 90_000));
    }
}
