//! Giving money back.

use super::{PayMethod, Payment, PaymentStatus, notice_overpaid, provider, query};
use crate::{
    accounts::credit,
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    parking::stays::Whose,
    providers::{AskedRefund, ask_refund},
    store::{Transaction, first, next_id, params},
    text,
};

/// See [`crate::Parking::refund`].
pub(super) fn refund(
    tx: &mut dyn Transaction,
    actor: Actor,
    order: i64,
    amount_fen: Option<i64>,
    reason: &str,
    now_ms: i64,
) -> Result<()> {
    let payment = query::get(tx, Whose::All, order)?;
    let reason = text::optional("refund_reason", reason, 200)?;
    let left = payment.amount_fen - payment.refunded_fen;
    match payment.status {
        PaymentStatus::Completed if left > 0 => {}
        PaymentStatus::Completed | PaymentStatus::Refunded => {
            return Err(Error::Refused("nothing_left"));
        }
        PaymentStatus::Pending | PaymentStatus::Failed => return Err(Error::Refused("not_paid")),
    }
    let amount = amount_fen.unwrap_or(left);
    if amount <= 0 {
        return Err(Error::invalid("refund_amount", "use more than 0"));
    }
    if amount > left {
        return Err(Error::Refused("refund_too_large"));
    }
    let id = next_id(tx, "refund")?;
    tx.execute(
        "INSERT INTO refunds (site_id, id, payment_id, amount_fen, reason, refunded_at_ms)
         VALUES ((SELECT site_id FROM payments WHERE id = $1), $2, $1, $3, $4, $5)",
        params![order, id, amount, &reason, now_ms],
    )?;
    let status = if amount == left { PaymentStatus::Refunded } else { PaymentStatus::Completed };
    tx.execute(
        "UPDATE payments SET refunded_fen = refunded_fen + $1, status = $2 WHERE id = $3",
        params![amount, status.as_str(), order],
    )?;
    give_back(tx, &payment, &Given { refund: id, amount_fen: amount, reason: &reason }, now_ms)?;
    if let Some(stay) = payment.stay {
        notice_overpaid(tx, stay, now_ms)?;
    }
    let message = format!("订单 {} 退款: {reason}", payment.order_number);
    Entry::of_person(String::new(), now_ms, actor, "payment", message).write(tx)?;
    Ok(())
}

/// A refund that is written down.
struct Given<'a> {
    refund: i64,
    amount_fen: i64,
    reason: &'a str,
}

/// What was paid from a balance goes back there, what a provider took is given back by it; the
/// rest is handed over by who refunds it.
fn give_back(
    tx: &mut dyn Transaction,
    payment: &Payment,
    given: &Given<'_>,
    now_ms: i64,
) -> Result<()> {
    if payment.method.as_deref() == Some(PayMethod::Balance.as_str()) {
        let payer = "SELECT payer_id FROM payments WHERE id = $1";
        let payer = first(tx, payer, params![payment.id])?.map(|row| row.get::<Option<i64>>(0));
        if let Some(payer) = payer.transpose()?.flatten() {
            credit(tx, payer, given.amount_fen, &payment.order_number, now_ms)?;
        }
        return Ok(());
    }
    let Some(number) = provider::paid_at(tx, payment)? else { return Ok(()) };
    let (amount_fen, refund) = (given.amount_fen, Some(given.refund));
    let asked = AskedRefund { payment: &number, amount_fen, reason: given.reason, refund };
    ask_refund(tx, &asked, now_ms)
}

/// Takes a refund back that its provider did not carry out: the money is still here.
pub(super) fn take_back(tx: &mut dyn Transaction, refund: i64) -> Result<()> {
    tx.execute(
        "UPDATE payments SET status = 'completed', refunded_fen = refunded_fen
             - (SELECT amount_fen FROM refunds WHERE id = $1)
         WHERE id = (SELECT payment_id FROM refunds WHERE id = $1)",
        params![refund],
    )?;
    tx.execute("DELETE FROM refunds WHERE id = $1", params![refund])?;
    Ok(())
}
