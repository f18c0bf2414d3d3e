//! Whether every thread still makes progress.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::sightings::monotonic_us;

/// Longest time that a thread may spend between two beats. Closing a stream of a camera that is
/// gone takes seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a thread leaves that ended in order.
const RETIRED: u64 = u64::MAX;

/// The pulses of all threads.
#[derive(Debug, Default)]
pub struct Pulses(Vec<(String, Pulse)>);

/// The pulse of one thread.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulses {
    /// A pulse for a thread that starts now.
    pub fn add(&mut self, thread: String) -> Pulse {
        let pulse = Pulse(Arc::new(AtomicU64::new(monotonic_us())));
        self.0.push((thread, pulse.clone()));
        pulse
    }

    /// A thread that made no progress for too long, if there is one.
    pub fn stuck(&self, now_us: u64) -> Option<&str> {
        let patience_us = PATIENCE.as_micros() as u64;
        let is_stuck =
            |pulse: &Pulse| now_us.saturating_sub(pulse.0.load(Ordering::Relaxed)) > patience_us;
        self.0.iter().find(|(_, pulse)| is_stuck(pulse)).map(|(thread, _)| thread.as_str())
    }
}

impl Pulse {
    /// The thread made progress.
    pub fn beat(&self) {
        self.0.store(monotonic_us(), Ordering::Relaxed);
    }

    /// The thread ends and is no longer watched.
    pub fn retire(&self) {
        self.0.store(RETIRED, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_stands_still_is_named_and_one_that_ended_is_not() {
        let mut pulses = Pulses::default();
        let (camera, done) = (pulses.add("entry".into()), pulses.add("exit".into()));
        camera.beat();
        done.retire();
        let now = monotonic_us();
        assert_eq!(pulses.stuck(now), None);
        assert_eq!(pulses.stuck(now + 21_000_000), Some("entry"));
    }
}
