//! Who takes a spot and who leaves it.

use domain::plate::normal_form;

use super::{Spot, SpotReport, SpotStatus, query};
use crate::{
    caller::Actor,
    error::Result,
    logs::Entry,
    parking::{
        VehicleType,
        stays::{self, Arrival, By},
    },
    store::{Transaction, first, params},
    text,
};

/// See [`crate::Parking::report_spot`].
pub(super) fn report(
    tx: &mut dyn Transaction,
    id: i64,
    report: &SpotReport,
    actor: Actor,
    now_ms: i64,
) -> Result<Spot> {
    let spot = query::get(tx, id)?;
    let plate = report.plate.as_deref().filter(|plate| !plate.trim().is_empty());
    let plate = plate.map(|plate| text::plate("license_plate", plate)).transpose()?;
    match (report.status, &plate) {
        (SpotStatus::Occupied, Some(plate)) => {
            let arrival = Arrival {
                site: &spot.site,
                plate: plate.as_typed(),
                spot: Some(id),
                vehicle_type: report.vehicle_type,
                by: By::Hand(actor),
                ..Arrival::default()
            };
            stays::found_at(tx, &arrival, now_ms)?;
        }
        (SpotStatus::Occupied, None) => {
            set(tx, id, SpotStatus::Occupied, report.vehicle_type, None, now_ms)?;
        }
        (status, plate) => {
            if let Some(session) = spot.session {
                stays::left_spot(tx, session, now_ms)?;
            }
            let kept_for = plate.as_ref().filter(|_| status == SpotStatus::Reserved);
            let kept_for = kept_for.map(|plate| plate.normal());
            set(tx, id, status, None, kept_for, now_ms)?;
        }
    }
    let message = format!("车位 {} 状态更新为 {}", spot.number, report.status.as_str());
    Entry::of_person(spot.site, now_ms, actor, "parking", message).write(tx)?;
    query::get(tx, id)
}

fn set(
    tx: &mut dyn Transaction,
    id: i64,
    status: SpotStatus,
    vehicle_type: Option<VehicleType>,
    kept_for: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    tx.defer(
        "UPDATE spots SET status = $1, vehicle_type = $2, reserved_for = $3, updated_at_ms = $4
         WHERE id = $5",
        params![status.as_str(), vehicle_type.map(VehicleType::as_str), kept_for, now_ms, id],
    )?;
    Ok(())
}

/// A car takes a spot.
pub(in crate::parking) fn occupy(tx: &mut dyn Transaction, id: i64, now_ms: i64) -> Result<()> {
    set(tx, id, SpotStatus::Occupied, None, None, now_ms)
}

/// A car leaves its spot.
pub(in crate::parking) fn release(tx: &mut dyn Transaction, id: i64, now_ms: i64) -> Result<()> {
    set(tx, id, SpotStatus::Available, None, None, now_ms)
}

/// A free spot of a site: one that is kept for the plate, else the first in the wanted area, or
/// in any where none is wanted.
pub(in crate::parking) fn free(
    tx: &mut dyn Transaction,
    site: &str,
    area: Option<i64>,
    plate: &str,
) -> Result<Option<i64>> {
    let kept = "SELECT id FROM spots WHERE site_id = $1 AND is_active = 1 AND status = 'reserved'
                AND reserved_for = $2 ORDER BY id LIMIT 1";
    let key = normal_form(plate);
    if !key.is_empty()
        && let Some(row) = first(tx, kept, params![site, key])?
    {
        return Ok(Some(row.get(0)?));
    }
    let sql = "SELECT id FROM spots WHERE site_id = $1 AND is_active = 1 AND status = 'available'
               AND (CAST($2 AS BIGINT) IS NULL OR area_id = $2)
               ORDER BY area_id, number LIMIT 1";
    Ok(first(tx, sql, params![site, area])?.map(|row| row.get(0)).transpose()?)
}
