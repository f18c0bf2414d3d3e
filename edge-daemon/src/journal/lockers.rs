//! What stands of the lockers, kept with the events it follows from: see `lockers.sql`.

use domain::{clock::Stamp, event::Fact, locker::LockerFact};
use rusqlite::{Connection, params};

use super::{error::Result, recover::pointed_at};

/// What a fact does to the books.
enum Change {
    /// The thing is as the fact says.
    Stands(String),
    /// There is nothing to say of the thing any more.
    Gone(String),
    None,
}

/// Applies a fact that has just been appended.
pub(super) fn apply(db: &Connection, sequence: i64, fact: &LockerFact) -> rusqlite::Result<()> {
    match change(fact) {
        Change::Stands(thing) => db
            .prepare_cached(
                "INSERT INTO locker (thing, sequence) VALUES (?1, ?2)
                 ON CONFLICT (thing) DO UPDATE SET sequence = excluded.sequence",
            )?
            .execute(params![thing, sequence])
            .map(drop),
        Change::Gone(thing) => {
            db.prepare_cached("DELETE FROM locker WHERE thing = ?1")?.execute([thing]).map(drop)
        }
        Change::None => Ok(()),
    }
}

fn change(fact: &LockerFact) -> Change {
    match fact {
        LockerFact::Installed { device, doors } => {
            stands_while(!doors.is_empty(), format!("bank/{device}"))
        }
        LockerFact::Told { cabinet, .. } => {
            stands_while(cabinet.order.is_some(), format!("cabinet/{}", cabinet.cabinet))
        }
        LockerFact::Opening { command, .. } => Change::Stands(format!("opening/{command}")),
        LockerFact::Outcome { command, .. } => Change::Gone(format!("opening/{command}")),
        LockerFact::Door { cabinet, closed, .. } => {
            stands_while(!closed, format!("door/{cabinet}"))
        }
        LockerFact::Trouble { cabinet, .. } => Change::Stands(format!("trouble/{cabinet}")),
        LockerFact::Recovered { cabinet } => Change::Gone(format!("trouble/{cabinet}")),
        LockerFact::LockedOut { device, cabinet, .. } => {
            let name = cabinet.as_deref().unwrap_or_default();
            Change::Stands(format!("lockout/{device}/{name}"))
        }
        LockerFact::Denied { .. } | LockerFact::Unknown => Change::None,
    }
}

fn stands_while(stands: bool, thing: String) -> Change {
    if stands { Change::Stands(thing) } else { Change::Gone(thing) }
}

/// The facts that still stand, in order, each with when it was journaled.
pub(super) fn recover(db: &Connection) -> Result<Vec<(LockerFact, Stamp)>> {
    pointed_at(db, "locker", |event| match event.fact {
        Fact::Locker(fact) => Some((fact, event.at)),
        _ => None,
    })
}
