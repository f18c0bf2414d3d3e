//! Chargers behind the broker.

use std::sync::{Arc, atomic::AtomicBool};

use domain::ids::{CommandId, DeviceId};
use firmware_protocol::{charger, session::Welcome};

use super::{
    payload::{
        Command, CommandResult,
        charger::{Arguments, Refusal, State, encode},
    },
    told::{Kin, Told, pace},
};
use crate::controller::{charger::Peer, link::Order, report::Report};

/// A charger tells its state at least every ten seconds.
const SILENT_AFTER_MS: u64 = 30_000;

/// A charger.
pub(in crate::controller) type Charger = Told<Peer>;

impl Charger {
    /// A charger that was not heard yet.
    pub fn of(device: DeviceId, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        Self::new(Peer::new(device, pace(SILENT_AFTER_MS), online, now_ms))
    }
}

impl Kin for Peer {
    type Action = charger::Action;
    type Arguments = Arguments;
    type State = State;
    type Reason = Refusal;

    fn moment(state: &State) -> (u32, u64) {
        (state.boot_id, state.uptime_ms)
    }

    fn encode(command: &charger::Command, counter: u64) -> (&'static str, Command<Arguments>) {
        encode(command, counter)
    }

    fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        self.order(order, out);
    }

    fn heard(&mut self, state: State, now_ms: u64, out: &mut Vec<Report>) {
        self.heard(&state.into(), now_ms, out);
    }

    fn welcomed(&mut self, welcome: &Welcome, now_ms: u64, out: &mut Vec<Report>) {
        self.welcomed(welcome, now_ms, out);
    }

    fn replied(
        &mut self,
        result: CommandResult<Refusal>,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        result.to_reply().is_some_and(|reply| self.replied(&reply, now_ms, out))
    }

    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        self.tick(now_ms, out);
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.lost(reason, out);
    }

    fn next_at_ms(&self, now_ms: u64) -> u64 {
        self.next_at_ms(now_ms)
    }

    fn due(&mut self, now_ms: u64) -> Option<charger::Request> {
        self.due(now_ms)
    }

    fn next_counter(&mut self) -> u64 {
        self.next_counter()
    }

    fn first_sending(&self, request: &charger::Request) -> Option<CommandId> {
        self.first_sending(request).map(|(_, command)| command)
    }
}
