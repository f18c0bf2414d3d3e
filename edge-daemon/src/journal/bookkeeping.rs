//! What follows from an event beside the event itself, applied in the event's own transaction.
//!
//! Nothing here can fail because of what an event says, only because of the database: a repeated
//! session or an outcome of an unknown command changes nothing that was right.

use domain::event::{Decision, Event, Fact, Verdict};
use rusqlite::{Connection, params};

use super::{StateDir, charging, database::number, lockers};

/// Decisions to open that are kept for each lane.
const OPEN_DECISIONS_PER_LANE: i64 = 8;

/// Applies `event`, which has just been appended; `state` is where its picture lies.
pub(super) fn apply(db: &Connection, event: &Event, state: &StateDir) -> rusqlite::Result<()> {
    let sequence = number(event.sequence);
    match &event.fact {
        Fact::Decision(decision) => {
            enter_picture(db, sequence, decision, state)?;
            enter_decision(db, sequence, decision)
        }
        Fact::CommandIntent { command, .. } => run(
            db,
            "INSERT INTO open_intent (command, sequence) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![command.to_string(), sequence],
        ),
        Fact::CommandOutcome { command, .. } => {
            run(db, "DELETE FROM open_intent WHERE command = ?1", params![command.to_string()])
        }
        Fact::Passage { decision: Some(decision), .. } => {
            run(db, "DELETE FROM open_decision WHERE decision = ?1", params![decision.to_string()])
        }
        Fact::SessionOpened { session, .. } => run(
            db,
            "INSERT INTO open_session (session, sequence) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![session.to_string(), sequence],
        ),
        Fact::SessionClosed { session, .. } => {
            let session = session.to_string();
            run(db, "DELETE FROM payment WHERE session = ?1", params![session])?;
            run(db, "DELETE FROM renamed WHERE session = ?1", params![session])?;
            run(db, "DELETE FROM open_session WHERE session = ?1", params![session])
        }
        Fact::Paid { session, directive, .. } => {
            run(
                db,
                "INSERT INTO payment (sequence, session)
                 SELECT ?1, session FROM open_session WHERE session = ?2",
                params![sequence, session.to_string()],
            )?;
            directive.map_or(Ok(()), |directive| carry_out(db, sequence, directive))
        }
        Fact::Locker(fact) => {
            lockers::apply(db, sequence, fact)?;
            fact.directive().map_or(Ok(()), |directive| carry_out(db, sequence, directive))
        }
        Fact::DirectiveDone { directive, .. } | Fact::DirectiveSkipped { directive, .. } => {
            carry_out(db, sequence, *directive)
        }
        Fact::ChargeAssigned(charge) => {
            charging::apply(db, sequence, &event.fact)?;
            carry_out(db, sequence, charge.directive)
        }
        Fact::ChargeStop(stop) => {
            charging::apply(db, sequence, &event.fact)?;
            carry_out(db, sequence, stop.directive)
        }
        Fact::ChargeStarted(_) | Fact::ChargeMetered(_) | Fact::ChargeEnded(_) => {
            charging::apply(db, sequence, &event.fact)
        }
        Fact::SessionRenamed { session, .. } => run(
            db,
            "INSERT INTO renamed (session, sequence)
             SELECT session, ?2 FROM open_session WHERE session = ?1
             ON CONFLICT (session) DO UPDATE SET sequence = excluded.sequence",
            params![session.to_string(), sequence],
        ),
        Fact::ParametersSet { .. } => set(db, sequence, "parameters"),
        Fact::TariffSet { area: None, .. } => set(db, sequence, "tariff"),
        Fact::TariffSet { area: Some(area), .. } => set(db, sequence, &format!("tariff/{area}")),
        Fact::Quarantined { sequence, reason } => run(
            db,
            "INSERT INTO quarantine (sequence, reason) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![number(*sequence), reason],
        ),
        Fact::JournalRepaired { lost, .. } => lost.iter().try_for_each(|run| lose(db, *run)),
        _ => Ok(()),
    }
}

/// Why the place of a lost event travels without it.
const LOST: &str = "it was lost from the site's disk";

fn lose(db: &Connection, [first, last]: [u64; 2]) -> rusqlite::Result<()> {
    for sequence in first..=last {
        run(
            db,
            "INSERT INTO quarantine (sequence, reason) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![number(sequence), LOST],
        )?;
    }
    Ok(())
}

/// What the cloud told is done with, up to and with `directive`.
fn carry_out(db: &Connection, sequence: i64, directive: u64) -> rusqlite::Result<()> {
    run(
        db,
        "INSERT INTO directive (id, through, sequence) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET through = excluded.through, sequence = excluded.sequence
         WHERE through < excluded.through",
        params![number(directive), sequence],
    )
}

fn set(db: &Connection, sequence: i64, name: &str) -> rusqlite::Result<()> {
    run(
        db,
        "INSERT INTO setting (name, sequence) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence",
        params![name, sequence],
    )
}

fn enter_decision(db: &Connection, sequence: i64, decision: &Decision) -> rusqlite::Result<()> {
    if decision.verdict != Verdict::Open {
        return Ok(());
    }
    let lane = decision.lane.as_str();
    run(
        db,
        "INSERT INTO open_decision (decision, lane, sequence) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
        params![decision.id.to_string(), lane, sequence],
    )?;
    run(
        db,
        "DELETE FROM open_decision WHERE lane = ?1 AND sequence NOT IN
         (SELECT sequence FROM open_decision WHERE lane = ?1 ORDER BY sequence DESC LIMIT ?2)",
        params![lane, OPEN_DECISIONS_PER_LANE],
    )
}

fn enter_picture(
    db: &Connection,
    sequence: i64,
    decision: &Decision,
    state: &StateDir,
) -> rusqlite::Result<()> {
    let Some(sha256) = decision.plate.as_ref().map(|plate| &plate.picture) else {
        return Ok(());
    };
    let Some(path) = state.picture(sha256) else {
        return Ok(());
    };
    let bytes = path.metadata().ok().map(|file| number(file.len()));
    run(
        db,
        "INSERT INTO picture (sha256, sequence, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![sha256, sequence, bytes],
    )
}

/// Changes something.
pub(super) fn run(
    db: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}
