//! What the gate knows: the permits, the deny list, and who is inside.
//!
//! Sessions change by facts alone ([`Knowledge::apply`]), so that what is known while running and
//! what is known after a start from the journal are the same.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    clock::{ClockQuality, Stamp},
    event::Fact,
    ids::SessionId,
    money::Fen,
    parking::Session,
};

use super::{
    config::{Denied, Permit},
    matching::{Book, Identified, identify},
};

/// What the gate knows.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    permits: Book<Permit>,
    denied: Book<Denied>,
    lists_confirmed_ms: i64,
    sessions: HashMap<SessionId, Inside>,
    plates_inside: Book<SessionId>,
    /// The last directive that paid for something. It is handed over again where it could not be
    /// journaled, and is not to count twice.
    last_directive: u64,
}

/// A vehicle that is inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Inside {
    /// Its stay, paid amounts included.
    pub session: Session,
    /// What its length is measured by.
    pub since: Since,
}

/// What the length of a stay is measured by. The wall clock may have been set in between, so that
/// it is asked only where nothing better is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// It began in this run of the program, at this reading of the monotonic clock in milliseconds.
    ThisRun(u64),
    /// It began in an earlier run, with the wall clock in this state.
    EarlierRun(ClockQuality),
}

impl Inside {
    /// The present on this stay's own time line: its entry time and what has passed since. None
    /// where the clock was not set at one of the ends, so that nobody can say how long it was.
    pub fn present(&self, now: Stamp) -> Option<DateTime<Utc>> {
        match self.since {
            Since::ThisRun(entered_ms) => {
                let elapsed_ms = now.monotonic_ms.saturating_sub(entered_ms);
                let elapsed = TimeDelta::try_milliseconds(i64::try_from(elapsed_ms).ok()?)?;
                self.session.entered_at.checked_add_signed(elapsed)
            }
            Since::EarlierRun(entered) => {
                let both_set = [entered, now.quality] == [ClockQuality::Synchronised; 2];
                both_set.then_some(now.wall)
            }
        }
    }
}

impl Knowledge {
    /// Takes over the lists as they were confirmed at `confirmed_ms` on the monotonic clock
    /// (negative for a time before the machine started).
    pub fn replace_lists(&mut self, permits: Vec<Permit>, denied: Vec<Denied>, confirmed_ms: i64) {
        let by_plate = |permit: Permit| (permit.plate.normal().to_owned(), permit);
        self.permits = permits.into_iter().map(by_plate).collect();
        let by_plate = |denied: Denied| (denied.plate.normal().to_owned(), denied);
        self.denied = denied.into_iter().map(by_plate).collect();
        self.lists_confirmed_ms = confirmed_ms;
    }

    /// Seconds since the lists were confirmed.
    pub fn lists_age_s(&self, now: Stamp) -> u64 {
        let now_ms = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);
        u64::try_from(now_ms.saturating_sub(self.lists_confirmed_ms) / 1000).unwrap_or(0)
    }

    /// Learns from a fact what it says about who is inside.
    pub fn apply(&mut self, fact: &Fact, at: Stamp) {
        match fact {
            Fact::SessionOpened { session, plate, entered_at, tariff, .. } => {
                let session = Session::open(*session, plate.clone(), *entered_at, tariff.clone());
                self.enter(Inside { session, since: Since::ThisRun(at.monotonic_ms) });
            }
            Fact::SessionClosed { session, .. } => self.leave(*session),
            Fact::Paid { directive: Some(directive), .. } if *directive <= self.last_directive => {}
            Fact::Paid { session, amount_fen, directive, paid_at, .. } => {
                self.last_directive = directive.unwrap_or(self.last_directive);
                let ago = paid_at.map_or(TimeDelta::zero(), |paid_at| at.wall - paid_at);
                self.pay(*session, Fen(*amount_fen), at, ago);
            }
            _ => {}
        }
    }

    /// Takes in a vehicle that is inside.
    pub fn enter(&mut self, inside: Inside) {
        let (id, plate) = (inside.session.id, inside.session.plate.clone());
        if self.sessions.insert(id, inside).is_none() && !plate.is_empty() {
            self.plates_inside.insert(plate, id);
        }
    }

    fn leave(&mut self, id: SessionId) {
        if let Some(inside) = self.sessions.remove(&id) {
            self.plates_inside.remove(&inside.session.plate, |known| *known == id);
        }
    }

    /// A payment of some time ago, on the stay's own time line. One that cannot be counted changes
    /// nothing; what is due stays due.
    fn pay(&mut self, id: SessionId, amount: Fen, at: Stamp, ago: TimeDelta) {
        if let Some(inside) = self.sessions.get_mut(&id) {
            let present = inside.present(at).unwrap_or(at.wall);
            let paid_at = present.checked_sub_signed(ago).unwrap_or(present);
            let _ = inside.session.pay(amount, paid_at);
        }
    }

    /// How many vehicles are inside.
    pub fn count_inside(&self) -> usize {
        self.sessions.len()
    }

    /// A vehicle that is inside, by its session.
    pub fn session(&self, id: SessionId) -> Option<&Inside> {
        self.sessions.get(&id)
    }

    /// The session of the vehicle that is inside with exactly this plate, in normal form.
    pub fn session_of(&self, plate: &str) -> Option<SessionId> {
        self.inside(plate).map(|inside| inside.session.id)
    }

    /// The vehicle with exactly this plate; the one that entered last, should there be several.
    pub(super) fn inside(&self, plate: &str) -> Option<&Inside> {
        let sessions = self.plates_inside.of(plate).filter_map(|id| self.sessions.get(id));
        sessions.max_by_key(|inside| inside.session.entered_at)
    }

    pub(super) fn permits<'a>(&'a self, plate: &'a str) -> impl Iterator<Item = &'a Permit> {
        self.permits.of(plate)
    }

    pub(super) fn denied<'a>(&'a self, plate: &'a str) -> Option<&'a Denied> {
        self.denied.of(plate).next()
    }

    /// What a reading at an entry stands for. Who is inside does not count: a vehicle that looks
    /// like one inside is another one more likely than the same.
    pub(super) fn identify_entering(&self, text: &str) -> Identified {
        identify(text, self.permits.alike(text).chain(self.denied.alike(text)))
    }

    /// What a reading at an exit stands for. The deny list does not count: it keeps nobody inside.
    pub(super) fn identify_leaving(&self, text: &str) -> Identified {
        identify(text, self.plates_inside.alike(text).chain(self.permits.alike(text)))
    }
}
