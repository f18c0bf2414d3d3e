//! Commands on their way: which await an answer, and which await that the door opens.

use domain::{
    clock::Stamp,
    event::Outcome,
    ids::CommandId,
    locker::{LockerFact, Trouble},
};

use super::{Commit, Lockers};

/// How much longer than a command's life its answer is awaited: the link may know more.
const ANSWER_SLACK_MS: u64 = 500;
/// A door that was unlocked opens within this time; a controller says sooner that it did not.
const OPENS_WITHIN_MS: u64 = 30_000;

/// A command that something is awaited of.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub command: CommandId,
    /// The door.
    pub place: usize,
    pub stage: Stage,
    until_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// What became of it.
    Unanswered,
    /// The door's opening.
    Unlocked,
}

/// What became of a command.
pub(super) struct Result {
    pub command: CommandId,
    pub outcome: Outcome,
    pub refusal: Option<&'static str>,
    pub elapsed_ms: Option<u64>,
}

impl Pending {
    pub fn unanswered(command: CommandId, place: usize, dead_ms: u64) -> Self {
        let until_ms = dead_ms + ANSWER_SLACK_MS;
        Self { command, place, stage: Stage::Unanswered, until_ms }
    }
}

impl Lockers {
    /// Takes the outcome of a command. One that is not awaited (any more) changes nothing.
    pub(super) fn result(&mut self, result: Result, now: Stamp, commit: &mut Commit) {
        let Result { command, outcome, refusal, elapsed_ms } = result;
        let awaited = |p: &Pending| p.command == command && p.stage == Stage::Unanswered;
        let Some(at) = self.pending.iter().position(awaited) else { return };
        let place = self.pending.remove(at).place;
        commit.record(LockerFact::Outcome {
            command,
            cabinet: self.doors[place].name.clone(),
            outcome,
            refusal: refusal.map(str::to_owned),
            elapsed_ms,
        });
        match outcome {
            Outcome::Accepted if self.doors[place].closed => {
                let until_ms = now.monotonic_ms + OPENS_WITHIN_MS;
                self.pending.push(Pending { command, place, stage: Stage::Unlocked, until_ms });
            }
            Outcome::Refused if refusal == Some("jammed") => {
                self.raise(place, Trouble::Jammed, commit);
            }
            _ => {}
        }
    }

    /// Nothing more is awaited of the commands that unlocked a door.
    pub(super) fn stop_awaiting(&mut self, place: usize) {
        self.pending.retain(|p| p.place != place || p.stage != Stage::Unlocked);
    }

    /// Notices what has not happened in time.
    pub fn tick(&mut self, now: Stamp) -> Commit {
        let mut commit = Commit::default();
        let overdue = self.pending.extract_if(.., |p| p.until_ms <= now.monotonic_ms);
        for Pending { command, place, stage, .. } in overdue.collect::<Vec<_>>() {
            match stage {
                Stage::Unanswered => commit.record(LockerFact::Outcome {
                    command,
                    cabinet: self.doors[place].name.clone(),
                    outcome: Outcome::Unanswered,
                    refusal: None,
                    elapsed_ms: None,
                }),
                Stage::Unlocked => self.raise(place, Trouble::NeverOpened, &mut commit),
            }
        }
        commit
    }

    /// When a [`Self::tick`] is due at the latest, on the monotonic clock in milliseconds.
    pub fn next_deadline(&self) -> Option<u64> {
        self.pending.iter().map(|pending| pending.until_ms).min()
    }
}
