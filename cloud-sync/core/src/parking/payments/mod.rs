//! Money for stays, over all faces: an order is what is to be paid, a payment an order that was,
//! a refund what was given back. What was taken for a stay is kept with the stay, in the same
//! transaction.

mod change;
mod order;
mod overpaid;
mod pay;
mod provider;
mod query;
mod refund;
mod revenue;

use std::str::FromStr;

pub(crate) use self::provider::STAY_PURPOSE;
pub(crate) use self::{
    order::{SitePayment, order_counter, taken_at_site},
    overpaid::notice_overpaid,
    revenue::between as revenue_between,
};
pub use self::{
    pay::{Paid, Payable},
    revenue::PaymentFigures,
};
use super::{Parking, stays::Whose};
use crate::{
    caller::{Caller, Operator},
    error::{Error, Result},
    plates::Window,
};

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// It waits to be paid.
    Pending,
    /// It was paid.
    Completed,
    /// It was given up, or replaced by another.
    Failed,
    /// It was paid, and all of it was given back.
    Refunded,
}

impl PaymentStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Completed, Self::Failed, Self::Refunded];

    /// The word for it, as documents have it and as it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
        }
    }
}

impl FromStr for PaymentStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| {
            Error::invalid("payment_status", "use pending, completed, failed or refunded")
        })
    }
}

/// How something is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayMethod {
    /// Coins and notes.
    Cash,
    /// A card, at the counter.
    Card,
    /// Any other way over the net.
    Online,
    /// WeChat Pay.
    Wechat,
    /// Alipay.
    Alipay,
    /// The account's own balance.
    Balance,
}

impl PayMethod {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Cash, Self::Card, Self::Online, Self::Wechat, Self::Alipay, Self::Balance];

    /// The word for it, as it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Card => "card",
            Self::Online => "online",
            Self::Wechat => "wechat",
            Self::Alipay => "alipay",
            Self::Balance => "balance",
        }
    }
}

impl FromStr for PayMethod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|method| method.as_str() == text);
        found.ok_or_else(|| {
            let problem = "use cash, card, online, wechat, alipay or balance";
            Error::invalid("payment_method", problem)
        })
    }
}

/// An order, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its number.
    pub id: i64,
    /// The number that people see: `ORD20240101001`.
    pub order_number: String,
    /// The stay it is for; none where a site named one that is not known here.
    pub stay: Option<i64>,
    /// The plate of that stay; empty where it was let in unread.
    pub plate: String,
    /// What is to be paid or was, in fen.
    pub amount_fen: i64,
    /// What became of it.
    pub status: PaymentStatus,
    /// How it was paid: one of [`PayMethod`], or a word of the site that took it.
    pub method: Option<String>,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
    /// When it was paid, in milliseconds UTC.
    pub paid_at_ms: Option<i64>,
    /// What was given back of it, in fen.
    pub refunded_fen: i64,
}

/// Which orders are wanted; none of it means all.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// What became of them.
    pub status: Option<PaymentStatus>,
    /// Those alone that were paid, whether it was given back or not.
    pub paid: bool,
    /// Made at or after, in milliseconds UTC.
    pub from_ms: Option<i64>,
    /// Made before, in milliseconds UTC.
    pub until_ms: Option<i64>,
}

/// What changes of a payment that was written down wrongly; what is not given stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaymentChange {
    /// How it was paid.
    pub method: Option<PayMethod>,
    /// How much, in fen.
    pub amount_fen: Option<i64>,
}

impl Parking {
    /// The orders that fit, newest first, and how many fit in all; users see their own alone.
    pub async fn payments(
        &self,
        caller: &Caller,
        filter: PaymentFilter,
        window: Option<Window>,
    ) -> Result<(Vec<Payment>, i64)> {
        let whose = Whose::of(caller)?;
        self.base.store.read(move |tx| query::page(tx, whose, &filter, window)).await
    }

    /// One order.
    ///
    /// # Errors
    /// [`Error::NotFound`], also where it is another user's.
    pub async fn payment(&self, caller: &Caller, id: i64) -> Result<Payment> {
        let whose = Whose::of(caller)?;
        self.base.store.read(move |tx| query::get(tx, whose, id)).await
    }

    /// Whether there is an order of a number, which its QR code is made for.
    pub async fn has_order(&self, order_number: &str) -> Result<bool> {
        let order_number = order_number.to_owned();
        self.base.store.read(move |tx| query::exists(tx, &order_number)).await
    }

    /// Orders what is due for a stay. An order that waits for the same amount is that order; one
    /// for another amount is given up.
    ///
    /// # Errors
    /// [`Error::NotFound`] `session`, [`Error::Refused`] `already_paid`.
    pub async fn order(&self, caller: &Caller, stay: i64) -> Result<Payment> {
        let (caller, now_ms) = (caller.clone(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let id = order::order(tx, &caller, stay, now_ms)?;
            query::get(tx, Whose::All, id)
        });
        self.changed(made.await)
    }

    /// Pays an order. What an operator takes at the counter counts at once, by whichever method;
    /// a user pays by balance, or is sent to a provider, whose word then counts.
    ///
    /// # Errors
    /// [`Error::NotFound`] `order`; [`Error::Refused`] `already_paid`, `order_closed`,
    /// `wrong_amount`, `method_unavailable`, `provider_unavailable`, `balance_too_low`;
    /// [`Error::Outside`] where the provider does not answer.
    pub async fn pay_order(&self, caller: &Caller, order: i64, with: Payable) -> Result<Paid> {
        let payer = pay::Payer { caller: caller.clone(), providers: self.providers.clone() };
        let now_ms = self.base.now_ms();
        let paid = self.base.store.write(move |tx| pay::order(tx, &payer, order, with, now_ms));
        self.changed(paid.await)?.on_page(&self.providers).await
    }

    /// Pays what is due for a stay that has ended, as [`Parking::pay_order`] does.
    ///
    /// # Errors
    /// [`Error::NotFound`] `session`; [`Error::Refused`] `not_completed` while the car is inside;
    /// else as for [`Parking::pay_order`].
    pub async fn pay_stay(&self, caller: &Caller, stay: i64, with: Payable) -> Result<Paid> {
        let payer = pay::Payer { caller: caller.clone(), providers: self.providers.clone() };
        let now_ms = self.base.now_ms();
        let paid = self.base.store.write(move |tx| pay::stay(tx, &payer, stay, with, now_ms));
        self.changed(paid.await)?.on_page(&self.providers).await
    }

    /// Gives back a part of a payment, or all that is left of it: to the balance that paid it,
    /// through the provider that took it, else at the counter. `reason` has at most 200 characters.
    ///
    /// # Errors
    /// [`Error::NotFound`] `order`; [`Error::Refused`] `not_paid`, `nothing_left`,
    /// `refund_too_large`; [`Error::Invalid`] for an amount that is not positive.
    pub async fn refund(
        &self,
        operator: &Operator,
        order: i64,
        amount_fen: Option<i64>,
        reason: String,
    ) -> Result<Payment> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let refunded = self.base.store.write(move |tx| {
            refund::refund(tx, actor, order, amount_fen, &reason, now_ms)?;
            query::get(tx, Whose::All, order)
        });
        self.changed(refunded.await)
    }

    /// Corrects a payment that was written down wrongly.
    ///
    /// # Errors
    /// [`Error::NotFound`] `payment`, [`Error::Invalid`] for an amount that is less than nothing or
    /// than what was given back.
    pub async fn change_payment(
        &self,
        operator: &Operator,
        id: i64,
        change: PaymentChange,
    ) -> Result<Payment> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let changed = self.base.store.write(move |tx| {
            change::change(tx, actor, id, change, now_ms)?;
            query::get(tx, Whose::All, id)
        });
        self.changed(changed.await)
    }

    /// Takes back a payment that never was.
    ///
    /// # Errors
    /// [`Error::NotFound`] `payment`.
    pub async fn remove_payment(&self, operator: &Operator, id: i64) -> Result<()> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let removed = self.base.store.write(move |tx| change::remove(tx, actor, id, now_ms));
        self.changed(removed.await)
    }

    /// What was taken, and what became of the orders.
    pub async fn payment_figures(&self, _: &Caller) -> Result<PaymentFigures> {
        let (zone, now) = (self.zone, self.base.clock.now().wall);
        self.base.store.read(move |tx| revenue::figures(tx, zone, now)).await
    }
}
