//! What a step wants done: facts for the disk, and the commands that may be sent once they are
//! there.

use domain::{
    event::Fact,
    ids::{CommandId, DeviceId},
    locker::{Denial, LockerFact},
};

/// How long a command to a locker may open anything, in milliseconds.
pub const COMMAND_LIFE_MS: u64 = 3_000;
/// The same for a controller that fetches it, which it does every five seconds.
pub const FETCHED_COMMAND_LIFE_MS: u64 = 10_000;

/// Facts that belong into one transaction, and what follows once they are on disk.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "what is not journaled has not happened"]
pub struct Commit {
    facts: Vec<Fact>,
    commands: Vec<Command>,
}

/// A command to a controller, to be sent once and never again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The command.
    pub id: CommandId,
    /// The controller.
    pub device: DeviceId,
    /// What it is to do.
    pub action: Action,
    /// How long from now it may do anything, in milliseconds.
    pub expires_in_ms: u64,
}

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

impl Commit {
    /// What is to be journaled, together and in this order.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Whether there is nothing to journal; then there is nothing to send either.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// What is to be sent now that [`Self::facts`] are on disk. Where journaling failed, this is
    /// not called and nothing is sent.
    pub fn journaled(self) -> Vec<Command> {
        self.commands
    }

    /// Takes in another, to be journaled together.
    pub fn absorb(&mut self, other: Self) {
        self.facts.extend(other.facts);
        self.commands.extend(other.commands);
    }

    pub(super) fn record(&mut self, fact: LockerFact) {
        self.record_fact(Fact::Locker(fact));
    }

    pub(super) fn record_fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// What a command follows from is recorded before it.
    pub(super) fn send(&mut self, fact: LockerFact, command: Command) {
        self.record(fact);
        self.commands.push(command);
    }
}
