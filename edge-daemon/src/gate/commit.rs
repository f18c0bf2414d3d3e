//! What a step of the gate wants done: facts for the disk, and the commands that may be sent once
//! they are there. The commands come out only in exchange for the commit, so that nothing moves
//! before its intent is on disk.

use domain::{
    event::{Action, Fact},
    ids::{CommandId, DeviceId},
};

/// How long a command to a barrier may move anything, in milliseconds.
pub const COMMAND_LIFE_MS: u64 = 3_000;

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
    /// How long from now it may move anything, in milliseconds.
    pub expires_in_ms: u64,
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

    /// The same with one more fact in the transaction, after the others.
    pub fn with(mut self, fact: Fact) -> Self {
        self.record(fact);
        self
    }

    pub(super) fn record(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// The intent of a command is recorded before it.
    pub(super) fn send(&mut self, intent: Fact, command: Command) {
        self.facts.push(intent);
        self.commands.push(command);
    }
}
