//! The words of each kind of device.

use serde_json::{Value, json};

use super::Kind;

impl Kind {
    /// Its word in topics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Locker => "locker",
            Self::Charger => "charger",
            Self::Barrier => "barrier",
        }
    }

    /// A verb that can be said often, with its arguments.
    pub(super) fn deed(self, door: u8) -> (&'static str, Value) {
        match self {
            Self::Locker => ("open", json!({"door": door})),
            Self::Charger => ("limit", json!({"limit_ma": 0, "lease_s": 60, "fallback_ma": 0})),
            Self::Barrier => ("open", json!({})),
        }
    }

    /// What `info` must have, beside a model and a version.
    pub(super) const fn info(self) -> &'static [&'static str] {
        match self {
            Self::Locker => &["doors"],
            Self::Charger => &["phases", "max_ma"],
            Self::Barrier => &[],
        }
    }

    /// What `state` must have, beside boot and session.
    pub(super) const fn state(self) -> &'static [&'static str] {
        match self {
            Self::Locker => &["uptime_ms", "seq", "doors"],
            Self::Charger => &[
                "uptime_ms",
                "seq",
                "pilot",
                "fault",
                "enabled",
                "closed",
                "limit_ma",
                "lease_s",
                "plugged_count",
                "fault_count",
            ],
            Self::Barrier => {
                &["uptime_ms", "arm", "power", "under_arm", "in_front", "fire", "press"]
            }
        }
    }
}
