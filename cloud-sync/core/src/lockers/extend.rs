//! Keeping a cabinet longer: the difference is paid from the balance at once, or at a provider
//! whose word then extends the order.

use domain::{locker::Hours, money::Fen};

use super::{
    EXTENSION, Lockers, Order, PayMethod, Payment, orders,
    pay::{self, Begun},
    wired,
};
use crate::{
    caller::Caller,
    error::{Error, Result},
    providers::{Bill, Receipt, Settled},
    store::{Transaction, first, next_id, params},
};

impl Lockers {
    /// Extends a running order of the caller's own for the difference.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an order that is not there or another's; [`Error::Invalid`] for
    /// more than a year in all; [`Error::Refused`] with `not_running`, `balance_too_low` or
    /// [`crate::providers::UNAVAILABLE`]; [`Error::Outside`] where the provider does not answer.
    pub async fn extend(
        &self,
        caller: &Caller,
        id: i64,
        more: Hours,
        method: PayMethod,
    ) -> Result<Payment> {
        let (user, providers) = (caller.own_id()?, self.providers.clone());
        let begun = self.write(move |tx, now_ms| {
            let order = orders::own(tx, user, id)?;
            let difference = difference(&order, more)?;
            match method {
                PayMethod::Provider(name) if difference > Fen::ZERO => {
                    let subject = extension(tx, id, more)?;
                    let amount_fen = difference.0;
                    let bill = Bill { purpose: EXTENSION, subject, amount_fen, payer: Some(user) };
                    let number = providers.ask(tx, name, &bill, now_ms)?;
                    return Ok(Begun::Waiting { order, number });
                }
                PayMethod::Provider(_) => {}
                PayMethod::Balance => pay::take(tx, &order, difference, now_ms)?,
            }
            apply(tx, &order, more, difference, method, now_ms)?;
            orders::get(tx, id).map(Begun::Done)
        });
        begun.await?.on_page(&self.providers).await
    }
}

/// What more time of a running order costs.
fn difference(order: &Order, more: Hours) -> Result<Fen> {
    if !order.status.is_running() {
        return Err(Error::Refused("not_running"));
    }
    let hours = order
        .hours
        .checked_add(more)
        .ok_or_else(|| Error::invalid("additional_hours", "a year is the longest in all"))?;
    Ok(Fen(hours.cost(order.price).0 - order.hours.cost(order.price).0))
}

/// The number of an extension that is to be paid; the same one where it was asked for before.
fn extension(tx: &mut dyn Transaction, order: i64, more: Hours) -> Result<i64> {
    let known = "SELECT id FROM locker_extensions
                 WHERE order_id = $1 AND hours_hundredths = $2 AND is_done = 0";
    if let Some(row) = first(tx, known, params![order, more.hundredths()])? {
        return Ok(row.get(0)?);
    }
    let id = next_id(tx, "locker_extension")?;
    let sql = "INSERT INTO locker_extensions (id, order_id, hours_hundredths) VALUES ($1, $2, $3)";
    tx.execute(sql, params![id, order, more.hundredths()])?;
    Ok(id)
}

fn apply(
    tx: &mut dyn Transaction,
    order: &Order,
    more: Hours,
    difference: Fen,
    method: PayMethod,
    now_ms: i64,
) -> Result<()> {
    pay::record(tx, order, "extension", method, difference, now_ms)?;
    tx.execute(
        "UPDATE locker_orders SET hours_hundredths = hours_hundredths + $2,
             total_fen = total_fen + $3, ends_at_ms = ends_at_ms + $4 WHERE id = $1",
        params![order.id, more.hundredths(), difference.0, more.millis()],
    )?;
    wired::tell(tx, order.cabinet, now_ms)
}

/// Extends an order whose extension a provider has reported as paid.
pub(super) fn settle(tx: &mut dyn Transaction, receipt: &Receipt) -> Result<Settled> {
    let sql = "SELECT order_id, hours_hundredths, is_done FROM locker_extensions WHERE id = $1";
    let row = first(tx, sql, params![receipt.subject])?.ok_or(Error::NotFound("extension"))?;
    let (order, more) = (orders::get(tx, row.get(0)?)?, Hours::from_hundredths(row.get(1)?));
    let is_wanted = !row.get::<bool>(2)?
        && difference(&order, more).is_ok_and(|difference| difference.0 == receipt.amount_fen);
    if !is_wanted {
        return Ok(Settled::NotWanted);
    }
    let done = "UPDATE locker_extensions SET is_done = 1 WHERE id = $1";
    tx.execute(done, params![receipt.subject])?;
    let (amount, method) = (Fen(receipt.amount_fen), PayMethod::Provider(receipt.provider));
    apply(tx, &order, more, amount, method, receipt.now_ms)?;
    Ok(Settled::Taken)
}
