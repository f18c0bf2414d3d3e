//! The books of the lockers that stand at the site: which cabinets are behind which doors, whose
//! code opens what until when, and what the doors do.
//!
//! Like the lanes, everything here is a function: [`Lockers::step`] takes what happened and the
//! time and returns what is to be journaled and only then sent ([`Commit`]). Promised, whatever
//! arrives in whatever order, and also while nobody can be asked:
//! - a door is told to open for a code of the order that has it, while that is paid for, for the
//!   cloud, or for an operator, and for nothing else;
//! - no command is sent twice: after a crash in between its outcome is *unknown*;
//! - five wrong codes within ten minutes, and for ten minutes none counts;
//! - that a door was told to open is not taken for its having opened: the sensor says so, or it is
//!   in trouble.
//!
//! What happens where the site and the cloud know different things of an order is said at
//! [`domain::locker`].

mod codes;
mod commit;
mod doors;
mod input;
mod lockout;
mod pending;
mod recovery;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    clock::Stamp,
    event::Fact,
    ids::{CommandId, DeviceId},
    locker::{By, Cabinet, Denial, LockerFact},
};
use uuid::Uuid;

use self::{
    codes::Holding,
    doors::Door,
    lockout::Lockouts,
    pending::{Pending, Stage},
};
pub use self::{
    commit::{Action, COMMAND_LIFE_MS, Command, Commit, FETCHED_COMMAND_LIFE_MS},
    input::{DoorState, Happening, Input, Source},
    recovery::{Bank, Journaled},
};

/// A source of identifiers that are never repeated.
pub type Ids<'a> = &'a mut dyn FnMut() -> Uuid;

/// All lockers of a site.
#[derive(Debug, Default)]
pub struct Lockers {
    banks: HashMap<DeviceId, State>,
    doors: Vec<Door>,
    /// Where in `doors` each door is: by the name on it, and by controller and number.
    by_name: HashMap<String, usize>,
    by_number: HashMap<DeviceId, Vec<usize>>,
    /// The orders that have cabinets, by the name on the door.
    holdings: HashMap<String, Holding>,
    lockouts: Lockouts,
    pending: Vec<Pending>,
}

/// A controller.
#[derive(Debug, Clone, Copy)]
struct State {
    /// Whether it can be commanded.
    online: bool,
    /// How long a command to it may open anything, in milliseconds.
    life_ms: u64,
}

/// What the cloud asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The directive.
    pub directive: u64,
    /// The command.
    pub command: CommandId,
    /// The name on the door.
    pub cabinet: String,
    /// The order that it is opened for.
    pub order: i64,
    /// How long from now it may open anything, in milliseconds.
    pub expires_in_ms: u64,
}

impl Lockers {
    /// Whether a controller is one of a locker.
    pub fn has(&self, device: &DeviceId) -> bool {
        self.banks.contains_key(device)
    }

    /// Takes one step: something happened at a controller. Nothing follows where there is no such.
    pub fn step(&mut self, device: &DeviceId, input: Input, now: Stamp, ids: Ids) -> Commit {
        let mut commit = Commit::default();
        if !self.has(device) {
            return commit;
        }
        match input {
            Input::Online => self.reachable(device, true, "it answers", &mut commit),
            Input::Offline { reason } => self.reachable(device, false, &reason, &mut commit),
            Input::Doors(states) => self.doors_are(device, &states, &mut commit),
            Input::Happened { door, what, command } => {
                self.happened(device, door, what, command, &mut commit);
            }
            Input::Code { source, code, door } => {
                self.code(device, source, &code, door, now, ids, &mut commit);
            }
            Input::Result { command, outcome, refusal, elapsed_ms } => {
                let result = pending::Result { command, outcome, refusal, elapsed_ms };
                self.result(result, now, &mut commit);
            }
        }
        commit
    }

    fn reachable(&mut self, device: &DeviceId, online: bool, reason: &str, commit: &mut Commit) {
        if let Some(bank) = self.banks.get_mut(device) {
            bank.online = online;
        }
        let (device, reason) = (device.clone(), reason.to_owned());
        commit.record(Fact::Device { device, online, reason });
    }

    /// The cloud told, when its clock showed `told_at`, how a cabinet stands.
    pub fn tell(
        &mut self,
        directive: u64,
        cabinet: Cabinet,
        told_at: DateTime<Utc>,
        now: Stamp,
    ) -> Commit {
        let mut commit = Commit::default();
        match &cabinet.order {
            Some(held) => {
                let holding = Holding::told(held.clone(), told_at, now);
                self.holdings.insert(cabinet.cabinet.clone(), holding);
            }
            None => drop(self.holdings.remove(&cabinet.cabinet)),
        }
        commit.record(LockerFact::Told { directive, cabinet });
        commit
    }

    /// The cloud asks for a door.
    pub fn open_for_cloud(&mut self, asked: Asked, now: Stamp) -> Commit {
        let mut commit = Commit::default();
        let Asked { directive, command, cabinet, order, expires_in_ms } = asked;
        let place = self.by_name.get(&cabinet).copied();
        let why = match place {
            None => Some(Denial::UnknownCabinet),
            Some(_) if expires_in_ms == 0 => Some(Denial::Expired),
            Some(place) => self.hindrance(place),
        };
        match (place, why) {
            (Some(place), None) => {
                let opening = Opening {
                    command,
                    by: By::Cloud,
                    order: Some(order),
                    operator: None,
                    directive: Some(directive),
                    life_ms: expires_in_ms.min(self.life_ms(place)),
                };
                self.open(place, opening, now, &mut commit);
            }
            (place, why) => commit.record(LockerFact::Denied {
                device: place.map(|place| self.doors[place].device.clone()),
                cabinet: Some(cabinet),
                why: why.unwrap_or(Denial::Unavailable),
                by: By::Cloud,
                command: Some(command),
                directive: Some(directive),
            }),
        }
        commit
    }

    /// An operator at the site asks for a door.
    ///
    /// # Errors
    /// Why nothing opens; then there is nothing to journal.
    pub fn open_for_operator(
        &mut self,
        cabinet: &str,
        operator: String,
        now: Stamp,
        ids: Ids,
    ) -> Result<Commit, Denial> {
        let place = *self.by_name.get(cabinet).ok_or(Denial::UnknownCabinet)?;
        self.hindrance(place).map_or(Ok(()), Err)?;
        let mut commit = Commit::default();
        let opening = Opening {
            command: CommandId(ids()),
            by: By::Operator,
            order: self.holdings.get(cabinet).map(|holding| holding.held.order),
            operator: Some(operator),
            directive: None,
            life_ms: self.life_ms(place),
        };
        self.open(place, opening, now, &mut commit);
        Ok(commit)
    }

    /// Why a door cannot be told to open right now. One that is being told is not told again
    /// before it has answered.
    fn hindrance(&self, place: usize) -> Option<Denial> {
        let online = self.banks.get(&self.doors[place].device).is_some_and(|bank| bank.online);
        let under_way =
            self.pending.iter().any(|p| p.place == place && p.stage == Stage::Unanswered);
        (!online || under_way).then_some(Denial::Unavailable)
    }

    /// How long a command for a door may open it.
    fn life_ms(&self, place: usize) -> u64 {
        self.banks.get(&self.doors[place].device).map_or(COMMAND_LIFE_MS, |bank| bank.life_ms)
    }

    fn open(&mut self, place: usize, opening: Opening, now: Stamp, commit: &mut Commit) {
        let Opening { command, by, order, operator, directive, life_ms } = opening;
        let Door { device, number, name, .. } = &self.doors[place];
        let (device, cabinet) = (device.clone(), name.clone());
        let action = Action::Open { door: *number };
        let to = device.clone();
        commit.send(
            LockerFact::Opening { command, device, cabinet, order, by, operator, directive },
            Command { id: command, device: to, action, expires_in_ms: life_ms },
        );
        self.pending.push(Pending::unanswered(command, place, now.monotonic_ms + life_ms));
    }
}

/// A door that may be opened.
struct Opening {
    command: CommandId,
    by: By,
    order: Option<i64>,
    operator: Option<String>,
    directive: Option<u64>,
    life_ms: u64,
}
