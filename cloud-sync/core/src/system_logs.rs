//! Reading the system log.

use chrono_tz::Tz;

use crate::{
    base::Base,
    calendar::{day_of, day_start_ms},
    caller::Operator,
    error::{Error, Result},
    plates::Window,
    store::{Conditions, Row, Transaction, first, number, params},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its number.
    pub id: i64,
    /// When it happened, in milliseconds UTC.
    pub at_ms: i64,
    /// `INFO`, `WARNING` or `ERROR`.
    pub level: String,
    /// The part of the system that it is about.
    pub module: String,
    /// What happened.
    pub message: String,
    /// The account that did it; none for the system and for somebody at the machine.
    pub user: Option<i64>,
    /// The address that it was done from.
    pub address: Option<String>,
}

/// Which lines are wanted; none of it means all.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// `INFO`, `WARNING` or `ERROR`.
    pub level: Option<&'static str>,
    /// The part of the system.
    pub module: Option<String>,
    /// At or after, in milliseconds UTC.
    pub from_ms: Option<i64>,
    /// Before, in milliseconds UTC.
    pub until_ms: Option<i64>,
}

/// How many lines there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogFigures {
    /// Lines of today, by the sites' calendar.
    pub today: i64,
    /// Errors of the last 24 hours.
    pub errors_24h: i64,
    /// Warnings of the last 24 hours.
    pub warnings_24h: i64,
    /// Lines of each level: info, warning, error.
    pub by_level: [i64; 3],
}

impl LogFigures {
    /// The levels in the order of [`LogFigures::by_level`].
    pub const LEVELS: [&'static str; 3] = ["INFO", "WARNING", "ERROR"];
}

/// The system log.
pub struct SystemLogs {
    base: Base,
    zone: Tz,
}

impl SystemLogs {
    pub(crate) const fn new(base: Base, zone: Tz) -> Self {
        Self { base, zone }
    }

    /// The lines that fit, newest first, and how many fit in all.
    pub async fn page(
        &self,
        _: &Operator,
        filter: LogFilter,
        window: Window,
    ) -> Result<(Vec<LogLine>, i64)> {
        self.base.store.read(move |tx| page(tx, &filter, window)).await
    }

    /// One line.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get(&self, _: &Operator, id: i64) -> Result<LogLine> {
        let sql = format!("{SELECT} WHERE id = $1");
        let row = self.base.store.read(move |tx| Ok(first(tx, &sql, params![id])?)).await?;
        line(&row.ok_or(Error::NotFound("log"))?)
    }

    /// How many lines there are.
    pub async fn figures(&self, _: &Operator) -> Result<LogFigures> {
        let now = self.base.clock.now().wall;
        let today_ms = day_start_ms(self.zone, day_of(self.zone, now));
        let since_ms = now.timestamp_millis() - DAY_MS;
        self.base.store.read(move |tx| figures(tx, today_ms, since_ms)).await
    }
}

const SELECT: &str =
    "SELECT id, at_ms, level, module, message, user_id, ip_address FROM system_logs";

fn page(
    tx: &mut dyn Transaction,
    filter: &LogFilter,
    window: Window,
) -> Result<(Vec<LogLine>, i64)> {
    let mut conditions = Conditions::new("1 = 1")
        .and("level = ?", filter.level)
        .and("module = ?", filter.module.as_deref())
        .and("at_ms >= ?", filter.from_ms)
        .and("at_ms < ?", filter.until_ms);
    let count = format!("SELECT COUNT(*) FROM system_logs {}", conditions.sql());
    let total = number(tx, &count, conditions.params())?;
    let slice = conditions.slice(window);
    let sql = format!("{SELECT} {} ORDER BY id DESC{slice}", conditions.sql());
    let rows = tx.query(&sql, conditions.params())?;
    Ok((rows.iter().map(line).collect::<Result<_>>()?, total))
}

fn line(row: &Row) -> Result<LogLine> {
    Ok(LogLine {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        level: row.get(2)?,
        module: row.get(3)?,
        message: row.get(4)?,
        user: row.get(5)?,
        address: row.get(6)?,
    })
}

fn figures(tx: &mut dyn Transaction, today_ms: i64, since_ms: i64) -> Result<LogFigures> {
    let today = "SELECT COUNT(*) FROM system_logs WHERE at_ms >= $1";
    let recent = "SELECT COUNT(*) FROM system_logs WHERE level = $1 AND at_ms >= $2";
    let all = "SELECT COUNT(*) FROM system_logs WHERE level = $1";
    let mut by_level = [0; 3];
    for (count, level) in by_level.iter_mut().zip(LogFigures::LEVELS) {
        *count = number(tx, all, params![level])?;
    }
    Ok(LogFigures {
        today: number(tx, today, params![today_ms])?,
        errors_24h: number(tx, recent, params!["ERROR", since_ms])?,
        warnings_24h: number(tx, recent, params!["WARNING", since_ms])?,
        by_level,
    })
}
