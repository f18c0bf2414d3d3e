//! Paying an order. What is taken and the step that it pays for are one transaction.

use domain::{
    locker::{CabinetStatus, OrderStatus},
    money::Fen,
};

use super::{Lockers, Order, PURPOSE, PayMethod, cabinets, orders, wired};
use crate::{
    accounts,
    caller::Caller,
    error::{Error, Result},
    logs::Entry,
    providers::{Bill, Providers, Receipt, Settled},
    store::{Transaction, next_id, params},
};

/// How far paying has come, and with it what was to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// It is paid, and done.
    Done(Order),
    /// It waits for a provider's word.
    Waiting {
        /// The order, which is as it was.
        order: Order,
        /// The page on which to pay.
        payment_url: String,
    },
}

/// A [`Payment`] whose provider was not asked yet.
pub(super) enum Begun {
    Done(Order),
    Waiting { order: Order, number: String },
}

impl Begun {
    /// Asks the provider where to pay, once all of the payment is on disk.
    pub(super) async fn on_page(self, providers: &Providers) -> Result<Payment> {
        match self {
            Self::Done(order) => Ok(Payment::Done(order)),
            Self::Waiting { order, number } => {
                Ok(Payment::Waiting { order, payment_url: providers.page(&number).await? })
            }
        }
    }
}

impl Lockers {
    /// Pays an order of the caller's own; its time starts now.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an order that is not there or another's; [`Error::Refused`] with
    /// `not_pending` where it is paid or cancelled, `balance_too_low`, `cabinet_unavailable`
    /// where its cabinet broke meanwhile, [`crate::providers::UNAVAILABLE`]; [`Error::Outside`]
    /// where the provider does not answer.
    pub async fn pay(&self, caller: &Caller, id: i64, method: PayMethod) -> Result<Payment> {
        let (caller, providers) = (caller.clone(), self.providers.clone());
        let user = caller.own_id()?;
        let paid = self.write(move |tx, now_ms| {
            let order = payable(tx, user, id)?;
            match method {
                PayMethod::Provider(name) if order.total > Fen::ZERO => {
                    let amount_fen = order.total.0;
                    let bill =
                        Bill { purpose: PURPOSE, subject: id, amount_fen, payer: Some(user) };
                    let number = providers.ask(tx, name, &bill, now_ms)?;
                    return Ok(Begun::Waiting { order, number });
                }
                PayMethod::Provider(_) => {}
                PayMethod::Balance => take(tx, &order, order.total, now_ms)?,
            }
            mark_paid(tx, &order, method, now_ms)?;
            let message = format!("order {} was paid by {}", order.order_no, method.as_str());
            let site = order.site.clone();
            Entry::of_person(site, now_ms, caller.actor(), "lockers", message).write(tx)?;
            orders::get(tx, id).map(Begun::Done)
        });
        paid.await?.on_page(&self.providers).await
    }
}

fn payable(tx: &mut dyn Transaction, user: i64, id: i64) -> Result<Order> {
    let order = orders::own(tx, user, id)?;
    if order.status != OrderStatus::Pending {
        return Err(Error::Refused("not_pending"));
    }
    if cabinets::get(tx, &order.cabinet_id)?.status == CabinetStatus::Maintenance {
        return Err(Error::Refused("cabinet_unavailable"));
    }
    Ok(order)
}

/// Takes an amount for an order from its user's balance.
pub(super) fn take(
    tx: &mut dyn Transaction,
    order: &Order,
    amount: Fen,
    now_ms: i64,
) -> Result<()> {
    if amount == Fen::ZERO {
        return Ok(());
    }
    let why = format!("locker order {}", order.order_no);
    accounts::debit(tx, order.user_id, amount.0, &why, now_ms).map(drop)
}

/// Records what was taken for an order.
pub(super) fn record(
    tx: &mut dyn Transaction,
    order: &Order,
    purpose: &str,
    method: PayMethod,
    amount: Fen,
    now_ms: i64,
) -> Result<()> {
    let id = next_id(tx, "locker_payment")?;
    tx.execute(
        "INSERT INTO locker_payments
             (site_id, id, order_id, purpose, method, amount_fen, paid_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![&order.site, id, order.id, purpose, method.as_str(), amount.0, now_ms],
    )?;
    Ok(())
}

fn mark_paid(
    tx: &mut dyn Transaction,
    order: &Order,
    method: PayMethod,
    now_ms: i64,
) -> Result<()> {
    record(tx, order, "rent", method, order.total, now_ms)?;
    tx.execute(
        "UPDATE locker_orders SET status = 'paid', method = $2, paid_at_ms = $3, ends_at_ms = $4
         WHERE id = $1",
        params![order.id, method.as_str(), now_ms, now_ms + order.hours.millis()],
    )?;
    wired::tell(tx, order.cabinet, now_ms)
}

/// Settles an order whose payment a provider has reported.
pub(super) fn settle(tx: &mut dyn Transaction, receipt: &Receipt) -> Result<Settled> {
    let order = orders::get(tx, receipt.subject)?;
    if order.status != OrderStatus::Pending || order.total.0 != receipt.amount_fen {
        return Ok(Settled::NotWanted);
    }
    mark_paid(tx, &order, PayMethod::Provider(receipt.provider), receipt.now_ms)?;
    Ok(Settled::Taken)
}
