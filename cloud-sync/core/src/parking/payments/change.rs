//! Correcting what was written down wrongly.

use super::{PayMethod, Payment, PaymentChange, notice_overpaid, query};
use crate::{
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    parking::stays::Whose,
    store::{Transaction, params},
};

/// Most that a payment may be: a million yuan.
const MAX_AMOUNT_FEN: i64 = 100_000_000;

fn paid(tx: &mut dyn Transaction, id: i64) -> Result<Payment> {
    let not_there = Error::NotFound("payment");
    match query::get(tx, Whose::All, id) {
        Ok(payment) if payment.paid_at_ms.is_some() => Ok(payment),
        Ok(_) | Err(Error::NotFound(_)) => Err(not_there),
        Err(error) => Err(error),
    }
}

pub(super) fn change(
    tx: &mut dyn Transaction,
    actor: Actor,
    id: i64,
    change: PaymentChange,
    now_ms: i64,
) -> Result<()> {
    let before = paid(tx, id)?;
    let amount = change.amount_fen.unwrap_or(before.amount_fen);
    if !(before.refunded_fen..=MAX_AMOUNT_FEN).contains(&amount) {
        let problem = format!("use {} to {MAX_AMOUNT_FEN} fen", before.refunded_fen);
        return Err(Error::invalid("amount", problem));
    }
    tx.execute(
        "UPDATE payments SET amount_fen = $1, method = COALESCE($2, method) WHERE id = $3",
        params![amount, change.method.map(PayMethod::as_str), id],
    )?;
    correct(tx, &before, amount - before.amount_fen, now_ms)?;
    let message = format!("支付 {} 已更正", before.order_number);
    Entry::of_person(String::new(), now_ms, actor, "payment", message).write(tx)?;
    Ok(())
}

pub(super) fn remove(tx: &mut dyn Transaction, actor: Actor, id: i64, now_ms: i64) -> Result<()> {
    let before = paid(tx, id)?;
    tx.execute("UPDATE payments SET is_deleted = 1 WHERE id = $1", params![id])?;
    correct(tx, &before, -before.amount_fen, now_ms)?;
    let message = format!("支付 {} 已删除", before.order_number);
    Entry::of_person(String::new(), now_ms, actor, "payment", message).write(tx)?;
    Ok(())
}

/// What was taken for the stay follows.
fn correct(
    tx: &mut dyn Transaction,
    payment: &Payment,
    difference_fen: i64,
    now_ms: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE parking_sessions SET paid_fen = paid_fen + $1 WHERE id = $2",
        params![difference_fen, payment.stay],
    )?;
    payment.stay.map_or(Ok(()), |stay| notice_overpaid(tx, stay, now_ms))
}
