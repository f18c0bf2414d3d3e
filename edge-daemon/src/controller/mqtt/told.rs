//! Devices behind the broker whose state tells everything that matters: barriers and chargers.
//! Nothing that is not sealed with the device's key counts, and one without a key is not talked to.

use std::fmt::Debug;

use domain::ids::{CommandId, DeviceId};
use firmware_protocol::{
    command,
    seal::Key,
    session::{self, Pace},
    topic::{Leaf, Topic},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    member::{Member, Message},
    payload::{Availability, Command, CommandResult, Hello, Presence, Welcome, read, write},
};
use crate::controller::{link::Order, report::Report};

pub(super) const UNPAIRED: &str = "it has no key: make one with `edge-daemon device pair`";

/// Devices tell their state by themselves; an answer over a broker takes its time.
pub(super) const fn pace(silent_after_ms: u64) -> Pace {
    Pace { poll_every_ms: None, answer_within_ms: 500, silent_after_ms, sealed: true }
}

/// What is particular to a kind: its words, and what its reports are made of.
pub(in crate::controller) trait Kin: Debug + Send {
    /// Its kind in topics.
    const KIND: &'static str;
    /// What it can be told.
    type Action;
    /// The arguments of its verbs.
    type Arguments: Serialize;
    /// Its state.
    type State: DeserializeOwned;
    /// Why it refuses, as a word.
    type Reason: DeserializeOwned;

    /// The run of the device that tells a state, and when in it.
    fn moment(state: &Self::State) -> (u32, u64);
    /// The verb and the message for a command.
    fn encode(
        command: &command::Command<Self::Action>,
        counter: u64,
    ) -> (&'static str, Command<Self::Arguments>);

    fn device(&self) -> &DeviceId;
    fn order(&mut self, order: &Order, out: &mut Vec<Report>);
    fn heard(&mut self, state: Self::State, now_ms: u64, out: &mut Vec<Report>);
    fn welcomed(&mut self, welcome: &session::Welcome, now_ms: u64, out: &mut Vec<Report>);
    /// False for what is no answer to a command that it was sent.
    fn replied(
        &mut self,
        result: CommandResult<Self::Reason>,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool;
    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>);
    fn lost(&mut self, reason: &str, out: &mut Vec<Report>);
    fn next_at_ms(&self, now_ms: u64) -> u64;
    fn due(&mut self, now_ms: u64) -> Option<command::Request<Self::Action>>;
    fn next_counter(&mut self) -> u64;
    /// The command, where `request`, which is being sent, carries it for the first time.
    fn first_sending(&self, request: &command::Request<Self::Action>) -> Option<CommandId>;
}

/// One device.
#[derive(Debug)]
pub(in crate::controller) struct Told<P> {
    peer: P,
    key: Option<Key>,
    /// Whether it was told that there is no key.
    is_refused: bool,
    /// The last connection to the broker that it told of, and in which run.
    connection: (u32, u32),
    /// The run that it told its state of last, and when in that run.
    told: (u32, u64),
}

impl<P: Kin> Told<P> {
    pub fn new(peer: P, key: Option<Key>) -> Self {
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
    fn state(&mut self, state: P::State, now_ms: u64, out: &mut Vec<Report>) {
        let (boot, uptime_ms) = P::moment(&state);
        let is_old = self.told.0 == boot && uptime_ms < self.told.1;
        if !is_old {
            self.told = (boot, uptime_ms);
            self.peer.heard(state, now_ms, out);
        }
    }
}

impl<P: Kin> Member for Told<P> {
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
            Leaf::Result(_) if !retained => {
                read(payload, topic, key).is_some_and(|told| self.peer.replied(told, now_ms, out))
            }
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
        let topic = |verb| Topic { site, kind: P::KIND, id: &id, leaf: Leaf::Command(verb) };
        let key = self.key.as_ref();
        match &request {
            command::Request::Poll => None,
            command::Request::Hello(hello) => {
                let payload = write(&Hello::from(*hello), &topic("hello"), key);
                Some(Message { verb: "hello", payload, first_of: None })
            }
            command::Request::Command(command) => {
                let (verb, message) = P::encode(command, self.peer.next_counter());
                let payload = write(&message, &topic(verb), key);
                Some(Message { verb, payload, first_of: self.peer.first_sending(&request) })
            }
        }
    }
}
