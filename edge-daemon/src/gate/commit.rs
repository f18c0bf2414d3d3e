//! What a step of the gate wants done.

use domain::event::Action;

use crate::commit;

/// How long a command to a barrier may move anything, in milliseconds.
pub const COMMAND_LIFE_MS: u64 = 3_000;

/// Facts that belong into one transaction, and what barriers are told once they are on disk.
pub type Commit = commit::Commit<Action>;

/// A command to a barrier.
pub type Command = commit::Command<Action>;
