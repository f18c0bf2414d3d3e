//! What the books are told, in the order it happened.

use domain::{event::Outcome, ids::CommandId, locker::By};

/// Something that happened at a locker's controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Commands can be sent.
    Online,
    /// It does not answer.
    Offline {
        /// Why that is thought, for people.
        reason: String,
    },
    /// How its doors stand; repetitions do no harm.
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
    /// Somebody entered a code.
    Code {
        /// How.
        source: Source,
        /// What was entered: a code, or the name on a door, a colon and a code.
        code: String,
        /// The door whose own keypad it was.
        door: Option<u8>,
    },
    /// A command came to its end.
    Result {
        /// The command.
        command: CommandId,
        /// What became of it.
        outcome: Outcome,
        /// Why, as a word, where the controller refused.
        refusal: Option<&'static str>,
        /// Milliseconds from sending to the outcome, where one was seen.
        elapsed_ms: Option<u64>,
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

/// What happens at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// Its lock was released.
    Unlocked,
    /// It was opened after that.
    Opened,
    /// It was closed, and the lock holds.
    Closed,
    /// Nobody opened it; the lock holds again.
    Relocked,
    /// Its lock does not follow.
    Jammed,
    /// It has been open for too long.
    LeftOpen,
    /// It was opened while the lock held.
    Forced,
}

/// How a code was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Typed.
    Keypad,
    /// Scanned.
    Scanner,
}

impl From<Source> for By {
    fn from(source: Source) -> Self {
        match source {
            Source::Keypad => Self::Keypad,
            Source::Scanner => Self::Scanner,
        }
    }
}
