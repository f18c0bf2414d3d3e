//! The JSON of a locker controller's messages. See [`firmware_protocol::locker`] for the meaning.

use firmware_protocol::locker::{self, Action};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Command, named};

/// The kind of device in topics.
pub const KIND: &str = "locker";
/// The verb that releases a door's lock, with [`Open`].
pub const OPEN: &str = "open";
/// The verb that turns a code down, with [`Deny`].
pub const DENY: &str = "deny";
/// The type of event that tells a code, with [`Code`]; the others have [`AtDoor`].
pub const CODE: &str = "code";

named! {
    /// See [`locker::Lock`].
    Lock of locker::Lock { Locked Unlocked Jammed }
}
named! {
    /// See [`locker::Happening`]; in snake case the type of the event.
    Happening of locker::Happening { Unlocked Opened Closed Relocked Jammed LeftOpen Forced }
}
named! {
    /// See [`locker::Denial`].
    Denial of locker::Denial { WrongCode LockedOut Over Unavailable }
}
named! {
    /// See [`locker::Refusal`].
    Refusal of locker::Refusal { Jammed Busy TooLong NoSuchDoor Unauthenticated }
}

/// `info`, retained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Info {
    /// For people.
    pub model: String,
    /// Version of the firmware, for people.
    pub firmware: String,
    /// How many doors there are, 1 to 32.
    pub doors: u8,
}

/// `state`, retained: everything about every door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// The run of the device.
    pub boot_id: u32,
    /// The session that holds; 0 for none.
    pub session: u32,
    /// Milliseconds since the device started. A state with less than one before, in the same run,
    /// is old.
    pub uptime_ms: u64,
    /// The number of the last event; 0 for none yet.
    pub seq: u32,
    /// In the order of their numbers.
    pub doors: Vec<Door>,
}

/// One door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Door {
    /// Its number, from 1.
    pub door: u8,
    /// Its lock.
    pub lock: Lock,
    /// Whether its sensor says that it is closed.
    pub closed: bool,
}

/// What an event at a door has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtDoor {
    /// Which.
    pub door: u8,
    /// The command that caused it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd_id: Option<Uuid>,
}

/// How a code came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Typed.
    Keypad,
    /// Scanned.
    Scanner,
}

/// What somebody typed or scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Code {
    /// How.
    pub source: Source,
    /// What: 1 to 64 printable ASCII characters.
    pub code: String,
    /// The door where it was typed, for doors with a keypad of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub door: Option<u8>,
}

/// What `cmd/open` wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    /// Which door.
    pub door: u8,
}

/// What `cmd/deny` wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deny {
    /// Why.
    pub why: Denial,
}

/// What a command may want to know, for whoever writes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Arguments {
    /// Of `open`.
    Open(Open),
    /// Of `deny`.
    Deny(Deny),
}

/// The verb and the payload of a command.
pub fn encode(command: &locker::Command, counter: u64) -> (&'static str, Command<Arguments>) {
    let (verb, arguments) = match command.action {
        Action::Open { door } => (OPEN, Arguments::Open(Open { door })),
        Action::Deny(why) => (DENY, Arguments::Deny(Deny { why: why.into() })),
    };
    (verb, Command::new(command, counter, arguments))
}

impl Happening {
    /// The type of the event in topics.
    pub fn event(self) -> &'static str {
        match self {
            Self::Unlocked => "unlocked",
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Relocked => "relocked",
            Self::Jammed => "jammed",
            Self::LeftOpen => "left_open",
            Self::Forced => "forced",
        }
    }

    /// Of the type of an event; none for [`CODE`] and what is not known.
    pub fn of_event(event: &str) -> Option<Self> {
        let all = locker::Happening::ALL.iter().map(|&happening| Self::from(happening));
        all.into_iter().find(|happening| happening.event() == event)
    }
}
