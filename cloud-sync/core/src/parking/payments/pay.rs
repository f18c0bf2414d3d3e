//! Paying. An order is paid once, however many try at the same time.

use super::{PayMethod, Payment, PaymentStatus, notice_overpaid, order, provider, query};
use crate::{
    caller::{Caller, Role},
    directives,
    error::{Error, Result},
    logs::Entry,
    parking::{
        alerts::{AlertKind, resolve_about},
        stays::{Stay, Whose, get as get_stay},
    },
    providers::Providers,
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

/// A [`Paid`] whose provider was not asked yet.
pub(super) struct Begun {
    payment: Payment,
    /// The number of the payment at the provider.
    number: Option<String>,
}

impl Begun {
    /// Asks the provider where to pay, once all of the payment is on disk.
    pub(super) async fn on_page(self, providers: &Providers) -> Result<Paid> {
        let payment_url = match self.number {
            Some(number) => Some(providers.page(&number).await?),
            None => None,
        };
        Ok(Paid { payment: self.payment, payment_url })
    }
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
) -> Result<Begun> {
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
) -> Result<Begun> {
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
) -> Result<Begun> {
    if with.amount_fen.is_some_and(|amount| amount != payment.amount_fen) {
        return Err(Error::Refused("wrong_amount"));
    }
    if payer.caller.role() < Role::Operator
        && let Some(number) = provider::user_pays(tx, payer, payment, with.method, now_ms)?
    {
        return Ok(Begun { payment: payment.clone(), number: Some(number) });
    }
    complete(tx, payment, with.method, now_ms)?;
    let message = format!("订单 {} 已支付 ({})", payment.order_number, with.method.as_str());
    let actor = payer.caller.actor();
    Entry::of_person(String::new(), now_ms, actor, "payment", message).write(tx)?;
    let payment = query::get(tx, Whose::All, payment.id)?;
    Ok(Begun { payment, number: None })
}

/// The money of an order is there.
pub(super) fn complete(
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
    let stay = get_stay(tx, Whose::All, stay)?;
    tell_site(tx, payment, &stay, method, now_ms)?;
    count(tx, stay, payment.amount_fen, now_ms)
}

/// The barrier that will let the car out hears of the money.
fn tell_site(
    tx: &mut dyn Transaction,
    payment: &Payment,
    stay: &Stay,
    method: PayMethod,
    now_ms: i64,
) -> Result<()> {
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

/// Counts money towards a stay. An order for more than is due now is given up.
pub(super) fn count(
    tx: &mut dyn Transaction,
    mut stay: Stay,
    amount_fen: i64,
    at_ms: i64,
) -> Result<()> {
    (stay.paid_fen, stay.paid_at_ms) = (stay.paid_fen + amount_fen, Some(at_ms));
    tx.defer(
        "UPDATE parking_sessions SET paid_fen = paid_fen + $1, paid_at_ms = $2
         WHERE id = $3 AND site_id = $4",
        params![amount_fen, at_ms, stay.id, &stay.site],
    )?;
    let owed = stay.owed_at(at_ms).0;
    let give_up = "UPDATE payments SET status = 'failed'
                   WHERE session = $1 AND status = 'pending' AND (amount_fen > $2 OR $2 = 0)
                   AND site_id = $3";
    tx.defer(give_up, params![stay.id, owed, &stay.site])?;
    if owed == 0 {
        resolve_about(tx, &stay.site, AlertKind::PaymentOverdue, stay.id, at_ms)?;
    }
    // While the car is inside, what was taken may still be used up.
    if stay.fee_fen.is_some() { notice_overpaid(tx, stay.id, at_ms) } else { Ok(()) }
}
