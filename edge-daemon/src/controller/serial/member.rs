//! What a kind of device must know to be reached on a serial line. Addressing, turns and time are
//! the same for all.

use std::fmt::Debug;

use domain::ids::{CommandId, DeviceId};
use firmware_protocol::{
    barrier, charger,
    command::{Answer, Request},
    frame::Payload,
};

use crate::controller::{
    barrier::Barrier,
    charger::Charger,
    link::Order,
    peer::{Nature, Peer},
    report::Report,
};

/// What is to be said to a device.
#[derive(Debug)]
pub(in crate::controller) struct Question {
    pub kind: u8,
    pub payload: Payload,
    /// The command that it carries for the first time.
    pub first_of: Option<(DeviceId, CommandId)>,
}

/// One device of some kind, as it is seen on its line. Pure: time comes in, reports and questions
/// go out.
pub(in crate::controller) trait Member: Debug + Send + Sync {
    fn device(&self) -> &DeviceId;
    fn is_online(&self) -> bool;
    /// Whether a command waits that may be sent now.
    fn has_urgent(&self, now_ms: u64) -> bool;
    /// Takes a command, or ends it at once where it cannot be taken.
    fn order(&mut self, order: &Order, out: &mut Vec<Report>);
    /// What to say to it now.
    fn due(&mut self, now_ms: u64) -> Option<Question>;
    /// Takes what it says: a status in time only, what became of a command whenever it comes.
    /// Whether that was of use; none where it is none that a device of this kind says.
    fn receive(
        &mut self,
        kind: u8,
        payload: &[u8],
        in_time: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> Option<bool>;
    /// Looks at the time.
    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>);
    /// The line is gone.
    fn lost(&mut self, reason: &str, out: &mut Vec<Report>);
    /// When to look again.
    fn next_at_ms(&self, now_ms: u64) -> u64;
}

/// What a kind of device says and is asked in frames.
pub(in crate::controller) trait Frames: Nature {
    fn encode(request: &Request<Self::Action>) -> (u8, Payload);
    /// None for what is nothing that a device of this kind says.
    fn decode(kind: u8, payload: &[u8]) -> Option<Answer<Self::Status, Self::Refusal>>;
}

impl Frames for Barrier {
    fn encode(request: &barrier::Request) -> (u8, Payload) {
        request.encode()
    }

    fn decode(kind: u8, payload: &[u8]) -> Option<barrier::Answer> {
        barrier::Answer::decode(kind, payload).ok()
    }
}

impl Frames for Charger {
    fn encode(request: &charger::Request) -> (u8, Payload) {
        request.encode()
    }

    fn decode(kind: u8, payload: &[u8]) -> Option<charger::Answer> {
        charger::Answer::decode(kind, payload).ok()
    }
}

impl<N: Frames> Member for Peer<N> {
    fn device(&self) -> &DeviceId {
        self.device()
    }

    fn is_online(&self) -> bool {
        self.is_online()
    }

    fn has_urgent(&self, now_ms: u64) -> bool {
        self.has_urgent(now_ms)
    }

    fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
        self.order(order, out);
    }

    fn due(&mut self, now_ms: u64) -> Option<Question> {
        let request = self.due(now_ms)?;
        let (kind, payload) = N::encode(&request);
        let command = self.first_sending(&request);
        let first_of = command.map(|command| (self.device().clone(), command));
        Some(Question { kind, payload, first_of })
    }

    fn receive(
        &mut self,
        kind: u8,
        payload: &[u8],
        in_time: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> Option<bool> {
        match N::decode(kind, payload)? {
            Answer::Reply(reply) => Some(self.replied(&reply, now_ms, out)),
            Answer::Status(status) => {
                if in_time {
                    self.heard(status, now_ms, out);
                }
                Some(in_time)
            }
        }
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
}
