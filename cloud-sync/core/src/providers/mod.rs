//! Payment providers: where a person pays outside, and the signed notification by which the
//! provider says that the money has come. A notification counts only with the signature of the
//! provider's secret, within minutes of its time, for the amount that was asked; and it counts
//! once. Whatever was to be paid is settled in the transaction that records the receipt, so that
//! no money is taken without what it was for. Money that nothing waits for any more goes to the
//! payer's balance.

mod notification;
mod signature;

use std::{fmt, str::FromStr, sync::Arc};

use chrono::DateTime;
use domain::money::Fen;

pub use self::notification::Notification;
use self::signature::sign;
use crate::{
    accounts,
    base::Base,
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    secret,
    store::{Transaction, first, params},
};

/// The word of [`Error::Refused`] where a provider is not configured.
pub const UNAVAILABLE: &str = "provider_unavailable";

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

/// A provider that is configured.
#[derive(Clone)]
pub struct Provider {
    /// Which one.
    pub name: ProviderName,
    /// The page on which a person pays; the payment's number, amount and signature are added to
    /// its query.
    pub url: String,
    /// What both sides sign with.
    pub secret: String,
}

/// Never shows the secret.
impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name).field("url", &self.url).finish()
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

/// Settles what was to be paid, within the transaction that records the receipt.
pub(crate) type Settle = fn(&mut dyn Transaction, &Receipt) -> Result<Settled>;

/// What payments can be for: the word that is kept, and what settles it.
pub(crate) type Purposes = &'static [(&'static str, Settle)];

/// The providers.
#[derive(Clone)]
pub struct Providers {
    base: Base,
    configured: Arc<[Provider]>,
    purposes: Purposes,
}

impl Providers {
    pub(crate) fn new(base: Base, configured: Vec<Provider>, purposes: Purposes) -> Self {
        Self { base, configured: configured.into(), purposes }
    }

    /// Asks for a payment and returns the address of the page on which it is made. Asked again
    /// for the same bill, it is the same payment.
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
        let provider = self.get(name).ok_or(Error::Refused(UNAVAILABLE))?;
        let number = match open_payment(tx, name, bill)? {
            Some(number) => number,
            None => insert_payment(tx, name, bill, now_ms)?,
        };
        Ok(provider.page(&number, bill.amount_fen))
    }

    /// Takes a provider's notification. The same one again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a provider that is not configured or a payment that nobody asked
    /// for, [`Error::Unauthenticated`] for one that is not signed or not of these minutes,
    /// [`Error::Invalid`] for another amount than was asked.
    pub async fn notify(&self, name: ProviderName, notification: Notification) -> Result<()> {
        let provider = self.get(name).ok_or(Error::NotFound("payment provider"))?;
        let now_ms = self.base.now_ms();
        let payment = notification.verified(provider, now_ms)?;
        let purposes = self.purposes;
        let taken = self.base.store.write(move |tx| {
            let Some(bill) = notification::record(tx, name, &payment, now_ms)? else {
                return Ok(());
            };
            let (amount_fen, subject) = (payment.amount_fen, bill.subject);
            let receipt = Receipt { provider: name, subject, amount_fen, now_ms };
            let known = purposes.iter().find(|(purpose, _)| *purpose == bill.purpose);
            let (_, settle) = known.ok_or(Error::NotFound("purpose of the payment"))?;
            match settle(tx, &receipt)? {
                Settled::Taken => Ok(()),
                Settled::NotWanted => keep_for(tx, &receipt, bill.payer, &payment.out_trade_no),
            }
        });
        taken.await?;
        self.base.changed();
        Ok(())
    }

    fn get(&self, name: ProviderName) -> Option<&Provider> {
        self.configured.iter().find(|provider| provider.name == name)
    }
}

impl Provider {
    fn page(&self, number: &str, amount_fen: i64) -> String {
        let join = if self.url.contains('?') { '&' } else { '?' };
        let what = format!("out_trade_no={number}&amount={}", Fen(amount_fen));
        let signature = sign(&self.secret, what.as_bytes());
        format!("{}{join}{what}&sign={signature}", self.url)
    }
}

fn open_payment(
    tx: &mut dyn Transaction,
    name: ProviderName,
    bill: &Bill,
) -> Result<Option<String>> {
    let row = first(
        tx,
        "SELECT out_trade_no FROM provider_payments
         WHERE purpose = $1 AND subject = $2 AND provider = $3 AND amount_fen = $4
           AND paid_at_ms IS NULL",
        params![bill.purpose, bill.subject, name.as_str(), bill.amount_fen],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

fn insert_payment(
    tx: &mut dyn Transaction,
    name: ProviderName,
    bill: &Bill,
    now_ms: i64,
) -> Result<String> {
    let moment = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    let number = format!("P{}{}", moment.format("%Y%m%d%H%M%S"), secret::readable(10));
    tx.execute(
        "INSERT INTO provider_payments
             (out_trade_no, provider, purpose, subject, payer_id, amount_fen, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            &number,
            name.as_str(),
            bill.purpose,
            bill.subject,
            bill.payer,
            bill.amount_fen,
            now_ms
        ],
    )?;
    Ok(number)
}

/// Puts money that nothing waits for on the payer's balance, or else into the log for a person.
fn keep_for(
    tx: &mut dyn Transaction,
    receipt: &Receipt,
    payer: Option<i64>,
    number: &str,
) -> Result<()> {
    let (amount, now_ms) = (Fen(receipt.amount_fen), receipt.now_ms);
    let credit = |payer| accounts::credit(tx, payer, amount.0, "payment not needed", now_ms);
    let message = match payer.map(credit) {
        Some(Ok(_)) => format!("{amount} of payment {number} went to the balance: not needed"),
        Some(Err(error @ Error::Store(_))) => return Err(error),
        _ => format!("{amount} of payment {number} is to be given back: not needed"),
    };
    Entry::of_person(String::new(), now_ms, Actor::default(), "payments", message).write(tx)?;
    Ok(())
}
