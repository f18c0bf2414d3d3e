//! Devices behind the broker whose state tells everything that matters: barriers and chargers.

use std::fmt::Debug;

use domain::ids::CommandId;
use firmware_protocol::{
    command,
    session::{self, Pace},
    topic::Leaf,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    member::{Heard, Member, Message},
    payload::{Availability, Command, CommandResult, Hello, Presence, Welcome},
};
use crate::controller::{link::Order, report::Report};

/// Devices tell their state by themselves; an answer over a broker takes its time.
pub(super) const fn pace(silent_after_ms: u64) -> Pace {
    Pace { poll_every_ms: None, answer_within_ms: 500, silent_after_ms, sealed: true }
}

/// What is particular to a kind: its words, and what its reports are made of.
pub(in crate::controller) trait Kin: Debug + Send {
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
    /// The last connection to the broker that it told of, and in which run.
    connection: (u32, u32),
    /// The run that it told its state of last, and when in that run.
    told: (u32, u64),
}

impl<P: Kin> Told<P> {
    pub fn new(peer: P) -> Self {
        Self { peer, connection: (0, 0), told: (0, 0) }
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

    fn receive(&mut self, heard: &Heard<'_>, now_ms: u64, out: &mut Vec<Report>) -> bool {
        match heard.topic.leaf {
            Leaf::Availability => heard.read().map(|told| self.availability(told, out)).is_some(),
            // For people, and of a state nothing is missing that an event would say.
            Leaf::Info | Leaf::Event(_) => true,
            Leaf::State => heard.read().map(|told| self.state(told, now_ms, out)).is_some(),
            Leaf::Result("hello") if !heard.retained => heard
                .read::<Welcome>()
                .map(|told| self.peer.welcomed(&told.into(), now_ms, out))
                .is_some(),
            Leaf::Result(_) if !heard.retained => {
                heard.read().is_some_and(|told| self.peer.replied(told, now_ms, out))
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
                let (verb, message) = P::encode(command, self.peer.next_counter());
                Some(Message::new(verb, &message, self.peer.first_sending(&request)))
            }
        }
    }
}
