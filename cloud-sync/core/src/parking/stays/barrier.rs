//! Stays that a site's journal tells of. The site's word counts: it is never refused here.

use domain::{
    access::Term, directive::Directive, ids::SessionId, plate::normal_form, tariff::Tariff,
};
use serde::Serialize;

use super::{before::Before, enter, exit};
use crate::{
    directives,
    error::Result,
    parking::{alerts, spots},
    store::{StoreError, Transaction, first, next_id, params},
    vehicles,
};

/// A car that a barrier let in.
pub(crate) struct Opened<'a> {
    pub(crate) site: &'a str,
    pub(crate) session: String,
    pub(crate) plate: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) entered_at_ms: i64,
    pub(crate) lane: &'a str,
    pub(crate) decision: String,
    pub(crate) tariff: Option<&'a Tariff>,
    /// When its plate's permit of the site's configuration file holds.
    pub(crate) permit: Option<&'a Term>,
    /// Whether its vehicle is still to be made known.
    pub(crate) is_new_vehicle: bool,
}

/// A car that a barrier let out.
pub(crate) struct Closed<'a> {
    pub(crate) site: &'a str,
    pub(crate) session: String,
    pub(crate) exited_at_ms: i64,
    pub(crate) lane: &'a str,
    pub(crate) decision: String,
    pub(crate) fee_fen: i64,
}

/// A car is inside from now on. One that was given a spot before it came, or was typed in before
/// the barrier told of it, keeps its stay; the barrier's word on it counts.
pub(crate) fn barrier_opened(tx: &mut dyn Transaction, opened: &Opened<'_>) -> Result<()> {
    let here = Before::of(tx, opened)?;
    if here.is_known {
        return Ok(());
    }
    let adopted = match here.inside {
        Some(before) if !opened.plate.is_empty() => adopt(tx, opened, before)?,
        _ => None,
    };
    match adopted {
        Some(id) => tie_read(tx, opened, id),
        None => insert(tx, opened, &here),
    }
}

/// Makes the stay that was begun at the cloud the barrier's. A stay of the barrier itself stays as
/// it is, and is no longer the one that its plate is found by.
fn adopt(tx: &mut dyn Transaction, opened: &Opened<'_>, before: i64) -> Result<Option<i64>> {
    let adopted = tx.execute(
        "UPDATE parking_sessions SET session_id = $1, origin = 'edge', kind = $2,
                entered_at_ms = $3, entry_lane = $4, entry_decision = $5, tariff = $6,
                tariff_id = NULL, tariff_name = NULL, own_permit = $9
         WHERE id = $7 AND origin = 'cloud' AND site_id = $8",
        params![
            &opened.session,
            opened.kind,
            opened.entered_at_ms,
            opened.lane,
            &opened.decision,
            json(opened.tariff)?,
            before,
            opened.site,
            json(opened.permit)?
        ],
    )?;
    if adopted == 0 {
        let sql = "UPDATE parking_sessions SET inside_key = NULL WHERE id = $1 AND site_id = $2";
        tx.execute(sql, params![before, opened.site])?;
        return Ok(None);
    }
    Ok(Some(before))
}

fn json<T: Serialize>(told: Option<&T>) -> Result<Option<String>> {
    let json = told.map(serde_json::to_string).transpose();
    Ok(json.map_err(|e| StoreError::new("write what a site told", e))?)
}

fn insert(tx: &mut dyn Transaction, opened: &Opened<'_>, here: &Before) -> Result<()> {
    let id = next_id(tx, "parking_session")?;
    let spot = here.spot(tx, opened)?;
    let area = match spot {
        Some(spot) => Some(spots::get(tx, spot)?.area_id),
        None => here.first_area,
    };
    let key = normal_form(opened.plate);
    if opened.is_new_vehicle {
        vehicles::make_known(tx, opened.plate, opened.entered_at_ms)?;
    }
    tx.defer(
        "INSERT INTO parking_sessions (site_id, session_id, id, origin, area_id, spot_id,
                vehicle_id, plate, plate_key, inside_key, kind, entered_at_ms, entry_lane,
                entry_decision, tariff, own_permit)
         VALUES ($1, $2, $3, 'edge', $4, $5,
                 (SELECT v.id FROM vehicles v WHERE v.plate_key = $7 AND v.removed_at_ms IS NULL),
                 $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            opened.site,
            &opened.session,
            id,
            area,
            spot,
            opened.plate,
            &key,
            Some(&key).filter(|key| !key.is_empty()),
            opened.kind,
            opened.entered_at_ms,
            opened.lane,
            &opened.decision,
            json(opened.tariff)?,
            json(opened.permit)?
        ],
    )?;
    match spot {
        Some(spot) => {
            spots::occupy(tx, spot, opened.entered_at_ms)?;
            tie_read(tx, opened, id)
        }
        None => Ok(()),
    }
}

/// The read at the barrier says where its car stands.
fn tie_read(tx: &mut dyn Transaction, opened: &Opened<'_>, id: i64) -> Result<()> {
    tx.defer(
        "UPDATE plate_reads SET spot_id = (SELECT p.spot_id FROM parking_sessions p
                                       WHERE p.id = $1 AND p.site_id = $2)
         WHERE site_id = $2 AND decision_id = $3",
        params![id, opened.site, &opened.decision],
    )?;
    Ok(())
}

/// A car has left; whether its stay was known and not yet closed by a barrier. What the cloud had
/// thought of its end gives way.
pub(crate) fn barrier_closed(tx: &mut dyn Transaction, closed: &Closed<'_>) -> Result<bool> {
    let sql = "SELECT id, exited_at_ms, spot_id FROM parking_sessions
               WHERE site_id = $1 AND session_id = $2 AND exit_decision IS NULL";
    let Some(row) = first(tx, sql, params![closed.site, &closed.session])? else {
        return Ok(false);
    };
    let (id, already): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
    tx.defer(
        "UPDATE parking_sessions SET exited_at_ms = $1, exit_lane = $2, exit_decision = $3,
                fee_fen = $4, inside_key = NULL WHERE site_id = $5 AND session_id = $6",
        params![
            closed.exited_at_ms,
            closed.lane,
            &closed.decision,
            closed.fee_fen,
            closed.site,
            &closed.session
        ],
    )?;
    let spot = if already.is_some() { None } else { row.get(2)? };
    exit::closed(tx, closed.site, id, spot, closed.exited_at_ms)?;
    Ok(true)
}

/// A plate was corrected: the stay that its read began or ended, and the car of that, are those of
/// the right plate.
pub(crate) fn renamed(
    tx: &mut dyn Transaction,
    site: &str,
    decision: &str,
    plate: &str,
    now_ms: i64,
) -> Result<()> {
    let sql = "SELECT id, vehicle_id, exited_at_ms, session_id, origin FROM parking_sessions
               WHERE site_id = $1 AND (entry_decision = $2 OR exit_decision = $2)";
    for row in tx.query(sql, params![site, decision])? {
        let (id, before): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
        let is_inside = row.get::<Option<i64>>(2)?.is_none();
        let other = enter::inside(tx, site, plate)?.is_some_and(|other| other != id);
        let key = normal_form(plate);
        let vehicle = vehicles::known(tx, plate, now_ms)?;
        tx.execute(
            "UPDATE parking_sessions SET plate = $1, plate_key = $2, inside_key = $3,
                    vehicle_id = $4 WHERE id = $5",
            params![plate, &key, Some(&key).filter(|_| is_inside && !other), vehicle, id],
        )?;
        if is_inside && row.get::<String>(4)? == "edge" {
            tell_renamed(tx, site, &row.get::<String>(3)?, plate, now_ms)?;
        }
        forget_misread(tx, before, now_ms)?;
        alerts::renamed(tx, id, plate)?;
    }
    Ok(())
}

/// The barrier that will let the car out hears of its right plate.
fn tell_renamed(
    tx: &mut dyn Transaction,
    site: &str,
    session: &str,
    plate: &str,
    now_ms: i64,
) -> Result<()> {
    let (Ok(session), true) = (session.parse(), directives::has_edge(tx, site)?) else {
        return Ok(());
    };
    let told = Directive::Renamed { session: SessionId(session), plate: plate.to_owned() };
    directives::issue(tx, site, &told, now_ms)?;
    Ok(())
}

/// A car that was known by nothing but the wrong reading was none.
fn forget_misread(tx: &mut dyn Transaction, vehicle: Option<i64>, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE vehicles SET removed_at_ms = $2
         WHERE id = $1 AND removed_at_ms IS NULL AND owner_id IS NULL AND car_type IS NULL
         AND NOT EXISTS (SELECT 1 FROM parking_sessions p WHERE p.vehicle_id = $1)",
        params![vehicle, now_ms],
    )?;
    Ok(())
}
