//! What a kind of device must know to be reached on a serial line. Addressing, turns and time are
//! the same for all.

use std::fmt::Debug;

use domain::ids::{CommandId, DeviceId};
use firmware_protocol::{barrier, charger, frame::Payload};

use crate::controller::{
    barrier::Peer as Barrier, charger::Peer as Charger, link::Order, report::Report,
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

macro_rules! on_line {
    ($peer:ty, $wire:ident) => {
        impl Member for $peer {
            fn device(&self) -> &DeviceId {
                <$peer>::device(self)
            }

            fn is_online(&self) -> bool {
                <$peer>::is_online(self)
            }

            fn has_urgent(&self, now_ms: u64) -> bool {
                <$peer>::has_urgent(self, now_ms)
            }

            fn order(&mut self, order: &Order, out: &mut Vec<Report>) {
                <$peer>::order(self, order, out);
            }

            fn due(&mut self, now_ms: u64) -> Option<Question> {
                let request = <$peer>::due(self, now_ms)?;
                let (kind, payload) = request.encode();
                Some(Question { kind, payload, first_of: self.first_sending(&request) })
            }

            fn receive(
                &mut self,
                kind: u8,
                payload: &[u8],
                in_time: bool,
                now_ms: u64,
                out: &mut Vec<Report>,
            ) -> Option<bool> {
                match $wire::Answer::decode(kind, payload).ok()? {
                    $wire::Answer::Reply(reply) => Some(self.replied(&reply, now_ms, out)),
                    $wire::Answer::Status(status) => {
                        if in_time {
                            self.heard(&status, now_ms, out);
                        }
                        Some(in_time)
                    }
                }
            }

            fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>) {
                <$peer>::tick(self, now_ms, out);
            }

            fn lost(&mut self, reason: &str, out: &mut Vec<Report>) {
                <$peer>::lost(self, reason, out);
            }

            fn next_at_ms(&self, now_ms: u64) -> u64 {
                <$peer>::next_at_ms(self, now_ms)
            }
        }
    };
}

on_line!(Barrier, barrier);
on_line!(Charger, charger);
