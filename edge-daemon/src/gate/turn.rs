//! One step under way: what it may look at, and the commit it writes.

use domain::{
    clock::Stamp,
    event::{Action, Decision, Fact},
    ids::{CommandId, DecisionId, SessionId},
};
use uuid::Uuid;

use super::{
    commit::{COMMAND_LIFE_MS, Command, Commit},
    config::{LaneConfig, ParkingConfig},
    knowledge::Knowledge,
};

/// A source of identifiers that are never repeated.
pub type Ids<'a> = &'a mut dyn FnMut() -> Uuid;

pub(super) struct Turn<'a> {
    pub now: Stamp,
    pub parking: &'a ParkingConfig,
    pub knowledge: &'a mut Knowledge,
    /// Vehicles that any lane has let in and that have not driven through yet.
    pub expected: usize,
    pub ids: Ids<'a>,
    pub commit: &'a mut Commit,
}

impl Turn<'_> {
    pub fn now_ms(&self) -> u64 {
        self.now.monotonic_ms
    }

    /// Records a fact and learns from it.
    pub fn record(&mut self, fact: Fact) {
        self.knowledge.apply(&fact, self.now);
        self.commit.record(fact);
    }

    pub fn record_decision(&mut self, decision: &Decision) {
        self.record(Fact::Decision(Box::new(decision.clone())));
    }

    /// Has a lane's barrier commanded, once the intent is on disk.
    pub fn command(
        &mut self,
        lane: &LaneConfig,
        decision: DecisionId,
        action: Action,
    ) -> CommandId {
        let (id, device) = (CommandId((self.ids)()), lane.device.clone());
        let intent = Fact::CommandIntent {
            command: id,
            decision,
            lane: lane.id.clone(),
            device: device.clone(),
            action,
        };
        self.commit.send(intent, Command { id, device, action, expires_in_ms: COMMAND_LIFE_MS });
        id
    }

    pub fn new_decision(&mut self) -> DecisionId {
        DecisionId((self.ids)())
    }

    pub fn new_session(&mut self) -> SessionId {
        SessionId((self.ids)())
    }
}
