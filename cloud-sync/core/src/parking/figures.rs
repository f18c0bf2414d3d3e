//! The state of all sites at a glance.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Area, Parking, areas, payments};
use crate::{
    calendar::{day_of, day_start_ms, last_days, next_day},
    caller::Caller,
    error::Result,
    store::{Row, Transaction, number, params},
};

/// Days that the dashboard looks back, with today.
const TREND_DAYS: u64 = 7;

/// A car that is inside, as the console lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveSession {
    /// Its number.
    pub id: i64,
    /// Name of the site for people.
    pub site_name: String,
    /// Its plate; empty where it was let in unread.
    pub plate: String,
    /// Where it entered; empty without a barrier.
    pub entry_lane: String,
    /// When it entered, in milliseconds UTC.
    pub entered_at_ms: i64,
}

/// What one day brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFigures {
    /// The day, by the sites' calendar.
    pub day: NaiveDate,
    /// Cars that came.
    pub entries: i64,
    /// Cars that left.
    pub exits: i64,
    /// Plates that were seen.
    pub detections: i64,
    /// What was taken, less what was given back, in fen.
    pub revenue_fen: i64,
}

/// The state of all sites at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// The areas of all sites.
    pub areas: Vec<Area>,
    /// Cars inside, over all sites.
    pub active_sessions: i64,
    /// The last seven days in order; the last one is today.
    pub days: Vec<DayFigures>,
}

impl Parking {
    /// Cars inside, over all sites.
    pub async fn active_count(&self) -> Result<i64> {
        self.base.store.read(active_count).await
    }

    /// The cars that are inside, the latest first.
    pub async fn active(&self, _: &Caller, limit: u32) -> Result<Vec<ActiveSession>> {
        let sql = "SELECT p.id, s.name, p.plate, p.entry_lane, p.entered_at_ms
                   FROM parking_sessions p JOIN sites s ON s.site_id = p.site_id
                   WHERE p.exited_at_ms IS NULL ORDER BY p.id DESC LIMIT $1";
        let read = self.base.store.read(move |tx| Ok(tx.query(sql, params![i64::from(limit)])?));
        read.await?.iter().map(active_session).collect()
    }

    /// The state of all sites at a glance.
    pub async fn dashboard(&self, _: &Caller) -> Result<Dashboard> {
        let (zone, today) = (self.zone, day_of(self.zone, self.base.clock.now().wall));
        let read = self.base.store.read(move |tx| {
            let days = last_days(today, TREND_DAYS).map(|day| day_figures(tx, zone, day));
            Ok(Dashboard {
                days: days.collect::<Result<_>>()?,
                areas: areas::list(tx)?,
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

fn day_figures(tx: &mut dyn Transaction, zone: Tz, day: NaiveDate) -> Result<DayFigures> {
    let (from, until) = (day_start_ms(zone, day), day_start_ms(zone, next_day(day)));
    let mut count = |table: &str, time: &str| {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {time} >= $1 AND {time} < $2");
        number(tx, &sql, params![from, until])
    };
    let (entries, exits) =
        (count("parking_sessions", "entered_at_ms")?, count("parking_sessions", "exited_at_ms")?);
    let seen = "SELECT COUNT(*) FROM plate_reads
                WHERE read_at_ms >= $1 AND read_at_ms < $2 AND is_deleted = 0";
    let detections = number(tx, seen, params![from, until])?;
    let revenue_fen = payments::revenue_between(tx, from, until)?;
    Ok(DayFigures { day, entries, exits, detections, revenue_fen })
}
