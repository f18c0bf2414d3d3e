//! Holding a cabinet with an order that is not paid yet, and letting it go: by hand, or when the
//! time to pay is over.

use chrono::DateTime;
use domain::{
    locker::{CabinetStatus, Hours, OrderStatus},
    money::Fen,
};
use rand::Rng;

use super::{Lockers, Order, cabinets, codes, orders, site_of};
use crate::{
    caller::Caller,
    error::{Error, Result},
    store::{Transaction, first, next_id, number, params},
};

const LETTERS_AND_DIGITS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

impl Lockers {
    /// Orders a cabinet for so long; it is held until the order is paid, cancelled or too old.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a cabinet that is not there, [`Error::Refused`] with
    /// `cabinet_unavailable` for one that is not free and `too_many_unpaid` for an account that
    /// holds too many.
    pub async fn order(&self, caller: &Caller, cabinet_id: &str, hours: Hours) -> Result<Order> {
        let (user, cabinet_id) = (caller.own_id()?, cabinet_id.to_owned());
        let settings = self.settings.clone();
        let made = self.write(move |tx, now_ms| {
            let cabinet = cabinets::get(tx, &cabinet_id)?;
            if cabinet.status != CabinetStatus::Available {
                return Err(Error::Refused("cabinet_unavailable"));
            }
            let unpaid = "SELECT COUNT(*) FROM locker_orders
                          WHERE user_id = $1 AND status = 'pending'";
            if number(tx, unpaid, params![user])? >= settings.max_unpaid {
                return Err(Error::Refused("too_many_unpaid"));
            }
            let hold_until_ms = now_ms + settings.hold_ms;
            let id = insert(tx, user, &cabinet, hours, now_ms, hold_until_ms)?;
            orders::get(tx, id)
        });
        made.await
    }

    /// Gives an unpaid order up; its cabinet is free again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an order that is not there or another's, [`Error::Refused`] with
    /// `not_cancellable` for one that is not pending.
    pub async fn cancel(&self, caller: &Caller, id: i64) -> Result<Order> {
        let caller = caller.clone();
        let cancelled = self.write(move |tx, _| {
            let order = orders::visible(tx, &caller, id)?;
            if order.status != OrderStatus::Pending {
                return Err(Error::Refused("not_cancellable"));
            }
            let sql = "UPDATE locker_orders SET status = 'cancelled' WHERE id = $1";
            tx.execute(sql, params![id])?;
            orders::get(tx, id)
        });
        cancelled.await
    }
}

fn insert(
    tx: &mut dyn Transaction,
    user: i64,
    cabinet: &super::Cabinet,
    hours: Hours,
    now_ms: i64,
    hold_until_ms: i64,
) -> Result<i64> {
    codes::ensure_key(tx)?;
    let (site, id) = (site_of(tx, &cabinet.station)?, next_id(tx, "locker_order")?);
    let (order_no, Fen(total_fen)) = (free_order_no(tx, now_ms)?, hours.cost(cabinet.price));
    tx.execute(
        "INSERT INTO locker_orders
             (site_id, id, order_no, user_id, cabinet, station, status, hours_hundredths,
              price_fen, total_fen, code_salt, created_at_ms, hold_until_ms)
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $9, $10, $11, $12)",
        params![
            site,
            id,
            order_no,
            user,
            cabinet.id,
            &cabinet.station,
            hours.hundredths(),
            cabinet.price.0,
            total_fen,
            codes::new_salt(),
            now_ms,
            hold_until_ms
        ],
    )?;
    Ok(id)
}

/// An order number that no order has.
fn free_order_no(tx: &mut dyn Transaction, now_ms: i64) -> Result<String> {
    loop {
        let candidate = order_no(now_ms);
        let taken = "SELECT 1 FROM locker_orders WHERE order_no = $1";
        if first(tx, taken, params![&candidate])?.is_none() {
            return Ok(candidate);
        }
    }
}

/// `O`, the time in UTC, and four letters or digits.
fn order_no(now_ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    let mut random = rand::rng();
    let mut any = || LETTERS_AND_DIGITS[random.random_range(0..LETTERS_AND_DIGITS.len())];
    let suffix: String = (0..4).map(|_| char::from(any())).collect();
    format!("O{}{suffix}", moment.format("%Y%m%d%H%M%S"))
}

/// Whether the clock has something to move.
pub(super) fn is_due(tx: &mut dyn Transaction, now_ms: i64) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM locker_orders
               WHERE status = 'pending' AND hold_until_ms <= $1 LIMIT 1) AS due";
    Ok(number(tx, sql, params![now_ms])? > 0)
}

/// Moves what the clock moves: gives orders up whose time to pay is over.
pub(super) fn advance(tx: &mut dyn Transaction, now_ms: i64) -> Result<()> {
    let sql = "UPDATE locker_orders SET status = 'cancelled'
               WHERE status = 'pending' AND hold_until_ms <= $1";
    tx.execute(sql, params![now_ms])?;
    Ok(())
}
