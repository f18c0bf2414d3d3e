//! Decisions on what a person asks for.

use domain::event::{Decision, Rule, Verdict};

use super::{Lane, Turn};
use crate::gate::{config::Answer, input::Requester, policy::Ruling};

impl Lane {
    /// A person wants the barrier to open, for the vehicle that waits if there is one.
    pub(super) fn request(&mut self, by: Requester, turn: &mut Turn) {
        if self.asked_again(turn) {
            return;
        }
        let vehicle = self.take_waiting(turn.now_ms());
        let otherwise = vehicle.as_ref().map(|vehicle| self.ask_policy(vehicle, turn));
        let ruling = self.answer(&by, otherwise);
        let ruling = self.as_the_barrier_can(ruling);
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

    /// Pressing twice lets one vehicle through, not two.
    fn asked_again(&self, turn: &mut Turn) -> bool {
        let again = self.waiting.is_none() && self.queue.iter().any(|next| next.by_request);
        if again {
            let reason = "the barrier is opening on an earlier request".to_owned();
            let cooldown = Ruling::new(Verdict::Refuse, Rule::Cooldown, reason);
            self.note(cooldown, None, turn);
        }
        again
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
