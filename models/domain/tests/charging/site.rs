//! A site with its clock at hand.

use chrono::NaiveDate;
use domain::charging::{
    Event, Mode, NewRequest, Parameters, PileId, PileStatus, Refusal, Station, What,
};
use uuid::Uuid;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;

pub(crate) struct Site {
    pub(crate) station: Station,
    pub(crate) now_ms: i64,
    pub(crate) day: NaiveDate,
}

pub(crate) fn pile(name: &str) -> PileId {
    name.parse().unwrap()
}

pub(crate) fn id(user: i64) -> Uuid {
    Uuid::from_u128(user.try_into().unwrap())
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(set: impl FnOnce(&mut Parameters)) -> Self {
        let mut parameters = Parameters::default();
        set(&mut parameters);
        parameters.check().unwrap();
        let day = "2026-11-20".parse().unwrap();
        Self { station: Station::new(parameters), now_ms: 0, day }
    }

    /// A request of a user, which is named after it.
    pub(crate) fn ask(&mut self, user: i64, mode: Mode, kwh: i64) -> Result<Vec<Event>, Refusal> {
        let new =
            NewRequest { id: id(user), user, mode, requested_wh: kwh * 1000, battery_wh: None };
        self.station.submit(self.now_ms, self.day, new)
    }

    /// Fast requests of users 1 to `count`.
    pub(crate) fn fast(&mut self, count: i64, kwh: i64) {
        (1..=count).for_each(|user| drop(self.ask(user, Mode::Fast, kwh).unwrap()));
    }

    pub(crate) fn wait(&mut self, ms: i64) -> Vec<Event> {
        self.now_ms += ms;
        self.station.advance(self.now_ms)
    }

    /// Has these piles driven by a site whose chargers work.
    pub(crate) fn drive(&mut self, names: &[&str]) {
        let driven = names.iter().map(|name| pile(name)).collect();
        self.station.set_driven(self.now_ms, &driven);
        for name in names {
            self.station.site_pile(self.now_ms, pile(name), PileStatus::Normal).unwrap();
        }
    }

    pub(crate) fn set(&mut self, name: &str, status: PileStatus) -> Vec<Event> {
        self.station.set_pile(self.now_ms, pile(name), status).unwrap()
    }

    pub(crate) fn complete(&mut self, user: i64) -> Result<Vec<Event>, Refusal> {
        self.station.complete(self.now_ms, id(user))
    }

    /// The users at a pile: who charges, then who waits there.
    pub(crate) fn at(&self, name: &str) -> Vec<i64> {
        let state = &self.station.piles()[&pile(name)];
        let running = state.running.iter().map(|running| running.request);
        running.chain(state.queue.iter().copied()).map(|id| id.as_u128() as i64).collect()
    }

    /// The users who wait, in the order of their positions.
    pub(crate) fn queue(&self, mode: Mode) -> Vec<i64> {
        self.station.queue(mode).iter().map(|request| request.user).collect()
    }

    pub(crate) fn number(&self, user: i64) -> String {
        self.station.request_of(user).unwrap().queue_number()
    }

    /// How long a user will wait, in minutes.
    pub(crate) fn wait_min(&self, user: i64) -> i64 {
        self.station.waits_ms(self.now_ms)[&id(user)] / MINUTE
    }
}

/// The users who began to charge, with the moment.
pub(crate) fn starts(events: &[Event]) -> Vec<(i64, i64)> {
    let started = events.iter().filter(|event| matches!(event.what, What::Started { .. }));
    started.map(|event| (event.request.user, event.at_ms)).collect()
}

/// The users who no longer charge, with the moment and the energy.
pub(crate) fn ends(events: &[Event]) -> Vec<(i64, i64, i64)> {
    let ended = |event: &Event| match event.what {
        What::Ended { energy_wh, .. } => Some((event.request.user, event.at_ms, energy_wh)),
        _ => None,
    };
    events.iter().filter_map(ended).collect()
}
