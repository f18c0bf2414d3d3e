//! What can be set of alerts and of what is kept; `config/cloud.example.toml` explains each.

/// When something wants a person's eye, and how long pictures stay.
#[derive(Debug, Clone)]
pub struct Settings {
    /// When alerts arise.
    pub alerts: AlertSettings,
    /// How long a picture is kept, in milliseconds; none for ever.
    pub keep_pictures_ms: Option<i64>,
}

/// When alerts arise.
#[derive(Debug, Clone, Copy)]
pub struct AlertSettings {
    /// How long a car may be inside, in milliseconds.
    pub longest_stay_ms: i64,
    /// How long a fee may be unpaid, in milliseconds.
    pub longest_debt_ms: i64,
    /// How long a site may be silent, in milliseconds.
    pub longest_silence_ms: i64,
    /// Least confidence of a reading that nobody needs to look at, 0 to 1.
    pub doubtless: f64,
}

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

impl Default for Settings {
    fn default() -> Self {
        Self { alerts: AlertSettings::default(), keep_pictures_ms: Some(90 * DAY_MS) }
    }
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            longest_stay_ms: DAY_MS,
            longest_debt_ms: 30 * MINUTE_MS,
            longest_silence_ms: 10 * MINUTE_MS,
            doubtless: 0.6,
        }
    }
}
