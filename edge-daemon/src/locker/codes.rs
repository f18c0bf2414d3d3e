//! Codes that are entered at a locker, judged by what the site knows.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    clock::{ClockQuality, Stamp},
    ids::{CommandId, DeviceId},
    locker::{Denial, Held, LockerFact},
};

use super::{
    Action, COMMAND_LIFE_MS, Command, Commit, Ids, Lockers, Opening, Source,
    lockout::{Scope, WINDOW_MS},
};

/// An order that has a cabinet, and until when.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    pub held: Held,
    until: Until,
}

/// The end of an order's time.
#[derive(Debug, Clone, Copy)]
enum Until {
    /// On this run's monotonic clock, in milliseconds: exact, whatever the wall clock does.
    Monotonic(u64),
    /// On the wall clock, for an order that an earlier run was told of. While that is not set the
    /// end is not judged: whoever has paid gets at what is his.
    Wall(DateTime<Utc>),
}

impl Holding {
    /// An order that was told when the cloud's clock showed `told_at`.
    pub fn told(held: Held, told_at: DateTime<Utc>, now: Stamp) -> Self {
        let left = (held.valid_until - told_at).max(TimeDelta::zero());
        let left_ms = left.num_milliseconds().unsigned_abs();
        let until = Until::Monotonic(now.monotonic_ms.saturating_add(left_ms));
        Self { held, until }
    }

    /// One from an earlier run.
    pub fn recovered(held: Held) -> Self {
        let until = Until::Wall(held.valid_until);
        Self { held, until }
    }

    fn is_over(&self, now: Stamp) -> bool {
        match self.until {
            Until::Monotonic(ms) => now.monotonic_ms >= ms,
            Until::Wall(at) => now.quality == ClockQuality::Synchronised && now.wall >= at,
        }
    }
}

/// A code, and the doors that it may be for.
struct Entry<'a> {
    code: &'a str,
    scope: Scope,
    places: Vec<usize>,
}

impl Lockers {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn code(
        &mut self,
        device: &DeviceId,
        source: Source,
        entered: &str,
        door: Option<u8>,
        now: Stamp,
        ids: Ids,
        commit: &mut Commit,
    ) {
        let entry = self.entry(device, entered, door);
        let judged = self.judge(&entry, now);
        let command = CommandId(ids());
        match judged {
            Ok(place) => {
                self.lockouts.forgive(&entry.scope);
                let order = self.holdings.get(&self.doors[place].name).map(|h| h.held.order);
                let (by, life_ms) = (source.into(), self.life_ms(place));
                let opening =
                    Opening { command, by, order, operator: None, directive: None, life_ms };
                self.open(place, opening, now, commit);
            }
            Err(why) => {
                let (device, cabinet) = entry.scope.clone();
                let (to, by) = (device.clone(), source.into());
                let fact = LockerFact::Denied {
                    device: Some(device),
                    cabinet,
                    why,
                    by,
                    command: None,
                    directive: None,
                };
                let (action, expires_in_ms) = (Action::Deny(why), COMMAND_LIFE_MS);
                commit.send(fact, Command { id: command, device: to, action, expires_in_ms });
                if why == Denial::WrongCode {
                    self.count_wrong(entry.scope, now, commit);
                }
            }
        }
    }

    /// What was entered may name a door, as what is scanned does: `A001:578674`.
    fn entry<'a>(&self, device: &DeviceId, entered: &'a str, door: Option<u8>) -> Entry<'a> {
        let entered = entered.trim();
        let all = self.by_number.get(device).map_or(&[][..], Vec::as_slice);
        let (named, code) = match entered.rsplit_once(':') {
            Some((name, code)) => (Some(name), code),
            None => (None, entered),
        };
        let is_meant = |place: &usize| {
            let meant = &self.doors[*place];
            door.is_none_or(|number| meant.number == number)
                && named.is_none_or(|name| meant.name == name)
        };
        let places: Vec<_> = all.iter().copied().filter(is_meant).collect();
        let of_one = door.is_some() || named.is_some();
        let cabinet = places.first().filter(|_| of_one).map(|at| self.doors[*at].name.clone());
        Entry { code, scope: (device.clone(), cabinet), places }
    }

    /// The door that a code opens.
    fn judge(&self, entry: &Entry<'_>, now: Stamp) -> Result<usize, Denial> {
        if self.lockouts.holds(&entry.scope, now.monotonic_ms) {
            return Err(Denial::LockedOut);
        }
        let right = entry.places.iter().filter_map(|place| {
            let holding = self.holdings.get(&self.doors[*place].name)?;
            holding.held.code.is_of(entry.code).then_some((*place, holding))
        });
        match right.collect::<Vec<_>>()[..] {
            [] => Err(Denial::WrongCode),
            [(_, holding)] if holding.is_over(now) => Err(Denial::Over),
            [(place, _)] => self.hindrance(place).map_or(Ok(place), Err),
            // Two orders drew the same six digits: which is meant must be said with the door.
            _ => Err(Denial::Unavailable),
        }
    }

    fn count_wrong(&mut self, scope: Scope, now: Stamp, commit: &mut Commit) {
        if self.lockouts.count(&scope, now.monotonic_ms) {
            let (device, cabinet) = scope;
            let seconds = (WINDOW_MS / 1_000) as u32;
            commit.record(LockerFact::LockedOut { device, cabinet, seconds });
        }
    }
}
