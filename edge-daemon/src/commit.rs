//! What a step of a state machine wants done: facts for the disk, and the commands that may be sent
//! once they are there. The commands come out only in exchange for the commit, so that nothing moves
//! before its intent is on disk.

use domain::{
    event::Fact,
    ids::{CommandId, DeviceId},
};

/// Facts that belong into one transaction, and what follows once they are on disk.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what is not journaled has not happened"]
pub struct Commit<Action> {
    facts: Vec<Fact>,
    commands: Vec<Command<Action>>,
}

/// A command to a controller, to be sent once and never again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<Action> {
    /// The command.
    pub id: CommandId,
    /// The controller.
    pub device: DeviceId,
    /// What it is to do.
    pub action: Action,
    /// How long from now it may do anything, in milliseconds.
    pub expires_in_ms: u64,
}

impl<Action> Default for Commit<Action> {
    fn default() -> Self {
        Self { facts: Vec::new(), commands: Vec::new() }
    }
}

impl<Action> Commit<Action> {
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
    pub fn journaled(self) -> Vec<Command<Action>> {
        self.commands
    }

    /// The same with one more fact in the transaction, after the others.
    pub fn with(mut self, fact: Fact) -> Self {
        self.record(fact);
        self
    }

    /// Takes in another, to be journaled together.
    pub fn absorb(&mut self, other: Self) {
        self.facts.extend(other.facts);
        self.commands.extend(other.commands);
    }

    pub(crate) fn record(&mut self, fact: impl Into<Fact>) {
        self.facts.push(fact.into());
    }

    /// What a command follows from is recorded before it.
    pub(crate) fn send(&mut self, fact: impl Into<Fact>, command: Command<Action>) {
        self.record(fact);
        self.commands.push(command);
    }
}
