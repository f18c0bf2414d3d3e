//! The doors: what their sensors say, in events and in states, and what is wrong with them. What is
//! told twice is recorded once.

use domain::{
    ids::{CommandId, DeviceId},
    locker::{LockerFact, Trouble},
};

use super::{Commit, DoorState, Happening, Lockers};

/// A door.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub device: DeviceId,
    /// Its number at the controller, from 1.
    pub number: u8,
    /// The name on it.
    pub name: String,
    pub closed: bool,
    pub trouble: Option<Trouble>,
}

impl Lockers {
    /// The place of a controller's door.
    pub(super) fn place(&self, device: &DeviceId, number: u8) -> Option<usize> {
        let places = self.by_number.get(device)?;
        places.iter().copied().find(|place| self.doors[*place].number == number)
    }

    pub(super) fn doors_are(
        &mut self,
        device: &DeviceId,
        states: &[DoorState],
        commit: &mut Commit,
    ) {
        for state in states {
            let Some(place) = self.place(device, state.door) else { continue };
            match (self.doors[place].closed, state.closed) {
                (true, false) => {
                    let command = self.pending.iter().find(|p| p.place == place).map(|p| p.command);
                    self.opened(place, command, commit);
                }
                (false, true) => self.closed(place, commit),
                _ => {}
            }
            match (self.doors[place].trouble, state.jammed) {
                (None, true) => self.raise(place, Trouble::Jammed, commit),
                (Some(Trouble::Jammed), false) => self.recover(place, commit),
                _ => {}
            }
        }
    }

    pub(super) fn happened(
        &mut self,
        device: &DeviceId,
        number: u8,
        what: Happening,
        command: Option<CommandId>,
        commit: &mut Commit,
    ) {
        let Some(place) = self.place(device, number) else { return };
        match what {
            // The outcome of the command has said so.
            Happening::Unlocked => {}
            Happening::Opened => self.opened(place, command, commit),
            Happening::Closed => self.closed(place, commit),
            Happening::Relocked => {
                self.stop_awaiting(place);
                self.raise(place, Trouble::NeverOpened, commit);
            }
            Happening::Jammed => {
                self.stop_awaiting(place);
                self.raise(place, Trouble::Jammed, commit);
            }
            Happening::LeftOpen => self.raise(place, Trouble::LeftOpen, commit),
            Happening::Forced => {
                self.opened(place, None, commit);
                self.raise(place, Trouble::ForcedOpen, commit);
            }
        }
    }

    fn opened(&mut self, place: usize, command: Option<CommandId>, commit: &mut Commit) {
        self.stop_awaiting(place);
        let door = &mut self.doors[place];
        if std::mem::replace(&mut door.closed, false) {
            let cabinet = door.name.clone();
            commit.record(LockerFact::Door { cabinet, closed: false, command });
        }
        if matches!(door.trouble, Some(Trouble::Jammed | Trouble::NeverOpened)) {
            self.recover(place, commit);
        }
    }

    fn closed(&mut self, place: usize, commit: &mut Commit) {
        let door = &mut self.doors[place];
        if !std::mem::replace(&mut door.closed, true) {
            let cabinet = door.name.clone();
            commit.record(LockerFact::Door { cabinet, closed: true, command: None });
        }
        self.recover(place, commit);
    }

    pub(super) fn raise(&mut self, place: usize, trouble: Trouble, commit: &mut Commit) {
        let door = &mut self.doors[place];
        if door.trouble.replace(trouble) != Some(trouble) {
            let cabinet = door.name.clone();
            commit.record(LockerFact::Trouble { cabinet, trouble });
        }
    }

    fn recover(&mut self, place: usize, commit: &mut Commit) {
        let door = &mut self.doors[place];
        if door.trouble.take().is_some() {
            commit.record(LockerFact::Recovered { cabinet: door.name.clone() });
        }
    }
}
