//! Payments that providers were asked for, and the receipts of those that have come.

use chrono::DateTime;

use super::{Bill, ProviderName};
use crate::{
    error::{Error, Result},
    secret,
    store::{Transaction, first, params},
};

/// A payment that is noted.
pub(super) struct Noted {
    pub(super) provider: ProviderName,
    pub(super) purpose: String,
    pub(super) amount_fen: i64,
    pub(super) page: Option<Page>,
}

/// The address on which it is made, and when the provider said so.
pub(super) struct Page {
    pub(super) address: String,
    pub(super) at_ms: i64,
}

/// Money that has come.
pub(super) struct Came {
    pub(super) provider: ProviderName,
    pub(super) number: String,
    pub(super) transaction_id: String,
    pub(super) amount_fen: i64,
}

/// What a payment was asked for.
pub(super) struct For {
    pub(super) purpose: String,
    pub(super) subject: i64,
    pub(super) payer: Option<i64>,
}

/// The number of the payment of a bill that has not come yet.
pub(super) fn open(
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

pub(super) fn insert(
    tx: &mut dyn Transaction,
    name: ProviderName,
    bill: &Bill,
    now_ms: i64,
) -> Result<String> {
    let number = new_number('P', now_ms);
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

/// A letter, the time in UTC, and ten letters and digits: 25 characters, where providers take 32.
pub(super) fn new_number(letter: char, now_ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    format!("{letter}{}{}", moment.format("%Y%m%d%H%M%S"), secret::readable(10))
}

pub(super) fn get(tx: &mut dyn Transaction, number: &str) -> Result<Noted> {
    let sql = "SELECT provider, purpose, amount_fen, page, page_at_ms FROM provider_payments
               WHERE out_trade_no = $1";
    let row = first(tx, sql, params![number])?.ok_or(Error::NotFound("payment"))?;
    let (address, at_ms): (Option<String>, Option<i64>) = (row.get(3)?, row.get(4)?);
    Ok(Noted {
        provider: row.get::<String>(0)?.parse()?,
        purpose: row.get(1)?,
        amount_fen: row.get(2)?,
        page: address.zip(at_ms).map(|(address, at_ms)| Page { address, at_ms }),
    })
}

pub(super) fn keep_page(
    tx: &mut dyn Transaction,
    number: &str,
    page: &str,
    now_ms: i64,
) -> Result<()> {
    let sql = "UPDATE provider_payments SET page = $1, page_at_ms = $2 WHERE out_trade_no = $3";
    tx.execute(sql, params![page, now_ms, number])?;
    Ok(())
}

/// Records that a payment has come; none where it was recorded before.
pub(super) fn record(tx: &mut dyn Transaction, came: &Came, now_ms: i64) -> Result<Option<For>> {
    let row = first(
        tx,
        "SELECT purpose, subject, payer_id, amount_fen FROM provider_payments
         WHERE out_trade_no = $1 AND provider = $2",
        params![&came.number, came.provider.as_str()],
    )?;
    let row = row.ok_or(Error::NotFound("payment"))?;
    if row.get::<i64>(3)? != came.amount_fen {
        tracing::warn!(number = came.number, "a payment came with another amount");
        return Err(Error::invalid("amount_fen", "is not what was asked for"));
    }
    let added = tx.execute(
        "INSERT INTO provider_receipts (provider, transaction_id, out_trade_no, received_at_ms)
         VALUES ($1, $2, $3, $4) ON CONFLICT (provider, transaction_id) DO NOTHING",
        params![came.provider.as_str(), &came.transaction_id, &came.number, now_ms],
    )?;
    if added == 0 {
        return Ok(None);
    }
    tx.execute(
        "UPDATE provider_payments SET paid_at_ms = $1
         WHERE out_trade_no = $2 AND paid_at_ms IS NULL",
        params![now_ms, &came.number],
    )?;
    Ok(Some(For { purpose: row.get(0)?, subject: row.get(1)?, payer: row.get(2)? }))
}
