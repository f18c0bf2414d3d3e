//! Times as the document's examples show them, each in its own form.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// With the site's offset and microseconds, as for users, logs and alerts:
/// `2026-01-19T20:16:49.211115+08:00`.
pub(crate) fn with_offset(ms: i64, zone: Tz) -> String {
    moment(ms).with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
}

/// Local without an offset, as for orders: `2026-01-19T20:26:09`.
pub(super) fn local(ms: i64, zone: Tz) -> String {
    moment(ms).with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// In UTC with an offset and microseconds, as for commands: `2026-01-19T20:30:23.874651+00:00`.
pub(super) fn utc(ms: i64) -> String {
    moment(ms).format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

fn moment(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_that_of_its_example() {
        let (ms, zone) = (1_768_825_009_211, Tz::Asia__Shanghai);
        assert_eq!(with_offset(ms, zone), "2026-01-19T20:16:49.211000+08:00");
        assert_eq!(local(ms, zone), "2026-01-19T20:16:49");
        assert_eq!(utc(ms), "2026-01-19T12:16:49.211000+00:00");
    }
}
