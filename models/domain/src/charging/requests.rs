//! What users do: ask, change, call off, end.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Cause, Event, Mode, Refusal, Station, Stopping, What};

/// Who is served first within a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Was charging at a pile that went out of service.
    Interrupted,
    /// Waited at a pile that went out of service.
    HandedBack,
    /// Everybody else.
    Usual,
}

/// An active request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub user: i64,
    /// How to charge.
    pub mode: Mode,
    /// Its queue number without the letter, counted per day and mode.
    pub number: u32,
    /// Orders requests by when they got their number.
    pub ticket: i64,
    /// Whether it goes before others.
    pub rank: Rank,
    /// How much is wanted in all, in watt-hours.
    pub requested_wh: i64,
    /// What the battery holds, where that is known, in watt-hours.
    pub battery_wh: Option<i64>,
    /// What earlier piles have delivered, in watt-hours.
    pub delivered_wh: i64,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
}

/// A request that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub user: i64,
    /// How to charge.
    pub mode: Mode,
    /// How much is wanted, in watt-hours, more than 0.
    pub requested_wh: i64,
    /// What the battery holds, where that is known, in watt-hours.
    pub battery_wh: Option<i64>,
}

impl Request {
    /// As people see it: `F12`, `T3`.
    pub fn queue_number(&self) -> String {
        format!("{}{}", self.mode.letter(), self.number)
    }

    /// What is still to be delivered, in watt-hours.
    pub const fn remaining_wh(&self) -> i64 {
        self.requested_wh - self.delivered_wh
    }

    pub(super) const fn order(&self) -> (Rank, i64) {
        (self.rank, self.ticket)
    }
}

fn within_battery(amount_wh: i64, battery_wh: Option<i64>) -> Result<(), Refusal> {
    if battery_wh.is_some_and(|battery| amount_wh > battery) {
        return Err(Refusal::OverCapacity);
    }
    Ok(())
}

impl Station {
    /// Takes a request at a moment, which is on `day` at the site.
    ///
    /// # Errors
    /// [`Refusal::OverCapacity`], [`Refusal::Duplicate`], [`Refusal::QueueFull`].
    pub fn submit(
        &mut self,
        now_ms: i64,
        day: NaiveDate,
        new: NewRequest,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        within_battery(new.requested_wh, new.battery_wh)?;
        if self.request_of(new.user).is_some() {
            return Err(Refusal::Duplicate);
        }
        if !self.has_place(new.mode) {
            return Err(Refusal::QueueFull);
        }
        let (number, ticket) = self.numbers.next(new.mode, day);
        let request = Request {
            id: new.id,
            user: new.user,
            mode: new.mode,
            number,
            ticket,
            rank: Rank::Usual,
            requested_wh: new.requested_wh,
            battery_wh: new.battery_wh,
            delivered_wh: 0,
            created_at_ms: now_ms,
        };
        self.step(now_ms, &mut events, |station, _| station.line_up(request));
        Ok(events)
    }

    /// Changes what is not charging yet. Another amount keeps its place; another mode gets a new
    /// number at the end of the other queue.
    ///
    /// # Errors
    /// [`Refusal::NoRequest`], [`Refusal::Charging`], [`Refusal::OverCapacity`],
    /// [`Refusal::Delivered`], [`Refusal::QueueFull`].
    pub fn change(
        &mut self,
        now_ms: i64,
        day: NaiveDate,
        id: Uuid,
        mode: Option<Mode>,
        requested_wh: Option<i64>,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        let mut request = self.waiting_request(id)?.clone();
        request.requested_wh = requested_wh.unwrap_or(request.requested_wh);
        within_battery(request.requested_wh, request.battery_wh)?;
        if request.remaining_wh() <= 0 {
            return Err(Refusal::Delivered);
        }
        match mode.filter(|mode| *mode != request.mode) {
            None => {
                self.requests.insert(id, request);
            }
            Some(mode) => {
                let mut changed = self.clone();
                changed.step(now_ms, &mut events, |station, _| {
                    station.remove(id);
                    (request.number, request.ticket) = station.numbers.next(mode, day);
                    (request.mode, request.rank) = (mode, Rank::Usual);
                    station.line_up(request);
                });
                if changed.waiting.len() > self.waiting.len().max(self.waiting_places()) {
                    return Err(Refusal::QueueFull);
                }
                *self = changed;
            }
        }
        Ok(events)
    }

    /// Calls off what is not charging yet. Where a site is about to charge it, the site is asked,
    /// and what it has begun meanwhile is billed.
    ///
    /// # Errors
    /// [`Refusal::NoRequest`], [`Refusal::Charging`].
    pub fn cancel(&mut self, now_ms: i64, id: Uuid) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        if let Some((pile, _)) =
            self.running(id).filter(|(_, running)| running.site.is_some_and(|site| !site.began))
        {
            self.ask_to_stop(pile, now_ms, Stopping::Cancelled, &mut events);
            return Ok(events);
        }
        let request = self.waiting_request(id)?.clone();
        self.step(now_ms, &mut events, |station, events| {
            station.remove(id);
            events.push(Event { at_ms: now_ms, request, what: What::Cancelled });
        });
        Ok(events)
    }

    /// Ends what is charging; what a site charges has ended when the site says so.
    ///
    /// # Errors
    /// [`Refusal::NoRequest`], [`Refusal::NotCharging`].
    pub fn complete(&mut self, now_ms: i64, id: Uuid) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        if !self.requests.contains_key(&id) {
            return Err(Refusal::NoRequest);
        }
        let (pile, running) = self.running(id).ok_or(Refusal::NotCharging)?;
        match running.site {
            Some(site) if site.began => {
                self.ask_to_stop(pile, now_ms, Stopping::Enough, &mut events);
                return Ok(events);
            }
            Some(_) => return Err(Refusal::NotCharging),
            None => {}
        }
        self.step(now_ms, &mut events, |station, events| {
            station.end(pile, now_ms, Cause::Stopped, events);
        });
        Ok(events)
    }

    fn waiting_request(&self, id: Uuid) -> Result<&Request, Refusal> {
        let request = self.requests.get(&id).ok_or(Refusal::NoRequest)?;
        if self.running(id).is_some() { Err(Refusal::Charging) } else { Ok(request) }
    }

    fn line_up(&mut self, request: Request) {
        self.waiting.push(request.id);
        self.requests.insert(request.id, request);
        self.sort_waiting();
    }

    fn remove(&mut self, id: Uuid) {
        self.requests.remove(&id);
        self.waiting.retain(|waiting| *waiting != id);
        for pile in self.piles.values_mut() {
            pile.queue.retain(|waiting| *waiting != id);
        }
    }
}
