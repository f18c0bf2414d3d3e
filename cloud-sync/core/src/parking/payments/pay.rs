//! Paying. An order is paid once, however many try at the same time.

use super::{PayMethod, Payment, PaymentStatus, order, query};
use crate::{
    accounts::debit,
    caller::{Actor, Caller, Role},
    directives,
    error::{Error, Result},
    logs::Entry,
    parking::{
        alerts::{AlertKind, resolve_about},
        stays::{Whose, get as get_stay},
    },
    providers::{Bill, ProviderName, Providers, Receipt, Settled, UNAVAILABLE},
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

/// What became of an order that somebody wanted to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The order: completed, or pending while a provider's word is awaited.
    pub payment: Payment,
    /// The page on which it is paid at the provider, while it is pending.
    pub payment_url: Option<String>,
}

/// Who pays, and whom they can be sent to.
pub(super) struct Payer {
    pub(super) caller: Caller,
    pub(super) providers: Providers,
}

/// See [`crate::Parking::pay_order`].
pub(super) fn order(
    tx: &mut dyn Transaction,
    payer: &Payer,
    order: i64,
    with: Payable,
    now_ms: i64,
) -> Result<Paid> {
    let payment = query::get(tx, Whose::of(&payer.caller)?, order)?;
    match payment.status {
        PaymentStatus::Pending => pay(tx, payer, &payment, with, now_ms),
        PaymentStatus::Completed | PaymentStatus::Refunded => Err(Error::Refused("already_paid")),
        PaymentStatus::Failed => Err(Error::Refused("order_closed")),
    }
}

/// See [`crate::Parking::pay_stay`].
pub(super) fn stay(
    tx: &mut dyn Transaction,
    payer: &Payer,
    stay: i64,
    with: Payable,
    now_ms: i64,
) -> Result<Paid> {
    let stay = get_stay(tx, Whose::of(&payer.caller)?, stay)?;
    if stay.is_active() {
        return Err(Error::Refused("not_completed"));
    }
    let owed = stay.owed_at(now_ms).0;
    if owed == 0 && query::was_paid(tx, stay.id)? {
        return Err(Error::Refused("already_paid"));
    }
    let order = order::open(tx, &payer.caller, &stay, owed, now_ms)?;
    let payment = query::get(tx, Whose::All, order)?;
    pay(tx, payer, &payment, with, now_ms)
}

fn pay(
    tx: &mut dyn Transaction,
    payer: &Payer,
    payment: &Payment,
    with: Payable,
    now_ms: i64,
) -> Result<Paid> {
    if with.amount_fen.is_some_and(|amount| amount != payment.amount_fen) {
        return Err(Error::Refused("wrong_amount"));
    }
    if payer.caller.role() < Role::Operator
        && let Some(payment_url) = user_pays(tx, payer, payment, with.method, now_ms)?
    {
        return Ok(Paid { payment: payment.clone(), payment_url: Some(payment_url) });
    }
    complete(tx, payment, with.method, now_ms)?;
    let message = format!("订单 {} 已支付 ({})", payment.order_number, with.method.as_str());
    let actor = payer.caller.actor();
    Entry::of_person(String::new(), now_ms, actor, "payment", message).write(tx)?;
    let payment = query::get(tx, Whose::All, payment.id)?;
    Ok(Paid { payment, payment_url: None })
}

/// A user pays: from the balance at once, or at a provider, whose page is returned. Nothing is
/// paid by promising it.
fn user_pays(
    tx: &mut dyn Transaction,
    payer: &Payer,
    payment: &Payment,
    method: PayMethod,
    now_ms: i64,
) -> Result<Option<String>> {
    let providers: &[ProviderName] = match method {
        _ if payment.amount_fen == 0 => return Ok(None),
        PayMethod::Balance => {
            let (account, reason) = (payer.caller.own_id()?, &payment.order_number);
            debit(tx, account, payment.amount_fen, reason, now_ms)?;
            let sql = "UPDATE payments SET payer_id = $1 WHERE id = $2";
            tx.execute(sql, params![account, payment.id])?;
            return Ok(None);
        }
        PayMethod::Wechat => &[ProviderName::Wechat],
        PayMethod::Alipay => &[ProviderName::Alipay],
        PayMethod::Online => &[ProviderName::Wechat, ProviderName::Alipay],
        PayMethod::Cash | PayMethod::Card => return Err(Error::Refused("method_unavailable")),
    };
    let bill = Bill {
        purpose: PURPOSE,
        subject: payment.id,
        amount_fen: payment.amount_fen,
        payer: payer.caller.account_id(),
    };
    let mut asked = Err(Error::Refused(UNAVAILABLE));
    for provider in providers {
        asked = asked.or_else(|_| payer.providers.ask(tx, *provider, &bill, now_ms));
    }
    asked.map(Some)
}

/// What a provider's payment is for.
pub(crate) const PURPOSE: &str = "parking";

/// The money of an order has come from a provider. An order that was given up meanwhile is paid
/// all the same where its stay still owes as much; else the money is not wanted.
pub(crate) fn settle(tx: &mut dyn Transaction, receipt: &Receipt) -> Result<Settled> {
    let payment = match query::get(tx, Whose::All, receipt.subject) {
        Ok(payment) => payment,
        Err(Error::NotFound(_)) => return Ok(Settled::NotWanted),
        Err(error) => return Err(error),
    };
    let owed = match payment.stay {
        Some(stay) => get_stay(tx, Whose::All, stay)?.owed_at(receipt.now_ms).0,
        None => 0,
    };
    let is_wanted = match payment.status {
        PaymentStatus::Pending => true,
        PaymentStatus::Failed => owed >= payment.amount_fen,
        PaymentStatus::Completed | PaymentStatus::Refunded => false,
    };
    if !is_wanted {
        return Ok(Settled::NotWanted);
    }
    let method = match receipt.provider {
        ProviderName::Wechat => PayMethod::Wechat,
        ProviderName::Alipay => PayMethod::Alipay,
    };
    complete(tx, &payment, method, receipt.now_ms)?;
    let message = format!("订单 {} 已支付 ({})", payment.order_number, method.as_str());
    let (site, actor) = (String::new(), Actor::default());
    Entry::of_person(site, receipt.now_ms, actor, "payment", message).write(tx)?;
    Ok(Settled::Taken)
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
