//! What was unfinished when the journal was last written: what the gate starts from.

use chrono::{DateTime, Utc};
use domain::{
    charging::{ChargeAssigned, ChargeMetered, ChargeStarted},
    clock::{ClockQuality, Stamp},
    event::{Action, Decision, Event, Fact, PlateKind},
    ids::{CommandId, DecisionId, DeviceId, LaneId, SessionId},
    locker::LockerFact,
    tariff::Tariff,
};
use rusqlite::Connection;

use super::{
    database::sequence,
    error::{JournalError, Result},
    lockers,
};

/// What was unfinished.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recovered {
    /// The last sequence; 0 for a new journal.
    pub head: u64,
    /// Vehicles that are inside, in the order they entered.
    pub open_sessions: Vec<OpenSession>,
    /// Commands that may or may not have been carried out. They are not sent again.
    pub unresolved_intents: Vec<UnresolvedIntent>,
    /// Decisions to open on which no vehicle has passed, at most eight of each lane, oldest first.
    pub unpassed_opens: Vec<UnpassedOpen>,
    /// Charges that have not ended, in the order they were assigned.
    pub open_charges: Vec<OpenCharge>,
    /// Chargers whose last charge has ended with the car plugged in.
    pub left_over: Vec<DeviceId>,
    /// The last of the cloud's directives that was carried out or passed over; 0 for none.
    pub directives_through: u64,
    /// What stands of the lockers, in the order in which it was journaled.
    pub lockers: Vec<(LockerFact, Stamp)>,
    /// What the cloud has set, as the facts say it.
    pub settings: Vec<Fact>,
}

/// A vehicle that is inside.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenSession {
    /// The session.
    pub session: SessionId,
    /// Its plate in normal form; empty where it was let in unread.
    pub plate: String,
    /// The kind of plate.
    pub kind: PlateKind,
    /// When it entered.
    pub entered_at: DateTime<Utc>,
    /// How far the clock could be trusted then.
    pub quality: ClockQuality,
    /// Where it entered.
    pub lane: LaneId,
    /// The decision that let it in.
    pub decision: DecisionId,
    /// The tariff as it stood at the entry; none where parking costs nothing.
    pub tariff: Option<Tariff>,
    /// What was paid for it, oldest first.
    pub payments: Vec<Payment>,
}

/// A payment for a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// The amount in fen.
    pub amount_fen: i64,
    /// When it was made, on the site's clock.
    pub paid_at: DateTime<Utc>,
}

/// A command whose intent was journaled and whose outcome was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedIntent {
    /// The command.
    pub command: CommandId,
    /// The decision it was to carry out.
    pub decision: DecisionId,
    /// The lane it was for.
    pub lane: LaneId,
    /// The controller it was for.
    pub device: DeviceId,
    /// What the controller was to do.
    pub action: Action,
    /// When the intent was journaled.
    pub at: Stamp,
}

/// A charge that has not ended; each of its events with when it was journaled.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenCharge {
    /// Its assignment.
    pub assigned: (ChargeAssigned, Stamp),
    /// Its start; none where it has not begun.
    pub started: Option<(ChargeStarted, Stamp)>,
    /// The last reading of its meter.
    pub metered: Option<(ChargeMetered, Stamp)>,
    /// Whether the cloud asked to end it.
    pub is_to_stop: bool,
}

/// A decision to open on which no vehicle has passed.
#[derive(Debug, Clone, PartialEq)]
pub struct UnpassedOpen {
    /// The decision.
    pub decision: Decision,
    /// When it was journaled.
    pub at: Stamp,
}

pub(super) fn recover(db: &Connection) -> Result<Recovered> {
    let greatest = |sql| {
        let read = db.query_row(sql, [], |row| row.get(0));
        read.map(sequence).map_err(JournalError::database("read its last sequence"))
    };
    Ok(Recovered {
        head: greatest("SELECT COALESCE(MAX(sequence), 0) FROM event")?,
        directives_through: greatest("SELECT COALESCE(MAX(through), 0) FROM directive")?,
        settings: settings(db)?,
        open_sessions: open_sessions(db)?,
        unresolved_intents: unresolved_intents(db)?,
        unpassed_opens: unpassed_opens(db)?,
        open_charges: open_charges(db)?,
        left_over: left_over(db)?,
        lockers: lockers::recover(db)?,
    })
}

pub(super) fn open_sessions(db: &Connection) -> Result<Vec<OpenSession>> {
    let mut open = pointed_at(db, "open_session", |event| match event.fact {
        Fact::SessionOpened {
            session, plate, kind, entered_at, lane, decision, tariff, ..
        } => {
            let (quality, payments) = (event.at.quality, Vec::new());
            Some(OpenSession {
                session,
                plate,
                kind,
                entered_at,
                quality,
                lane,
                decision,
                tariff,
                payments,
            })
        }
        _ => None,
    })?;
    let paid = pointed_at(db, "payment", |event| match event.fact {
        Fact::Paid { session, amount_fen, paid_at, .. } => {
            Some((session, Payment { amount_fen, paid_at: paid_at.unwrap_or(event.at.wall) }))
        }
        _ => None,
    })?;
    for (session, payment) in paid {
        open.iter_mut().filter(|s| s.session == session).for_each(|s| s.payments.push(payment));
    }
    let renamed = pointed_at(db, "renamed", |event| match event.fact {
        Fact::SessionRenamed { session, plate } => Some((session, plate)),
        _ => None,
    })?;
    for (session, plate) in renamed {
        open.iter_mut().filter(|s| s.session == session).for_each(|s| s.plate.clone_from(&plate));
    }
    Ok(open)
}

fn settings(db: &Connection) -> Result<Vec<Fact>> {
    pointed_at(db, "setting", |event| match event.fact {
        fact @ (Fact::ParametersSet { .. } | Fact::TariffSet { .. }) => Some(fact),
        _ => None,
    })
}

fn unresolved_intents(db: &Connection) -> Result<Vec<UnresolvedIntent>> {
    pointed_at(db, "open_intent", |event| match event.fact {
        Fact::CommandIntent { command, decision, lane, device, action } => {
            Some(UnresolvedIntent { command, decision, lane, device, action, at: event.at })
        }
        _ => None,
    })
}

fn unpassed_opens(db: &Connection) -> Result<Vec<UnpassedOpen>> {
    pointed_at(db, "open_decision", |event| match event.fact {
        Fact::Decision(decision) => Some(UnpassedOpen { decision: *decision, at: event.at }),
        _ => None,
    })
}

fn left_over(db: &Connection) -> Result<Vec<DeviceId>> {
    let left = pointed_at(db, "open_charge", |event| {
        Some(match event.fact {
            Fact::ChargeEnded(ended) => Some(ended.charger),
            _ => None,
        })
    })?;
    Ok(left.into_iter().flatten().collect())
}

fn open_charges(db: &Connection) -> Result<Vec<OpenCharge>> {
    let mut open: Vec<OpenCharge> = Vec::new();
    for (fact, at) in pointed_at(db, "open_charge", |event| Some((event.fact, event.at)))? {
        let (session, part) = match fact {
            Fact::ChargeAssigned(assigned) => {
                let assigned = (assigned, at);
                open.push(OpenCharge { assigned, started: None, metered: None, is_to_stop: false });
                continue;
            }
            Fact::ChargeStarted(started) => (started.session, Part::Started(started)),
            Fact::ChargeMetered(metered) => (metered.session, Part::Metered(metered)),
            Fact::ChargeStop(stop) => (stop.session, Part::Stop),
            _ => continue,
        };
        // The assignment of each comes before.
        let Some(of) = open.iter_mut().find(|open| open.assigned.0.session == session) else {
            continue;
        };
        match part {
            Part::Started(started) => of.started = Some((started, at)),
            Part::Metered(metered) => of.metered = Some((metered, at)),
            Part::Stop => of.is_to_stop = true,
        }
    }
    Ok(open)
}

/// What belongs to a charge besides its assignment.
enum Part {
    Started(ChargeStarted),
    Metered(ChargeMetered),
    Stop,
}

/// The events that the rows of a bookkeeping table point at, in order, each turned into what it
/// must be.
pub(super) fn pointed_at<T>(
    db: &Connection,
    table: &'static str,
    turn: impl Fn(Event) -> Option<T>,
) -> Result<Vec<T>> {
    let sql = format!(
        "SELECT sequence, body FROM {table} LEFT JOIN event USING (sequence) ORDER BY sequence"
    );
    let read = || {
        let mut statement = db.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(i64, Option<String>)>>>()
    };
    let rows = read().map_err(JournalError::database("read what was unfinished"))?;
    rows.into_iter()
        .map(|(number, body)| {
            body.and_then(|body| serde_json::from_str(&body).ok()).and_then(&turn).ok_or_else(
                || {
                    let what = format!("`{table}` points at it and it is no such event");
                    JournalError::Damaged { sequence: sequence(number), what }
                },
            )
        })
        .collect()
}
