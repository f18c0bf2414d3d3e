//! What the lockers brought in: by day of the site's calendar and by station. Money counts when it
//! was taken; an order counts where its rent was.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::money::Fen;

use super::{
    Lockers,
    statistics::{day, period_start_ms},
};
use crate::{
    caller::Admin,
    error::Result,
    store::{Row, Transaction, params},
};

/// Payments are added up by quarters of an hour, which are whole in every time zone.
const QUARTER_MS: i64 = 15 * 60 * 1000;

/// What something brought in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RevenueOf {
    /// What was taken.
    pub revenue: Fen,
    /// Orders whose rent was paid.
    pub orders: i64,
}

/// What a period brought in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revenue {
    /// In all.
    pub total: RevenueOf,
    /// Each day that had any, by the site's calendar.
    pub days: Vec<(NaiveDate, RevenueOf)>,
    /// Each station that had any; the one with most first.
    pub stations: Vec<(String, RevenueOf)>,
}

impl Revenue {
    /// What one order brought in on average, rounded half-up.
    pub fn average(&self) -> Fen {
        match self.total.orders {
            0 => Fen::ZERO,
            orders => Fen::half_up(self.total.revenue.0.into(), orders.into()),
        }
    }
}

impl Lockers {
    /// What the last `days` days brought in, with today.
    pub async fn revenue(&self, _: &Admin, days: u32) -> Result<Revenue> {
        let zone = self.zone;
        self.read(move |tx, now_ms| {
            let rows = taken(tx, period_start_ms(zone, now_ms, days))?;
            let (mut days, mut stations) = (BTreeMap::new(), BTreeMap::new());
            let mut total = RevenueOf::default();
            for (at_ms, station, part) in rows {
                total.add(part);
                days.entry(day(zone, at_ms)).or_insert_with(RevenueOf::default).add(part);
                stations.entry(station).or_insert_with(RevenueOf::default).add(part);
            }
            let mut stations: Vec<_> = stations.into_iter().collect();
            stations.sort_by_key(|(_, part)| std::cmp::Reverse(part.revenue));
            Ok(Revenue { total, days: days.into_iter().collect(), stations })
        })
        .await
    }
}

impl RevenueOf {
    const fn add(&mut self, other: Self) {
        self.revenue.0 += other.revenue.0;
        self.orders += other.orders;
    }
}

fn taken(tx: &mut dyn Transaction, from_ms: i64) -> Result<Vec<(i64, String, RevenueOf)>> {
    let sql = "SELECT p.paid_at_ms / $2 AS quarter, o.station,
                      CAST(SUM(p.amount_fen) AS BIGINT),
                      COUNT(CASE WHEN p.purpose = 'rent' THEN 1 END)
               FROM locker_payments p JOIN locker_orders o ON o.id = p.order_id
               WHERE p.paid_at_ms >= $1 GROUP BY quarter, o.station";
    let part = |row: &Row| {
        let revenue = RevenueOf { revenue: Fen(row.get(2)?), orders: row.get(3)? };
        Ok((row.get::<i64>(0)? * QUARTER_MS, row.get(1)?, revenue))
    };
    tx.query(sql, params![from_ms, QUARTER_MS])?.iter().map(part).collect()
}
