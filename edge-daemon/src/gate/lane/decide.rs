//! Decisions about vehicles: those that a camera sees, and those that wait.

use domain::{
    event::{Decision, Direction, Latency, Rule, Verdict},
    ids::DecisionId,
    plate,
};

use super::{Authorisation, Lane, Sighting, Turn};
use crate::gate::policy::{self, Query, Ruling};

impl Lane {
    /// A camera saw a vehicle. One that was decided on a moment ago is not decided on again, but
    /// for one that was refused and would be let through now.
    pub(super) fn see(&mut self, mut sighting: Sighting, turn: &mut Turn) {
        normalise(&mut sighting);
        if let Some(authorised) = self.queue.iter().find(|next| next.is_for(&sighting)) {
            // Should it turn out that nothing moved for it before the start, it waits.
            self.waiting = self.waiting.take().or(authorised.resumed.then_some(sighting));
            return;
        }
        let ruling = self.rule(&sighting, turn);
        if !self.is_settled(&sighting, &ruling, turn) {
            let decide_ms = turn.now_ms().saturating_sub(sighting.arrived_ms) as f32;
            let latency = Latency { decide_ms, ..sighting.latency };
            self.act(ruling, sighting, latency, turn);
        }
    }

    /// Whether a decision of a moment ago stands. Its first repetition is recorded.
    fn is_settled(&mut self, sighting: &Sighting, ruling: &Ruling, turn: &mut Turn) -> bool {
        let now_ms = turn.now_ms();
        let since_ms = now_ms.saturating_sub(u64::from(self.config.cooldown_s) * 1000);
        let Some(settled) = self.recent.of(sighting, since_ms) else { return false };
        if settled.verdict == Verdict::Refuse && settled.differs(sighting, ruling.rule) {
            return false;
        }
        let is_news = !settled.is_passage(sighting) && !std::mem::replace(&mut settled.noted, true);
        let ago_s = now_ms.saturating_sub(settled.at_ms) / 1000;
        if is_news {
            let reason = format!("the same vehicle was decided on {ago_s} s ago");
            let cooldown = Ruling::new(Verdict::Refuse, Rule::Cooldown, reason);
            self.note(cooldown, Some(sighting), turn);
        }
        true
    }

    /// Decides anew on the vehicle that waits, where it would be let through now.
    pub fn reconsider(&mut self, turn: &mut Turn) {
        let Some(vehicle) = self.take_waiting(turn.now_ms()) else { return };
        let ruling = self.rule(&vehicle, turn);
        if ruling.verdict == Verdict::Open {
            // What it waited for was no work of ours.
            self.act(ruling, vehicle, Latency::default(), turn);
        } else {
            self.waiting = Some(vehicle);
        }
    }

    /// What the policy, an alarm and the state of the barrier make of a vehicle.
    fn rule(&self, vehicle: &Sighting, turn: &Turn) -> Ruling {
        let ruling = self.ask_policy(vehicle, turn);
        let ruling = match &self.alarm {
            Some(alarm) if self.is_held_open() && ruling.verdict == Verdict::Refuse => {
                let reason = format!("the lane is held open; otherwise: {}", ruling.reason);
                Ruling { verdict: Verdict::Open, rule: alarm.rule, reason, ..ruling }
            }
            _ => ruling,
        };
        self.as_the_barrier_can(ruling)
    }

    pub(super) fn ask_policy(&self, vehicle: &Sighting, turn: &Turn) -> Ruling {
        policy::decide(&Query {
            lane: &self.config,
            parking: turn.parking,
            knowledge: turn.knowledge,
            plate: &vehicle.plate,
            now: turn.now,
            expected: turn.expected,
        })
    }

    pub(super) fn as_the_barrier_can(&self, ruling: Ruling) -> Ruling {
        if ruling.verdict == Verdict::Refuse || self.barrier.is_usable() {
            return ruling;
        }
        let what = if self.barrier.is_online() { "has a fault" } else { "does not answer" };
        let reason = format!("the barrier {what}; otherwise: {}", ruling.reason);
        Ruling { verdict: Verdict::Refuse, rule: Rule::BarrierFault, reason, ..ruling }
    }

    fn act(&mut self, ruling: Ruling, vehicle: Sighting, latency: Latency, turn: &mut Turn) {
        let decision = Decision { latency, ..self.draft(ruling, Some(&vehicle), turn) };
        turn.record_decision(&decision);
        self.recent.settle(&vehicle, &decision, turn.now_ms());
        match decision.verdict {
            Verdict::Open => self.let_through(&decision, Some(vehicle), turn),
            Verdict::Refuse => self.waiting = Some(vehicle),
        }
    }

    /// The vehicle may drive through. The arm is raised when the lane settles.
    pub(super) fn let_through(
        &mut self,
        decision: &Decision,
        vehicle: Option<Sighting>,
        turn: &mut Turn,
    ) {
        let lapses_ms = turn.now_ms() + self.open_ms() + self.pass_ms();
        turn.expected += usize::from(self.config.direction == Direction::Entry);
        self.waiting = None;
        self.authorise(Authorisation::of(decision, vehicle, lapses_ms));
    }

    /// A decision that nobody asked for and that opens nothing by itself.
    pub(super) fn note(
        &self,
        ruling: Ruling,
        vehicle: Option<&Sighting>,
        turn: &mut Turn,
    ) -> DecisionId {
        let decision = self.draft(ruling, vehicle, turn);
        turn.record_decision(&decision);
        decision.id
    }

    pub(super) fn draft(
        &self,
        ruling: Ruling,
        vehicle: Option<&Sighting>,
        turn: &mut Turn,
    ) -> Decision {
        Decision {
            id: turn.new_decision(),
            lane: self.config.id.clone(),
            direction: self.config.direction,
            verdict: ruling.verdict,
            rule: ruling.rule,
            reason: ruling.reason,
            plate: vehicle.map(|vehicle| vehicle.plate.clone()),
            candidates: ruling.candidates,
            fee_fen: ruling.fee.map(|fee| fee.0),
            session: ruling.session,
            requested_by: None,
            latency: Latency::default(),
            permits_age_s: turn.knowledge.lists.age_s(turn.now),
            permits_version: turn.knowledge.lists.version(),
        }
    }
}

/// Whatever the cameras report, plates are compared in their normal form.
fn normalise(sighting: &mut Sighting) {
    let plate = &mut sighting.plate;
    plate.text = plate::normal_form(&plate.text);
    if plate.region.is_empty()
        && let Some(region) = plate::region(&plate.text)
    {
        plate.region = region.as_str().into();
    }
}
