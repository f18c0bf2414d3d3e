//! Payment providers: where a person pays outside, and whose word says that the money has come or
//! went back. A payment counts for the amount that was asked and counts once. Whatever was to be
//! paid is settled in the transaction that records the receipt, so that no money is taken without
//! what it was for. Money that nothing waits for any more goes to the payer's balance, or back to
//! the payer where there is none.

mod gateway;
mod payments;
mod refunds;

use std::{fmt, str::FromStr, sync::Arc};

use domain::money::Fen;

pub use self::gateway::{
    Awaited, Gateway, GatewayError, RefundState, WantedPayment, WantedRefund, Word,
};
pub(crate) use self::refunds::{Asked as AskedRefund, ask as ask_refund};
use crate::{
    accounts,
    base::Base,
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    store::Transaction,
};

/// The word of [`Error::Refused`] where a provider is not configured.
pub const UNAVAILABLE: &str = "provider_unavailable";
/// How long the address on which a payment is made is good for; providers say two hours.
const PAGE_MS: i64 = 100 * 60 * 1000;
/// Longest number that a provider may give a transaction.
const LONGEST_NUMBER: usize = 64;

/// Who can take a payment outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProviderName {
    /// WeChat Pay.
    Wechat,
    /// Alipay.
    Alipay,
}

impl ProviderName {
    /// The name in configurations, paths and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Alipay => "alipay",
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProviderName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Wechat, Self::Alipay]
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or(Error::NotFound("payment provider"))
    }
}

/// What is to be paid, and for what.
pub(crate) struct Bill {
    /// One of the purposes that the providers were given.
    pub(crate) purpose: &'static str,
    /// The number of the order.
    pub(crate) subject: i64,
    /// The amount in fen, more than 0.
    pub(crate) amount_fen: i64,
    /// Whose balance takes the money where nothing waits for it any more; none for somebody who
    /// has no account.
    pub(crate) payer: Option<i64>,
}

/// Money that has come for a bill.
pub(crate) struct Receipt {
    pub(crate) provider: ProviderName,
    pub(crate) subject: i64,
    pub(crate) amount_fen: i64,
    pub(crate) now_ms: i64,
}

/// What became of money that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It paid for what it was meant for.
    Taken,
    /// Nothing waits for it: the order was paid otherwise, or is cancelled.
    NotWanted,
}

/// What payments can be for.
pub(crate) struct Purpose {
    /// The word that is kept.
    pub(crate) name: &'static str,
    /// What the payer sees.
    pub(crate) title: &'static str,
    /// Settles what was to be paid, within the transaction that records the receipt.
    pub(crate) settle: fn(&mut dyn Transaction, &Receipt) -> Result<Settled>,
    /// Takes a refund of a number back that the provider did not carry out.
    pub(crate) refund_failed: fn(&mut dyn Transaction, i64) -> Result<()>,
}

/// The providers.
#[derive(Clone)]
pub struct Providers {
    base: Base,
    configured: Arc<[Arc<dyn Gateway>]>,
    purposes: &'static [Purpose],
}

impl Providers {
    pub(crate) fn new(
        base: Base,
        configured: Vec<Arc<dyn Gateway>>,
        purposes: &'static [Purpose],
    ) -> Self {
        Self { base, configured: configured.into(), purposes }
    }

    /// Notes that a payment is wanted and returns its number, for which [`Self::page`] then asks
    /// the provider. Noted again for the same bill, it is the same payment.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`UNAVAILABLE`] where the provider is not configured.
    pub(crate) fn ask(
        &self,
        tx: &mut dyn Transaction,
        name: ProviderName,
        bill: &Bill,
        now_ms: i64,
    ) -> Result<String> {
        self.get(name).ok_or(Error::Refused(UNAVAILABLE))?;
        match payments::open(tx, name, bill)? {
            Some(number) => Ok(number),
            None => payments::insert(tx, name, bill, now_ms),
        }
    }

    /// The address on which a payment that was noted is made.
    ///
    /// # Errors
    /// [`Error::Outside`] where the provider does not say one.
    pub(crate) async fn page(&self, number: &str) -> Result<String> {
        let (wanted, now_ms) = (number.to_owned(), self.base.now_ms());
        let noted = self.base.store.read(move |tx| payments::get(tx, &wanted)).await?;
        if let Some(page) = noted.page.filter(|page| now_ms - page.at_ms < PAGE_MS) {
            return Ok(page.address);
        }
        let provider = self.get(noted.provider).ok_or(Error::Refused(UNAVAILABLE))?;
        let title = self.purpose(&noted.purpose)?.title;
        let number = number.to_owned();
        let wanted = WantedPayment { number, amount_fen: noted.amount_fen, title };
        let page = provider.begin(&wanted).await.map_err(|error| {
            tracing::warn!(provider = %noted.provider, number = wanted.number, %error, "no page to pay on");
            Error::Outside("payment provider")
        })?;
        let kept = page.clone();
        let write =
            move |tx: &mut dyn Transaction| payments::keep_page(tx, &wanted.number, &kept, now_ms);
        self.base.store.write(write).await?;
        Ok(page)
    }

    /// Takes a provider's word. The same one again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a payment or refund that nobody asked for, [`Error::Invalid`] for
    /// another amount than was asked.
    pub async fn hear(&self, name: ProviderName, word: Word) -> Result<()> {
        match word {
            Word::Paid { number, transaction_id, amount_fen } => {
                if transaction_id.is_empty() || transaction_id.len() > LONGEST_NUMBER {
                    return Err(Error::invalid("transaction_id", "use 1 to 64 bytes"));
                }
                let (purposes, now_ms) = (self.purposes, self.base.now_ms());
                let came = payments::Came { provider: name, number, transaction_id, amount_fen };
                let taken =
                    self.base.store.write(move |tx| settle(tx, purposes, &came, now_ms)).await;
                taken?;
                self.base.changed();
                Ok(())
            }
            Word::Refund { number, state } => self.refund_ended(name, number, state).await,
            Word::Nothing => Ok(()),
        }
    }

    fn get(&self, name: ProviderName) -> Option<&Arc<dyn Gateway>> {
        self.configured.iter().find(|provider| provider.name() == name)
    }

    fn purpose(&self, name: &str) -> Result<&'static Purpose> {
        find(self.purposes, name)
    }
}

fn find(purposes: &'static [Purpose], name: &str) -> Result<&'static Purpose> {
    let known = purposes.iter().find(|purpose| purpose.name == name);
    known.ok_or(Error::NotFound("purpose of the payment"))
}

fn settle(
    tx: &mut dyn Transaction,
    purposes: &'static [Purpose],
    came: &payments::Came,
    now_ms: i64,
) -> Result<()> {
    let Some(bill) = payments::record(tx, came, now_ms)? else { return Ok(()) };
    let (provider, amount_fen) = (came.provider, came.amount_fen);
    let receipt = Receipt { provider, subject: bill.subject, amount_fen, now_ms };
    match (find(purposes, &bill.purpose)?.settle)(tx, &receipt)? {
        Settled::Taken => Ok(()),
        Settled::NotWanted => keep_for(tx, came, bill.payer, now_ms),
    }
}

/// Puts money that nothing waits for on the payer's balance, or else sends it back.
fn keep_for(
    tx: &mut dyn Transaction,
    came: &payments::Came,
    payer: Option<i64>,
    now_ms: i64,
) -> Result<()> {
    let (amount, number) = (Fen(came.amount_fen), &came.number);
    let credit = |payer| accounts::credit(tx, payer, amount.0, "payment not needed", now_ms);
    let message = match payer.map(credit) {
        Some(Ok(_)) => format!("{amount} of payment {number} went to the balance: not needed"),
        Some(Err(error @ Error::Store(_))) => return Err(error),
        _ => {
            let reason = "付款已不需要";
            let refund =
                AskedRefund { payment: number, amount_fen: amount.0, reason, refund: None };
            ask_refund(tx, &refund, now_ms)?;
            format!("{amount} of payment {number} is sent back: not needed")
        }
    };
    Entry::of_person(String::new(), now_ms, Actor::default(), "payments", message).write(tx)?;
    Ok(())
}
