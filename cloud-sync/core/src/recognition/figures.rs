//! Figures over what was detected. Deleted plates do not exist here.

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;

use crate::{
    calendar::{day_of, day_start_ms, last_days, next_day},
    error::Result,
    plates::VEHICLE,
    store::{Row, StoreError, Transaction, first, number, params},
};

const DAY_MS: i64 = 24 * 3_600_000;
const QUARTER_MS: i64 = 15 * 60_000;
/// Detections of one type of vehicle.
#[derive(Debug, Clone, PartialEq)]
pub struct VehicleFigures {
    /// car, truck, suv, motorcycle, bus, mpv, or `unknown`.
    pub vehicle_type: String,
    /// How many.
    pub count: i64,
    /// How surely their plates were read, 0 to 1.
    pub mean_confidence: f64,
    /// The latest, in milliseconds UTC.
    pub last_at_ms: i64,
}

/// How often and how surely plates were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    /// Since the beginning.
    pub overall: Vec<VehicleFigures>,
    /// In the last 24 hours.
    pub last_24h: Vec<VehicleFigures>,
}

/// Detections in one hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCount {
    /// 0 to 23, by the sites' clocks.
    pub hour: i64,
    /// How many.
    pub count: i64,
}

/// Figures of some days.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionFigures {
    /// All detections.
    pub total: i64,
    /// Vehicles that came in.
    pub entered: i64,
    /// Vehicles that left.
    pub left: i64,
    /// By type of vehicle.
    pub vehicles: Vec<VehicleFigures>,
    /// By hour of the day, the hours in which there were any.
    pub hours: Vec<HourCount>,
    /// How surely plates were read, 0 to 1; none without any.
    pub mean_confidence: Option<f64>,
}

/// What was detected of late.
#[derive(Debug, Clone, PartialEq)]
pub struct Realtime {
    /// Since midnight.
    pub today: i64,
    /// In seven days with today.
    pub week: i64,
    /// In thirty days with today.
    pub month: i64,
    /// Today, by type of vehicle.
    pub vehicles: Vec<VehicleFigures>,
    /// Today, by hour.
    pub hours: Vec<HourCount>,
}

/// A span of time, in milliseconds UTC: from the first, before the second.
type Span = (i64, i64);

pub(super) fn performance(tx: &mut dyn Transaction, now_ms: i64) -> Result<Performance> {
    Ok(Performance {
        overall: vehicles(tx, (i64::MIN, i64::MAX))?,
        last_24h: vehicles(tx, (now_ms - DAY_MS, i64::MAX))?,
    })
}

pub(super) fn detections(
    tx: &mut dyn Transaction,
    zone: Tz,
    now: DateTime<Utc>,
    days: u64,
) -> Result<DetectionFigures> {
    let span = days_until(zone, now, days);
    let sql = "SELECT COUNT(*),
                      COALESCE(CAST(SUM(CASE WHEN movement = 'entered' THEN 1 ELSE 0 END) AS BIGINT), 0),
                      COALESCE(CAST(SUM(CASE WHEN movement = 'left' THEN 1 ELSE 0 END) AS BIGINT), 0),
                      AVG(CASE WHEN plate <> '' THEN confidence END)
               FROM plate_reads WHERE is_deleted = 0 AND read_at_ms >= $1 AND read_at_ms < $2";
    let row = first(tx, sql, params![span.0, span.1])?;
    let row = row.ok_or_else(|| StoreError::new("count detections", "no row"))?;
    Ok(DetectionFigures {
        total: row.get(0)?,
        entered: row.get(1)?,
        left: row.get(2)?,
        mean_confidence: row.get(3)?,
        vehicles: vehicles(tx, span)?,
        hours: hours(tx, zone, span)?,
    })
}

pub(super) fn realtime(tx: &mut dyn Transaction, zone: Tz, now: DateTime<Utc>) -> Result<Realtime> {
    let today = days_until(zone, now, 1);
    Ok(Realtime {
        today: count(tx, today)?,
        week: count(tx, days_until(zone, now, 7))?,
        month: count(tx, days_until(zone, now, 30))?,
        vehicles: vehicles(tx, today)?,
        hours: hours(tx, zone, today)?,
    })
}

/// The `days` days up to the end of today.
fn days_until(zone: Tz, now: DateTime<Utc>, days: u64) -> Span {
    let today = day_of(zone, now);
    let first = last_days(today, days).next().unwrap_or(today);
    (day_start_ms(zone, first), day_start_ms(zone, next_day(today)))
}

fn count(tx: &mut dyn Transaction, span: Span) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM plate_reads
               WHERE is_deleted = 0 AND read_at_ms >= $1 AND read_at_ms < $2";
    Ok(number(tx, sql, params![span.0, span.1])?)
}

fn vehicles(tx: &mut dyn Transaction, span: Span) -> Result<Vec<VehicleFigures>> {
    let sql = format!(
        "SELECT vehicle, COUNT(*), AVG(confidence), MAX(read_at_ms)
         FROM (SELECT {VEHICLE} AS vehicle, r.confidence, r.read_at_ms
               FROM plate_reads r
               WHERE is_deleted = 0 AND read_at_ms >= $1 AND read_at_ms < $2) AS seen
         GROUP BY vehicle ORDER BY vehicle"
    );
    let figures = |row: &Row| {
        Ok(VehicleFigures {
            vehicle_type: row.get(0)?,
            count: row.get(1)?,
            mean_confidence: row.get(2)?,
            last_at_ms: row.get(3)?,
        })
    };
    tx.query(&sql, params![span.0, span.1])?.iter().map(figures).collect()
}

/// Detections by the hour of the sites' day: grouped by quarters of an hour in the database, since
/// zones are whole quarters apart, each of which then gets its local hour.
fn hours(tx: &mut dyn Transaction, zone: Tz, span: Span) -> Result<Vec<HourCount>> {
    let sql = "SELECT step, COUNT(*)
               FROM (SELECT read_at_ms / CAST($3 AS BIGINT) AS step FROM plate_reads
                     WHERE is_deleted = 0 AND read_at_ms >= $1 AND read_at_ms < $2) AS seen
               GROUP BY step";
    let mut counts = [0; 24];
    for row in tx.query(sql, params![span.0, span.1, QUARTER_MS])? {
        let (step, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        let moment = DateTime::from_timestamp_millis(step * QUARTER_MS).unwrap_or_default();
        counts[moment.with_timezone(&zone).hour() as usize] += count;
    }
    let hours = (0..).zip(counts).filter(|(_, count)| *count > 0);
    Ok(hours.map(|(hour, count)| HourCount { hour, count }).collect())
}
