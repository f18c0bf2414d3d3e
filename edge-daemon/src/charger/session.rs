//! One charge: what it has got, and when it is over. It says what is to be journaled, and knows
//! nothing of the charger but what it is told.

use chrono::{DateTime, Utc};
use domain::{
    charging::{
        ChargeAssigned, ChargeBlocked, ChargeEnded, ChargeMetered, ChargeStarted, EndCause,
    },
    clock::Stamp,
    event::Fact,
    ids::ChargingId,
};

use super::{
    input::{Plug, Status},
    recovery::OpenCharge,
    register::Register,
    timeline::Timeline,
};

/// A car that takes nothing for so long, though it may, is full.
const FULL_AFTER_MS: u64 = 5 * 60 * 1000;
/// A charger that was told to stop is given so long to let go, so that what still flows is counted.
const LET_GO_WITHIN_MS: u64 = 10_000;
/// One that cannot be reached is given so long to come back and show its meter.
const COME_BACK_WITHIN_MS: u64 = 60_000;
const DAY_S: i64 = 24 * 60 * 60;

/// A charge from its assignment to its end.
#[derive(Debug, Clone)]
pub(super) struct Session {
    assigned: ChargeAssigned,
    timeline: Timeline,
    /// When it was assigned, on the monotonic clock.
    since_ms: u64,
    began: bool,
    /// Whether it was said that another car is in the way.
    is_blocked: bool,
    energy_wh: i64,
    register: Register,
    /// When the meter is journaled next, on the monotonic clock.
    next_reading_ms: u64,
    /// The last moment of the time line that was looked at for a change of tariff, in seconds.
    looked_s: i64,
    /// Since when it takes nothing though it may.
    idle_since_ms: Option<u64>,
    /// Why it is to end, and since when.
    ending: Option<(EndCause, u64)>,
}

/// What a session is told besides the time.
pub(super) struct Look<'a> {
    pub now: Stamp,
    /// How its charger is; none where it cannot be reached.
    pub status: Option<&'a Status>,
    /// The register of its meter, where it was read.
    pub meter_wh: Option<u64>,
    /// Whether the car that is plugged in is that of an earlier charge: what flows is not this one's.
    pub is_anothers: bool,
    /// Whether its charger lets it take something.
    pub is_allowed: bool,
    /// The most that can flow, in watts.
    pub most_w: u64,
    /// How often the meter is journaled, in milliseconds.
    pub every_ms: u64,
}

impl Session {
    /// One that the cloud has just assigned.
    pub fn new(assigned: ChargeAssigned, now: Stamp) -> Self {
        let timeline = Timeline::new(assigned.told_at, now);
        let looked_s = assigned.told_at.timestamp();
        let shown = |wh| Register::known(wh, Some(now.monotonic_ms));
        let register = assigned.meter_wh.map(shown).unwrap_or_default();
        Self {
            assigned,
            timeline,
            since_ms: now.monotonic_ms,
            began: false,
            is_blocked: false,
            energy_wh: 0,
            register,
            next_reading_ms: now.monotonic_ms,
            looked_s,
            idle_since_ms: None,
            ending: None,
        }
    }

    /// One that the journal has.
    pub fn recovered(open: OpenCharge, now: Stamp) -> Self {
        let OpenCharge { assigned, assigned_at, started, metered, is_to_stop } = open;
        let (mut at, mut then, mut shown) = (assigned.told_at, assigned_at, assigned.meter_wh);
        let mut session = Self::new(assigned, now);
        for (reading_at, energy_wh, meter_wh, stamp) in started.into_iter().chain(metered) {
            (at, then, shown) = (reading_at, stamp, Some(meter_wh));
            (session.began, session.energy_wh) = (true, energy_wh);
        }
        let read_ms = (then.monotonic_ms <= now.monotonic_ms).then_some(then.monotonic_ms);
        session.register = shown.map(|wh| Register::known(wh, read_ms)).unwrap_or_default();
        session.timeline = Timeline::resumed(at, then, now);
        session.looked_s = at.timestamp();
        session.ending = is_to_stop.then_some((EndCause::Stopped, now.monotonic_ms));
        session
    }

    pub fn id(&self) -> ChargingId {
        self.assigned.session
    }

    /// Whether its charger is to let it take energy.
    pub fn wants(&self) -> bool {
        self.ending.is_none()
    }

    /// The cloud asks to end it.
    pub fn stop(&mut self, now: Stamp) {
        self.end(EndCause::Stopped, now);
    }

    /// Looks at the charger and the time; records what is to be journaled. Whether it is over.
    pub fn look(&mut self, look: &Look<'_>, facts: &mut Vec<Fact>) -> bool {
        let at = self.timeline.now(look.now);
        if let Some(wh) = look.meter_wh {
            let more_wh = self.register.take(wh, look.now.monotonic_ms, look.most_w);
            let more_wh = if look.is_anothers { 0 } else { more_wh };
            self.energy_wh = self.energy_wh.saturating_add_unsigned(more_wh);
        }
        if look.is_anothers && look.status.is_some() && !self.is_blocked {
            self.is_blocked = true;
            let (session, charger) = (self.id(), self.assigned.charger.clone());
            facts.push(Fact::ChargeBlocked(ChargeBlocked { session, charger }));
        }
        let draws = look.status.is_some_and(|status| status.plug == Plug::Charging);
        if !self.began && !look.is_anothers && ((draws && look.is_allowed) || self.energy_wh > 0) {
            self.begin(at, look, facts);
        }
        self.judge(look, draws);
        if self.is_over(look, draws) {
            let cause = self.ending.map_or(EndCause::Stopped, |(cause, _)| cause);
            let energy_wh = self.energy_wh;
            let (session, charger) = (self.id(), self.assigned.charger.clone());
            facts.push(Fact::ChargeEnded(ChargeEnded { session, charger, at, energy_wh, cause }));
            return true;
        }
        self.read(at, look, facts);
        false
    }

    fn begin(&mut self, at: DateTime<Utc>, look: &Look<'_>, facts: &mut Vec<Fact>) {
        self.began = true;
        self.next_reading_ms = look.now.monotonic_ms + look.every_ms;
        let (session, charger) = (self.id(), self.assigned.charger.clone());
        // What was counted before this moment belongs to it.
        let counted = u64::try_from(self.energy_wh).unwrap_or_default();
        let meter_wh = self.register.wh().unwrap_or_default().saturating_sub(counted);
        facts.push(Fact::ChargeStarted(ChargeStarted { session, charger, at, meter_wh }));
    }

    /// Decides whether it is to end.
    fn judge(&mut self, look: &Look<'_>, draws: bool) {
        let now_ms = look.now.monotonic_ms;
        if self.began && self.energy_wh >= self.assigned.energy_wh {
            self.end(EndCause::Reached, look.now);
        } else if self.began && self.assigned.battery_wh.is_some_and(|b| self.energy_wh >= b) {
            self.end(EndCause::Battery, look.now);
        }
        let begin_within_ms = u64::from(self.assigned.begin_within_s) * 1000;
        if !self.began && now_ms >= self.since_ms.saturating_add(begin_within_ms) {
            self.end(EndCause::NoCar, look.now);
        }
        let Some(status) = look.status else { return };
        if status.fault.is_some() {
            self.end(EndCause::Fault, look.now);
        } else if self.began && status.plug == Plug::Free {
            self.end(EndCause::Unplugged, look.now);
        }
        let is_idle = self.began && look.is_allowed && !draws;
        let idle_since_ms = is_idle.then(|| self.idle_since_ms.unwrap_or(now_ms));
        self.idle_since_ms = idle_since_ms;
        if idle_since_ms.is_some_and(|since_ms| now_ms >= since_ms + FULL_AFTER_MS) {
            self.end(EndCause::Full, look.now);
        }
    }

    /// A reason to end it; the first one counts.
    fn end(&mut self, cause: EndCause, now: Stamp) {
        self.ending.get_or_insert((cause, now.monotonic_ms));
    }

    /// Whether nothing more can flow, or it was waited for long enough.
    fn is_over(&self, look: &Look<'_>, draws: bool) -> bool {
        let Some((cause, since_ms)) = self.ending else { return false };
        let let_go = !draws && look.status.is_some_and(|status| status.limit_ma == 0);
        let is_cut = matches!(cause, EndCause::Fault | EndCause::Unplugged);
        let patience_ms =
            if look.status.is_some() { LET_GO_WITHIN_MS } else { COME_BACK_WITHIN_MS };
        is_cut || let_go || look.now.monotonic_ms >= since_ms + patience_ms
    }

    /// Journals the meter where it is time, or another tariff has begun.
    fn read(&mut self, at: DateTime<Utc>, look: &Look<'_>, facts: &mut Vec<Fact>) {
        let from_s = std::mem::replace(&mut self.looked_s, at.timestamp());
        let passed_s = at.timestamp() - from_s;
        // The hours are the same on every day.
        let crossed = |border: &i64| (1..=passed_s).contains(&(border - from_s).rem_euclid(DAY_S));
        let another_tariff = self.assigned.borders.iter().any(crossed);
        let Some(meter_wh) = self.register.wh().filter(|_| self.began) else { return };
        if another_tariff || look.now.monotonic_ms >= self.next_reading_ms {
            self.next_reading_ms = look.now.monotonic_ms + look.every_ms;
            let (session, energy_wh) = (self.id(), self.energy_wh);
            facts.push(Fact::ChargeMetered(ChargeMetered { session, at, energy_wh, meter_wh }));
        }
    }
}
