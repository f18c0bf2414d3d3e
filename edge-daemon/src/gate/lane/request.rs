//! Decisions on what a person asks for.

use domain::event::{Decision, Rule, Verdict};

use super::{Lane, Turn};
use crate::gate::{config::Answer, input::Requester, policy::Ruling};

impl Lane {
    /// A person wants the barrier to open, for the vehicle that waits if there is one.
    pub(super) fn request(&mut self, by: Requester, turn: &mut Turn) {
        let vehicle = self.take_waiting(turn.now_ms());
        let ruling = if vehicle.is_none() && self.has_opened_on_request() {
            let reason = "the barrier is open on an earlier request".into();
            Ruling::new(Verdict::Refuse, Rule::Cooldown, reason)
        } else {
            let otherwise = vehicle.as_ref().map(|vehicle| self.ask_policy(vehicle, turn));
            self.as_the_barrier_can(self.answer(&by, otherwise))
        };
        let name = match by {
            Requester::Operator(name) => name,
            Requester::Button => "button".into(),
        };
        let draft = self.draft(ruling, vehicle.as_ref(), turn);
        let decision = Decision { requested_by: Some(name), ..draft };
        turn.record_decision(&decision);
        match decision.verdict {
            Verdict::Open => self.let_through(&decision, vehicle, turn),
            Verdict::Refuse => self.waiting = vehicle,
        }
    }

    /// Whether somebody has leave on a request and has not driven through: pressing twice lets
    /// one vehicle through, not two.
    fn has_opened_on_request(&self) -> bool {
        self.queue.iter().any(|next| next.by_request)
    }

    fn answer(&self, by: &Requester, otherwise: Option<Ruling>) -> Ruling {
        let (verdict, rule, asked) = match by {
            Requester::Operator(name) => (Verdict::Open, Rule::Operator, format!("{name} opened")),
            Requester::Button if self.config.button == Answer::Open => {
                (Verdict::Open, Rule::Button, "the button was pressed".into())
            }
            Requester::Button => {
                let reason = "the button was pressed and opens nothing here".into();
                (Verdict::Refuse, Rule::Button, reason)
            }
        };
        match otherwise {
            Some(other) => {
                let reason = format!("{asked}; otherwise: {}", other.reason);
                Ruling { verdict, rule, reason, ..other }
            }
            None => Ruling::new(verdict, rule, asked),
        }
    }
}
