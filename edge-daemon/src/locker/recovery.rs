//! Taking up the books after a start: from the configuration, and from the facts that the journal
//! says still stand.

use std::collections::HashMap;

use domain::{
    clock::{ClockQuality, Stamp},
    event::Outcome,
    ids::DeviceId,
    locker::LockerFact,
};

use super::{
    COMMAND_LIFE_MS, Commit, FETCHED_COMMAND_LIFE_MS, Lockers, State, codes::Holding, doors::Door,
    lockout::WINDOW_MS,
};

/// A controller and its doors, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bank {
    /// The controller.
    pub device: DeviceId,
    /// The names on its doors, in the order of their numbers.
    pub doors: Vec<String>,
    /// Whether it fetches its commands, which then wait for it somewhat longer.
    pub calls: bool,
}

/// Facts that still stand, in the order in which they were journaled, each with when it was.
pub type Journaled = Vec<(LockerFact, Stamp)>;

impl Lockers {
    /// Takes the books up. A command whose outcome nobody knows was carried out or was not; it is
    /// not sent again.
    pub fn recovered(banks: Vec<Bank>, journaled: Journaled, now: Stamp) -> (Self, Commit) {
        let mut lockers = Self::default();
        let mut commit = Commit::default();
        let mut known = HashMap::new();
        let installed: HashMap<_, _> =
            banks.iter().map(|bank| (bank.device.clone(), bank.doors.clone())).collect();
        banks.into_iter().for_each(|bank| lockers.install(bank));
        for (fact, at) in journaled {
            match fact {
                LockerFact::Installed { device, doors } => drop(known.insert(device, doors)),
                LockerFact::Opening { command, cabinet, .. } => {
                    commit.record(LockerFact::Outcome {
                        command,
                        cabinet,
                        outcome: Outcome::Unknown,
                        refusal: None,
                        elapsed_ms: None,
                    });
                }
                fact => lockers.resume(fact, at, now),
            }
        }
        tell_changes(&known, &installed, &mut commit);
        (lockers, commit)
    }

    fn install(&mut self, Bank { device, doors, calls }: Bank) {
        let numbered = doors.into_iter().zip(1..=u8::MAX).filter(|(name, _)| !name.is_empty());
        for (name, number) in numbered {
            let place = self.doors.len();
            self.by_name.insert(name.clone(), place);
            self.by_number.entry(device.clone()).or_default().push(place);
            let device = device.clone();
            self.doors.push(Door { device, number, name, closed: true, trouble: None });
        }
        let life_ms = if calls { FETCHED_COMMAND_LIFE_MS } else { COMMAND_LIFE_MS };
        self.banks.insert(device, State { online: false, life_ms });
    }

    fn resume(&mut self, fact: LockerFact, at: Stamp, now: Stamp) {
        match fact {
            LockerFact::Told { cabinet, .. } => {
                if let Some(held) = cabinet.order {
                    self.holdings.insert(cabinet.cabinet, Holding::recovered(held));
                }
            }
            LockerFact::Door { cabinet, closed, .. } => {
                if let Some(&place) = self.by_name.get(&cabinet) {
                    self.doors[place].closed = closed;
                }
            }
            LockerFact::Trouble { cabinet, trouble } => {
                if let Some(&place) = self.by_name.get(&cabinet) {
                    self.doors[place].trouble = Some(trouble);
                }
            }
            LockerFact::LockedOut { device, cabinet, .. } => {
                let until_ms = now.monotonic_ms + WINDOW_MS.saturating_sub(passed_ms(at, now));
                self.lockouts.lock((device, cabinet), until_ms);
            }
            _ => {}
        }
    }
}

/// How much of a lockout is certainly over: nothing, where the clock was not set.
fn passed_ms(at: Stamp, now: Stamp) -> u64 {
    if [at.quality, now.quality] != [ClockQuality::Synchronised; 2] {
        return 0;
    }
    u64::try_from((now.wall - at.wall).num_milliseconds()).unwrap_or(0)
}

/// Records what was put up, changed or taken away since the last run.
fn tell_changes(
    known: &HashMap<DeviceId, Vec<String>>,
    installed: &HashMap<DeviceId, Vec<String>>,
    commit: &mut Commit,
) {
    let mut devices: Vec<_> = known.keys().chain(installed.keys()).collect();
    devices.sort();
    devices.dedup();
    for device in devices {
        let doors = installed.get(device).cloned().unwrap_or_default();
        if known.get(device).map_or(&[][..], Vec::as_slice) != doors {
            commit.record(LockerFact::Installed { device: device.clone(), doors });
        }
    }
}
