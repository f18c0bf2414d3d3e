//! Who may enter and who may not: what the site's configuration says and what the cloud says, as one.
//!
//! A denial from either counts, and before any permit. A permit from either counts: the cloud cannot
//! revoke one of the configuration, only deny its plate.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    access::{Denial, Permit, Term},
    clock::Stamp,
};

use super::{
    config::{self, Denied},
    listed::Listed,
    matching::Book,
};

/// Both lists.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    permits: Book<Permit>,
    denied: Book<Denial>,
    listed: Arc<Listed>,
    confirmed_ms: i64,
}

impl Lists {
    /// The configuration's, and the cloud's as it was confirmed at `confirmed_ms` on the monotonic
    /// clock (negative for a time before the machine started).
    pub fn new(
        permits: Vec<config::Permit>,
        denied: Vec<Denied>,
        listed: Arc<Listed>,
        confirmed_ms: i64,
    ) -> Self {
        let permits = permits.into_iter().map(Permit::from);
        let denied = denied.into_iter().map(Denial::from);
        Self {
            permits: permits.map(|p| (p.plate.normal().to_owned(), p)).collect(),
            denied: denied.map(|d| (d.plate.normal().to_owned(), d)).collect(),
            listed,
            confirmed_ms,
        }
    }

    /// The cloud's list is another one from now on.
    pub fn exchange(&mut self, listed: Arc<Listed>) {
        self.listed = listed;
    }

    /// The cloud had no newer list at `at_ms`.
    pub fn confirm(&mut self, at_ms: i64) {
        self.confirmed_ms = self.confirmed_ms.max(at_ms);
    }

    /// Seconds since the lists were confirmed.
    pub fn age_s(&self, now: Stamp) -> u64 {
        let now_ms = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);
        u64::try_from(now_ms.saturating_sub(self.confirmed_ms) / 1000).unwrap_or(0)
    }

    /// The version of the cloud's; none where it has none.
    pub fn version(&self) -> Option<u64> {
        self.listed.version()
    }

    /// The permits of exactly this plate, whether they hold or not.
    pub fn permits(&self, plate: &str) -> Vec<Permit> {
        self.permits.of(plate).cloned().chain(self.listed.permits(plate)).collect()
    }

    /// When the configuration's permit of exactly this plate holds that covers `at` and lasts
    /// longest.
    pub fn own_term(&self, plate: &str, at: DateTime<Utc>) -> Option<Term> {
        let terms = self.permits.of(plate).map(Permit::term).filter(|term| term.covers(at));
        terms.max_by_key(|term| term.until.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// Why exactly this plate may not enter.
    pub fn denied(&self, plate: &str) -> Option<Denial> {
        self.denied.of(plate).next().cloned().or_else(|| self.listed.denied(plate))
    }

    /// Plates with a permit, or on any list, that look like this one.
    pub fn alike(&self, plate: &str) -> Vec<String> {
        let own = self.permits.alike(plate).chain(self.denied.alike(plate)).map(str::to_owned);
        own.chain(self.listed.alike(plate)).collect()
    }

    /// Plates with a permit that look like this one.
    pub fn permitted_alike(&self, plate: &str) -> Vec<String> {
        let own = self.permits.alike(plate).map(str::to_owned);
        own.chain(self.listed.permitted_alike(plate)).collect()
    }
}
