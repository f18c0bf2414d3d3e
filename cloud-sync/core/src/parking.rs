//! Vehicles that are inside, places that are free, and what a day brought.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::{
    base::Base,
    calendar::{day_of, day_start_ms, last_days, next_day},
    caller::Caller,
    error::Result,
    store::{Row, Transaction, number, params},
};

/// Days that the dashboard looks back, with today.
const TREND_DAYS: u64 = 7;

/// A vehicle that is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveSession {
    /// Its number.
    pub id: i64,
    /// Name of the site for people.
    pub site_name: String,
    /// Its plate; empty where it was let in unread.
    pub plate: String,
    /// Where it entered.
    pub entry_lane: String,
    /// When it entered, in milliseconds UTC.
    pub entered_at_ms: i64,
}

/// Places of one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaFigures {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Places that it has; 0 where that is not known.
    pub total_spots: i64,
    /// Vehicles inside.
    pub inside: i64,
}

/// What one day brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFigures {
    /// The day, by the sites' calendar.
    pub day: NaiveDate,
    /// Vehicles that came.
    pub entries: i64,
    /// Vehicles that left.
    pub exits: i64,
    /// Plates that were seen.
    pub detections: i64,
    /// What was taken, in fen.
    pub revenue_fen: i64,
}

/// The state of all sites at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// The areas of all sites.
    pub areas: Vec<AreaFigures>,
    /// Vehicles inside, over all sites.
    pub active_sessions: i64,
    /// The last seven days in order; the last one is today.
    pub days: Vec<DayFigures>,
}

/// An alert that is not resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveAlert {
    /// Name of the site for people.
    pub site_name: String,
    /// `gate_fault` or `device_offline`.
    pub alert_type: String,
    /// What is wrong, for people.
    pub message: String,
    /// Since when, in milliseconds UTC.
    pub created_at_ms: i64,
}

/// Parking at all sites.
pub struct Parking {
    base: Base,
    zone: Tz,
}

impl Parking {
    pub(crate) const fn new(base: Base, zone: Tz) -> Self {
        Self { base, zone }
    }

    /// The time zone of the sites.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Vehicles inside, over all sites.
    pub async fn active_count(&self) -> Result<i64> {
        self.base.store.read(active_count).await
    }

    /// The vehicles that are inside, the latest first.
    pub async fn active(&self, _: &Caller, limit: u32) -> Result<Vec<ActiveSession>> {
        let sql = "SELECT p.id, s.name, p.plate, p.entry_lane, p.entered_at_ms
                   FROM parking_sessions p JOIN sites s ON s.site_id = p.site_id
                   WHERE p.exited_at_ms IS NULL ORDER BY p.id DESC LIMIT $1";
        let read = self.base.store.read(move |tx| Ok(tx.query(sql, params![i64::from(limit)])?));
        read.await?.iter().map(active_session).collect()
    }

    /// The alerts that are not resolved, the latest first.
    pub async fn alerts(&self, _: &Caller, limit: u32) -> Result<Vec<ActiveAlert>> {
        let sql = "SELECT s.name, a.alert_type, a.message, a.created_at_ms
                   FROM alerts a JOIN sites s ON s.site_id = a.site_id
                   WHERE a.resolved_at_ms IS NULL ORDER BY a.id DESC LIMIT $1";
        let read = self.base.store.read(move |tx| Ok(tx.query(sql, params![i64::from(limit)])?));
        read.await?.iter().map(active_alert).collect()
    }

    /// The state of all sites at a glance.
    pub async fn dashboard(&self, _: &Caller) -> Result<Dashboard> {
        let (zone, today) = (self.zone, day_of(self.zone, self.base.clock.now().wall));
        let read = self.base.store.read(move |tx| {
            let days = last_days(today, TREND_DAYS).map(|day| day_figures(tx, zone, day));
            Ok(Dashboard {
                days: days.collect::<Result<_>>()?,
                areas: areas(tx)?,
                active_sessions: active_count(tx)?,
            })
        });
        read.await
    }
}

fn active_count(tx: &mut dyn Transaction) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM parking_sessions WHERE exited_at_ms IS NULL";
    Ok(number(tx, sql, &[])?)
}

fn active_session(row: &Row) -> Result<ActiveSession> {
    Ok(ActiveSession {
        id: row.get(0)?,
        site_name: row.get(1)?,
        plate: row.get(2)?,
        entry_lane: row.get(3)?,
        entered_at_ms: row.get(4)?,
    })
}

fn active_alert(row: &Row) -> Result<ActiveAlert> {
    Ok(ActiveAlert {
        site_name: row.get(0)?,
        alert_type: row.get(1)?,
        message: row.get(2)?,
        created_at_ms: row.get(3)?,
    })
}

fn areas(tx: &mut dyn Transaction) -> Result<Vec<AreaFigures>> {
    let sql = "SELECT a.id, a.name, a.total_spots,
                      (SELECT COUNT(*) FROM parking_sessions p
                       WHERE p.site_id = a.site_id AND p.area_id = a.id AND p.exited_at_ms IS NULL)
               FROM areas a ORDER BY a.id";
    let rows = tx.query(sql, &[])?;
    let area = |row: &Row| {
        Ok(AreaFigures {
            id: row.get(0)?,
            name: row.get(1)?,
            total_spots: row.get(2)?,
            inside: row.get(3)?,
        })
    };
    rows.iter().map(area).collect()
}

fn day_figures(tx: &mut dyn Transaction, zone: Tz, day: NaiveDate) -> Result<DayFigures> {
    let (from, until) = (day_start_ms(zone, day), day_start_ms(zone, next_day(day)));
    let mut figure = |what: &str, table: &str, time: &str| {
        let sql = format!("SELECT {what} FROM {table} WHERE {time} >= $1 AND {time} < $2");
        number(tx, &sql, params![from, until])
    };
    let seen = "plate_reads";
    Ok(DayFigures {
        day,
        entries: figure("COUNT(*)", "parking_sessions", "entered_at_ms")?,
        exits: figure("COUNT(*)", "parking_sessions", "exited_at_ms")?,
        detections: figure("COALESCE(SUM(1 - is_deleted), 0)", seen, "read_at_ms")?,
        revenue_fen: figure("COALESCE(SUM(amount_fen), 0)", "payments", "paid_at_ms")?,
    })
}
