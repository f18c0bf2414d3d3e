//! What a step wants done at lockers.

use domain::locker::Denial;

use crate::commit;

/// How long a command to a locker may open anything, in milliseconds.
pub const COMMAND_LIFE_MS: u64 = 3_000;
/// The same for a controller that fetches it, which it does every five seconds.
pub const FETCHED_COMMAND_LIFE_MS: u64 = 10_000;

/// What a locker's controller is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Unlock a door.
    Open {
        /// Its number, from 1.
        door: u8,
    },
    /// Tell whoever entered a code that nothing opens.
    Deny(Denial),
}

/// Facts that belong into one transaction, and what controllers are told once they are on disk.
pub type Commit = commit::Commit<Action>;

/// A command to a locker's controller.
pub type Command = commit::Command<Action>;
