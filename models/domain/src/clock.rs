//! Time as it is passed in. Order comes from sequence numbers and durations from the monotonic
//! clock; the wall clock is only ever reported, together with how far it can be trusted.

mod simulated;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::simulated::SimulatedClock;

/// Whether the wall clock was set by a time source when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    /// The system says that it follows a time source.
    Synchronised,
    /// It does not, or the time is before this program was built.
    Unsynchronised,
}

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Wall clock.
    pub wall: DateTime<Utc>,
    /// Milliseconds since the machine started; never goes back within a boot.
    pub monotonic_ms: u64,
    /// How far `wall` can be trusted.
    pub quality: ClockQuality,
}

/// A source of time.
pub trait Clock: Send + Sync {
    /// Reads both clocks.
    fn now(&self) -> Stamp;
}
