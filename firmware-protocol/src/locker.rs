//! What a locker controller is asked and what it tells.
//!
//! A controller has up to [`MAX_DOORS`] doors, each with a lock and a sensor that says whether it
//! is closed. It judges no codes: what somebody types or scans is told to the site, which opens or
//! denies. Lockers are reached over MQTT alone.

pub use crate::command::{CommandId, Hello, MAX_COMMAND_LIFE_MS};
use crate::{Malformed, command, wire::wire_enum};

/// Most doors of a controller; they are numbered from 1.
pub const MAX_DOORS: u8 = 32;
/// Most characters of a code that is typed or scanned; a longer one is not told.
pub const MAX_CODE: usize = 64;

/// From the host to a locker controller.
pub type Request = command::Request<Action>;
/// One deed, once, and not late.
pub type Command = command::Command<Action>;
/// What became of a command.
pub type Reply = command::Reply<Refusal>;
/// What a locker controller decided about a command when it first saw it.
pub type Verdict = command::Verdict<Refusal>;

/// What the controller is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Release a door's lock. Whether the door opens is told by its sensor.
    Open {
        /// Which door.
        door: u8,
    },
    /// Tell whoever typed or scanned a code that it opens nothing.
    Deny(Denial),
}

wire_enum! {
    /// Why a code opens nothing, for the controller's display or light.
    Denial as "denial" {
        /// Nothing can be opened with it.
        WrongCode = 0,
        /// Too many wrong codes: no code counts for a while.
        LockedOut = 1,
        /// It was right once, and its time is over.
        Over = 2,
        /// It is right, and the door cannot be opened.
        Unavailable = 3,
    }
}

wire_enum! {
    /// How a door's lock is.
    Lock as "lock" {
        /// It holds, or will when the door is closed.
        Locked = 0,
        /// It is released.
        Unlocked = 1,
        /// It did not follow.
        Jammed = 2,
    }
}

wire_enum! {
    /// What happens at a door, told once.
    Happening as "happening" {
        /// The lock was released.
        Unlocked = 0,
        /// The door was opened after that.
        Opened = 1,
        /// The door was closed, and the lock holds.
        Closed = 2,
        /// Nobody opened the door; the lock holds again.
        Relocked = 3,
        /// The lock does not follow.
        Jammed = 4,
        /// The door has been open for longer than the controller is set to.
        LeftOpen = 5,
        /// The door was opened while the lock held.
        Forced = 6,
    }
}

wire_enum! {
    /// Why a locker controller refuses a command.
    Refusal as "refusal" {
        /// The lock does not follow.
        Jammed = 0,
        /// More unexpired commands than it can remember.
        Busy = 1,
        /// The command claims a longer life than [`MAX_COMMAND_LIFE_MS`].
        TooLong = 2,
        /// It has no such door.
        NoSuchDoor = 3,
        /// The command's seal is missing or wrong.
        Unauthenticated = 4,
    }
}

impl command::Refusal for Refusal {
    const BUSY: Self = Self::Busy;
    const TOO_LONG: Self = Self::TooLong;
    const UNAUTHENTICATED: Self = Self::Unauthenticated;
}
