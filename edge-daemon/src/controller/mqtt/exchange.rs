//! The devices behind a broker: which message is whose, and what to send. Pure.
//!
//! A device that floods is read at a bounded rate: of its states the newest counts, and nothing is
//! lost by that, because a state counts what happened since the last one.

use bytes::Bytes;
use domain::ids::{CommandId, DeviceId, SiteId};
use firmware_protocol::{
    barrier::{self, Action, Request},
    session::Offer,
    topic::{Leaf, Topic},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::payload::{
    MAX_PAYLOAD, OFFLINE,
    barrier::{Command, CommandResult, Hello, State},
};
use crate::controller::{peer::Peer, report::Report};

/// How often at most a device's state is looked at.
const STATE_EVERY_MS: u64 = 20;
/// The kind of device in topics.
const KIND: &str = "barrier";

/// The devices of a site that are reached over MQTT.
#[derive(Debug)]
pub(super) struct Exchange {
    site: SiteId,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    peer: Peer,
    /// The newest state, unread because it came too soon after another.
    waiting: Option<Bytes>,
    next_state_at_ms: u64,
}

/// A message to publish.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub topic: String,
    pub payload: Vec<u8>,
    /// The command that it carries.
    pub first_of: Option<(DeviceId, CommandId)>,
}

impl Exchange {
    pub fn new(site: SiteId, peers: impl IntoIterator<Item = Peer>) -> Self {
        let member = |peer| Member { peer, waiting: None, next_state_at_ms: 0 };
        Self { site, members: peers.into_iter().map(member).collect() }
    }

    /// What to subscribe to: what the devices say, not what they are told.
    pub fn filters(&self) -> impl Iterator<Item = String> {
        self.members.iter().flat_map(|member| {
            let device = format!("site/v1/{}/{KIND}/{}", self.site, member.peer.device());
            ["availability", "state", "result/+"].map(|leaf| format!("{device}/{leaf}"))
        })
    }

    pub fn order(&mut self, device: &DeviceId, offer: Offer<Action>, out: &mut Vec<Report>) {
        if let Some(member) = self.member(device.as_str()) {
            member.peer.order(offer, out);
        }
    }

    /// Takes a message; false where it is dropped: foreign, oversized, retained, no JSON of ours.
    pub fn receive(
        &mut self,
        topic: &str,
        payload: &Bytes,
        retained: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        let topic = Topic::parse(topic).filter(|_| payload.len() <= MAX_PAYLOAD);
        let ours = topic.filter(|t| t.site == self.site.as_str() && t.kind == KIND);
        let Some((topic, member)) = ours.and_then(|t| Some((t, self.member(t.id)?))) else {
            return false;
        };
        match topic.leaf {
            Leaf::Availability => {
                member.availability(payload, out);
                true
            }
            Leaf::State if !retained => member.state(payload, now_ms, out),
            Leaf::Result(_) if !retained => member.result(payload, now_ms, out),
            _ => false,
        }
    }

    /// Looks at the time.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        for member in &mut self.members {
            member.settle(now_ms, out);
            member.peer.tick(now_ms, out);
        }
    }

    /// The broker is gone, and everybody behind it.
    pub fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.members.iter_mut().for_each(|member| member.lost(reason, out));
    }

    /// When to look again.
    pub fn next_at_ms(&self, now_ms: u64) -> u64 {
        let each = self.members.iter().map(|member| {
            let settle = member.waiting.as_ref().map_or(u64::MAX, |_| member.next_state_at_ms);
            settle.min(member.peer.next_at_ms(now_ms))
        });
        each.min().unwrap_or(u64::MAX)
    }

    /// The next message to publish.
    pub fn transmit(&mut self, now_ms: u64) -> Option<Outgoing> {
        let site = &self.site;
        self.members.iter_mut().find_map(|member| {
            let request = member.peer.due(now_ms)?;
            let (verb, payload) = encode(&request)?;
            let leaf = Leaf::Command(verb);
            let id = member.peer.device().as_str();
            let topic = Topic { site: site.as_str(), kind: KIND, id, leaf }.to_string();
            Some(Outgoing { topic, payload, first_of: member.peer.first_sending(&request) })
        })
    }

    fn member(&mut self, id: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.peer.device().as_str() == id)
    }
}

impl Member {
    /// That a device is connected does not say that it works: only its state does.
    fn availability(&mut self, payload: &[u8], out: &mut Vec<Report>) {
        if payload == OFFLINE.as_bytes() {
            self.lost("it left the broker", out);
        }
    }

    fn state(&mut self, payload: &Bytes, now_ms: u64, out: &mut Vec<Report>) -> bool {
        self.waiting = Some(payload.clone());
        self.settle(now_ms, out)
    }

    /// Reads the state that waits, when it is time; false where it is none.
    fn settle(&mut self, now_ms: u64, out: &mut Vec<Report>) -> bool {
        if now_ms < self.next_state_at_ms {
            return true;
        }
        let Some(payload) = self.waiting.take() else { return true };
        let Some(state) = parse::<State>(&payload) else { return false };
        self.next_state_at_ms = now_ms + STATE_EVERY_MS;
        self.peer.heard(&state.into(), now_ms, out);
        true
    }

    fn result(&mut self, payload: &[u8], now_ms: u64, out: &mut Vec<Report>) -> bool {
        let reply = parse::<CommandResult>(payload).and_then(CommandResult::to_reply);
        reply.is_some_and(|reply| self.peer.replied(&reply, now_ms, out))
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.waiting = None;
        self.peer.lost(reason, out);
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

fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("numbers and identifiers are always JSON")
}

fn parse<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    serde_json::from_slice(payload).ok()
}
