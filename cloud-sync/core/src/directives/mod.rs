//! What the cloud tells its sites. A directive is written in the transaction that it follows from
//! ([`issue`]), so that there is never one without the other; a site hears of it as soon as that is
//! on disk, in order, and says in its journal what became of it ([`recognise`]).

mod open;
mod outcome;
mod request;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    directive::{Directive, Issued, MAX_DIRECTIVE_BYTES, MAX_PAGE_BYTES, MOST_DIRECTIVES, Page},
    event::Event,
    ids::SessionId,
};
use serde_json::value::RawValue;
use tokio::sync::{Mutex, watch};

pub use self::{outcome::DirectiveOutcome, request::Request};
use crate::{
    access,
    base::Base,
    error::Result,
    store::{Row, StoreError, Transaction, Value, next_in_list, number, params},
};

/// Counts what is told to all sites: what has not changed here need not be asked for.
const ISSUED: &str = "directive";

/// Tells `site` something, from the moment on at which the transaction is on disk; returns its
/// number. A site that is away is told when it comes back, one without an edge never asks.
///
/// # Errors
/// What the database says, or a directive of more than [`MAX_DIRECTIVE_BYTES`].
pub(crate) fn issue(
    tx: &mut dyn Transaction,
    site: &str,
    directive: &Directive,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let refuse = |reason: String| StoreError::new("write a directive", reason);
    let body = serde_json::to_string(directive).map_err(|e| refuse(e.to_string()))?;
    if body.len() > MAX_DIRECTIVE_BYTES {
        return Err(refuse(format!("it has {} bytes", body.len())));
    }
    let expires_at_ms = directive.life().map(|life| now_ms + life.num_milliseconds());
    wake(tx)?;
    let sequence = next_in_list(tx, &format!("{ISSUED}/{site}"))?;
    tx.execute(
        "INSERT INTO directives (site_id, sequence, kind, body, created_at_ms, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![site, sequence, directive.kind(), body, now_ms, expires_at_ms],
    )?;
    Ok(sequence)
}

/// Has every site that waits look whether there is something for it, once this is on disk.
pub(crate) fn wake(tx: &mut dyn Transaction) -> Result<(), StoreError> {
    next_in_list(tx, ISSUED).map(drop)
}

/// A fee that was paid here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment<'a> {
    /// The site's own name of the stay.
    pub(crate) session_id: &'a str,
    /// The amount.
    pub(crate) amount_fen: i64,
    /// How.
    pub(crate) method: &'a str,
    /// When, in milliseconds UTC.
    pub(crate) paid_at_ms: i64,
}

/// Tells `site` that a stay of its own was paid for, so that its barrier opens. A stay that no edge
/// keeps, because it was begun here, is told to nobody.
///
/// # Errors
/// See [`issue`].
pub(crate) fn tell_paid(
    tx: &mut dyn Transaction,
    site: &str,
    payment: Payment<'_>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Ok(session) = payment.session_id.parse() else { return Ok(()) };
    if !has_edge(tx, site)? {
        return Ok(());
    }
    let directive = Directive::Paid {
        session: SessionId(session),
        amount_fen: payment.amount_fen,
        method: payment.method.chars().take(40).collect(),
        paid_at: moment(payment.paid_at_ms),
    };
    issue(tx, site, &directive, now_ms).map(drop)
}

/// Whether somebody is there to be told: an edge is enrolled for the site.
pub(crate) fn has_edge(tx: &mut dyn Transaction, site: &str) -> Result<bool, StoreError> {
    let edges = "SELECT COUNT(*) FROM sites WHERE site_id = $1 AND public_key IS NOT NULL";
    Ok(number(tx, edges, params![site])? > 0)
}

/// Notes that `event` says what became of a directive. Whether there is such a one: what it tells
/// then stands here already.
pub(crate) fn recognise(
    tx: &mut dyn Transaction,
    event: &Event,
    directive: u64,
) -> Result<bool, StoreError> {
    let noted = tx.execute(NOTE, &of(event, directive))?;
    Ok(noted > 0)
}

/// As [`recognise`], where nobody asks whether there is such a one.
pub(crate) fn carried_out(
    tx: &mut dyn Transaction,
    event: &Event,
    directive: u64,
) -> Result<(), StoreError> {
    tx.defer(NOTE, &of(event, directive))
}

const NOTE: &str = "UPDATE directives SET event = $1 WHERE site_id = $2 AND sequence = $3";

fn of(event: &Event, directive: u64) -> [Value; 3] {
    [(event.sequence as i64).into(), event.site.as_str().into(), (directive as i64).into()]
}

/// The way down.
pub struct Directives {
    base: Base,
    newest: Arc<Mutex<Newest>>,
}

/// How much had been told when people were last told that something has changed. Kept, so
/// that a thousand sites that wait make one question to the database of a change and not a
/// thousand.
#[derive(Default)]
struct Newest {
    change: Option<u64>,
    issued: i64,
}

impl Directives {
    pub(crate) fn new(base: Base) -> Self {
        Self { base, newest: Arc::default() }
    }

    /// How much has been told, at the latest change.
    async fn issued(&self) -> Result<i64> {
        let change = *self.base.changes.borrow();
        let mut newest = self.newest.lock().await;
        if newest.change.is_none_or(|known| known < change) {
            *newest = Newest { change: Some(change), issued: self.count().await? };
        }
        Ok(newest.issued)
    }

    async fn count(&self) -> Result<i64> {
        let count = "SELECT COALESCE(MAX(last), 0) FROM counters WHERE name = $1";
        self.base.store.read(move |tx| Ok(number(tx, count, params![ISSUED])?)).await
    }

    /// Rings the bell where another process on the same database, such as the command line, has told
    /// something meanwhile.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub(crate) async fn look(&self) -> Result<()> {
        let known = self.newest.lock().await.issued;
        if self.count().await? > known {
            self.base.changed();
        }
        Ok(())
    }

    /// Returns when there are more than `known`.
    async fn more_than(&self, known: i64, mut changes: watch::Receiver<u64>) -> Result<()> {
        while self.issued().await? <= known {
            // The sender lives as long as the service does.
            let _ = changes.changed().await;
        }
        Ok(())
    }
}

/// What `site` is told after the directive `after`, as much as one answer holds.
fn page(tx: &mut dyn Transaction, site: &str, after: i64, now: DateTime<Utc>) -> Result<Page> {
    let rows = tx.query(
        "SELECT sequence, body, expires_at_ms FROM directives WHERE site_id = $1 AND sequence > $2
         ORDER BY sequence LIMIT $3",
        params![site, after, MOST_DIRECTIVES as i64],
    )?;
    let mut directives = rows.iter().map(issued).collect::<Result<Vec<_>, StoreError>>()?;
    let mut bytes = 0;
    let held = directives.iter().take_while(|one| {
        bytes += one.directive.get().len();
        bytes <= MAX_PAGE_BYTES
    });
    let held = held.count();
    directives.truncate(held);
    let list = access::version(tx, site)?.unsigned_abs();
    Ok(Page { now, directives, list: (list > 0).then_some(list) })
}

fn issued(row: &Row) -> Result<Issued, StoreError> {
    let directive = RawValue::from_string(row.get(1)?);
    let directive = directive.map_err(|e| StoreError::new("read a directive", e))?;
    let expires_at = row.get::<Option<i64>>(2)?.map(moment);
    Ok(Issued { sequence: row.get::<i64>(0)?.unsigned_abs(), directive, expires_at })
}

fn moment(ms: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms)
}

#[cfg(test)]
mod tests;
