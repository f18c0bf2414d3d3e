//! The start from what the journal holds.

use chrono::{DateTime, Utc};
use domain::{charging::ChargeAssigned, clock::Stamp};

/// A charge that the journal has not seen the end of.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenCharge {
    /// Its assignment.
    pub assigned: ChargeAssigned,
    /// When that was journaled.
    pub assigned_at: Stamp,
    /// When it began on its time line, what it had got (nothing), what the register showed, and
    /// when that was journaled; none where it has not begun.
    pub started: Option<(DateTime<Utc>, i64, u64, Stamp)>,
    /// The same of the last reading.
    pub metered: Option<(DateTime<Utc>, i64, u64, Stamp)>,
    /// Whether the cloud asked to end it.
    pub is_to_stop: bool,
}
