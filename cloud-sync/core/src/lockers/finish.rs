//! Ending an order: overtime is charged for each started hour, and the cabinet is free.

use domain::{locker::OrderStatus, money::Fen};

use super::{
    Lockers, OVERTIME, Order, PayMethod, Payment, commands, orders,
    pay::{self, Begun},
    wired,
};
use crate::{
    caller::Caller,
    error::{Error, Result},
    logs::Entry,
    providers::{Bill, Receipt, Settled},
    store::{Transaction, first, number, params},
};

/// How long after asking to finish the door may stay open before the time counts again.
const TO_CLOSE_MS: i64 = 15 * 60 * 1000;

impl Lockers {
    /// Completes a running order, once its door is closed. An admin completes another's order
    /// whatever the door says, and for as much of the overtime as the balance has. Where overtime
    /// is to be paid at a provider, the order is as it was until that is done and it is completed
    /// again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an order that is not there or another's; [`Error::Refused`] with
    /// `not_running`, `door_open`, or, for the overtime, `balance_too_low` or
    /// [`crate::providers::UNAVAILABLE`]; [`Error::Outside`] where the provider does not answer.
    pub async fn complete(&self, caller: &Caller, id: i64, method: PayMethod) -> Result<Payment> {
        let (caller, providers) = (caller.clone(), self.providers.clone());
        let begun = self.write(move |tx, now_ms| {
            let order = orders::visible(tx, &caller, id)?;
            if !order.status.is_running() {
                return Err(Error::Refused("not_running"));
            }
            let is_own = caller.account_id() == Some(order.user_id);
            if is_own && door(tx, &order)? != "closed" {
                return Err(Error::Refused("door_open"));
            }
            let (due, payer) = (order.overtime_due(now_ms), Some(order.user_id));
            match method {
                PayMethod::Provider(name) if is_own && due > Fen::ZERO => {
                    let bill = Bill { purpose: OVERTIME, subject: id, amount_fen: due.0, payer };
                    let number = providers.ask(tx, name, &bill, now_ms)?;
                    return Ok(Begun::Waiting { order, number });
                }
                _ if is_own => charge_overtime(tx, &order, now_ms, now_ms)?,
                _ => charge_what_there_is(tx, &order, now_ms)?,
            }
            end(tx, &order, now_ms)?;
            let (site, message) = (order.site, format!("order {} was completed", order.order_no));
            Entry::of_person(site, now_ms, caller.actor(), "lockers", message).write(tx)?;
            orders::get(tx, id).map(Begun::Done)
        });
        begun.await?.on_page(&self.providers).await
    }
}

/// Notes that a provider has reported the overtime of an order as paid. Whatever was paid counts, also where another hour has started
/// meanwhile.
pub(super) fn settle(tx: &mut dyn Transaction, receipt: &Receipt) -> Result<Settled> {
    let order = orders::get(tx, receipt.subject)?;
    if order.overtime_due(receipt.now_ms) < Fen(receipt.amount_fen) {
        return Ok(Settled::NotWanted);
    }
    let (amount, method) = (Fen(receipt.amount_fen), PayMethod::Provider(receipt.provider));
    note(tx, &order, amount, method, receipt.now_ms)?;
    Ok(Settled::Taken)
}

/// Completes an order that was asked to be completed, now that its door was closed. Where the
/// balance has not enough for the overtime, the order stays.
pub(super) fn after_closing(tx: &mut dyn Transaction, order: &Order, now_ms: i64) -> Result<()> {
    let Some(asked_at_ms) = order.finishing_at_ms else { return Ok(()) };
    let until_ms = if now_ms - asked_at_ms <= TO_CLOSE_MS { asked_at_ms } else { now_ms };
    match charge_overtime(tx, order, until_ms, now_ms) {
        Ok(()) => end(tx, order, now_ms),
        Err(Error::Refused(_)) => {
            let sql = "UPDATE locker_orders SET finishing_at_ms = NULL WHERE id = $1";
            tx.execute(sql, params![order.id])?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Takes the overtime up to a moment that was not taken yet.
pub(super) fn charge_overtime(
    tx: &mut dyn Transaction,
    order: &Order,
    until_ms: i64,
    now_ms: i64,
) -> Result<()> {
    let due = order.overtime_due(until_ms);
    pay::take(tx, order, due, now_ms)?;
    note(tx, order, due, PayMethod::Balance, now_ms)
}

fn charge_what_there_is(tx: &mut dyn Transaction, order: &Order, now_ms: i64) -> Result<()> {
    let sql = "SELECT balance_fen FROM users WHERE id = $1";
    let balance = Fen(number(tx, sql, params![order.user_id])?);
    let due = order.overtime_due(now_ms).min(balance);
    pay::take(tx, order, due, now_ms)?;
    note(tx, order, due, PayMethod::Balance, now_ms)
}

fn note(
    tx: &mut dyn Transaction,
    order: &Order,
    amount: Fen,
    method: PayMethod,
    now_ms: i64,
) -> Result<()> {
    if amount == Fen::ZERO {
        return Ok(());
    }
    pay::record(tx, order, "overtime", method, amount, now_ms)?;
    let sql = "UPDATE locker_orders SET total_fen = total_fen + $2 WHERE id = $1";
    tx.execute(sql, params![order.id, amount.0])?;
    Ok(())
}

/// Ends an order; whatever was still to open its door is withdrawn.
fn end(tx: &mut dyn Transaction, order: &Order, now_ms: i64) -> Result<()> {
    commands::settle(tx, order.cabinet, "withdrawn")?;
    let sql = "UPDATE locker_orders SET status = $2, ended_at_ms = $3 WHERE id = $1";
    tx.execute(sql, params![order.id, OrderStatus::Completed.as_str(), now_ms])?;
    wired::tell(tx, order.cabinet, now_ms)
}

/// What is known of an order's door: closed, opening or open.
pub(super) fn door(tx: &mut dyn Transaction, order: &Order) -> Result<String> {
    let row = first(tx, "SELECT door FROM cabinets WHERE id = $1", params![order.cabinet])?;
    Ok(row.ok_or(Error::NotFound("cabinet"))?.get(0)?)
}
