//! The configuration file: one struct for each concern, every key with a default, unknown keys
//! refused. `config/cloud.example.toml` explains each.

mod alerts;
mod payment;
mod recognition;

use std::{fs, path::Path, path::PathBuf};

use chrono_tz::Tz;
use cloud_core::{LockerSettings, Settings};
use serde::Deserialize;

pub use self::{
    alerts::Alerts,
    payment::{Alipay, Payment, Wechat},
    recognition::{ApiKey, Recognition, SecondReader},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Everything that can be set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// When alerts arise.
    pub alerts: Alerts,
    /// Who is let in.
    pub auth: Auth,
    /// How HTTP is spoken.
    pub http: Http,
    /// How often callers may call.
    pub limits: Limits,
    /// What is told on stderr.
    pub log: Log,
    /// Orders of lockers.
    pub lockers: Lockers,
    /// Who takes payments outside.
    pub payment: Payment,
    /// Where pictures are kept.
    pub pictures: Pictures,
    /// How pictures that people send are recognised.
    pub recognition: Recognition,
    /// Who reads plates that the networks are unsure of.
    pub second_reader: SecondReader,
    /// What holds for all sites.
    pub sites: Sites,
}

/// Who is let in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Who needs no credentials at the faces that document none.
    pub anonymous: Anonymous,
}

/// Who needs no credentials at the faces that document none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anonymous {
    /// Callers on this machine, while the listener is bound to a loopback address.
    #[default]
    Loopback,
    /// Nobody.
    Never,
}

/// How HTTP is spoken.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Origins whose pages may call; while bound to loopback, pages of this machine may as well.
    pub cors_origins: Vec<String>,
    /// Connections at a time; more wait.
    pub max_connections: usize,
    /// Longest time for one request, in seconds.
    pub request_timeout_s: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self { cors_origins: Vec::new(), max_connections: 1024, request_timeout_s: 30 }
    }
}

/// How often one caller may call, per minute.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Whether there are limits at all.
    pub enabled: bool,
    /// Pictures that are to be recognised.
    pub detections_per_minute: u32,
    /// Queries of the hz face.
    pub queries_per_minute: u32,
    /// Everything else.
    pub other_per_minute: u32,
    /// Attempts to enrol a site, from one address.
    pub enrolments_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            detections_per_minute: 60,
            queries_per_minute: 300,
            other_per_minute: 1500,
            enrolments_per_minute: 10,
        }
    }
}

/// Orders of lockers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lockers {
    /// How long an unpaid order holds its cabinet, in minutes.
    pub hold_minutes: u32,
    /// Unpaid orders that one account may have at a time.
    pub unpaid_orders: u32,
}

impl Default for Lockers {
    fn default() -> Self {
        Self { hold_minutes: 15, unpaid_orders: 50 }
    }
}

impl Lockers {
    /// The same as the lockers take it.
    pub fn settings(&self) -> LockerSettings {
        LockerSettings {
            hold_ms: i64::from(self.hold_minutes) * 60_000,
            max_unpaid: self.unpaid_orders.into(),
        }
    }
}

/// What is told on stderr.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The least level that is told; `--log-level` and `--debug` go before it.
    pub level: String,
}

impl Log {
    /// The levels, the most talkative first.
    pub const LEVELS: [&str; 5] = ["debug", "info", "warning", "error", "critical"];
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned() }
    }
}

/// Where pictures are kept, and how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pictures {
    /// A folder; `pictures` beside the database where it is not given.
    pub folder: Option<PathBuf>,
    /// Days after which a picture is removed; 0 for never.
    pub keep_days: u32,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { folder: None, keep_days: 90 }
    }
}

/// What holds for all sites.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sites {
    /// The time zone that makes days and local times.
    pub time_zone: Tz,
    /// Whether users make themselves members.
    pub membership_self_service: bool,
}

impl Default for Sites {
    fn default() -> Self {
        Self { time_zone: Tz::Asia__Shanghai, membership_self_service: true }
    }
}

/// Why a configuration cannot be used: the file, the line, and what would be right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`] where it cannot be read or says something that cannot be used.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display();
        let text = fs::read_to_string(path).map_err(|e| ConfigError(format!("{file}: {e}")))?;
        Self::parse(&text).map_err(|problem| ConfigError(format!("{file}: {problem}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text[..start].matches('\n').count();
            let source = text.lines().nth(line).unwrap_or_default().trim();
            let problem = error.message().lines().collect::<Vec<_>>().join(" ");
            format!("line {}: `{source}`: {problem}", line + 1)
        })?;
        config.check()?;
        Ok(config)
    }

    /// What the domain takes of alerts and of what is kept.
    pub fn settings(&self) -> Settings {
        Settings {
            alerts: self.alerts.settings(),
            keep_pictures_ms: (self.pictures.keep_days > 0)
                .then(|| i64::from(self.pictures.keep_days) * DAY_MS),
        }
    }

    fn check(&self) -> Result<(), String> {
        if !Log::LEVELS.contains(&self.log.level.as_str()) {
            return Err(format!("`log.level` is none of {}", Log::LEVELS.join(", ")));
        }
        let at_least_one = [
            ("http.max_connections", self.http.max_connections as u64),
            ("http.request_timeout_s", self.http.request_timeout_s),
            ("lockers.hold_minutes", self.lockers.hold_minutes.into()),
            ("lockers.unpaid_orders", self.lockers.unpaid_orders.into()),
            ("limits.detections_per_minute", self.limits.detections_per_minute.into()),
            ("limits.queries_per_minute", self.limits.queries_per_minute.into()),
            ("limits.other_per_minute", self.limits.other_per_minute.into()),
            ("limits.enrolments_per_minute", self.limits.enrolments_per_minute.into()),
            ("recognition.threads", self.recognition.threads as u64),
            ("recognition.queue", self.recognition.queue as u64),
            ("recognition.max_channels", self.recognition.max_channels as u64),
        ];
        self.second_reader.check()?;
        self.payment.check()?;
        self.alerts.check()?;
        match at_least_one.iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(format!("`{key}` is 0; use 1 or more")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_shows_the_defaults_and_lets_nobody_in_without_credentials() {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/cloud.example.toml");
        let read = Config::read(Path::new(example)).unwrap();
        let auth = Auth { anonymous: Anonymous::Never };
        let packaged = Config { auth, ..Config::default() };
        assert_eq!(format!("{read:?}"), format!("{packaged:?}"));
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_key() {
        let problem = |text| Config::parse(text).unwrap_err();
        let unknown = problem("[auth]\nanonymus = \"never\"\n");
        assert!(unknown.contains("line 2") && unknown.contains("`anonymous`"), "{unknown}");
        let always = problem("[auth]\nanonymous = \"always\"\n");
        assert!(always.contains("`loopback` or `never`"), "{always}");
        assert!(problem("[http]\nmax_connections = 0").contains("http.max_connections"));
    }
}
