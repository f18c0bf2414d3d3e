//! A site's request for directives: signed, of a number that was not used before, and answered when
//! there is something to tell.

use domain::{
    directive::{Ask, Page},
    envelope::{Channel, Refusal},
};
use tokio::{pin, select};

use super::{Directives, page};
use crate::{
    error::Error,
    ingest::{IngestError, Sender, authenticate, spend},
    store::{Transaction, number, params},
};

/// A request of a site, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who says that he asks.
    pub sender: Sender,
    /// What it asks for.
    pub ask: Ask,
}

impl Directives {
    /// What the site is told after [`Ask::after`]. Where that is nothing, waits until something
    /// comes up, or `end` does.
    ///
    /// # Errors
    /// [`IngestError::Refused`] with what the site should do, [`IngestError::Failed`] when the
    /// database is in trouble.
    pub async fn ask(
        &self,
        request: Request,
        end: impl Future<Output = ()>,
    ) -> Result<Page, IngestError> {
        let Request { sender, ask } = request;
        authenticate(&self.base, &sender, "GET", &ask.target(), &[]).await?;
        let (site, now_ms) = (sender.site.clone(), self.base.now_ms());
        let granted = move |tx: &mut dyn Transaction| grant(tx, &sender, ask, now_ms);
        let after = self.base.store.write_of(&site, granted).await?;
        pin!(end);
        loop {
            // In this order, so that what comes up in between is not waited for in vain.
            let (changes, issued) = (self.base.changes.subscribe(), self.issued().await?);
            let page = self.page(site.clone(), after).await?;
            let is_news = ask.list.is_some_and(|heard| heard != page.list.unwrap_or(0));
            if is_news || !page.directives.is_empty() {
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
    sender: &Sender,
    ask: Ask,
    now_ms: i64,
) -> Result<i64, IngestError> {
    let site = sender.site.as_str();
    spend(tx, site, Channel::Directives, sender.count)?;
    let last = "SELECT COALESCE(MAX(sequence), 0) FROM directives WHERE site_id = $1";
    let last = number(tx, last, params![site])?;
    let after = i64::try_from(ask.after).unwrap_or(i64::MAX);
    if after > last {
        return Err(Refusal::Ahead { last: last.unsigned_abs() }.into());
    }
    tx.execute("UPDATE sites SET last_seen_at_ms = $1 WHERE site_id = $2", params![now_ms, site])?;
    Ok(after)
}
