//! Where cars stand, as somebody says, a camera sees or a picture shows.

use super::{
    Arrival, By,
    enter::{begin, enter, inside},
    record::Recorded,
};
use crate::{
    caller::Actor,
    error::{Error, Result},
    parking::{SpotStatus, spots},
    store::{Transaction, first, params},
};

/// A car was found on a spot: it is moved there where it is inside, else it has entered.
/// Returns its stay, and whether that is new.
pub(crate) fn found_at(
    tx: &mut dyn Transaction,
    arrival: &Arrival<'_>,
    now_ms: i64,
) -> Result<(i64, bool)> {
    let spot = spots::get(tx, arrival.spot.ok_or(Error::NotFound("spot"))?)?;
    let stay = inside(tx, arrival.site, arrival.plate)?;
    match (spot.session, stay) {
        (Some(there), Some(stay)) if there == stay => Ok((stay, false)),
        (Some(_), _) => Err(Error::Refused("slot_not_available")),
        (None, Some(stay)) => {
            move_to(tx, stay, spot.id, spot.area_id, now_ms)?;
            Ok((stay, false))
        }
        (None, None) => Ok((enter(tx, arrival, now_ms)?.stay, true)),
    }
}

/// A plate that was read on a spot, in a picture that is kept already.
#[derive(Debug)]
pub(crate) struct SpotReading<'a> {
    /// The site of the spot.
    pub(crate) site: &'a str,
    /// The spot.
    pub(crate) spot: i64,
    /// What was read.
    pub(crate) plate: &'a str,
    /// Number of the read.
    pub(crate) read: i64,
    /// What ties a stay to the read.
    pub(crate) decision: &'a str,
    /// The ground of the plate.
    pub(crate) kind: &'static str,
    /// Who sent the picture.
    pub(crate) actor: Actor,
}

/// A car that was read on a spot is moved there where it is inside, else it has entered with that
/// read. What stands on a spot that is taken is not driven out by a reading, and nothing stands
/// where nobody may.
pub(crate) fn read_at(tx: &mut dyn Transaction, reading: &SpotReading, now_ms: i64) -> Result<()> {
    let spot = spots::get(tx, reading.spot)?;
    let is_free = matches!(spot.status, SpotStatus::Available | SpotStatus::Reserved);
    if !is_free || spot.session.is_some() {
        return Ok(());
    }
    if let Some(stay) = inside(tx, reading.site, reading.plate)? {
        return move_to(tx, stay, spot.id, spot.area_id, now_ms);
    }
    let sql = "UPDATE plate_reads SET movement = 'entered' WHERE id = $1";
    tx.execute(sql, params![reading.read])?;
    let arrival = Arrival {
        site: reading.site,
        plate: reading.plate,
        spot: Some(spot.id),
        by: By::Hand(reading.actor),
        ..Arrival::default()
    };
    let (id, decision) = (reading.read, reading.decision.to_owned());
    begin(tx, &arrival, &Recorded { id, decision, kind: reading.kind }, now_ms).map(drop)
}

/// The site of a spot in use.
pub(crate) fn spot_site(tx: &mut dyn Transaction, spot: i64) -> Result<String> {
    Ok(spots::get(tx, spot)?.site)
}

/// Moves a car that is inside to a spot that is free.
pub(super) fn move_to(
    tx: &mut dyn Transaction,
    stay: i64,
    spot: i64,
    area: i64,
    now_ms: i64,
) -> Result<()> {
    let sql = "SELECT spot_id FROM parking_sessions WHERE id = $1";
    let before = first(tx, sql, params![stay])?.ok_or(Error::NotFound("session"))?;
    if let Some(before) = before.get::<Option<i64>>(0)? {
        spots::release(tx, before, now_ms)?;
    }
    tx.execute(
        "UPDATE parking_sessions SET spot_id = $1, area_id = $2 WHERE id = $3",
        params![spot, area, stay],
    )?;
    spots::occupy(tx, spot, now_ms)
}
