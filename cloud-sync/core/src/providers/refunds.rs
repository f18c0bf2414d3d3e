//! Refunds that providers are to carry out. A refund is noted in the transaction that gives the
//! money up here, and asked for until the provider has said how it ended; what the provider will
//! not do is taken back here and told in the log. Whoever asks takes the row for a while, so that
//! several instances do not ask at once; asking twice would be the same refund all the same.

use super::{
    Gateway, GatewayError, ProviderName, Providers, Purpose, RefundState, WantedRefund, find,
    payments::new_number,
};
use crate::{
    caller::Actor,
    error::{Error, Result},
    logs::{Entry, Level},
    store::{Row, Transaction, first, params},
};

/// How long a row is left alone while its provider is asked.
const LEASE_MS: i64 = 60_000;
/// The first wait before asking again; it doubles each time …
const FIRST_WAIT_MS: i64 = 5_000;
/// … up to this.
const LONGEST_WAIT_MS: i64 = 60 * 60 * 1000;
/// Most that one round asks for.
const MOST_AT_ONCE: usize = 50;

/// A refund that is to be noted.
pub(crate) struct Asked<'a> {
    /// The number of the payment at its provider.
    pub(crate) payment: &'a str,
    pub(crate) amount_fen: i64,
    /// What the payer is told.
    pub(crate) reason: &'a str,
    /// The number of the refund here, where it has one.
    pub(crate) refund: Option<i64>,
}

/// Notes a refund; the provider is asked after the transaction.
pub(crate) fn ask(tx: &mut dyn Transaction, asked: &Asked<'_>, now_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO provider_refunds (out_refund_no, out_trade_no, provider, refund_id, amount_fen,
             reason, state, tries, next_at_ms, created_at_ms)
         SELECT $1, out_trade_no, provider, $2, $3, $4, 'wanted', 0, $5, $5
         FROM provider_payments WHERE out_trade_no = $6",
        params![
            new_number('R', now_ms),
            asked.refund,
            asked.amount_fen,
            asked.reason,
            now_ms,
            asked.payment
        ],
    )?;
    Ok(())
}

/// A refund whose turn it is.
struct Due {
    wanted: WantedRefund,
    provider: ProviderName,
    /// Whether the provider has taken it up.
    processing: bool,
    tries: i64,
}

impl Providers {
    /// Asks providers for the refunds that are due, and puts down what they say.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn carry_out_refunds(&self) -> Result<()> {
        for _ in 0..MOST_AT_ONCE {
            let now_ms = self.base.now_ms();
            if !self.base.store.read(move |tx| is_due(tx, now_ms)).await? {
                return Ok(());
            }
            let Some(due) = self.base.store.write(move |tx| take(tx, now_ms)).await? else {
                return Ok(());
            };
            let answer = match self.get(due.provider) {
                Some(provider) => ask_provider(&**provider, &due).await,
                None => Err(GatewayError::NoAnswer("it is not configured".to_owned())),
            };
            self.keep_answer(due, answer).await?;
        }
        Ok(())
    }

    async fn keep_answer(&self, due: Due, answer: Result<RefundState, GatewayError>) -> Result<()> {
        let (name, number) = (due.provider, due.wanted.number.clone());
        match answer {
            Ok(RefundState::Processing) => self.wait(due, "processing", None).await,
            Ok(ended) => self.refund_ended(name, number, ended).await,
            Err(GatewayError::Refused(why)) => {
                self.refund_ended(name, number, RefundState::Failed(why)).await
            }
            Err(error @ GatewayError::NoAnswer(_)) => {
                tracing::warn!(provider = %name, number, %error, "a refund has to wait");
                let state = if due.processing { "processing" } else { "wanted" };
                self.wait(due, state, Some(error.to_string())).await
            }
        }
    }

    async fn wait(&self, due: Due, state: &'static str, problem: Option<String>) -> Result<()> {
        let doubled = FIRST_WAIT_MS.saturating_mul(1 << due.tries.clamp(0, 20));
        let next_ms = self.base.now_ms() + doubled.min(LONGEST_WAIT_MS);
        let write = move |tx: &mut dyn Transaction| {
            tx.execute(
                "UPDATE provider_refunds SET state = $1, tries = tries + 1, next_at_ms = $2,
                     problem = $3 WHERE out_refund_no = $4 AND state IN ('wanted', 'processing')",
                params![state, next_ms, problem, &due.wanted.number],
            )?;
            Ok(())
        };
        self.base.store.write(write).await
    }

    /// Puts down how a refund has ended; told again, nothing changes.
    pub(super) async fn refund_ended(
        &self,
        name: ProviderName,
        number: String,
        state: RefundState,
    ) -> Result<()> {
        let (purposes, now_ms) = (self.purposes, self.base.now_ms());
        let ended =
            self.base.store.write(move |tx| end(tx, purposes, name, &number, &state, now_ms));
        ended.await?;
        self.base.changed();
        Ok(())
    }
}

async fn ask_provider(provider: &dyn Gateway, due: &Due) -> Result<RefundState, GatewayError> {
    match due.processing {
        true => provider.refund_state(&due.wanted).await,
        false => provider.refund(&due.wanted).await,
    }
}

fn is_due(tx: &mut dyn Transaction, now_ms: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM provider_refunds
               WHERE state IN ('wanted', 'processing') AND next_at_ms <= $1 LIMIT 1";
    Ok(first(tx, sql, params![now_ms])?.is_some())
}

/// Takes the refund that has waited longest.
fn take(tx: &mut dyn Transaction, now_ms: i64) -> Result<Option<Due>> {
    let sql = "SELECT r.out_refund_no, r.out_trade_no, r.amount_fen, y.amount_fen, r.reason,
                   r.provider, r.state, r.tries
               FROM provider_refunds r JOIN provider_payments y ON y.out_trade_no = r.out_trade_no
               WHERE r.state IN ('wanted', 'processing') AND r.next_at_ms <= $1
               ORDER BY r.next_at_ms LIMIT 1";
    let Some(row) = first(tx, sql, params![now_ms])? else { return Ok(None) };
    let due = due(&row)?;
    let lease = "UPDATE provider_refunds SET next_at_ms = $1 WHERE out_refund_no = $2";
    tx.execute(lease, params![now_ms + LEASE_MS, &due.wanted.number])?;
    Ok(Some(due))
}

fn due(row: &Row) -> Result<Due> {
    Ok(Due {
        wanted: WantedRefund {
            number: row.get(0)?,
            payment: row.get(1)?,
            amount_fen: row.get(2)?,
            paid_fen: row.get(3)?,
            reason: row.get(4)?,
        },
        provider: row.get::<String>(5)?.parse()?,
        processing: row.get::<String>(6)? == "processing",
        tries: row.get(7)?,
    })
}

fn end(
    tx: &mut dyn Transaction,
    purposes: &'static [Purpose],
    name: ProviderName,
    number: &str,
    state: &RefundState,
    now_ms: i64,
) -> Result<()> {
    let sql = "SELECT r.refund_id, r.state, y.purpose FROM provider_refunds r
               JOIN provider_payments y ON y.out_trade_no = r.out_trade_no
               WHERE r.out_refund_no = $1 AND r.provider = $2";
    let row = first(tx, sql, params![number, name.as_str()])?.ok_or(Error::NotFound("refund"))?;
    let (refund, was, purpose): (Option<i64>, String, String) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    let (word, problem) = match state {
        RefundState::Processing => return Ok(()),
        RefundState::Done => ("done", None),
        RefundState::Failed(why) => ("failed", Some(why.as_str())),
    };
    if !matches!(was.as_str(), "wanted" | "processing") {
        return Ok(());
    }
    tx.execute(
        "UPDATE provider_refunds SET state = $1, problem = $2, ended_at_ms = $3
         WHERE out_refund_no = $4",
        params![word, problem, now_ms, number],
    )?;
    if let Some(why) = problem {
        if let Some(refund) = refund {
            (find(purposes, &purpose)?.refund_failed)(tx, refund)?;
        }
        let message = format!("{name} did not carry out refund {number}: {why}");
        let line = Entry::of_person(String::new(), now_ms, Actor::default(), "payments", message);
        line.at_level(Level::Error).write(tx)?;
    }
    Ok(())
}
