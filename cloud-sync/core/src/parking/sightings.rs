//! What cameras over spots see: plates, each on a spot.

use super::{
    Parking, cameras, spots,
    stays::{Arrival, By, enter, found_at, inside, record},
};
use crate::{
    caller::{Caller, Operator},
    error::{Error, Result},
    plates::{Movement, Window},
    store::{Conditions, Row, Transaction, first, number, params},
    text,
};

/// A plate that a camera saw on a spot: an OCR log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The number of the plate read.
    pub id: i64,
    /// The camera.
    pub camera: i64,
    /// The spot.
    pub spot: Option<i64>,
    /// The plate, as it was read or corrected.
    pub plate: String,
    /// When, in milliseconds UTC.
    pub seen_at_ms: i64,
}

/// A car that a camera reports.
#[derive(Debug, Clone)]
pub struct Detection {
    /// Number of the camera.
    pub camera: i64,
    /// Number of the spot.
    pub spot: i64,
    /// Its plate.
    pub plate: String,
}

impl Parking {
    /// What cameras saw, newest first, and how often.
    pub async fn sightings(
        &self,
        _: &Caller,
        window: Option<Window>,
    ) -> Result<(Vec<Sighting>, i64)> {
        let read = self.base.store.read(move |tx| {
            let mut conditions = Conditions::new(SEEN);
            let count = format!("SELECT COUNT(*) FROM plate_reads {}", conditions.sql());
            let total = number(tx, &count, &[])?;
            let slice = window.map_or_else(String::new, |window| conditions.slice(window));
            let sql = format!("{SELECT_SEEN} {} ORDER BY id DESC{slice}", conditions.sql());
            let rows = tx.query(&sql, conditions.params())?;
            Ok((rows.iter().map(sighting).collect::<Result<_>>()?, total))
        });
        read.await
    }

    /// One thing that a camera saw.
    ///
    /// # Errors
    /// [`Error::NotFound`], also where the plate was deleted.
    pub async fn sighting(&self, _: &Caller, id: i64) -> Result<Sighting> {
        self.base.store.read(move |tx| sighting_of(tx, id)).await
    }

    /// A camera reports a car: that is kept, the spot is taken, and a car that was not inside has
    /// entered.
    ///
    /// # Errors
    /// [`Error::NotFound`] `camera` or `spot`, [`Error::Invalid`] for a plate that is none,
    /// [`Error::Refused`] `slot_not_available` where another car stands there.
    pub async fn detect_car(&self, operator: &Operator, seen: Detection) -> Result<Sighting> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let kept = self.base.store.write(move |tx| {
            cameras::get(tx, seen.camera)?;
            let spot = spots::get(tx, seen.spot)?;
            let plate = text::plate("plate_number", &seen.plate)?;
            let arrival = Arrival {
                site: &spot.site,
                plate: plate.as_typed(),
                spot: Some(seen.spot),
                by: By::Camera { camera: seen.camera, actor },
                ..Arrival::default()
            };
            let id = see(tx, &arrival, now_ms)?;
            sighting_of(tx, id)
        });
        self.changed(kept.await)
    }
}

/// Keeps what a camera saw and returns the number of the read.
fn see(tx: &mut dyn Transaction, arrival: &Arrival<'_>, now_ms: i64) -> Result<i64> {
    if inside(tx, arrival.site, arrival.plate)?.is_some() {
        found_at(tx, arrival, now_ms)?;
        return Ok(record(tx, arrival, Movement::Seen, now_ms)?.id);
    }
    if spots::get(tx, arrival.spot.unwrap_or_default())?.session.is_some() {
        return Err(Error::Refused("slot_not_available"));
    }
    Ok(enter(tx, arrival, now_ms)?.read)
}

const SEEN: &str = "camera_id IS NOT NULL AND is_deleted = 0";
const SELECT_SEEN: &str = "SELECT id, camera_id, spot_id, plate, read_at_ms FROM plate_reads";

fn sighting_of(tx: &mut dyn Transaction, id: i64) -> Result<Sighting> {
    let row = first(tx, &format!("{SELECT_SEEN} WHERE {SEEN} AND id = $1"), params![id])?;
    sighting(&row.ok_or(Error::NotFound("ocr_log"))?)
}

fn sighting(row: &Row) -> Result<Sighting> {
    Ok(Sighting {
        id: row.get(0)?,
        camera: row.get(1)?,
        spot: row.get(2)?,
        plate: row.get(3)?,
        seen_at_ms: row.get(4)?,
    })
}
