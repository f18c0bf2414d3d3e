//! A provider's word that money has come, from its bytes to the one row that records it.

use serde::Deserialize;

use super::{Provider, ProviderName, signature::is_signed};
use crate::{
    error::{Error, Result},
    store::{Transaction, first, params},
};

/// How far the time of a notification may be from now, either way.
const WINDOW_MS: i64 = 5 * 60 * 1000;
/// Longest number of a transaction that is kept.
const LONGEST_NUMBER: usize = 64;

/// A notification as it came.
#[derive(Debug, Clone)]
pub struct Notification {
    /// When it was signed, in seconds since 1970, in digits.
    pub timestamp: String,
    /// HMAC-SHA256 over the timestamp's digits and the body, in hex.
    pub signature: String,
    /// JSON: `out_trade_no`, `transaction_id`, `amount_fen`.
    pub body: Vec<u8>,
}

/// What a notification says.
#[derive(Debug, Deserialize)]
pub(super) struct Payment {
    pub(super) out_trade_no: String,
    pub(super) transaction_id: String,
    pub(super) amount_fen: i64,
}

/// What a payment was asked for.
pub(super) struct Asked {
    pub(super) purpose: String,
    pub(super) subject: i64,
    pub(super) payer: Option<i64>,
}

impl Notification {
    /// What it says, once it is known to be the provider's and of these minutes.
    pub(super) fn verified(&self, provider: &Provider, now_ms: i64) -> Result<Payment> {
        let signed = [self.timestamp.as_bytes(), &self.body].concat();
        if !is_signed(&provider.secret, &signed, &self.signature) {
            return Err(Error::Unauthenticated);
        }
        let at_ms = self.timestamp.parse::<i64>().ok().and_then(|s| s.checked_mul(1000));
        let is_fresh = |at_ms: i64| at_ms.abs_diff(now_ms) <= WINDOW_MS.unsigned_abs();
        if !at_ms.is_some_and(is_fresh) {
            return Err(Error::Unauthenticated);
        }
        let payment: Payment = serde_json::from_slice(&self.body)
            .map_err(|error| Error::invalid("body", error.to_string()))?;
        if payment.transaction_id.is_empty() || payment.transaction_id.len() > LONGEST_NUMBER {
            return Err(Error::invalid("transaction_id", "use 1 to 64 bytes"));
        }
        Ok(payment)
    }
}

/// Records that a payment has come; none where it was recorded before.
pub(super) fn record(
    tx: &mut dyn Transaction,
    name: ProviderName,
    payment: &Payment,
    now_ms: i64,
) -> Result<Option<Asked>> {
    let row = first(
        tx,
        "SELECT purpose, subject, payer_id, amount_fen FROM provider_payments
         WHERE out_trade_no = $1 AND provider = $2",
        params![&payment.out_trade_no, name.as_str()],
    )?;
    let row = row.ok_or(Error::NotFound("payment"))?;
    if row.get::<i64>(3)? != payment.amount_fen {
        tracing::warn!(number = payment.out_trade_no, "a payment came with another amount");
        return Err(Error::invalid("amount_fen", "is not what was asked for"));
    }
    let added = tx.execute(
        "INSERT INTO provider_receipts (provider, transaction_id, out_trade_no, received_at_ms)
         VALUES ($1, $2, $3, $4) ON CONFLICT (provider, transaction_id) DO NOTHING",
        params![name.as_str(), &payment.transaction_id, &payment.out_trade_no, now_ms],
    )?;
    if added == 0 {
        return Ok(None);
    }
    tx.execute(
        "UPDATE provider_payments SET paid_at_ms = $1
         WHERE out_trade_no = $2 AND paid_at_ms IS NULL",
        params![now_ms, &payment.out_trade_no],
    )?;
    Ok(Some(Asked { purpose: row.get(0)?, subject: row.get(1)?, payer: row.get(2)? }))
}
