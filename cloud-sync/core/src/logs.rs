//! The system log: what people and the system did. Written inside the transaction that does it.

use domain::event::Event;

use crate::{
    caller::Actor,
    store::{StoreError, Transaction, next_id, params},
};

/// How much attention a line wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// A line that is to be written.
pub(crate) struct Entry {
    site: String,
    at_ms: i64,
    level: Level,
    module: &'static str,
    message: String,
    actor: Actor,
}

impl Entry {
    /// Something that a site has told.
    pub(crate) fn of_site(
        event: &Event,
        level: Level,
        module: &'static str,
        message: String,
    ) -> Self {
        let at_ms = event.at.wall.timestamp_millis();
        Self {
            site: event.site.to_string(),
            at_ms,
            level,
            module,
            message,
            actor: Actor::default(),
        }
    }

    /// Something that a person did here.
    pub(crate) const fn of_person(
        site: String,
        at_ms: i64,
        actor: Actor,
        module: &'static str,
        message: String,
    ) -> Self {
        Self { site, at_ms, level: Level::Info, module, message, actor }
    }

    /// The same line, with more or less attention.
    pub(crate) const fn at_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Something that somebody tried and should not have.
    pub(crate) const fn warning(
        site: String,
        at_ms: i64,
        actor: Actor,
        module: &'static str,
        message: String,
    ) -> Self {
        Self { site, at_ms, level: Level::Warning, module, message, actor }
    }

    pub(crate) fn write(self, tx: &mut dyn Transaction) -> Result<(), StoreError> {
        let id = next_id(tx, "system_log")?;
        tx.defer(
            "INSERT INTO system_logs (site_id, id, at_ms, level, module, message, user_id, ip_address)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                self.site,
                id,
                self.at_ms,
                self.level.as_str(),
                self.module,
                self.message,
                self.actor.account,
                self.actor.address.map(|address| address.to_string())
            ],
        )
    }
}
