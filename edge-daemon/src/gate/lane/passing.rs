//! The queue of those who may drive through, from the arm's first move to the trailing edge.

use domain::{event::Fact, ids::DecisionId};

use super::{Authorisation, Lane, Turn};

/// Most vehicles that may be on their way through one lane. The first of more has given up.
const MOST_AUTHORISED: usize = 8;

impl Lane {
    pub(super) fn authorise(&mut self, authorisation: Authorisation) {
        if self.queue.len() == MOST_AUTHORISED {
            self.queue.remove(0);
        }
        self.queue.push(authorisation);
    }

    /// Has the arm raised for the first who was not yet commanded for. Once for each: whoever was
    /// and still does not get through is decided on anew.
    pub(super) fn open_for_the_next(&mut self, turn: &mut Turn) {
        if self.barrier.is_rising() || !self.barrier.is_usable() {
            return;
        }
        if let Some(next) = self.queue.iter_mut().find(|next| next.commanded_ms.is_none()) {
            next.commanded_ms = Some(turn.now_ms());
            self.barrier.open(next.decision, &self.config, turn);
        }
    }

    /// Something has driven through: the first who may, or somebody who followed without leave.
    pub(super) fn passed(&mut self, turn: &mut Turn) {
        if !self.queue.is_empty() {
            let first = self.queue.remove(0);
            if let Some(vehicle) = &first.vehicle {
                self.recent.touch(vehicle, turn.now_ms());
            }
            self.waiting = self.waiting.take().filter(|vehicle| !first.is_for(vehicle));
            first.pass(&self.config, turn);
            self.give_time_from(turn.now_ms());
            return;
        }
        let decision = self.holding_decision();
        if decision.is_none() && self.barrier.raised_by().is_some() {
            let decision = self.barrier.raised_by();
            turn.record(Fact::Tailgate { lane: self.config.id.clone(), decision });
        }
        let (lane, direction) = (self.config.id.clone(), self.config.direction);
        turn.record(Fact::Passage { lane, direction, decision });
    }

    /// The arm is up: for the first who was commanded for, whatever moved it in the end.
    pub(super) fn is_up(&mut self, now_ms: u64) {
        if let Some(first) = self.queue.iter().find(|next| next.commanded_ms.is_some()) {
            self.barrier.assume_raised_by(first.decision);
        }
        self.give_time_from(now_ms);
    }

    /// Everybody in the queue can drive through from now on.
    pub(super) fn give_time_from(&mut self, now_ms: u64) {
        let lapses_ms = now_ms + self.pass_ms();
        self.queue.iter_mut().for_each(|next| next.lapses_ms = lapses_ms);
    }

    /// Drops those who have not driven through in time, unless somebody is just doing so.
    pub(super) fn lapse(&mut self, turn: &mut Turn) {
        if self.barrier.is_occupied() {
            return;
        }
        let queue = std::mem::take(&mut self.queue);
        let in_time = |next: &Authorisation| turn.now_ms() < self.lapses_ms(next);
        let (in_time, lapsed): (Vec<_>, Vec<_>) = queue.into_iter().partition(in_time);
        self.queue = in_time;
        if lapsed.iter().any(|lapsed| lapsed.resumed) {
            self.reconsider(turn);
        }
    }

    /// When an authorisation ends. Where the arm is down again, its one command is used up.
    pub(super) fn lapses_ms(&self, of: &Authorisation) -> u64 {
        let used_up = of.commanded_ms.filter(|_| self.barrier.is_at_rest());
        used_up.map_or(of.lapses_ms, |commanded_ms| of.lapses_ms.min(commanded_ms + self.open_ms()))
    }

    /// The opening for `decision` has moved nothing: it is over, and its vehicle waits.
    pub(super) fn withdraw(&mut self, decision: DecisionId) {
        let place = self.queue.iter().position(|next| next.decision == decision);
        let vehicle = place.and_then(|place| self.queue.remove(place).vehicle);
        if let Some(vehicle) = vehicle {
            self.recent.forget(&vehicle);
            self.waiting = Some(vehicle);
        }
    }
}
