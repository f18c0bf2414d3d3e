//! Takes in what sites send: every event once, in the order of the site's journal, together with
//! what it changes, in one transaction that is on disk before the site hears of it.

mod apply;
mod chain;
mod keep;

use std::sync::Arc;

use chrono_tz::Tz;
use domain::{
    envelope::{Acknowledgement, Refusal, verify},
    event::Fact,
};

use crate::{
    base::Base,
    charging::{self, Moment},
    error::Error,
    plates::Tally,
    store::{StoreError, Transaction, first, params},
};

/// How often a batch is tried again that came between another.
const MOST_TRIES: u32 = 5;

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// It cannot be taken as it is; the refusal says what the site should do.
    #[error("the batch was refused: {0:?}")]
    Refused(Refusal),
    /// It was good, but could not be kept; the site tries again later.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<Refusal> for IngestError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for IngestError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// A request of a site, as it came.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The site that says it sends.
    pub site: String,
    /// Its hex signature of the body.
    pub signature: String,
    /// The signed bytes.
    pub body: Vec<u8>,
    /// Events that wait at the site behind these, where it says so.
    pub backlog: Option<u64>,
}

/// The way in for events.
pub struct Ingest {
    base: Base,
    zone: Tz,
}

impl Ingest {
    pub(crate) const fn new(base: Base, zone: Tz) -> Self {
        Self { base, zone }
    }

    /// Takes a batch: verifies its signature before reading it, its chain before keeping it. What
    /// is here already is compared and passed over, so that sending twice changes nothing.
    ///
    /// # Errors
    /// [`IngestError::Refused`] with what the site should do, [`IngestError::Failed`] when the
    /// database is in trouble.
    pub async fn take(&self, delivery: Delivery) -> Result<Acknowledgement, IngestError> {
        authenticate(&self.base, &delivery.site, &delivery.signature, &delivery.body).await?;
        let batch = Arc::new(chain::parse(&delivery.site, &delivery.body)?);
        let moment = Moment::new(self.zone, self.base.clock.now().wall);
        let backlog = delivery.backlog.and_then(|backlog| i64::try_from(backlog).ok());
        let crosses_sites = self.crosses_sites(&delivery.site, &batch).await?;
        let doubtless = self.base.settings.alerts.doubtless;
        let mut tries = 0;
        loop {
            let chain = batch.clone();
            let keep = move |tx: &mut dyn Transaction| {
                keep::keep(tx, &chain, backlog, Tally::new(doubtless), moment)
            };
            let kept = if crosses_sites {
                self.base.store.write_or(keep).await
            } else {
                self.base.store.write_of(&delivery.site, keep).await
            };
            match kept {
                Err(IngestError::Failed(Error::Store(error)))
                    if error.may_be_done_again() && tries < MOST_TRIES =>
                {
                    tries += 1;
                }
                outcome => {
                    self.base.changed();
                    return outcome;
                }
            }
        }
    }

    /// Whether a batch changes what is not of its site alone: the queue for charging is one for all.
    async fn crosses_sites(&self, site: &str, batch: &chain::Chain) -> Result<bool, IngestError> {
        let events = || batch.links.iter().filter_map(chain::Link::event);
        if events().any(|event| apply::is_of_charging(&event.fact)) {
            return Ok(true);
        }
        if !events().any(|event| matches!(event.fact, Fact::Device { .. })) {
            return Ok(false);
        }
        let site = site.to_owned();
        Ok(self.base.store.read(move |tx| charging::has_chargers(tx, &site)).await?)
    }
}

/// Lets a site in whose key has signed the body.
pub(crate) async fn authenticate(
    base: &Base,
    site: &str,
    signature: &str,
    body: &[u8],
) -> Result<(), IngestError> {
    let query = "SELECT public_key FROM sites WHERE site_id = $1";
    let site = site.to_owned();
    let row = base.store.read(move |tx| Ok(first(tx, query, params![site])?)).await?;
    let key = row.map(|row| row.get::<Option<String>>(0)).transpose()?.flatten();
    match key {
        Some(key) if verify(&key, body, signature) => Ok(()),
        _ => Err(Refusal::Unauthorised.into()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
