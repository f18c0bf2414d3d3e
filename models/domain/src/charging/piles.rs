//! What becomes of piles: out of service and back, more and fewer of them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    AtSite, Cause, Event, Mode, Parameters, PileId, Rank, Refusal, Request, Station, Stopping,
    What, charge_ms, metered_wh,
};

/// Whether a pile can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PileStatus {
    /// It works.
    Normal,
    /// It is broken.
    Fault,
    /// It cannot be reached, or is kept from use.
    Offline,
}

impl PileStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Fault, Self::Offline];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Fault => "fault",
            Self::Offline => "offline",
        }
    }
}

/// A pile and who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pile {
    /// Whether it can be used.
    pub status: PileStatus,
    /// Whether it was taken away; it takes nobody any more then.
    pub retired: bool,
    /// Whether a site's own charger stands there; else its meter runs by the clock.
    pub driven: bool,
    /// The car that charges.
    pub running: Option<Running>,
    /// Those who wait here, in order.
    pub queue: Vec<Uuid>,
}

/// A car that charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its request.
    pub request: Uuid,
    /// Since when, in milliseconds UTC; for one that a site has not begun with, since when it is
    /// assigned.
    pub started_at_ms: i64,
    /// At which power, in watts. Settings that change do not touch what is running.
    pub power_w: i64,
    /// What the site says, where one charges it.
    pub site: Option<AtSite>,
}

impl Running {
    /// When it has got what it wants, in milliseconds UTC.
    pub fn ends_at_ms(&self, request: &Request) -> i64 {
        self.started_at_ms.saturating_add(charge_ms(request.remaining_wh(), self.power_w))
    }

    /// What the meter has counted until a moment, in watt-hours.
    pub fn metered_wh(&self, request: &Request, now_ms: i64) -> i64 {
        if let Some(site) = &self.site {
            return site.metered_wh;
        }
        metered_wh(now_ms - self.started_at_ms, self.power_w).min(request.remaining_wh())
    }
}

impl Pile {
    /// A pile that works and stands idle.
    pub const fn idle() -> Self {
        Self {
            status: PileStatus::Normal,
            retired: false,
            driven: false,
            running: None,
            queue: Vec::new(),
        }
    }

    /// Whether it takes cars.
    pub fn is_in_service(&self) -> bool {
        self.status == PileStatus::Normal && !self.retired
    }

    /// Whoever charges or waits here.
    pub(super) fn everybody(&self) -> impl Iterator<Item = Uuid> {
        self.running.iter().map(|running| running.request).chain(self.queue.iter().copied())
    }

    /// How many charge or wait here.
    pub(super) fn load(&self) -> usize {
        self.queue.len() + usize::from(self.running.is_some())
    }
}

impl Station {
    /// Takes a pile out of service or back into it. One that goes out ends its session (a site's
    /// charger is asked to) and hands its queue back; when it comes back, all who wait for its mode line up anew, in the order of
    /// their numbers.
    ///
    /// # Errors
    /// [`Refusal::NoPile`].
    pub fn set_pile(
        &mut self,
        now_ms: i64,
        id: PileId,
        status: PileStatus,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        self.change_status(now_ms, id, status, &mut events, |station, events| {
            if station.piles[&id].running.as_ref().is_some_and(|running| running.site.is_some()) {
                station.ask_to_stop(id, now_ms, Stopping::PileDown, events);
            } else {
                station.end(id, now_ms, Cause::PileDown, events);
            }
        })?;
        Ok(events)
    }

    /// Changes a pile's status; `stop` is done where that takes it out of service.
    pub(super) fn change_status(
        &mut self,
        now_ms: i64,
        id: PileId,
        status: PileStatus,
        events: &mut Vec<Event>,
        stop: impl FnOnce(&mut Self, &mut Vec<Event>),
    ) -> Result<(), Refusal> {
        let pile = self.piles.get_mut(&id).filter(|pile| !pile.retired).ok_or(Refusal::NoPile)?;
        let worked = pile.status == PileStatus::Normal;
        pile.status = status;
        match (worked, status == PileStatus::Normal) {
            (true, false) => self.step(now_ms, events, |station, events| {
                station.hand_back(id, now_ms, events);
                stop(station, events);
            }),
            (false, true) => {
                self.step(now_ms, events, |station, _| station.line_up_anew(id.mode));
            }
            _ => {}
        }
        Ok(())
    }

    /// Works by other settings from now on. What is running goes on as it began; a pile that is
    /// too many takes nobody any more. One that is new is what its site says of the charger there:
    /// `at_sites` has all chargers of sites.
    pub fn set_parameters(
        &mut self,
        now_ms: i64,
        parameters: Parameters,
        at_sites: &BTreeMap<PileId, PileStatus>,
    ) -> Vec<Event> {
        let mut events = self.advance(now_ms);
        self.parameters = parameters;
        self.step(now_ms, &mut events, |station, events| {
            station.fit_piles(now_ms, at_sites, events);
        });
        events
    }

    /// Has as many piles as the settings say. Beside real chargers none is simulated unasked.
    pub(super) fn fit_piles(
        &mut self,
        now_ms: i64,
        at_sites: &BTreeMap<PileId, PileStatus>,
        events: &mut Vec<Event>,
    ) {
        let unasked = if at_sites.is_empty() { PileStatus::Normal } else { PileStatus::Offline };
        for mode in Mode::ALL {
            let wanted = self.parameters.piles(mode);
            for id in (1..=wanted).map(|number| PileId { mode, number }) {
                let told = at_sites.get(&id).copied();
                let absent = || Pile { retired: true, driven: told.is_some(), ..Pile::idle() };
                let pile = self.piles.entry(id).or_insert_with(absent);
                if std::mem::take(&mut pile.retired) {
                    pile.status = told.unwrap_or(unasked);
                }
            }
            let of_mode = self.piles.keys().filter(|id| id.mode == mode && id.number > wanted);
            for id in of_mode.copied().collect::<Vec<_>>() {
                self.hand_back(id, now_ms, events);
                self.piles.entry(id).and_modify(|pile| pile.retired = true);
            }
        }
        self.piles.retain(|_, pile| !pile.retired || pile.running.is_some());
    }

    /// Sends those who wait at a pile to the front of the waiting area.
    fn hand_back(&mut self, id: PileId, now_ms: i64, events: &mut Vec<Event>) {
        let queue = self.piles.get_mut(&id).map(|pile| std::mem::take(&mut pile.queue));
        for waiting in queue.unwrap_or_default() {
            if let Some(request) = self.requests.get_mut(&waiting) {
                request.rank = request.rank.min(Rank::HandedBack);
                let what = What::HandedBack { pile: id };
                events.push(Event { at_ms: now_ms, request: request.clone(), what });
                self.waiting.push(waiting);
            }
        }
        self.sort_waiting();
    }

    fn line_up_anew(&mut self, mode: Mode) {
        for pile in self.piles.iter_mut().filter(|(id, _)| id.mode == mode).map(|(_, pile)| pile) {
            self.waiting.append(&mut pile.queue);
        }
        for id in &self.waiting {
            if let Some(request) = self.requests.get_mut(id).filter(|r| r.mode == mode) {
                request.rank = Rank::Usual;
            }
        }
        self.sort_waiting();
    }
}
