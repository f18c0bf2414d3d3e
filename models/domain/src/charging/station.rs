//! The state of a charging site, and what happens to it.
//!
//! What holds between any two steps: a request is at exactly one place (a pile, a pile's queue, or
//! the waiting area); a pile in service is idle only while nobody of its mode waits; the waiting
//! area is in the order in which it is served.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Mode, Parameters, Pile, PileId, Request, Running, Stopping, charge_ms};

/// The last numbers given out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The day that queue numbers were last given out for.
    pub day: NaiveDate,
    /// The last fast number of that day.
    pub fast: u32,
    /// The last slow number of that day.
    pub slow: u32,
    /// The last ticket; tickets order requests for ever.
    pub ticket: i64,
}

impl Numbers {
    /// The next queue number of a mode, and the next ticket. A day that is over does not come
    /// back, even where the clock does.
    pub(super) fn next(&mut self, mode: Mode, day: NaiveDate) -> (u32, i64) {
        if day > self.day {
            *self = Self { day, fast: 0, slow: 0, ticket: self.ticket };
        }
        let number = match mode {
            Mode::Fast => &mut self.fast,
            Mode::Slow => &mut self.slow,
        };
        *number += 1;
        self.ticket += 1;
        (*number, self.ticket)
    }
}

/// Something that happened, at the moment it was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in milliseconds UTC.
    pub at_ms: i64,
    /// To which request.
    pub request: Request,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Its place among those who wait is new.
    Moved(Place),
    /// A site is to charge it.
    Assigned {
        /// Where.
        pile: PileId,
        /// At which power, as far as that is known before, in watts.
        power_w: i64,
    },
    /// The site is to end what it charges.
    Stopping {
        /// Where.
        pile: PileId,
        /// Why.
        why: Stopping,
    },
    /// It did not begin at the site and is over.
    Released {
        /// Where it was to.
        pile: PileId,
    },
    /// It began to charge.
    Started {
        /// Where.
        pile: PileId,
        /// At which power, in watts.
        power_w: i64,
    },
    /// It no longer charges.
    Ended {
        /// Where it did.
        pile: PileId,
        /// Since when and at which power.
        running: Running,
        /// What the meter counted, in watt-hours.
        energy_wh: i64,
        /// Why.
        cause: Cause,
    },
    /// It was handed back by a pile that is out of service, and is served before others.
    HandedBack {
        /// The pile.
        pile: PileId,
    },
    /// It was called off.
    Cancelled,
}

/// Why a car no longer charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It has got what it wanted.
    Full,
    /// Its user ended it.
    Stopped,
    /// The pile went out of service; the rest is still to be delivered.
    PileDown,
}

/// Where somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Among all of the mode who do not charge, from 1.
    pub position: usize,
    /// At which pile; none in the waiting area.
    pub pile: Option<PileId>,
}

/// Why something is not done. Nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The user has an active request.
    #[error("the user has an active request already")]
    Duplicate,
    /// No place is left.
    #[error("the waiting area is full")]
    QueueFull,
    /// No such active request.
    #[error("there is no such active request")]
    NoRequest,
    /// No such pile.
    #[error("there is no such pile")]
    NoPile,
    /// Only somebody who does not charge yet can do that.
    #[error("the car is being charged")]
    Charging,
    /// Only somebody who charges can do that.
    #[error("the car is not being charged")]
    NotCharging,
    /// The amount is more than the battery holds.
    #[error("the battery holds less")]
    OverCapacity,
    /// The amount has been delivered already.
    #[error("that much has been delivered already")]
    Delivered,
}

/// A charging site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    pub(super) parameters: Parameters,
    pub(super) numbers: Numbers,
    /// By name; those that were taken away stay until their last car has left.
    pub(super) piles: BTreeMap<PileId, Pile>,
    pub(super) requests: BTreeMap<Uuid, Request>,
    /// The waiting area, both modes, in the order in which it is served.
    pub(super) waiting: Vec<Uuid>,
}

impl Station {
    /// A site where nobody has been yet.
    pub fn new(parameters: Parameters) -> Self {
        let mut station = Self {
            parameters: parameters.clone(),
            numbers: Numbers::default(),
            piles: BTreeMap::new(),
            requests: BTreeMap::new(),
            waiting: Vec::new(),
        };
        station.fit_piles(0, &BTreeMap::new(), &mut Vec::new());
        station
    }

    /// The site as it was kept: its active requests and its piles with who is there. Whoever is at
    /// no pile is in the waiting area.
    pub fn restore(
        parameters: Parameters,
        numbers: Numbers,
        piles: BTreeMap<PileId, Pile>,
        requests: BTreeMap<Uuid, Request>,
    ) -> Self {
        let at_pile: Vec<Uuid> = piles.values().flat_map(Pile::everybody).collect();
        let waiting = requests.keys().filter(|id| !at_pile.contains(id)).copied().collect();
        let mut station = Self { parameters, numbers, piles, requests, waiting };
        station.sort_waiting();
        station
    }

    /// The settings.
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The last numbers given out.
    pub const fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The piles by name. One that was taken away is here until its last car has left.
    pub const fn piles(&self) -> &BTreeMap<PileId, Pile> {
        &self.piles
    }

    /// The active requests.
    pub const fn requests(&self) -> &BTreeMap<Uuid, Request> {
        &self.requests
    }

    /// How many are in the waiting area.
    pub fn in_waiting_area(&self) -> usize {
        self.waiting.len()
    }

    /// The active request of a user.
    pub fn request_of(&self, user: i64) -> Option<&Request> {
        self.requests.values().find(|request| request.user == user)
    }

    /// Everybody of a mode who does not charge yet, in the order of their positions.
    pub fn queue(&self, mode: Mode) -> Vec<&Request> {
        let piles = self.piles.values().flat_map(|pile| &pile.queue);
        let ids = piles.chain(&self.waiting).filter_map(|id| self.requests.get(id));
        let mut queue: Vec<_> = ids.filter(|request| request.mode == mode).collect();
        queue.sort_by_key(|request| request.order());
        queue
    }

    /// Where each of those waits who do not charge yet.
    pub fn places(&self) -> BTreeMap<Uuid, Place> {
        let at_pile: BTreeMap<Uuid, PileId> = self
            .piles
            .iter()
            .flat_map(|(pile, state)| state.queue.iter().map(|request| (*request, *pile)))
            .collect();
        let queues = Mode::ALL.into_iter().flat_map(|mode| (1..).zip(self.queue(mode)));
        queues
            .map(|(position, request)| {
                (request.id, Place { position, pile: at_pile.get(&request.id).copied() })
            })
            .collect()
    }

    /// The pile that charges a request, and since when.
    pub fn running(&self, request: Uuid) -> Option<(PileId, &Running)> {
        self.piles.iter().find_map(|(id, pile)| {
            pile.running.as_ref().filter(|running| running.request == request).map(|r| (*id, r))
        })
    }

    /// What has been delivered of a request until a moment, in watt-hours.
    pub fn delivered_wh(&self, request: &Request, now_ms: i64) -> i64 {
        let now = self.running(request.id).map(|(_, running)| running.metered_wh(request, now_ms));
        request.delivered_wh + now.unwrap_or_default()
    }

    /// When something happens by itself next, in milliseconds UTC.
    pub fn due_ms(&self) -> Option<i64> {
        self.next_due().map(|(due_ms, _)| due_ms)
    }

    /// The next end of charging by the clock: the first one at the pile of the lowest name.
    pub(super) fn next_due(&self) -> Option<(i64, PileId)> {
        let due = |(id, pile): (&PileId, &Pile)| {
            let running = pile.running.as_ref().filter(|running| running.site.is_none())?;
            Some((running.ends_at_ms(self.requests.get(&running.request)?), *id))
        };
        self.piles.iter().filter_map(due).min()
    }

    /// How long a request will charge at a pile of its mode, in milliseconds.
    pub(super) fn charging_ms(&self, request: &Request) -> i64 {
        charge_ms(request.remaining_wh(), self.parameters.power_w(request.mode))
    }
}
