//! The words of each kind of device: a barrier has names of its own for what the others share.

use serde_json::{Map, Value, json};

use super::Kind;

/// A barrier's name for a field, and everybody else's.
const NAMES: [(&str, &str); 3] =
    [("id", "cmd_id"), ("boot", "boot_id"), ("expires_at_ms", "deadline_ms")];
/// The same for what became of a command.
const OUTCOMES: [(&str, &str); 2] = [("accepted", "ok"), ("refused", "error")];

impl Kind {
    /// Its word in topics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Locker => "locker",
            Self::Charger => "charger",
            Self::Barrier => "barrier",
        }
    }

    /// A message in the words that the device knows.
    pub(super) fn speak(self, message: Map<String, Value>) -> Map<String, Value> {
        if self != Self::Barrier {
            return message;
        }
        let rename = |name: String| {
            let ours = NAMES.iter().find(|(_, common)| *common == name);
            ours.map_or(name, |(own, _)| (*own).to_owned())
        };
        message.into_iter().map(|(name, value)| (rename(name), value)).collect()
    }

    /// What the device said, in the words that all others have.
    pub(super) fn understand(self, message: Map<String, Value>) -> Map<String, Value> {
        if self != Self::Barrier {
            return message;
        }
        let rename = |name: String| {
            let ours = NAMES.iter().find(|(own, _)| *own == name);
            ours.map_or(name, |(_, common)| (*common).to_owned())
        };
        let reword = |value: Value| {
            let ours = OUTCOMES.iter().find(|(own, _)| value == *own);
            ours.map_or(value, |(_, common)| json!(common))
        };
        message.into_iter().map(|(name, value)| (rename(name), reword(value))).collect()
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
                &["uptime_s", "arm", "power", "under_arm", "in_front", "fire", "press"]
            }
        }
    }
}
