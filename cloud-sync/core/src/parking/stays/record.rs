//! The plate read that every entry without a barrier makes: an hz detection record and an anpr
//! plate with its session; one of a camera is an OCR log as well.

use uuid::Uuid;

use super::{Arrival, By};
use crate::{
    error::Result,
    parking::VehicleType,
    plates::{Movement, ReadBy, Told, kind_by_text, told},
    store::{Transaction, params},
};

/// A read that was kept.
pub(crate) struct Recorded {
    /// Its number.
    pub(crate) id: i64,
    /// What ties a stay to it.
    pub(crate) decision: String,
    /// The ground of the plate, as far as its text tells.
    pub(crate) kind: &'static str,
}

/// Keeps that a plate was typed or seen.
pub(crate) fn record(
    tx: &mut dyn Transaction,
    arrival: &Arrival<'_>,
    movement: Movement,
    now_ms: i64,
) -> Result<Recorded> {
    let (read_by, camera) = match arrival.by {
        By::Hand(_) => (ReadBy::Manual, None),
        By::Camera { camera, .. } => (ReadBy::Local, Some(camera)),
    };
    let decision = Uuid::new_v4().to_string();
    let id = told(
        tx,
        &Told {
            site: arrival.site,
            decision: &decision,
            movement,
            plate: arrival.plate,
            at_ms: now_ms,
            read_by,
            spot_id: arrival.spot,
            vehicle_type: arrival.vehicle_type.map(VehicleType::as_str),
        },
    )?;
    if camera.is_some() {
        let sql = "UPDATE plate_reads SET camera_id = $1 WHERE id = $2";
        tx.execute(sql, params![camera, id])?;
    }
    Ok(Recorded { id, decision, kind: kind_by_text(arrival.plate) })
}
