//! The start, from nothing or from what the journal holds.
//!
//! Commands whose outcome is not in the journal are not sent again: their outcome is `unknown`.
//! Whoever was let through a moment ago may still drive through and gets the stay.

use domain::{
    clock::Stamp,
    event::{Decision, Fact, Outcome},
    ids::{CommandId, DecisionId, LaneId},
};

use super::{Commit, Config, Gate, Inside, Knowledge, lane::Lane};

/// What the journal says was unfinished.
#[derive(Debug, Clone, Default)]
pub struct Journaled {
    /// Vehicles that are inside, in the order they entered.
    pub inside: Vec<Inside>,
    /// Commands whose outcome was not seen.
    pub intents: Vec<Intent>,
    /// Decisions to open that nobody has passed by yet, oldest first, with the time of each.
    pub unpassed: Vec<(Decision, Stamp)>,
}

/// A command whose intent is on disk and whose outcome is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The command.
    pub command: CommandId,
    /// The decision it was to carry out.
    pub decision: DecisionId,
    /// The lane it was for.
    pub lane: LaneId,
}

impl Gate {
    /// Starts from what the journal holds, and says what is to be added to it first.
    pub fn recovered(config: Config, journaled: Journaled, now: Stamp) -> (Self, Commit) {
        let mut knowledge = Knowledge::default();
        let confirmed_ms = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);
        knowledge.replace_lists(config.permits, config.deny, confirmed_ms);
        journaled.inside.into_iter().for_each(|inside| knowledge.enter(inside));
        let lanes = config.lanes.into_iter().map(Lane::new).collect();
        let mut gate = Self { parking: config.parking, knowledge, lanes };
        gate.resume(&journaled.unpassed, now);
        let commit = gate.give_up(journaled.intents);
        (gate, commit)
    }

    fn resume(&mut self, unpassed: &[(Decision, Stamp)], now: Stamp) {
        for (decision, at) in unpassed {
            // A monotonic clock that is behind belongs to another start of the machine.
            let same_boot = at.monotonic_ms <= now.monotonic_ms;
            if let Some(lane) = self.lane_mut(&decision.lane).filter(|_| same_boot) {
                lane.resume(decision, at.monotonic_ms, now.monotonic_ms);
            }
        }
    }

    fn give_up(&mut self, intents: Vec<Intent>) -> Commit {
        let mut commit = Commit::default();
        for Intent { command, decision, lane } in intents {
            if let Some(lane) = self.lane_mut(&lane) {
                lane.assume_raised_by(decision);
            }
            commit.record(Fact::CommandOutcome {
                command,
                outcome: Outcome::Unknown,
                elapsed_ms: None,
                vote_to_wire_ms: None,
                capture_to_wire_ms: None,
            });
        }
        commit
    }

    fn lane_mut(&mut self, id: &LaneId) -> Option<&mut Lane> {
        self.lanes.iter_mut().find(|lane| lane.config().id == *id)
    }
}
