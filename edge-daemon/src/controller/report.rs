//! What controllers report.

use std::time::Instant;

use domain::{
    event::Outcome,
    ids::{CommandId, DeviceId},
};

use super::{barrier, charger, locker};

/// News of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The device.
    pub device: DeviceId,
    /// What is new.
    pub what: What,
}

/// What is new about a device. After [`What::Online`] its whole state is reported once, then only
/// what changes.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// It answers and would know a late command: commands can be sent.
    Online,
    /// It cannot be commanded, and nothing is known of it.
    Offline {
        /// Why that is thought, for people.
        reason: String,
    },
    /// It says more than it may, or what no device of its kind says; most of that is thrown away.
    Misbehaves {
        /// How, for people.
        how: String,
    },
    /// It has not misbehaved for a while.
    Behaves,
    /// A command's bytes were handed to the line for the first time.
    Sent {
        /// The command.
        command: CommandId,
        /// When.
        at: Instant,
    },
    /// A command came to its end; reported once for each that was taken.
    Result {
        /// The command.
        command: CommandId,
        /// What became of it.
        outcome: Outcome,
        /// Why, as a word, where the device refused.
        refusal: Option<&'static str>,
        /// Milliseconds from sending it to the answer, where there was one.
        sent_to_result_ms: Option<u64>,
    },
    /// Something that only barriers have to say.
    Barrier(barrier::News),
    /// Something that only chargers and meters have to say.
    Charger(charger::News),
    /// Something that only lockers have to say.
    Locker(locker::News),
}
