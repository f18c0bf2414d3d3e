//! Giving money back.

use super::{PayMethod, Payment, PaymentStatus, query};
use crate::{
    accounts::credit,
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    parking::stays::Whose,
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
    give_back(tx, &payment, order, amount, now_ms)?;
    let message = format!("订单 {} 退款: {reason}", payment.order_number);
    Entry::of_person(String::new(), now_ms, actor, "payment", message).write(tx)?;
    Ok(())
}

/// What was paid from a balance goes back there; the rest is handed over by who refunds it.
fn give_back(
    tx: &mut dyn Transaction,
    payment: &Payment,
    order: i64,
    amount_fen: i64,
    now_ms: i64,
) -> Result<()> {
    if payment.method.as_deref() != Some(PayMethod::Balance.as_str()) {
        return Ok(());
    }
    let payer = "SELECT payer_id FROM payments WHERE id = $1";
    let payer = first(tx, payer, params![order])?.map(|row| row.get::<Option<i64>>(0));
    if let Some(payer) = payer.transpose()?.flatten() {
        credit(tx, payer, amount_fen, &payment.order_number, now_ms)?;
    }
    Ok(())
}
