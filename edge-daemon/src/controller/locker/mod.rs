//! Lockers: what they report and what they can be told.

use domain::ids::CommandId;
use firmware_protocol::locker::Refusal;
pub use firmware_protocol::locker::{Action, Denial, Happening, MAX_CODE, MAX_DOORS};

/// What is new about a locker. Once it is online all its doors are reported, then what changes and
/// what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// How its doors stand.
    Doors(Vec<DoorState>),
    /// Something happened at a door.
    Happened {
        /// The door's number, from 1.
        door: u8,
        /// What.
        what: Happening,
        /// The command that caused it, where one did.
        command: Option<CommandId>,
    },
    /// Somebody entered a code, just now.
    Code {
        /// How.
        source: Source,
        /// What was entered.
        code: String,
        /// The door whose own keypad it was.
        door: Option<u8>,
    },
}

/// How a door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorState {
    /// Its number, from 1.
    pub door: u8,
    /// Whether it is closed.
    pub closed: bool,
    /// Whether its lock does not follow.
    pub jammed: bool,
}

/// How a code was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Typed.
    Keypad,
    /// Scanned.
    Scanner,
}

/// The word for a refusal.
pub(super) fn word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Jammed => "jammed",
        Refusal::Busy => "busy",
        Refusal::TooLong => "too_long",
        Refusal::NoSuchDoor => "no_such_door",
        Refusal::Unauthenticated => "unauthenticated",
    }
}
