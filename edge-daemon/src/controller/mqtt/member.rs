//! What a kind of device must know to be reached over the broker. One small module for each kind
//! implements this; connection, addressing, keys, rates and bounds are the same for all.

use std::fmt::Debug;

use domain::ids::CommandId;
use firmware_protocol::{seal::Key, topic::Topic};
use serde::{Serialize, de::DeserializeOwned};

use super::payload;
use crate::controller::{link::Order, report::Report};

/// What a device said, of bounded length.
#[derive(Debug)]
pub(in crate::controller) struct Heard<'a> {
    pub topic: Topic<'a>,
    pub payload: &'a [u8],
    /// Whether it waited in the broker.
    pub retained: bool,
    /// What it must be sealed with.
    pub key: &'a Key,
}

impl Heard<'_> {
    /// The message; none where its seal is not the device's, or it is no such message.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        payload::read(self.payload, &self.topic, Some(self.key))
    }
}

/// A message to a device.
#[derive(Debug)]
pub(in crate::controller) struct Message {
    /// The last level of its topic, behind `cmd/`.
    pub verb: &'static str,
    /// What it says, unsealed.
    pub object: Vec<u8>,
    /// The command that it carries for the first time.
    pub first_of: Option<CommandId>,
}

impl Message {
    pub fn new(verb: &'static str, what: &impl Serialize, first_of: Option<CommandId>) -> Self {
        Self { verb, object: payload::object(what), first_of }
    }
}

/// One device of some kind, as it is seen through the broker. Pure: time comes in, reports and
/// messages go out.
pub(in crate::controller) trait Member: Debug + Send {
    /// Takes a command, or ends it at once where it cannot be taken.
    fn order(&mut self, order: &Order, out: &mut Vec<Report>);

    /// Takes a message; false where it is none that a device of this kind says.
    fn receive(&mut self, heard: &Heard<'_>, now_ms: u64, out: &mut Vec<Report>) -> bool;

    /// Looks at the time.
    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>);

    /// The way to the device is gone.
    fn lost(&mut self, reason: &str, out: &mut Vec<Report>);

    /// When to look again.
    fn next_at_ms(&self, now_ms: u64) -> u64;

    /// The next message to publish.
    fn transmit(&mut self, now_ms: u64) -> Option<Message>;
}
