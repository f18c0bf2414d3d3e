//! The JSON of a barrier's messages over MQTT. See [`firmware_protocol::barrier`] for the meaning.

use firmware_protocol::barrier::{self, Action};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, Nothing, named};

/// The kind of device in topics.
pub const KIND: &str = "barrier";
/// The verb that raises the arm.
pub const OPEN: &str = "open";
/// The verb that lowers it.
pub const CLOSE: &str = "close";

named! {
    /// See [`barrier::Arm`].
    Arm of barrier::Arm { Closed Opening Open Closing Stopped Fault }
}
named! {
    /// See [`barrier::Power`].
    Power of barrier::Power { Mains Battery }
}
named! {
    /// See [`barrier::Refusal`].
    Refusal of barrier::Refusal { UnderArm Fault Busy TooLong Unauthenticated }
}

/// `info`, retained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Info {
    /// For people.
    pub model: String,
    /// Version of the firmware, for people.
    pub firmware: String,
}

/// `state`, retained: see [`barrier::Status`] for the fields. It counts what happened, so that a
/// barrier tells no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct State {
    pub boot_id: u32,
    pub session: u32,
    pub uptime_ms: u64,
    pub arm: Arm,
    pub power: Power,
    pub under_arm: bool,
    pub in_front: bool,
    pub fire: bool,
    pub under_arm_count: u16,
    pub in_front_count: u16,
    pub press: u32,
}

/// The verb and the payload of a command.
pub fn encode(command: &barrier::Command, counter: u64) -> (&'static str, Command<Nothing>) {
    let verb = match command.action {
        Action::Open => OPEN,
        Action::Close => CLOSE,
    };
    (verb, Command::new(command, counter, Nothing {}))
}

impl State {
    /// What a barrier tells that has been on for `uptime_ms`.
    pub fn new(status: &barrier::Status, uptime_ms: u64) -> Self {
        Self {
            boot_id: status.boot,
            session: status.session,
            uptime_ms,
            arm: status.arm.into(),
            power: status.power.into(),
            under_arm: status.under_arm,
            in_front: status.in_front,
            fire: status.fire,
            under_arm_count: status.under_arm_count,
            in_front_count: status.in_front_count,
            press: status.press,
        }
    }
}

impl From<State> for barrier::Status {
    fn from(state: State) -> Self {
        Self {
            boot: state.boot_id,
            session: state.session,
            uptime_s: u32::try_from(state.uptime_ms / 1_000).unwrap_or(u32::MAX),
            arm: state.arm.into(),
            power: state.power.into(),
            under_arm: state.under_arm,
            in_front: state.in_front,
            fire: state.fire,
            under_arm_count: state.under_arm_count,
            in_front_count: state.in_front_count,
            press: state.press,
        }
    }
}
