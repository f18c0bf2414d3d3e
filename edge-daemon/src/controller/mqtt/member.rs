//! What a kind of device must know to be reached over the broker. One small module for each kind
//! implements this; connection, addressing, rates and bounds are the same for all.

use std::fmt::Debug;

use domain::ids::CommandId;
use firmware_protocol::topic::Topic;

use crate::controller::{link::Order, report::Report};

/// A message to a device.
#[derive(Debug)]
pub(in crate::controller) struct Message {
    /// The last level of its topic, behind `cmd/`.
    pub verb: &'static str,
    pub payload: Vec<u8>,
    /// The command that it carries for the first time.
    pub first_of: Option<CommandId>,
}

/// One device of some kind, as it is seen through the broker. Pure: time comes in, reports and
/// messages go out.
pub(in crate::controller) trait Member: Debug + Send {
    /// Takes a command, or ends it at once where it cannot be taken.
    fn order(&mut self, order: &Order, now_ms: u64, out: &mut Vec<Report>);

    /// Takes a message, of bounded length; false where it is none that a device of this kind says.
    /// A message that waited in the broker is `retained`.
    fn receive(
        &mut self,
        topic: &Topic<'_>,
        payload: &[u8],
        retained: bool,
        now_ms: u64,
        out: &mut Vec<Report>,
    ) -> bool;

    /// Looks at the time.
    fn tick(&mut self, now_ms: u64, out: &mut Vec<Report>);

    /// The way to the device is gone.
    fn lost(&mut self, reason: &str, out: &mut Vec<Report>);

    /// When to look again.
    fn next_at_ms(&self, now_ms: u64) -> u64;

    /// The next message to publish, at a site of this name.
    fn transmit(&mut self, site: &str, now_ms: u64) -> Option<Message>;
}
