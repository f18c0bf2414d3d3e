//! Barriers behind the broker.

use std::sync::{Arc, atomic::AtomicBool};

use domain::ids::DeviceId;
use firmware_protocol::{
    barrier::{self, Action, Request},
    session::Pace,
    topic::{Leaf, Topic},
};
use uuid::Uuid;

use super::{
    member::{Member, Message},
    payload::{
        OFFLINE,
        barrier::{Command, CommandResult, Hello, State, json, parse},
    },
};
use crate::controller::{barrier::Peer, link::Order, report::Report};

/// Devices tell their state by themselves; an answer over a broker takes its time.
const PACE: Pace =
    Pace { poll_every_ms: None, answer_within_ms: 500, silent_after_ms: 3_000, sealed: false };

/// A barrier.
#[derive(Debug)]
pub(in crate::controller) struct Barrier(Peer);

impl Barrier {
    pub fn new(device: DeviceId, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        Self(Peer::new(device, PACE, online, now_ms))
    }
}

impl Member for Barrier {
    fn order(&mut self, order: &Order, _: u64, out: &mut Vec<Report>) {
        self.0.order(order, out);
    }

    fn receive(
        &mut self,
        topic: &Topic<'_>,
        payload: &[u8],
        retained: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        match topic.leaf {
            // That a device is connected does not say that it works: only its state does.
            Leaf::Availability => {
                if payload == OFFLINE.as_bytes() {
                    self.0.lost("it left the broker", out);
                }
                true
            }
            Leaf::Info => true,
            Leaf::State if !retained => parse::<State>(payload)
                .map(|state| self.0.heard(&state.into(), now_ms, out))
                .is_some(),
            Leaf::Result(_) if !retained => parse::<CommandResult>(payload)
                .and_then(CommandResult::to_reply)
                .is_some_and(|reply| self.0.replied(&reply, now_ms, out)),
            _ => false,
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        self.0.tick(now_ms, out);
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.0.lost(reason, out);
    }

    fn next_at_ms(&self, now_ms: u64) -> u64 {
        self.0.next_at_ms(now_ms)
    }

    fn transmit(&mut self, _: &str, now_ms: u64) -> Option<Message> {
        let request = self.0.due(now_ms)?;
        let (verb, payload) = encode(&request)?;
        let first_of = self.0.first_sending(&request).map(|(_, command)| command);
        Some(Message { verb, payload, first_of })
    }
}

/// The verb and the payload of a request; none for a poll, which MQTT does without.
fn encode(request: &Request) -> Option<(&'static str, Vec<u8>)> {
    match request {
        Request::Poll => None,
        Request::Hello(hello) => {
            let (boot, session, now_ms) = (hello.boot, hello.session, hello.now_ms);
            Some(("hello", json(&Hello { boot, session, now_ms })))
        }
        Request::Command(command) => {
            let verb = if command.action == Action::Open { "open" } else { "close" };
            let id = Uuid::from_bytes(command.id);
            let barrier::Command { boot, session, expires_at_ms, .. } = *command;
            Some((verb, json(&Command { id, boot, session, expires_at_ms, counter: None })))
        }
    }
}
