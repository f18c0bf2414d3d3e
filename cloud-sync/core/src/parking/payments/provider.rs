//! How users pay by themselves: from their balance, or at a provider whose word then counts.

use super::{
    PayMethod, Payment, PaymentStatus,
    pay::{Payer, complete},
    query, refund,
};
use crate::{
    accounts::debit,
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    parking::stays::{Whose, get as get_stay},
    providers::{Bill, ProviderName, Purpose, Receipt, Settled, UNAVAILABLE},
    store::{Transaction, first, params},
};

/// A user pays: from the balance at once, or at a provider; then the number of the payment there
/// is returned. Nothing is paid by promising it.
pub(super) fn user_pays(
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

const PURPOSE: &str = "parking";

/// Payments through providers that pay for a stay.
pub(crate) const STAY_PURPOSE: Purpose =
    Purpose { name: PURPOSE, title: "停车费", settle, refund_failed: refund::take_back };

/// The number, at the provider, of what paid an order there.
pub(super) fn paid_at(tx: &mut dyn Transaction, payment: &Payment) -> Result<Option<String>> {
    let sql = "SELECT out_trade_no FROM provider_payments
               WHERE purpose = $1 AND subject = $2 AND provider = $3 AND paid_at_ms IS NOT NULL
               ORDER BY paid_at_ms LIMIT 1";
    let row = first(tx, sql, params![PURPOSE, payment.id, payment.method.as_deref()])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// The money of an order has come from a provider. An order that was given up meanwhile is paid
/// all the same where its stay still owes as much; else the money is not wanted.
fn settle(tx: &mut dyn Transaction, receipt: &Receipt) -> Result<Settled> {
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
