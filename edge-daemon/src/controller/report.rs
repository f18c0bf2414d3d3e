//! What controllers report.

use std::time::Instant;

use domain::{
    event::Outcome,
    ids::{CommandId, DeviceId},
};
pub use firmware_protocol::barrier::{Arm, Power, Refusal};

/// News of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The device.
    pub device: DeviceId,
    /// What is new.
    pub what: What,
}

/// What is new about a device. After [`What::Online`] its whole state is reported once, then only
/// what changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It answers and would know a late command: commands can be sent.
    Online,
    /// It cannot be commanded, and nothing is known of it.
    Offline {
        /// Why that is thought, for people.
        reason: String,
    },
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
        /// Why, where the device refused.
        refusal: Option<Refusal>,
        /// Milliseconds from sending it to the answer, where there was one.
        sent_to_result_ms: Option<u64>,
    },
    /// Where the arm is.
    Arm(Arm),
    /// Whether something is on the safety loop, under the arm. A vehicle that came and went
    /// between two looks is reported all the same, as occupied and free.
    Loop(bool),
    /// Whether something is on the presence loop, in front of the arm.
    Presence(bool),
    /// The button was pressed while the device was online.
    Button {
        /// Number of the press since the device started.
        press: u32,
    },
    /// Whether the fire input is active.
    Fire(bool),
    /// What the device runs on.
    Power(Power),
}
