//! What stands of the charges, kept with the events it follows from: see `charging.sql`.

use domain::{
    charging::{ChargeEnded, EndCause},
    event::Fact,
    ids::ChargingId,
};
use rusqlite::{Connection, params};

use super::bookkeeping::run;

/// Applies a fact that has just been appended.
pub(super) fn apply(db: &Connection, sequence: i64, fact: &Fact) -> rusqlite::Result<()> {
    match fact {
        Fact::ChargeAssigned(assigned) => enter(db, sequence, assigned.session, "assigned"),
        Fact::ChargeStarted(started) => enter(db, sequence, started.session, "started"),
        Fact::ChargeMetered(metered) => enter(db, sequence, metered.session, "metered"),
        Fact::ChargeStop(stop) => enter(db, sequence, stop.session, "stop"),
        Fact::ChargeEnded(ended) => {
            let session = ended.session.to_string();
            run(db, "DELETE FROM open_charge WHERE session = ?1", params![session])?;
            leave_over(db, sequence, ended)
        }
        _ => Ok(()),
    }
}

/// Notes the last event of a kind of a charge.
fn enter(db: &Connection, sequence: i64, session: ChargingId, part: &str) -> rusqlite::Result<()> {
    run(
        db,
        "INSERT INTO open_charge (part, session, sequence) VALUES (?1, ?2, ?3)
         ON CONFLICT (part) DO UPDATE SET sequence = excluded.sequence",
        params![format!("{session}/{part}"), session.to_string(), sequence],
    )
}

/// Notes that the car of a charge has not been unplugged by its end; of the last one at a charger.
fn leave_over(db: &Connection, sequence: i64, ended: &ChargeEnded) -> rusqlite::Result<()> {
    let part = format!("ended/{}", ended.charger);
    if ended.cause == EndCause::Unplugged {
        return run(db, "DELETE FROM open_charge WHERE part = ?1", params![part]);
    }
    run(
        db,
        "INSERT INTO open_charge (part, session, sequence) VALUES (?1, ?2, ?3)
         ON CONFLICT (part) DO UPDATE
         SET session = excluded.session, sequence = excluded.sequence",
        params![part, ended.session.to_string(), sequence],
    )
}
