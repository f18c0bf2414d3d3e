//! One charger: whether it can be reached, who charges there, what it was told, and how much it may
//! let a car take in the worst case.

use domain::{clock::Stamp, event::Fact};

use super::{
    config::{ChargerConfig, ChargingConfig},
    input::{Meter, Plug, Status, Target},
    session::{Look, Session},
    share::LEAST_MA,
};

/// What was told is void after so long where it has not arrived; then a lower limit is in force for
/// sure where the charger says so.
pub(super) const SETTLED_AFTER_MS: u64 = 3_000;
/// A charger that is no longer told anything has fallen back so long after its time-out.
const GRACE_MS: u64 = 5_000;
/// A charger that does not do as it was told is told again after so long.
const AGAIN_AFTER_MS: u64 = 2_000;
/// What a meter said longer ago says nothing.
const CURRENT_STALE_MS: u64 = 15_000;
/// Watts that can flow at most for each ampere: three phases, with ten percent more than 250 volts.
const MOST_W_PER_A: u64 = 3 * 275;

/// One charger.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub config: ChargerConfig,
    pub session: Option<Session>,
    /// Whether the car of a charge that has ended is still plugged in, as far as is known. Another
    /// driver's charge does not begin before it is gone.
    has_left_over: bool,
    /// How it is; none while it cannot be reached.
    status: Option<Status>,
    /// What was journaled last: whether it can be reached, and what is wrong with it.
    reported_online: Option<bool>,
    reported_fault: Option<String>,
    /// When it was heard last, or the start.
    heard_ms: u64,
    /// What its meter said last.
    meter: Meter,
    metered_ms: u64,
    /// Its register, where it was read since it was looked at.
    unread_wh: Option<u64>,
    target_ma: u32,
    told_ms: Option<u64>,
    /// The last time that it was told less than before.
    lowered_ms: u64,
    /// The most that it may let a car take now.
    exposure_ma: u32,
}

impl Post {
    /// One that nothing is known of but whether a charge has ended there that the car had not left
    /// by then: what it was told by an earlier run may still hold.
    pub fn new(config: ChargerConfig, has_left_over: bool, now: Stamp) -> Self {
        let exposure_ma = config.max_a.saturating_mul(1000);
        Self {
            config,
            session: None,
            has_left_over,
            status: None,
            reported_online: None,
            reported_fault: None,
            heard_ms: now.monotonic_ms,
            meter: Meter::default(),
            metered_ms: 0,
            unread_wh: None,
            target_ma: 0,
            told_ms: None,
            lowered_ms: now.monotonic_ms,
            exposure_ma,
        }
    }

    /// Whether somebody is to charge here and can.
    pub fn wants(&self) -> bool {
        let can = self.status.as_ref().is_some_and(|status| status.fault.is_none());
        can && !self.has_left_over && self.session.as_ref().is_some_and(Session::wants)
    }

    pub const fn exposure_ma(&self) -> u32 {
        self.exposure_ma
    }

    pub const fn target_ma(&self) -> u32 {
        self.target_ma
    }

    pub const fn meter_wh(&self) -> Option<u64> {
        self.meter.energy_wh
    }

    /// What flows here, where that was measured lately.
    pub fn current_ma(&self, now: Stamp) -> u32 {
        let is_fresh = now.monotonic_ms < self.metered_ms + CURRENT_STALE_MS;
        self.meter.current_ma.filter(|_| is_fresh).unwrap_or_default()
    }

    pub fn online(&mut self, facts: &mut Vec<Fact>) {
        self.told_ms = None;
        self.reach(true, "it answers".to_owned(), facts);
    }

    pub fn offline(&mut self, reason: String, facts: &mut Vec<Fact>) {
        (self.status, self.reported_fault) = (None, None);
        self.reach(false, reason, facts);
    }

    fn reach(&mut self, online: bool, reason: String, facts: &mut Vec<Fact>) {
        if self.reported_online.replace(online) != Some(online) {
            let device = self.config.device.clone();
            facts.push(Fact::Device { device, online, reason });
        }
    }

    /// Takes how it is.
    pub fn heard(&mut self, status: Status, now: Stamp, facts: &mut Vec<Fact>) {
        self.heard_ms = now.monotonic_ms;
        if self.config.meter.is_none() {
            self.metered(status.meter, now);
        }
        self.has_left_over &= status.plug != Plug::Free;
        self.report_fault(status.fault.as_ref(), facts);
        let in_force_ma = status.limit_ma.max(self.target_ma);
        let is_settled = now.monotonic_ms >= self.lowered_ms + SETTLED_AFTER_MS;
        self.exposure_ma = if is_settled { in_force_ma } else { self.exposure_ma.max(in_force_ma) };
        // What a register cannot show is left out.
        let is_as_told = status.limit_ma.abs_diff(self.target_ma) < 1_000;
        if !is_as_told && self.told_ms.is_some_and(|ms| now.monotonic_ms >= ms + AGAIN_AFTER_MS) {
            self.told_ms = None;
        }
        self.status = Some(status);
    }

    fn report_fault(&mut self, fault: Option<&String>, facts: &mut Vec<Fact>) {
        if self.reported_fault.as_ref() == fault {
            return;
        }
        let charger = self.config.device.clone();
        facts.push(match fault {
            Some(fault) => Fact::ChargerFault { charger, fault: fault.clone() },
            None => Fact::ChargerRecovered { charger },
        });
        self.reported_fault = fault.cloned();
    }

    /// Takes what its meter says.
    pub fn metered(&mut self, meter: Meter, now: Stamp) {
        (self.meter, self.unread_wh) = (meter, meter.energy_wh);
        self.metered_ms = now.monotonic_ms;
    }

    /// Looks at who charges here, and at the time.
    pub fn look(&mut self, charging: &ChargingConfig, now: Stamp, facts: &mut Vec<Fact>) {
        let quiet_ms = u64::from(charging.fall_back_after_s) * 1000 + GRACE_MS;
        if self.status.is_none() && now.monotonic_ms >= self.heard_ms + quiet_ms {
            self.exposure_ma = self.config.fallback_a.saturating_mul(1000).max(self.target_ma);
        }
        let Some(session) = &mut self.session else { return };
        let lets = self.status.as_ref().is_some_and(|status| status.limit_ma >= LEAST_MA);
        let look = Look {
            now,
            status: self.status.as_ref(),
            meter_wh: self.unread_wh.take(),
            is_anothers: self.has_left_over,
            is_allowed: lets && self.target_ma >= LEAST_MA,
            most_w: u64::from(self.config.max_a) * MOST_W_PER_A,
            every_ms: u64::from(charging.journal_every_s) * 1000,
        };
        if session.look(&look, facts) {
            self.session = None;
            let plug = self.status.as_ref().map(|status| status.plug);
            self.has_left_over = plug != Some(Plug::Free);
        }
    }

    /// Has it told to let a car take so much from now on.
    pub fn aim(&mut self, target_ma: u32, now: Stamp) {
        if target_ma < self.target_ma {
            self.lowered_ms = now.monotonic_ms;
        }
        if target_ma != self.target_ma {
            self.told_ms = None;
        }
        self.target_ma = target_ma;
        self.exposure_ma = self.exposure_ma.max(target_ma);
    }

    /// What it is to be told now; none where it knows.
    pub fn tell(&mut self, charging: &ChargingConfig, now: Stamp) -> Option<Target> {
        // What is nothing needs no renewal.
        let renew_ms = match self.target_ma {
            0 => u64::MAX,
            _ => u64::from(charging.fall_back_after_s) * 1000 / 3,
        };
        let knows =
            self.told_ms.is_some_and(|told_ms| now.monotonic_ms < told_ms.saturating_add(renew_ms));
        if self.status.is_none() || knows {
            return None;
        }
        self.told_ms = Some(now.monotonic_ms);
        Some(Target {
            limit_ma: self.target_ma,
            fallback_ma: self.config.fallback_a.saturating_mul(1000),
            lease_s: charging.fall_back_after_s,
        })
    }

    /// What it was to be told could not be sent.
    pub fn was_not_told(&mut self) {
        self.told_ms = None;
    }
}
