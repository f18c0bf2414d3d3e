//! The JSON of a barrier's messages, as `firmware-protocol/docs/mqtt.md` describes it. Its names are
//! those of the serial protocol; the other kinds share what [`super`] has.

use firmware_protocol::barrier;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::named;

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

/// `state`: see [`barrier::Status`] for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct State {
    pub boot: u32,
    pub session: u32,
    pub uptime_s: u32,
    pub arm: Arm,
    pub power: Power,
    pub under_arm: bool,
    pub in_front: bool,
    pub fire: bool,
    pub under_arm_count: u16,
    pub in_front_count: u16,
    pub press: u32,
}

impl From<barrier::Status> for State {
    fn from(status: barrier::Status) -> Self {
        Self {
            boot: status.boot,
            session: status.session,
            uptime_s: status.uptime_s,
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
            boot: state.boot,
            session: state.session,
            uptime_s: state.uptime_s,
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

/// `cmd/hello`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The run of the device that this is for.
    pub boot: u32,
    /// Number of the session.
    pub session: u32,
    /// The host's monotonic clock in milliseconds.
    pub now_ms: u64,
}

/// `result/hello`, where messages are sealed: the device took the hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// As in the hello.
    pub boot: u32,
    /// As in the hello.
    pub session: u32,
    /// As in the hello.
    pub now_ms: u64,
    /// Commands must have a higher number than this.
    pub counter: u64,
}

/// `cmd/open` and `cmd/close`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// The command.
    pub id: Uuid,
    /// The run of the device that this is for.
    pub boot: u32,
    /// The session in whose time `expires_at_ms` counts.
    pub session: u32,
    /// The host's monotonic clock from which on it must move nothing, in milliseconds.
    pub expires_at_ms: u64,
    /// Higher than that of any command before, where messages are sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
}

/// What became of a command, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It moves.
    Accepted,
    /// It came too late. Nothing moves.
    Expired,
    /// It was seen before. Nothing moves.
    Duplicate,
    /// It cannot be done. Nothing moves.
    Refused,
}

/// `result/open` and `result/close`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandResult {
    /// The command.
    pub id: Uuid,
    /// What became of it.
    pub outcome: Outcome,
    /// For a duplicate: what became of it the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Outcome>,
    /// For one that was refused, now or the first time: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Refusal>,
}

impl From<barrier::Reply> for CommandResult {
    fn from(reply: barrier::Reply) -> Self {
        let (verdict, reason) = match reply.verdict {
            barrier::Verdict::Accepted => (Outcome::Accepted, None),
            barrier::Verdict::Expired => (Outcome::Expired, None),
            barrier::Verdict::Refused(refusal) => (Outcome::Refused, Some(refusal.into())),
        };
        let (outcome, first) =
            if reply.duplicate { (Outcome::Duplicate, Some(verdict)) } else { (verdict, None) };
        Self { id: Uuid::from_bytes(reply.id), outcome, first, reason }
    }
}

impl CommandResult {
    /// As the serial protocol has it; none where it contradicts itself.
    pub fn to_reply(self) -> Option<barrier::Reply> {
        let duplicate = self.outcome == Outcome::Duplicate;
        let verdict = match if duplicate { self.first? } else { self.outcome } {
            Outcome::Accepted => barrier::Verdict::Accepted,
            Outcome::Expired => barrier::Verdict::Expired,
            Outcome::Refused => barrier::Verdict::Refused(self.reason?.into()),
            Outcome::Duplicate => return None,
        };
        Some(barrier::Reply { id: self.id.into_bytes(), duplicate, verdict })
    }
}

/// A message as it travels.
pub(in super::super) fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("numbers and identifiers are always JSON")
}

/// A message as it came; none where it is no such thing.
pub(in super::super) fn parse<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    serde_json::from_slice(payload).ok()
}
