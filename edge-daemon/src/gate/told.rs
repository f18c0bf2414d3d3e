//! What the cloud tells the gate beside payments: settings, corrected plates, lists.

use std::sync::Arc;

use domain::{clock::Stamp, event::Fact, ids::SessionId, plate::normal_form};

use super::{Commit, Gate, Ids, Listed, PaymentError};

impl Gate {
    /// Goes by what the cloud has set, as [`Fact::ParametersSet`] or [`Fact::TariffSet`] says it.
    /// Who waits is let in where that is allowed now; stays that have begun keep their tariff.
    pub fn set(&mut self, setting: Fact, now: Stamp, ids: Ids) -> Commit {
        self.settings.apply(&setting);
        self.lay_settings_over();
        self.record(setting, now, ids)
    }

    /// The plate of a vehicle that is inside was read wrongly.
    ///
    /// # Errors
    /// When no vehicle is inside by the session.
    pub fn rename(
        &mut self,
        session: SessionId,
        plate: &str,
        now: Stamp,
        ids: Ids,
    ) -> Result<Commit, PaymentError> {
        self.knowledge.session(session).ok_or(PaymentError::NotInside(session))?;
        let renamed = Fact::SessionRenamed { session, plate: normal_form(plate) };
        self.knowledge.apply(&renamed, now);
        Ok(self.record(renamed, now, ids))
    }

    /// Goes by another list of the cloud.
    pub fn take_list(&mut self, listed: Listed, now: Stamp, ids: Ids) -> Commit {
        let (version, entries) = (listed.version().unwrap_or(0), listed.len() as u64);
        self.knowledge.lists.exchange(Arc::new(listed));
        self.record(Fact::ListInEffect { version, entries }, now, ids)
    }

    /// The cloud had no newer list at this reading of the monotonic clock, in milliseconds.
    pub fn confirm_list(&mut self, at_ms: u64) {
        self.knowledge.lists.confirm(i64::try_from(at_ms).unwrap_or(i64::MAX));
    }

    pub(super) fn lay_settings_over(&mut self) {
        self.parking = self.settings.parking(&self.configured.parking);
        for (lane, configured) in self.lanes.iter_mut().zip(&self.configured.lanes) {
            lane.configure(self.settings.lane(configured));
        }
    }

    /// Records something that may be what somebody waits for.
    fn record(&mut self, fact: Fact, now: Stamp, ids: Ids) -> Commit {
        let mut commit = Commit::default();
        commit.record(fact);
        self.reconsider_after(now, ids, &mut commit);
        commit
    }
}
