//! Making orders.

use chrono::{DateTime, Utc};

use super::query;
use crate::{
    caller::Caller,
    error::{Error, Result},
    logs::Entry,
    parking::{
        moment,
        stays::{Stay, Whose, get as get_stay, of_site},
    },
    store::{StoreError, Transaction, next_id, params},
};

/// See [`crate::Parking::order`].
pub(super) fn order(
    tx: &mut dyn Transaction,
    caller: &Caller,
    stay: i64,
    now_ms: i64,
) -> Result<i64> {
    let stay = get_stay(tx, Whose::of(caller)?, stay)?;
    let owed = stay.owed_at(now_ms).0;
    if owed == 0 && query::was_paid(tx, stay.id)? {
        return Err(Error::Refused("already_paid"));
    }
    open(tx, caller, &stay, owed, now_ms)
}

/// The order over an amount that waits to be paid for a stay, an old one or a new one.
pub(super) fn open(
    tx: &mut dyn Transaction,
    caller: &Caller,
    stay: &Stay,
    amount_fen: i64,
    now_ms: i64,
) -> Result<i64> {
    if let Some(open) = query::open(tx, stay.id)? {
        if open.amount_fen == amount_fen {
            return Ok(open.id);
        }
        tx.execute("UPDATE payments SET status = 'failed' WHERE id = $1", params![open.id])?;
    }
    let (id, order_number) = (next_id(tx, "payment")?, order_number(tx, now_ms)?);
    tx.execute(
        "INSERT INTO payments (site_id, id, order_number, session, amount_fen, status, user_id,
                created_at_ms)
         VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7)",
        params![&stay.site, id, &order_number, stay.id, amount_fen, caller.account_id(), now_ms],
    )?;
    let message = format!("订单 {order_number} 已创建");
    let site = stay.site.clone();
    Entry::of_person(site, now_ms, caller.actor(), "payment", message).write(tx)?;
    Ok(id)
}

/// `ORD`, the day (UTC), and what number of that day it is.
fn order_number(tx: &mut dyn Transaction, now_ms: i64) -> Result<String, StoreError> {
    let now = moment(now_ms);
    let number = next_id(tx, &order_counter(now))?;
    Ok(format!("ORD{}{number:03}", now.format("%Y%m%d")))
}

/// What orders of a day are numbered by.
pub(crate) fn order_counter(day: DateTime<Utc>) -> String {
    format!("order {}", day.format("%Y%m%d"))
}

/// A fee that a site took, as its journal tells.
pub(crate) struct SitePayment<'a> {
    pub(crate) site: &'a str,
    /// Place of the event in the site's journal.
    pub(crate) sequence: i64,
    /// UUID of the stay.
    pub(crate) session: &'a str,
    pub(crate) amount_fen: i64,
    pub(crate) method: &'a str,
    pub(crate) taken_by: &'a str,
    pub(crate) at_ms: i64,
}

/// A site took a fee: that is a payment like any other.
pub(crate) fn taken_at_site(tx: &mut dyn Transaction, paid: &SitePayment<'_>) -> Result<()> {
    let stay = of_site(tx, paid.site, paid.session)?;
    let (id, order_number) = (next_id(tx, "payment")?, order_number(tx, paid.at_ms)?);
    tx.defer(
        "INSERT INTO payments (site_id, id, order_number, session, sequence, amount_fen, status,
                method, taken_by, created_at_ms, paid_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, 'completed', $7, $8, $9, $9)",
        params![
            paid.site,
            id,
            order_number,
            stay.as_ref().map(|stay| stay.id),
            paid.sequence,
            paid.amount_fen,
            paid.method,
            paid.taken_by,
            paid.at_ms
        ],
    )?;
    match stay {
        Some(stay) => super::pay::count(tx, stay, paid.amount_fen, paid.at_ms),
        None => Ok(()),
    }
}
