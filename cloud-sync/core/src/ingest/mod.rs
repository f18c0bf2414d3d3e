//! Takes in what sites send: every event once, in the order of the site's journal, together with
//! what it changes, in one transaction that is on disk before the site hears of it.

mod ahead;
mod alarm;
mod apply;
mod chain;
mod keep;
mod replaced;
mod request;
mod verify;

use std::sync::Arc;

use chrono_tz::Tz;
use domain::{
    envelope::{Acknowledgement, Channel, EVENTS_PATH, Refusal},
    event::Fact,
};

use self::keep::Means;
pub(crate) use self::{
    alarm::{Alarms, Suspicion},
    request::{authenticate, spend},
};
pub use self::{request::Sender, verify::JournalReport};
use crate::{
    base::Base,
    charging::{HAS_CHARGERS, Moment},
    error::Error,
    store::{StoreError, Transaction, params},
};

/// How often a batch is tried again that came between another.
const MOST_TRIES: u32 = 5;

/// Why a request of a site was not granted.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// It cannot be granted as it is; the refusal says what the site should do.
    #[error("the request was refused: {0:?}")]
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

/// A batch of a site, as it came.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Who says that he sends.
    pub sender: Sender,
    /// The signed bytes.
    pub body: Vec<u8>,
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
    /// is here already is compared and passed over, so that an event that comes twice changes
    /// nothing.
    ///
    /// # Errors
    /// [`IngestError::Refused`] with what the site should do, [`IngestError::Failed`] when the
    /// database is in trouble.
    pub async fn take(&self, delivery: Delivery) -> Result<Acknowledgement, IngestError> {
        let Delivery { sender, body } = delivery;
        authenticate(&self.base, &sender, "POST", EVENTS_PATH, &body).await?;
        let taken = self.keep(&sender, &body).await;
        if let Err(IngestError::Refused(refusal)) = &taken {
            self.alarm(&sender, refusal).await;
        }
        taken
    }

    async fn keep(&self, sender: &Sender, body: &[u8]) -> Result<Acknowledgement, IngestError> {
        let batch = Arc::new(chain::parse(&sender.site, body)?);
        let crosses_sites = self.crosses_sites(&sender.site, &batch).await?;
        self.keep_as(sender, &batch, crosses_sites).await
    }

    /// Keeps a batch in a transaction that has all for itself, or its site alone. Of what was put by
    /// meanwhile it takes in what such a transaction may change.
    async fn keep_as(
        &self,
        sender: &Sender,
        batch: &Arc<chain::Chain>,
        crosses_sites: bool,
    ) -> Result<Acknowledgement, IngestError> {
        let (site, count) = (&sender.site, sender.count);
        let moment = Moment::new(self.zone, self.base.clock.now().wall);
        let doubtless = self.base.settings.alerts.doubtless;
        let means = Means { doubtless, moment, crosses_sites, any_ahead: true };
        let mut tries = 0;
        loop {
            let chain = Arc::clone(batch);
            let keep = move |tx: &mut dyn Transaction| {
                spend(tx, &chain.site, Channel::Events, count)?;
                keep::keep(tx, &chain, means)
            };
            let kept = if crosses_sites {
                self.base.store.write_or(keep).await
            } else {
                self.base.store.write_of(site, keep).await
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

    /// Tells people of a refusal that an honest site does not run into.
    async fn alarm(&self, sender: &Sender, refusal: &Refusal) {
        let (suspicion, detail) = match refusal {
            Refusal::Forked { sequence, boot } => {
                let run = boot.map(|boot| format!("; this cloud has that of run {boot}"));
                let detail = format!("they part at event {sequence}{}", run.unwrap_or_default());
                (Suspicion::Cloned, detail)
            }
            Refusal::Repeated { .. } => (Suspicion::Replayed, String::new()),
            Refusal::Malformed { reason } if chain::is_foreign(refusal) => {
                (Suspicion::Foreign, reason.clone())
            }
            _ => return,
        };
        self.base.alarms.raise(&self.base, sender, suspicion, &detail).await;
    }

    /// Whether a batch changes what is not of its site alone: the queue for charging is one for all.
    /// What was put by and may be taken in with it is not looked at, and taken for such.
    async fn crosses_sites(&self, site: &str, batch: &chain::Chain) -> Result<bool, IngestError> {
        let events = || batch.links.iter().filter_map(chain::Link::event);
        if events().any(|event| apply::is_of_charging(&event.fact)) {
            return Ok(true);
        }
        let of_device = events().any(|event| matches!(event.fact, Fact::Device { .. }));
        if batch.ahead && !of_device {
            return Ok(false);
        }
        let query = format!("SELECT {}, {HAS_CHARGERS}", ahead::IS_ANY);
        let found = self.base.store.ask(&query, params![site]).await?;
        let row = found.first().ok_or_else(|| StoreError::new("look for chargers", "no row"))?;
        let (is_any_ahead, has_chargers) = (row.get::<bool>(0)?, row.get::<bool>(1)?);
        Ok((is_any_ahead && !batch.ahead) || (has_chargers && of_device))
    }
}

#[cfg(test)]
pub(crate) mod tests;
