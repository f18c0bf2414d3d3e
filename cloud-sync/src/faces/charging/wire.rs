//! What all answers of the family share.

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use domain::{charging::Mode, money::Fen};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An answer with data.
#[derive(Serialize, JsonSchema)]
pub(super) struct Data<T> {
    success: bool,
    /// Words for the user, where something was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    data: T,
}

impl<T> Data<T> {
    /// What was looked up.
    pub(super) const fn of(data: T) -> Self {
        Self { success: true, message: None, data }
    }

    /// What was done.
    pub(super) const fn done(message: &'static str, data: T) -> Self {
        Self { success: true, message: Some(message), data }
    }
}

/// How to charge.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeWord {
    /// At a fast pile.
    Fast,
    /// At a slow pile.
    Slow,
}

impl From<Mode> for ModeWord {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Fast => Self::Fast,
            Mode::Slow => Self::Slow,
        }
    }
}

impl From<ModeWord> for Mode {
    fn from(word: ModeWord) -> Self {
        match word {
            ModeWord::Fast => Self::Fast,
            ModeWord::Slow => Self::Slow,
        }
    }
}

/// Yuan as a number.
pub(super) fn yuan(Fen(fen): Fen) -> f64 {
    fen as f64 / 100.0
}

/// kWh of Wh, kW of W.
pub(super) fn thousands(of: i64) -> f64 {
    of as f64 / 1000.0
}

/// Hours of milliseconds, unrounded, so that they add up.
pub(super) fn hours(ms: i64) -> f64 {
    ms as f64 / 3_600_000.0
}

/// Minutes of milliseconds, with two decimals.
pub(super) fn minutes(ms: i64) -> f64 {
    (ms as f64 / 600.0).round() / 100.0
}

/// A moment by the site's clocks: `2026-11-20T18:00:00.000+08:00`.
pub(super) fn moment(zone: Tz, at_ms: i64) -> String {
    let utc = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    utc.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false)
}
