//! Commands on their way: which await an answer, and which await the arm.

use domain::{
    event::{Action, Fact, Outcome},
    ids::{CommandId, DecisionId},
};

use super::{Barrier, Fault, News};
use crate::gate::{
    commit::COMMAND_LIFE_MS,
    config::LaneConfig,
    input::{Arm, CommandResult},
    turn::Turn,
};

/// How much longer than a command's life its answer is awaited: the link may know more.
const ANSWER_SLACK_MS: u64 = 500;

/// What the arm was told last and has not done yet.
#[derive(Debug, Clone)]
pub(super) struct Motion {
    command: CommandId,
    decision: DecisionId,
    action: Action,
    due_ms: u64,
    /// Whether the arm has left where it stood.
    pub moved: bool,
}

/// A command whose outcome is not known.
#[derive(Debug, Clone)]
pub(super) struct Unanswered {
    command: CommandId,
    decision: DecisionId,
    action: Action,
    until_ms: u64,
}

impl Motion {
    pub fn is_opening(&self) -> bool {
        self.action == Action::Open
    }

    pub fn is_reached(&self, arm: Arm) -> bool {
        arm == if self.is_opening() { Arm::Open } else { Arm::Closed }
    }
}

impl Barrier {
    pub(super) fn command(
        &mut self,
        action: Action,
        decision: DecisionId,
        lane: &LaneConfig,
        turn: &mut Turn,
    ) {
        let command = turn.command(lane, decision, action);
        let now_ms = turn.now_ms();
        let until_ms = now_ms + COMMAND_LIFE_MS + ANSWER_SLACK_MS;
        self.unanswered.push(Unanswered { command, decision, action, until_ms });
        let timeout_s = match action {
            Action::Open => lane.open_timeout_s,
            Action::Close => lane.close_timeout_s,
        };
        let due_ms = now_ms + u64::from(timeout_s) * 1000;
        self.motion = Some(Motion { command, decision, action, due_ms, moved: false });
    }

    /// Takes the outcome of a command. One that is not awaited (any more) changes nothing.
    pub fn result(
        &mut self,
        result: CommandResult,
        lane: &LaneConfig,
        turn: &mut Turn,
    ) -> Option<News> {
        let place = self.unanswered.iter().position(|sent| sent.command == result.command)?;
        let sent = self.unanswered.remove(place);
        let CommandResult { command, outcome, elapsed_ms, vote_to_wire_ms, capture_to_wire_ms } =
            result;
        turn.record(Fact::CommandOutcome {
            command,
            outcome,
            elapsed_ms,
            vote_to_wire_ms,
            capture_to_wire_ms,
        });
        let moved_nothing = matches!(outcome, Outcome::Expired | Outcome::Refused);
        if moved_nothing { self.give_up(&sent, lane, turn) } else { None }
    }

    /// A command that certainly moved nothing is over.
    fn give_up(&mut self, sent: &Unanswered, lane: &LaneConfig, turn: &Turn) -> Option<News> {
        if self.motion.as_ref().is_some_and(|motion| motion.command == sent.command) {
            self.motion = None;
        }
        self.undone(sent.action, sent.decision, lane, turn)
    }

    fn undone(
        &mut self,
        action: Action,
        decision: DecisionId,
        lane: &LaneConfig,
        turn: &Turn,
    ) -> Option<News> {
        match action {
            Action::Open => {
                let is_down = self.arm == Some(Arm::Closed);
                self.raised_by = self.raised_by.filter(|by| !(is_down && *by == decision));
                Some(News::NotMoved(decision))
            }
            Action::Close => {
                self.close_not_before_ms = turn.now_ms() + u64::from(lane.pass_timeout_s) * 1000;
                None
            }
        }
    }

    /// Notices what has not happened in time.
    pub fn tick(&mut self, lane: &LaneConfig, turn: &mut Turn) -> Option<News> {
        self.stop_awaiting_answers(turn);
        self.notice_occupied(lane, turn);
        self.notice_overdue_motion(lane, turn)
    }

    fn stop_awaiting_answers(&mut self, turn: &mut Turn) {
        let now_ms = turn.now_ms();
        for sent in self.unanswered.extract_if(.., |sent| sent.until_ms <= now_ms) {
            turn.record(Fact::CommandOutcome {
                command: sent.command,
                outcome: Outcome::Unanswered,
                elapsed_ms: None,
                vote_to_wire_ms: None,
                capture_to_wire_ms: None,
            });
        }
    }

    fn notice_occupied(&mut self, lane: &LaneConfig, turn: &mut Turn) {
        if self.occupied_due_ms(lane).is_some_and(|due_ms| due_ms <= turn.now_ms()) {
            self.faults.raise(Fault::Occupied, lane, turn);
        }
    }

    fn occupied_due_ms(&self, lane: &LaneConfig) -> Option<u64> {
        let since_ms = self.occupied_since_ms.filter(|_| !self.faults.contains(Fault::Occupied));
        since_ms.map(|since_ms| since_ms + u64::from(lane.occupied_timeout_s) * 1000)
    }

    fn notice_overdue_motion(&mut self, lane: &LaneConfig, turn: &mut Turn) -> Option<News> {
        let motion = self.motion.take_if(|motion| motion.due_ms <= turn.now_ms())?;
        let fault = match motion.action {
            _ if !motion.moved => Fault::Stuck,
            Action::Open => Fault::OpenTimeout,
            Action::Close => Fault::CloseTimeout,
        };
        self.faults.raise(fault, lane, turn);
        let undone = !motion.moved || motion.action == Action::Close;
        if undone { self.undone(motion.action, motion.decision, lane, turn) } else { None }
    }

    /// When something is due next, on the monotonic clock in milliseconds. `wants_close` is
    /// whether the lane would have the arm down.
    pub fn next_deadline(&self, lane: &LaneConfig, wants_close: bool) -> Option<u64> {
        let answers = self.unanswered.iter().map(|sent| sent.until_ms);
        let motion = self.motion.as_ref().map(|motion| motion.due_ms);
        let close = self.closable_for().filter(|_| wants_close).map(|_| self.close_not_before_ms);
        answers.chain(motion).chain(close).chain(self.occupied_due_ms(lane)).min()
    }
}
