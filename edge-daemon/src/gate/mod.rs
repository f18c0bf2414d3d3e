//! The heart: decides who passes, and keeps the arm's promises.
//!
//! Everything here is a function: [`Gate::step`] takes what happened and the time, changes the
//! gate's own state, and returns what is to be journaled and only then sent ([`Commit`]). There is
//! no clock, no disk and no line in here, so that hours of a lane pass in milliseconds of a test.
//!
//! Promised, whatever arrives in whatever order:
//! - a decision to open commands its barrier at most once, and no command is ever sent twice;
//! - the arm is told to close only while the safety loop is known to be free;
//! - a stay begins or ends exactly when an authorised vehicle has driven through;
//! - every decision says why.
//!
//! Durations are measured on the monotonic clock. The wall clock is what entry times are told in;
//! a stay whose length it cannot tell is not charged.

mod authorisation;
mod barrier;
mod commit;
pub mod config;
mod input;
mod knowledge;
mod lane;
mod listed;
mod lists;
mod matching;
mod policy;
mod recent;
mod recovery;
mod settings;
mod told;
mod turn;

#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use domain::{
    clock::Stamp,
    event::{Direction, Fact},
    ids::{LaneId, SessionId},
    money::Fen,
    parking::BadPayment,
};

pub use self::{
    commit::{COMMAND_LIFE_MS, Command, Commit},
    config::Config,
    input::{Arm, CommandResult, Input, Report, Requester, Sighting},
    knowledge::{Inside, Knowledge, Since},
    lane::LaneView,
    listed::Listed,
    recovery::{Intent, Journaled},
    turn::Ids,
};
use self::{
    config::{LaneConfig, ParkingConfig},
    lane::Lane,
    settings::Settings,
    turn::Turn,
};

/// All lanes of a site and what they share.
#[derive(Debug, Clone)]
pub struct Gate {
    configured: Configured,
    settings: Settings,
    /// What is configured with the cloud's settings over it; so are the lanes.
    parking: ParkingConfig,
    knowledge: Knowledge,
    lanes: Vec<Lane>,
}

/// What the configuration says, whatever the cloud has set.
#[derive(Debug, Clone)]
struct Configured {
    parking: ParkingConfig,
    lanes: Vec<LaneConfig>,
}

/// A payment, at the site or at the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The session it is for.
    pub session: SessionId,
    /// The amount.
    pub amount: Fen,
    /// How: `cash`, `card`, …
    pub method: String,
    /// Who took it.
    pub by: String,
    /// What it came with from the cloud; none where it was taken at the site just now.
    pub from_cloud: Option<FromCloud>,
}

/// How a payment came from the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromCloud {
    /// The directive that told of it.
    pub directive: u64,
    /// How long ago it was paid, in milliseconds.
    pub ago_ms: i64,
}

/// Why a payment was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// No vehicle is inside by this session.
    #[error("no vehicle is inside by session {0}")]
    NotInside(SessionId),
    /// The amount is none that can be paid.
    #[error(transparent)]
    Amount(#[from] BadPayment),
}

impl Gate {
    /// Takes one step: something happened at a lane. Nothing follows where there is no such lane.
    pub fn step(&mut self, lane: &LaneId, input: Input, now: Stamp, ids: Ids) -> Commit {
        let mut commit = Commit::default();
        if let Some(place) = self.lanes.iter().position(|l| l.config().id == *lane) {
            self.turn(place, now, ids, &mut commit, |lane, turn| lane.step(input, turn));
            self.reconsider_after(now, ids, &mut commit);
        }
        commit
    }

    /// Takes a payment; a vehicle that waits at an exit for it is let out in the same commit.
    ///
    /// # Errors
    /// When no vehicle is inside by the session, or the amount cannot be paid.
    pub fn pay(&mut self, payment: Payment, now: Stamp, ids: Ids) -> Result<Commit, PaymentError> {
        let Payment { session, amount, method, by, from_cloud } = payment;
        let inside = self.knowledge.session(session).ok_or(PaymentError::NotInside(session))?;
        inside.session.clone().pay(amount, now.wall)?;
        let mut commit = Commit::default();
        let directive = from_cloud.map(|from| from.directive);
        let paid_at = from_cloud.and_then(|from| {
            now.wall.checked_sub_signed(TimeDelta::try_milliseconds(from.ago_ms.max(0))?)
        });
        let paid = Fact::Paid { session, amount_fen: amount.0, method, by, directive, paid_at };
        self.knowledge.apply(&paid, now);
        commit.record(paid);
        self.reconsider_after(now, ids, &mut commit);
        Ok(commit)
    }

    /// When a lane wants a [`Input::Tick`] at the latest, and which, on the monotonic clock in
    /// milliseconds.
    pub fn next_deadline(&self) -> Option<(u64, &LaneId)> {
        let deadlines =
            self.lanes.iter().filter_map(|l| Some((l.next_deadline()?, &l.config().id)));
        deadlines.min()
    }

    /// What the gate knows.
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    /// How the lanes are, in the order of the configuration.
    pub fn views(&self, now: Stamp) -> Vec<LaneView> {
        self.lanes.iter().map(|lane| lane.view(now.monotonic_ms)).collect()
    }

    /// Vehicles that were let in and have not driven through yet.
    fn expected(&self) -> usize {
        let entries = self.lanes.iter().filter(|l| l.config().direction == Direction::Entry);
        entries.map(Lane::authorised).sum()
    }

    /// A payment, a free place or the cloud's word may be what somebody waits for, at any lane.
    fn reconsider_after(&mut self, now: Stamp, ids: Ids, commit: &mut Commit) {
        let may_help = |fact: &Fact| {
            matches!(
                fact,
                Fact::Paid { .. }
                    | Fact::SessionClosed { .. }
                    | Fact::SessionRenamed { .. }
                    | Fact::ListInEffect { .. }
                    | Fact::ParametersSet { .. }
            )
        };
        if commit.facts().iter().any(may_help) {
            for place in 0..self.lanes.len() {
                self.turn(place, now, ids, commit, |lane, turn| {
                    lane.reconsider(turn);
                    lane.settle(turn);
                });
            }
        }
    }

    fn turn(
        &mut self,
        place: usize,
        now: Stamp,
        ids: Ids,
        commit: &mut Commit,
        act: impl FnOnce(&mut Lane, &mut Turn),
    ) {
        let expected = self.expected();
        let (parking, knowledge) = (&self.parking, &mut self.knowledge);
        let mut turn = Turn { now, parking, knowledge, expected, ids, commit };
        act(&mut self.lanes[place], &mut turn);
    }
}
