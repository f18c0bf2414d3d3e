//! What the lockers did, in figures: over all time, and over the last days of the site's calendar.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Timelike};
use chrono_tz::Tz;
use domain::money::Fen;

use super::{Lockers, devices};
use crate::{
    calendar::{day_of, day_start_ms},
    caller::Admin,
    error::Result,
    store::{Transaction, first, number, params},
};

/// All accounts without those that were removed; neither count looks at each.
const USERS: &str = "SELECT (SELECT COUNT(*) FROM users)
                          - (SELECT COUNT(*) FROM users WHERE removed_at_ms IS NOT NULL)";

/// Orders are counted by quarters of an hour, which are whole in every time zone.
const QUARTER_MS: i64 = 15 * 60 * 1000;

/// Orders of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFigures {
    /// How many were made.
    pub total: i64,
    /// How many of them were completed.
    pub completed: i64,
    /// How many of them were cancelled.
    pub cancelled: i64,
    /// What all of them cost, paid or not.
    pub amount: Fen,
}

/// Cabinets by their state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CabinetCounts {
    /// All.
    pub total: i64,
    /// Those that can be had.
    pub available: i64,
    /// Those that somebody has.
    pub in_use: i64,
    /// Those that are being repaired.
    pub maintenance: i64,
}

/// Controllers by their state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceCounts {
    /// All.
    pub total: i64,
    /// Those that were heard of within ten minutes.
    pub online: i64,
    /// The others.
    pub offline: i64,
}

/// The lockers at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Accounts.
    pub users: i64,
    /// Orders ever made.
    pub orders_ever: i64,
    /// Orders of the period.
    pub orders: OrderFigures,
    /// Cabinets right now.
    pub cabinets: CabinetCounts,
    /// Controllers right now.
    pub devices: DeviceCounts,
    /// Orders of each day of the period that had any, by the site's calendar.
    pub daily_orders: Vec<(NaiveDate, i64)>,
    /// Orders of each hour of the day, in UTC, that had any; the busiest first.
    pub peak_hours: Vec<(u32, i64)>,
}

impl Lockers {
    /// Figures of the last `days` days, with today.
    pub async fn statistics(&self, _: &Admin, days: u32) -> Result<Statistics> {
        let zone = self.zone;
        self.read(move |tx, now_ms| {
            let from_ms = period_start_ms(zone, now_ms, days);
            let made = made(tx, from_ms)?;
            Ok(Statistics {
                users: number(tx, USERS, &[])?,
                orders_ever: number(tx, "SELECT COUNT(*) FROM locker_orders", &[])?,
                orders: figures(tx, from_ms)?,
                cabinets: cabinet_counts(tx)?,
                devices: device_counts(tx, now_ms)?,
                daily_orders: by_day(zone, &made),
                peak_hours: by_hour(&made),
            })
        })
        .await
    }

    /// Controllers right now.
    pub async fn device_counts(&self, _: &Admin) -> Result<DeviceCounts> {
        self.read(device_counts).await
    }
}

/// When the period of the last `days` days began, by the site's calendar.
pub(super) fn period_start_ms(zone: Tz, now_ms: i64, days: u32) -> i64 {
    let today = day_of(zone, moment(now_ms));
    let back = Days::new(u64::from(days.saturating_sub(1)));
    day_start_ms(zone, today.checked_sub_days(back).unwrap_or(today))
}

/// The day of a time by the site's calendar.
pub(super) fn day(zone: Tz, at_ms: i64) -> NaiveDate {
    day_of(zone, moment(at_ms))
}

fn moment(at_ms: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default()
}

fn figures(tx: &mut dyn Transaction, from_ms: i64) -> Result<OrderFigures> {
    let sql = "SELECT COUNT(*),
                      COUNT(CASE WHEN status = 'completed' THEN 1 END),
                      COUNT(CASE WHEN status = 'cancelled' THEN 1 END),
                      CAST(COALESCE(SUM(total_fen), 0) AS BIGINT)
               FROM locker_orders WHERE created_at_ms >= $1";
    let Some(row) = first(tx, sql, params![from_ms])? else { return Ok(OrderFigures::default()) };
    Ok(OrderFigures {
        total: row.get(0)?,
        completed: row.get(1)?,
        cancelled: row.get(2)?,
        amount: Fen(row.get(3)?),
    })
}

/// Orders made in each quarter of an hour: its beginning, and how many.
fn made(tx: &mut dyn Transaction, from_ms: i64) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT created_at_ms / $2 AS quarter, COUNT(*) FROM locker_orders
               WHERE created_at_ms >= $1 GROUP BY quarter ORDER BY quarter";
    let rows = tx.query(sql, params![from_ms, QUARTER_MS])?;
    rows.iter().map(|row| Ok((row.get::<i64>(0)? * QUARTER_MS, row.get(1)?))).collect()
}

fn by_day(zone: Tz, made: &[(i64, i64)]) -> Vec<(NaiveDate, i64)> {
    let mut days = BTreeMap::new();
    for (at_ms, count) in made {
        *days.entry(day(zone, *at_ms)).or_default() += count;
    }
    days.into_iter().collect()
}

fn by_hour(made: &[(i64, i64)]) -> Vec<(u32, i64)> {
    let mut hours = BTreeMap::<u32, i64>::new();
    for (at_ms, count) in made {
        *hours.entry(moment(*at_ms).hour()).or_default() += count;
    }
    let mut hours: Vec<_> = hours.into_iter().collect();
    hours.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    hours
}

fn cabinet_counts(tx: &mut dyn Transaction) -> Result<CabinetCounts> {
    let ordered = "EXISTS (SELECT 1 FROM locker_orders o WHERE o.cabinet = c.id
                           AND o.status IN ('pending', 'paid', 'in_use'))";
    let sql = format!(
        "SELECT COUNT(*), COUNT(CASE WHEN c.state = 'maintenance' THEN 1 END),
                COUNT(CASE WHEN c.state = 'in_use'
                             OR (c.state = 'available' AND {ordered}) THEN 1 END)
         FROM cabinets c"
    );
    let Some(row) = first(tx, &sql, &[])? else { return Ok(CabinetCounts::default()) };
    let (total, maintenance, in_use): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(CabinetCounts { total, available: total - maintenance - in_use, in_use, maintenance })
}

fn device_counts(tx: &mut dyn Transaction, now_ms: i64) -> Result<DeviceCounts> {
    let sql = "SELECT COUNT(*), COUNT(CASE WHEN last_seen_at_ms > $1 THEN 1 END) FROM devices";
    let since_ms = now_ms - devices::OFFLINE_MS;
    let Some(row) = first(tx, sql, params![since_ms])? else { return Ok(DeviceCounts::default()) };
    let (total, online): (i64, i64) = (row.get(0)?, row.get(1)?);
    Ok(DeviceCounts { total, online, offline: total - online })
}
