//! Paying. An order is paid once, however many try at the same time.

use super::{PayMethod, Payment, PaymentStatus, order, query};
use crate::{
    caller::{Caller, Role},
    directives,
    error::{Error, Result},
    logs::Entry,
    parking::{
        alerts::{AlertKind, resolve_about},
        stays::{Whose, get as get_stay},
    },
    store::{Transaction, params},
};

/// How somebody pays.
#[derive(Debug, Clone, Copy)]
pub struct Payable {
    /// By which means.
    pub method: PayMethod,
    /// How much, in fen; none for what is due.
    pub amount_fen: Option<i64>,
}

/// See [`crate::Parking::pay_order`].
pub(super) fn order(
    tx: &mut dyn Transaction,
    caller: &Caller,
    order: i64,
    with: Payable,
    now_ms: i64,
) -> Result<()> {
    let payment = query::get(tx, Whose::of(caller)?, order)?;
    match payment.status {
        PaymentStatus::Pending => {}
        PaymentStatus::Completed | PaymentStatus::Refunded => {
            return Err(Error::Refused("already_paid"));
        }
        PaymentStatus::Failed => return Err(Error::Refused("order_closed")),
    }
    pay(tx, caller, &payment, with, now_ms)
}

/// See [`crate::Parking::pay_stay`].
pub(super) fn stay(
    tx: &mut dyn Transaction,
    caller: &Caller,
    stay: i64,
    with: Payable,
    now_ms: i64,
) -> Result<i64> {
    let stay = get_stay(tx, Whose::of(caller)?, stay)?;
    if stay.is_active() {
        return Err(Error::Refused("not_completed"));
    }
    let owed = stay.owed_at(now_ms).0;
    if owed == 0 && query::was_paid(tx, stay.id)? {
        return Err(Error::Refused("already_paid"));
    }
    let order = order::open(tx, caller, &stay, owed, now_ms)?;
    let payment = query::get(tx, Whose::All, order)?;
    pay(tx, caller, &payment, with, now_ms)?;
    Ok(order)
}

fn pay(
    tx: &mut dyn Transaction,
    caller: &Caller,
    payment: &Payment,
    with: Payable,
    now_ms: i64,
) -> Result<()> {
    if with.amount_fen.is_some_and(|amount| amount != payment.amount_fen) {
        return Err(Error::Refused("wrong_amount"));
    }
    if caller.role() < Role::Operator {
        return Err(Error::Refused("method_unavailable"));
    }
    complete(tx, payment, with.method, now_ms)?;
    let message = format!("订单 {} 已支付 ({})", payment.order_number, with.method.as_str());
    Entry::of_person(String::new(), now_ms, caller.actor(), "payment", message).write(tx)?;
    Ok(())
}

/// The money of an order is there.
fn complete(
    tx: &mut dyn Transaction,
    payment: &Payment,
    method: PayMethod,
    now_ms: i64,
) -> Result<()> {
    let changed = tx.execute(
        "UPDATE payments SET status = 'completed', method = $1, paid_at_ms = $2
         WHERE id = $3 AND paid_at_ms IS NULL",
        params![method.as_str(), now_ms, payment.id],
    )?;
    if changed == 0 {
        return Err(Error::Refused("already_paid"));
    }
    let Some(stay) = payment.stay else { return Ok(()) };
    tell_site(tx, payment, stay, method, now_ms)?;
    count(tx, stay, payment.amount_fen, now_ms)
}

/// The barrier that will let the car out hears of the money.
fn tell_site(
    tx: &mut dyn Transaction,
    payment: &Payment,
    stay: i64,
    method: PayMethod,
    now_ms: i64,
) -> Result<()> {
    let stay = get_stay(tx, Whose::All, stay)?;
    if !stay.by_barrier || payment.amount_fen == 0 {
        return Ok(());
    }
    let paid = directives::Payment {
        session_id: &stay.session_id,
        amount_fen: payment.amount_fen,
        method: method.as_str(),
        paid_at_ms: now_ms,
    };
    Ok(directives::tell_paid(tx, &stay.site, paid, now_ms)?)
}

/// Counts money towards a stay. An order for what is no longer due is given up.
pub(super) fn count(
    tx: &mut dyn Transaction,
    stay: i64,
    amount_fen: i64,
    at_ms: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE parking_sessions SET paid_fen = paid_fen + $1, paid_at_ms = $2 WHERE id = $3",
        params![amount_fen, at_ms, stay],
    )?;
    let stay = get_stay(tx, Whose::All, stay)?;
    if stay.owed_at(at_ms).0 == 0 {
        let give_up = "UPDATE payments SET status = 'failed'
                       WHERE session = $1 AND status = 'pending'";
        tx.execute(give_up, params![stay.id])?;
        resolve_about(tx, AlertKind::PaymentOverdue, stay.id, at_ms)?;
    }
    Ok(())
}
