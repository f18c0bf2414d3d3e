//! Fire and power loss, and an arm that comes down on something: openings that nobody asked for.

use domain::{
    event::{Rule, Verdict},
    ids::DecisionId,
};

use super::{Lane, Turn};
use crate::gate::{config::Fail, policy::Ruling};

/// An input that is active, and what was decided about it.
#[derive(Debug, Clone)]
pub(super) struct Alarm {
    pub rule: Rule,
    decision: DecisionId,
    /// When it is decided on again, should the arm not be up by then.
    retry_ms: u64,
}

impl Lane {
    pub(super) fn is_held_open(&self) -> bool {
        self.config.fail == Fail::Open && self.alarm.is_some()
    }

    /// The decision that holds the lane open, which everybody passes by.
    pub(super) fn holding_decision(&self) -> Option<DecisionId> {
        self.alarm.as_ref().filter(|_| self.is_held_open()).map(|alarm| alarm.decision)
    }

    /// Decides once when an input becomes active, and again while the arm does not rise: people
    /// may be behind it.
    pub(super) fn follow_alarms(&mut self, turn: &mut Turn) {
        let Some((rule, input)) = self.active_input() else {
            self.alarm = None;
            return;
        };
        let begins = self.alarm.is_none();
        if begins || self.wants_retry(turn.now_ms()) {
            let (verdict, does) = match self.config.fail {
                Fail::Open => (Verdict::Open, "the lane opens"),
                Fail::Closed => (Verdict::Refuse, "the lane goes on as always"),
            };
            let ruling = Ruling::new(verdict, rule, format!("{input}: {does}"));
            let decision = self.note(ruling, None, turn);
            let retry_ms = turn.now_ms() + self.pass_ms();
            self.alarm = Some(Alarm { rule, decision, retry_ms });
            if self.is_held_open() && !self.barrier.is_rising() && self.barrier.is_usable() {
                self.barrier.open(decision, &self.config, turn);
            }
            if begins {
                self.reconsider(turn);
            }
        }
    }

    fn active_input(&self) -> Option<(Rule, &'static str)> {
        let power = || self.barrier.on_battery().then_some((Rule::PowerLoss, "power is lost"));
        let fire = self.barrier.fire().then_some((Rule::Fire, "the fire input is active"));
        fire.or_else(power)
    }

    fn wants_retry(&self, now_ms: u64) -> bool {
        self.alarm_deadline().is_some_and(|retry_ms| retry_ms <= now_ms)
    }

    pub(super) fn alarm_deadline(&self) -> Option<u64> {
        let could_rise = self.barrier.is_usable() && !self.barrier.is_rising();
        let alarm = self.alarm.as_ref().filter(|_| self.is_held_open() && could_rise);
        alarm.map(|alarm| alarm.retry_ms)
    }

    /// The arm comes down on something: raises it again, unless that is under way.
    pub(super) fn reopen(&mut self, turn: &mut Turn) {
        if self.barrier.is_rising() || !self.barrier.is_usable() {
            return;
        }
        let reason = "something is under the arm while it comes down".to_owned();
        let ruling = Ruling::new(Verdict::Open, Rule::Obstructed, reason);
        let decision = self.note(ruling, None, turn);
        self.barrier.open(decision, &self.config, turn);
    }
}
