//! What is wrong with requests in a site's name is told to people: in the log, and as an alert of the
//! site. Each at most once a minute for each site, so that nobody fills a disk with it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::request::Sender;
use crate::{
    base::Base,
    caller::Actor,
    logs::Entry,
    parking::{self, AlertKind, NewAlert},
};

/// Time before the same is told again.
const PAUSE_MS: i64 = 60_000;
/// Names of sites that do not exist are anybody's; so many different ones are told of.
const MOST_TOLD: usize = 10_000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Suspicion {
    /// A signature that is not the site's.
    Forged,
    /// A request that was answered before.
    Replayed,
    /// A site that writes in the name of another.
    Foreign,
    /// Two journals under one key.
    Cloned,
    /// A site that has no rights any more and goes on.
    Revoked,
}

impl Suspicion {
    const fn word(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Replayed => "replayed",
            Self::Foreign => "foreign",
            Self::Cloned => "cloned",
            Self::Revoked => "revoked",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Forged => "a request whose signature is not the site's was refused",
            Self::Replayed => "a request that was answered before came again and was refused",
            Self::Foreign => "it wrote in the name of another site and was refused",
            Self::Cloned => "two journals claim it: a card was copied or restored from a copy",
            Self::Revoked => "its rights were taken away and it still sends",
        }
    }
}

/// When each was last told, in milliseconds UTC.
#[derive(Default)]
pub(crate) struct Alarms(Mutex<HashMap<(String, &'static str), i64>>);

impl Alarms {
    /// Writes about a sender into the program's own log.
    pub(crate) fn log(&self, sender: &Sender, what: &'static str) {
        let now_ms = chrono::Utc::now().timestamp_millis();
        if self.is_due(&sender.site, what, now_ms) {
            let Sender { site, address, .. } = sender;
            tracing::warn!(site, ?address, "refused: {what}");
        }
    }

    /// Raises an alert of the site that `sender` names, which exists. A database that does not take
    /// it changes nothing in what the sender is answered.
    pub(crate) async fn raise(
        &self,
        base: &Base,
        sender: &Sender,
        suspicion: Suspicion,
        detail: &str,
    ) {
        let (site, now_ms) = (sender.site.clone(), base.now_ms());
        if !self.is_due(&site, suspicion.word(), now_ms) {
            return;
        }
        let address = sender.address.map(|from| format!(" (from {from})")).unwrap_or_default();
        let colon = if detail.is_empty() { "" } else { ": " };
        let message = format!("{site}: {}{address}{colon}{detail}", suspicion.says());
        tracing::warn!("{message}");
        let actor = Actor { address: sender.address, ..Actor::default() };
        let written = base.store.write(move |tx| {
            let alert = NewAlert {
                site: &site,
                kind: AlertKind::SiteSecurity,
                subject: suspicion.word(),
                since_ms: now_ms,
                message: &message,
                spot: None,
                plate: None,
                at_ms: now_ms,
            };
            parking::raise(tx, &alert)?;
            Entry::warning(site.clone(), now_ms, actor, "security", message.clone()).write(tx)?;
            Ok(())
        });
        match written.await {
            Ok(()) => base.changed(),
            Err(error) => tracing::error!(%error, "an alert could not be kept"),
        }
    }

    fn is_due(&self, site: &str, what: &'static str, now_ms: i64) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_TOLD {
            told.retain(|_, at_ms| now_ms - *at_ms < PAUSE_MS);
        }
        let last = told.get(&(site.to_owned(), what)).copied();
        let due = last.is_none_or(|at_ms| (now_ms - at_ms).abs() >= PAUSE_MS);
        if due && told.len() < MOST_TOLD {
            told.insert((site.to_owned(), what), now_ms);
        }
        due
    }
}
