//! The numbers of a site's requests: each channel counts for itself, from the epoch of this start on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::envelope::Channel;

/// Bits below the epoch: more requests than a start ever sends.
const EPOCH_SHIFT: u32 = 32;

/// The epoch that a number is of.
pub(super) const fn epoch(count: u64) -> u64 {
    count >> EPOCH_SHIFT
}

/// The next number of each channel, and whether the cloud has answered there since the start.
pub(super) struct Counts([(AtomicU64, AtomicBool); Channel::ALL.len()]);

impl Counts {
    pub(super) fn new(epoch: u64) -> Self {
        let first = (epoch << EPOCH_SHIFT) + 1;
        Self(std::array::from_fn(|_| (AtomicU64::new(first), AtomicBool::new(false))))
    }

    pub(super) fn next(&self, channel: Channel) -> u64 {
        self.0[channel as usize].0.fetch_add(1, Ordering::Relaxed)
    }

    /// The cloud has granted or refused a request by what it asks for, not by its number.
    pub(super) fn answered(&self, channel: Channel) {
        self.0[channel as usize].1.store(true, Ordering::Relaxed);
    }

    /// Goes on from `expected`; whether numbers of this start had been answered before.
    pub(super) fn go_on_from(&self, channel: Channel, expected: u64) -> bool {
        let (next, answered) = &self.0[channel as usize];
        next.fetch_max(expected, Ordering::Relaxed);
        answered.load(Ordering::Relaxed)
    }
}
