//! The start, from nothing or from what the journal holds.
//!
//! Commands whose outcome is not in the journal are not sent again: their outcome is `unknown`.
//! Whoever was let through a moment ago may still drive through and gets the stay.

use std::sync::Arc;

use domain::{
    clock::Stamp,
    event::{Decision, Fact, Outcome},
    ids::{CommandId, DecisionId, LaneId},
};

use super::{
    Commit, Config, Configured, Gate, Inside, Knowledge, Listed, lane::Lane, lists::Lists,
    settings::Settings,
};

/// What the disk holds from before: what was unfinished, and what the cloud has told.
#[derive(Debug, Clone, Default)]
pub struct Journaled {
    /// Vehicles that are inside, in the order they entered.
    pub inside: Vec<Inside>,
    /// Commands whose outcome was not seen.
    pub intents: Vec<Intent>,
    /// Decisions to open that nobody has passed by yet, oldest first, with the time of each.
    pub unpassed: Vec<(Decision, Stamp)>,
    /// What the cloud has set, as [`Fact::ParametersSet`] and [`Fact::TariffSet`] say it.
    pub settings: Vec<Fact>,
    /// The cloud's list of who may enter.
    pub listed: Arc<Listed>,
    /// How long ago the cloud confirmed it, in milliseconds; none where nobody can say.
    pub confirmed_ago_ms: Option<i64>,
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
        let now_ms = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);
        let confirmed_ms = now_ms.saturating_sub(journaled.confirmed_ago_ms.unwrap_or(0).max(0));
        let lists = Lists::new(config.permits, config.deny, journaled.listed, confirmed_ms);
        let mut knowledge = Knowledge::of(lists);
        journaled.inside.into_iter().for_each(|inside| knowledge.enter(inside));
        let lanes = config.lanes.iter().cloned().map(Lane::new).collect();
        let mut settings = Settings::default();
        journaled.settings.iter().for_each(|setting| settings.apply(setting));
        let parking = config.parking.clone();
        let configured = Configured { parking: config.parking, lanes: config.lanes };
        let mut gate = Self { configured, settings, parking, knowledge, lanes };
        gate.lay_settings_over();
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
