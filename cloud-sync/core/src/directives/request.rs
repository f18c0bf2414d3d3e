//! A site's request for directives: signed, of a number that was not used before, and answered when
//! there is something to tell.

use domain::directive::{Ask, Declined, Page};
use tokio::{pin, select};

use super::{Directives, page};
use crate::{
    error::Error,
    ingest::{IngestError, authenticate},
    store::{StoreError, Transaction, number, params},
};

/// A request of a site, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// The site that says it asks.
    pub site: String,
    /// Its hex signature of [`Ask::signed`].
    pub signature: String,
    /// What it asks for.
    pub ask: Ask,
}

/// Why a site was told nothing.
#[derive(Debug, thiserror::Error)]
pub enum DirectiveError {
    /// The request is not granted.
    #[error("the request was declined: {0:?}")]
    Declined(Declined),
    /// It was good, but the database is in trouble.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<Declined> for DirectiveError {
    fn from(declined: Declined) -> Self {
        Self::Declined(declined)
    }
}

impl From<StoreError> for DirectiveError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<IngestError> for DirectiveError {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Refused(_) => Declined::Unauthorised.into(),
            IngestError::Failed(error) => error.into(),
        }
    }
}

impl Directives {
    /// What the site is told after [`Ask::after`]. Where that is nothing, waits until something
    /// comes up, or `end` does.
    ///
    /// # Errors
    /// [`DirectiveError::Declined`] with what the site should do, [`DirectiveError::Failed`] when
    /// the database is in trouble.
    pub async fn ask(
        &self,
        request: Request,
        end: impl Future<Output = ()>,
    ) -> Result<Page, DirectiveError> {
        let Request { site, signature, ask } = request;
        authenticate(&self.base, &site, &signature, &ask.signed()).await?;
        let (name, now_ms) = (site.clone(), self.base.now_ms());
        let granted = move |tx: &mut dyn Transaction| grant(tx, &name, ask, now_ms);
        let after = self.base.store.write_of(&site, granted).await?;
        pin!(end);
        loop {
            // In this order, so that what comes up in between is not waited for in vain.
            let (changes, issued) = (self.base.changes.subscribe(), self.issued().await?);
            let page = self.page(site.clone(), after).await?;
            if !page.directives.is_empty() {
                return Ok(page);
            }
            select! {
                more = self.more_than(issued, changes) => more?,
                () = &mut end => return Ok(page),
            }
        }
    }

    async fn page(&self, site: String, after: i64) -> Result<Page, Error> {
        let now = self.base.clock.now().wall;
        self.base.store.read(move |tx| page(tx, &site, after, now)).await
    }
}

/// Spends the number of the request, which shows that the site is there; returns what it asks
/// after.
fn grant(
    tx: &mut dyn Transaction,
    site: &str,
    ask: Ask,
    now_ms: i64,
) -> Result<i64, DirectiveError> {
    spend(tx, site, ask.count)?;
    let last = "SELECT COALESCE(MAX(sequence), 0) FROM directives WHERE site_id = $1";
    let last = number(tx, last, params![site])?;
    let after = i64::try_from(ask.after).unwrap_or(i64::MAX);
    if after > last {
        return Err(Declined::Ahead { last: last.unsigned_abs() }.into());
    }
    tx.execute("UPDATE sites SET last_seen_at_ms = $1 WHERE site_id = $2", params![now_ms, site])?;
    Ok(after)
}

fn spend(tx: &mut dyn Transaction, site: &str, count: u64) -> Result<(), DirectiveError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let spent = tx.execute(
        "INSERT INTO directive_requests (site_id, last_count) VALUES ($1, $2)
         ON CONFLICT (site_id) DO UPDATE SET last_count = excluded.last_count
         WHERE directive_requests.last_count < excluded.last_count",
        params![site, count],
    )?;
    if spent > 0 {
        return Ok(());
    }
    let last = "SELECT last_count FROM directive_requests WHERE site_id = $1";
    let last = number(tx, last, params![site])?;
    Err(Declined::Repeated { expected: last.unsigned_abs().saturating_add(1) }.into())
}
