//! Times as this family writes them: UTC with microseconds and `Z`.

use chrono::{DateTime, SecondsFormat};

/// `2026-01-19T12:16:49.211000Z`.
pub(super) fn utc(ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}
