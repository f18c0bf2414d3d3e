//! Piles at which a site's own charger stands. The station assigns; the site starts, meters and
//! ends, and what it says is what was: here nothing ends by the clock.
//!
//! What holds: a session that was assigned stays where it is until the site says that it has ended,
//! also when its user calls it off or the pile is taken out of service. So energy that a site has
//! delivered is never billed to nobody, nor to two.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Cause, EndCause, Event, Pile, PileId, PileStatus, Refusal, Running, Station, What};

/// What is known of a car at a site's charger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AtSite {
    /// Whether it has begun to charge.
    pub began: bool,
    /// What it has got, by the last reading, in watt-hours.
    pub metered_wh: i64,
    /// When that was read, in milliseconds UTC; 0 before the first.
    pub metered_at_ms: i64,
    /// Why the site was asked to end it, where it was.
    pub stopping: Option<Stopping>,
}

/// Why a site was asked to end a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// Its user has enough.
    Enough,
    /// Its user called it off before it began.
    Cancelled,
    /// The pile is taken out of service.
    PileDown,
}

/// How a charge ended, as the site tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteEnd {
    /// When, in milliseconds UTC.
    pub at_ms: i64,
    /// What was delivered in all, in watt-hours.
    pub energy_wh: i64,
    /// Why.
    pub cause: EndCause,
}

/// What becomes of a request.
enum Fate {
    /// It has had its charge.
    Done(Cause),
    /// It never began and is over.
    Dropped,
}

impl Station {
    /// Has exactly these piles driven by sites. One that becomes so is offline until its site says
    /// that it works; where there is a real charger no other pile is simulated any more. Who was
    /// charged by the clock there is billed and served elsewhere.
    pub fn set_driven(&mut self, now_ms: i64, driven: &BTreeSet<PileId>) -> Vec<Event> {
        let mut events = self.advance(now_ms);
        for id in self.piles.keys().copied().collect::<Vec<_>>() {
            let is_driven = driven.contains(&id);
            let (was_driven, in_service) =
                self.piles.get(&id).map_or((false, false), |p| (p.driven, p.is_in_service()));
            if in_service && !(was_driven && is_driven) && (was_driven || !driven.is_empty()) {
                // The pile is there: its name was just read.
                events.extend(self.set_pile(now_ms, id, PileStatus::Offline).unwrap_or_default());
            }
            self.piles.entry(id).and_modify(|pile| pile.driven = is_driven);
        }
        events
    }

    /// A site's charger works, is broken or cannot be reached. Who charges there is the site's to
    /// end; who waits there is handed back.
    ///
    /// # Errors
    /// [`Refusal::NoPile`].
    pub fn site_pile(
        &mut self,
        now_ms: i64,
        id: PileId,
        status: PileStatus,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        self.change_status(now_ms, id, status, &mut events, |_, _| {})?;
        Ok(events)
    }

    /// A car has begun to charge at a site, at `at_ms`.
    ///
    /// # Errors
    /// [`Refusal::NoRequest`] where no site charges it.
    pub fn site_started(
        &mut self,
        now_ms: i64,
        request: Uuid,
        at_ms: i64,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        let pile = self.at_site(request)?;
        let Some(running) = self.running_mut(pile) else { return Err(Refusal::NoRequest) };
        let Some(site) = running.site.as_mut().filter(|site| !site.began) else {
            return Ok(events);
        };
        (site.began, site.metered_at_ms) = (true, at_ms);
        running.started_at_ms = at_ms;
        let power_w = running.power_w;
        if let Some(request) = self.requests.get(&request).cloned() {
            events.push(Event { at_ms, request, what: What::Started { pile, power_w } });
        }
        Ok(events)
    }

    /// A charge at a site has ended.
    ///
    /// # Errors
    /// [`Refusal::NoRequest`] where no site charges it.
    pub fn site_ended(
        &mut self,
        now_ms: i64,
        request: Uuid,
        end: SiteEnd,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = self.advance(now_ms);
        let pile = self.at_site(request)?;
        let Some(running) = self.running_mut(pile) else { return Err(Refusal::NoRequest) };
        let started_at_ms = running.started_at_ms;
        let Some(site) = running.site.as_mut() else { return Err(Refusal::NoRequest) };
        site.metered_wh = end.energy_wh.max(0);
        let fate = fate(site, end.cause);
        let at_ms = if site.began { end.at_ms.max(started_at_ms) } else { now_ms };
        self.step(now_ms, &mut events, |station, events| match fate {
            Fate::Done(cause) => station.end(pile, at_ms, cause, events),
            Fate::Dropped => station.drop_at(pile, at_ms, events),
        });
        Ok(events)
    }

    /// Asks the site to end what it charges.
    pub(super) fn ask_to_stop(
        &mut self,
        pile: PileId,
        at_ms: i64,
        why: Stopping,
        events: &mut Vec<Event>,
    ) {
        let Some(running) = self.running_mut(pile) else { return };
        let id = running.request;
        let Some(site) = running.site.as_mut().filter(|site| site.stopping.is_none()) else {
            return;
        };
        site.stopping = Some(why);
        if let Some(request) = self.requests.get(&id).cloned() {
            events.push(Event { at_ms, request, what: What::Stopping { pile, why } });
        }
    }

    /// Whether a site charges it or is about to, and where.
    pub(super) fn at_site(&self, request: Uuid) -> Result<PileId, Refusal> {
        let at = self.running(request).filter(|(_, running)| running.site.is_some());
        at.map(|(pile, _)| pile).ok_or(Refusal::NoRequest)
    }

    /// Takes what sites charge for what a clock could tell, to look into the future.
    pub(super) fn forget_sites(&mut self, now_ms: i64) {
        for pile in self.piles.values_mut() {
            pile.driven = false;
            let Some(running) = &mut pile.running else { continue };
            let Some(site) = running.site.take() else { continue };
            if let Some(request) = self.requests.get_mut(&running.request) {
                request.delivered_wh += site.metered_wh;
            }
            running.started_at_ms = if site.began { site.metered_at_ms } else { now_ms };
        }
    }

    /// Lets somebody go who never began.
    fn drop_at(&mut self, pile: PileId, at_ms: i64, events: &mut Vec<Event>) {
        let running = self.piles.get_mut(&pile).and_then(|pile| pile.running.take());
        let request = running.and_then(|running| self.requests.remove(&running.request));
        if let Some(request) = request {
            events.push(Event { at_ms, request, what: What::Released { pile } });
        }
        self.piles.retain(|_, pile: &mut Pile| !pile.retired || pile.running.is_some());
    }

    fn running_mut(&mut self, pile: PileId) -> Option<&mut Running> {
        self.piles.get_mut(&pile)?.running.as_mut()
    }
}

fn fate(site: &AtSite, cause: EndCause) -> Fate {
    match (cause, site.stopping) {
        (EndCause::Fault | EndCause::Refused, _)
        | (EndCause::Stopped, Some(Stopping::PileDown)) => Fate::Done(Cause::PileDown),
        _ if !site.began => Fate::Dropped,
        (EndCause::Stopped | EndCause::Unplugged, _) => Fate::Done(Cause::Stopped),
        _ => Fate::Done(Cause::Full),
    }
}
