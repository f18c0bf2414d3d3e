//! One device behind the broker, of any kind: what comes on which of its topics, and what is old.

use std::sync::{Arc, atomic::AtomicBool};

use domain::ids::DeviceId;
use firmware_protocol::{command, session::Pace, topic::Leaf};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    member::{Heard, Member, Message},
    payload::{Availability, Command, CommandResult, Hello, Presence, Welcome},
};
use crate::controller::{
    link::Order,
    peer::{Nature, Peer},
    report::{Report, What},
};

/// An answer over a broker takes its time.
const ANSWER_WITHIN_MS: u64 = 500;

/// What a kind of device says and is told in JSON.
pub(in crate::controller) trait Words: Nature {
    /// The arguments of its verbs.
    type Arguments: Serialize;
    /// Its state.
    type State: DeserializeOwned + Into<Self::Status>;
    /// Why it refuses, as a word.
    type Reason: DeserializeOwned + Into<Self::Refusal>;

    /// It tells its state by itself more often than this.
    const SILENT_AFTER_MS: u64;

    /// The run of the device that tells a state, and when in it.
    fn moment(state: &Self::State) -> (u32, u64);

    /// The verb and the message for a command.
    fn encode(
        command: &command::Command<Self::Action>,
        counter: u64,
    ) -> (&'static str, Command<Self::Arguments>);

    /// What an event says; none where it is none that a device of this kind tells. Where its state
    /// counts what happened, nothing is missing that an event would say.
    fn event(&mut self, _event: &str, _heard: &Heard<'_>, _now_ms: u64) -> Option<Vec<What>> {
        Some(Vec::new())
    }
}

/// One device.
#[derive(Debug)]
pub(in crate::controller) struct Told<N: Words> {
    peer: Peer<N>,
    /// The last connection to the broker that it told of, and in which run.
    connection: (u32, u32),
    /// The run that it told its state of last, and when in that run.
    told: (u32, u64),
}

impl<N: Words> Told<N> {
    /// A device that was not heard yet.
    pub fn new(device: DeviceId, online: Arc<AtomicBool>, now_ms: u64) -> Self {
        let pace = Pace {
            poll_every_ms: None,
            answer_within_ms: ANSWER_WITHIN_MS,
            silent_after_ms: N::SILENT_AFTER_MS,
            sealed: true,
        };
        Self { peer: Peer::new(device, pace, online, now_ms), connection: (0, 0), told: (0, 0) }
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
    fn state(&mut self, state: N::State, now_ms: u64, out: &mut Vec<Report>) {
        let (boot, uptime_ms) = N::moment(&state);
        let is_old = self.told.0 == boot && uptime_ms < self.told.1;
        if !is_old {
            self.told = (boot, uptime_ms);
            self.peer.heard(state.into(), now_ms, out);
        }
    }

    fn welcomed(&mut self, told: Welcome, now_ms: u64, out: &mut Vec<Report>) {
        self.peer.welcomed(&told.into(), told.uptime_ms, now_ms, out);
    }

    /// False for what is no answer to a command that it was sent.
    fn replied(
        &mut self,
        result: CommandResult<N::Reason>,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool {
        result.to_reply().is_some_and(|reply| self.peer.replied(&reply, now_ms, out))
    }
}

impl<N: Words> Member for Told<N> {
    fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        self.peer.order(order, out);
    }

    fn receive(&mut self, heard: &Heard<'_>, now_ms: u64, out: &mut Vec<Report>) -> bool {
        match heard.topic.leaf {
            Leaf::Availability => heard.read().map(|told| self.availability(told, out)).is_some(),
            // For people, who ask the broker.
            Leaf::Info => true,
            Leaf::State => heard.read().map(|told| self.state(told, now_ms, out)).is_some(),
            Leaf::Event(event) => self.peer.said(|nature| nature.event(event, heard, now_ms), out),
            Leaf::Result("hello") if !heard.retained => {
                heard.read().map(|told| self.welcomed(told, now_ms, out)).is_some()
            }
            Leaf::Result(_) if !heard.retained => {
                heard.read().is_some_and(|told| self.replied(told, now_ms, out))
            }
            _ => false,
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
        self.peer.tick(now_ms, out);
    }

    fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
        self.told = (0, 0);
        self.peer.lost(reason, out);
    }

    fn next_at_ms(&self, now_ms: u64) -> u64 {
        self.peer.next_at_ms(now_ms)
    }

    fn transmit(&mut self, now_ms: u64) -> Option<Message> {
        let request = self.peer.due(now_ms)?;
        match &request {
            command::Request::Poll => None,
            command::Request::Hello(hello) => {
                Some(Message::new("hello", &Hello::from(*hello), None))
            }
            command::Request::Command(command) => {
                let (verb, message) = N::encode(command, self.peer.next_counter());
                Some(Message::new(verb, &message, self.peer.first_sending(&request)))
            }
        }
    }
}
