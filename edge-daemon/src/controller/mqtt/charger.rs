//! Chargers behind the broker. Nothing that is not sealed with the device's key counts.

use std::sync::{Arc, atomic::AtomicBool};

use domain::ids::DeviceId;
use firmware_protocol::{
    charger::Request,
    seal::Key,
    session::Pace,
    topic::{Leaf, Topic},
};

use super::{
    member::{Member, Message},
    payload::{
        Availability, CommandResult, Hello, Presence, Welcome,
        charger::{KIND, Refusal, State, encode},
        read, write,
    },
};
use crate::controller::{charger::Peer, link::Order, report::Report};

/// Devices tell their state by themselves, at least every ten seconds.
const PACE: Pace =
    Pace { poll_every_ms: None, answer_within_ms: 500, silent_after_ms: 30_000, sealed: true };
const UNPAIRED: &str = "it has no key: make one with `edge-daemon device pair`";

/// A charger.
#[derive(Debug)]
pub(in crate::controller) struct Charger {
    peer: Peer,
    key: Option<Key>,
    /// Whether it was told that there is no key.
    is_refused: bool,
    /// The last connection to the broker that it told of, and in which run.
    connection: (u32, u32),
    /// The run that it told its state of last, and when in that run.
    told: (u32, u64),
}

impl Charger {
    /// A charger; one without a key is not talked to.
    pub fn new(device: DeviceId, key: Option<Key>, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        let peer = Peer::new(device, PACE, online, now_ms);
        Self { peer, key, is_refused: false, connection: (0, 0), told: (0, 0) }
    }

    /// That a device is connected does not say that it works: only its answers do. The will of a
    /// connection that was replaced says nothing.
    fn availability(&mut self, told: Availability, out: &mut Vec<Report>) {
        let Availability { status, boot_id, connection } = told;
        let is_old = self.connection.0 == boot_id && connection < self.connection.1;
        if is_old {
            return;
        }
        self.connection = (boot_id, connection);
        if status == Presence::Offline {
            self.peer.lost("it left the broker", out);
        }
    }

    /// A state that was told before a newer one of the same run is nothing new.
    fn state(&mut self, state: State, now_ms: u64, out: &mut Vec<Report>) {
        let is_old = self.told.0 == state.boot_id && state.uptime_ms < self.told.1;
        if !is_old {
            self.told = (state.boot_id, state.uptime_ms);
            self.peer.heard(&state.into(), now_ms, out);
        }
    }
}

impl Member for Charger {
    fn order(&mut self, order: &Order, _: u64, out: &mut Vec<Report>) {
        self.peer.order(order, out);
    }

    fn receive(
        &mut self,
        topic: &Topic<'_>,
        payload: &[u8],
        retained: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        if self.key.is_none() {
            return true;
        }
        let key = self.key.as_ref();
        match topic.leaf {
            Leaf::Availability => {
                read(payload, topic, key).map(|told| self.availability(told, out)).is_some()
            }
            // For people, and of a state nothing is missing that an event would say.
            Leaf::Info | Leaf::Event(_) => true,
            Leaf::State => {
                read(payload, topic, key).map(|told| self.state(told, now_ms, out)).is_some()
            }
            Leaf::Result("hello") if !retained => read::<Welcome>(payload, topic, key)
                .map(|told| self.peer.welcomed(&told.into(), now_ms, out))
                .is_some(),
            Leaf::Result(_) if !retained => read::<CommandResult<Refusal>>(payload, topic, key)
                .and_then(CommandResult::to_reply)
                .is_some_and(|reply| self.peer.replied(&reply, now_ms, out)),
            _ => false,
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        if self.key.is_some() {
            self.peer.tick(now_ms, out);
        } else if !self.is_refused {
            self.is_refused = true;
            self.peer.lost(UNPAIRED, out);
        }
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.told = (0, 0);
        self.peer.lost(reason, out);
    }

    fn next_at_ms(&self, now_ms: u64) -> u64 {
        match self.key {
            Some(_) => self.peer.next_at_ms(now_ms),
            None if self.is_refused => u64::MAX,
            None => 0,
        }
    }

    fn transmit(&mut self, site: &str, now_ms: u64) -> Option<Message> {
        let request = self.peer.due(now_ms)?;
        let id = self.peer.device().as_str().to_owned();
        let topic = |verb| Topic { site, kind: KIND, id: &id, leaf: Leaf::Command(verb) };
        let key = self.key.as_ref();
        match &request {
            Request::Poll => None,
            Request::Hello(hello) => {
                let payload = write(&Hello::from(*hello), &topic("hello"), key);
                Some(Message { verb: "hello", payload, first_of: None })
            }
            Request::Command(command) => {
                let (verb, message) = encode(command, self.peer.next_counter());
                let payload = write(&message, &topic(verb), key);
                let first_of = self.peer.first_sending(&request).map(|(_, command)| command);
                Some(Message { verb, payload, first_of })
            }
        }
    }
}
