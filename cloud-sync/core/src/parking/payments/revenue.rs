//! What was taken, less what was given back: each counts on the day on which it happened.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    calendar::{day_of, day_start_ms, last_days, next_day},
    error::Result,
    store::{Transaction, number, params},
};

/// What was taken, and what became of the orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentFigures {
    /// Net of refunds today, in fen.
    pub today_fen: i64,
    /// Today and the six days before.
    pub week_fen: i64,
    /// Today and the 29 days before.
    pub month_fen: i64,
    /// Ever.
    pub total_fen: i64,
    /// All orders.
    pub orders: i64,
    /// Those that were paid, given back or not.
    pub completed: i64,
    /// Those that wait.
    pub pending: i64,
    /// Those that were given up.
    pub failed: i64,
    /// Orders that were paid by each means.
    pub by_method: Vec<(String, i64)>,
}

/// Net revenue from one moment until before another, in fen.
pub(crate) fn between(tx: &mut dyn Transaction, from_ms: i64, until_ms: i64) -> Result<i64> {
    let taken = "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM payments
                 WHERE paid_at_ms >= $1 AND paid_at_ms < $2 AND is_deleted = 0";
    let returned = "SELECT CAST(COALESCE(SUM(r.amount_fen), 0) AS BIGINT) FROM refunds r
                    JOIN payments y ON y.id = r.payment_id
                    WHERE r.refunded_at_ms >= $1 AND r.refunded_at_ms < $2 AND y.is_deleted = 0";
    let span = params![from_ms, until_ms];
    Ok(number(tx, taken, span)? - number(tx, returned, span)?)
}

pub(super) fn figures(
    tx: &mut dyn Transaction,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<PaymentFigures> {
    let today = day_of(zone, now);
    let until = day_start_ms(zone, next_day(today));
    let mut since = |days| {
        let first = last_days(today, days).next().unwrap_or(today);
        between(tx, day_start_ms(zone, first), until)
    };
    let (today_fen, week_fen, month_fen) = (since(1)?, since(7)?, since(30)?);
    let total_fen = between(tx, i64::MIN, i64::MAX)?;
    let mut figures =
        PaymentFigures { today_fen, week_fen, month_fen, total_fen, ..Default::default() };
    let sql = "SELECT status, COUNT(*) FROM payments WHERE is_deleted = 0 GROUP BY status";
    for row in tx.query(sql, &[])? {
        let (status, count): (String, i64) = (row.get(0)?, row.get(1)?);
        figures.orders += count;
        match status.as_str() {
            "pending" => figures.pending += count,
            "failed" => figures.failed += count,
            _ => figures.completed += count,
        }
    }
    let sql = "SELECT COALESCE(method, 'other'), COUNT(*) FROM payments
               WHERE paid_at_ms IS NOT NULL AND is_deleted = 0
               GROUP BY COALESCE(method, 'other') ORDER BY 1";
    for row in tx.query(sql, &[])? {
        figures.by_method.push((row.get(0)?, row.get(1)?));
    }
    Ok(figures)
}
