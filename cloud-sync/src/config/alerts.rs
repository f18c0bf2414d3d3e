//! When alerts arise.

use cloud_core::AlertSettings;
use serde::Deserialize;

const MINUTE_MS: i64 = 60_000;
/// Longest time that makes sense: a year.
const MOST_MINUTES: u32 = 366 * 24 * 60;

/// When alerts arise.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// How long a car may be inside, in minutes.
    pub overtime_minutes: u32,
    /// How long a fee may be unpaid, in minutes.
    pub payment_minutes: u32,
    /// How long a site may be silent, in minutes.
    pub silence_minutes: u32,
    /// Plates that were read with less confidence than this are looked at, 0 to 1.
    pub confidence_below: f64,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            overtime_minutes: 24 * 60,
            payment_minutes: 30,
            silence_minutes: 10,
            confidence_below: 0.6,
        }
    }
}

impl Alerts {
    pub(super) fn settings(&self) -> AlertSettings {
        AlertSettings {
            longest_stay_ms: i64::from(self.overtime_minutes) * MINUTE_MS,
            longest_debt_ms: i64::from(self.payment_minutes) * MINUTE_MS,
            longest_silence_ms: i64::from(self.silence_minutes) * MINUTE_MS,
            doubtless: self.confidence_below,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (key, minutes) in [
            ("overtime_minutes", self.overtime_minutes),
            ("payment_minutes", self.payment_minutes),
            ("silence_minutes", self.silence_minutes),
        ] {
            if !(1..=MOST_MINUTES).contains(&minutes) {
                return Err(format!("`alerts.{key}` is {minutes}; use 1 to {MOST_MINUTES}"));
            }
        }
        if !(0.0..=1.0).contains(&self.confidence_below) {
            let given = self.confidence_below;
            return Err(format!("`alerts.confidence_below` is {given}; use 0 to 1"));
        }
        Ok(())
    }
}
