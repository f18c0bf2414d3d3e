//! What the gate knows: the lists of who may enter, and who is inside.
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
    lists::Lists,
    matching::{Book, Identified, identify},
};

/// What the gate knows.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    pub(super) lists: Lists,
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
    /// Nobody is inside yet.
    pub(super) fn of(lists: Lists) -> Self {
        Self { lists, ..Self::default() }
    }

    /// Learns from a fact what it says about who is inside.
    pub fn apply(&mut self, fact: &Fact, at: Stamp) {
        match fact {
            Fact::SessionOpened { session, plate, entered_at, tariff, .. } => {
                let session = Session::open(*session, plate.clone(), *entered_at, tariff.clone());
                self.enter(Inside { session, since: Since::ThisRun(at.monotonic_ms) });
            }
            Fact::SessionClosed { session, .. } => self.leave(*session),
            Fact::SessionRenamed { session, plate } => self.rename(*session, plate),
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

    fn rename(&mut self, id: SessionId, plate: &str) {
        let Some(inside) = self.sessions.get_mut(&id) else { return };
        let before = std::mem::replace(&mut inside.session.plate, plate.to_owned());
        self.plates_inside.remove(&before, |known| *known == id);
        if !plate.is_empty() {
            self.plates_inside.insert(plate.to_owned(), id);
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

    /// What a reading at an entry stands for. Who is inside does not count: a vehicle that looks
    /// like one inside is another one more likely than the same.
    pub(super) fn identify_entering(&self, text: &str) -> Identified {
        let known = self.lists.alike(text);
        identify(text, known.iter().map(String::as_str))
    }

    /// What a reading at an exit stands for. The deny list does not count: it keeps nobody inside.
    pub(super) fn identify_leaving(&self, text: &str) -> Identified {
        let permitted = self.lists.permitted_alike(text);
        let inside = self.plates_inside.alike(text);
        identify(text, inside.chain(permitted.iter().map(String::as_str)))
    }
}
