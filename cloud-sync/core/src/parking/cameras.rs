//! Cameras over spots, and what they see: a plate on a spot.

use super::{
    Parking, spots,
    stays::{Arrival, By, found_at, inside, record},
};
use crate::{
    caller::{Admin, Caller, Operator},
    error::{Error, Result},
    logs::Entry,
    parking::stays::enter,
    plates::{Movement, Window},
    sites::default_site,
    store::{Conditions, Row, Transaction, first, next_id, number, params},
    text,
};

/// Most spots that one camera watches.
const MOST_SPOTS: usize = 1000;

/// A camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Camera {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where it hangs; may be empty.
    pub location: String,
    /// The spots that it watches.
    pub spots: Vec<super::Spot>,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
}

/// What changes of a camera, or is said of a new one; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct CameraChange {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// At most 200 characters.
    pub location: Option<String>,
    /// Numbers of the spots that it watches.
    pub spots: Option<Vec<i64>>,
}

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
    /// The cameras, newest first, and how many there are.
    pub async fn cameras(&self, _: &Caller, window: Option<Window>) -> Result<(Vec<Camera>, i64)> {
        let read = self.base.store.read(move |tx| {
            let total = number(tx, "SELECT COUNT(*) FROM cameras", &[])?;
            let mut conditions = Conditions::new("1 = 1");
            let slice = window.map_or_else(String::new, |window| conditions.slice(window));
            let sql = format!("{SELECT} {} ORDER BY id DESC{slice}", conditions.sql());
            let rows = tx.query(&sql, conditions.params())?;
            Ok((rows.iter().map(|row| camera(tx, row)).collect::<Result<_>>()?, total))
        });
        read.await
    }

    /// One camera.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn camera(&self, _: &Caller, id: i64) -> Result<Camera> {
        self.base.store.read(move |tx| get(tx, id)).await
    }

    /// Makes a camera.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what cannot be used.
    pub async fn add_camera(&self, admin: &Admin, new: CameraChange) -> Result<Camera> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let site = default_site(tx, now_ms)?;
            let id = next_id(tx, "camera")?;
            tx.execute(
                "INSERT INTO cameras (site_id, id, name, location, created_at_ms)
                 VALUES ($1, $2, '', '', $3)",
                params![&site, id, now_ms],
            )?;
            let name = Some(new.name.clone().unwrap_or_default());
            let camera = change(tx, id, &CameraChange { name, ..new })?;
            let message = format!("摄像头 {} 已创建", camera.name);
            Entry::of_person(site, now_ms, actor, "camera", message).write(tx)?;
            Ok(camera)
        });
        made.await
    }

    /// Changes a camera.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] as for [`Parking::add_camera`].
    pub async fn change_camera(&self, _: &Admin, id: i64, wanted: CameraChange) -> Result<Camera> {
        self.base.store.write(move |tx| change(tx, id, &wanted)).await
    }

    /// Forgets a camera; what it saw stays known.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remove_camera(&self, _: &Admin, id: i64) -> Result<()> {
        let removed = self.base.store.write(move |tx| {
            get(tx, id)?;
            tx.execute("DELETE FROM camera_spots WHERE camera_id = $1", params![id])?;
            tx.execute("DELETE FROM cameras WHERE id = $1", params![id])?;
            Ok(())
        });
        removed.await
    }

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
            get(tx, seen.camera)?;
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

const SELECT: &str = "SELECT id, name, location, created_at_ms FROM cameras";

fn get(tx: &mut dyn Transaction, id: i64) -> Result<Camera> {
    let row = first(tx, &format!("{SELECT} WHERE id = $1"), params![id])?;
    camera(tx, &row.ok_or(Error::NotFound("camera"))?)
}

fn camera(tx: &mut dyn Transaction, row: &Row) -> Result<Camera> {
    let id = row.get(0)?;
    let sql = format!(
        "SELECT {} FROM camera_spots c JOIN spots sp ON sp.id = c.spot_id {}
         WHERE c.camera_id = $1 AND sp.is_active = 1 ORDER BY sp.id",
        spots::SPOT_COLUMNS,
        spots::SPOT_JOINS
    );
    let watched = tx.query(&sql, params![id])?;
    Ok(Camera {
        id,
        name: row.get(1)?,
        location: row.get(2)?,
        spots: watched.iter().map(|row| spots::read(row, 0)).collect::<Result<_>>()?,
        created_at_ms: row.get(3)?,
    })
}

fn change(tx: &mut dyn Transaction, id: i64, wanted: &CameraChange) -> Result<Camera> {
    let before = get(tx, id)?;
    let name = text::required("camera_name", wanted.name.as_ref().unwrap_or(&before.name), 100)?;
    let location =
        text::optional("location", wanted.location.as_ref().unwrap_or(&before.location), 200)?;
    let sql = "UPDATE cameras SET name = $1, location = $2 WHERE id = $3";
    tx.execute(sql, params![name, location, id])?;
    if let Some(wanted) = &wanted.spots {
        watch(tx, id, wanted)?;
    }
    get(tx, id)
}

fn watch(tx: &mut dyn Transaction, camera: i64, wanted: &[i64]) -> Result<()> {
    if wanted.len() > MOST_SPOTS {
        return Err(Error::invalid("monitoring_slots", "name at most 1000"));
    }
    tx.execute("DELETE FROM camera_spots WHERE camera_id = $1", params![camera])?;
    for spot in wanted {
        spots::get(tx, *spot)
            .map_err(|_| Error::invalid("monitoring_slots", format!("{spot} is not there")))?;
        let sql = "INSERT INTO camera_spots (camera_id, spot_id) VALUES ($1, $2)
                   ON CONFLICT DO NOTHING";
        tx.execute(sql, params![camera, *spot])?;
    }
    Ok(())
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
