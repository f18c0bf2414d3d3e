//! Who goes where, and what happens by itself as time passes.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    AtSite, Cause, Event, Mode, Pile, PileId, PileStatus, Rank, Request, Running, Station, What,
};

impl Station {
    /// Lets everything happen that is due up to a moment, each thing when it was due.
    pub fn advance(&mut self, now_ms: i64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some((due_ms, pile)) = self.next_due().filter(|(due_ms, _)| *due_ms <= now_ms) {
            self.step(due_ms, &mut events, |station, events| {
                station.end(pile, due_ms, Cause::Full, events);
            });
        }
        events
    }

    /// How long each of those who wait will still wait, in milliseconds, if nobody changes
    /// anything: the future of a copy. Piles out of service count as back now where their mode
    /// has no other.
    pub fn waits_ms(&self, now_ms: i64) -> BTreeMap<Uuid, i64> {
        let (mut future, mut events) = (self.clone(), Vec::new());
        future.revive();
        future.forget_sites(now_ms);
        future.dispatch(now_ms, &mut events);
        while future.somebody_waits()
            && let Some((due_ms, pile)) = future.next_due()
        {
            future.end(pile, due_ms, Cause::Full, &mut events);
            future.dispatch(due_ms, &mut events);
        }
        let starts = events.into_iter().filter(|e| matches!(e.what, What::Started { .. }));
        starts.map(|event| (event.request.id, (event.at_ms - now_ms).max(0))).collect()
    }

    fn somebody_waits(&self) -> bool {
        !self.waiting.is_empty() || self.piles.values().any(|pile| !pile.queue.is_empty())
    }

    fn revive(&mut self) {
        for mode in Mode::ALL {
            let mut piles: Vec<_> =
                self.piles.iter_mut().filter(|(id, _)| id.mode == mode).map(|(_, p)| p).collect();
            if !piles.iter().any(|pile| pile.is_in_service()) {
                piles.iter_mut().for_each(|pile| pile.status = PileStatus::Normal);
            }
        }
    }

    /// Does something at a moment, sends everybody where there is room, and tells those whose
    /// place has become another.
    pub(super) fn step(
        &mut self,
        at_ms: i64,
        events: &mut Vec<Event>,
        act: impl FnOnce(&mut Self, &mut Vec<Event>),
    ) {
        let before = self.places();
        act(self, events);
        self.dispatch(at_ms, events);
        let after = self.places();
        let moved = |request: &Request| {
            let place = *after.get(&request.id)?;
            let request = (before.get(&request.id) != Some(&place)).then(|| request.clone())?;
            Some(Event { at_ms, request, what: What::Moved(place) })
        };
        for mode in Mode::ALL {
            events.extend(self.queue(mode).into_iter().filter_map(moved));
        }
    }

    /// Ends what a pile is doing, where it does something.
    pub(super) fn end(&mut self, id: PileId, at_ms: i64, cause: Cause, events: &mut Vec<Event>) {
        let Some(pile) = self.piles.get_mut(&id) else { return };
        let Some(running) = pile.running.take() else { return };
        if pile.retired {
            self.piles.remove(&id);
        }
        let Some(mut request) = self.requests.remove(&running.request) else { return };
        let energy_wh = running.metered_wh(&request, at_ms);
        request.delivered_wh += energy_wh;
        if cause == Cause::PileDown {
            request.rank = Rank::Interrupted;
            self.waiting.push(request.id);
            self.requests.insert(request.id, request.clone());
            self.sort_waiting();
        }
        let what = What::Ended { pile: id, running, energy_wh, cause };
        events.push(Event { at_ms, request, what });
    }

    /// Sends everybody where there is room.
    fn dispatch(&mut self, at_ms: i64, events: &mut Vec<Event>) {
        for mode in Mode::ALL {
            while self.start_next(mode, at_ms, events)
                || self.call_next(mode, at_ms)
                || self.take_over(mode)
            {}
        }
    }

    /// An idle pile starts with the first in its queue.
    fn start_next(&mut self, mode: Mode, at_ms: i64, events: &mut Vec<Event>) -> bool {
        let power_w = self.parameters.power_w(mode);
        let ready = |pile: &Pile| pile.running.is_none() && !pile.queue.is_empty();
        let next = self.in_service(mode).find(|(_, pile)| ready(pile)).map(|(id, _)| id);
        let Some((id, pile)) = next.and_then(|id| Some((id, self.piles.get_mut(&id)?))) else {
            return false;
        };
        let request = pile.queue.remove(0);
        let site = pile.driven.then(AtSite::default);
        pile.running = Some(Running { request, started_at_ms: at_ms, power_w, site });
        let what = match site {
            Some(_) => What::Assigned { pile: id, power_w },
            None => What::Started { pile: id, power_w },
        };
        if let Some(request) = self.requests.get(&request).cloned() {
            events.push(Event { at_ms, request, what });
        }
        true
    }

    /// The first in the waiting area goes to the pile with room that finishes it soonest.
    fn call_next(&mut self, mode: Mode, at_ms: i64) -> bool {
        let of_mode = |id: &Uuid| self.requests.get(id).is_some_and(|r| r.mode == mode);
        let Some(index) = self.waiting.iter().position(of_mode) else { return false };
        let room = self.parameters.queue_length as usize;
        let with_room = self.in_service(mode).filter(|(_, pile)| pile.load() < room);
        // Its own charging time is the same at every pile of its mode.
        let Some((_, id)) = with_room.map(|(id, pile)| (self.wait_at(pile, at_ms), id)).min()
        else {
            return false;
        };
        let request = self.waiting.remove(index);
        self.piles.entry(id).and_modify(|pile| pile.queue.push(request));
        true
    }

    /// A pile that would stand idle takes over the first who waits at another one.
    fn take_over(&mut self, mode: Mode) -> bool {
        let Some((idle, _)) = self.in_service(mode).find(|(_, pile)| pile.load() == 0) else {
            return false;
        };
        let Some(first) = self.queue(mode).first().map(|request| request.id) else { return false };
        self.waiting.retain(|id| *id != first);
        for (id, pile) in &mut self.piles {
            pile.queue.retain(|id| *id != first);
            if *id == idle {
                pile.queue.push(first);
            }
        }
        true
    }

    /// How long somebody who comes to a pile waits there, in milliseconds.
    fn wait_at(&self, pile: &Pile, at_ms: i64) -> i64 {
        let running = pile.running.as_ref().and_then(|running| {
            let request = self.requests.get(&running.request)?;
            Some((running.ends_at_ms(request) - at_ms).max(0))
        });
        let ahead = pile.queue.iter().filter_map(|id| self.requests.get(id));
        let ahead_ms: i64 = ahead.map(|request| self.charging_ms(request)).sum();
        running.unwrap_or_default() + ahead_ms
    }

    fn in_service(&self, mode: Mode) -> impl Iterator<Item = (PileId, &Pile)> {
        let usable = move |(id, pile): &(&PileId, &Pile)| id.mode == mode && pile.is_in_service();
        self.piles.iter().filter(usable).map(|(id, pile)| (*id, pile))
    }

    /// Whether somebody new can stay: at a pile, or in the waiting area.
    pub(super) fn has_place(&self, mode: Mode) -> bool {
        let room = self.parameters.queue_length as usize;
        self.waiting.len() < self.waiting_places()
            || self.in_service(mode).any(|(_, pile)| pile.load() < room)
    }

    pub(super) const fn waiting_places(&self) -> usize {
        self.parameters.waiting_places as usize
    }

    pub(super) fn sort_waiting(&mut self) {
        let requests = &self.requests;
        self.waiting.sort_by_key(|id| requests.get(id).map(Request::order));
    }
}
